"""Changes of tables: the difference of two schema models becomes DDL, in the transaction of the call."""

from __future__ import annotations

import asyncpg
import msgspec

from freehold.db import ddl
from freehold.db.pool import Queries, Record
from freehold.errors import NotFound
from freehold.schema import compare
from freehold.schema.model import Entity, Schema
from freehold.services.databases import store
from freehold.services.databases.errors import (
    ColumnValueInvalid,
    DatabaseNotFound,
    IndexInvalid,
    TableAlreadyExists,
    TableFollowsSchema,
    TableNotFound,
)
from freehold.services.databases.tables import database_tag
from freehold.web.call import Call


async def found(call: Call, database_id: str, table_id: str) -> Record:
    """A table as it is now. Raises DatabaseNotFound, TableNotFound."""
    record = await store.find_table(call.db, call.project.id, database_id, table_id)
    if record is None:
        raise await _missing(call, database_id, table_id)
    return record


async def locked(call: Call, database_id: str, table_id: str) -> tuple[Record, Entity]:
    """A table that is about to change, held against others. Raises DatabaseNotFound, TableNotFound."""
    record = await store.lock_table(call.db, call.project.id, database_id, table_id)
    if record is None:
        raise await _missing(call, database_id, table_id)
    return record, msgspec.json.decode(record["entity"], type=Entity)


async def _missing(call: Call, database_id: str, table_id: str) -> NotFound:
    if await store.find_database(call.db, call.project.id, database_id) is None:
        return DatabaseNotFound(id=database_id)
    return TableNotFound(id=table_id)


async def changeable(call: Call, database_id: str, table_id: str) -> tuple[Record, Entity]:
    """The same, of a table whose columns may be changed over the API. Raises TableFollowsSchema."""
    record, entity = await locked(call, database_id, table_id)
    if _schema_of(record).entity(entity.name) is not None:
        raise TableFollowsSchema(id=table_id)
    return record, entity


async def create(call: Call, namespace: str, entity: Entity) -> None:
    """Make the table of a new entity. Raises TableAlreadyExists."""
    try:
        await run(call.db, namespace, _NOTHING, msgspec.structs.replace(_NOTHING, entities=(entity,)))
    except asyncpg.DuplicateTableError as error:  # an index may be called so
        raise TableAlreadyExists(id=entity.name) from error


async def change(call: Call, record: Record, old: Entity, new: Entity) -> None:
    """Make a table what its entity has become, and remember it. All or nothing.

    Raises ColumnValueInvalid, IndexInvalid when the rows that are there forbid it.
    """
    before, after = (msgspec.structs.replace(_NOTHING, entities=(each,)) for each in (old, new))
    try:
        await run(call.db, record["namespace"], before, after)
    except (asyncpg.DuplicateTableError, asyncpg.DuplicateObjectError) as error:
        raise IndexInvalid(
            reason="PostgreSQL has something of that name already; choose another key"
        ) from error
    except asyncpg.UniqueViolationError as error:
        raise IndexInvalid(reason="rows that are there have the same values") from error
    except (asyncpg.NotNullViolationError, asyncpg.CheckViolationError) as error:
        key = error.column_name or ""
        raise ColumnValueInvalid(
            key=key, reason="rows that are there have values that it does not allow"
        ) from error
    except (asyncpg.ProgramLimitExceededError, asyncpg.InvalidTableDefinitionError) as error:
        raise IndexInvalid(reason=error.args[0]) from error
    await store.keep_entity(call.db, call.project.id, record["database_id"], record["id"], new)
    call.changed(database_tag(call.project.id, record["database_id"]))


async def drop(call: Call, record: Record, entity: Entity) -> None:
    """Drop the table of an entity."""
    await run(call.db, record["namespace"], msgspec.structs.replace(_NOTHING, entities=(entity,)), _NOTHING)


async def run(db: Queries, namespace: str, old: Schema, new: Schema) -> None:
    """Run the DDL that makes one schema's tables another's. Does not wait long for others to let go."""
    await db.script(ddl.timeouts_sql())
    for step in ddl.steps(compare(old, new), namespace=namespace):
        await db.script(step.sql)


async def create_namespace(db: Queries, project_id: str, database_id: str) -> str:
    """Make the PostgreSQL schema of a new database, named after the project and the database."""
    name = await free_namespace(db, f"{project_id}_{database_id}")
    await db.script(ddl.create_namespace(name).sql)
    return name


async def free_namespace(db: Queries, wanted: str) -> str:
    """A name for a PostgreSQL schema that nothing has yet: the wanted one, or that with a number.

    In a transaction nobody else is given it until that ends: several ids may want one name.
    """
    base = wanted.replace(".", "_").replace("-", "_")
    await db.run("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"namespace {base}")
    if base.startswith("pg_"):  # reserved for PostgreSQL itself
        base = f"p_{base}"
    for attempt in range(1, 1000):
        suffix = "" if attempt == 1 else f"_{attempt}"
        name = base[: 63 - len(suffix)] + suffix
        if not await store.namespace_is_taken(db, name):
            return name
    raise RuntimeError(f"no name is free for the database {wanted}")


async def drop_namespace(db: Queries, namespace: str) -> None:
    """Drop a database's PostgreSQL schema, with everything in it."""
    await db.script(f"drop schema if exists {ddl.quote(namespace)} cascade")


def _schema_of(record: Record) -> Schema:
    if record["schema"] is None:
        return _NOTHING
    return msgspec.json.decode(record["schema"], type=Schema)


_NOTHING = Schema(service="api")
