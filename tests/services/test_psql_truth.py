"""What a database administrator finds with plain SQL: tables, as one would have made them."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from appwrite.services.tables_db import TablesDB

from tests.platform import Project


@pytest.fixture
def books(project: Project) -> dict[str, Any]:
    """A table with something of everything, and what PostgreSQL says of it."""
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("shop", "Shop")
    column = {"key": "title", "type": "varchar", "size": 80, "required": True, "description": "As printed."}
    body = {"tableId": "books", "name": "Books", "description": "What we sell.", "columns": [column]}
    assert project.server.post("/tablesdb/shop/tables", json=body).status_code == 201
    tables.create_integer_column("shop", "books", "pages", False, min=1, max=5000)
    tables.create_enum_column("shop", "books", "state", ["new", "used"], False, default="new")
    tables.create_datetime_column("shop", "books", "printed", False)
    tables.create_float_column("shop", "books", "weight", False)
    tables.create_boolean_column("shop", "books", "signed", False, default=False)
    tables.create_varchar_column("shop", "books", "tags", 20, False, array=True)
    tables.create_index("shop", "books", "title", "unique", ["title"])
    tables.create_index("shop", "books", "newest", "key", ["printed"], ["desc"])
    tables.create_index("shop", "books", "words", "fulltext", ["title"])
    tables.create_index("shop", "books", "tags", "key", ["tags"])
    return {"project": project, "tables": tables}


def ask(project: Project, sql: str) -> list[tuple[Any, ...]]:
    """Answers in the database's own schema, so that names are plain."""

    async def run() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(project.platform.admin_url)
        try:
            namespace = await connection.fetchval(
                "select namespace from freehold.databases where project_id = $1", project.id
            )
            await connection.execute("select set_config('search_path', $1, false)", f'"{namespace}"')
            return [tuple(each) for each in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(run())


def test_columns_have_types_nullability_and_defaults(books: dict[str, Any]) -> None:
    columns = ask(
        books["project"],
        "select a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,"
        " pg_get_expr(d.adbin, d.adrelid) from pg_attribute a"
        " left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum"
        " where a.attrelid = 'books'::regclass and a.attnum > 0 and a.attname not like '\\_%'",
    )

    assert columns == [
        ("title", "text", True, None),
        ("pages", "bigint", False, None),
        ("state", "text", False, "'new'::text"),
        ("printed", "timestamp(3) with time zone", False, None),
        ("weight", "double precision", False, None),
        ("signed", "boolean", False, "false"),
        ("tags", "text[]", False, None),
    ]


def test_what_a_type_does_not_say_is_a_valid_check(books: dict[str, Any]) -> None:
    checks = dict(
        ask(
            books["project"],
            "select conname::text, pg_get_constraintdef(oid, true) from pg_constraint"
            " where conrelid = 'books'::regclass and contype = 'c' and convalidated",
        )
    )

    assert checks["books_title_length_check"] == "CHECK (char_length(title) <= 80)"
    assert checks["books_pages_range_check"] == "CHECK (pages >= 1 AND pages <= 5000)"
    assert checks["books_state_values_check"].startswith(
        "CHECK (state = ANY (ARRAY['new'::text, 'used'::text]"
    )
    assert set(checks) - {"books_tags_items_check", "books_tags_length_check"} == {
        "books_title_length_check",
        "books_pages_range_check",
        "books_state_values_check",
    }


def test_indexes_are_of_the_kind_that_their_use_needs(books: dict[str, Any]) -> None:
    indexes = dict(
        ask(
            books["project"],
            "select i.indexrelid::regclass::text,"
            " am.amname || case when i.indisunique then ' unique' else '' end"
            " from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am am on am.oid = c.relam"
            " where i.indrelid = 'books'::regclass and i.indisvalid",
        )
    )

    assert indexes["books_pkey"] == "btree unique"
    assert indexes["books_title"] == "btree unique"
    assert indexes["books_newest"] == "btree"
    assert indexes["books_words"] == indexes["books_tags"] == "gin"


def test_descriptions_are_comments_and_follow_changes(books: dict[str, Any]) -> None:
    project, tables = books["project"], books["tables"]
    said = (
        "select obj_description('books'::regclass), col_description('books'::regclass, attnum)"
        " from pg_attribute where attrelid = 'books'::regclass and attname = 'title'"
    )
    assert ask(project, said) == [("What we sell.", "As printed.")]

    project.server.put("/tablesdb/shop/tables/books", json={"name": "Books", "description": "What we lend."})
    tables.update_table("shop", "books", name="Library")
    project.server.patch(
        "/tablesdb/shop/tables/books/columns/varchar/title",
        json={"required": True, "default": None, "description": "As on the cover."},
    )
    assert ask(project, said) == [("What we lend.", "As on the cover.")]


def test_no_table_depends_on_the_platform(books: dict[str, Any]) -> None:
    foreign = ask(
        books["project"],
        "select p.proname::text from pg_depend d join pg_proc p on p.oid = d.refobjid"
        " where d.refclassid = 'pg_proc'::regclass and p.pronamespace = 'freehold'::regnamespace"
        " union all select tgname::text from pg_trigger"
        " where tgrelid = 'books'::regclass and not tgisinternal",
    )

    assert foreign == []
