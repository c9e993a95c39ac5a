"""S25: what a query costs is bounded before the database is asked."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import httpx
import pytest

from tests.platform import Platform, Project, error_of, running_platform
from tests.postgres import Server

ROWS = "/tablesdb/db/tables/t/rows"


@pytest.fixture
def table(project: Project) -> Project:
    project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    columns = [{"key": "name", "type": "varchar", "size": 200, "required": True}]
    project.server.post("/tablesdb/db/tables", json={"tableId": "t", "name": "T", "columns": columns})
    return project


def nested(depth: int) -> dict[str, Any]:
    query: dict[str, Any] = {"method": "isNull", "attribute": "name"}
    for level in range(depth):
        query = {"method": "and" if level % 2 else "or", "values": [query, query] if level < 3 else [query]}
    return query


@pytest.mark.parametrize(
    "queries",
    [
        [json.dumps(nested(100))],
        [json.dumps({"method": "equal", "attribute": "name", "values": ["x"] * 600})],
        [json.dumps({"method": "contains", "attribute": "name", "values": ["%" * 5000]})],
        [json.dumps({"method": "isNull", "attribute": "name"})] * 101,
        [json.dumps({"method": "limit", "values": [10**9]})],
        [json.dumps({"method": "offset", "values": [10**9]})],
        ["[" * 4000],
    ],
    ids=["nested", "values", "long", "many", "limit", "offset", "deep"],
)
def test_s25_a_costly_query_is_refused(table: Project, queries: list[str]) -> None:
    params = {f"queries[{n}]": text for n, text in enumerate(queries)}
    small = {"queries[0]": json.dumps({"method": "limit", "values": [1]})}
    answers = [
        (table.server.get(ROWS, params=params), table.server.get(ROWS, params=small)) for _ in range(9)
    ]

    assert {error_of(refused)[0] for refused, _ in answers} == {400}
    least = [min(each.elapsed for each in kind) for kind in zip(*answers, strict=True)]
    assert least[0] < 20 * least[1]  # a read of one row is some milliseconds


def test_s25_wildcards_in_a_search_are_taken_literally(table: Project) -> None:
    table.server.post(ROWS, json={"rowId": "one", "data": {"name": "a" * 200}})
    hostile = json.dumps({"method": "contains", "attribute": "name", "values": ["%a" * 90]})

    assert table.server.get(ROWS, params={"queries[0]": hostile}).json()["total"] == 0


LONG = {"method": "contains", "attribute": "name", "values": ["x" * 1_000_000]}


@pytest.mark.parametrize(
    "query",
    [
        nested(100),
        {"method": "having", "values": [nested(100)]},
        {"method": "equal", "attribute": "name", "values": ["x"] * 10_000},
        {"method": "or", "values": [{"method": "isNull", "attribute": "name"}] * 10_000},
        {"method": "groupBy", "values": ["name"] * 10_000},
        {"method": "regex", "attribute": "name", "values": [r"(a*)*\1"]},
        {"method": "regex", "attribute": "name", "values": ["((a{1,99}){1,99}){1,99}"]},
        {"method": "regex", "attribute": "name", "values": ["(" * 250]},
        LONG,
    ],
    ids=["nested", "having", "values", "alternatives", "groups", "backtracking", "copies", "open", "long"],
)
def test_s25_a_costly_query_in_a_body_is_refused_too(table: Project, query: dict[str, Any]) -> None:
    refused = table.server.post(f"{ROWS}/query", json={"queries": [json.dumps(query)]})

    assert error_of(refused)[0] == 400
    assert table.server.get(ROWS).json()["total"] == 0


UNSEEN = [
    r"(?x)((a{99} ) {99}) {99}",
    r"(?b)\(\(a\{99\}\)\{99\}\)\{99\}",
    r"***:(?b)\(\(a\{99\}\)\{99\}\)\{99\}",
    "***=a",
    r"(?e)[\]((a{99}){99}){99}]",
    r"((a{99})(?#){99}){99}",
    r"[\[:](((a{99}){99}){99})[:]]",
    r"[\[:](a*)(a*)(a*)\1\2\3b[:]]",
    r"[[:alpha:]\]](a*)\1",
]


@pytest.mark.parametrize("pattern", UNSEEN)
def test_s25_no_spelling_hides_what_makes_a_pattern_costly(table: Project, pattern: str) -> None:
    query = json.dumps({"method": "regex", "attribute": "name", "values": [pattern]})
    refused = table.server.post(f"{ROWS}/query", json={"queries": [query]})

    assert error_of(refused) == (400, "general_query_invalid")
    assert "is a pattern" in refused.json()["message"]  # which PostgreSQL was not given


@pytest.mark.parametrize("pattern", [r"(?i)^(?:A|B)[[:alpha:]\]]{2}$", r"^[]a]b\{", r"\ma.?\]"])
def test_s25_a_pattern_that_costs_little_is_asked(table: Project, pattern: str) -> None:
    name = {"(": "a]b", "^": "]b{", "\\": "xx a]"}[pattern[0]]
    table.server.post(ROWS, json={"rowId": "one", "data": {"name": name}})
    query = json.dumps({"method": "regex", "attribute": "name", "values": [pattern]})

    assert table.server.post(f"{ROWS}/query", json={"queries": [query]}).json()["total"] == 1


def test_s25_a_short_replacement_makes_no_huge_text(table: Project) -> None:
    long = {"key": "long", "type": "longtext", "required": False}
    assert table.server.post("/tablesdb/db/tables/t/columns/longtext", json=long).status_code < 300
    data = {"name": "one", "long": "a" * 30_000}
    assert table.server.post(ROWS, json={"rowId": "one", "data": data}).status_code == 201

    for searched, given, status in (("a", "b" * 8000, 400), ("", "b" * 8000, 200), ("a", "bc", 200)):
        operator = json.dumps({"method": "stringReplace", "values": [searched, given]}, separators=(",", ":"))
        changed = table.server.patch(f"{ROWS}/one", json={"data": {"long": operator}})
        assert changed.status_code == status
    assert table.server.get(f"{ROWS}/one").json()["long"] == "bc" * 30_000


def test_s25_a_million_groups_are_answered_a_page_at_a_time(table: Project) -> None:
    huge = [
        json.dumps({"method": "groupBy", "values": ["name"]}),
        json.dumps({"method": "limit", "values": [10**6]}),
    ]

    assert error_of(table.server.post(f"{ROWS}/query", json={"queries": huge})) == (
        400,
        "general_query_invalid",
    )


def test_s25_a_list_of_large_rows_ends_where_an_answer_does(table: Project) -> None:
    long = {"key": "long", "type": "longtext", "required": False}
    assert table.server.post("/tablesdb/db/tables/t/columns/longtext", json=long).status_code < 300
    asyncio.run(_make_large(table))

    def listed(limit: int) -> httpx.Response:
        query = json.dumps({"method": "limit", "values": [limit]})
        return table.server.get(ROWS, params={"queries[0]": query})

    assert len(listed(150).json()["rows"]) == 150
    refused = listed(100_000)
    assert error_of(refused) == (400, "general_query_invalid")
    assert len(refused.content) < 1000


async def _make_large(table: Project) -> None:
    connection = await asyncpg.connect(table.platform.admin_url)
    try:
        found = "select namespace from freehold.databases where project_id = $1"
        namespace = await connection.fetchval(found, table.id)
        await connection.execute(
            f"""insert into "{namespace}".t (_id, name, long)
                select 'r' || n, 'large', repeat('x', 100000) from generate_series(1, 200) n"""
        )
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def hasty(postgres: Server) -> Any:
    """A platform that gives a statement a quarter of a second."""
    with running_platform(postgres, "--dev", FREEHOLD_STATEMENT_TIMEOUT_S="0.25") as running:
        running.register_root()
        yield running


def test_s25_what_takes_too_long_all_the_same_is_ended_with_408(hasty: Platform) -> None:
    project = hasty.new_project()
    project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    columns = [{"key": "name", "type": "varchar", "size": 2000, "required": True}]
    project.server.post("/tablesdb/db/tables", json={"tableId": "t", "name": "T", "columns": columns})
    asyncio.run(_fill(hasty.admin_url))
    patience = {"method": "regex", "attribute": "name", "values": ["(a|b?){1,40}(a|b){1,40}c"]}
    ended = project.server.post(f"{ROWS}/query", json={"queries": [json.dumps(patience)]})

    assert error_of(ended) == (408, "database_timeout")
    assert project.server.get(ROWS).status_code == 200


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        sql = "select table_schema, table_name from information_schema.columns where column_name = 'name'"
        for schema, name in await connection.fetch(sql + " and table_schema <> 'freehold'"):
            if not schema.startswith(("pg_", "information")):
                await connection.execute(
                    f"""insert into "{schema}"."{name}" (_id, name)
                        select 'r' || n, repeat('ab', n % 900) from generate_series(1, 100000) n"""
                )
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def small(postgres: Server) -> Iterator[Platform]:
    """A platform of one process with four connections, behind a proxy that it trusts."""
    settings = {"FREEHOLD_WORKERS": "1", "FREEHOLD_POOL_SIZE": "4", "FREEHOLD_STATEMENT_TIMEOUT_S": "6"}
    with running_platform(postgres, "--dev", **settings, FREEHOLD_TRUSTED_PROXIES="127.0.0.1") as running:
        running.register_root()
        yield running


def test_s25_slow_questions_of_one_address_leave_connections_to_others(small: Platform) -> None:
    project = small.new_project()
    project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    column = {"key": "name", "type": "varchar", "size": 2000, "required": True}
    table = {"tableId": "t", "name": "T", "columns": [column], "permissions": ['read("any")']}
    assert project.server.post("/tablesdb/db/tables", json=table).status_code == 201
    asyncio.run(_fill(small.admin_url))
    patience = {"method": "regex", "attribute": "name", "values": ["(a|b?){1,40}(a|b){1,40}c"]}
    slow = {"queries": [json.dumps(patience)]}

    def attack(_: int) -> int:
        attacker = small.client(project.id, **{"X-Forwarded-For": "203.0.113.5"})
        return attacker.post(f"{ROWS}/query", json=slow).status_code

    first = {"queries": [json.dumps({"method": "limit", "values": [1]})], "total": False}
    with ThreadPoolExecutor(5) as attackers:
        attacks = [attackers.submit(attack, each) for each in range(5)]
        time.sleep(1)
        other = small.client(project.id, **{"X-Forwarded-For": "203.0.113.9"})
        answers = [client.post(f"{ROWS}/query", json=first) for client in (other, project.server)]
        unfinished = [each for each in attacks if not each.done()]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(unfinished) == 5  # they were answered while all of the others were still at it
    assert {each.result() for each in attacks} <= {408, 503}
