"""Rows counted, summed and compared, in groups, through the official SDK."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from appwrite.query import Query
from appwrite.services.databases import Databases
from appwrite.services.tables_db import TablesDB

from tests.platform import Platform, Project, error_of

ROWS = "/tablesdb/db/tables/sales/rows"

SALES: list[dict[str, Any]] = [
    {"shop": "north", "item": "tea", "price": 2.5, "count": 4, "at": "2026-01-01T00:00:00.000+00:00"},
    {"shop": "north", "item": "tea", "price": 3.5, "count": 6, "at": "2026-02-01T00:00:00.000+00:00"},
    {"shop": "north", "item": "cup", "price": 10.0, "count": 1, "at": "2026-03-01T00:00:00.000+00:00"},
    {"shop": "south", "item": "tea", "price": 2.0, "count": 2**31 - 1, "at": "2026-01-05T00:00:00.000+00:00"},
    {"shop": "south", "item": "cup", "price": None, "count": 2**31 - 1, "at": None},
    {"shop": None, "item": "mug", "price": None, "count": None, "at": None},
]


@pytest.fixture(scope="module")
def ledger(platform: Platform) -> Project:
    """A project whose table of sales nobody changes."""
    project = platform.new_project()
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    tables.create_table(
        "db",
        "sales",
        "Sales",
        row_security=True,
        columns=[
            {"key": "shop", "type": "varchar", "size": 40, "required": False},
            {"key": "item", "type": "enum", "elements": ["tea", "cup", "mug"], "required": True},
            {"key": "price", "type": "float", "required": False},
            {"key": "count", "type": "bigint", "required": False},
            {"key": "at", "type": "datetime", "required": False},
            {"key": "tags", "type": "varchar", "size": 9, "required": False, "array": True},
            {"key": "paid", "type": "boolean", "required": False},
        ],
    )
    for number, sale in enumerate(SALES):
        shown = ['read("any")'] if sale["shop"] == "north" else []
        tables.create_row("db", "sales", f"s{number}", sale, shown)
    return project


def ask(project: Project, *queries: str, **said: Any) -> list[dict[str, Any]]:
    found = TablesDB(project.sdk(key=project.key)).create_query("db", "sales", list(queries), **said)
    return [row.data for row in found.rows]


@pytest.mark.parametrize(
    ("queries", "answer"),
    [
        ([Query.count()], {"count": 6}),
        ([Query.count("*", "n")], {"n": 6}),
        ([Query.count("shop", "n")], {"n": 5}),
        ([Query.count_distinct("shop")], {"countDistinct_shop": 2}),
        ([Query.count(), Query.equal("shop", "south")], {"count": 2}),
        ([Query.count(), Query.equal("shop", "nowhere")], {"count": 0}),
        ([Query.sum("price", "sum")], {"sum": 18.0}),
        ([Query.sum("count", "sum")], {"sum": 4 + 6 + 1 + 2 * (2**31 - 1)}),
        ([Query.sum("count", "sum"), Query.equal("shop", "nowhere")], {"sum": None}),
        ([Query.avg("price", "avg"), Query.equal("item", "tea")], {"avg": 8 / 3}),
        ([Query.avg("count", "avg"), Query.equal("shop", "north")], {"avg": 11 / 3}),
        ([Query.min("price", "low"), Query.max("price", "high")], {"low": 2.0, "high": 10.0}),
        ([Query.min("item", "low"), Query.max("shop", "high")], {"low": "cup", "high": "south"}),
        (
            [Query.min("at", "first"), Query.max("at", "last")],
            {"first": "2026-01-01T00:00:00.000+00:00", "last": "2026-03-01T00:00:00.000+00:00"},
        ),
        ([Query.max("$id", "last"), Query.max("$sequence", "number")], {"last": "s5", "number": "6"}),
        ([Query.stddev("count", "s"), Query.less_than("count", 7)], {"s": math.sqrt(38 / 9)}),
        ([Query.stddev_pop("count", "s"), Query.less_than("count", 7)], {"s": math.sqrt(38 / 9)}),
        ([Query.stddev_samp("count", "s"), Query.less_than("count", 7)], {"s": math.sqrt(19 / 3)}),
        ([Query.variance("count", "s"), Query.less_than("count", 7)], {"s": 38 / 9}),
        ([Query.var_pop("count", "s"), Query.less_than("count", 7)], {"s": 38 / 9}),
        ([Query.var_samp("count", "s"), Query.less_than("count", 7)], {"s": 19 / 3}),
        ([Query.var_samp("count", "s"), Query.equal("count", 6)], {"s": None}),
        ([Query.bit_and("count", "b"), Query.between("count", 4, 6)], {"b": 4}),
        ([Query.bit_or("count", "b"), Query.less_than("count", 7)], {"b": 7}),
        ([Query.bit_xor("count", "b"), Query.less_than("count", 7)], {"b": 3}),
    ],
)
def test_all_rows_are_put_together_in_one(
    ledger: Project, queries: list[str], answer: dict[str, Any]
) -> None:
    found = TablesDB(ledger.sdk(key=ledger.key)).create_query("db", "sales", queries)

    assert [row.data for row in found.rows] == [pytest.approx(answer)]
    assert found.total == 1


def test_an_answer_holds_only_what_was_asked_for(ledger: Project) -> None:
    asked = {"queries": [Query.group_by("shop"), Query.count(), Query.order_asc("shop")]}

    assert ledger.server.post(f"{ROWS}/query", json=asked).json() == {
        "total": 3,
        "rows": [
            {"shop": "north", "count": 3},
            {"shop": "south", "count": 2},
            {"shop": None, "count": 1},
        ],
    }


def test_groups_are_filtered_ordered_and_paged(ledger: Project) -> None:
    grouped = [Query.group_by(["shop", "item"]), Query.count("*", "n"), Query.sum("price", "sum")]

    assert ask(ledger, *grouped, Query.order_desc("n"), Query.limit(2)) == [
        {"shop": "north", "item": "tea", "n": 2, "sum": 6.0},
        {"shop": "north", "item": "cup", "n": 1, "sum": 10.0},
    ]
    page = Query.page(2, 2)
    assert ask(ledger, *grouped, Query.order_asc("shop"), *page) == [
        {"shop": "south", "item": "cup", "n": 1, "sum": None},
        {"shop": "south", "item": "tea", "n": 1, "sum": 2.0},
    ]
    past = TablesDB(ledger.sdk(key=ledger.key)).create_query("db", "sales", [*grouped, Query.offset(9)])
    assert (past.total, past.rows) == (5, [])
    assert TablesDB(ledger.sdk(key=ledger.key)).create_query("db", "sales", grouped, total=False).total == 0


@pytest.mark.parametrize(
    ("having", "shops"),
    [
        (Query.greater_than("n", 1), ["north", "south"]),
        (Query.equal("n", [1, 3]), ["north", None]),
        (Query.less_than("sum", 2.5), ["south"]),
        (Query.greater_than("total", 11.5), ["south"]),
        (Query.equal("total", 11), ["north"]),
        (Query.between("mean", 2, 6), ["north", "south"]),
        (Query.is_null("sum"), [None]),
        (Query.equal("shop", "north"), ["north"]),
        (Query.starts_with("shop", "s"), ["south"]),
        (Query.greater_than("first", "2026-01-02T00:00:00Z"), ["south"]),
        (Query.or_queries([Query.equal("n", 1), Query.greater_than("sum", 10)]), ["north", None]),
        (Query.contains("least", "cu"), ["north", "south"]),
    ],
)
def test_having_keeps_the_groups_that_fit(ledger: Project, having: str, shops: list[str | None]) -> None:
    found = ask(
        ledger,
        Query.group_by("shop"),
        Query.count("*", "n"),
        Query.sum("price", "sum"),
        Query.sum("count", "total"),
        Query.avg("price", "mean"),
        Query.min("at", "first"),
        Query.min("item", "least"),
        Query.having([having]),
        Query.order_asc("shop"),
    )

    assert [group["shop"] for group in found] == shops


def test_distinct_values_are_told_once(ledger: Project) -> None:
    distinct = [Query.distinct(), Query.select(["item"])]

    assert ask(ledger, *distinct, Query.order_desc("item")) == [
        {"item": "tea"},
        {"item": "mug"},
        {"item": "cup"},
    ]
    assert ask(ledger, *distinct, Query.equal("shop", "south")) == [{"item": "cup"}, {"item": "tea"}]


def test_groups_come_from_the_ordinary_list_and_the_legacy_one_too(ledger: Project) -> None:
    queries = [Query.group_by("item"), Query.count(), Query.order_asc("item")]
    listed = TablesDB(ledger.sdk(key=ledger.key)).list_rows("db", "sales", queries)
    documents = Databases(ledger.sdk(key=ledger.key)).create_query("db", "sales", queries)

    assert [row.data for row in listed.rows] == [row.data for row in documents.documents]
    assert [row.data["count"] for row in listed.rows] == [2, 1, 3]


def test_callers_put_together_only_the_rows_that_they_may_read(ledger: Project) -> None:
    guest = ledger.guest.post(
        f"{ROWS}/query", json={"queries": [Query.count(), Query.max("count", "most"), Query.sum("price")]}
    )
    groups = ledger.guest.post(f"{ROWS}/query", json={"queries": [Query.group_by("shop")]})

    assert guest.json()["rows"] == [{"count": 3, "most": 6, "sum_price": 16.0}]
    assert groups.json() == {"total": 1, "rows": [{"shop": "north"}]}


def raw(method: str, attribute: Any = None, values: Any = None) -> str:
    return json.dumps({"method": method, "attribute": attribute, "values": values})


@pytest.mark.parametrize(
    "queries",
    [
        [Query.sum("shop")],
        [Query.sum("tags")],
        [Query.avg("at")],
        [Query.min("tags")],
        [Query.max("paid")],
        [Query.bit_and("price")],
        [Query.sum("nope")],
        [Query.count("nope")],
        [Query.sum("_permissions")],
        [Query.count("$permissions")],
        [Query.sum('price") from pg_user --')],
        [Query.group_by("nope")],
        [Query.group_by(['shop"; drop table x'])],
        [raw("groupBy", None, [])],
        [raw("groupBy", None, [5])],
        [raw("groupBy", None, [["shop"]])],
        [raw("count", ["shop"], [])],
        [raw("count", "shop", ["a", "b"])],
        [raw("count", "shop", [5])],
        [raw("count", "shop", [None])],
        [Query.count("*", 'n"; --')],
        [Query.count("*", "$id")],
        [Query.count("*", "x" * 65)],
        [Query.count("*", "n"), Query.sum("price", "n")],
        [Query.group_by("shop"), Query.count("*", "shop")],
        [Query.group_by("shop"), Query.order_asc("item")],
        [Query.group_by("shop"), Query.order_asc("")],
        [Query.group_by("shop"), Query.select(["item"])],
        [Query.group_by("shop"), Query.cursor_after("s1")],
        [Query.group_by("shop"), Query.limit(5001)],
        [Query.group_by("shop"), Query.having([Query.equal("item", "tea")])],
        [Query.group_by("shop"), Query.count(), Query.having([Query.equal("count", "3")])],
        [Query.group_by("shop"), Query.count(), Query.having([Query.greater_than("count", 1.5)])],
        [Query.group_by("shop"), Query.sum("price", "s"), Query.having([Query.equal("s", True)])],
        [Query.count(), raw("having", None, [])],
        [Query.count(), raw("having", None, [{"method": "limit", "values": [1]}])],
        [Query.having([Query.equal("shop", "north")])],
        [Query.distinct()],
        [Query.distinct(), Query.select(["*"])],
        [Query.distinct(), Query.select(["shop"]), Query.count()],
        [Query.or_queries([Query.count()])],
        [Query.count("*", f"n{n}") for n in range(99)] + [Query.group_by(["shop", "item"])],
        [Query.count(), Query.left_join("orders", "id", "sale")],
    ],
)
def test_what_cannot_be_put_together_is_refused(ledger: Project, queries: list[str]) -> None:
    refused = ledger.server.post(f"{ROWS}/query", json={"queries": queries})

    assert error_of(refused) == (400, "general_query_invalid")


def test_a_sum_that_no_number_can_hold_is_refused(project: Project) -> None:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    column = {"key": "big", "type": "float", "required": True}
    tables.create_table("db", "sales", "T", columns=[column])
    tables.create_rows("db", "sales", [{"big": 1.7e308}, {"big": 1.7e308}])

    refused = project.server.post(f"{ROWS}/query", json={"queries": [Query.sum("big")]})
    assert error_of(refused) == (400, "general_query_invalid")
    assert tables.create_query("db", "sales", [Query.max("big", "most")]).rows[0].data == {"most": 1.7e308}


def test_other_lists_cannot_be_put_together(ledger: Project) -> None:
    for path in ("/tablesdb", "/tablesdb/db/tables/sales/columns", "/users", f"{ROWS}/s1"):
        refused = ledger.server.get(path, params={"queries[0]": Query.count()})
        assert error_of(refused) == (400, "general_query_invalid")
    changed = ledger.server.request("DELETE", ROWS, json={"queries": [Query.count()]})
    assert error_of(changed) == (400, "general_query_invalid")
    assert ask(ledger, Query.count()) == [{"count": 6}]
