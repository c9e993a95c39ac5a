"""S18: nobody changes what a row shows of its ties who may not change that row."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from appwrite.enums.relationship_type import RelationshipType
from appwrite.services.tables_db import TablesDB

from tests.platform import Project, User, error_of

BOOKS = "/tablesdb/db/tables/books/rows"
REFUSED = (401, "user_unauthorized")


@pytest.fixture
def tables(project: Project) -> TablesDB:
    """Users write books of their own; they may read tags and shelves, and make new ones, but change none."""
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    tables.create_table("db", "books", "Books", ['create("users")'], row_security=True)
    for table_id in ("tags", "shelves"):
        tables.create_table("db", table_id, table_id, ['read("users")', 'create("users")'])
    relate = tables.create_relationship_column
    relate("db", "books", "tags", RelationshipType.MANYTOMANY, True, "tags", "books")
    relate("db", "books", "shelves", RelationshipType.MANYTOMANY, False, "shelves")
    for table_id in ("tags", "shelves"):
        tables.create_row("db", table_id, "old", {})
    return tables


def by_row(client: httpx.Client, tags: list[Any], key: str) -> httpx.Response:
    return client.post(BOOKS, json={"rowId": "new", "data": {key: tags}})


def by_update(client: httpx.Client, tags: list[Any], key: str) -> httpx.Response:
    assert client.post(BOOKS, json={"rowId": "new", "data": {}}).status_code == 201
    return client.patch(f"{BOOKS}/new", json={"data": {key: tags}})


def by_upsert(client: httpx.Client, tags: list[Any], key: str) -> httpx.Response:
    return client.put(f"{BOOKS}/new", json={"data": {key: tags}})


def by_document(client: httpx.Client, tags: list[Any], key: str) -> httpx.Response:
    path = "/databases/db/collections/books/documents"
    return client.post(path, json={"documentId": "new", "data": {key: tags}})


def by_transaction(client: httpx.Client, tags: list[Any], key: str) -> httpx.Response:
    transaction = client.post("/tablesdb/transactions", json={}).json()["$id"]
    create = {"action": "create", "databaseId": "db", "tableId": "books", "rowId": "new", "data": {key: tags}}
    path = f"/tablesdb/transactions/{transaction}"
    staged = client.post(f"{path}/operations", json={"operations": [create]})
    return staged if staged.status_code >= 400 else client.patch(path, json={"commit": True})


WAYS = (by_row, by_update, by_upsert, by_document, by_transaction)


def tied(tables: TablesDB, tag: str) -> list[str]:
    """The books that a tag shows."""
    shown = tables.get_row("db", "tags", tag, ['{"method":"select","values":["books.*"]}'])
    return sorted(book["$id"] for book in shown.data["books"])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tag", ["old", {"$id": "old"}], ids=["id", "object"])
def test_s18_who_may_only_read_a_row_ties_nothing_to_it(
    tables: TablesDB, jane: User, way: Any, tag: Any
) -> None:
    refused = way(jane.client, [tag], "tags")

    assert error_of(refused) == REFUSED
    assert tied(tables, "old") == []


@pytest.mark.parametrize("way", WAYS)
def test_s18_who_may_change_both_rows_ties_them(tables: TablesDB, jane: User, way: Any) -> None:
    tables.update_table("db", "tags", permissions=['read("users")', 'update("users")'])
    made = way(jane.client, ["old"], "tags")

    assert made.status_code < 300, made.text
    assert tied(tables, "old") == ["new"]


@pytest.mark.parametrize("way", WAYS)
def test_s18_a_row_that_shows_nothing_of_it_needs_only_be_read(
    tables: TablesDB, jane: User, way: Any
) -> None:
    made = way(jane.client, ["old"], "shelves")

    assert made.status_code < 300, made.text
    shown = tables.get_row("db", "books", "new", ['{"method":"select","values":["shelves.*"]}'])
    assert [shelf["$id"] for shelf in shown.data["shelves"]] == ["old"]


@pytest.mark.parametrize("way", WAYS)
def test_s18_a_row_is_made_with_its_ties(tables: TablesDB, jane: User, way: Any) -> None:
    made = way(jane.client, [{"$id": "fresh"}], "tags")

    assert made.status_code < 300, made.text
    assert tied(tables, "fresh") == ["new"]


def test_s18_who_may_only_read_a_row_unties_nothing_from_it(
    project: Project, tables: TablesDB, jane: User
) -> None:
    mine = [f'{each}("user:{jane.id}")' for each in ("read", "update")]
    tables.create_row("db", "books", "b", {"tags": ["old"]}, mine)
    removed = jane.client.patch(f"{BOOKS}/b", json={"data": {"tags": []}})
    swapped = jane.client.patch(f"{BOOKS}/b", json={"data": {"tags": [{"$id": "fresh"}]}})
    as_it_is = jane.client.patch(f"{BOOKS}/b", json={"data": {"tags": ["old"]}})

    assert error_of(removed) == error_of(swapped) == REFUSED
    assert as_it_is.status_code == 200, as_it_is.text
    assert tied(tables, "old") == ["b"]
    assert project.server.get("/tablesdb/db/tables/tags/rows/fresh").status_code == 404
