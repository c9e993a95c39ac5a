"""SQL on how much databases are used, and how large they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from freehold.db.ddl import qualified, text_literal
from freehold.db.pool import Database, Queries, Record

_BATCH = 5000  # as the statement below has it


async def sizes(db: Queries, project_id: str, database_id: str = "", table_id: str = "") -> list[Record]:
    """What PostgreSQL knows of the sizes of a project's tables, the small ones first.

    A line with an empty `table_id` is a database's own: its `bytes` are those of what belongs to no table.
    """
    return await db.rows(
        """
        with relations as (
            select d.id as database_id, coalesce(t.id, '') as table_id, d.namespace, c.relname as relation,
                   coalesce(nullif(pg_stat_get_live_tuples(c.oid), 0), greatest(c.reltuples, 0))::bigint
                       as estimate,
                   coalesce(pg_total_relation_size(c.oid), 0) as bytes,
                   c.relforcerowsecurity as is_guarded
            from freehold.databases d
            left join pg_namespace n on n.nspname = d.namespace
            left join pg_class c on c.relnamespace = n.oid and c.relkind = 'r'
            left join freehold.tables t
                on t.project_id = d.project_id and t.database_id = d.id and t.entity ->> 'table' = c.relname
            where d.project_id = $1 and ($2 = '' or d.id = $2) and ($3 = '' or t.id = $3)
        )
        select database_id, table_id, namespace, relation, estimate, bytes::bigint, is_guarded
        from relations where table_id <> ''
        union all
        select database_id, '', namespace, '', 0,
               coalesce(sum(bytes) filter (where table_id = ''), 0)::bigint, false
        from relations where $3 = '' group by database_id, namespace
        order by estimate, database_id, table_id
        """,
        project_id, database_id, table_id,
    )  # fmt: skip


async def count_rows(db: Queries, tables: Sequence[tuple[str, str]]) -> list[int]:
    """How many rows some tables have, each given as schema and name."""
    counts = " union all ".join(
        f"select {at}, count(*) from {qualified(*table)}" for at, table in enumerate(tables)
    )
    return [record[1] for record in await db.rows(f"{counts} order by 1")] if tables else []


async def keep_sizes(
    db: Queries,
    project_id: str,
    database_ids: list[str],
    table_ids: list[str],
    rows: list[int],
    size_bytes: list[int],
) -> None:
    """Write down how large tables are in this hour."""
    await db.run(
        """
        insert into freehold.usage (project_id, database_id, table_id, hour, rows, bytes)
        select p.id, m.database_id, m.table_id, date_trunc('hour', now(), 'UTC'), m.rows, m.bytes
        from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[])
            as m (database_id, table_id, rows, bytes)
        join freehold.projects p on p.id = $1
        order by 2, 3
        on conflict (project_id, hour, database_id, table_id)
            do update set rows = excluded.rows, bytes = excluded.bytes
        """,
        project_id, database_ids, table_ids, rows, size_bytes,
    )  # fmt: skip


async def series(
    db: Queries,
    project_id: str,
    *,
    unit: str,
    periods: int,
    database_id: str,
    table_id: str,
    since: datetime | None,
) -> list[Record]:
    """So many hours or days, the last of which is this one, with what was done and what there was in each.

    What is older than `since` was of another database or table of the same id.
    """
    step = text_literal(f"1 {unit}")
    return await db.rows(
        f"""
        with hours as (
            select date_trunc('{unit}', hour, 'UTC') as period, hour,
                   sum(reads)::bigint as reads, sum(writes)::bigint as writes,
                   count(distinct database_id) filter (where bytes is not null) as databases,
                   count(*) filter (where bytes is not null and table_id <> '') as tables,
                   sum(rows)::bigint as rows, sum(bytes)::bigint as bytes
            from freehold.usage
            where project_id = $1 and ($3 = '' or database_id = $3) and ($4 = '' or table_id = $4)
                and hour >= date_trunc('{unit}', now(), 'UTC') - ($2 - 1) * interval {step}
                and ($5::timestamptz is null or hour >= date_trunc('hour', $5, 'UTC'))
            group by hour
        ),
        done as (
            select period, sum(reads)::bigint as reads, sum(writes)::bigint as writes
            from hours group by period
        ),
        measured as (
            select distinct on (period) period, databases, tables, rows, bytes
            from hours where bytes is not null order by period, hour desc
        )
        select p.period, coalesce(done.reads, 0) as reads, coalesce(done.writes, 0) as writes,
               coalesce(measured.databases, 0) as databases, coalesce(measured.tables, 0) as tables,
               coalesce(measured.rows, 0) as rows, coalesce(measured.bytes, 0) as bytes
        from generate_series(
            date_trunc('{unit}', now(), 'UTC') - ($2 - 1) * interval {step},
            date_trunc('{unit}', now(), 'UTC'), {step}
        ) as p (period)
        left join done using (period)
        left join measured using (period)
        order by p.period
        """,
        project_id, periods, database_id, table_id, since,
    )  # fmt: skip


async def projects_with_databases(db: Queries) -> list[str]:
    return [record[0] for record in await db.rows("select distinct project_id from freehold.databases")]


async def forget(db: Database, older_than: timedelta) -> None:
    """Delete what is old, in small transactions."""
    deleted = _BATCH
    while deleted == _BATCH:
        deleted = len(await db.rows(_FORGET, older_than))


_FORGET = """
    delete from freehold.usage where ctid = any(array(
        select ctid from freehold.usage where hour < now() - $1::interval limit 5000
    )) returning 1
"""
