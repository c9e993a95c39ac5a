"""S25: what a query costs is bounded before the database is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.platform import Project, error_of

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
        [json.dumps({"method": "limit", "values": [10**9 * 9]})],
        [json.dumps({"method": "offset", "values": [10**12]})],
        ["[" * 4000],
    ],
    ids=["nested", "values", "long", "many", "limit", "offset", "deep"],
)
def test_s25_a_costly_query_is_refused(table: Project, queries: list[str]) -> None:
    params = {f"queries[{n}]": text for n, text in enumerate(queries)}
    refused = table.server.get(ROWS, params=params)

    assert error_of(refused)[0] == 400
    assert refused.elapsed.total_seconds() < 2


def test_s25_wildcards_in_a_search_are_taken_literally(table: Project) -> None:
    table.server.post(ROWS, json={"rowId": "one", "data": {"name": "a" * 200}})
    hostile = json.dumps({"method": "contains", "attribute": "name", "values": ["%a" * 90]})

    assert table.server.get(ROWS, params={"queries[0]": hostile}).json()["total"] == 0
