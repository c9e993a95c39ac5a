"""Endpoints of what has been done to databases, tables and rows. It can be asked for after they are gone."""

from __future__ import annotations

from freehold.services.audit import AUDIENCE_ERRORS, LogList, LogQuery, list_logs
from freehold.services.databases.vocabulary import LEGACY_SERVICE, renamed
from freehold.web.call import Call
from freehold.web.endpoint import Routes

routes = Routes("tablesDB", console=False, raises=AUDIENCE_ERRORS)


@routes.get("/v1/tablesdb/{databaseId}/logs", scope="databases.read", name="listLogs", reference=False)
async def list_database_logs(call: Call, database_id: str, query: LogQuery) -> LogList:
    """List what has been done to a database, by whom and from where. For keys and the console."""
    return await _logs(call, f"databases/{database_id}", query)


@routes.get(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/logs",
    scope=("tables.read", "collections.read"),
    reference=False,
)
async def list_table_logs(call: Call, database_id: str, table_id: str, query: LogQuery) -> LogList:
    """List what has been done to a table, its columns and its indexes. For keys and the console."""
    return await _logs(call, f"databases/{database_id}/tables/{table_id}", query)


@routes.get(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/rows/{rowId}/logs",
    scope=("rows.read", "documents.read"),
    reference=False,
)
async def list_row_logs(call: Call, database_id: str, table_id: str, row_id: str, query: LogQuery) -> LogList:
    """List what has been done to a row, by whom and from where. For keys and the console."""
    return await _logs(call, f"databases/{database_id}/tables/{table_id}/rows/{row_id}", query)


async def _logs(call: Call, resource: str, query: LogQuery) -> LogList:
    found = await list_logs(call, resource, query.queries)
    if call.endpoint.service == LEGACY_SERVICE:
        for log in found.logs:
            log.event = renamed(log.event)
    return found
