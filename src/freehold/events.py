"""The outbox: what has happened, written in the same transaction in which it happened."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from freehold.db.pool import Queries

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


async def record(db: Queries, event: Event) -> None:
    """Write an event down, to happen when the transaction does."""
    await db.run(_INSERT, event.project_id, event.name, event.payload, *event.cause)


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
                   to_jsonb(changed), ${at + 4}, ${at + 5}, ${at + 6}::jsonb
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
            select ${at + 1}, ${at + 2}, to_jsonb(changed), ${at + 3}, ${at + 4}, ${at + 5}::jsonb
            from changed
        )
        select * from changed
    """
