"""From a schema to the plan of its service: every decision that does not depend on a language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from freehold.generator import fields, names, permissions, relations, tenancy
from freehold.generator.plan import (
    EntityPlan,
    FieldPlan,
    Grants,
    Permissions,
    PlanError,
    Rule,
    ServicePlan,
)
from freehold.schema.model import Entity, Kind, Schema
from freehold.schema.table_names import AUDIT_LOG, search_column

_AUDIT_ENTRY = "audit_entry"


def plan(schema: Schema) -> ServicePlan:
    """Decide everything about the service, and refuse names that could not stand in code."""
    names.check(schema)
    user = tenancy.user_entity(schema)
    held = permissions.of(schema)
    entities = tuple(_entity(schema, entity, held) for entity in schema.entities)
    audited = tuple(entity for entity in entities if entity.audit)
    if audited:
        entities = (*entities, _audit_log(schema))
        for role, found in held.items():
            shown = tuple(entity.name for entity in audited if _sees_history(entity, role, found))
            if shown:
                rule = Rule(column="entity", values=shown)
                found[f"{_AUDIT_ENTRY}:read"] = ((),) if len(shown) == len(audited) else ((rule,),)
    return ServicePlan(
        name=names.slug(schema.service),
        title=schema.service,
        description=schema.description,
        provider=schema.auth.provider if schema.auth else "custom",
        overrides=dict(schema.auth.overrides) if schema.auth else {},
        roles=tuple(schema.roles),
        tenant_kind=tenancy.tenant_kind(schema),
        user_entity=user,
        user_kind=schema.known_entity(user).id_kind if user else "text",
        rls=schema.tenancy is None or schema.tenancy.isolation == "rls",
        entities=entities,
        permissions=held,
        api_keys=schema.auth is not None and schema.auth.api_keys,
        sessions=tenancy.takes_sessions(schema),
        session=schema.auth.session if schema.auth else None,
        gateway=schema.auth is not None and schema.auth.gateway,
        membership=tenancy.membership(schema),
        deploy=schema.deploy,
    )


def _entity(schema: Schema, entity: Entity, held: Permissions) -> EntityPlan:
    layout = entity.layout
    return EntityPlan(
        name=entity.name,
        plural=names.plural(entity),
        description=entity.description,
        table=entity.table,
        tenant=entity.tenant,
        id_kind=entity.id_kind,
        fields=tuple(fields.of(schema, entity)),
        version=layout.version is not None,
        updated_at=layout.updated_at is not None,
        soft_delete=entity.soft_delete,
        tenant_column=layout.tenant,
        created_by=layout.created_by,
        updated_by=layout.updated_by,
        relations=tuple(relations.of(schema, entity, held)),
        search=tuple(each.wire_name for each in entity.fields if each.search),
        search_column=search_column(entity) if any(each.search for each in entity.fields) else "",
        natural_key=next((each.wire_name for each in entity.fields if each.natural_key), ""),
        natural_columns=_natural_columns(entity),
        keys=tuple(_keys(entity)),
        audit=entity.audit,
        cascades=tuple(relations.cascades(schema, entity)) if entity.soft_delete else (),
        system=names.system_columns(layout),
    )


def _natural_columns(entity: Entity) -> tuple[str, ...]:
    for each in entity.fields:
        if each.natural_key:
            tenant = entity.layout.tenant if each.unique == "tenant" else None
            return (*([tenant] if tenant else []), each.column)
    return ()


def _keys(entity: Entity) -> Iterator[tuple[str, ...]]:
    tenant = (entity.layout.tenant,) if entity.layout.tenant else ()
    columns = {each.name: each.column for each in entity.columns}
    for each in entity.columns:
        if each.unique is not None:
            yield (each.column,) if each.unique == "global" else (*tenant, each.column)
    for index in entity.indexes:
        if index.unique and all(part.field in columns for part in index.parts):
            yield (*tenant, *(columns[part.field] for part in index.parts))


def _audit_log(schema: Schema) -> EntityPlan:
    """Who changed what, as a resource that can only be read."""
    if schema.entity(_AUDIT_ENTRY) is not None:
        raise PlanError(
            f"{_AUDIT_ENTRY}: so are the entries of the audit log called; call the entity something else"
        )

    def field(name: str, kind: Kind, *operators: str, nullable: bool = False, **more: Any) -> FieldPlan:
        return FieldPlan(
            name=name, column=name, kind=kind, operators=operators, nullable=nullable, system=True, **more
        )

    return EntityPlan(
        name=_AUDIT_ENTRY,
        plural="audit_log",
        description="Who changed what, and when.",
        table=AUDIT_LOG,
        tenant="scoped" if schema.tenancy else "none",
        id_kind="serial",
        fields=(
            field("id", Kind.BIGINT, "in", sortable=True),
            field("at", Kind.DATETIME, "gt", "gte", "lt", "lte"),
            field("actor_id", Kind.TEXT, "", "in", "is_null", nullable=True),
            field("request_id", Kind.TEXT, "", "in", nullable=True),
            field("entity", Kind.TEXT, "", "in"),
            field("entity_id", Kind.TEXT, "", "in"),
            field("action", Kind.ENUM, "", "ne", "in", values=("create", "update", "delete")),
            field("before", Kind.JSON, nullable=True, description="The row of the table, as it was."),
            field(
                "after", Kind.JSON, nullable=True, description="The row of the table, as it is since then."
            ),
        ),
        version=False,
        updated_at=False,
        soft_delete=False,
        tenant_column="tenant_id" if schema.tenancy else None,
        created_by=None,
        updated_by=None,
        read_only=True,
        system={"id": "id"},
    )


def _sees_history(entity: EntityPlan, role: str, held: dict[str, Grants]) -> bool:
    """Whether old rows tell the role nothing that it could not see or do: it has every row and field."""
    actions = all(held.get(f"{entity.name}:{action}") == ((),) for action in ("read", "update", "delete"))
    guards = [each.readers for each in entity.fields] + [each.readers for each in entity.relations]
    return actions and all(role in readers for readers in guards if readers is not None)
