"""Endpoints of the users service."""

from __future__ import annotations

from freehold.services.users.routes import mfa, targets, users
from freehold.web.endpoint import Routes

routes = Routes("users")
for each in (users, mfa, targets):
    routes.endpoints += each.routes.endpoints

__all__ = ["routes"]
