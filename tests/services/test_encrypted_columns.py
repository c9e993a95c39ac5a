"""Encrypted columns: callers read and write texts; PostgreSQL, and all beside it, holds what is sealed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import pytest
from appwrite.exception import AppwriteException
from appwrite.operator import Operator
from appwrite.services.tables_db import TablesDB

from tests.platform import Project, error_of

SECRET = "the passport is behind the third book"
COLUMNS = "/tablesdb/db/tables/t/columns"
ROWS = "/tablesdb/db/tables/t/rows"


@pytest.fixture
def tables(project: Project) -> TablesDB:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    tables.create_table("db", "t", "T")
    tables.create_varchar_column("db", "t", "note", 200, False, encrypt=True)
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


@pytest.mark.parametrize("name", ["string", "varchar", "text", "mediumtext", "longtext"])
def test_a_text_comes_back_as_it_was_written_and_is_kept_sealed(project: Project, name: str) -> None:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    tables.create_table("db", "t", "T")
    size = {"size": 150} if name in ("string", "varchar") else {}
    made = getattr(tables, f"create_{name}_column")("db", "t", "c", required=True, encrypt=True, **size)
    listed = getattr(tables, f"create_{name}_column")(
        "db", "t", "many", required=False, array=True, encrypt=True, **size
    )
    assert (made.encrypt, listed.encrypt) == (True, True)

    tables.create_row("db", "t", "one", {"c": SECRET, "many": [SECRET, ""]})
    tables.create_row("db", "t", "two", {"c": SECRET})

    assert tables.get_row("db", "t", "one").data == {"c": SECRET, "many": [SECRET, ""]}
    assert [row.data["c"] for row in tables.list_rows("db", "t").rows] == [SECRET, SECRET]
    kept = in_postgresql(project, "select c from {} order by _id")
    assert kept[0]["c"].startswith("sealed1.")
    assert kept[0]["c"] != kept[1]["c"]


def test_neither_table_nor_events_nor_log_hold_the_text(project: Project, tables: TablesDB) -> None:
    tables.create_row("db", "t", "one", {"note": SECRET})
    tables.update_row("db", "t", "one", {"note": SECRET + "!"})
    tables.create_rows("db", "t", [{"$id": "two", "note": SECRET}, {"$id": "three"}])
    tables.upsert_rows("db", "t", [{"$id": "three", "note": SECRET}])
    tables.update_rows("db", "t", {"note": SECRET})
    project.server.post(ROWS, json={"rowId": "one", "data": {"note": SECRET}})  # refused

    assert {row.data["note"] for row in tables.list_rows("db", "t").rows} == {SECRET}
    seen = [dict(each) for each in in_postgresql(project, "select * from {}")]
    seen += [dict(each) for each in in_postgresql(project, "select payload from freehold.outbox")]
    assert len(seen) > 3
    assert SECRET not in str(seen)
    assert SECRET not in project.platform.installation.log.read_text()


def test_what_is_staged_is_kept_sealed_until_it_is_committed(project: Project, tables: TablesDB) -> None:
    transaction = tables.create_transaction().id
    tables.create_row("db", "t", "one", {"note": SECRET}, transaction_id=transaction)
    said = {"action": "create", "databaseId": "db", "tableId": "t", "rowId": "two", "data": {"note": SECRET}}
    tables.create_operations(transaction, [said])

    operations = f"select * from freehold.transaction_operations where transaction_id = '{transaction}'"
    staged = [dict(each) for each in in_postgresql(project, operations)]
    assert len(staged) == 2
    assert SECRET not in str(staged)
    tables.update_transaction(transaction, commit=True)
    assert {row.data["note"] for row in tables.list_rows("db", "t").rows} == {SECRET}


def test_a_default_is_sealed_as_well(project: Project, tables: TablesDB) -> None:
    tables.create_text_column("db", "t", "more", False, default=SECRET, encrypt=True)
    tables.create_row("db", "t", "one", {})
    tables.create_rows("db", "t", [{"$id": "two"}, {"$id": "three", "more": "x"}])

    assert [row.data["more"] for row in tables.list_rows("db", "t").rows] == [SECRET, SECRET, "x"]
    assert tables.get_column("db", "t", "more").default == SECRET
    assert SECRET not in str([dict(each) for each in in_postgresql(project, "select * from {}")])
    defaults = in_postgresql(project, "select column_default from information_schema.columns")
    assert SECRET not in str(defaults)


def test_the_length_that_counts_is_that_of_the_text(tables: TablesDB) -> None:
    tables.create_row("db", "t", "one", {"note": "\N{GRINNING FACE}" * 200})
    with pytest.raises(AppwriteException) as caught:
        tables.create_row("db", "t", "two", {"note": "x" * 201})

    assert caught.value.type == "row_invalid_structure"
    assert tables.list_rows("db", "t").total == 1


def test_an_encrypted_column_has_room_for_150_characters_at_least(project: Project, tables: TablesDB) -> None:
    for answer in (
        project.server.post(
            f"{COLUMNS}/varchar", json={"key": "c", "size": 149, "required": False, "encrypt": True}
        ),
        project.server.patch(
            f"{COLUMNS}/varchar/note", json={"required": False, "default": None, "size": 149}
        ),
    ):
        assert error_of(answer) == (400, "column_value_invalid")
    assert [(each.key, each.size) for each in tables.list_columns("db", "t").columns] == [("note", 200)]


@pytest.mark.parametrize(
    "query",
    [
        {"method": "equal", "attribute": "note", "values": [SECRET]},
        {"method": "isNull", "attribute": "note"},
        {"method": "contains", "attribute": "note", "values": ["passport"]},
        {"method": "startsWith", "attribute": "note", "values": ["the"]},
        {"method": "orderAsc", "attribute": "note"},
        {"method": "or", "values": [{"method": "equal", "attribute": "note", "values": [SECRET]}]},
    ],
    ids=lambda query: query["method"],
)
def test_nothing_can_be_asked_about_it(project: Project, tables: TablesDB, query: dict[str, Any]) -> None:
    tables.create_row("db", "t", "one", {"note": SECRET})
    answer = project.server.get(ROWS, params={"queries[0]": json.dumps(query)})

    assert error_of(answer) == (400, "general_query_invalid")
    assert "encrypted" in answer.json()["message"]


@pytest.mark.parametrize("kind", ["key", "unique", "fulltext"])
def test_no_index_can_hold_it(tables: TablesDB, kind: str) -> None:
    with pytest.raises(AppwriteException) as caught:
        tables.create_index("db", "t", "by_note", kind, ["note"])

    assert (caught.value.code, caught.value.type) == (400, "column_index_invalid")
    assert tables.list_indexes("db", "t").total == 0


def test_no_operator_changes_it(tables: TablesDB) -> None:
    tables.create_row("db", "t", "one", {"note": SECRET})
    with pytest.raises(AppwriteException) as caught:
        tables.update_row("db", "t", "one", {"note": Operator.string_concat("!")})

    assert caught.value.type == "row_invalid_structure"
    assert tables.get_row("db", "t", "one").data == {"note": SECRET}


def test_it_cannot_be_counted_up(tables: TablesDB) -> None:
    tables.create_row("db", "t", "one", {"note": SECRET})
    with pytest.raises(AppwriteException) as caught:
        tables.increment_row_column("db", "t", "one", "note", 1)

    assert caught.value.type == "column_type_invalid"
    assert tables.get_row("db", "t", "one").data == {"note": SECRET}


def test_a_text_that_was_moved_to_another_column_does_not_open(project: Project, tables: TablesDB) -> None:
    tables.create_text_column("db", "t", "public", False, encrypt=True)
    tables.create_row("db", "t", "one", {"note": SECRET, "public": "hello"})
    in_postgresql(project, "update {} set public = note")

    answer = project.server.get(f"{ROWS}/one")
    assert error_of(answer) == (500, "general_server_error")
    assert SECRET not in answer.text


def test_a_renamed_column_still_opens(tables: TablesDB) -> None:
    tables.create_row("db", "t", "one", {"note": SECRET})
    tables.update_varchar_column("db", "t", "note", False, None, 300, "remark")

    assert tables.get_row("db", "t", "one").data == {"remark": SECRET}
