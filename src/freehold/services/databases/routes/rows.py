"""Endpoints of rows."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from freehold.errors import CursorNotFound, InvalidQuery, UserUnauthorized
from freehold.services.databases import rows, tables
from freehold.services.databases.errors import (
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


class GetRow(Input):
    queries: Queries = []


class ListRows(Input):
    queries: Queries = []
    total: bool = True


class CreateRow(Input):
    row_id: CustomId
    data: Object | UnsetType = UNSET
    permissions: Permissions | None = None


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
    table = await tables.find(call, database_id, table_id)
    return await rows.find(call, table, query.queries, counted=query.total)


@routes.post(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows",
    scope=WRITE,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].create",
    status=201,
    model=Row,
    raises=(RowInvalidStructure, RowMissingData, RowAlreadyExists, RowNotUnique, UserUnauthorized),
)
async def create_row(call: Call, database_id: str, table_id: str, body: CreateRow) -> Json:
    """Create a row."""
    if body.data is UNSET:
        raise RowMissingData()
    table = await tables.find(call, database_id, table_id)
    return await rows.create(call, table, body.row_id, body.data, body.permissions)


@routes.get(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/{rowId}",
    scope=READ,
    model=Row,
    raises=(RowNotFound,),
)
async def get_row(call: Call, database_id: str, table_id: str, row_id: str, query: GetRow) -> Json:
    """Get a row. One that the caller may not read is not found."""
    table = await tables.find(call, database_id, table_id)
    return await rows.get(call, table, row_id, query.queries)


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
    table = await tables.find(call, database_id, table_id)
    return await rows.update(call, table, row_id, body.data, body.permissions)


@routes.delete(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/{rowId}",
    scope=WRITE,
    emits="databases.[databaseId].tables.[tableId].rows.[rowId].delete",
    status=204,
    raises=(RowNotFound, RowUpdateConflict, RowDeleteRestricted, UserUnauthorized),
)
async def delete_row(call: Call, database_id: str, table_id: str, row_id: str) -> None:
    """Delete a row."""
    table = await tables.find(call, database_id, table_id)
    await rows.delete(call, table, row_id)
