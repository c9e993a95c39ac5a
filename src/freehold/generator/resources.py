"""What tests know of a service beside its contract, in no language: `tests/resources.json`."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

from freehold.db.ddl import quote
from freehold.generator import documents
from freehold.generator.constraints import tenant_tables
from freehold.generator.plan import EntityPlan, FieldPlan, Relation, Rule, ServicePlan
from freehold.generator.samples import MANY, choices, filter_values, holds_words, sample
from freehold.schema.design import design
from freehold.schema.model import PLACES, Schema

Json = dict[str, Any]


def text(schema: Schema, plan: ServicePlan) -> str:
    return documents.text(description(schema, plan))


def description(schema: Schema, plan: ServicePlan) -> Json:
    """The resources, and who may do what to them."""
    keys = list(_scarce_keys(schema, plan))
    scarce = {(table, columns) for table, columns, _ in keys}
    return {
        "roles": list(plan.roles),
        "user": plan.user_entity,
        "tenant_tables": tenant_tables(schema),
        "scarce_keys": [statement for _, _, statement in keys],
        "permissions": {
            role: {
                permission: [[_condition(rule) for rule in grant] for grant in grants]
                for permission, grants in permissions.items()
            }
            for role, permissions in plan.permissions.items()
        },
        "resources": [_resource(each, scarce) for each in plan.entities],
    }


def _scarce_keys(schema: Schema, plan: ServicePlan) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """The unique keys that allow fewer rows than tests make: table, columns, and what takes the key away."""
    entities = {entity.table: entity for entity in plan.entities}
    for table in design(schema):
        if (entity := entities.get(table.name)) is None:
            continue
        values = {each.column: _choices(plan, each) for each in entity.fields}
        values |= {entity.tenant_column: 1} if entity.tenant_column else {}
        alter = f"alter table {quote(table.name)} drop constraint if exists"
        keys = [(each.columns, f"{alter} {quote(each.name)}") for each in table.uniques]
        keys += [
            (each.columns, f"drop index if exists {quote(each.name)}")
            for each in table.indexes
            if each.unique
        ]
        for columns, statement in keys:
            if prod(values.get(column, MANY) for column in columns) < MANY:
                yield table.name, columns, statement


def _choices(plan: ServicePlan, each: FieldPlan) -> int:
    """How many values the field has in the rows of a tenant; MANY is as good as any number."""
    is_own = each.target is not None and plan.entity(each.target).tenant == "self" and not each.nullable
    return 1 if is_own else MANY if each.system else choices(each)


def _resource(entity: EntityPlan, scarce: set[tuple[str, tuple[str, ...]]]) -> Json:
    """What does not apply to it (false, or empty) is left out."""
    return {key: value for key, value in _told(entity, scarce).items() if value or key == "sample"}


def _told(entity: EntityPlan, scarce: set[tuple[str, tuple[str, ...]]]) -> Json:
    is_scarce = (entity.table, entity.natural_columns) in scarce
    references = [each for each in entity.writable if each.target is not None]
    return {
        "name": entity.name,
        "path": f"/v1/{entity.path}",
        "table": quote(entity.table),
        "tenant": entity.tenant,
        "tenant_column": quote(entity.tenant_column) if entity.tenant_column else "",
        "id_kind": entity.id_kind,
        "columns": {each.name: quote(each.column) for each in entity.fields},
        "sample": sample(entity),
        "relations": {each.name: _relation(each) for each in entity.relations},
        "search": list(entity.search),
        "words": next(
            (each.name for each in entity.fields if each.name in entity.search and holds_words(each)), ""
        ),
        "natural_key": "" if is_scarce else entity.natural_key,
        "natural_key_global": entity.tenant == "scoped"
        and len(entity.natural_columns) == 1
        and not is_scarce,
        "natural_key_scarce": is_scarce,
        "references": {each.name: each.target for each in references},
        "required": [each.name for each in references if not each.nullable],
        "places": [each.name for each in entity.writable if each.kind in PLACES],
        "filters": _by_value(filter_values(entity)),
        "sorts": [sign + each.name for each in entity.sort_keys for sign in ("", "-")],
        "versioned": entity.version,
        "soft_delete": entity.soft_delete,
        "read_only": entity.read_only,
        "audited": entity.audit,
        "readable_by": readers(entity),
        "writable_by": writers(entity),
    }


def _relation(relation: Relation) -> Json:
    links = {
        "body": relation.body,
        "link": relation.link and quote(relation.link),
        "link_here": relation.link and quote(relation.link_here),
        "link_there": relation.link and quote(relation.link_there),
        "link_tenant": relation.link_tenant and quote(relation.link_tenant),
    }
    return {
        "target": relation.target,
        "many": relation.many,
        "guard": list(relation.guard),
        "key": relation.key,
    } | {key: value for key, value in links.items() if value}


def _by_value(values: dict[str, str]) -> dict[str, list[str]]:
    """The parameters that take the same value, under it."""
    found: dict[str, list[str]] = {}
    for parameter, value in values.items():
        found.setdefault(value, []).append(parameter)
    return found


def readers(entity: EntityPlan) -> dict[str, list[str]]:
    """The fields and the links that only some roles see, and those roles."""
    found = {each.name: list(each.readers) for each in entity.fields if each.readers is not None}
    return found | {each.name: list(each.readers) for each in entity.relations if each.readers is not None}


def writers(entity: EntityPlan) -> dict[str, list[str]]:
    """The keys of a body that only some roles set, and those roles."""
    found = {each.name: list(each.writers) for each in entity.fields if each.writers is not None}
    return found | {each.body: list(each.writers) for each in entity.links if each.writers is not None}


def _condition(rule: Rule) -> Json:
    """A link table, or a column and the values that it may hold; `me` and `tenant` are the caller's."""
    if rule.link:
        return {"link": quote(rule.link), "row": quote(rule.link_row), "user": quote(rule.link_user)}
    return {"column": quote(rule.column), "me": rule.me, "tenant": rule.tenant, "values": list(rule.values)}
