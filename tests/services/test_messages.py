"""What refusals say: what is wrong, where, and what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from appwrite.enums.relationship_type import RelationshipType
from appwrite.services.tables_db import TablesDB

from freehold.ids import ID_PATTERN
from freehold.services import endpoints
from freehold.web import misfits, openapi
from tests.platform import Project, User, error_of

IDS = "1 to 36 of a-z A-Z 0-9 . _ -, not beginning with . _ -"
NAME = {"key": "name", "type": "varchar", "size": 5, "required": False}


@pytest.fixture
def tables(project: Project) -> TablesDB:
    """Authors with books, which users may read and make, but not change."""
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    for table_id in ("authors", "books"):
        tables.create_table("db", table_id, table_id, ['read("users")', 'create("users")'], columns=[NAME])
    tables.create_relationship_column("db", "authors", "books", RelationshipType.ONETOMANY, True, "books")
    return tables


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/tablesdb", {"databaseId": "-a", "name": "A"}, f"It takes `unique()`, or {IDS}."),
        ("/tablesdb", {"databaseId": "a", "name": 5}, "It takes a text, not a whole number."),
        ("/tablesdb", {"databaseId": "a", "name": "x" * 129}, "It takes at most 128 characters."),
        ("/tablesdb", {"databaseId": "a"}, "It is required."),
        ("/tablesdb/-db/tables", {"tableId": "a", "name": "A"}, f"It takes {IDS}."),
        ("/tablesdb/transactions", {"ttl": 5}, "It has to be at least 60."),
        (
            "/tablesdb/db/tables/books/indexes",
            {"key": "k", "type": "hash", "columns": ["name"]},
            "'hash' is none of its values.",
        ),
        (
            "/tablesdb/db/tables/books/indexes",
            {"key": "k", "type": "key", "columns": []},
            "at least 1 items.",
        ),
    ],
)
def test_a_misfit_is_told_by_what_is_allowed(
    project: Project, tables: TablesDB, path: str, body: dict[str, Any], told: str
) -> None:
    answer = project.server.post(path, json=body)

    assert error_of(answer) == (400, "general_argument_invalid")
    assert told in answer.json()["message"]
    assert "regex" not in answer.json()["message"]


def patterns_in(schema: Any) -> set[str]:
    """The regular expressions of a JSON document's strings."""
    if isinstance(schema, list):
        return set().union(*map(patterns_in, schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
    return own.union(*map(patterns_in, schema.values()))


def test_every_pattern_of_a_parameter_is_told_in_words(project: Project) -> None:
    undescribed = patterns_in(openapi.document(endpoints())) - set(misfits.PATTERNS)
    assert not undescribed, f"Say in web/misfits.py what these allow: {undescribed}"

    role = {"roles": ["two words"], "userId": "x"}
    answer = project.server.post("/teams/t/memberships", json=role)
    assert error_of(answer) == (400, "general_argument_invalid")
    assert "It takes a role of 1 to 36 of" in answer.json()["message"]


def test_a_pattern_that_nobody_has_described_is_shown() -> None:
    assert misfits.told('Expected `str` matching regex "^a+$"') == "It has to match `^a+$`."
    assert misfits.told(f"Expected `str` matching regex {ID_PATTERN!r}") == f"It takes {IDS}."


def test_what_is_wrong_in_a_nested_row_is_told_by_its_path(project: Project, tables: TablesDB) -> None:
    tables.create_relationship_column("db", "books", "authors", RelationshipType.MANYTOONE, False, "editor")
    rows = "/tablesdb/db/tables/authors/rows"
    long = {"name": "too long"}
    listed = project.server.post(rows, json={"rowId": "a", "data": {"books": [{"name": "x"}, long]}})
    deep = project.server.post(rows, json={"rowId": "a", "data": {"books": [{"name": "x", "editor": long}]}})

    assert error_of(listed) == error_of(deep) == (400, "row_invalid_structure")
    assert listed.json()["message"].startswith("books[1]: ")
    assert deep.json()["message"].startswith("books[0].editor: ")
    assert "`name`" in deep.json()["message"]
    assert tables.list_rows("db", "books").total == 0


def test_in_a_transaction_the_operation_is_told_before_the_path(project: Project, tables: TablesDB) -> None:
    transaction = tables.create_transaction().to_dict()["$id"]
    nested = {"books": [{"name": "too long"}]}
    create = {"action": "create", "databaseId": "db", "tableId": "authors", "rowId": "a", "data": nested}
    answer = project.server.post(
        f"/tablesdb/transactions/{transaction}/operations", json={"operations": [create]}
    )

    assert error_of(answer) == (400, "row_invalid_structure")
    assert answer.json()["message"].startswith("operations[0]: books[0]: ")


def test_a_refusal_names_the_permission_that_it_takes(project: Project, tables: TablesDB, jane: User) -> None:
    tables.create_row("db", "books", "b", {"name": "x"})
    tables.update_table("db", "authors", row_security=True, permissions=[])
    rows = "/tablesdb/db/tables/{}/rows"
    update = jane.client.patch(rows.format("books") + "/b", json={"data": {"name": "y"}})
    delete = jane.client.delete(rows.format("books") + "/b")
    create = jane.client.post(rows.format("authors"), json={"rowId": "a", "data": {}})
    many = jane.client.patch(rows.format("books"), json={"data": {"name": "y"}})
    legacy = jane.client.patch("/databases/db/collections/books/documents/b", json={"data": {"name": "y"}})

    answers = (update, delete, create, many, legacy)
    assert {error_of(each) for each in answers} == {(401, "user_unauthorized")}
    told = [each.json()["message"].removeprefix("You may not do this: ") for each in answers]
    assert told == [
        "it takes the permission `update` on the table.",
        "it takes the permission `delete` on the table.",
        "it takes the permission `create` on the table.",
        "many rows at once are for API keys and the console.",
        "it takes the permission `update` on the collection.",
    ]


def test_a_refusal_is_the_same_whether_or_not_there_are_rows(project: Project, tables: TablesDB) -> None:
    tables.update_table("db", "books", permissions=[])
    empty = project.guest.get("/tablesdb/db/tables/books/rows")
    tables.create_row("db", "books", "b", {"name": "x"})
    filled = project.guest.get("/tablesdb/db/tables/books/rows")

    assert error_of(empty) == (401, "user_unauthorized")
    assert empty.content == filled.content
