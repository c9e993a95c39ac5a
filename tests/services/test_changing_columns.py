"""Columns that change while rows are there: all of it, or nothing and how many rows forbid it."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from appwrite.exception import AppwriteException
from appwrite.services.tables_db import TablesDB

from tests.platform import Project


@pytest.fixture
def tables(project: Project) -> TablesDB:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    tables.create_table("db", "t", "T")
    return tables


def in_postgresql(project: Project, sql: str) -> list[Any]:
    """What a DBA sees. `{}` is the table."""

    async def ask() -> list[Any]:
        connection = await asyncpg.connect(project.platform.admin_url)
        try:
            namespace = await connection.fetchval(
                "select namespace from freehold.databases where project_id = $1", project.id
            )
            return await connection.fetch(sql.replace("{}", f'"{namespace}".t'))
        finally:
            await connection.close()

    return asyncio.run(ask())


# The SDK's name of the type, what it is at first, values of rows, a change of it, and what the refusal says.
NARROWER: list[tuple[str, dict[str, Any], list[Any], dict[str, Any], str]] = [
    ("varchar", {"size": 5}, ["abcde", "abcd", "a"], {"size": 3}, "2 rows have a longer value"),
    ("string", {"size": 5}, ["abcde", "a"], {"size": 3}, "1 row has a longer value"),
    ("varchar", {"size": 5, "array": True}, [["abcde"], ["a"]], {"size": 3}, "1 row has a longer value"),
    ("enum", {"elements": ["a", "b", "c"]}, ["a", "b", "c"], {"elements": ["a"]}, "2 rows have a value that"),
    ("integer", {}, [1, 5, 9], {"max": 5}, "1 row has a value beyond"),
    ("integer", {"min": 0}, [1, 5, 9], {"min": 6}, "2 rows have a value beyond"),
    ("big_int", {}, [2**60, 0], {"max": 2**59}, "1 row has a value beyond"),
    ("float", {}, [0.5, 1.5], {"min": 1.0}, "1 row has a value beyond"),
    ("varchar", {"size": 5}, [None, "a", None], {"required": True, "size": 5}, "2 rows have no value"),
    ("datetime", {}, [None], {"required": True}, "1 row has no value"),
    ("boolean", {}, [None, True], {"required": True}, "1 row has no value"),
    ("email", {}, [None], {"required": True}, "1 row has no value"),
    ("text", {}, [None], {"required": True}, "1 row has no value"),
]


@pytest.mark.parametrize(("name", "given", "values", "change", "told"), NARROWER)
def test_what_rows_forbid_is_refused_with_their_number_and_changes_nothing(
    tables: TablesDB, name: str, given: dict[str, Any], values: list[Any], change: dict[str, Any], told: str
) -> None:
    getattr(tables, f"create_{name}_column")("db", "t", key="c", required=False, **given)
    for number, value in enumerate(values):
        tables.create_row("db", "t", f"r{number}", {"c": value})
    before = tables.get_column("db", "t", "c").to_dict()
    with pytest.raises(AppwriteException) as caught:
        getattr(tables, f"update_{name}_column")(
            "db", "t", "c", **{"required": False, "default": None, "new_key": "d", **change}
        )

    assert (caught.value.code, caught.value.type) == (400, "column_value_invalid")
    assert told in caught.value.message
    assert tables.get_column("db", "t", "c").to_dict() == before
    assert [row.data["c"] for row in tables.list_rows("db", "t").rows] == values


def test_widening_reads_no_row_and_is_proven_afterwards(project: Project, tables: TablesDB) -> None:
    tables.create_varchar_column("db", "t", "a", 5, False)
    tables.create_enum_column("db", "t", "b", ["x"], False)
    tables.create_integer_column("db", "t", "c", False, min=0, max=10)
    tables.create_row("db", "t", "one", {"a": "abcde", "b": "x", "c": 10})
    tables.update_varchar_column("db", "t", "a", False, None, 500)
    tables.update_enum_column("db", "t", "b", ["x", "y"], False, None)
    tables.update_integer_column("db", "t", "c", False, None, min=-1, max=11)

    wide = {"a": "a" * 500, "b": "y", "c": -1}
    assert tables.create_row("db", "t", "two", wide).data == wide
    checks = in_postgresql(
        project,
        "select convalidated from pg_constraint where conrelid = '{}'::regclass and contype = 'c'",
    )
    assert [each["convalidated"] for each in checks] == [True, True, True]


def test_a_required_column_can_be_added_to_rows_which_then_wait_for_their_value(
    project: Project, tables: TablesDB
) -> None:
    tables.create_integer_column("db", "t", "n", False)
    for row_id in ("one", "two"):
        tables.create_row("db", "t", row_id, {"n": 1})
    made = tables.create_varchar_column("db", "t", "name", 20, True)

    assert made.required
    assert tables.get_row("db", "t", "one").data == {"n": 1, "name": None}
    for refused in (
        lambda: tables.create_row("db", "t", "three", {"n": 1}),
        lambda: tables.update_row("db", "t", "one", {"n": 2}),
        lambda: tables.update_row("db", "t", "one", {"name": None}),
    ):
        with pytest.raises(AppwriteException) as caught:
            refused()
        assert caught.value.type == "row_invalid_structure"
        assert "`name` is required" in caught.value.message
    tables.update_row("db", "t", "one", {"name": "Ann"})
    with pytest.raises(AppwriteException):
        tables.update_row("db", "t", "one", {"name": None})

    tables.update_varchar_column("db", "t", "name", True, None, 30)
    assert not in_postgresql(project, NOT_NULL)[0][0]
    tables.update_row("db", "t", "two", {"name": "Bob"})
    tables.update_varchar_column("db", "t", "name", True, None, 30, "full_name")
    assert in_postgresql(project, NOT_NULL.replace("'name'", "'full_name'"))[0][0]
    assert tables.update_row("db", "t", "two", {"n": 2}).data == {"n": 2, "full_name": "Bob"}


NOT_NULL = "select attnotnull from pg_attribute where attrelid = '{}'::regclass and attname = 'name'"


def test_a_required_column_of_an_empty_table_is_not_null(project: Project, tables: TablesDB) -> None:
    tables.create_varchar_column("db", "t", "name", 20, True)

    assert in_postgresql(project, NOT_NULL)[0][0]


def test_what_is_awaited_can_be_waived(tables: TablesDB) -> None:
    tables.create_row("db", "t", "one", {})
    tables.create_integer_column("db", "t", "n", True)
    tables.update_integer_column("db", "t", "n", False, None)

    assert tables.create_row("db", "t", "two", {}).data == {"n": None}


def test_encrypted_values_cannot_be_measured_so_their_size_only_grows(tables: TablesDB) -> None:
    tables.create_varchar_column("db", "t", "c", 300, False, encrypt=True)
    tables.update_varchar_column("db", "t", "c", False, None, 200)
    tables.create_row("db", "t", "one", {"c": "x"})
    with pytest.raises(AppwriteException) as caught:
        tables.update_varchar_column("db", "t", "c", False, None, 199)

    assert caught.value.type == "column_value_invalid"
    assert tables.update_varchar_column("db", "t", "c", False, None, 400).size == 400
    assert tables.get_row("db", "t", "one").data == {"c": "x"}


def test_a_row_that_postgresql_cannot_hold_is_refused_clearly(tables: TablesDB) -> None:
    tables.create_longtext_column("db", "t", "c", False)
    tables.create_index("db", "t", "by_c", "key", ["c"])
    noise = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(9000))
    with pytest.raises(AppwriteException) as caught:
        tables.create_row("db", "t", "one", {"c": noise})

    assert (caught.value.code, caught.value.type) == (400, "row_invalid_structure")
    assert tables.list_rows("db", "t").total == 0
