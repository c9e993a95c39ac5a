"""Endpoints of the account service."""

from __future__ import annotations

from freehold.services.account.routes import (
    account,
    credentials,
    mfa,
    new_sessions,
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
    sessions,
    new_sessions,
    tokens,
    recovery,
    verifications,
    mfa,
    passkeys,
    targets,
):
    routes.endpoints += each.routes.endpoints

__all__ = ["routes"]
