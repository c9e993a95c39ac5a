"""Permissions: what each role may do with which rows, and what it inherits."""

from __future__ import annotations

from freehold.generator import names
from freehold.generator.plan import ID_KINDS, IMPLICIT_ROLES, Grants, Permissions, PlanError, Rule
from freehold.schema.model import ACTIONS, Action, Comparison, Condition, Entity, Grant, Schema
from freehold.schema.table_names import link_columns, link_name


def of(schema: Schema) -> Permissions:
    """What each role may do. Who may delete may see and restore what is deleted."""
    table: Permissions = {}
    for role in (*schema.roles, *IMPLICIT_ROLES):
        held = _closure(schema.roles, role)
        found: dict[str, Grants] = {}
        for entity in schema.entities:
            for action in ACTIONS:
                grants = [grant for grant in entity.access.grants(action) if grant.role in held]
                if grants:
                    found[f"{entity.name}:{action}"] = _grants(schema, entity, action, grants)
            if entity.soft_delete and f"{entity.name}:delete" in found:
                deleting = found[f"{entity.name}:delete"]
                found[f"{entity.name}:read_deleted"] = deleting
                found[f"{entity.name}:restore"] = deleting
        if found:
            table[role] = found
    return table


def holders(schema: Schema, role: str | None) -> tuple[str, ...] | None:
    """The roles that have the role, by name or by inheritance."""
    if role is None:
        return None
    return tuple(each for each in (*schema.roles, *IMPLICIT_ROLES) if role in _closure(schema.roles, each))


def _closure(roles: dict[str, tuple[str, ...]], role: str) -> set[str]:
    """A role and all that it inherits from."""
    found: set[str] = set()
    waiting = [role]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting.extend(roles.get(each, ()))
    return found


def _grants(schema: Schema, entity: Entity, action: Action, grants: list[Grant]) -> Grants:
    found = tuple(
        dict.fromkeys(tuple(_rule(schema, entity, each) for each in grant.where) for grant in grants)
    )
    return ((),) if () in found else found


def _rule(schema: Schema, entity: Entity, condition: Condition) -> Rule:
    if isinstance(condition, Comparison):
        compared = entity.field(condition.field)
        if compared is not None:
            target = compared.type.target
            kind = ID_KINDS[schema.known_entity(target).id_kind] if target else compared.type.kind
            column = compared.column
        else:
            column = condition.field
            kind = ID_KINDS[entity.id_kind]
        return Rule(
            column=names.identifier(column, f"{entity.name}.access"),
            kind=kind,
            values=condition.values,
            me=condition.me,
            tenant=condition.tenant,
        )
    link = entity.field(condition.relation)
    if link is None or link.type.target is None:
        raise PlanError(f"{entity.name}.access: there is no relation {condition.relation}")
    if link.is_column:
        return Rule(column=link.column, kind=ID_KINDS[schema.known_entity(link.type.target).id_kind], me=True)
    row_column, user_column = link_columns(entity, link)
    return Rule(link=link_name(entity, link), link_row=row_column, link_user=user_column)
