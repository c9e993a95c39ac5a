"""S18: nobody changes what a row shows of its ties who may not change that row."""

from __future__ import annotations

from typing import Any

import pytest
from appwrite.enums.relationship_type import RelationshipType
from appwrite.services.tables_db import TablesDB

from tests.platform import Platform, Project, User
from tests.security.ways.speaking import Outcome, Place, query
from tests.security.ways.writing import ALL_WAYS, CHANGES, UPDATES, Way

BOOKS = "/tablesdb/db/tables/books/rows"
REFUSED = (401, "user_unauthorized")
OF_USERS = [way for way in ALL_WAYS if not way.for_keys]

each_way_of_users = pytest.mark.parametrize("way", OF_USERS, ids=lambda way: way.name)


@pytest.fixture(scope="module")
def library(platform: Platform) -> Project:
    return platform.new_project()


@pytest.fixture(scope="module")
def jane(library: Project) -> User:
    return library.new_user("Jane")


@pytest.fixture(scope="module")
def tables(library: Project) -> TablesDB:
    """Users write books of their own, and labels; tags and shelves they read and make, and change none."""
    tables = TablesDB(library.sdk(key=library.key))
    tables.create("db", "DB")
    tables.create_table("db", "books", "Books", ['create("users")'], row_security=True)
    relate = tables.create_relationship_column
    for table_id in ("tags", "shelves", "labels"):
        granted = ['read("users")', 'create("users")', *['update("users")'] * (table_id == "labels")]
        tables.create_table("db", table_id, table_id, granted)
        two_way = table_id != "shelves"
        kind = RelationshipType.MANYTOMANY
        relate("db", "books", table_id, kind, two_way, table_id, "books" if two_way else None)
    return tables


def write(jane: User, way: Way, key: str, tie: Any, turn: str = "") -> tuple[str, Outcome]:
    """Write a book with a tie; a way that only changes books is given one. Gives the book's id."""
    book = f"{key}{turn}{OF_USERS.index(way)}"
    if way in UPDATES:
        assert jane.client.post(BOOKS, json={"rowId": book, "data": {}}).status_code == 201
    return book, way(jane.client, {key: [tie]}, row_id=book, place=Place("db", "books"))


def tied(tables: TablesDB, table: str, row_id: str) -> list[str]:
    """The books that a tag or a label shows."""
    shown = tables.get_row("db", table, row_id, [query("select", None, "books.*")])
    return sorted(book["$id"] for book in shown.data["books"])


@each_way_of_users
def test_s18_who_may_only_read_a_row_ties_nothing_to_it(tables: TablesDB, jane: User, way: Way) -> None:
    tag = f"old{OF_USERS.index(way)}"
    tables.create_row("db", "tags", tag, {})
    by_id, by_object = write(jane, way, "tags", tag), write(jane, way, "tags", {"$id": tag}, "o")

    assert by_id[1][:2] == by_object[1][:2] == REFUSED
    assert tied(tables, "tags", tag) == []


@each_way_of_users
def test_s18_who_may_change_both_rows_ties_them(tables: TablesDB, jane: User, way: Way) -> None:
    label = f"old{OF_USERS.index(way)}"
    tables.create_row("db", "labels", label, {})
    book, made = write(jane, way, "labels", label)

    assert made.is_done, made
    assert tied(tables, "labels", label) == [book]


@each_way_of_users
def test_s18_a_row_that_shows_nothing_of_it_needs_only_be_read(
    tables: TablesDB, jane: User, way: Way
) -> None:
    shelf = f"old{OF_USERS.index(way)}"
    tables.create_row("db", "shelves", shelf, {})
    book, made = write(jane, way, "shelves", shelf)

    assert made.is_done, made
    shown = tables.get_row("db", "books", book, [query("select", None, "shelves.*")])
    assert [each["$id"] for each in shown.data["shelves"]] == [shelf]


@each_way_of_users
def test_s18_a_row_is_made_with_its_ties(tables: TablesDB, jane: User, way: Way) -> None:
    tag = f"fresh{OF_USERS.index(way)}"
    book, made = write(jane, way, "tags", {"$id": tag}, "f")

    assert made.is_done, made
    assert tied(tables, "tags", tag) == [book]


@pytest.mark.parametrize("way", [way for way in CHANGES if not way.for_keys], ids=lambda way: way.name)
def test_s18_who_may_only_read_a_row_unties_nothing_from_it(
    library: Project, tables: TablesDB, jane: User, way: Way
) -> None:
    book, tag = f"b{CHANGES.index(way)}", f"kept{CHANGES.index(way)}"
    mine = [f'{each}("user:{jane.id}")' for each in ("read", "update")]
    tables.create_row("db", "tags", tag, {})
    tables.create_row("db", "books", book, {"tags": [tag]}, mine)

    def change(*tags: Any) -> Outcome:
        return way(jane.client, {"tags": list(tags)}, row_id=book, place=Place("db", "books"))

    removed, swapped, as_it_is = change(), change({"$id": "never-made"}), change(tag)
    assert removed[:2] == swapped[:2] == REFUSED
    assert as_it_is.is_done, as_it_is
    assert tied(tables, "tags", tag) == [book]
    assert library.server.get("/tablesdb/db/tables/tags/rows/never-made").status_code == 404
