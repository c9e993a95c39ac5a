"""How much buckets hold: now, and in the hours and days before."""

from __future__ import annotations

from datetime import datetime

from freehold.db.ddl import text_literal
from freehold.db.pool import Queries, Record
from freehold.jobs import Context, Job, Kind
from freehold.web.wire import USAGE_PERIODS, UsageRange

KEPT_DAYS = 92
"""Longer than the longest range that can be asked for."""
MEASURED_EVERY_S = 1500.0
"""Often enough that no hour goes by without a measurement."""


async def periods(
    db: Queries, project_id: str, range_: UsageRange, bucket_id: str = "", *, since: datetime | None = None
) -> list[Record]:
    """The `buckets`, `files` and `bytes` of each hour or day, from its `start` on; the last one is now.

    What is older than `since` was of another bucket of the same id.
    """
    unit, number = USAGE_PERIODS[range_]
    step = text_literal(f"1 {unit}")
    return await db.rows(
        f"""
        with hours as (
            select hour, count(*) as buckets, sum(files)::bigint as files, sum(bytes)::bigint as bytes
            from freehold.bucket_sizes
            where project_id = $1 and ($3 = '' or bucket_id = $3)
                and hour >= date_trunc('{unit}', now(), 'UTC') - ($2 - 1) * interval {step}
                and ($4::timestamptz is null or hour >= date_trunc('hour', $4, 'UTC'))
            group by hour
        ),
        measured as (
            select distinct on (start) date_trunc('{unit}', hour, 'UTC') as start, buckets, files, bytes
            from hours
            where date_trunc('{unit}', hour, 'UTC') < date_trunc('{unit}', now(), 'UTC')
            order by start, hour desc
        ),
        held as (
            select date_trunc('{unit}', now(), 'UTC') as start, count(distinct b.id) as buckets,
                   count(f.id) as files, coalesce(sum(f.size), 0)::bigint as bytes
            from freehold.buckets b
            left join freehold.files f on f.project_id = b.project_id and f.bucket_id = b.id and f.whole
            where b.project_id = $1 and ($3 = '' or b.id = $3)
        )
        select p.start, coalesce(m.buckets, 0) as buckets, coalesce(m.files, 0) as files,
               coalesce(m.bytes, 0) as bytes
        from generate_series(
            date_trunc('{unit}', now(), 'UTC') - ($2 - 1) * interval {step},
            date_trunc('{unit}', now(), 'UTC'), {step}
        ) as p (start)
        left join (select * from measured union all select * from held) as m using (start)
        order by p.start
        """,
        project_id, number, bucket_id, since,
    )  # fmt: skip


async def keep_history(context: Context, job: Job) -> None:
    """Write down how much all buckets hold in this hour, and forget what has been known for long."""
    await context.db.run(
        """
        insert into freehold.bucket_sizes (project_id, hour, bucket_id, files, bytes)
        select b.project_id, date_trunc('hour', now(), 'UTC'), b.id, count(f.id), coalesce(sum(f.size), 0)
        from freehold.buckets b
        left join freehold.files f on f.project_id = b.project_id and f.bucket_id = b.id and f.whole
        group by b.project_id, b.id
        on conflict (project_id, hour, bucket_id)
            do update set files = excluded.files, bytes = excluded.bytes
        """
    )
    await context.db.run(
        "delete from freehold.bucket_sizes where hour < now() - make_interval(days => $1)", KEPT_DAYS
    )


KINDS = (Kind("storage.measure", keep_history, every_s=MEASURED_EVERY_S),)
