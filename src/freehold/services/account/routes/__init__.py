"""Endpoints of the account service."""

from __future__ import annotations

from freehold.services.account.routes import (
    account,
    credentials,
    mfa,
    new_sessions,
    passkeys,
    sessions,
    targets,
)
from freehold.web.endpoint import Routes

routes = Routes("account")
for each in (account, credentials, sessions, new_sessions, mfa, passkeys, targets):
    routes.endpoints += each.routes.endpoints

__all__ = ["routes"]
