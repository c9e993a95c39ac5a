"""Endpoints of columns: one to create and one to update for each type in the table of types."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from freehold.db.pool import Record
from freehold.db.queries import of_keyed, page, parse
from freehold.errors import InvalidQuery
from freehold.schema.model import Entity, Field, IndexPart
from freehold.services.databases import changes, column_types, models, relationships, store
from freehold.services.databases.column_types import COLUMN_TYPES, ColumnType
from freehold.services.databases.errors import (
    ColumnAlreadyExists,
    ColumnDefaultUnsupported,
    ColumnLimitExceeded,
    ColumnNotFound,
    ColumnSpaceExceeded,
    ColumnTypeInvalid,
    ColumnValueInvalid,
    DatabaseNotFound,
    IndexDependency,
    IndexInvalid,
    TableFollowsSchema,
    TableNotFound,
)
from freehold.services.databases.models import ColumnList
from freehold.services.databases.relationships import RelationType, WireOnDelete
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import Description, Id, Input, ListQuery, wire_time

routes = Routes("tablesDB", console=False)

READ = ("tables.read", "collections.read", "columns.read", "attributes.read")
WRITE = ("tables.write", "collections.write", "columns.write", "attributes.write")

MAX_COLUMNS = 1017

_MISFITS = (
    DatabaseNotFound,
    TableNotFound,
    TableFollowsSchema,
    ColumnValueInvalid,
    ColumnDefaultUnsupported,
)


@routes.get(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/columns", scope=READ, raises=(DatabaseNotFound, TableNotFound)
)
async def list_columns(call: Call, database_id: str, table_id: str, query: ListQuery) -> ColumnList:
    """List the columns of a table, in the order in which they were made."""
    record = await changes.found(call, database_id, table_id)
    rows = await store.list_columns(call.db, call.project.id, database_id, [table_id])
    listed = column_models(msgspec.json.decode(record["entity"], type=Entity), rows)
    wanted = page(parse(query.queries))
    for each in wanted.filters:
        if each.method != "equal" or each.attribute not in ("key", "type", "required", "array"):
            raise InvalidQuery(reason="columns can be asked for by equal on key, type, required and array.")
        listed = [column for column in listed if getattr(column, each.attribute) in each.values]
    total = len(listed)
    return ColumnList(total=total if query.total else 0, columns=of_keyed(listed, wanted))


@routes.get(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/columns/{key}",
    scope=READ,
    model="column",
    raises=(DatabaseNotFound, TableNotFound, ColumnNotFound),
)
async def get_column(call: Call, database_id: str, table_id: str, key: str) -> models.AnyColumn:
    """Get a column."""
    record = await changes.found(call, database_id, table_id)
    rows = await store.list_columns(call.db, call.project.id, database_id, [table_id])
    for column in column_models(msgspec.json.decode(record["entity"], type=Entity), rows):
        if column.key == key:
            return column
    raise ColumnNotFound(key=key)


def _creator(column_type: ColumnType) -> Callable[..., Awaitable[Any]]:
    async def create(call: Call, database_id: str, table_id: str, body: Any) -> models.AnyColumn:
        record, entity = await changes.changeable(call, database_id, table_id)
        rows = await store.list_columns(call.db, call.project.id, database_id, [table_id])
        if column_types.is_taken(body.key, entity, rows):
            raise ColumnAlreadyExists(key=body.key)
        if len(entity.fields) >= MAX_COLUMNS:
            raise ColumnLimitExceeded(limit=MAX_COLUMNS)
        field = column_types.new_field(column_type, body, entity)
        if body.required and not await changes.is_empty(call, record, entity):
            field = msgspec.structs.replace(field, awaited=True)
        wider = msgspec.structs.replace(entity, fields=(*entity.fields, field))
        await changes.change(call, record, entity, wider)
        row = await store.create_column(
            call.db,
            call.project.id,
            database_id,
            table_id,
            key=field.name,
            type_=column_type.wire_type,
            format_=column_type.format,
            field_id=field.id,
        )
        call.event_ids["columnId"] = field.name
        return _model(field, row)

    create.__doc__ = f"Create a column of the type {column_type.path}. It can be used once this is answered."
    create.__annotations__ |= {"body": column_type.create, "return": column_type.model}
    return create


def _updater(column_type: ColumnType) -> Callable[..., Awaitable[Any]]:
    async def update(call: Call, database_id: str, table_id: str, key: str, body: Any) -> models.AnyColumn:
        record, entity = await changes.changeable(call, database_id, table_id)
        rows = await store.list_columns(call.db, call.project.id, database_id, [table_id])
        row = next((each for each in rows if each["key"] == key), None)
        if row is None:
            raise ColumnNotFound(key=key)
        column_types.must_be(column_type, key, row["type"], row["format"])
        new_key = body.new_key or key
        if new_key.lower() != key.lower() and column_types.is_taken(new_key, entity, rows):
            raise ColumnAlreadyExists(key=new_key)
        old = _field(entity, row)
        field = column_types.changed_field(column_type, entity, old, body)
        if old.awaited:
            missing = not field.nullable and await changes.without(call, record, entity, old)
            field = msgspec.structs.replace(field, awaited=bool(missing))
        if field.encrypted and column_types.is_shorter(field, old):
            await _must_be_unused(call, record, entity, old)
        await changes.change(call, record, entity, _with_field(entity, old, field))
        if new_key != key:
            await store.rename_in_indexes(
                call.db, call.project.id, database_id, table_id, old=key, new=new_key
            )
        row = await store.update_column(call.db, call.project.id, database_id, table_id, key, new_key=new_key)
        return _model(field, row)

    update.__doc__ = f"Change a column of the type {column_type.path}, with the rows that are there."
    update.__annotations__ |= {"body": column_type.update, "return": column_type.model}
    return update


async def _must_be_unused(call: Call, record: Record, entity: Entity, field: Field) -> None:
    """Refuse to narrow what cannot be measured. Raises ColumnValueInvalid."""
    if not await changes.is_unused(call, record, entity, field):
        raise ColumnValueInvalid(
            key=field.name,
            reason="rows have encrypted values, which cannot be measured. Its size can only grow",
        )


for _type in COLUMN_TYPES:
    routes.post(
        f"/v1/tablesdb/{{databaseId}}/tables/{{tableId}}/columns/{_type.path}",
        scope=WRITE,
        event="databases.[databaseId].tables.[tableId].columns.[columnId].create",
        status=202,
        name=f"create{_type.method}Column",
        raises=(*_MISFITS, ColumnAlreadyExists, ColumnLimitExceeded, ColumnSpaceExceeded),
    )(_creator(_type))
    routes.patch(
        f"/v1/tablesdb/{{databaseId}}/tables/{{tableId}}/columns/{_type.path}/{{key}}",
        scope=WRITE,
        event="databases.[databaseId].tables.[tableId].columns.[key].update",
        name=f"update{_type.method}Column",
        raises=(*_MISFITS, ColumnNotFound, ColumnAlreadyExists, ColumnTypeInvalid, IndexInvalid),
    )(_updater(_type))


class CreateRelationship(Input, kw_only=True):
    related_table_id: Id
    type: RelationType
    two_way: bool = False
    key: Id | None = None
    two_way_key: Id | None = None
    on_delete: WireOnDelete = "restrict"
    description: Description = ""


class UpdateRelationship(Input):
    on_delete: WireOnDelete | None = None
    new_key: Id | None = None
    description: Description | None = None


@routes.post(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/columns/relationship",
    scope=WRITE,
    event="databases.[databaseId].tables.[tableId].columns.[columnId].create",
    status=202,
    raises=(DatabaseNotFound, TableNotFound, TableFollowsSchema, ColumnAlreadyExists, ColumnValueInvalid),
)
async def create_relationship_column(
    call: Call, database_id: str, table_id: str, body: CreateRelationship
) -> models.ColumnRelationship:
    """Relate a table to another, or to itself. With `twoWay` the other has a column that leads back."""
    asked = relationships.Asked(
        related=body.related_table_id,
        type=body.type,
        two_way=body.two_way,
        key=body.key or "",
        two_way_key=body.two_way_key or "",
        on_delete=body.on_delete,
        description=body.description,
    )
    column = relationships.model(await relationships.create(call, database_id, table_id, asked))
    call.event_ids["columnId"] = column.key
    return column


@routes.patch(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/columns/{key}/relationship",
    scope=WRITE,
    event="databases.[databaseId].tables.[tableId].columns.[key].update",
    aliases=("/v1/tablesdb/{databaseId}/tables/{tableId}/columns/relationship/{key}",),
    raises=(
        DatabaseNotFound,
        TableNotFound,
        TableFollowsSchema,
        ColumnNotFound,
        ColumnAlreadyExists,
        ColumnTypeInvalid,
        ColumnValueInvalid,
    ),
)
async def update_relationship_column(
    call: Call, database_id: str, table_id: str, key: str, body: UpdateRelationship
) -> models.ColumnRelationship:
    """Change what becomes of rows when the row they are related to is deleted, and the column's key."""
    row = await relationships.update(
        call,
        database_id,
        table_id,
        key,
        on_delete=body.on_delete,
        new_key=body.new_key or key,
        description=body.description,
    )
    return relationships.model(row)


@routes.delete(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/columns/{key}",
    scope=WRITE,
    event="databases.[databaseId].tables.[tableId].columns.[key].update",
    status=204,
    raises=(DatabaseNotFound, TableNotFound, TableFollowsSchema, ColumnNotFound, IndexDependency),
)
async def delete_column(call: Call, database_id: str, table_id: str, key: str) -> None:
    """Delete a column with all its values and the indexes over it; a relationship on both sides."""
    row = await store.find_column(call.db, call.project.id, database_id, table_id, key)
    if row is not None and row["type"] == "relationship":
        call.tells(relationships.model(await relationships.delete(call, database_id, table_id, key)))
        return
    record, entity = await changes.changeable(call, database_id, table_id)
    row = await store.find_column(call.db, call.project.id, database_id, table_id, key)
    if row is None:
        raise ColumnNotFound(key=key)
    indexes = await store.list_indexes(call.db, call.project.id, database_id, [table_id])
    gone = [index["key"] for index in indexes if key in index["columns"]]
    field = _field(entity, row)
    narrower = msgspec.structs.replace(
        entity,
        fields=tuple(each for each in entity.fields if each is not field),
        indexes=tuple(each for each in entity.indexes if each.key not in gone),
    )
    await changes.change(call, record, entity, narrower)
    for index in gone:
        await store.delete_index(call.db, call.project.id, database_id, table_id, index)
    await store.delete_column(call.db, call.project.id, database_id, table_id, key)
    call.tells(_model(field, row))


def column_models(entity: Entity, rows: Sequence[Record]) -> list[models.AnyColumn]:
    """The columns of a table as the wire shows them."""
    return [
        relationships.model(row) if row["type"] == "relationship" else _model(_field(entity, row), row)
        for row in rows
    ]


def _field(entity: Entity, row: Record) -> Field:
    return next(field for field in entity.fields if field.id == row["field_id"])


def _model(field: Field, row: Record) -> models.AnyColumn:
    return column_types.model(
        field,
        key=row["key"],
        type_=row["type"],
        format_=row["format"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
    )


def _with_field(entity: Entity, old: Field, new: Field) -> Entity:
    """The entity with a field in place of another, and its indexes following a new name."""

    def follow(part: IndexPart) -> IndexPart:
        return msgspec.structs.replace(part, field=new.name) if part.field == old.name else part

    return msgspec.structs.replace(
        entity,
        fields=tuple(new if field is old else field for field in entity.fields),
        indexes=tuple(
            msgspec.structs.replace(index, parts=tuple(follow(part) for part in index.parts))
            for index in entity.indexes
        ),
    )
