"""Endpoints of indexes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from freehold.db.pool import Record
from freehold.db.queries import of_keyed, page, parse
from freehold.errors import InvalidQuery
from freehold.schema.model import Entity, Index, IndexPart, Kind
from freehold.schema.tables import keyed_index_name
from freehold.services.databases import changes, store
from freehold.services.databases.errors import (
    DatabaseNotFound,
    IndexAlreadyExists,
    IndexInvalid,
    IndexLimitExceeded,
    IndexNotFound,
    TableFollowsSchema,
    TableNotFound,
)
from freehold.services.databases.models import ColumnIndex, ColumnIndexList
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import Description, Id, Input, ListQuery, wire_time

routes = Routes("tablesDB", console=False)

READ = ("tables.read", "collections.read", "indexes.read")
WRITE = ("tables.write", "collections.write", "indexes.write")

MAX_INDEXES = 64

IndexType = Literal["key", "unique", "fulltext", "spatial"]
Columns = Annotated[list[Annotated[str, Meta(max_length=36)]], Meta(min_length=1, max_length=100)]
Orders = Annotated[list[Literal["asc", "desc", "ASC", "DESC"] | None], Meta(max_length=100)]


class CreateIndex(Input, kw_only=True):
    key: Id
    type: IndexType
    columns: Columns
    orders: Orders = []
    description: Description = ""

    def spelled_orders(self) -> list[str]:
        """An order for each column; ascending where none is said."""
        said = [(order or "asc").lower() for order in self.orders[: len(self.columns)]]
        return said + ["asc"] * (len(self.columns) - len(said))


class InlineIndex(CreateIndex):
    """An index that is sent with its table. Tables are also sent with `attributes`, the older word."""

    columns: Columns = msgspec.field(default_factory=list)
    attributes: Columns = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        self.columns = self.columns or self.attributes


@routes.get(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/indexes", scope=READ, raises=(DatabaseNotFound, TableNotFound)
)
async def list_indexes(call: Call, database_id: str, table_id: str, query: ListQuery) -> ColumnIndexList:
    """List the indexes of a table, in the order in which they were made."""
    await changes.found(call, database_id, table_id)
    rows = await store.list_indexes(call.db, call.project.id, database_id, [table_id])
    wanted = page(parse(query.queries))
    if wanted.filters:
        raise InvalidQuery(reason="indexes cannot be filtered.")
    listed = of_keyed([index_model(row) for row in rows], wanted)
    return ColumnIndexList(total=len(rows) if query.total else 0, indexes=listed)


@routes.post(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/indexes",
    scope=WRITE,
    event="databases.[databaseId].tables.[tableId].indexes.[indexId].create",
    status=202,
    raises=(
        DatabaseNotFound,
        TableNotFound,
        TableFollowsSchema,
        IndexAlreadyExists,
        IndexInvalid,
        IndexLimitExceeded,
    ),
)
async def create_index(call: Call, database_id: str, table_id: str, body: CreateIndex) -> ColumnIndex:
    """Create an index over columns of a table. It can be used once this is answered."""
    record, entity = await changes.changeable(call, database_id, table_id)
    existing = await store.list_indexes(call.db, call.project.id, database_id, [table_id])
    must_be_free(body.key, [each["key"] for each in existing])
    index = new_index(entity, body)
    await changes.change(
        call, record, entity, msgspec.structs.replace(entity, indexes=(*entity.indexes, index))
    )
    row = await store.create_index(
        call.db,
        call.project.id,
        database_id,
        table_id,
        key=body.key,
        type_=body.type,
        description=body.description,
        columns=body.columns,
        orders=body.spelled_orders(),
    )
    call.event_ids["indexId"] = body.key
    return index_model(row)


@routes.get(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/indexes/{key}",
    scope=READ,
    raises=(DatabaseNotFound, TableNotFound, IndexNotFound),
)
async def get_index(call: Call, database_id: str, table_id: str, key: str) -> ColumnIndex:
    """Get an index."""
    await changes.found(call, database_id, table_id)
    for row in await store.list_indexes(call.db, call.project.id, database_id, [table_id]):
        if row["key"] == key:
            return index_model(row)
    raise IndexNotFound(key=key)


@routes.delete(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/indexes/{key}",
    scope=WRITE,
    event="databases.[databaseId].tables.[tableId].indexes.[key].update",
    status=204,
    raises=(DatabaseNotFound, TableNotFound, TableFollowsSchema, IndexNotFound),
)
async def delete_index(call: Call, database_id: str, table_id: str, key: str) -> None:
    """Delete an index. The rows stay as they are."""
    record, entity = await changes.changeable(call, database_id, table_id)
    rows = await store.list_indexes(call.db, call.project.id, database_id, [table_id])
    row = next((each for each in rows if each["key"] == key), None)
    if row is None:
        raise IndexNotFound(key=key)
    name = keyed_index_name(entity.table, key)
    rest = tuple(index for index in entity.indexes if index.name != name)
    await changes.change(call, record, entity, msgspec.structs.replace(entity, indexes=rest))
    await store.delete_index(call.db, call.project.id, database_id, table_id, key)
    call.tells(index_model(row))


def must_be_free(key: str, taken: Sequence[str]) -> None:
    """Refuse another index of a table. Raises IndexAlreadyExists, IndexLimitExceeded."""
    if key.lower() in {each.lower() for each in taken}:
        raise IndexAlreadyExists(key=key)
    if len(taken) >= MAX_INDEXES:
        raise IndexLimitExceeded(limit=MAX_INDEXES)


_SYSTEM = {"$id": "id", "$createdAt": "created_at", "$updatedAt": "updated_at", "$sequence": "sequence"}


def new_index(entity: Entity, body: CreateIndex) -> Index:
    """The index that was asked for. Raises IndexInvalid."""
    if body.type in ("fulltext", "spatial"):
        raise IndexInvalid(reason=f"{body.type} indexes are not offered by this server yet")
    if not body.columns:
        raise IndexInvalid(reason="it names no columns")
    if len(set(body.columns)) != len(body.columns):
        raise IndexInvalid(reason="it names a column twice")
    parts = []
    for name, order in zip(body.columns, body.spelled_orders(), strict=True):
        parts.append(IndexPart(field=_indexed(entity, name), descending=order == "desc"))
    return Index(
        parts=tuple(parts), unique=body.type == "unique", name=keyed_index_name(entity.table, body.key)
    )


def _indexed(entity: Entity, name: str) -> str:
    if name in _SYSTEM:
        column: str | None = getattr(entity.layout, _SYSTEM[name])
        if column is not None:
            return column
    for field in entity.columns:
        if field.wire_name == name:
            if field.type.kind in (Kind.JSON, Kind.POINT, Kind.LINE, Kind.POLYGON):
                raise IndexInvalid(reason=f"`{name}` is of a type that this index cannot hold")
            return field.name
    raise IndexInvalid(reason=f"`{name[:100]}` is not a column of this table")


def index_model(row: Record) -> ColumnIndex:
    """An index as the wire shows it."""
    return ColumnIndex(
        id=row["key"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        key=row["key"],
        type=row["type"],
        status="available",
        error="",
        description=row["description"],
        columns=row["columns"],
        lengths=row["lengths"],
        orders=row["orders"],
    )
