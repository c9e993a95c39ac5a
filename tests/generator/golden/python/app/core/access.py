"""Who calls, and which rows the caller's roles reach. The rules themselves are in app/permissions.py."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from app.core.errors import Problem, forbidden
from app.core.rules import Grant
from app.permissions import (
    NO_TENANT,
    OUTSIDE_TENANTS,
    PERMISSIONS,
    READABLE_BY,
    WRITABLE_BY,
    TenantId,
    UserId,
)


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller, built once per request and handed to whatever needs it."""

    kind: Literal["anonymous", "user", "service", "api_key"] = "anonymous"
    id: UserId | None = None
    tenant_id: TenantId | None = None
    roles: frozenset[str] = field(default_factory=lambda: frozenset({"public"}))
    key_id: str | None = None
    scopes: frozenset[str] = frozenset()
    """The permissions that an API key is limited to; none is no limit."""

    @property
    def actor(self) -> str | None:
        """Who this is in created_by, in the audit log and in limits; None where nobody in particular is known."""
        return self.key_id if self.id is None else str(self.id)

    def grants(self, permission: str) -> list[Grant]:
        """The ways in which the caller's roles give the permission; none is a refusal."""
        if self.scopes and permission not in self.scopes:
            return []
        return [grant for role in sorted(self.roles) for grant in PERMISSIONS.get(role, {}).get(permission, ())]

    def require(self, permission: str) -> None:
        """Refuse the caller whose roles never give the permission, whatever the row."""
        if self.grants(permission):
            return
        if not permission.startswith(OUTSIDE_TENANTS):
            self.require_tenant()  # who is in no tenant has no role in it
        raise unauthenticated("A bearer token is needed.") if self.kind == "anonymous" else forbidden()

    def require_tenant(self) -> TenantId:
        if self.tenant_id is not None:
            return self.tenant_id
        if self.kind == "anonymous":
            raise unauthenticated("A bearer token is needed.")
        raise Problem(403, "no_tenant", NO_TENANT)

    def hidden(self, entity: str) -> set[str]:
        """The fields of the entity that the caller may not see, filter by or sort by."""
        return {name for name, roles in READABLE_BY.get(entity, {}).items() if not roles & self.roles}

    def check_writable(self, entity: str, fields: Iterable[str]) -> None:
        rules = WRITABLE_BY.get(entity, {})
        refused = [name for name in fields if name in rules and not rules[name] & self.roles]
        if refused:
            errors = [
                {"pointer": f"/{name}", "code": "forbidden_field", "message": "your role may not set it"}
                for name in refused
            ]
            raise Problem(403, "forbidden_field", "Your role may not set every field you sent.", errors)


def unauthenticated(detail: str, error: str = "invalid_token") -> Problem:
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": f'Bearer error="{error}"'})
