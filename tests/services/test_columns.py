"""Columns and indexes of tables: every type, made and changed with the rows that are there."""

from __future__ import annotations

from typing import Any

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


# The SDK's name of the type, what it takes, a value that fits, the same coming back, and one that does not.
TYPES: list[tuple[str, dict[str, Any], Any, Any, Any]] = [
    ("boolean", {}, True, True, "yes"),
    ("integer", {"min": -5, "max": 10}, 7, 7, 11),
    ("big_int", {}, 9007199254740993, 9007199254740993, 2**63),
    ("float", {"min": 0.5}, 0.75, 0.75, 0.25),
    ("datetime", {}, "2026-08-21T14:00:00.123456+02:00", "2026-08-21T12:00:00.123+00:00", "yesterday"),
    ("email", {}, "ann@example.com", "ann@example.com", "ann at example"),
    ("url", {}, "https://example.com/a?b=c", "https://example.com/a?b=c", "example"),
    ("ip", {}, "2001:db8::1", "2001:db8::1", "1.2.3.400"),
    ("enum", {"elements": ["draft", "1st"]}, "1st", "1st", "2nd"),
    ("string", {"size": 5}, "\N{GRINNING FACE}" * 5, "\N{GRINNING FACE}" * 5, "sixsix"),
    ("varchar", {"size": 5}, "abcde", "abcde", 5),
    ("text", {}, "a\nb'\"\\%", "a\nb'\"\\%", ["a"]),
    ("mediumtext", {}, "x" * 70_000, "x" * 70_000, {"a": 1}),
    ("longtext", {}, "", "", "nul\0"),
]


@pytest.mark.parametrize(("name", "given", "fits", "back", "unfit"), TYPES, ids=[each[0] for each in TYPES])
def test_a_column_can_be_used_once_its_creation_is_answered(
    tables: TablesDB, name: str, given: dict[str, Any], fits: Any, back: Any, unfit: Any
) -> None:
    create = getattr(tables, f"create_{name}_column")
    made = create("db", "t", key="c", required=False, **given)
    assert made.status.value == "available"
    row = tables.create_row("db", "t", "one", {"c": fits})

    assert row.data == {"c": back}
    assert tables.get_row("db", "t", "one").data == {"c": back}
    with pytest.raises(AppwriteException) as caught:
        tables.create_row("db", "t", "two", {"c": unfit})
    assert (caught.value.code, caught.value.type) == (400, "row_invalid_structure")
    assert tables.list_rows("db", "t").total == 1


@pytest.mark.parametrize(("name", "given", "fits", "back", "unfit"), TYPES, ids=[each[0] for each in TYPES])
def test_an_array_column_holds_a_list_of_such_values(
    tables: TablesDB, name: str, given: dict[str, Any], fits: Any, back: Any, unfit: Any
) -> None:
    getattr(tables, f"create_{name}_column")("db", "t", key="c", required=False, array=True, **given)

    assert tables.create_row("db", "t", "one", {"c": [fits, fits]}).data == {"c": [back, back]}
    for wrong in ([unfit], fits, [fits, None]):
        with pytest.raises(AppwriteException) as caught:
            tables.create_row("db", "t", "two", {"c": wrong})
        assert caught.value.type == "row_invalid_structure"


def test_a_default_fills_what_is_not_given_and_null_stays_null(tables: TablesDB) -> None:
    tables.create_varchar_column("db", "t", "c", 10, False, default="it's")

    assert tables.create_row("db", "t", "one", {}).data == {"c": "it's"}
    assert tables.create_row("db", "t", "two", {"c": None}).data == {"c": None}


def test_a_required_column_cannot_have_a_default(tables: TablesDB) -> None:
    with pytest.raises(AppwriteException) as caught:
        tables.create_varchar_column("db", "t", "c", 10, True, default="x")

    assert caught.value.type == "column_default_unsupported"
    assert tables.list_columns("db", "t").total == 0


def test_a_column_of_the_same_key_is_refused_whatever_its_case(tables: TablesDB) -> None:
    tables.create_integer_column("db", "t", "Age", False)
    with pytest.raises(AppwriteException) as caught:
        tables.create_boolean_column("db", "t", "age", False)

    assert (caught.value.code, caught.value.type) == (409, "column_already_exists")


def test_a_column_is_renamed_with_its_index_and_its_values(tables: TablesDB) -> None:
    tables.create_varchar_column("db", "t", "name", 10, True)
    tables.create_index("db", "t", "by_name", "key", ["name"])
    tables.create_row("db", "t", "one", {"name": "Ann"})

    tables.update_varchar_column("db", "t", "name", True, None, 20, "full_name")

    assert tables.get_row("db", "t", "one").data == {"full_name": "Ann"}
    assert tables.get_index("db", "t", "by_name").columns == ["full_name"]
    assert tables.create_row("db", "t", "two", {"full_name": "x" * 20}).data["full_name"] == "x" * 20


def test_narrowing_below_what_rows_hold_is_refused_and_changes_nothing(tables: TablesDB) -> None:
    tables.create_varchar_column("db", "t", "name", 10, False)
    tables.create_row("db", "t", "one", {"name": "1234567890"})
    with pytest.raises(AppwriteException) as caught:
        tables.update_varchar_column("db", "t", "name", False, None, 5)

    assert (caught.value.code, caught.value.type) == (400, "column_value_invalid")
    assert tables.get_column("db", "t", "name").size == 10
    assert tables.create_row("db", "t", "two", {"name": "0987654321"}).data["name"] == "0987654321"


def test_an_enum_gains_members(tables: TablesDB) -> None:
    tables.create_enum_column("db", "t", "state", ["a", "b"], False)
    tables.create_row("db", "t", "one", {"state": "a"})
    tables.update_enum_column("db", "t", "state", ["a", "b", "c"], False, None)

    assert tables.create_row("db", "t", "two", {"state": "c"}).data["state"] == "c"


def test_another_types_route_cannot_update_a_column(tables: TablesDB) -> None:
    tables.create_integer_column("db", "t", "n", False)
    with pytest.raises(AppwriteException) as caught:
        tables.update_boolean_column("db", "t", "n", False, None)

    assert caught.value.type == "column_type_invalid"


def test_a_deleted_column_is_gone_from_rows_at_once(tables: TablesDB) -> None:
    tables.create_integer_column("db", "t", "a", False)
    tables.create_integer_column("db", "t", "b", False)
    tables.create_row("db", "t", "one", {"a": 1, "b": 2})

    tables.delete_column("db", "t", "a")

    assert tables.get_row("db", "t", "one").data == {"b": 2}
    with pytest.raises(AppwriteException) as caught:
        tables.get_column("db", "t", "a")
    assert caught.value.type == "column_not_found"


def test_a_unique_index_refuses_a_second_row_with_the_same_values(tables: TablesDB) -> None:
    tables.create_varchar_column("db", "t", "code", 10, True)
    tables.create_index("db", "t", "one_code", "unique", ["code"])
    tables.create_row("db", "t", "one", {"code": "A"})
    with pytest.raises(AppwriteException) as caught:
        tables.create_row("db", "t", "two", {"code": "A"})

    assert (caught.value.code, caught.value.type) == (409, "row_unique_constraint_violation")
    assert "A" not in caught.value.message.replace("Another", "")


def test_a_unique_index_over_duplicates_is_refused_and_leaves_nothing_behind(tables: TablesDB) -> None:
    tables.create_varchar_column("db", "t", "code", 10, True)
    for row_id in ("one", "two"):
        tables.create_row("db", "t", row_id, {"code": "A"})
    with pytest.raises(AppwriteException) as caught:
        tables.create_index("db", "t", "one_code", "unique", ["code"])

    assert (caught.value.code, caught.value.type) == (400, "column_index_invalid")
    assert "1 value of `code` stands in several rows" in caught.value.message
    assert tables.list_indexes("db", "t").total == 0
    tables.create_row("db", "t", "three", {"code": "A"})


def test_a_column_is_deleted_with_the_indexes_over_it_and_no_others(tables: TablesDB) -> None:
    tables.create_varchar_column("db", "t", "code", 10, True)
    tables.create_varchar_column("db", "t", "name", 10, True)
    tables.create_index("db", "t", "by_code", "key", ["name", "code"])
    tables.create_index("db", "t", "by_name", "key", ["name"])
    tables.delete_column("db", "t", "code")

    assert [column.key for column in tables.list_columns("db", "t").columns] == ["name"]
    assert [index.key for index in tables.list_indexes("db", "t").indexes] == ["by_name"]
    tables.create_index("db", "t", "by_code", "key", ["name"])


def test_the_same_index_key_can_be_used_in_two_tables(tables: TablesDB) -> None:
    tables.create_table("db", "u", "U")
    for table in ("t", "u"):
        tables.create_integer_column("db", table, "n", False)
        made = tables.create_index("db", table, "by_n", "key", ["n"], ["desc"])
        assert (made.key, made.orders, made.status) == ("by_n", ["desc"], "available")


def test_an_index_whose_name_postgresql_has_already_is_kept_under_another(tables: TablesDB) -> None:
    tables.create_table("db", "t_a", "T A")
    for table in ("t", "t_a"):
        tables.create_integer_column("db", table, "n", False)
    tables.create_index("db", "t", "a_b", "unique", ["n"])
    tables.create_index("db", "t_a", "b", "key", ["n"])
    assert tables.get_index("db", "t_a", "b").status == "available"
    tables.create_index("db", "t_a", "x_c", "key", ["n"])
    column = {"key": "n", "type": "integer", "required": False}
    inline = {"key": "c", "type": "key", "columns": ["n"]}
    made = tables.create_table("db", "t_a_x", "T A X", columns=[column], indexes=[inline])
    assert [each.key for each in made.indexes] == ["c"]

    tables.delete_index("db", "t_a", "b")
    assert [each.key for each in tables.list_indexes("db", "t_a").indexes] == ["x_c"]
    tables.create_row("db", "t", "one", {"n": 1})
    with pytest.raises(AppwriteException):
        tables.create_row("db", "t", "two", {"n": 1})


def test_a_table_whose_name_postgresql_has_already_is_refused_clearly(tables: TablesDB) -> None:
    with pytest.raises(AppwriteException) as caught:
        tables.create_table("db", "t_pkey", "Called like a key")
    assert (caught.value.code, caught.value.type) == (409, "table_already_exists")
    assert tables.list_tables("db").total == 1


def test_indexes_that_come_with_their_table_are_held_to_the_same_rules(
    project: Project, tables: TablesDB
) -> None:
    columns = [{"key": "n", "type": "integer", "required": False}]
    with pytest.raises(AppwriteException) as caught:
        tables.create_table(
            "db",
            "twice",
            "Twice",
            columns=columns,
            indexes=[{"key": key, "type": "key", "attributes": ["n"]} for key in ("by_n", "by_n")],
        )
    assert (caught.value.code, caught.value.type) == (409, "column_index_already_exists")

    with pytest.raises(AppwriteException) as caught:
        tables.create_table(
            "db",
            "many",
            "Many",
            columns=columns,
            indexes=[{"key": f"i{number}", "type": "key", "attributes": ["n"]} for number in range(65)],
        )
    assert (caught.value.code, caught.value.type) == (400, "column_index_limit_exceeded")
    assert {each.id for each in tables.list_tables("db").tables}.isdisjoint({"twice", "many"})

    told = {"key": "by_n", "type": "key", "attributes": ["n"], "description": "For the list."}
    tables.create_table("db", "told", "Told", columns=columns, indexes=[told])
    answer = project.server.get("/tablesdb/db/tables/told/indexes/by_n").json()
    assert answer["description"] == "For the list."


def test_deleting_an_index_leaves_one_whose_long_name_begins_alike(
    project: Project, tables: TablesDB
) -> None:
    table, key = "t" + 35 * "a", "k" + 34 * "b"
    column = {"key": "n", "type": "integer", "required": False}
    tables.create_table("db", table, "T", columns=[column])
    for each in (f"{key}1", f"{key}2"):
        tables.create_index("db", table, each, "unique", ["n"])
    tables.delete_index("db", table, f"{key}1")

    assert [each.key for each in tables.list_indexes("db", table).indexes] == [f"{key}2"]
    tables.create_row("db", table, "one", {"n": 1})
    with pytest.raises(AppwriteException) as caught:
        tables.create_row("db", table, "two", {"n": 1})
    assert caught.value.code == 409
