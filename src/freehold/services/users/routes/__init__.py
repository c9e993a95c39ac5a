"""Endpoints of the users service."""

from __future__ import annotations

from freehold.services.users.routes import mfa, passkeys, targets, users
from freehold.web.endpoint import Routes

routes = Routes("users")
for each in (users, mfa, passkeys, targets):
    routes.endpoints += each.routes.endpoints

__all__ = ["routes"]
