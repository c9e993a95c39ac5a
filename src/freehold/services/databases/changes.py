"""Changes of tables: the difference of two schema models becomes DDL, in the transaction of the call."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import asyncpg
import msgspec

from freehold.db import ddl
from freehold.db.pool import Queries, Record
from freehold.errors import NotFound
from freehold.schema import compare
from freehold.schema.model import API_LAYOUT, Entity, Field, Schema
from freehold.schema.table_names import keyed_index_name
from freehold.services.databases import obstacles, store
from freehold.services.databases.errors import (
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


async def changeable_together(
    call: Call, database_id: str, table_ids: Collection[str]
) -> tuple[Record, dict[str, Entity]]:
    """Several tables that are about to change; gives the record of the first. Raises as `changeable` does."""
    records = {
        record["id"]: record
        for record in await store.lock_tables(call.db, call.project.id, database_id, table_ids)
    }
    for table_id in table_ids:
        if table_id not in records:
            raise await _missing(call, database_id, table_id)
    entities = {id_: msgspec.json.decode(each["entity"], type=Entity) for id_, each in records.items()}
    first = records[next(iter(table_ids))]
    for id_, entity in entities.items():
        if _schema_of(first).entity(entity.name) is not None:
            raise TableFollowsSchema(id=id_)
    return first, entities


async def _missing(call: Call, database_id: str, table_id: str) -> NotFound:
    if await store.find_database(call.db, call.project.id, database_id) is None:
        return DatabaseNotFound(id=database_id)
    return TableNotFound(id=table_id)


async def changeable(call: Call, database_id: str, table_id: str) -> tuple[Record, Entity]:
    """The same, of a table whose columns may be changed over the API. Raises TableFollowsSchema."""
    record, entity = await locked(call, database_id, table_id)
    if follows_schema(record, entity):
        raise TableFollowsSchema(id=table_id)
    return record, entity


def follows_schema(record: Record, entity: Entity) -> bool:
    """Whether a table comes from a schema file, which then says what it is."""
    return _schema_of(record).entity(entity.name) is not None


async def create(call: Call, namespace: str, entity: Entity) -> None:
    """Make the table of a new entity. Raises TableAlreadyExists."""
    try:
        await run(call.db, namespace, *schemas([], [entity]))
    except asyncpg.DuplicateTableError as error:  # an index may be called so
        raise TableAlreadyExists(id=entity.name) from error


async def change(call: Call, record: Record, old: Entity, new: Entity) -> None:
    """Make a table what its entity has become, and remember it. All or nothing.

    Raises ColumnValueInvalid, IndexInvalid when the rows that are there forbid it.
    """
    await change_together(call, record, [(old, new)])


async def change_together(call: Call, record: Record, pairs: Sequence[tuple[Entity, Entity]]) -> None:
    """The same for several tables of a database, each as it was and as it has become."""
    before, after = schemas([old for old, _ in pairs], [new for _, new in pairs])
    await call.db.script("savepoint before_change")
    try:
        call.afterwards += await run(call.db, record["namespace"], before, after)
    except (asyncpg.DuplicateTableError, asyncpg.DuplicateObjectError) as error:
        raise IndexInvalid(
            reason="PostgreSQL has something of that name already; choose another key"
        ) from error
    except obstacles.REFUSALS as error:
        await call.db.script("rollback to savepoint before_change")
        raise await obstacles.told(call.db, record["namespace"], before, after, error) from error
    await keep(call, record, [new for _, new in pairs])


async def keep(call: Call, record: Record, news: Sequence[Entity]) -> None:
    """Remember what tables of a database have become."""
    for new in news:
        await store.keep_entity(call.db, call.project.id, record["database_id"], new.name, new)
    call.changed(database_tag(call.project.id, record["database_id"]))


async def drop(
    call: Call, record: Record, entity: Entity, others: Sequence[tuple[Entity, Entity]] = ()
) -> None:
    """Drop the table of an entity, and change the others that have referred to it."""
    olds, news = [old for old, _ in others], [new for _, new in others]
    await run(call.db, record["namespace"], *schemas([entity, *olds], news))
    for new in news:
        await store.keep_entity(call.db, call.project.id, record["database_id"], new.name, new)


async def run(db: Queries, namespace: str, old: Schema, new: Schema) -> list[str]:
    """Run the DDL that makes one schema's tables another's. Does not wait long for others to let go.

    Gives the statements that are to be run once that is committed.
    """
    await db.script(ddl.timeouts_sql())
    steps = ddl.steps(compare(old, new), namespace=namespace)
    for step in steps:
        if not step.afterwards:
            await db.script(step.sql)
    return [step.sql for step in steps if step.afterwards]


async def is_empty(call: Call, record: Record, entity: Entity) -> bool:
    """Whether a table has no rows; it gets none until the call's transaction ends."""
    relation = ddl.qualified(record["namespace"], entity.table)
    await call.db.script(f"{ddl.timeouts_sql()}; lock table {relation} in access exclusive mode")
    return not await call.db.value(f"select exists (select from {relation})")


async def without(call: Call, record: Record, entity: Entity, field: Field) -> bool:
    """Whether any row of a table has nothing in a column."""
    return await _is_there(call, record, entity, f"{ddl.quote(field.column)} is null")


async def is_unused(call: Call, record: Record, entity: Entity, field: Field) -> bool:
    """Whether no row of a table has a value in a column; none gets one until the call's transaction ends."""
    if await is_empty(call, record, entity):
        return True
    return not await _is_there(call, record, entity, f"{ddl.quote(field.column)} is not null")


async def _is_there(call: Call, record: Record, entity: Entity, condition: str) -> bool:
    relation = ddl.qualified(record["namespace"], entity.table)
    found: bool = await call.db.value(f"select exists (select from {relation} where {condition})")
    return found


async def free_index_name(db: Queries, namespace: str, table: str, key: str) -> str:
    """A name for an index that nothing in the namespace has: `books_by_year`, or that with a number.

    In a transaction nobody else is given it until that ends.
    """
    await db.run("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"relations {namespace}")
    for number in range(1, 1000):
        name = keyed_index_name(table, key, number)
        if not await db.value("select to_regclass($1) is not null", ddl.qualified(namespace, name)):
            return name
    raise RuntimeError(f"no name is free for the index {key} of {table}")


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


def schemas(olds: Sequence[Entity], news: Sequence[Entity]) -> tuple[Schema, Schema]:
    """Schemas of some tables before and after. Those that they refer to stand in both, as names alone."""
    present = {entity.name for entity in (*olds, *news)}
    targets = {field.type.target for entity in (*olds, *news) for field in entity.fields}
    referred = [
        Entity(id=f"@{name}", name=name, table=name, layout=API_LAYOUT, id_kind="text")
        for name in sorted(name for name in targets - present if name is not None)
    ]
    return (
        msgspec.structs.replace(_NOTHING, entities=(*olds, *referred)),
        msgspec.structs.replace(_NOTHING, entities=(*news, *referred)),
    )


_NOTHING = Schema(service="api")
