"""The outbox: what has happened, written in the same transaction in which it happened."""

from __future__ import annotations

from typing import NamedTuple

from freehold.db.pool import Queries


class Event(NamedTuple):
    """Something that happened to a resource, such as `teams.5f2.create`."""

    project_id: str
    name: str
    payload: bytes | None
    """The resource after it (before it, when it was deleted), as JSON; None when there is none."""
    actor: str
    request_id: str


INSERT = """
    insert into freehold.outbox (project_id, event, payload, actor, request_id)
    values ($1, $2, $3, $4, $5)
"""


async def record(db: Queries, event: Event) -> None:
    """Write an event down, to happen when the transaction does."""
    await db.run(INSERT, *event)


def recorded_each(
    sql: str,
    values: list[object],
    project_id: str,
    prefix: str,
    id_column: str,
    action: str,
    actor: str,
    request_id: str,
) -> str:
    """The same for a statement that returns many rows: each has an event of its own, named by its id."""
    at = len(values)
    values += (project_id, prefix, action, actor, request_id)
    return f"""
        with changed as ({sql}),
        event as (
            insert into freehold.outbox (project_id, event, payload, actor, request_id)
            select ${at + 1}, ${at + 2}::text || changed.{id_column}::text || ${at + 3}::text,
                   to_jsonb(changed), ${at + 4}, ${at + 5}
            from changed
        )
        select * from changed
    """


CHANNEL = "freehold_changed"


async def announce(db: Queries, tags: list[str]) -> None:
    """Tell the caches of other machines, when the transaction commits, that these tags have changed."""
    await db.run("select pg_notify($1, tag) from unnest($2::text[]) as tag", CHANNEL, tags)


def recorded(sql: str, values: list[object], project_id: str, name: str, actor: str, request_id: str) -> str:
    """Make a statement that returns rows write each of them to the outbox as well. Adds to `values`.

    The payload is the row as the table has it, by the names of its columns.
    """
    at = len(values)
    values += (project_id, name, actor, request_id)
    return f"""
        with changed as ({sql}),
        event as (
            insert into freehold.outbox (project_id, event, payload, actor, request_id)
            select ${at + 1}, ${at + 2}, to_jsonb(changed), ${at + 3}, ${at + 4} from changed
        )
        select * from changed
    """
