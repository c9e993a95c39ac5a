"""How often tables are read and written: counted in memory, and settled in PostgreSQL by the hour.

Counting is one addition in a dictionary; no call waits for it. What a process has counted is settled a few
seconds later, so a process that is killed takes the calls of at most those seconds with it.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import asyncpg
import structlog

from freehold.db.pool import Queries
from freehold.errors import Unavailable

SETTLE_AFTER_S = 3.0

log = structlog.get_logger("freehold.usage")


class Use(NamedTuple):
    """One way of using a table."""

    project_id: str
    database_id: str
    table_id: str
    is_write: bool


class Uses:
    """What this process has counted and not settled yet."""

    def __init__(self, db: Queries) -> None:
        self._db = db
        self._counted: dict[Use, int] = {}
        self._settling: asyncio.Task[None] | None = None

    def count(self, use: Use, times: int = 1) -> None:
        """Count a call that has read or written rows of a table."""
        if use in self._counted:
            self._counted[use] += times
            return
        self._counted[use] = times
        if self._settling is None:
            self._settling = asyncio.create_task(self._settle_soon())

    async def settle(self) -> None:
        """Add what was counted here to what all processes have counted. What cannot be added is kept."""
        counted, self._counted = self._counted, {}
        if not counted:
            return
        try:
            await self._db.run(_SETTLE, *_columns(counted))
        except (OSError, Unavailable, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("usage_not_settled", error=type(error).__name__)
            for use, times in counted.items():
                self._counted[use] = self._counted.get(use, 0) + times

    async def _settle_soon(self) -> None:
        while True:
            await asyncio.sleep(SETTLE_AFTER_S)
            await self.settle()
            if not self._counted:
                self._settling = None
                return


def _columns(counted: dict[Use, int]) -> tuple[list[str], list[str], list[str], list[int], list[int]]:
    """What was counted, as the columns of the statement, a line for each table."""
    tables = dict.fromkeys(use[:3] for use in counted)
    return (
        [table[0] for table in tables],
        [table[1] for table in tables],
        [table[2] for table in tables],
        [counted.get(Use(*table, is_write=False), 0) for table in tables],
        [counted.get(Use(*table, is_write=True), 0) for table in tables],
    )


# In order, so that two processes that settle the same tables wait for each other rather than deadlock. Of a
# project that is gone nothing is kept.
_SETTLE = """
    insert into freehold.usage as u (project_id, database_id, table_id, hour, reads, writes)
    select p.id, c.database_id, c.table_id, date_trunc('hour', now(), 'UTC'), c.reads, c.writes
    from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
        as c (project_id, database_id, table_id, reads, writes)
    join freehold.projects p on p.id = c.project_id
    order by 1, 2, 3
    on conflict (project_id, hour, database_id, table_id)
        do update set reads = u.reads + excluded.reads, writes = u.writes + excluded.writes
"""
