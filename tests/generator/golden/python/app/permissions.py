"""Who may do what: role, permission, and the rows that it reaches. Inheritance is resolved already.

A permission that is not in the table of a role is refused. `public` is everybody, `authenticated` is everybody
with a valid token, `service` is a machine.
"""

from __future__ import annotations

from uuid import UUID

from app.core.rules import EVERY_ROW, ME, Grant, Is

TenantId = UUID
UserId = UUID
NO_TENANT = "Your credential names no tenant."

# How the permissions begin that need no tenant.
OUTSIDE_TENANTS = ("organization:create",)

ROLES = (
    "owner",
    "admin",
    "member",
    "viewer",
)

PERMISSIONS: dict[str, dict[str, tuple[Grant, ...]]] = {
    "owner": {
        "organization:read": EVERY_ROW,
        "organization:update": EVERY_ROW,
        "project:read": EVERY_ROW,
        "project:create": EVERY_ROW,
        "project:update": EVERY_ROW,
        "project:delete": EVERY_ROW,
        "project:read_deleted": EVERY_ROW,
        "project:restore": EVERY_ROW,
        "person:read": EVERY_ROW,
        "person:create": EVERY_ROW,
        "person:update": EVERY_ROW,
        "person:delete": EVERY_ROW,
        "audit_entry:read": EVERY_ROW,
    },
    "admin": {
        "organization:read": EVERY_ROW,
        "project:read": EVERY_ROW,
        "project:create": EVERY_ROW,
        "project:update": EVERY_ROW,
        "project:delete": EVERY_ROW,
        "project:read_deleted": EVERY_ROW,
        "project:restore": EVERY_ROW,
        "person:read": EVERY_ROW,
        "person:create": EVERY_ROW,
        "person:update": EVERY_ROW,
        "person:delete": EVERY_ROW,
        "audit_entry:read": EVERY_ROW,
    },
    "member": {
        "organization:read": EVERY_ROW,
        "project:read": EVERY_ROW,
        "project:create": EVERY_ROW,
        "project:update": ((Is("owner_id", (ME,)),),),
        "person:read": EVERY_ROW,
    },
    "viewer": {
        "organization:read": EVERY_ROW,
        "project:read": EVERY_ROW,
        "person:read": EVERY_ROW,
    },
}

# Fields that only some roles see, and fields that only some roles set.
READABLE_BY: dict[str, dict[str, frozenset[str]]] = {
    "project": {
        "budget": frozenset(["owner", "admin"]),
    },
}

WRITABLE_BY: dict[str, dict[str, frozenset[str]]] = {
    "project": {
        "budget": frozenset(["owner", "admin"]),
    },
}
