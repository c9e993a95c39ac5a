"""Operators in row data: changes that PostgreSQL works out on what the row holds at that moment."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from appwrite.exception import AppwriteException
from appwrite.operator import Condition, Operator
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.platform import Project, error_of

ROWS = "/tablesdb/db/tables/things/rows"

THING = {
    "name": "Ann",
    "whole": 10,
    "large": 2**53 + 1,
    "fraction": 2.5,
    "flag": True,
    "made": "2026-02-27T12:00:00.000+00:00",
    "tags": ["b", "a", "b"],
    "counts": [1, 2, 3],
}


@pytest.fixture
def tables(project: Project) -> TablesDB:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    columns: list[dict[str, Any]] = [
        {"key": "name", "type": "varchar", "size": 12},
        {"key": "whole", "type": "integer", "max": 1000, "default": 5},
        {"key": "large", "type": "bigint"},
        {"key": "fraction", "type": "float"},
        {"key": "flag", "type": "boolean"},
        {"key": "made", "type": "datetime"},
        {"key": "mail", "type": "email"},
        {"key": "tags", "type": "varchar", "size": 5, "array": True},
        {"key": "counts", "type": "integer", "array": True},
        {"key": "n", "type": "text"},
    ]
    tables.create_table("db", "things", "Things", columns=[{"required": False, **each} for each in columns])
    return tables


@pytest.mark.parametrize(
    ("key", "operator", "becomes"),
    [
        ("whole", Operator.increment(), 11),
        ("whole", Operator.increment(5, max=12), 12),
        ("whole", Operator.increment(5, max=100), 15),
        ("whole", Operator.increment(1, max=3), 3),
        ("whole", Operator.decrement(3), 7),
        ("whole", Operator.decrement(30, min=0), 0),
        ("whole", Operator.multiply(2.5), 25),
        ("whole", Operator.multiply(10, max=50), 50),
        ("whole", Operator.divide(4), 3),
        ("whole", Operator.divide(4, min=5), 5),
        ("whole", Operator.modulo(3), 1),
        ("whole", Operator.power(2), 100),
        ("whole", Operator.power(300, max=999), 999),
        ("whole", Operator.power(-1), 0),
        ("large", Operator.increment(2), 2**53 + 3),
        ("large", Operator.multiply(3), 3 * (2**53 + 1)),
        ("fraction", Operator.increment(0.25), 2.75),
        ("fraction", Operator.divide(2), 1.25),
        ("fraction", Operator.modulo(2), 0.5),
        ("fraction", Operator.power(2), 6.25),
        ("fraction", Operator.multiply(4, max=9), 9.0),
        ("tags", Operator.array_append(["c", "d"]), ["b", "a", "b", "c", "d"]),
        ("tags", Operator.array_prepend(["c"]), ["c", "b", "a", "b"]),
        ("tags", Operator.array_insert(1, "x"), ["b", "x", "a", "b"]),
        ("tags", Operator.array_insert(0, "x"), ["x", "b", "a", "b"]),
        ("tags", Operator.array_insert(99, "x"), ["b", "a", "b", "x"]),
        ("tags", Operator.array_remove("b"), ["a"]),
        ("tags", Operator.array_unique(), ["b", "a"]),
        ("tags", Operator.array_intersect(["b", "z"]), ["b", "b"]),
        ("tags", Operator.array_diff(["b", "z"]), ["a"]),
        ("tags", Operator.array_filter(Condition.EQUAL, "b"), ["b", "b"]),
        ("tags", Operator.array_filter(Condition.CONTAINS, "a"), ["a"]),
        ("counts", Operator.array_filter(Condition.NOT_EQUAL, 2), [1, 3]),
        ("counts", Operator.array_filter(Condition.GREATER_THAN, 1), [2, 3]),
        ("counts", Operator.array_filter(Condition.GREATER_THAN_EQUAL, 3), [3]),
        ("counts", Operator.array_filter(Condition.LESS_THAN, 2), [1]),
        ("counts", Operator.array_filter(Condition.LESS_THAN_EQUAL, 2), [1, 2]),
        ("counts", Operator.array_filter(Condition.IS_NULL), []),
        ("counts", Operator.array_filter(Condition.IS_NOT_NULL), [1, 2, 3]),
        ("name", Operator.string_concat("!"), "Ann!"),
        ("name", Operator.string_replace("n", "m"), "Amm"),
        ("flag", Operator.toggle(), False),
        ("made", Operator.date_add_days(2), "2026-03-01T12:00:00.000+00:00"),
        ("made", Operator.date_sub_days(27), "2026-01-31T12:00:00.000+00:00"),
    ],
)
def test_an_operator_changes_what_the_row_holds(
    tables: TablesDB, key: str, operator: str, becomes: object
) -> None:
    tables.create_row("db", "things", "a", THING)
    changed = tables.update_row("db", "things", "a", {key: operator})

    assert changed.data == THING | {"mail": None, "n": None, key: becomes}
    assert tables.get_row("db", "things", "a").data == changed.data


def test_now_is_when_the_row_changes(tables: TablesDB) -> None:
    tables.create_row("db", "things", "a", THING)
    changed = tables.update_row("db", "things", "a", {"made": Operator.date_set_now()})

    assert changed.data["made"] == changed.updatedat


@pytest.mark.parametrize(
    ("key", "operator", "becomes"),
    [
        ("whole", Operator.increment(2), 2),
        ("fraction", Operator.decrement(0.5), -0.5),
        ("name", Operator.string_concat("x"), "x"),
        ("name", Operator.string_replace("a", "b"), None),
        ("flag", Operator.toggle(), True),
        ("made", Operator.date_add_days(1), None),
        ("tags", Operator.array_append(["a"]), ["a"]),
        ("tags", Operator.array_unique(), []),
    ],
)
def test_what_is_null_counts_as_nothing(tables: TablesDB, key: str, operator: str, becomes: object) -> None:
    tables.create_row("db", "things", "a", {"whole": None})

    assert tables.update_row("db", "things", "a", {key: operator}).data[key] == becomes


@pytest.mark.parametrize(
    ("key", "operator"),
    [
        ("name", Operator.increment()),
        ("tags", Operator.increment()),
        ("whole", Operator.string_concat("1")),
        ("whole", Operator.array_append([1])),
        ("whole", Operator.toggle()),
        ("whole", Operator.date_set_now()),
        ("mail", Operator.string_concat("x")),
        ("whole", Operator.increment(0.5)),
        ("whole", Operator.increment(991)),
        ("whole", Operator.multiply(1e200)),
        ("whole", Operator.power(1e9)),
        ("fraction", Operator.power(999)),
        ("large", Operator.increment(2**63 - 1)),
        ("name", Operator.string_concat("ten letters")),
        ("tags", Operator.array_append(["longer"])),
        ("tags", Operator.array_append([None])),
        ("tags", Operator.array_insert(-1, "x")),
        ("tags", Operator.array_filter("regex", "x")),
        ("counts", Operator.array_filter(Condition.CONTAINS, 1)),
        ("counts", Operator.array_remove("x")),
        ("made", Operator.date_add_days(2**31)),
        ("made", Operator.date_add_days(2**30)),
        ("whole", '{"method":"increment","values":["1"]}'),
        ("whole", '{"method":"increment","values":[{"$ne":1}]}'),
        ("whole", '{"method":"increment","values":[true]}'),
        ("whole", '{"method":"increment","values":[]}'),
        ("whole", '{"method":"increment","values":[1,2,3]}'),
        ("whole", '{"method":"divide","values":[0]}'),
        ("whole", '{"method":"modulo","values":[0]}'),
        ("whole", '{"method":"nope","values":[1]}'),
        ("flag", '{"method":"toggle","values":[1]}'),
        ("name", '{"method":"stringConcat","values":["\\u0000"]}'),
    ],
)
def test_what_an_operator_cannot_do_is_refused_and_changes_nothing(
    project: Project, tables: TablesDB, key: str, operator: str
) -> None:
    tables.create_row("db", "things", "a", THING)
    refused = project.server.patch(f"{ROWS}/a", json={"data": {key: operator, "n": "changed"}})

    assert error_of(refused) == (400, "row_invalid_structure")
    assert f"`{key}`" in refused.json()["message"] or "does not fit" in refused.json()["message"]
    assert tables.get_row("db", "things", "a").data == THING | {"mail": None, "n": None}


def test_a_new_row_has_nothing_to_change(tables: TablesDB) -> None:
    for key, operator in (("whole", Operator.increment()), ("name", Operator.string_concat("x"))):
        with pytest.raises(AppwriteException) as refused:
            tables.create_row("db", "things", "a", {key: operator})
        assert refused.value.type == "row_invalid_structure"

    assert tables.list_rows("db", "things").total == 0


def test_an_upsert_changes_the_row_or_what_a_new_one_begins_with(tables: TablesDB) -> None:
    operators = {"whole": Operator.increment(3), "tags": Operator.array_append(["x"])}
    made = tables.upsert_row("db", "things", "a", operators)
    changed = tables.upsert_row("db", "things", "a", operators)

    assert (made.data["whole"], made.data["tags"]) == (8, ["x"])
    assert (changed.data["whole"], changed.data["tags"]) == (11, ["x", "x"])
    both = tables.upsert_rows("db", "things", [{"$id": "a", **operators}, {"$id": "b", **operators}])
    assert [row.data["whole"] for row in both.rows] == [14, 8]


def test_one_operator_changes_each_row_that_fits(tables: TablesDB) -> None:
    tables.create_rows("db", "things", [{"$id": f"r{n}", "whole": n} for n in range(1, 5)])
    changed = tables.update_rows(
        "db", "things", {"whole": Operator.multiply(10)}, [Query.greater_than("whole", 2)]
    )

    assert sorted(row.data["whole"] for row in changed.rows) == [30, 40]
    assert tables.get_row("db", "things", "r2").data["whole"] == 2


@pytest.mark.parametrize(
    "text",
    [
        '{"method":"increment"}',
        '{"method":"increment","values":1}',
        '{"method":"x","values":[]}',
        '{"method":"toggle","values":[],"a":1}',
        ' {"method":"toggle","values":[]}',
        '{"method',
        '{"method":' + "[" * 3000,
    ],
)
def test_a_text_that_is_no_operator_is_a_text(tables: TablesDB, text: str) -> None:
    tables.create_row("db", "things", "a", {"n": text})

    assert tables.update_row("db", "things", "a", {"n": text}).data["n"] == text


def test_operators_at_the_same_time_lose_nothing(project: Project, tables: TablesDB) -> None:
    tables.create_row("db", "things", "a", {"whole": 0, "tags": []})

    def change(at: int) -> int:
        data = {"whole": Operator.increment(2), "tags": Operator.array_append([str(at)])}
        return project.server.patch(f"{ROWS}/a", json={"data": data}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(change, range(24))) == {200}
    row = tables.get_row("db", "things", "a").data
    assert row["whole"] == 48
    assert sorted(row["tags"], key=int) == [str(at) for at in range(24)]


def test_lists_change_as_python_would_change_them(tables: TablesDB) -> None:
    """A model in Python of the operators on lists, tried with what chance brings."""
    chance = random.Random(20)
    expected = [chance.randrange(6) for _ in range(6)]
    tables.create_row("db", "things", "a", {"counts": expected})
    for _ in range(60):
        some = [chance.randrange(6) for _ in range(chance.randrange(4))]
        one, at = chance.randrange(6), chance.randrange(9)
        operator, expected = chance.choice(
            [
                (Operator.array_append(some), expected + some),
                (Operator.array_prepend(some), some + expected),
                (Operator.array_insert(at, one), [*expected[:at], one, *expected[at:]]),
                (Operator.array_remove(one), [each for each in expected if each != one]),
                (Operator.array_unique(), list(dict.fromkeys(expected))),
                (Operator.array_intersect(some), [each for each in expected if each in some]),
                (Operator.array_diff(some), [each for each in expected if each not in some]),
                (Operator.array_filter("lessThan", one), [each for each in expected if each < one]),
            ]
        )
        assert tables.update_row("db", "things", "a", {"counts": operator}).data["counts"] == expected
