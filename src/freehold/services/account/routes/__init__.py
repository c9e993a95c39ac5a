"""Endpoints of the account service."""

from __future__ import annotations

from freehold.services.account.routes import account, sessions, targets
from freehold.web.endpoint import Routes

routes = Routes("account")
for each in (account, sessions, targets):
    routes.endpoints += each.routes.endpoints

__all__ = ["routes"]
