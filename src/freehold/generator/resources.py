"""What tests know of a service beside its contract, in no language: `tests/resources.json`."""

from __future__ import annotations

from typing import Any

from freehold.db.ddl import quote
from freehold.generator import documents
from freehold.generator.constraints import tenant_tables
from freehold.generator.plan import EntityPlan, Rule, ServicePlan
from freehold.generator.samples import filter_values, sample
from freehold.schema.model import PLACES, Schema

Json = dict[str, Any]


def text(schema: Schema, plan: ServicePlan) -> str:
    return documents.text(description(schema, plan))


def description(schema: Schema, plan: ServicePlan) -> Json:
    """The resources, and who may do what to them."""
    return {
        "roles": list(plan.roles),
        "user": plan.user_entity,
        "tenant_tables": tenant_tables(schema),
        "permissions": {
            role: {
                permission: [[_condition(rule) for rule in grant] for grant in grants]
                for permission, grants in permissions.items()
            }
            for role, permissions in plan.permissions.items()
        },
        "resources": [_resource(each) for each in plan.entities],
    }


def _resource(entity: EntityPlan) -> Json:
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
        "relations": {
            each.name: {
                "target": each.target,
                "many": each.many,
                "guard": list(each.guard),
                "body": each.body,
                "key": each.key,
                "link": quote(each.link) if each.link else "",
                "link_here": quote(each.link_here) if each.link else "",
                "link_there": quote(each.link_there) if each.link else "",
                "link_tenant": quote(each.link_tenant) if each.link_tenant else "",
            }
            for each in entity.relations
        },
        "search": list(entity.search),
        "natural_key": entity.natural_key,
        "references": {each.name: each.target for each in references},
        "required": [each.name for each in references if not each.nullable],
        "places": [each.name for each in entity.writable if each.kind in PLACES],
        "filters": filter_values(entity),
        "sorts": [sign + each.name for each in entity.sort_keys for sign in ("", "-")],
        "versioned": entity.version,
        "soft_delete": entity.soft_delete,
        "read_only": entity.read_only,
        "audited": entity.audit,
        "readable_by": readers(entity),
        "writable_by": writers(entity),
    }


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
