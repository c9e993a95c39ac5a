"""Who may do what, as a table to read in a review: `docs/permissions.md`."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.generator.plan import IMPLICIT_ROLES, EntityPlan, Grants, Rule, ServicePlan
from freehold.generator.render import markdown

_HEAD = """\
# Who may do what

The permissions that the service asks for, written out: what a role has by inheritance stands in its own
column. A condition says which rows; several are alternatives. What stands nowhere is refused.

- `public` is everybody, `authenticated` everybody with a valid token, `service` machines.
- In a resource of tenants, all of it holds within the caller's tenant alone.
"""

_ACTIONS = ("read", "create", "update", "delete", "restore", "read_deleted")


def text(plan: ServicePlan) -> str:
    """The document."""
    return _HEAD + "".join(_entity(plan, entity) for entity in plan.entities)


def _entity(plan: ServicePlan, entity: EntityPlan) -> str:
    roles = (*plan.roles, *IMPLICIT_ROLES)
    lines = [f"\n## {entity.name}\n\n"]
    lines.append("| | " + " | ".join(f"`{role}`" for role in roles) + " |\n")
    lines.append("| --- " * (len(roles) + 1) + "|\n")
    for action in _ACTIONS:
        permission = f"{entity.name}:{action}"
        held = [plan.permissions.get(role, {}).get(permission) for role in roles]
        if any(held):
            cells = " | ".join(_cell(entity, grants) for grants in held)
            lines.append(f"| {action.replace('_', ' ')} | {cells} |\n")
    lines += _fields(entity)
    return "".join(lines)


def _cell(entity: EntityPlan, grants: Grants | None) -> str:
    if not grants:
        return ""
    if any(not grant for grant in grants):
        return "yes"
    return ", or ".join(" and ".join(_rule(entity, rule) for rule in grant) for grant in grants)


def _rule(entity: EntityPlan, rule: Rule) -> str:
    if rule.link:
        return f"linked in {rule.link}"
    name = next((each.name for each in entity.fields if each.column == rule.column), rule.column)
    values = [*(["me"] if rule.me else []), *(["tenant"] if rule.tenant else []), *map(str, rule.values)]
    spelled = ", ".join(markdown(value) for value in values)
    return f"{name} = {spelled}" if len(values) == 1 else f"{name} in ({spelled})"


def _fields(entity: EntityPlan) -> Iterator[str]:
    """The fields that not everybody reads or writes who may do so with the row."""
    for word, attribute in (("Read", "readers"), ("Written", "writers")):
        held = [(each.name, getattr(each, attribute)) for each in entity.writable]
        rules = [(name, roles) for name, roles in held if roles is not None]
        if rules:
            told = "; ".join(
                f"`{name}` by {', '.join(f'`{role}`' for role in roles)}" for name, roles in rules
            )
            yield f"\n{word} only: {told}.\n"
