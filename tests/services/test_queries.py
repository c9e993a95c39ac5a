"""Queries on rows: each method, and how they are ordered, paged and refused."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.platform import Platform, Project, error_of

PEOPLE: list[dict[str, Any]] = [
    {
        "name": "Ann",
        "age": 30,
        "score": 1.5,
        "admin": True,
        "born": "1996-01-01T00:00:00.000+00:00",
        "tags": ["a", "b"],
        "mail": "ann@example.com",
        "team": "red",
    },
    {
        "name": "Bob",
        "age": 25,
        "score": -2.0,
        "admin": False,
        "born": "2001-05-05T05:05:05.005+00:00",
        "tags": ["b"],
        "team": "red",
    },
    {"name": "Cid", "age": None, "score": None, "admin": None, "born": None, "tags": None},
    {
        "name": "Dan%",
        "age": 30,
        "score": 9.25,
        "admin": True,
        "born": "1996-12-31T23:59:59.999+00:00",
        "tags": [],
    },
    {
        "name": "eve_",
        "age": 41,
        "score": 1.5,
        "admin": False,
        "born": "1985-07-07T07:07:07.070+00:00",
        "tags": ["c", "a"],
        "team": "blue",
    },
]
EVERYBODY = [person["name"] for person in PEOPLE]


@pytest.fixture(scope="module")
def crowd(platform: Platform) -> Project:
    """A project whose table of people nobody changes."""
    project = platform.new_project()
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    tables.create_table(
        "db",
        "people",
        "People",
        columns=[
            {"key": "name", "type": "varchar", "size": 40, "required": True},
            {"key": "age", "type": "integer", "required": False},
            {"key": "score", "type": "float", "required": False},
            {"key": "admin", "type": "boolean", "required": False},
            {"key": "born", "type": "datetime", "required": False},
            {"key": "tags", "type": "varchar", "size": 9, "required": False, "array": True},
            {"key": "mail", "type": "email", "required": False},
            {"key": "team", "type": "enum", "elements": ["red", "blue", "green"], "required": False},
        ],
    )
    for person in PEOPLE:
        tables.create_row("db", "people", person["name"][:3].lower(), person)
    return project


def ask(project: Project, *queries: str, **said: Any) -> list[str]:
    """The names of the rows that the queries find, in their order."""
    found = TablesDB(project.sdk(key=project.key)).list_rows("db", "people", list(queries), **said)
    return [row.data["name"] for row in found.rows]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (Query.equal("name", "Ann"), ["Ann"]),
        (Query.equal("name", "ann"), []),
        (Query.equal("name", ["Ann", "Bob", "Zoe"]), ["Ann", "Bob"]),
        (Query.equal("age", 30), ["Ann", "Dan%"]),
        (Query.equal("admin", False), ["Bob", "eve_"]),
        (Query.equal("score", 1.5), ["Ann", "eve_"]),
        (Query.equal("$id", "cid"), ["Cid"]),
        (Query.equal("$sequence", ["1", "5"]), ["Ann", "eve_"]),
        (Query.not_equal("age", 30), ["Bob", "eve_"]),
        (Query.less_than("age", 30), ["Bob"]),
        (Query.less_than_equal("age", 30), ["Ann", "Bob", "Dan%"]),
        (Query.greater_than("age", 30), ["eve_"]),
        (Query.greater_than_equal("age", 30), ["Ann", "Dan%", "eve_"]),
        (Query.greater_than("born", "1996-01-01T00:00:00Z"), ["Bob", "Dan%"]),
        (Query.between("age", 26, 40), ["Ann", "Dan%"]),
        (Query.not_between("age", 26, 40), ["Bob", "eve_"]),
        (Query.between("name", "B", "D"), ["Bob", "Cid"]),
        (Query.is_null("age"), ["Cid"]),
        (Query.is_not_null("age"), ["Ann", "Bob", "Dan%", "eve_"]),
        (Query.starts_with("name", "a"), ["Ann"]),
        (Query.starts_with("name", "%"), []),
        (Query.not_starts_with("name", "A"), ["Bob", "Cid", "Dan%", "eve_"]),
        (Query.ends_with("name", "%"), ["Dan%"]),
        (Query.ends_with("name", "_"), ["eve_"]),
        (Query.not_ends_with("name", "n"), ["Bob", "Cid", "Dan%", "eve_"]),
        (Query.contains("name", "n"), ["Ann", "Dan%"]),
        (Query.contains("name", ["b", "v"]), ["Bob", "eve_"]),
        (Query.not_contains("name", "n"), ["Bob", "Cid", "eve_"]),
        (Query.contains("tags", ["a"]), ["Ann", "eve_"]),
        (Query.contains("tags", ["a", "b"]), ["Ann", "Bob", "eve_"]),
        (Query.not_contains("tags", ["a"]), ["Bob", "Dan%"]),
        (json.dumps({"method": "containsAll", "attribute": "tags", "values": ["a", "b"]}), ["Ann"]),
        (
            json.dumps({"method": "containsAny", "attribute": "tags", "values": ["c", "b"]}),
            ["Ann", "Bob", "eve_"],
        ),
        (Query.or_queries([Query.equal("name", "Cid"), Query.greater_than("age", 40)]), ["Cid", "eve_"]),
        (Query.and_queries([Query.equal("age", 30), Query.equal("score", 1.5)]), ["Ann"]),
        (
            Query.or_queries(
                [
                    Query.and_queries([Query.equal("age", 30), Query.equal("admin", True)]),
                    Query.is_null("age"),
                ]
            ),
            ["Ann", "Cid", "Dan%"],
        ),
        (Query.created_after("2020-01-01T00:00:00.000Z"), ["Ann", "Bob", "Cid", "Dan%", "eve_"]),
        (Query.updated_before("2020-01-01T00:00:00.000Z"), []),
        (Query.created_between("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"), EVERYBODY),
        (Query.exists(["age", "tags"]), ["Ann", "Bob", "Dan%", "eve_"]),
        (Query.not_exists(["age", "score"]), ["Cid"]),
        (Query.or_queries([Query.not_exists(["age"]), Query.equal("name", "Bob")]), ["Bob", "Cid"]),
        (Query.regex("name", "^[A-C]"), ["Ann", "Bob", "Cid"]),
        (Query.regex("name", "^(an|bo)"), []),
        (Query.regex("name", "(?i)^(an|bo)"), ["Ann", "Bob"]),
        (Query.regex("name", "[%_]$"), ["Dan%", "eve_"]),
        (Query.regex("name", "^[[:upper:]]([a-z]{1,2}|%){1,9}$"), ["Ann", "Bob", "Cid", "Dan%"]),
        (Query.regex("name", r"^\w{3}\W"), ["Dan%"]),
        (Query.equal("age", 30.0), ["Ann", "Dan%"]),
        (Query.equal("score", 9), []),
        (Query.greater_than("score", 9), ["Dan%"]),
        (Query.equal("name", "x" * 100), []),
        (Query.equal("mail", "not an address"), []),
        (Query.equal("mail", "ann@example.com"), ["Ann"]),
        (Query.starts_with("mail", "ANN@"), ["Ann"]),
        (Query.equal("team", "green"), []),
        (Query.equal("team", ["red", "green"]), ["Ann", "Bob"]),
        (Query.less_than("team", "green"), ["eve_"]),
        (Query.equal("born", "1996-01-01T01:00:00.000+01:00"), ["Ann"]),
        (Query.equal("born", "1996-01-01T00:00:00"), ["Ann"]),
        (Query.equal("born", ["1996-01-01", "2001-05-05T05:05:05.005Z"]), ["Ann", "Bob"]),
        (Query.between("born", "1996-01-01T00:00:00Z", "1996-12-31T23:59:59.999Z"), ["Ann", "Dan%"]),
    ],
)
def test_a_filter_finds_the_rows_that_fit(crowd: Project, query: str, names: list[str]) -> None:
    assert ask(crowd, query) == names


@pytest.mark.parametrize(
    "spelled",
    [
        "%7B%22method%22%3A%22equal%22%2C%22attribute%22%3A%22name%22%2C%22values%22%3A%5B%22Dan%25%22%5D%7D",
        "%7b%22method%22%3a+%22equal%22%2c%20%22attribute%22:%22name%22,%22values%22:%5b%22Dan%25%22%5d%7d",
        "%7B%22method%22:%22equal%22,%22attribute%22:%22name%22,%22values%22:[%22%44a%6E%%22,%22%C3%A9%22]}",
        "%7B%22method%22:%22equal%22,%22attribute%22:%22name%22,%22values%22:[%22Dan%zz%22,%22Dan%25%22]}",
    ],
)
def test_a_query_is_understood_however_a_url_spells_it(crowd: Project, spelled: str) -> None:
    found = crowd.server.get(f"/tablesdb/db/tables/people/rows?queries%5B0%5D={spelled}&total=true")

    assert [row["name"] for row in found.json()["rows"]] == ["Dan%"]


def test_filters_are_joined_by_and_and_the_total_counts_them(crowd: Project) -> None:
    found = TablesDB(crowd.sdk(key=crowd.key)).list_rows(
        "db", "people", [Query.equal("age", 30), Query.contains("name", "d"), Query.limit(1)]
    )

    assert [row.data["name"] for row in found.rows] == ["Dan%"]
    assert found.total == 1


@pytest.mark.parametrize(
    ("queries", "names"),
    [
        ([], ["Ann", "Bob", "Cid", "Dan%", "eve_"]),
        ([Query.order_desc("$createdAt")], ["eve_", "Dan%", "Cid", "Bob", "Ann"]),
        ([Query.order_asc("name")], ["Ann", "Bob", "Cid", "Dan%", "eve_"]),
        ([Query.order_asc("age"), Query.is_not_null("age")], ["Bob", "Ann", "Dan%", "eve_"]),
        (
            [Query.order_desc("age"), Query.order_asc("name"), Query.is_not_null("age")],
            ["eve_", "Ann", "Dan%", "Bob"],
        ),
        (
            [Query.order_desc("age"), Query.order_desc("name"), Query.is_not_null("age")],
            ["eve_", "Dan%", "Ann", "Bob"],
        ),
        ([Query.limit(2)], ["Ann", "Bob"]),
        ([Query.limit(2), Query.offset(3)], ["Dan%", "eve_"]),
        ([Query.offset(9)], []),
    ],
)
def test_rows_come_in_the_order_and_page_that_was_asked_for(
    crowd: Project, queries: list[str], names: list[str]
) -> None:
    assert ask(crowd, *queries) == names


@pytest.mark.parametrize(
    "orders",
    [
        [],
        [Query.order_desc("name")],
        [Query.order_asc("score"), Query.is_not_null("score")],
        [Query.order_desc("score"), Query.order_asc("name"), Query.is_not_null("score")],
        [Query.order_asc("admin"), Query.order_desc("age"), Query.order_asc("$id"), Query.is_not_null("age")],
    ],
)
def test_cursors_walk_every_row_once_forwards_and_backwards(crowd: Project, orders: list[str]) -> None:
    everybody = ask(crowd, *orders)
    tables = TablesDB(crowd.sdk(key=crowd.key))

    walked: list[str] = []
    cursor: list[str] = []
    while page := tables.list_rows("db", "people", [*orders, *cursor, Query.limit(2)]).rows:
        walked += [row.data["name"] for row in page]
        cursor = [Query.cursor_after(page[-1].id)]
    assert walked == everybody

    last = tables.list_rows("db", "people", [*orders, Query.limit(100)]).rows[-1]
    before = [
        row.data["name"]
        for row in tables.list_rows("db", "people", [*orders, Query.cursor_before(last.id)]).rows
    ]
    assert before == everybody[:-1]
    nearest = tables.list_rows("db", "people", [*orders, Query.cursor_before(last.id), Query.limit(1)])
    assert [row.data["name"] for row in nearest.rows] == everybody[-2:-1]
    assert nearest.total == len(everybody)


def test_a_column_may_be_called_whatever_sql_has_words_for(project: Project) -> None:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    names = (
        "count",
        "place",
        "given",
        "updated",
        "made",
        "c0",
        "changed",
        "counted",
        "order",
        "total",
        "user",
    )
    columns = [{"key": name, "type": "integer", "required": False} for name in names]
    tables.create_table("db", "t", "T", columns=columns)
    tables.upsert_rows("db", "t", [{"$id": f"r{n}"} | dict.fromkeys(names, n) for n in range(4)])
    tables.upsert_rows("db", "t", [{"$id": f"r{n}"} | dict.fromkeys(names, -n) for n in range(1, 3)])
    tables.update_rows("db", "t", dict.fromkeys(names, 5), [Query.equal("count", 3)])

    for name in names:
        found = tables.list_rows(
            "db", "t", [Query.order_asc(name), Query.less_than(name, 5), Query.cursor_after("r2")]
        )
        assert (found.total, [row.id for row in found.rows]) == (3, ["r1", "r0"])


def test_a_page_past_the_end_still_tells_the_total(crowd: Project) -> None:
    found = TablesDB(crowd.sdk(key=crowd.key)).list_rows("db", "people", [Query.offset(50)])

    assert (found.rows, found.total) == ([], 5)


def test_who_does_not_want_the_total_gets_zero(crowd: Project) -> None:
    found = TablesDB(crowd.sdk(key=crowd.key)).list_rows("db", "people", total=False)

    assert (len(found.rows), found.total) == (5, 0)


def test_select_leaves_out_the_other_columns_of_lists_and_single_rows(crowd: Project) -> None:
    tables = TablesDB(crowd.sdk(key=crowd.key))
    select = [Query.select(["name", "age"])]

    assert tables.get_row("db", "people", "ann", select).data == {"name": "Ann", "age": 30}
    assert tables.list_rows("db", "people", [*select, Query.limit(1)]).rows[0].data == {
        "name": "Ann",
        "age": 30,
    }
    assert tables.get_row("db", "people", "ann", [Query.select(["*"])]).data["tags"] == ["a", "b"]


def test_a_random_order_has_all_rows(crowd: Project) -> None:
    assert sorted(ask(crowd, Query.order_random())) == sorted(person["name"] for person in PEOPLE)


def raw(method: str, attribute: Any = "name", values: Any = ("Ann",)) -> str:
    return json.dumps({"method": method, "attribute": attribute, "values": values})


@pytest.mark.parametrize(
    ("query", "type_"),
    [
        ("nonsense", "general_query_invalid"),
        ("{}", "general_query_invalid"),
        ("[]", "general_query_invalid"),
        (raw("drop"), "general_query_invalid"),
        (raw("equal", "nope"), "general_query_invalid"),
        (raw("equal", "name\" = 'x' or 1=1 --"), "general_query_invalid"),
        (raw("equal", "name; drop table people"), "general_query_invalid"),
        (raw("equal", "tags->>'a'"), "general_query_invalid"),
        (raw("equal", ["name"]), "general_query_invalid"),
        (raw("equal", "_permissions"), "general_query_invalid"),
        (raw("equal", "name", []), "general_query_invalid"),
        (raw("equal", "name", [None]), "general_query_invalid"),
        (raw("equal", "name", [{"$ne": None}]), "general_query_invalid"),
        (raw("equal", "name", [["Ann"]]), "general_query_invalid"),
        (raw("equal", "name", [5]), "general_query_invalid"),
        (raw("equal", "age", ["30"]), "general_query_invalid"),
        (raw("equal", "age", [1.5]), "general_query_invalid"),
        (raw("equal", "age", [2**70]), "general_query_invalid"),
        (raw("equal", "tags", ["a"]), "general_query_invalid"),
        (raw("equal", "name", ["a\0b"]), "general_query_invalid"),
        (raw("equal", "name", ["x"] * 501), "general_query_invalid"),
        (raw("lessThan", "age", [1, 2]), "general_query_invalid"),
        (raw("between", "age", [1]), "general_query_invalid"),
        (raw("contains", "age", [1]), "general_query_invalid"),
        (raw("containsAll", "name", ["a"]), "general_query_invalid"),
        (raw("orderAsc", "nope", []), "general_query_invalid"),
        (raw("select", None, ["name", 'no"pe']), "general_query_invalid"),
        (raw("select", None, [{"a": 1}]), "general_query_invalid"),
        (raw("limit", None, [0]), "general_query_invalid"),
        (raw("limit", None, ["5"]), "general_query_invalid"),
        (raw("limit", None, [2**40]), "general_query_invalid"),
        (raw("offset", None, [-1]), "general_query_invalid"),
        (raw("cursorAfter", None, ["nope"]), "general_cursor_not_found"),
        (raw("cursorAfter", None, [5]), "general_query_invalid"),
        (raw("exists", None, []), "general_query_invalid"),
        (raw("exists", None, ["nope"]), "general_query_invalid"),
        (raw("notExists", None, [5]), "general_query_invalid"),
        (raw("regex", "name", ["("]), "general_query_invalid"),
        (raw("regex", "name", [r"(a*)\1"]), "general_query_invalid"),
        (raw("regex", "name", ["a" * 257]), "general_query_invalid"),
        (raw("regex", "name", ["((a{1,255}){1,255}){1,255}"]), "general_query_invalid"),
        (raw("regex", "name", ["(a?){101}"]), "general_query_invalid"),
        (raw("regex", "name", ["(.{1,15}){1,15}"]), "general_query_invalid"),
        (raw("regex", "name", ["a{90}" * 50]), "general_query_invalid"),
        (raw("regex", "name", ["(?=.*a)b"]), "general_query_invalid"),
        (raw("regex", "name", ["(?<!a)b"]), "general_query_invalid"),
        (raw("regex", "age", ["3"]), "general_query_invalid"),
        (raw("regex", "tags", ["a"]), "general_query_invalid"),
        (raw("regex", "name", [None]), "general_query_invalid"),
        (raw("search", "name", ["Ann"]), "general_query_invalid"),
        (raw("equal", "age", [3.5]), "general_query_invalid"),
        (raw("equal", "age", [True]), "general_query_invalid"),
        (raw("equal", "admin", [1]), "general_query_invalid"),
        (raw("equal", "born", ["soon"]), "general_query_invalid"),
        (raw("and", None, []), "general_query_invalid"),
        (raw("or", None, ["x"]), "general_query_invalid"),
        (raw("or", None, [{"method": "limit", "values": [1]}]), "general_query_invalid"),
        ("x" * 5000, "general_argument_invalid"),
    ],
)
def test_a_wrong_query_is_refused_with_its_type(crowd: Project, query: str, type_: str) -> None:
    response = crowd.server.get("/tablesdb/db/tables/people/rows", params={"queries[0]": query})

    assert error_of(response) == (400, type_)


def test_queries_nested_too_deeply_or_too_many_are_refused(crowd: Project) -> None:
    deep: dict[str, Any] = {"method": "isNull", "attribute": "age"}
    for _ in range(20):
        deep = {"method": "and", "values": [deep]}
    rows = "/tablesdb/db/tables/people/rows"

    assert error_of(crowd.server.get(rows, params={"queries[0]": json.dumps(deep)}))[0] == 400
    many = {f"queries[{n}]": raw("isNull", "age", []) for n in range(101)}
    assert error_of(crowd.server.get(rows, params=many)) == (400, "general_argument_invalid")


def test_a_cursor_at_a_row_without_a_value_in_the_order_is_refused(crowd: Project) -> None:
    queries = {"queries[0]": raw("orderAsc", "age", []), "queries[1]": raw("cursorAfter", None, ["cid"])}
    response = crowd.server.get("/tablesdb/db/tables/people/rows", params=queries)

    assert error_of(response) == (400, "database_query_order_null")


SDK = Path(__file__).parents[1] / "clients/node_modules"
SENDS = re.compile(r"""new _?Query\(["'](\w+)["']""")
PYTHON_SENDS = re.compile(r"""(?:Query|_create_join)\("(\w+)\"""")


def methods_of_sdks() -> set[str]:
    """Every method that the query classes of the official SDKs can send."""
    python = set(PYTHON_SENDS.findall(inspect.getsource(Query)))
    node = set(SENDS.findall((SDK / "node-appwrite/dist/query.js").read_text()))
    web = set(SENDS.findall((SDK / "appwrite/dist/cjs/sdk.js").read_text()))
    assert min(len(python), len(node), len(web)) > 40
    return python | node | web


@pytest.mark.parametrize("method", sorted(methods_of_sdks()))
def test_every_method_of_the_sdks_is_served_or_refused_by_its_name(crowd: Project, method: str) -> None:
    query = json.dumps({"method": method, "attribute": "", "values": [{}]})
    response = crowd.server.get("/tablesdb/db/tables/people/rows", params={"queries[0]": query})

    if response.status_code != 200:
        assert error_of(response) == (400, "general_query_invalid")
        message = response.json()["message"]
        assert f"`{method}`" in message or "`` is not a column" in message or "take queries" in message


def test_what_tables_cannot_answer_is_refused_with_a_reason(crowd: Project) -> None:
    for query, reason in (
        (Query.elem_match("tags", [Query.equal("a", 1)]), "Ask with `contains`"),
        (Query.relationship("tags", [Query.equal("a", 1)]), "dotted attributes"),
        (Query.left_join("orders", "id", "person"), "not joined"),
        (Query.vector_cosine("tags", [0.5]), "no columns of vectors"),
    ):
        response = crowd.server.get("/tablesdb/db/tables/people/rows", params={"queries[0]": query})
        assert error_of(response) == (400, "general_query_invalid")
        assert reason in response.json()["message"]


def test_queries_in_a_body_may_be_longer_than_in_a_url(crowd: Project) -> None:
    tables = TablesDB(crowd.sdk(key=crowd.key))
    long = Query.equal("name", ["Ann", *("x" * 100 for _ in range(400))])

    assert [row.id for row in tables.create_query("db", "people", [long]).rows] == ["ann"]
    assert tables.create_query("db", "people", total=False).total == 0
    path = "/tablesdb/db/tables/people/rows"
    assert error_of(crowd.server.get(path, params={"queries[0]": long})) == (400, "general_argument_invalid")
    huge = {"queries": [raw("contains", "name", ["x" * 600_000])]}
    assert error_of(crowd.server.post(f"{path}/query", json=huge)) == (400, "general_argument_invalid")
    assert error_of(crowd.guest.post(f"{path}/query", json={}))[0] == 401
