"""Who may do what, as permissions.go says it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from freehold.db.ddl import quote
from freehold.generator.plan import EntityPlan, Grants, Rule, ServicePlan
from freehold.generator.render import go_string
from freehold.generator.targets.go.literals import literal
from freehold.generator.targets.go.shape import pairs
from freehold.schema.model import Kind


def permission_lines(plan: ServicePlan) -> Iterator[tuple[str, list[str]]]:
    """Role to the lines of its table."""
    ids = {each.name: quote(each.system["id"]) for each in plan.entities}
    for role, permissions in plan.permissions.items():
        yield (
            role,
            list(
                pairs(
                    (go_string(permission), _grants(grants, ids[permission.partition(":")[0]]))
                    for permission, grants in permissions.items()
                )
            ),
        )


def field_rules(
    plan: ServicePlan, holders: Callable[[EntityPlan], dict[str, list[str]]]
) -> Iterator[tuple[str, list[str]]]:
    """Entity to the lines of its readers or writers."""
    for entity in plan.entities:
        limited = holders(entity)
        if limited:
            told = (
                (go_string(name), f"{{{', '.join(map(go_string, roles))}}}")
                for name, roles in limited.items()
            )
            yield entity.name, list(pairs(told))


def _rule(rule: Rule, id_column: str) -> str:
    """One rule of a grant as permissions.go writes it."""
    if rule.link:
        spelled = (id_column, quote(rule.link), quote(rule.link_row), quote(rule.link_user))
        return f"MemberOf({', '.join(map(go_string, spelled))})"
    values = ["Me"] * rule.me + ["Tenant"] * rule.tenant
    values += [_bound(rule.kind, each) for each in rule.values]
    return f"Is({', '.join([go_string(quote(rule.column)), *values])})"


def _bound(kind: Kind, value: Any) -> str:
    """A value of a rule: text where PostgreSQL reads it as what the column holds."""
    if kind in (Kind.BOOL, Kind.INT, Kind.BIGINT, Kind.FLOAT):
        return literal(kind, value)
    return go_string(str(value))


def _grants(grants: Grants, id_column: str) -> str:
    if grants == ((),):
        return "EveryRow"
    ways = ", ".join(f"{{{', '.join(_rule(rule, id_column) for rule in grant)}}}" for grant in grants)
    return f"{{{ways}}}"
