"""Endpoints of indexes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from freehold.db.pool import Record
from freehold.db.queries import of_keyed, page, parse
from freehold.errors import InvalidQuery
from freehold.schema.model import PLACES, Entity, Index, IndexMethod, IndexPart, Kind
from freehold.services.databases import changes, index_builds, store
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


Lengths = Annotated[list[Annotated[int, Meta(ge=0)] | None], Meta(max_length=100)]
"""How much of each text an index has to tell apart. Kept and answered: PostgreSQL's indexes hold whole
values, which find the same rows."""


class CreateIndex(Input, kw_only=True):
    key: Id
    type: IndexType
    columns: Columns
    orders: Orders = []
    lengths: Lengths = []
    description: Description = ""

    def spelled_orders(self) -> list[str]:
        """An order for each column; ascending where none is said. Places have none."""
        if self.type == "spatial":
            return []
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
    index = new_index(
        entity, body, await changes.free_index_name(call.db, record["namespace"], entity.table, body.key)
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
        lengths=body.lengths,
    )
    wider = msgspec.structs.replace(entity, indexes=(*entity.indexes, index))
    await index_builds.build(call, record, entity, wider)
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
    rest = tuple(index for index in entity.indexes if index.key != key)
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


def new_index(entity: Entity, body: CreateIndex, name: str) -> Index:
    """The index that was asked for, under its name in PostgreSQL. Raises IndexInvalid."""
    if not body.columns:
        raise IndexInvalid(reason="it names no columns")
    if len(set(body.columns)) != len(body.columns):
        raise IndexInvalid(reason="it names a column twice")
    if body.type == "spatial":
        return _spatial_index(entity, body, name)
    parts = []
    for column, order in zip(body.columns, body.spelled_orders(), strict=True):
        parts.append(IndexPart(field=_indexed(entity, column), descending=order == "desc"))
    _must_have_length(entity, body)
    method: IndexMethod = "key"
    if body.type == "fulltext":
        method = "fulltext"
        _must_be_text(entity, body.columns)
    return Index(
        parts=tuple(parts),
        unique=body.type == "unique",
        name=name,
        key=body.key,
        method=method,
    )


def _spatial_index(entity: Entity, body: CreateIndex, name: str) -> Index:
    if len(body.columns) != 1:
        raise IndexInvalid(reason="a spatial index is of one column; make one for each")
    if any(order is not None for order in body.orders):
        raise IndexInvalid(reason="places have no order, so a spatial index takes no `orders`")
    field = next((each for each in entity.columns if entity.wire_name(each) == body.columns[0]), None)
    if field is None:
        raise IndexInvalid(reason=f"`{body.columns[0]}` is not a column of places of this table")
    if field.type.kind not in PLACES:
        raise IndexInvalid(reason=f"`{body.columns[0]}` is not of points, lines or polygons")
    return Index(parts=(IndexPart(field=field.name),), name=name, key=body.key, method="spatial")


MAX_ARRAY_LENGTH = 255


def _must_have_length(entity: Entity, body: CreateIndex) -> None:
    if len(body.lengths) > len(body.columns):
        raise IndexInvalid(reason="it has more lengths than columns")
    fields = {entity.wire_name(field): field for field in entity.columns}
    for name, length in zip(body.columns, body.lengths, strict=False):
        if not length:
            continue
        field = fields.get(name)
        if field is not None and field.type.array:
            if length > MAX_ARRAY_LENGTH:
                raise IndexInvalid(
                    reason=f"the length of `{name}`, which is an array, is {MAX_ARRAY_LENGTH} at most"
                )
            continue
        if field is None or field.type.kind not in _WORDY:
            raise IndexInvalid(reason=f"`{name}` is not of text, which alone has a length")
        most = field.type.length
        if most is not None and length > most:
            raise IndexInvalid(reason=f"the length of `{name}` is {most} at most, as that of the column")
        if body.type == "unique" and (most is None or length < most):
            raise IndexInvalid(
                reason=f"rows whose `{name}` differs after {length} characters would be refused as the same; "
                "leave the length out, or give the beginning a column of its own"
            )


_WORDY = frozenset((Kind.STRING, Kind.TEXT, Kind.ENUM, Kind.EMAIL, Kind.URL))


def _must_be_text(entity: Entity, names: Sequence[str]) -> None:
    for name in names:
        field = next((each for each in entity.columns if each.wire_name == name), None)
        if field is None or field.type.kind not in _WORDY or field.type.array:
            raise IndexInvalid(reason=f"`{name}` is not of text, which alone has words")


def _indexed(entity: Entity, name: str) -> str:
    if name in _SYSTEM:
        column: str | None = getattr(entity.layout, _SYSTEM[name])
        if column is not None:
            return column
    for field in entity.columns:
        if entity.wire_name(field) == name:
            if field.encrypted:
                raise IndexInvalid(reason=f"`{name}` is encrypted, so no index can hold it")
            if field.type.kind in PLACES:
                raise IndexInvalid(reason=f"`{name}` is of places, which only a `spatial` index holds")
            if field.type.kind is Kind.JSON:
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
