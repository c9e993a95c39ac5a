"""Relationships as columns: made, shown on both sides, changed, deleted; and the foreign keys they are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import pytest
from appwrite.enums.relation_mutate import RelationMutate
from appwrite.enums.relationship_type import RelationshipType
from appwrite.exception import AppwriteException
from appwrite.services.tables_db import TablesDB

from tests.platform import Project, error_of

COLUMNS = "/tablesdb/db/tables/{}/columns"


@pytest.fixture
def tables(project: Project) -> TablesDB:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    for table_id in ("authors", "books"):
        tables.create_table("db", table_id, table_id.title())
    return tables


async def psql(project: Project, sql: str) -> list[tuple[Any, ...]]:
    """What PostgreSQL itself says, asked within the schema of the database."""
    connection = await asyncpg.connect(project.platform.admin_url)
    try:
        schema = await connection.fetchval(
            "select namespace from freehold.databases where project_id = $1", project.id
        )
        await connection.execute(f'set search_path to "{schema}"')
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


FOREIGN_KEYS = """
    select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
    where contype = 'f' and connamespace = current_schema::regnamespace order by 1, 2
"""


def related(project: Project, table_id: str, **asked: Any) -> Any:
    return project.server.post(f"{COLUMNS.format(table_id)}/relationship", json=asked)


def test_a_two_way_relationship_is_a_column_of_both_tables(tables: TablesDB) -> None:
    made = tables.create_relationship_column(
        "db", "books", "authors", RelationshipType.MANYTOONE, True, "author", "books", RelationMutate.CASCADE
    )
    parent = tables.get_column("db", "books", "author").to_dict()
    child = tables.get_column("db", "authors", "books").to_dict()

    assert parent == made.to_dict()
    assert parent["status"] == "available"
    assert [parent[key] for key in ("relatedTable", "relationType", "twoWayKey", "onDelete", "side")] == [
        "authors", "manyToOne", "books", "cascade", "parent",
    ]  # fmt: skip
    assert [child[key] for key in ("relatedTable", "relationType", "twoWayKey", "onDelete", "side")] == [
        "books", "manyToOne", "author", "cascade", "child",
    ]  # fmt: skip


def test_a_one_way_relationship_is_a_column_of_one_table(tables: TablesDB) -> None:
    tables.create_relationship_column("db", "authors", "books", RelationshipType.ONETOMANY, key="books")

    assert [column.key for column in tables.list_columns("db", "authors").columns] == ["books"]
    assert tables.list_columns("db", "books").columns == []


async def test_a_database_administrator_finds_foreign_keys_and_indexes(
    project: Project, tables: TablesDB
) -> None:
    tables.create_table("db", "tags", "Tags")
    related(project, "books", relatedTableId="authors", type="manyToOne", key="author", onDelete="setNull")
    related(project, "authors", relatedTableId="books", type="oneToMany", key="edits", twoWayKey="editor")
    related(project, "books", relatedTableId="tags", type="manyToMany", key="tags", onDelete="cascade")
    related(project, "authors", relatedTableId="tags", type="oneToOne", key="badge", onDelete="cascade")

    assert await psql(project, FOREIGN_KEYS) == [
        (
            "authors",
            "authors_badge_id_fkey",
            "FOREIGN KEY (badge_id) REFERENCES tags(_id) ON DELETE CASCADE",
        ),
        (
            "books",
            "books_author_id_fkey",
            "FOREIGN KEY (author_id) REFERENCES authors(_id) ON DELETE SET NULL (author_id)",
        ),
        (
            "books",
            "books_editor_id_fkey",
            "FOREIGN KEY (editor_id) REFERENCES authors(_id) ON DELETE RESTRICT",
        ),
        (
            "books_tags",
            "books_tags_books_id_fkey",
            "FOREIGN KEY (books_id) REFERENCES books(_id) ON DELETE CASCADE",
        ),
        (
            "books_tags",
            "books_tags_tags_id_fkey",
            "FOREIGN KEY (tags_id) REFERENCES tags(_id) ON DELETE CASCADE",
        ),
    ]
    indexed = await psql(
        project,
        "select indexdef from pg_indexes where schemaname = current_schema and tablename = 'books'",
    )
    assert sum("(author_id, _seq)" in row[0] or "(editor_id, _seq)" in row[0] for row in indexed) == 2
    unique = await psql(project, "select conname from pg_constraint where conname = 'authors_badge_id_key'")
    assert unique == [("authors_badge_id_key",)]


@pytest.mark.parametrize("form", ["relationship/author", "author/relationship"])
async def test_both_forms_of_the_update_change_key_and_rule(
    project: Project, tables: TablesDB, form: str
) -> None:
    related(project, "books", relatedTableId="authors", type="manyToOne", key="author", twoWay=True)
    changed = project.server.patch(
        f"{COLUMNS.format('books')}/{form}", json={"onDelete": "cascade", "newKey": "writer"}
    )
    other = tables.get_column("db", "authors", "books").to_dict()

    assert changed.status_code == 200, changed.text
    assert (changed.json()["key"], changed.json()["onDelete"]) == ("writer", "cascade")
    assert (other["twoWayKey"], other["onDelete"]) == ("writer", "cascade")
    assert await psql(project, FOREIGN_KEYS) == [
        (
            "books",
            "books_writer_id_fkey",
            "FOREIGN KEY (writer_id) REFERENCES authors(_id) ON DELETE CASCADE",
        )
    ]


def test_the_other_side_can_be_renamed_too(tables: TablesDB) -> None:
    tables.create_relationship_column("db", "books", "authors", RelationshipType.MANYTOMANY, True, "a", "b")
    tables.update_relationship_column("db", "authors", "b", new_key="works")

    assert tables.get_column("db", "books", "a").to_dict()["twoWayKey"] == "works"
    assert tables.get_column("db", "authors", "works").to_dict()["side"] == "child"


@pytest.mark.parametrize("kind", list(RelationshipType))
@pytest.mark.parametrize("side", ["books", "authors"])
async def test_deleting_one_side_deletes_both(
    project: Project, tables: TablesDB, kind: RelationshipType, side: str
) -> None:
    tables.create_relationship_column("db", "books", "authors", kind, True, "it", "back")
    tables.delete_column("db", side, "it" if side == "books" else "back")

    assert tables.list_columns("db", "books").columns == []
    assert tables.list_columns("db", "authors").columns == []
    assert await psql(project, FOREIGN_KEYS) == []


@pytest.mark.parametrize("kind", list(RelationshipType))
@pytest.mark.parametrize("two_way", [True, False])
async def test_a_table_that_others_refer_to_can_be_deleted(
    project: Project, tables: TablesDB, kind: RelationshipType, two_way: bool
) -> None:
    tables.create_relationship_column("db", "books", "authors", kind, two_way)
    tables.delete_table("db", "authors")

    assert tables.list_columns("db", "books").columns == []
    assert await psql(project, FOREIGN_KEYS) == []
    assert tables.create_row("db", "books", "b", {}).id == "b"


@pytest.mark.parametrize("kind", list(RelationshipType))
async def test_a_table_can_be_related_to_itself(
    project: Project, tables: TablesDB, kind: RelationshipType
) -> None:
    made = related(project, "books", relatedTableId="books", type=kind.value, twoWay=True, key="next",
                   twoWayKey="previous")  # fmt: skip
    listed = [(column.key, column.to_dict()["side"]) for column in tables.list_columns("db", "books").columns]

    assert made.status_code == 202, made.text
    assert listed == [("next", "parent"), ("previous", "child")]
    tables.delete_column("db", "books", "previous")
    assert tables.list_columns("db", "books").columns == []
    assert await psql(project, FOREIGN_KEYS) == []


def test_a_database_with_relationships_can_be_deleted(tables: TablesDB) -> None:
    tables.create_relationship_column("db", "books", "authors", RelationshipType.MANYTOMANY, True)
    tables.delete("db")

    with pytest.raises(AppwriteException) as refused:
        tables.get_table("db", "books")
    assert refused.value.type == "database_not_found"


def test_what_a_relationship_cannot_be(project: Project, tables: TablesDB) -> None:
    tables.create_varchar_column("db", "books", "author", 20, False)
    a, b = "books", "authors"

    assert error_of(related(project, a, relatedTableId="nobody", type="oneToOne")) == (404, "table_not_found")
    assert error_of(related(project, a, relatedTableId=b, type="manyToOne", key="Author")) == (
        409,
        "column_already_exists",
    )
    assert error_of(related(project, b, relatedTableId=a, type="oneToMany", key="x", twoWayKey="author")) == (
        409,
        "column_already_exists",
    )
    assert error_of(related(project, a, relatedTableId=a, type="oneToOne", key="x", twoWayKey="x",
                            twoWay=True)) == (409, "column_already_exists")  # fmt: skip
    assert error_of(related(project, a, relatedTableId=b, type="sometimes")) == (
        400,
        "general_argument_invalid",
    )
    assert error_of(project.server.patch(f"{COLUMNS.format(a)}/author/relationship", json={})) == (
        400,
        "column_type_invalid",
    )
    tables.create_relationship_column("db", a, b, RelationshipType.MANYTOMANY, key="tags")
    taken = project.server.post("/tablesdb/db/tables", json={"tableId": "books_tags", "name": "x"})
    assert error_of(taken) == (409, "table_already_exists")
    assert [column.key for column in tables.list_columns("db", b).columns] == []


def test_other_columns_keep_clear_of_the_names_that_relationships_have_in_postgresql(
    project: Project, tables: TablesDB
) -> None:
    related(project, "books", relatedTableId="authors", type="manyToOne", key="author")
    tables.create_varchar_column("db", "books", "author_id", 20, False)
    tables.create_row("db", "books", "b", {"author_id": "is a text"})

    assert tables.get_row("db", "books", "b").data == {"author": None, "author_id": "is a text"}


def test_tables_are_related_both_ways_at_once_without_a_deadlock(project: Project, tables: TablesDB) -> None:
    def one(number: int) -> int:
        a, b = ("books", "authors") if number % 2 else ("authors", "books")
        return int(
            related(project, a, relatedTableId=b, type="manyToOne", key=f"k{number}", twoWay=True,
                    twoWayKey=f"w{number}").status_code
        )  # fmt: skip

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(one, range(16))) == {202}


async def test_a_table_is_made_together_with_its_relationships(project: Project, tables: TablesDB) -> None:
    body = {
        "tableId": "reviews",
        "name": "Reviews",
        "permissions": ['read("any")'],
        "columns": [
            {"key": "text", "type": "varchar", "size": 100, "required": False},
            {
                "key": "book",
                "type": "relationship",
                "relatedTable": "books",
                "relationType": "manyToOne",
                "twoWay": True,
                "twoWayKey": "reviews",
                "onDelete": "cascade",
            },
            {
                "key": "answers",
                "type": "relationship",
                "relatedTable": "reviews",
                "relationType": "oneToMany",
                "twoWay": True,
                "twoWayKey": "answerTo",
            },
        ],
    }
    made = project.server.post("/tablesdb/db/tables", json=body)
    review = {"$id": "r", "text": "Good", "answers": [{"$id": "s"}]}
    tables.create_row("db", "books", "b", {"reviews": [review]})

    assert made.status_code == 201, made.text
    assert {column["key"] for column in made.json()["columns"]} == {"text", "book", "answers", "answerTo"}
    assert [row[2] for row in await psql(project, FOREIGN_KEYS) if row[0] == "reviews"] == [
        'FOREIGN KEY ("answerTo_id") REFERENCES reviews(_id) ON DELETE RESTRICT',
        "FOREIGN KEY (book_id) REFERENCES books(_id) ON DELETE CASCADE",
    ]
    assert tables.get_row("db", "reviews", "s").data["answerTo"] == "r"


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"relatedTable": "nowhere"}, (404, "table_not_found")),
        ({"relatedTable": ""}, (400, "column_value_invalid")),
        ({"relationType": "some"}, (400, "column_value_invalid")),
        ({"key": "title"}, (409, "column_already_exists")),
        ({"side": "child"}, (400, "column_value_invalid")),
    ],
)
def test_a_table_whose_relationship_cannot_be_is_not_made_at_all(
    project: Project, tables: TablesDB, wrong: dict[str, Any], error: tuple[int, str]
) -> None:
    related = {"key": "book", "type": "relationship", "relatedTable": "books", "relationType": "manyToOne"}
    title = {"key": "title", "type": "varchar", "size": 10, "required": False}
    body = {"tableId": "reviews", "name": "Reviews", "columns": [title, related | wrong]}
    refused = project.server.post("/tablesdb/db/tables", json=body)

    assert error_of(refused) == error
    assert tables.list_tables("db").total == 2
