"""Endpoints of the users service."""

from __future__ import annotations

from freehold.services.users.routes import (
    activity,
    details,
    identities,
    imports,
    mfa,
    passkeys,
    sessions,
    targets,
    users,
)
from freehold.web.endpoint import Routes

routes = Routes("users")
for each in (users, imports, details, identities, sessions, mfa, passkeys, targets, activity):
    routes.endpoints += each.routes.endpoints

__all__ = ["routes"]
