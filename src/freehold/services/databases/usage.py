"""How much a project's databases are used, and how large they are: now, and in the hours and days before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import asyncpg

from freehold.db.pool import Queries, Record
from freehold.errors import ResourceLocked
from freehold.jobs import Context, Job, Kind
from freehold.services.databases import usage_store as store
from freehold.web.wire import USAGE_PERIODS, UsageRange

KEPT = timedelta(days=92)
"""How long it is known what was: longer than the longest range."""
MEASURED_EVERY_S = 1500.0
"""Often enough that no hour goes by without a measurement."""

COUNTED_ROWS = 1_000_000
COUNTED_TABLES = 500
"""The smallest tables are counted row by row, until they have so many rows, or are so many."""


class Size(NamedTuple):
    """How large a table is, or what a database holds beside its tables."""

    database_id: str
    table_id: str
    """Empty for what belongs to no table."""
    rows: int
    """Of a large table, and of one whose rows PostgreSQL itself keeps apart by tenant, what PostgreSQL
    estimates: it follows the writes by some seconds."""
    bytes: int


class Period(NamedTuple):
    """An hour or a day: what was done in it, and what there was when it was last measured."""

    start: datetime
    reads: int
    writes: int
    databases: int
    tables: int
    rows: int
    bytes: int


async def measure(db: Queries, project_id: str, database_id: str = "", table_id: str = "") -> list[Size]:
    """How large the tables are: of a project, a database, or one alone. Raises ResourceLocked."""
    for _ in range(3):
        known = await store.sizes(db, project_id, database_id, table_id)
        counted = _countable(known)
        try:
            counts = await store.count_rows(db, [(each["namespace"], each["relation"]) for each in counted])
        except asyncpg.UndefinedTableError:
            continue  # one was deleted since we looked
        exact = {
            (each["database_id"], each["table_id"]): rows
            for each, rows in zip(counted, counts, strict=True)
        }  # fmt: skip
        return [
            Size(
                each["database_id"],
                each["table_id"],
                exact.get((each["database_id"], each["table_id"]), each["estimate"]),
                each["bytes"],
            )
            for each in known
        ]
    raise ResourceLocked()


def _countable(known: list[Record]) -> list[Record]:
    """The tables that are counted: the smallest, while that is soon done."""
    counted: list[Record] = []
    rows = 0
    for each in known:
        if not each["table_id"] or each["is_guarded"]:  # who looks at all tenants at once sees no rows
            continue
        rows += each["estimate"]
        if rows > COUNTED_ROWS or len(counted) == COUNTED_TABLES:
            break
        counted.append(each)
    return counted


async def periods(
    db: Queries,
    project_id: str,
    range_: UsageRange,
    database_id: str = "",
    table_id: str = "",
    *,
    since: datetime | None = None,
) -> list[Period]:
    """The hours or days of a range, the last of which is going on, and is measured now."""
    unit, number = USAGE_PERIODS[range_]
    known = [
        Period(*record)
        for record in await store.series(
            db, project_id, unit=unit, periods=number, database_id=database_id, table_id=table_id, since=since
        )
    ]
    now = await measure(db, project_id, database_id, table_id)
    known[-1] = known[-1]._replace(
        databases=len({each.database_id for each in now}),
        tables=sum(each.table_id != "" for each in now),
        rows=sum(each.rows for each in now),
        bytes=sum(each.bytes for each in now),
    )
    return known


async def keep_history(context: Context, job: Job) -> None:
    """Write down how large all tables are, and forget what has been known for long."""
    for project_id in await store.projects_with_databases(context.db):
        found = await measure(context.db, project_id)
        await store.keep_sizes(
            context.db,
            project_id,
            [each.database_id for each in found],
            [each.table_id for each in found],
            [each.rows for each in found],
            [each.bytes for each in found],
        )
    await store.forget(context.db, KEPT)


KINDS = (Kind("databases.measure", keep_history, every_s=MEASURED_EVERY_S),)
