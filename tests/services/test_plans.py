"""How PostgreSQL finds the rows of a list among 100,000: by an index, and without looking at many others."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

import asyncpg
import pytest
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from freehold.db.queries import page, parse
from freehold.db.rows import RowTable, Scope
from freehold.services.databases import store
from freehold.services.databases.tables import Table
from freehold.services.databases.vocabulary import TABLES
from tests.platform import Platform, Project

ROWS = 100_000
GUEST = ['read("any")', 'read("guests")']
JANE = ['read("any")', 'read("users")', 'read("user:u77")', 'read("member:m1")']


class Crowd(NamedTuple):
    url: str
    rows: RowTable
    project: Project


@pytest.fixture(scope="module")
def crowd(platform: Platform) -> Crowd:
    """A table of 100,000 rows. Everybody may read a third of them, each of 500 users a few."""
    project = platform.new_project()
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    integer = {"type": "integer", "required": False}
    tables.create_table(
        "db",
        "t",
        "T",
        row_security=True,
        columns=[
            {"key": "a", **integer},
            {"key": "b", **integer},
            {"key": "c", **integer},
            {"key": "title", "type": "varchar", "size": 100, "required": False},
            {"key": "tags", "type": "varchar", "size": 20, "required": False, "array": True},
        ],
        indexes=[
            {"key": "by_a", "type": "key", "columns": ["a"]},
            {"key": "by_b", "type": "key", "columns": ["b"]},
            {"key": "by_c_a", "type": "key", "columns": ["c", "a"], "orders": ["asc", "desc"]},
            {"key": "words", "type": "fulltext", "columns": ["title"]},
            {"key": "by_tag", "type": "key", "columns": ["tags"]},
        ],
    )
    return asyncio.run(
        _filled(
            platform,
            project,
            "a, b, c, title, tags",
            """
            case when n % 10 = 0 then null else n * 7919 % 1000 end, n * 31 % 5000, n % 100,
                'common ' || 'word' || n % 1000, array['tag' || n % 50, 'even' || n % 2]
            """,
        )
    )


async def _filled(platform: Platform, project: Project, columns: str, values: str) -> Crowd:
    connection = await asyncpg.connect(platform.database_url)
    try:
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=bytes.decode, decoder=str.encode
        )
        record = await store.find_table(_Alone(connection), project.id, "db", "t")  # type: ignore[arg-type]
        assert record is not None
        rows = Table(record, TABLES, "").rows
        layout = rows.layout
        await connection.execute(
            f"""
            insert into {rows.relation} ({layout.id}, {layout.permissions}, {columns})
            select 'r' || n,
                case when n % 3 = 0 then array['read("any")']
                    else array['read("user:u' || n % 500 || '")', 'update("user:u' || n % 500 || '")'] end,
                {values}
            from generate_series(1, {ROWS}) n
            """
        )
        await connection.execute(f"analyze {rows.relation}")
    finally:
        await connection.close()
    return Crowd(platform.database_url, rows, project)


class _Alone(NamedTuple):
    """One connection, asked as the platform's pool is."""

    connection: Any

    async def row(self, sql: str, *values: Any) -> Any:
        return await self.connection.fetchrow(sql, *values)


def found(
    crowd: Crowd, asks: list[str] | None, *queries: str, only_counted: bool = False
) -> tuple[set[str], int]:
    """The kinds of steps by which a list is found, and how many rows are looked at."""

    async def explain() -> Any:
        wanted = page(parse(queries))
        if only_counted:
            statement = crowd.rows.count(wanted, Scope(asks=asks))
        else:
            statement = crowd.rows.find(
                wanted, Scope(asks=asks), crowd.rows.shape, cursor=wanted.cursor, counted=False
            )
        connection = await asyncpg.connect(crowd.url)
        try:
            explained = f"explain (analyze, format json) {statement.sql}"
            return json.loads(await connection.fetchval(explained, *statement.values))[0]["Plan"]
        finally:
            await connection.close()

    kinds: set[str] = set()
    looked_at = 0
    pending = [asyncio.run(explain())]
    while pending:
        step = pending.pop()
        kinds.add(step["Node Type"])
        pending += step.get("Plans", [])
        if "Scan" in step["Node Type"] and "Relation Name" in step:
            each = sum(
                step.get(key, 0)
                for key in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
            )
            looked_at += int(each * step["Actual Loops"])
    return kinds, looked_at


LISTS: dict[str, tuple[list[str], int]] = {
    "first page": ([], 100),
    "last page": ([Query.order_desc("$sequence")], 100),
    "indexed value": ([Query.equal("a", 77)], 150),
    "indexed value, in an order": ([Query.equal("a", 77), Query.order_desc("$sequence")], 150),
    "several values": ([Query.equal("a", [77, 78, 79]), Query.order_asc("a")], 400),
    "range": ([Query.greater_than("b", 4000), Query.order_asc("b")], 100),
    "between": ([Query.between("a", 10, 20), Query.order_desc("a")], 100),
    "no value": ([Query.is_null("a"), Query.order_asc("a")], 100),
    "order": ([Query.order_asc("b")], 100),
    "order down": ([Query.order_desc("a")], 100),
    "order of two": ([Query.order_asc("c"), Query.order_desc("a")], 100),
    "after a cursor": ([Query.order_asc("b"), Query.cursor_after("r1000")], 120),
    "before a cursor": ([Query.order_asc("b"), Query.cursor_before("r1001")], 120),
    "after, with rows without a value": ([Query.order_asc("a"), Query.cursor_after("r1001")], 220),
    "before, with rows without a value": ([Query.order_desc("a"), Query.cursor_before("r1001")], 220),
    "after, filtered": (
        [Query.equal("c", 1), Query.order_desc("a"), Query.cursor_after("r1001")],
        250,
    ),
    "after, both ways": (
        [Query.order_asc("c"), Query.order_desc("a"), Query.cursor_after("r1001")],
        400,
    ),
    "search of a rare word": ([Query.search("title", '"word77"')], 500),
    "search of a common word": ([Query.search("title", "common"), Query.order_asc("$sequence")], 150),
    "element": ([Query.contains("tags", ["tag7"]), Query.order_asc("$sequence")], 6000),
    "id": ([Query.equal("$id", ["r5", "r6", "r9"])], 10),
}


@pytest.mark.parametrize("asks", [None, GUEST, JANE], ids=["key", "guest", "user"])
@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_found_by_an_index(crowd: Crowd, name: str, asks: list[str] | None) -> None:
    queries, most = LISTS[name]
    kinds, looked_at = found(crowd, asks, *queries)

    assert not kinds & {"Seq Scan", "Parallel Seq Scan", "Gather"}, kinds
    assert looked_at <= most


def test_what_somebody_with_few_rows_may_read_is_found_by_the_permission(crowd: Crowd) -> None:
    kinds, looked_at = found(crowd, ['read("user:u77")'])

    assert "Bitmap Index Scan" in kinds
    assert looked_at < 1000


def test_a_list_is_counted_from_an_index_alone(crowd: Crowd) -> None:
    async def vacuum() -> None:
        """Until no transaction is left that began before the rows were there."""
        connection = await asyncpg.connect(crowd.url)
        seen = "select relallvisible = relpages from pg_class where oid = $1::regclass"
        try:
            async with asyncio.timeout(60):
                while not await connection.fetchval(seen, crowd.rows.relation.partition(" ")[0]):
                    await connection.execute(f"vacuum {crowd.rows.relation}")
        finally:
            await connection.close()

    asyncio.run(vacuum())
    kinds, _ = found(crowd, GUEST, Query.between("b", 1000, 1500), only_counted=True)

    assert "Index Only Scan" in kinds
    assert not kinds & {"Index Scan", "Seq Scan"}, kinds


@pytest.mark.parametrize("asks", [None, GUEST], ids=["key", "guest"])
def test_lists_that_look_into_gin_indexes_are_planned_for_their_values(
    crowd: Crowd, asks: list[str] | None
) -> None:
    wanted = page(parse([Query.search("title", "common"), Query.order_asc("$sequence")]))
    statement = crowd.rows.find(wanted, Scope(asks=asks), crowd.rows.shape, cursor=None, counted=False)

    async def ask() -> Any:
        connection = await asyncpg.connect(crowd.url)
        try:
            prepared = await connection.prepare(statement.sql)
            for _ in range(12):
                assert len(await prepared.fetch(*statement.values)) == 25
            return await connection.fetchrow(
                "select generic_plans, custom_plans from pg_prepared_statements where statement = $1",
                statement.sql,
            )
        finally:
            await connection.close()

    assert tuple(asyncio.run(ask())) == (0, 12)


def test_one_row_is_planned_once_for_all(crowd: Crowd) -> None:
    statement = crowd.rows.get("r5", Scope())

    async def ask() -> Any:
        connection = await asyncpg.connect(crowd.url)
        try:
            prepared = await connection.prepare(statement.sql)
            for _ in range(12):
                assert len(await prepared.fetch(*statement.values)) == 1
            sql = "select generic_plans from pg_prepared_statements where statement = $1"
            return await connection.fetchval(sql, statement.sql)
        finally:
            await connection.close()

    assert asyncio.run(ask()) > 0


@pytest.fixture(scope="module")
def town(platform: Platform) -> Crowd:
    """A table of 100,000 rows, each with a point, a line and an area within a degree. A tenth has none."""
    project = platform.new_project()
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    kinds = {"spot": "point", "way": "linestring", "area": "polygon"}
    tables.create_table(
        "db",
        "t",
        "T",
        row_security=True,
        columns=[{"key": key, "type": type_, "required": False} for key, type_ in kinds.items()],
    )
    at = "point(n * 7919 % 3000 * 0.1 - 150, n * 1289 % 1500 * 0.1 - 75)"
    values = ", ".join(
        f"case when n % 10 > 0 then {value} end"
        for value in (
            at,
            f"format('[%s,%s]', {at}, {at} + point(0.5, 0.3))::path",
            f"array[format('(%s,%s,%s,%1$s)', {at}, {at} + point(0.4, 0), {at} + point(0.4, 0.4))::polygon]",
        )
    )
    filled = asyncio.run(_filled(platform, project, "spot, way, area", values))
    for key in kinds:
        made = tables.create_index("db", "t", key, "spatial", [key])
        assert made.status == "available"
    return filled


AROUND = [[[8, 47], [9, 47], [9, 48], [8, 48], [8, 47]]]
PLACES: dict[str, tuple[str, int]] = {
    "points in an area": (Query.intersects("spot", AROUND), 200),
    "points near a point": (Query.distance_less_than("spot", [8.5, 47.4], 50_000), 200),
    "points beyond the meridian": (
        Query.distance_less_than("spot", [-179.9, 47], 3_300_000),
        6000,
    ),
    "points near a line": (Query.distance_less_than("spot", [[8, 47], [9, 47]], 0.2, False), 200),
    "the same point": (Query.equal("spot", [[0, 0]]), 100),
    "lines that cross an area": (Query.crosses("way", AROUND), 300),
    "lines near a point": (Query.distance_less_than("way", [8.5, 47.4], 50_000), 300),
    "areas that contain a point": (Query.contains("area", [[8.5, 47.4]]), 100),
    "areas that overlap another": (Query.overlaps("area", AROUND), 300),
    "areas here or there": (
        Query.or_queries([Query.touches("area", [8.5, 47.4]), Query.covers("area", [-8.5, 4.4])]),
        200,
    ),
}


@pytest.mark.parametrize("asks", [None, GUEST], ids=["key", "guest"])
@pytest.mark.parametrize("name", PLACES)
def test_places_are_found_by_their_bounds(town: Crowd, name: str, asks: list[str] | None) -> None:
    query, most = PLACES[name]
    kinds, looked_at = found(town, asks, query)

    assert not kinds & {"Seq Scan", "Parallel Seq Scan", "Gather"}, kinds
    assert looked_at <= most
