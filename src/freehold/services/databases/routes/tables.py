"""Endpoints of tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from freehold.access.permissions import TABLE_PERMISSIONS, InvalidPermission, parse
from freehold.db import listing
from freehold.db.listing import Listing, flag, moment, text
from freehold.db.pool import Record
from freehold.errors import InvalidParameter
from freehold.ids import new_id, resolve
from freehold.schema.model import API_LAYOUT, Entity
from freehold.services.databases import changes, column_types, relationships, store
from freehold.services.databases.column_types import ColumnType, Create
from freehold.services.databases.errors import (
    ColumnAlreadyExists,
    ColumnDefaultUnsupported,
    ColumnValueInvalid,
    DatabaseNotFound,
    IndexAlreadyExists,
    IndexDependency,
    IndexInvalid,
    IndexLimitExceeded,
    TableAlreadyExists,
    TableFollowsSchema,
    TableNotFound,
)
from freehold.services.databases.list_cache import lists_tag
from freehold.services.databases.models import Table, TableList
from freehold.services.databases.routes.columns import READ, column_models
from freehold.services.databases.routes.indexes import InlineIndex, index_model, must_be_free, new_index
from freehold.services.databases.tables import database_tag
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import (
    CustomId,
    Description,
    Input,
    Name,
    Object,
    Permissions,
    SearchQuery,
    wire_time,
)

routes = Routes("tablesDB", console=False)

WRITE = ("tables.write", "collections.write")

TABLES = Listing(
    columns="t.*",
    source="freehold.tables t",
    id="t.id",
    attributes={
        "name": text("t.name"),
        "enabled": flag("t.enabled"),
        "rowSecurity": flag("t.row_security"),
        "documentSecurity": flag("t.row_security"),
        "$id": text("t.id"),
        "$createdAt": moment("t.created_at"),
        "$updatedAt": moment("t.updated_at"),
    },
    search=("t.id", "t.name"),
    created_at="t.created_at",
)


class CreateTable(Input):
    table_id: CustomId
    name: Name
    description: Description = ""
    permissions: Permissions = []
    row_security: bool = False
    enabled: bool = True
    sql_events: bool = False
    """Whether what is written past this API, with SQL or by a service, is told as events."""
    columns: Annotated[list[Object], Meta(max_length=100)] = []
    indexes: Annotated[list[InlineIndex], Meta(max_length=100)] = []


class UpdateTable(Input):
    name: Name | None = None
    description: Description | None = None
    permissions: Permissions | None = None
    row_security: bool = False
    enabled: bool = True
    sql_events: bool | None = None
    """Whether what is written past this API is told as events. Without it that stays as it is."""
    purge: bool = False
    """Whether to forget the lists of its rows that callers let be kept."""


@routes.get("/v1/tablesdb/{databaseId}/tables", scope=READ[:2], raises=(DatabaseNotFound,))
async def list_tables(call: Call, database_id: str, query: SearchQuery) -> TableList:
    """List the tables of a database."""
    await _must_exist(call, database_id)
    found = await listing.fetch(
        call.db,
        TABLES,
        query.queries,
        where={"t.project_id = {}": call.project.id, "t.database_id = {}": database_id},
        search=query.search,
        total=query.total,
    )
    return TableList(total=found.total, tables=await _models(call, database_id, found.rows))


@routes.post(
    "/v1/tablesdb/{databaseId}/tables",
    scope=WRITE,
    event="databases.[databaseId].tables.[tableId].create",
    status=201,
    raises=(
        DatabaseNotFound,
        TableAlreadyExists,
        TableNotFound,
        TableFollowsSchema,
        ColumnAlreadyExists,
        ColumnDefaultUnsupported,
        ColumnValueInvalid,
        IndexAlreadyExists,
        IndexInvalid,
        IndexLimitExceeded,
    ),
)
async def create_table(call: Call, database_id: str, body: CreateTable) -> Table:
    """Create a table, with the columns, indexes and relationships that are given: all of it, or nothing."""
    database = await store.find_database(call.db, call.project.id, database_id)
    if database is None:
        raise DatabaseNotFound(id=database_id)
    table_id = resolve(body.table_id)
    if await store.find_table(call.db, call.project.id, database_id, table_id) is not None:
        raise TableAlreadyExists(id=table_id)
    related = [relationships.inline(each) for each in body.columns if _is_relationship(each)]
    columns = _read_columns([each for each in body.columns if not _is_relationship(each)])
    entity = Entity(
        id=new_id(),
        name=table_id,
        table=table_id,
        layout=API_LAYOUT,
        id_kind="text",
        description=body.description,
        sql_events=body.sql_events,
        fields=tuple(column_types.new_field(column_type, column) for column_type, column in columns),
    )
    for at, index in enumerate(body.indexes):
        must_be_free(index.key, [each.key for each in body.indexes[:at]])
        name = await changes.free_index_name(call.db, database["namespace"], entity.table, index.key)
        entity = msgspec.structs.replace(entity, indexes=(*entity.indexes, new_index(entity, index, name)))
    await store.create_table(
        call.db,
        call.project.id,
        database_id,
        table_id,
        name=body.name,
        description=body.description,
        enabled=body.enabled,
        row_security=body.row_security,
        permissions=_table_permissions(body.permissions),
        entity=entity,
    )
    await changes.create(call, database["namespace"], entity)
    for (column_type, _), field in zip(columns, entity.fields, strict=True):
        await store.create_column(
            call.db,
            call.project.id,
            database_id,
            table_id,
            key=field.name,
            type_=column_type.wire_type,
            format_=column_type.format,
            field_id=field.id,
        )
    for index in body.indexes:
        await store.create_index(
            call.db,
            call.project.id,
            database_id,
            table_id,
            key=index.key,
            type_=index.type,
            description=index.description,
            columns=index.columns,
            orders=index.spelled_orders(),
            lengths=index.lengths,
        )
    for asked in related:
        await relationships.create(call, database_id, table_id, asked)
    call.changed(database_tag(call.project.id, database_id))
    return await _model(call, database_id, table_id)


@routes.get(
    "/v1/tablesdb/{databaseId}/tables/{tableId}", scope=READ[:2], raises=(DatabaseNotFound, TableNotFound)
)
async def get_table(call: Call, database_id: str, table_id: str) -> Table:
    """Get a table, with its columns and indexes."""
    return await _model(call, database_id, table_id)


@routes.put(
    "/v1/tablesdb/{databaseId}/tables/{tableId}",
    scope=WRITE,
    event="databases.[databaseId].tables.[tableId].update",
    raises=(DatabaseNotFound, TableNotFound, TableFollowsSchema),
)
async def update_table(call: Call, database_id: str, table_id: str, body: UpdateTable) -> Table:
    """Rename a table, and say who may reach its rows. Permissions that are not given stay."""
    record, entity = await changes.locked(call, database_id, table_id)
    changed = entity
    if body.sql_events is not None:
        changed = msgspec.structs.replace(changed, sql_events=body.sql_events)
    follows_schema = changes.follows_schema(record, entity)
    if follows_schema and changed != entity:
        raise TableFollowsSchema(id=table_id)
    if body.description is not None and not follows_schema:
        changed = msgspec.structs.replace(changed, description=body.description)
    if changed != entity:
        await changes.change(call, record, entity, changed)
    await store.update_table(
        call.db,
        call.project.id,
        database_id,
        table_id,
        name=body.name,
        description=body.description,
        enabled=body.enabled,
        row_security=body.row_security,
        permissions=None if body.permissions is None else _table_permissions(body.permissions),
    )
    call.changed(database_tag(call.project.id, database_id))
    if body.purge:
        call.changed(lists_tag(call.project.id, database_id, table_id))
    return await _model(call, database_id, table_id)


@routes.delete(
    "/v1/tablesdb/{databaseId}/tables/{tableId}",
    scope=WRITE,
    event="databases.[databaseId].tables.[tableId].delete",
    status=204,
    raises=(DatabaseNotFound, TableNotFound, TableFollowsSchema, IndexDependency),
)
async def delete_table(call: Call, database_id: str, table_id: str) -> None:
    """Delete a table with all its rows, and the relationships that other tables have with it."""
    call.tells(await _model(call, database_id, table_id))
    await relationships.drop_table(call, database_id, table_id)
    call.changed(database_tag(call.project.id, database_id))


def _is_relationship(column: Object) -> bool:
    return column.get("type") == "relationship"


def _read_columns(columns: Sequence[dict[str, Any]]) -> list[tuple[ColumnType, Create]]:
    read = [column_types.inline(column) for column in columns]
    keys: set[str] = set()
    for _, column in read:
        if column.key.lower() in keys:
            raise ColumnAlreadyExists(key=column.key)
        keys.add(column.key.lower())
    return read


def _table_permissions(permissions: Sequence[str]) -> list[str]:
    try:
        return parse(permissions, TABLE_PERMISSIONS)
    except InvalidPermission as error:
        raise InvalidParameter(name="permissions", reason=str(error)) from error


async def _must_exist(call: Call, database_id: str) -> None:
    if await store.find_database(call.db, call.project.id, database_id) is None:
        raise DatabaseNotFound(id=database_id)


async def _model(call: Call, database_id: str, table_id: str) -> Table:
    record = await store.find_table(call.db, call.project.id, database_id, table_id)
    if record is None:
        await _must_exist(call, database_id)
        raise TableNotFound(id=table_id)
    return (await _models(call, database_id, [record]))[0]


async def _models(call: Call, database_id: str, records: Sequence[Record]) -> list[Table]:
    ids = [record["id"] for record in records]
    columns = await store.list_columns(call.db, call.project.id, database_id, ids)
    indexes = await store.list_indexes(call.db, call.project.id, database_id, ids)
    entities = [msgspec.json.decode(record["entity"], type=Entity) for record in records]
    return [
        Table(
            id=record["id"],
            created_at=wire_time(record["created_at"]),
            updated_at=wire_time(record["updated_at"]),
            permissions=record["permissions"],
            database_id=database_id,
            name=record["name"],
            description=record["description"],
            enabled=record["enabled"],
            row_security=record["row_security"],
            sql_events=entity.sql_events,
            columns=column_models(
                entity,
                [column for column in columns if column["table_id"] == record["id"]],
            ),
            indexes=[index_model(index) for index in indexes if index["table_id"] == record["id"]],
            bytes_max=0,  # PostgreSQL has no budget for the width of a row
            bytes_used=0,
        )
        for record, entity in zip(records, entities, strict=True)
    ]
