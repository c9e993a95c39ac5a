"""Endpoints of rows."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from freehold.db.queries import MAX_BODY_CHARACTERS, MAX_QUERIES
from freehold.errors import CursorNotFound, InvalidParameter, InvalidQuery, UserUnauthorized
from freehold.services.databases import bulk, deletions, nested_rows, rows, tables, transactions
from freehold.services.databases.deletions import TooManyDeleted
from freehold.services.databases.errors import (
    ColumnBoundExceeded,
    ColumnNotFound,
    ColumnTypeInvalid,
    DatabaseNotFound,
    NoTenant,
    RelationshipInBulk,
    RowAlreadyExists,
    RowDeleteRestricted,
    RowInvalidStructure,
    RowMissingData,
    RowMissingPayload,
    RowNotFound,
    RowNotUnique,
    RowUpdateConflict,
    TableNotFound,
    TransactionConflict,
    TransactionExpired,
    TransactionLimitExceeded,
    TransactionNotFound,
    TransactionNotReady,
)
from freehold.services.databases.models import Row, RowList
from freehold.services.databases.operations import (
    ColumnAddition,
    ColumnSubtraction,
    FittingRowsDelete,
    FittingRowsUpdate,
    OneOfThem,
    RowCreate,
    RowDecrement,
    RowDelete,
    RowIncrement,
    Rows,
    RowsCreate,
    RowsDelete,
    RowsUpdate,
    RowsUpsert,
    RowUpdate,
    RowUpsert,
)
from freehold.services.databases.relations import TooManyRelated
from freehold.services.databases.written_rows import RelationshipInvalid
from freehold.web.call import Call
from freehold.web.endpoint import Routes, Several, limit
from freehold.web.wire import CustomId, Id, Input, Json, Object, Permissions, Query

routes = Routes(
    "tablesDB",
    console=False,
    raises=(
        DatabaseNotFound,
        TableNotFound,
        NoTenant,
        TransactionNotFound,
        TransactionNotReady,
        TransactionExpired,
        TransactionConflict,
        TransactionLimitExceeded,
    ),
)

COUNTED_BY = "url:{url},method:{method},ip:{ip},userId:{userId}"
WRITES = limit("120/60s", key=COUNTED_BY)
DELETES = limit("60/60s", key=COUNTED_BY)
"""How often clients may write rows. Keys are not limited."""

READ = ("rows.read", "documents.read")
WRITE = ("rows.write", "documents.write")

Queries = Annotated[list[Query], Meta(max_length=100)]
LongQueries = Annotated[
    list[Annotated[str, Meta(max_length=MAX_BODY_CHARACTERS)]], Meta(max_length=MAX_QUERIES)
]

ROW_PROBLEMS = (
    DatabaseNotFound,
    TableNotFound,
    NoTenant,
    RowNotFound,
    RowInvalidStructure,
    RowMissingPayload,
    RowAlreadyExists,
    RowNotUnique,
    RowUpdateConflict,
    RowDeleteRestricted,
    ColumnNotFound,
    ColumnTypeInvalid,
    ColumnBoundExceeded,
    InvalidQuery,
    UserUnauthorized,
)
"""What changes of rows may raise, whichever they are."""


class Staging(Input):
    """The base of what can be asked within a transaction."""

    transaction_id: Id | None = None


class GetRow(Staging):
    queries: Queries = []


Ttl = Annotated[int, Meta(ge=0, le=86_400, description="How many seconds old the answer may be")]


class ListRows(Staging):
    queries: Queries = []
    total: bool = True
    ttl: Ttl = 0


class QueryRows(Staging):
    queries: LongQueries = []
    total: bool = True
    ttl: Ttl = 0


class CreateRow(Staging):
    row_id: CustomId | UnsetType = UNSET
    rows: Rows | None = None
    data: Object | UnsetType = UNSET
    permissions: Permissions | None = None


class UpsertRow(Staging):
    data: Object | None = None
    permissions: Permissions | None = None


class UpsertRows(Staging, kw_only=True):
    rows: Rows


class UpdateRows(Staging):
    data: Object = {}
    queries: Queries = []


class DeleteRows(Staging):
    queries: Queries = []


class DeleteRow(Staging):
    pass


class IncrementColumn(Staging):
    value: int | float = 1
    max: int | float | None = None


class DecrementColumn(Staging):
    value: int | float = 1
    min: int | float | None = None


class UpdateRow(Staging):
    data: Object | None = None
    permissions: Permissions | None = None


@routes.get(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows",
    scope=READ,
    model=RowList,
    raises=(InvalidQuery, CursorNotFound, TooManyRelated, UserUnauthorized),
)
async def list_rows(call: Call, database_id: str, table_id: str, query: ListRows) -> Json:
    """List the rows that the caller may read, filtered, ordered and paged by queries."""

    def act(table: tables.Table) -> Awaitable[Json]:
        return rows.find(call, table, query.queries, counted=query.total, ttl_s=query.ttl)

    if query.transaction_id is not None:
        return await transactions.read(call, query.transaction_id, database_id, table_id, act)
    return await tables.using(call, database_id, table_id, act)


@routes.post(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows",
    scope=WRITE,
    limit=WRITES,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].create",
    status=201,
    model=Row,
    several=Several("createRows", ("rows", "transactionId"), RowList),
    raises=(
        RowInvalidStructure,
        RowMissingData,
        RowAlreadyExists,
        RowNotUnique,
        RelationshipInvalid,
        UserUnauthorized,
    ),
)
async def create_row(call: Call, database_id: str, table_id: str, body: CreateRow) -> Json:
    """Create a row; or, for keys, as many as `rows` has, all or none."""
    many, row_id, data = body.rows, body.row_id, body.data
    if many is not None:
        call.model = "rowList"
        for name, said in (("rowId", row_id), ("data", data), ("permissions", body.permissions or UNSET)):
            if said is not UNSET:
                raise InvalidParameter(name=name, reason="Each of `rows` has its own.")
        if body.transaction_id is not None:
            several = RowsCreate(database_id=database_id, table_id=table_id, data=many)
            return await _staged(call, body.transaction_id, several)
        return await tables.using(
            call, database_id, table_id, lambda table: nested_rows.create_many(call, table, many)
        )
    if row_id is UNSET:
        raise InvalidParameter(name="rowId", reason="It is required.")
    if data is UNSET:
        raise RowMissingData()
    if body.transaction_id is not None:
        given = _with(data, body.permissions)
        create = RowCreate(database_id=database_id, table_id=table_id, row_id=row_id, data=given)
        return await _staged(call, body.transaction_id, create)
    return await tables.using(
        call,
        database_id,
        table_id,
        lambda table: nested_rows.create(call, table, row_id, data, body.permissions),
    )


@routes.post(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/query",
    scope=READ,
    model=RowList,
    raises=(InvalidQuery, CursorNotFound, TooManyRelated, UserUnauthorized),
    reference=False,
)
async def create_query(call: Call, database_id: str, table_id: str, body: QueryRows) -> Json:
    """List rows as the list of rows does, by queries that may be longer than a URL."""

    def act(table: tables.Table) -> Awaitable[Json]:
        return rows.find(
            call, table, body.queries, counted=body.total, ttl_s=body.ttl, most=MAX_BODY_CHARACTERS
        )

    if body.transaction_id is not None:
        return await transactions.read(call, body.transaction_id, database_id, table_id, act)
    return await tables.using(call, database_id, table_id, act)


@routes.put(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows",
    scope=WRITE,
    limit=WRITES,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].upsert",
    status=201,
    model=RowList,
    raises=(RelationshipInvalid, RowAlreadyExists, RowInvalidStructure, RowNotUnique, UserUnauthorized),
)
async def upsert_rows(call: Call, database_id: str, table_id: str, body: UpsertRows) -> Json:
    """Change or create rows, all or none. For keys."""
    if body.transaction_id is not None:
        upsert = RowsUpsert(database_id=database_id, table_id=table_id, data=body.rows)
        return await _staged(call, body.transaction_id, upsert)
    return await tables.using(
        call, database_id, table_id, lambda table: nested_rows.upsert_many(call, table, body.rows)
    )


@routes.patch(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows",
    scope=WRITE,
    limit=WRITES,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].update",
    model=RowList,
    raises=(
        InvalidQuery,
        RelationshipInBulk,
        RowInvalidStructure,
        RowMissingPayload,
        RowNotUnique,
        UserUnauthorized,
    ),
)
async def update_rows(call: Call, database_id: str, table_id: str, body: UpdateRows) -> Json:
    """Change all rows that fit the queries, all or none. For keys."""
    if body.transaction_id is not None:
        said = FittingRowsUpdate(data=body.data, queries=body.queries)
        update = RowsUpdate(database_id=database_id, table_id=table_id, data=said)
        return await _staged(call, body.transaction_id, update)
    return await tables.using(
        call,
        database_id,
        table_id,
        lambda table: bulk.update(call, table, body.data, bulk.fitting(body.queries)),
    )


@routes.delete(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows",
    scope=WRITE,
    limit=DELETES,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].delete",
    model=RowList,
    raises=(InvalidQuery, RowDeleteRestricted, TooManyDeleted, UserUnauthorized),
)
async def delete_rows(call: Call, database_id: str, table_id: str, body: DeleteRows) -> Json:
    """Delete all rows that fit the queries, all or none. For keys."""
    if body.transaction_id is not None:
        said = FittingRowsDelete(queries=body.queries)
        delete = RowsDelete(database_id=database_id, table_id=table_id, data=said)
        return await _staged(call, body.transaction_id, delete)
    return await tables.using(
        call,
        database_id,
        table_id,
        lambda table: deletions.delete_fitting(call, table, bulk.fitting(body.queries)),
    )


@routes.get(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/{rowId}",
    scope=READ,
    model=Row,
    raises=(InvalidQuery, RowNotFound, TooManyRelated, UserUnauthorized),
)
async def get_row(call: Call, database_id: str, table_id: str, row_id: str, query: GetRow) -> Json:
    """Get a row. One that the caller may not read is not found."""

    def act(table: tables.Table) -> Awaitable[Json]:
        return rows.get(call, table, row_id, query.queries)

    if query.transaction_id is not None:
        return await transactions.read(call, query.transaction_id, database_id, table_id, act)
    return await tables.using(call, database_id, table_id, act)


@routes.patch(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/{rowId}",
    scope=WRITE,
    limit=WRITES,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].update",
    model=Row,
    raises=(
        RelationshipInvalid,
        RowNotFound,
        RowInvalidStructure,
        RowMissingPayload,
        RowNotUnique,
        RowUpdateConflict,
        UserUnauthorized,
    ),
)
async def update_row(call: Call, database_id: str, table_id: str, row_id: str, body: UpdateRow) -> Json:
    """Change some of a row's values, its permissions, or both."""
    if body.transaction_id is not None:
        if body.data is None and body.permissions is None:
            raise RowMissingPayload()
        given = _with(body.data or {}, body.permissions)
        update = RowUpdate(database_id=database_id, table_id=table_id, row_id=row_id, data=given)
        return await _staged(call, body.transaction_id, update)
    return await tables.using(
        call,
        database_id,
        table_id,
        lambda table: nested_rows.update(call, table, row_id, body.data, body.permissions),
    )


@routes.delete(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/{rowId}",
    scope=WRITE,
    limit=DELETES,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].delete",
    status=204,
    raises=(RowNotFound, RowUpdateConflict, RowDeleteRestricted, TooManyDeleted, UserUnauthorized),
)
async def delete_row(call: Call, database_id: str, table_id: str, row_id: str, body: DeleteRow) -> None:
    """Delete a row."""
    if body.transaction_id is not None:
        delete = RowDelete(database_id=database_id, table_id=table_id, row_id=row_id)
        await transactions.stage(call, body.transaction_id, delete)
        return
    await tables.using(call, database_id, table_id, lambda table: deletions.delete(call, table, row_id))


@routes.put(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/{rowId}",
    scope=WRITE,
    limit=WRITES,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].upsert",
    status=201,
    model=Row,
    raises=(
        RelationshipInvalid,
        RowNotFound,
        RowInvalidStructure,
        RowMissingData,
        RowAlreadyExists,
        RowNotUnique,
        RowUpdateConflict,
        UserUnauthorized,
    ),
)
async def upsert_row(call: Call, database_id: str, table_id: str, row_id: str, body: UpsertRow) -> Json:
    """Change a row, or create it when there is none."""
    if body.data is None and body.permissions is None:
        raise RowMissingData()
    data = body.data or {}
    if body.transaction_id is not None:
        given = _with(data, body.permissions)
        upsert = RowUpsert(database_id=database_id, table_id=table_id, row_id=row_id, data=given)
        return await _staged(call, body.transaction_id, upsert)
    return await tables.using(
        call,
        database_id,
        table_id,
        lambda table: nested_rows.upsert(call, table, row_id, data, body.permissions),
    )


COUNTING = (
    ColumnNotFound,
    ColumnTypeInvalid,
    ColumnBoundExceeded,
    RowNotFound,
    RowInvalidStructure,
    RowUpdateConflict,
    UserUnauthorized,
)


@routes.patch(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/{rowId}/{column}/increment",
    scope=WRITE,
    limit=WRITES,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].update",
    model=Row,
    raises=COUNTING,
)
async def increment_row_column(
    call: Call, database_id: str, table_id: str, row_id: str, column: str, body: IncrementColumn
) -> Json:
    """Add to a number of a row, at most up to `max`."""
    if body.transaction_id is not None:
        by = ColumnAddition(column=column, value=body.value, max=body.max)
        increment = RowIncrement(database_id=database_id, table_id=table_id, row_id=row_id, data=by)
        return await _staged(call, body.transaction_id, increment)
    return await tables.using(
        call,
        database_id,
        table_id,
        lambda table: rows.increment(call, table, row_id, column, body.value, body.max),
    )


@routes.patch(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/{rowId}/{column}/decrement",
    scope=WRITE,
    limit=WRITES,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].update",
    model=Row,
    raises=COUNTING,
)
async def decrement_row_column(
    call: Call, database_id: str, table_id: str, row_id: str, column: str, body: DecrementColumn
) -> Json:
    """Take from a number of a row, at most down to `min`."""
    if body.transaction_id is not None:
        by = ColumnSubtraction(column=column, value=body.value, min=body.min)
        decrement = RowDecrement(database_id=database_id, table_id=table_id, row_id=row_id, data=by)
        return await _staged(call, body.transaction_id, decrement)
    return await tables.using(
        call,
        database_id,
        table_id,
        lambda table: rows.increment(call, table, row_id, column, -body.value, body.min),
    )


def _with(data: Object, permissions: Permissions | None) -> Object:
    """A row's data with its permissions, as operations say them."""
    nested_rows.must_be_named_well(data)
    return data | {"$permissions": permissions}


async def _staged(call: Call, transaction_id: str, operation: OneOfThem) -> Json:
    answer = await transactions.stage(call, transaction_id, operation)
    assert answer is not None
    return answer
