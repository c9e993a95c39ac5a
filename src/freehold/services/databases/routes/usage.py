"""Endpoints of how much databases are used, and how large they are."""

from __future__ import annotations

from freehold.errors import ResourceLocked
from freehold.services.databases import store, usage
from freehold.services.databases.errors import DatabaseNotFound, TableNotFound
from freehold.services.databases.models import UsageDatabase, UsageDatabases, UsageTable
from freehold.services.databases.usage import Period
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import Input, Metric, UsageRange, wire_time

routes = Routes("tablesDB", console=False, raises=(ResourceLocked,))


class UsageQuery(Input):
    range: UsageRange = "30d"


@routes.get("/v1/tablesdb/usage", scope="databases.read", reference=False)
async def list_usage(call: Call, query: UsageQuery) -> UsageDatabases:
    """Tell how much all databases are used, and how large they are: hour by hour, or day by day."""
    await call.app.uses.settle()
    periods = await usage.periods(call.db, call.project.id, query.range)
    now = periods[-1]
    return UsageDatabases(
        range=query.range,
        databases_total=now.databases,
        collections_total=now.tables,
        tables_total=now.tables,
        documents_total=now.rows,
        rows_total=now.rows,
        storage_total=now.bytes,
        databases_reads_total=sum(each.reads for each in periods),
        databases_writes_total=sum(each.writes for each in periods),
        databases=_series(periods, "databases"),
        collections=_series(periods, "tables"),
        tables=_series(periods, "tables"),
        documents=_series(periods, "rows"),
        rows=_series(periods, "rows"),
        storage=_series(periods, "bytes"),
        databases_reads=_series(periods, "reads"),
        databases_writes=_series(periods, "writes"),
    )


@routes.get(
    "/v1/tablesdb/{databaseId}/usage", scope="databases.read", raises=(DatabaseNotFound,), reference=False
)
async def get_usage(call: Call, database_id: str, query: UsageQuery) -> UsageDatabase:
    """Tell how much a database is used, and how large it is: hour by hour, or day by day."""
    database = await store.find_database(call.db, call.project.id, database_id)
    if database is None:
        raise DatabaseNotFound(id=database_id)
    await call.app.uses.settle()
    periods = await usage.periods(
        call.db, call.project.id, query.range, database_id, since=database["created_at"]
    )
    now = periods[-1]
    return UsageDatabase(
        range=query.range,
        collections_total=now.tables,
        tables_total=now.tables,
        documents_total=now.rows,
        rows_total=now.rows,
        storage_total=now.bytes,
        database_reads_total=sum(each.reads for each in periods),
        database_writes_total=sum(each.writes for each in periods),
        collections=_series(periods, "tables"),
        tables=_series(periods, "tables"),
        documents=_series(periods, "rows"),
        rows=_series(periods, "rows"),
        storage=_series(periods, "bytes"),
        database_reads=_series(periods, "reads"),
        database_writes=_series(periods, "writes"),
    )


@routes.get(
    "/v1/tablesdb/{databaseId}/tables/{tableId}/usage",
    scope=("tables.read", "collections.read"),
    raises=(DatabaseNotFound, TableNotFound),
    reference=False,
)
async def get_table_usage(call: Call, database_id: str, table_id: str, query: UsageQuery) -> UsageTable:
    """Tell how many rows a table has and had: hour by hour, or day by day."""
    table = await store.find_table(call.db, call.project.id, database_id, table_id)
    if table is None:
        if await store.find_database(call.db, call.project.id, database_id) is None:
            raise DatabaseNotFound(id=database_id)
        raise TableNotFound(id=table_id)
    periods = await usage.periods(
        call.db, call.project.id, query.range, database_id, table_id, since=table["created_at"]
    )
    return UsageTable(range=query.range, rows_total=periods[-1].rows, rows=_series(periods, "rows"))


def _series(periods: list[Period], what: str) -> list[Metric]:
    return [Metric(value=getattr(each, what), date=wire_time(each.start)) for each in periods]
