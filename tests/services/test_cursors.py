"""Cursors over several ordered columns with and without values, compared with a plain sort in Python."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

import pytest
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.platform import Platform, Project, error_of

Row = dict[str, Any]
ROWS: list[Row] = [
    {
        "id": f"r{number:02}",
        "number": number,
        "a": random.Random(number).choice([None, 1, 2, 3]),
        "b": random.Random(number * 7).choice([None, "x", "y"]),
        "c": random.Random(number * 31).choice([1.5, 2.5]),
    }
    for number in range(40)
]

Orders = list[tuple[str, str]]
ORDERS: list[Orders] = [
    [("a", "asc")],
    [("a", "desc")],
    [("c", "asc"), ("a", "asc")],
    [("a", "asc"), ("b", "asc")],
    [("a", "desc"), ("b", "desc")],
    [("a", "asc"), ("b", "desc")],
    [("a", "desc"), ("b", "asc")],
    [("c", "desc"), ("a", "asc"), ("b", "desc")],
    [("b", "asc"), ("c", "asc"), ("a", "desc")],
    [("b", "asc"), ("a", "asc"), ("c", "asc"), ("b", "desc")],
    [("a", "asc"), ("$id", "desc"), ("b", "asc")],
    [("a", "asc"), ("$sequence", "desc")],
]


@pytest.fixture(scope="module")
def table(platform: Platform) -> Project:
    project = platform.new_project()
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    tables.create_table(
        "db",
        "t",
        "T",
        columns=[
            {"key": "a", "type": "integer", "required": False},
            {"key": "b", "type": "varchar", "size": 9, "required": False},
            {"key": "c", "type": "float", "required": True},
        ],
    )
    tables.create_index("db", "t", "by_a", "key", ["a"])
    tables.create_rows(
        "db", "t", [{"$id": row["id"], "a": row["a"], "b": row["b"], "c": row["c"]} for row in ROWS]
    )
    return project


def compared(orders: Orders) -> Callable[[Row, Row], int]:
    """How two rows stand to each other: what has no value is greater than all values."""

    def compare(one: Row, other: Row) -> int:
        for key, way in [*orders, ("$sequence", orders[-1][1])]:
            name = {"$id": "id", "$sequence": "number"}.get(key, key)
            left, right = ((row[name] is None, row[name] or 0) for row in (one, other))
            if left != right:
                less = left[0] < right[0] if left[0] != right[0] else left[1] < right[1]
                return -1 if less == (way == "asc") else 1
        return 0

    return compare


def ask(project: Project, *queries: str) -> list[str]:
    return [row.id for row in TablesDB(project.sdk(key=project.key)).list_rows("db", "t", [*queries]).rows]


def spelled(orders: Orders) -> list[str]:
    return [Query.order_asc(key) if way == "asc" else Query.order_desc(key) for key, way in orders]


@pytest.mark.parametrize("orders", ORDERS, ids=[" ".join(map("-".join, orders)) for orders in ORDERS])
def test_from_every_cursor_the_rest_of_the_list_follows_and_nothing_else(
    table: Project, orders: Orders
) -> None:
    everything = [row["id"] for row in sorted(ROWS, key=cmp_to_key(compared(orders)))]
    assert ask(table, *spelled(orders), Query.limit(100)) == everything
    by_id = {row["id"]: row for row in ROWS}
    ends = next((at for at, (key, _) in enumerate(orders) if key.startswith("$")), len(orders))

    for at, cursor in enumerate(everything):
        after = {"queries[0]": Query.cursor_after(cursor), "queries[1]": Query.limit(3)}
        after |= {f"queries[{n + 2}]": order for n, order in enumerate(spelled(orders))}
        found = table.server.get("/tablesdb/db/tables/t/rows", params=after)
        if any(by_id[cursor][key] is None for key, _ in orders[:ends]):
            assert error_of(found) == (400, "database_query_order_null")
            continue
        assert [row["$id"] for row in found.json()["rows"]] == everything[at + 1 : at + 4]
        assert found.json()["total"] == len(everything)
        before = ask(table, *spelled(orders), Query.cursor_before(cursor), Query.limit(3))
        assert before == everything[max(0, at - 3) : at]
        skipped = ask(table, *spelled(orders), Query.cursor_after(cursor), Query.limit(2), Query.offset(5))
        assert skipped == everything[at + 6 : at + 8]


def test_a_cursor_goes_with_filters_that_its_own_row_does_not_fit(table: Project) -> None:
    queries = [Query.order_asc("a"), Query.equal("c", 1.5), Query.limit(100)]
    listed = ask(table, *queries)
    all_of_them = ask(table, Query.order_asc("a"), Query.limit(100))
    by_id = {row["id"]: row for row in ROWS}
    cursor = next(each for each in all_of_them if by_id[each]["c"] == 2.5 and by_id[each]["a"] == 2)

    rest = all_of_them[all_of_them.index(cursor) + 1 :]
    assert ask(table, *queries, Query.cursor_after(cursor)) == [each for each in rest if each in listed]


def test_a_cursor_that_a_caller_may_not_read_is_not_found(project: Project) -> None:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    tables.create_table("db", "t", "T", row_security=True)
    tables.create_row("db", "t", "secret", {})
    tables.create_row("db", "t", "shown", {}, ['read("any")'])
    rows = "/tablesdb/db/tables/t/rows"

    hidden = project.guest.get(rows, params={"queries[0]": Query.cursor_after("secret")})
    missing = project.guest.get(rows, params={"queries[0]": Query.cursor_after("nope")})
    assert error_of(hidden) == error_of(missing) == (400, "general_cursor_not_found")
    last = project.guest.get(rows, params={"queries[0]": Query.cursor_after("shown")})
    assert last.json() == {"total": 1, "rows": []}


def test_a_cursor_has_no_place_in_a_random_order_and_orders_are_bounded(table: Project) -> None:
    rows = "/tablesdb/db/tables/t/rows"
    random_order = {"queries[0]": Query.order_random(), "queries[1]": Query.cursor_after("r01")}

    assert error_of(table.server.get(rows, params=random_order)) == (400, "general_query_invalid")
