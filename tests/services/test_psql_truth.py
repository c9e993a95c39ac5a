"""What a database administrator finds with plain SQL: tables, as one would have made them."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from appwrite.enums.relation_mutate import RelationMutate
from appwrite.enums.relationship_type import RelationshipType
from appwrite.services.tables_db import TablesDB

from tests.platform import Project
from tests.services.test_schema_tables import apply


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
        " where a.attrelid = 'books'::regclass and a.attnum > 0 and a.attname not like '\\_%'"
        " order by a.attnum",
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


SIX = ",".join(f'"read(\\"{role}\\")"' for role in "abcdef")
READS = {
    "{}": [],
    '{"update(\\"any\\")"}': [],
    '{"update(\\"any\\")","read(\\"user:a\\")"}': ['read("user:a")'],
    '{"read(\\"user:a\\")",null,"read(\\"users\\")"}': ['read("user:a")', 'read("users")'],
    f"{{{SIX}}}": [f'read("{role}")' for role in "abcdef"],
    f'{{{SIX},"update(\\"any\\")"}}': None,
    '[5:5]={"read(\\"any\\")"}': None,
    '{{"read(\\"any\\")"}}': [],
}


def test_who_may_read_a_row_stands_beside_its_permissions_unless_many_may(books: dict[str, Any]) -> None:
    for number, permissions in enumerate(READS):
        insert = (
            f"insert into books (_id, title, _permissions) values ('b{number}', '{number}', '{permissions}')"
        )
        ask(books["project"], insert)

    found = ask(books["project"], "select _permissions::text, _reads from books order by _seq")
    assert dict(found) == {each.replace("null", "NULL"): reads for each, reads in READS.items()}


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
        "with tables as (select oid from pg_class where relnamespace = current_schema::regnamespace),"
        " parts as (select oid from tables union all select oid from pg_constraint where conrelid in"
        "  (table tables) union all select oid from pg_attrdef where adrelid in (table tables))"
        " select p.proname::text from pg_depend d join pg_proc p on p.oid = d.refobjid"
        " where d.refclassid = 'pg_proc'::regclass and p.pronamespace = 'freehold'::regnamespace"
        " and d.objid in (table parts)"
        " union all select tgname::text from pg_trigger"
        " where tgrelid = 'books'::regclass and not tgisinternal",
    )

    assert foreign == []


def test_relationships_are_foreign_keys_with_an_index_and_links_a_table_of_two(books: dict[str, Any]) -> None:
    project, tables = books["project"], books["tables"]
    for table_id in ("authors", "shelves", "covers"):
        tables.create_table("shop", table_id, table_id)
    relate = tables.create_relationship_column
    rules = RelationMutate
    relate("shop", "books", "authors", RelationshipType.MANYTOONE, True, "author", "books", rules.RESTRICT)
    relate("shop", "books", "covers", RelationshipType.ONETOONE, False, "cover", on_delete=rules.SETNULL)
    relate("shop", "books", "shelves", RelationshipType.MANYTOMANY, True, "shelves", "books", rules.CASCADE)
    keys = ask(
        project,
        "select conrelid::regclass::text, pg_get_constraintdef(oid), convalidated from pg_constraint"
        " where contype = 'f' and connamespace = current_schema::regnamespace order by 1, 2",
    )
    unindexed = ask(
        project,
        "select conname::text from pg_constraint k where contype = 'f'"
        " and connamespace = current_schema::regnamespace and not exists ("
        "  select from pg_index i where i.indrelid = k.conrelid and i.indkey[0] = k.conkey[1])",
    )

    assert {
        ("books", "FOREIGN KEY (author_id) REFERENCES authors(_id) ON DELETE RESTRICT", True),
        ("books", "FOREIGN KEY (cover_id) REFERENCES covers(_id) ON DELETE SET NULL (cover_id)", True),
    } == {key for key in keys if key[0] == "books"}
    (links,) = {key[0] for key in keys} - {"books"}
    assert {key[1] for key in keys if key[0] == links} == {
        "FOREIGN KEY (books_id) REFERENCES books(_id) ON DELETE CASCADE",
        "FOREIGN KEY (shelves_id) REFERENCES shelves(_id) ON DELETE CASCADE",
    }
    assert unindexed == []


def test_the_descriptions_of_a_schema_file_are_comments(project: Project) -> None:
    schema = """
freehold: 1
service: desk
entities:
  ticket:
    description: What somebody asks for.
    tenant: none
    access: { read: public }
    fields:
      title: { type: string(40), description: In one line. }
      place: { type: ref(place), nullable: true, description: Where it is. }
  place:
    description: A room.
    tenant: none
    access: { read: public }
    fields: { name: string(40) }
"""
    apply(project, schema)
    said = (
        "select c.relname::text, coalesce(a.attname::text, ''), d.description from pg_description d"
        " join pg_class c on c.oid = d.objoid and d.classoid = 'pg_class'::regclass"
        " left join pg_attribute a on a.attrelid = c.oid and a.attnum = nullif(d.objsubid, 0)"
        " where c.relnamespace = current_schema::regnamespace order by 1, 2"
    )
    first = ask(project, said)
    apply(project, schema.replace("A room.", "A room or a hall.").replace("In one line.", "In short."))

    assert first == [
        ("place", "", "A room."),
        ("ticket", "", "What somebody asks for."),
        ("ticket", "place_id", "Where it is."),
        ("ticket", "title", "In one line."),
    ]
    assert ask(project, said)[0] == ("place", "", "A room or a hall.")
    assert ask(project, said)[-1] == ("ticket", "title", "In short.")
