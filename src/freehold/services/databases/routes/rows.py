"""Endpoints of rows."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from freehold.errors import CursorNotFound, InvalidParameter, InvalidQuery, UserUnauthorized
from freehold.services.databases import bulk, rows, tables
from freehold.services.databases.errors import (
    ColumnBoundExceeded,
    ColumnNotFound,
    ColumnTypeInvalid,
    DatabaseNotFound,
    NoTenant,
    RowAlreadyExists,
    RowDeleteRestricted,
    RowInvalidStructure,
    RowMissingData,
    RowMissingPayload,
    RowNotFound,
    RowNotUnique,
    RowUpdateConflict,
    TableNotFound,
)
from freehold.services.databases.models import Row, RowList
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import CustomId, Input, Json, Object, Permissions, Query

routes = Routes("tablesDB", console=False, raises=(DatabaseNotFound, TableNotFound, NoTenant))

READ = ("rows.read", "documents.read")
WRITE = ("rows.write", "documents.write")

Queries = Annotated[list[Query], Meta(max_length=100)]
Rows = Annotated[list[Object], Meta(min_length=1, max_length=bulk.MAX_ROWS)]


class GetRow(Input):
    queries: Queries = []


class ListRows(Input):
    queries: Queries = []
    total: bool = True


class CreateRow(Input):
    row_id: CustomId | UnsetType = UNSET
    rows: Rows | None = None
    data: Object | UnsetType = UNSET
    permissions: Permissions | None = None


class UpsertRow(Input):
    data: Object | UnsetType = UNSET
    permissions: Permissions | None = None


class UpsertRows(Input):
    rows: Rows


class UpdateRows(Input):
    data: Object = {}
    queries: Queries = []


class DeleteRows(Input):
    queries: Queries = []


class IncrementColumn(Input):
    value: int | float = 1
    max: int | float | None = None


class DecrementColumn(Input):
    value: int | float = 1
    min: int | float | None = None


class UpdateRow(Input):
    data: Object | None = None
    permissions: Permissions | None = None


@routes.get(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows",
    scope=READ,
    model=RowList,
    raises=(InvalidQuery, CursorNotFound, UserUnauthorized),
)
async def list_rows(call: Call, database_id: str, table_id: str, query: ListRows) -> Json:
    """List the rows that the caller may read, filtered, ordered and paged by queries."""
    return await tables.using(
        call, database_id, table_id, lambda table: rows.find(call, table, query.queries, counted=query.total)
    )


@routes.post(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows",
    scope=WRITE,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].create",
    status=201,
    model=Row,
    raises=(RowInvalidStructure, RowMissingData, RowAlreadyExists, RowNotUnique, UserUnauthorized),
)
async def create_row(call: Call, database_id: str, table_id: str, body: CreateRow) -> Json:
    """Create a row; or, for keys, as many as `rows` has, all or none."""
    many, row_id, data = body.rows, body.row_id, body.data
    if many is not None:
        call.model = "rowList"
        return await tables.using(call, database_id, table_id, lambda table: bulk.create(call, table, many))
    if row_id is UNSET:
        raise InvalidParameter(name="rowId", reason="It is required.")
    if data is UNSET:
        raise RowMissingData()
    return await tables.using(
        call,
        database_id,
        table_id,
        lambda table: rows.create(call, table, row_id, data, body.permissions),
    )


@routes.put(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows",
    scope=WRITE,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].upsert",
    status=201,
    model=RowList,
    raises=(RowInvalidStructure, RowNotUnique, UserUnauthorized),
)
async def upsert_rows(call: Call, database_id: str, table_id: str, body: UpsertRows) -> Json:
    """Change or create rows, all or none. For keys."""
    return await tables.using(call, database_id, table_id, lambda table: bulk.upsert(call, table, body.rows))


@routes.patch(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows",
    scope=WRITE,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].update",
    model=RowList,
    raises=(InvalidQuery, RowInvalidStructure, RowMissingPayload, RowNotUnique, UserUnauthorized),
)
async def update_rows(call: Call, database_id: str, table_id: str, body: UpdateRows) -> Json:
    """Change all rows that fit the queries, all or none. For keys."""
    return await tables.using(
        call, database_id, table_id, lambda table: bulk.update(call, table, body.data, body.queries)
    )


@routes.delete(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows",
    scope=WRITE,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].delete",
    model=RowList,
    raises=(InvalidQuery, RowDeleteRestricted, UserUnauthorized),
)
async def delete_rows(call: Call, database_id: str, table_id: str, body: DeleteRows) -> Json:
    """Delete all rows that fit the queries, all or none. For keys."""
    return await tables.using(
        call, database_id, table_id, lambda table: bulk.delete(call, table, body.queries)
    )


@routes.get(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/{rowId}",
    scope=READ,
    model=Row,
    raises=(RowNotFound,),
)
async def get_row(call: Call, database_id: str, table_id: str, row_id: str, query: GetRow) -> Json:
    """Get a row. One that the caller may not read is not found."""
    return await tables.using(
        call, database_id, table_id, lambda table: rows.get(call, table, row_id, query.queries)
    )


@routes.patch(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/{rowId}",
    scope=WRITE,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].update",
    model=Row,
    raises=(
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
    return await tables.using(
        call,
        database_id,
        table_id,
        lambda table: rows.update(call, table, row_id, body.data, body.permissions),
    )


@routes.delete(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/{rowId}",
    scope=WRITE,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].delete",
    status=204,
    raises=(RowNotFound, RowUpdateConflict, RowDeleteRestricted, UserUnauthorized),
)
async def delete_row(call: Call, database_id: str, table_id: str, row_id: str) -> None:
    """Delete a row."""
    await tables.using(call, database_id, table_id, lambda table: rows.delete(call, table, row_id))


@routes.put(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/{rowId}",
    scope=WRITE,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].upsert",
    status=201,
    model=Row,
    raises=(
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
    data = body.data
    if data is UNSET:
        raise RowMissingData()
    return await tables.using(
        call,
        database_id,
        table_id,
        lambda table: rows.upsert(call, table, row_id, data, body.permissions),
    )


COUNTING = (
    ColumnNotFound,
    ColumnTypeInvalid,
    ColumnBoundExceeded,
    RowNotFound,
    RowInvalidStructure,
    UserUnauthorized,
)


@routes.patch(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/{rowId}/{column}/increment",
    scope=WRITE,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].update",
    model=Row,
    raises=COUNTING,
)
async def increment_row_column(
    call: Call, database_id: str, table_id: str, row_id: str, column: str, body: IncrementColumn
) -> Json:
    """Add to a number of a row, at most up to `max`."""
    return await tables.using(
        call,
        database_id,
        table_id,
        lambda table: rows.increment(call, table, row_id, column, body.value, body.max),
    )


@routes.patch(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/{rowId}/{column}/decrement",
    scope=WRITE,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].update",
    model=Row,
    raises=COUNTING,
)
async def decrement_row_column(
    call: Call, database_id: str, table_id: str, row_id: str, column: str, body: DecrementColumn
) -> Json:
    """Take from a number of a row, at most down to `min`."""
    return await tables.using(
        call,
        database_id,
        table_id,
        lambda table: rows.increment(call, table, row_id, column, -body.value, body.min),
    )
