"""Endpoints of the account service."""

from __future__ import annotations

from freehold.services.account.routes import account, credentials, mfa, new_sessions, sessions, targets
from freehold.web.endpoint import Routes

routes = Routes("account")
for each in (account, credentials, sessions, new_sessions, mfa, targets):
    routes.endpoints += each.routes.endpoints

__all__ = ["routes"]
