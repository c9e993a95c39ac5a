"""How much a project is asked: requests and bytes, by the hour."""

from __future__ import annotations

from freehold.db.pool import Queries, Record
from freehold.jobs import Context, Job, Kind

KEPT_DAYS = 92
"""Longer than the longest range that can be asked for."""


async def series(db: Queries, project_id: str, unit: str, periods: int) -> list[Record]:
    """The `requests` and `bytes` of each hour or day, from its `start` on; the last one is going on."""
    return await db.rows(
        """
        select p.start, coalesce(sum(t.requests), 0)::bigint as requests,
               coalesce(sum(t.bytes), 0)::bigint as bytes
        from generate_series(
            date_trunc($2, now(), 'UTC') - ($3 - 1) * ('1 ' || $2)::interval,
            date_trunc($2, now(), 'UTC'),
            ('1 ' || $2)::interval
        ) as p (start)
        left join freehold.traffic t
            on t.project_id = $1 and t.hour >= p.start and t.hour < p.start + ('1 ' || $2)::interval
        group by p.start
        order by p.start
        """,
        project_id, unit, periods,
    )  # fmt: skip


async def forget(context: Context, job: Job) -> None:
    """Forget what has been known for long."""
    await context.db.run(
        "delete from freehold.traffic where hour < now() - make_interval(days => $1)", KEPT_DAYS
    )


KINDS = (Kind("project.forget-traffic", forget, every_s=86400),)
