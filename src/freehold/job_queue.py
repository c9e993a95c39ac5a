"""The queue of jobs as operators see it: how much waits, what was given up and why, and trying it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from freehold.db.pool import Queries
from freehold.jobs import CHANNEL

MOST_SHOWN = 1000


class Waiting(msgspec.Struct, frozen=True):
    """How many jobs of a kind there are in each state."""

    kind: str
    waiting: int
    due: int
    """Of those that wait, the ones whose time has come."""
    running: int
    dead: int
    late_s: float
    """How long the one that is due longest has waited since."""


class Dead(msgspec.Struct, frozen=True):
    """A job that was given up."""

    id: int
    kind: str
    project: str
    attempts: int
    error: str
    given_up: datetime


async def gauges(dsn: str) -> dict[str, tuple[str, float]]:
    """What a monitor should know of the queue; nothing when the database does not answer in time."""
    try:
        connection = await asyncpg.connect(dsn, timeout=2)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return {}
    try:
        row = await connection.fetchrow(_COUNTED, timeout=2)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return {}
    finally:
        connection.terminate()
    return {
        "freehold_jobs_due": ("Jobs whose time has come, and that no worker has taken yet.", row["due"]),
        "freehold_jobs_late_seconds": ("How long the one that is due longest has waited since.", row["late"]),
        "freehold_jobs_running": ("Jobs that a worker has taken.", row["running"]),
        "freehold_jobs_dead": ("Jobs that were given up; `freehold jobs dead` shows them.", row["dead"]),
        "freehold_webhook_deliveries_waiting": ("What webhooks are still to be told.", row["untold"]),
    }


_COUNTED = """
    select count(*) filter (where state = 'waiting' and run_at <= now()) as due,
           count(*) filter (where state = 'running') as running,
           count(*) filter (where state = 'dead') as dead,
           coalesce(extract(epoch from now() - min(run_at)
               filter (where state = 'waiting' and run_at <= now())), 0)::float8 as late,
           (select count(*) from freehold.webhook_deliveries where state = 'waiting') as untold
    from freehold.jobs
"""


async def waiting(db: Queries) -> list[Waiting]:
    """How many jobs there are of each kind."""
    rows = await db.rows(
        """
        select kind, count(*) filter (where state = 'waiting') as waiting,
               count(*) filter (where state = 'waiting' and run_at <= now()) as due,
               count(*) filter (where state = 'running') as running,
               count(*) filter (where state = 'dead') as dead,
               coalesce(extract(epoch from now() - min(run_at) filter
                   (where state = 'waiting' and run_at <= now())), 0)::float8 as late_s
        from freehold.jobs group by kind order by kind
        """
    )
    return [Waiting(**dict(row.items())) for row in rows]


async def dead(db: Queries, kind: str = "") -> list[Dead]:
    """What was given up, the latest first; at most MOST_SHOWN."""
    rows = await db.rows(
        """
        select id, kind, project_id as project, attempts, coalesce(error, '') as error,
               updated_at as given_up
        from freehold.jobs where state = 'dead' and ($1 = '' or kind = $1)
        order by updated_at desc, id desc limit $2
        """,
        kind,
        MOST_SHOWN,
    )
    return [Dead(**dict(row.items())) for row in rows]


async def retry(db: Queries, ids: Sequence[int], kind: str = "") -> list[int]:
    """Let what was given up be tried again, now: jobs by their ids, or all of a kind. Gives which ones.

    One whose like lives again, by its unique key, stays dead: it would be done twice.
    """
    rows: list[Any] = await db.rows(
        """
        with again as (
            update freehold.jobs j set state = 'waiting', attempts = 0, run_at = now(), updated_at = now()
            where j.id in (
                select distinct on (d.project_id, d.kind, coalesce(d.unique_key, d.id::text)) d.id
                from freehold.jobs d
                where d.state = 'dead' and (d.id = any($1) or d.kind = $2)
                  and not exists (
                    select from freehold.jobs alive where alive.state <> 'dead'
                    and alive.project_id = d.project_id and alive.kind = d.kind
                    and alive.unique_key = d.unique_key)
                order by d.project_id, d.kind, coalesce(d.unique_key, d.id::text), d.id desc
            )
            returning id
        ), told as (select pg_notify($3, '') from again limit 1)
        select id, (select count(*) from told) from again order by id
        """,
        list(ids),
        kind,
        CHANNEL,
    )
    return [row["id"] for row in rows]
