"""Endpoints of the account service."""

from __future__ import annotations

from freehold.services.account.routes import (
    account,
    credentials,
    identities,
    mfa,
    new_sessions,
    oauth,
    passkeys,
    recovery,
    sessions,
    targets,
    tokens,
    verifications,
)
from freehold.web.endpoint import Routes

routes = Routes("account")
for each in (
    account,
    credentials,
    identities,
    sessions,
    new_sessions,
    oauth,
    tokens,
    recovery,
    verifications,
    mfa,
    passkeys,
    targets,
):
    routes.endpoints += each.routes.endpoints

__all__ = ["routes"]
