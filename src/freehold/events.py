"""The outbox: what has happened, written in the same transaction in which it happened."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import asyncpg
import msgspec
import structlog

from freehold.db.pool import Database, Queries, Record
from freehold.errors import Unavailable

_log = structlog.get_logger("freehold.events")

_LEGACY = {"tables": "collections", "columns": "attributes", "rows": "documents"}


def names(event: str) -> tuple[str, ...]:
    """All names under which an event can be asked for. The first is the one that is written down.

    `databases.a.tables.b.rows.c.create` is `databases.a.collections.b.documents.c.create` as well, and
    `tablesdb.a.tables.b.rows.c.create`.
    """
    service, *parts = event.split(".")
    if service != "databases":
        return (event,)
    # Names of kinds stand at every other place; what is between them are ids.
    legacy = [_LEGACY.get(part, part) if at % 2 else part for at, part in enumerate(parts)]
    return event, ".".join([service, *legacy]), ".".join(["tablesdb", *parts])


class Caller(msgspec.Struct, rename="camel"):
    """Who it was and where the call came from, as it was then."""

    name: str = ""
    email: str = ""
    mode: str = "default"
    ip: str = ""
    user_agent: str = ""
    sdk: str = ""
    """The SDK that was used, as it calls itself, in lower case; empty when it was none."""


class Cause(NamedTuple):
    """What an event came of."""

    actor: str
    request_id: str
    caller: bytes
    """A `Caller`, encoded."""


class Event(NamedTuple):
    """Something that happened to a resource, such as `teams.5f2.create`."""

    project_id: str
    name: str
    """As it is written down; see `names` for what else it is called."""
    payload: bytes | None
    """The resource after it (before it, when it was deleted), as JSON; None when there is none."""
    cause: Cause


_INSERT = """
    insert into freehold.outbox (project_id, event, payload, actor, request_id, caller)
    values ($1, $2, $3, $4, $5, $6)
"""

# What the console shows of a project that it is worked on in: columns, indexes, and what is moved in and out.
_OF_CONSOLE = re.compile(r"databases\..+\.(?:columns|indexes)\.|migrations\.")
# It is nothing that happened besides, so neither the audit log nor webhooks are to know of it.
_TELL_CONSOLE = """
    insert into freehold.outbox (project_id, event, payload, actor, request_id, caller, audited)
    values ('console', 'console.project.tell',
            jsonb_build_object('projectId', $1::text, 'event', $2::text, 'payload', $3::jsonb),
            $4, $5, $6, true)
"""


async def record(db: Queries, event: Event) -> None:
    """Write an event down, to happen when the transaction does; for the console too, if that shows it."""
    await db.run(_INSERT, event.project_id, event.name, event.payload, *event.cause)
    if _OF_CONSOLE.match(event.name):
        await db.run(_TELL_CONSOLE, event.project_id, event.name, event.payload, *event.cause)


def recorded_each(
    sql: str,
    values: list[object],
    project_id: str,
    prefix: str,
    id_column: str,
    action: str,
    cause: Cause,
    *,
    answer: str = "*",
    ahead: str = "",
) -> str:
    """The same for a statement that returns many rows: each has an event of its own, named by its id.

    `ahead` are common table expressions that the statement builds on.
    """
    at = len(values)
    values += (project_id, prefix, action, *cause)
    return f"""
        with {ahead} changed as ({sql}),
        event as (
            insert into freehold.outbox (project_id, event, payload, actor, request_id, caller)
            select ${at + 1}, ${at + 2}::text || changed.{id_column}::text || ${at + 3}::text,
                   to_jsonb(changed.*), ${at + 4}, ${at + 5}, ${at + 6}::jsonb
            from changed
        )
        select {answer} from changed
    """


CHANNEL = "freehold_changed"


async def announce(db: Queries, tags: list[str]) -> None:
    """Tell the caches of other machines, when the transaction commits, that these tags have changed."""
    await db.run("select pg_notify($1, tag) from unnest($2::text[]) as tag", CHANNEL, tags)


def recorded(sql: str, values: list[object], project_id: str, name: str, cause: Cause) -> str:
    """Make a statement that returns rows write each of them to the outbox as well. Adds to `values`.

    The payload is the row as the table has it, by the names of its columns.
    """
    at = len(values)
    values += (project_id, name, *cause)
    return f"""
        with changed as ({sql}),
        event as (
            insert into freehold.outbox (project_id, event, payload, actor, request_id, caller)
            select ${at + 1}, ${at + 2}, to_jsonb(changed.*), ${at + 3}, ${at + 4}, ${at + 5}::jsonb
            from changed
        )
        select * from changed
    """


# -- numbering ---------------------------------------------------------------------------------------------
# Ids are taken when a statement begins, and become visible when its transaction commits: a reader that
# follows ids misses what commits late. So events are numbered after their commits, by one at a time.

NUMBERED = "freehold_numbered"
"""The channel that tells which projects have new events."""
UNNUMBERED = "freehold_unnumbered"
"""The channel on which others than this program say that there are events to be numbered."""

_LOCK = 0x6576656E
_BATCH = 2000

_NUMBER = """
    with new as (
        select id, project_id, row_number() over (partition by project_id order by id) as place
        from (select id, project_id from freehold.outbox where sequence is null order by id limit $1) fresh
    ),
    counted as (select project_id, count(*) as events from new group by project_id),
    heads as (
        insert into freehold.event_heads as h (project_id, sequence)
        select project_id, events from counted order by project_id
        on conflict (project_id) do update set sequence = h.sequence + excluded.sequence
        returning project_id, sequence
    ),
    numbered as (
        update freehold.outbox o set sequence = heads.sequence - counted.events + new.place
        from new join counted using (project_id) join heads using (project_id)
        where o.id = new.id
    )
    select counted.events, pg_notify($2, project_id) from counted
"""


async def number(db: Database) -> None:
    """Number the events that have been committed, and tell who follows them."""
    numbered = _BATCH
    while numbered == _BATCH:
        async with db.transaction() as transaction:
            transaction.begin_with(f"select pg_advisory_xact_lock({_LOCK})")
            counted = await transaction.rows(_NUMBER, _BATCH, NUMBERED)
        numbered = sum(each["events"] for each in counted)


class Numbering:
    """Numbers what a process has written as soon as it has, while somebody follows events."""

    PAUSE_S = 0.005

    def __init__(self, db: Database, is_followed: Callable[[], bool]) -> None:
        self._db = db
        self._is_followed = is_followed
        self._task: asyncio.Task[None] | None = None
        self._again = False

    def soon(self) -> None:
        """Say that something was committed. Several commits within a few milliseconds are one run."""
        self._again = True
        if self._task is None and self._is_followed():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._again:
                self._again = False
                await number(self._db)
                await asyncio.sleep(self.PAUSE_S)
        except (Unavailable, asyncpg.PostgresError) as error:
            _log.warning("not_numbered", error=type(error).__name__)  # the worker's log does, within seconds
        finally:
            self._task = None

    async def stop(self) -> None:
        """End what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


# -- reading -----------------------------------------------------------------------------------------------

_READ = """
    select sequence, project_id, event, payload, created_at from freehold.outbox
    where project_id = $1 and sequence > $2 and sequence <= coalesce($3, sequence)
    order by sequence limit $4
"""


async def read(
    db: Queries, project_id: str, after: int, most: int, *, until: int | None = None
) -> list[Record]:
    """The events of a project behind a number, in their order."""
    return await db.rows(_READ, project_id, after, until, most)


def follow(records: Sequence[Record], after: int) -> bool:
    """Whether events that were read follow a number, and one another: none is too old to be left."""
    return not records or (records[0]["sequence"], records[-1]["sequence"]) == (
        after + 1,
        after + len(records),
    )


async def head(db: Queries, project_id: str) -> int:
    """The number of a project's last event; 0 when there was none."""
    return int(
        await db.value("select sequence from freehold.event_heads where project_id = $1", project_id) or 0
    )
