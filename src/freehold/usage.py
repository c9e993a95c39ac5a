"""How often tables are read and written, how much projects are asked, how often they are pinged: counted in
memory, and settled in PostgreSQL.

Counting is one addition in a dictionary; no call waits for it. What a process has counted is settled a few
seconds later, so a process that is killed takes the calls of at most those seconds with it.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any, Generic, NamedTuple, TypeVar

import asyncpg
import structlog

from freehold.db.pool import Queries
from freehold.errors import Unavailable

SETTLE_AFTER_S = 3.0
_MOST_SDKS = 1000

log = structlog.get_logger("freehold.usage")

Counted = TypeVar("Counted")


class Used(NamedTuple):
    """A table that is used."""

    project_id: str
    database_id: str
    table_id: str


class _Counter(ABC, Generic[Counted]):
    """What this process has counted and not settled yet."""

    def __init__(self, db: Queries) -> None:
        self._db = db
        self._counted: dict[Counted, list[int]] = {}
        self._settling: asyncio.Task[None] | None = None

    @abstractmethod
    def _statement(self, counted: dict[Counted, list[int]]) -> tuple[str, tuple[list[Any], ...]]:
        """What adds to that which all processes have counted."""

    def _add(self, what: Counted, first: int, second: int) -> None:
        line = self._counted.get(what)
        if line is not None:
            line[0] += first
            line[1] += second
            return
        self._counted[what] = [first, second]
        if self._settling is None:
            self._settling = asyncio.create_task(self._settle_soon())

    async def settle(self) -> None:
        """Add what was counted here to what all processes have counted. What cannot be added is kept."""
        counted, self._counted = self._counted, {}
        if not counted:
            return
        sql, values = self._statement(counted)
        try:
            await self._db.run(sql, *values)
        except (OSError, Unavailable, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("usage_not_settled", error=type(error).__name__)
            for what, (first, second) in counted.items():
                self._add(what, first, second)

    async def _settle_soon(self) -> None:
        while True:
            await asyncio.sleep(SETTLE_AFTER_S)
            await self.settle()
            if not self._counted:
                self._settling = None
                return


class Uses(_Counter[Used]):
    """Calls that have read or written rows of a table."""

    def count(self, table: Used, *, is_write: bool, times: int = 1) -> None:
        """Count a call, or as many."""
        self._add(table, 0 if is_write else times, times if is_write else 0)

    def _statement(self, counted: dict[Used, list[int]]) -> tuple[str, tuple[list[Any], ...]]:
        return _SETTLE_USES, (
            [used.project_id for used in counted],
            [used.database_id for used in counted],
            [used.table_id for used in counted],
            [reads for reads, _ in counted.values()],
            [writes for _, writes in counted.values()],
        )


class Pinged(NamedTuple):
    """A project that was reached, by what, and with which SDK."""

    project_id: str
    user_type: str
    sdk: str


class Pings(_Counter[Pinged]):
    """How often applications have asked whether they reach their project."""

    def count(self, pinged: Pinged) -> None:
        """Count a ping."""
        if len(self._counted) >= _MOST_SDKS and pinged not in self._counted:
            pinged = pinged._replace(sdk="")  # callers say what they want
        self._add(pinged, 1, 0)

    def _statement(self, counted: dict[Pinged, list[int]]) -> tuple[str, tuple[list[Any], ...]]:
        return _SETTLE_PINGS, (
            [pinged.project_id for pinged in counted],
            [pinged.user_type for pinged in counted],
            [pinged.sdk for pinged in counted],
            [times for times, _ in counted.values()],
        )


class Traffic(_Counter[str]):
    """Requests of projects, and the bytes that came and went with them."""

    def count(self, project_id: str, size: int) -> None:
        """Count a request, with the bytes of its body and of the answer's."""
        self._add(project_id, 1, size)

    def _statement(self, counted: dict[str, list[int]]) -> tuple[str, tuple[list[Any], ...]]:
        return _SETTLE_TRAFFIC, (
            list(counted),
            [requests for requests, _ in counted.values()],
            [size for _, size in counted.values()],
        )


# In order, so that two processes that settle the same lines wait for each other rather than deadlock. Of a
# project that is gone nothing is kept.
_SETTLE_USES = """
    insert into freehold.usage as u (project_id, database_id, table_id, hour, reads, writes)
    select p.id, c.database_id, c.table_id, date_trunc('hour', now(), 'UTC'), c.reads, c.writes
    from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
        as c (project_id, database_id, table_id, reads, writes)
    join freehold.projects p on p.id = c.project_id
    order by 1, 2, 3
    on conflict (project_id, hour, database_id, table_id)
        do update set reads = u.reads + excluded.reads, writes = u.writes + excluded.writes
"""
_SETTLE_PINGS = """
    with counted as (
        select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
            as c (project_id, user_type, sdk, times)
    ),
    held as (
        select p.id from freehold.projects p
        where p.id in (select project_id from counted) and p.id <> 'console'
        order by p.id for no key update
    ),
    first_ping as (
        insert into freehold.stages as s (project_id, id, completed_at, completed_by, sdk)
        select distinct on (held.id) held.id, 'ping', now(), c.user_type, c.sdk
        from held join counted c on c.project_id = held.id order by held.id, c.sdk desc
        on conflict (project_id, id) do update
            set completed_at = excluded.completed_at, completed_by = excluded.completed_by, sdk = excluded.sdk
            where s.completed_at is null
    )
    update freehold.projects p set ping_count = p.ping_count + c.times, pinged_at = now()
    from held, lateral (select sum(times)::bigint as times from counted where project_id = held.id) c
    where p.id = held.id
"""
_SETTLE_TRAFFIC = """
    insert into freehold.traffic as t (project_id, hour, requests, bytes)
    select p.id, date_trunc('hour', now(), 'UTC'), c.requests, c.bytes
    from unnest($1::text[], $2::bigint[], $3::bigint[]) as c (project_id, requests, bytes)
    join freehold.projects p on p.id = c.project_id
    order by 1
    on conflict (project_id, hour)
        do update set requests = t.requests + excluded.requests, bytes = t.bytes + excluded.bytes
"""
