"""Schema files on a live project: what applying one would do, and doing it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import NamedTuple

import asyncpg
import msgspec

from freehold.db import ddl
from freehold.db.ddl import Step
from freehold.db.pool import Record
from freehold.errors import BadRequest, Conflict
from freehold.ids import MAX_ID
from freehold.schema import compare
from freehold.schema.model import Entity, Field, Schema
from freehold.services.databases import changes, column_types, store
from freehold.services.databases.errors import DatabaseNotFound, TableAlreadyExists
from freehold.services.databases.tables import database_tag
from freehold.services.databases.vocabulary import TABLES
from freehold.web.call import Call


class SchemaInvalid(BadRequest, type="general_argument_invalid"):
    """Invalid `schema` param: {reason}"""


class PlanChanged(Conflict, type="general_resource_locked"):
    """The plan has changed since it was made: the database or the schema is another one now. Plan again."""


class LossNotApproved(BadRequest, type="general_argument_invalid"):
    """Invalid `approve` param: this plan loses data, which has to be approved by name: {losses}."""


class SchemaNotApplicable(Conflict, type="general_bad_request"):
    """The rows that are there forbid it: {reason}. Nothing was changed."""


class Plan(NamedTuple):
    """What would be done to a database."""

    namespace: str
    creates_database: bool
    old: Schema
    new: Schema
    steps: Sequence[Step]
    hash: str

    @property
    def losses(self) -> list[str]:
        """The tables that can lose data."""
        return sorted({step.table for step in self.steps if step.loses})


async def applied(call: Call, database_id: str) -> Schema | None:
    """The schema that a database was last made from. Raises DatabaseNotFound."""
    record = await store.find_database(call.db, call.project.id, database_id)
    if record is None:
        raise DatabaseNotFound(id=database_id)
    return msgspec.json.decode(record["schema"], type=Schema) if record["schema"] is not None else None


async def plan(call: Call, database_id: str, schema: Schema, *, lock: bool = False) -> Plan:
    """Plan to make a database what a schema says. Tables that were made over the API stay as they are."""
    _must_be_plain(schema)
    record = await store.find_database(call.db, call.project.id, database_id, lock=lock)
    if record is None:
        namespace = await changes.free_namespace(call.db, f"{call.project.id}_{database_id}")
        old = Schema(service=schema.service)
    else:
        namespace = record["namespace"]
        old = _applied(record, schema)
        await _must_not_collide(call, database_id, old, schema)
    steps = ddl.steps(compare(old, schema), namespace=namespace)
    return Plan(namespace, record is None, old, schema, steps, _hash(namespace, old, schema, steps))


async def apply(
    call: Call, database_id: str, schema: Schema, *, expected: str, approve: Sequence[str]
) -> Plan:
    """Do what was planned, in the call's transaction: all of it, or nothing.

    Raises PlanChanged, LossNotApproved, SchemaNotApplicable.
    """
    planned = await plan(call, database_id, schema, lock=True)
    if planned.hash != expected:
        raise PlanChanged()
    missing = [table for table in planned.losses if table not in approve]
    if missing:
        raise LossNotApproved(losses=", ".join(missing))
    if planned.creates_database:
        await call.db.script(ddl.create_namespace(planned.namespace).sql)
        await store.create_database(
            call.db,
            call.project.id,
            database_id,
            name=schema.service,
            description=schema.description,
            enabled=True,
            namespace=planned.namespace,
            type_=TABLES.database_type,
        )
    await call.db.script(ddl.timeouts_sql())
    for step in planned.steps:
        try:
            await call.db.script(step.sql)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise SchemaNotApplicable(reason=f"{step.summary}: {error.args[0]}") from error
    await store.keep_schema(call.db, call.project.id, database_id, msgspec.json.encode(schema))
    await _keep_tables(call, database_id, planned)
    call.changed(database_tag(call.project.id, database_id))
    return planned


async def _keep_tables(call: Call, database_id: str, planned: Plan) -> None:
    """Let what the API knows of tables and columns follow the schema, by its stable ids."""
    old = {entity.id: entity for entity in planned.old.entities}
    new = {entity.id: entity for entity in planned.new.entities}
    for entity_id in old.keys() - new.keys():
        await store.delete_table(call.db, call.project.id, database_id, old[entity_id].name)
    for entity_id, entity in old.items():
        if entity_id in new and new[entity_id].name != entity.name:
            await store.rename_table(call.db, call.project.id, database_id, entity.name, new[entity_id].name)
    for entity in new.values():
        if entity.id in old:
            await store.keep_entity(call.db, call.project.id, database_id, entity.name, entity)
        else:
            await store.create_table(
                call.db,
                call.project.id,
                database_id,
                entity.name,
                name=entity.name,
                description=entity.description,
                entity=entity,
            )
        await _keep_columns(call, database_id, entity)


async def _keep_columns(call: Call, database_id: str, entity: Entity) -> None:
    known = {
        row["field_id"]: row
        for row in await store.list_columns(call.db, call.project.id, database_id, [entity.name])
    }
    fields = {field.id: field for field in entity.columns}
    project_id, table_id = call.project.id, entity.name
    for field_id, row in known.items():
        if field_id not in fields or not _is_shown(fields[field_id], row):
            await store.delete_column(call.db, project_id, database_id, table_id, row["key"])
    for field in entity.columns:
        if field.id not in known or not _is_shown(field, known[field.id]):
            type_, format_ = column_types.shown_as(field)
            await store.create_column(
                call.db,
                project_id,
                database_id,
                table_id,
                key=field.wire_name,
                type_=type_,
                format_=format_,
                field_id=field.id,
            )


def _is_shown(field: Field, row: Record) -> bool:
    """Whether the API knows the column already as it is now."""
    return (row["key"], row["type"], row["format"]) == (field.wire_name, *column_types.shown_as(field))


def _applied(record: Record, schema: Schema) -> Schema:
    if record["schema"] is None:
        return Schema(service=schema.service)
    return msgspec.json.decode(record["schema"], type=Schema)


async def _must_not_collide(call: Call, database_id: str, old: Schema, new: Schema) -> None:
    """Refuse a schema that has a table which was made over the API. Raises TableAlreadyExists."""
    ours = {entity.name for entity in old.entities}
    for entity in new.entities:
        if entity.name not in ours:
            found = await store.find_table(call.db, call.project.id, database_id, entity.name)
            if found is not None:
                raise TableAlreadyExists(id=entity.name)


_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _must_be_plain(schema: Schema) -> None:
    """Refuse what the reader of schema files would never have let through."""
    for entity in schema.entities:
        if len(entity.name) > MAX_ID:
            raise SchemaInvalid(
                reason=f"`{entity.name[:100]}` is longer than {MAX_ID} characters, which the id of a table"
                " may have. Give the entity a shorter name, and keep this one with `table:`."
            )
        for name in (entity.name, entity.table, *(field.name for field in entity.fields)):
            if _NAME.fullmatch(name) is None:
                raise SchemaInvalid(reason=f"`{name[:100]}` is not a name. Send what `freehold plan` sends.")
        for field in entity.fields:
            if field.is_column and _NAME.fullmatch(field.column) is None:
                raise SchemaInvalid(reason=f"`{field.column[:100]}` is not the name of a column.")
            if field.encrypted:
                raise SchemaInvalid(
                    reason=f"`{entity.name}.{field.name}` is encrypted. What a schema file makes is kept"
                    " in the open, so that a generated service can read it too."
                )
            target = field.type.target
            if target is not None and schema.entity(target) is None:
                raise SchemaInvalid(reason=f"`{entity.name}.{field.name}` points at no entity.")
    if schema.tenancy is not None and schema.entity(schema.tenancy.entity) is None:
        raise SchemaInvalid(reason="the tenancy names no entity.")
    if schema.tenancy is None and any(entity.tenant != "none" for entity in schema.entities):
        raise SchemaInvalid(reason="an entity has a tenant, but the schema says nothing of tenancy.")


def _hash(namespace: str, old: Schema, new: Schema, steps: Sequence[Step]) -> str:
    parts = [namespace.encode(), msgspec.json.encode(old), msgspec.json.encode(new)]
    parts += [step.sql.encode() for step in steps]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
