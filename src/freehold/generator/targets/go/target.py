"""What the templates of services in Go print: the plan's decisions, with net/http and pgx."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from freehold.generator.identity import Preset
from freehold.generator.plan import ServicePlan
from freehold.generator.render import go_string
from freehold.generator.resources import readers, writers
from freehold.generator.targets.go.entities import GoEntity
from freehold.generator.targets.go.fields import ID_PARSERS, ID_TYPES
from freehold.generator.targets.go.names import module, packages
from freehold.generator.targets.go.permissions import field_rules, permission_lines
from freehold.generator.targets.go.shape import pairs

FILES = Path(__file__).parent / "files"
"""Emitted as they are, but for the name of the module."""

TEMPLATES = Path(__file__).parent / "templates"

_PROVIDER = {
    "name": "Name",
    "issuer": "Issuer",
    "jwks_url": "JWKSURL",
    "algorithms": "Algorithms",
    "audience_claim": "AudienceClaim",
    "audience": "Audience",
    "user_claim": "UserClaim",
    "tenant_claim": "TenantClaim",
    "roles_claim": "RolesClaim",
    "service_claim": "ServiceClaim",
    "service_value": "ServiceValue",
    "require": "Require",
}


def provider_lines(preset: Preset) -> Iterator[str]:
    """The values of a preset."""

    def spelled(value: Any) -> str:
        if isinstance(value, tuple):
            return f"[]string{{{', '.join(map(go_string, value))}}}"
        if isinstance(value, dict):
            told = ", ".join(f"{go_string(key)}: {go_string(each)}" for key, each in value.items())
            return f"map[string]string{{{told}}}"
        return go_string(value)

    told = ((go_name, getattr(preset, name)) for name, go_name in _PROVIDER.items())
    return pairs((go_name, spelled(value)) for go_name, value in told if value)


def context(plan: ServicePlan) -> dict[str, Any]:
    """What the templates print."""
    folders = packages(plan)
    entities = {each.name: GoEntity(plan, each, folders[each.name]) for each in plan.entities}
    for entity in entities.values():
        entity.connect(entities)
    return {
        "plan": plan,
        "module": module(plan),
        "entities": list(entities.values()),
        "tenant_type": ID_TYPES[plan.tenant_kind],
        "tenant_parser": ID_PARSERS[plan.tenant_kind],
        "user_type": ID_TYPES[plan.user_kind],
        "user_parser": ID_PARSERS[plan.user_kind],
        "permission_lines": list(permission_lines(plan)),
        "readable_lines": list(field_rules(plan, readers)),
        "writable_lines": list(field_rules(plan, writers)),
        "provider_lines": provider_lines,
    }
