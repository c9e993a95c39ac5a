"""Databases in the legacy vocabulary, through the SDK's `Databases`: the same tables under other names."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from appwrite.enums.databases_index_type import DatabasesIndexType
from appwrite.enums.relation_mutate import RelationMutate
from appwrite.enums.relationship_type import RelationshipType
from appwrite.exception import AppwriteException
from appwrite.query import Query
from appwrite.services.databases import Databases
from appwrite.services.tables_db import TablesDB

from freehold import events
from tests.platform import Platform, Project, User, error_of


@pytest.fixture
def databases(project: Project) -> Databases:
    return Databases(project.sdk(key=project.key))


@pytest.fixture
def tables(project: Project) -> TablesDB:
    return TablesDB(project.sdk(key=project.key))


@pytest.fixture
def books(databases: Databases) -> Databases:
    """A collection of books that signed-in users may write, each seeing their own."""
    databases.create("shop", "Shop")
    databases.create_collection(
        "shop",
        "books",
        "Books",
        permissions=['create("users")'],
        document_security=True,
        attributes=[
            {"key": "title", "type": "string", "size": 40, "required": True},
            {"key": "pages", "type": "integer", "required": False, "default": 1},
        ],
    )
    return databases


def refused(caught: pytest.ExceptionInfo[AppwriteException]) -> tuple[int, str]:
    return caught.value.code, caught.value.type


async def outbox(platform: Platform, project: Project) -> list[tuple[str, str]]:
    """The events of a project's databases, each with its payload."""
    connection = await asyncpg.connect(platform.database_url)
    try:
        found = await connection.fetch(
            "select event, payload::text from freehold.outbox"
            " where project_id = $1 and event like 'databases.%' order by id",
            project.id,
        )
    finally:
        await connection.close()
    return [(each["event"], each["payload"]) for each in found]


def data(document: Any) -> dict[str, Any]:
    given: dict[str, Any] = document.data
    return given


# -- databases and collections -----------------------------------------------------------------------------


def test_a_legacy_database_is_made_renamed_listed_and_deleted(databases: Databases) -> None:
    made = databases.create("shop", "Shop", enabled=True)
    assert (made.id, made.name, made.enabled, made.type.value) == ("shop", "Shop", True, "legacy")

    databases.update("shop", "Store", enabled=False)
    assert (databases.get("shop").name, databases.get("shop").enabled) == ("Store", False)
    assert [each.id for each in databases.list().databases] == ["shop"]

    databases.delete("shop")
    with pytest.raises(AppwriteException) as caught:
        databases.get("shop")
    assert refused(caught) == (404, "database_not_found")
    assert databases.list().total == 0


def test_what_is_made_in_one_vocabulary_is_there_in_the_other(databases: Databases, tables: TablesDB) -> None:
    databases.create("old", "Old")
    tables.create("new", "New")
    databases.create_collection(
        "new", "books", "Books", attributes=[{"key": "a", "type": "integer", "required": False}]
    )
    tables.create_row("new", "books", "one", {"a": 1})
    databases.create_document("new", "books", "two", {"a": 2})

    types = {each.id: each.type.value for each in databases.list().databases}
    assert types == {"old": "legacy", "new": "tablesdb"}
    assert types == {each.id: each.type.value for each in tables.list().databases}
    assert [data(each) for each in tables.list_rows("new", "books").rows] == [{"a": 1}, {"a": 2}]
    assert [data(each) for each in databases.list_documents("new", "books").documents] == [{"a": 1}, {"a": 2}]
    assert tables.get_table("new", "books").columns[0].key == "a"


def test_a_collection_is_made_changed_listed_and_deleted(books: Databases) -> None:
    made = books.get_collection("shop", "books")
    assert (made.id, made.databaseid, made.name) == ("books", "shop", "Books")
    assert (made.documentsecurity, made.permissions) == (True, ['create("users")'])
    assert [(each.key, each.type) for each in made.attributes] == [("title", "string"), ("pages", "integer")]

    books.update_collection("shop", "books", "Library", permissions=['read("any")'], enabled=False)
    changed = books.get_collection("shop", "books")
    assert (changed.name, changed.enabled, changed.documentsecurity) == ("Library", False, False)
    assert changed.permissions == ['read("any")']
    secured = Query.equal("documentSecurity", [True])
    assert books.list_collections("shop").total == 1
    assert books.list_collections("shop", [secured]).total == 0

    books.delete_collection("shop", "books")
    with pytest.raises(AppwriteException) as caught:
        books.get_collection("shop", "books")
    assert refused(caught) == (404, "collection_not_found")


def test_answers_speak_of_nothing_that_the_legacy_vocabulary_does_not_know(
    project: Project, books: Databases
) -> None:
    books.create_index("shop", "books", "by_title", DatabasesIndexType.KEY, ["title"])
    books.create_document("shop", "books", "emma", {"title": "Emma"})
    at = "/databases/shop/collections"

    for path in (
        at, f"{at}/books", f"{at}/books/attributes", f"{at}/books/attributes/title", f"{at}/books/indexes",
        f"{at}/books/indexes/by_title", f"{at}/books/documents", f"{at}/books/documents/emma",
    ):  # fmt: skip
        answer = project.server.get(path)
        assert answer.status_code == 200, answer.text
        for word in ("row", "table", "column"):
            assert word not in answer.text.lower()


# -- attributes and indexes --------------------------------------------------------------------------------


CREATED: list[tuple[str, tuple[Any, ...], str, str | None]] = [
    ("boolean", (), "boolean", None),
    ("integer", (), "integer", None),
    ("big_int", (), "bigint", None),
    ("float", (), "double", None),
    ("datetime", (), "datetime", None),
    ("email", (), "string", "email"),
    ("url", (), "string", "url"),
    ("ip", (), "string", "ip"),
    ("text", (), "text", None),
    ("mediumtext", (), "mediumtext", None),
    ("longtext", (), "longtext", None),
]


@pytest.mark.parametrize(("kind", "given", "type_", "format_"), CREATED, ids=[each[0] for each in CREATED])
def test_an_attribute_of_each_type_is_made_changed_and_deleted(
    books: Databases, kind: str, given: tuple[Any, ...], type_: str, format_: str | None
) -> None:
    made = getattr(books, f"create_{kind}_attribute")("shop", "books", "extra", *given, required=False)
    assert (made.key, made.type, made.status.value, made.required) == ("extra", type_, "available", False)
    if format_ is not None:
        assert made.format == format_

    update = getattr(books, f"update_{kind}_attribute")
    changed = update("shop", "books", "extra", required=False, default=None, new_key="renamed")
    assert changed.key == "renamed"
    assert [each.key for each in books.list_attributes("shop", "books").attributes] == [
        "title",
        "pages",
        "renamed",
    ]
    assert books.get_attribute("shop", "books", "renamed").type == type_

    books.delete_attribute("shop", "books", "renamed")
    with pytest.raises(AppwriteException) as caught:
        books.get_attribute("shop", "books", "renamed")
    assert refused(caught) == (404, "attribute_not_found")


def test_attributes_with_sizes_and_elements_are_made_and_changed(books: Databases) -> None:
    made = books.create_string_attribute("shop", "books", "note", 20, required=False, default="none")
    sized = books.create_varchar_attribute("shop", "books", "isbn", 13, required=False)
    listed = books.create_enum_attribute("shop", "books", "state", ["new", "old"], required=False)
    assert (made.size, made.default, sized.size, listed.elements) == (20, "none", 13, ["new", "old"])

    books.update_string_attribute("shop", "books", "note", required=False, default=None, size=40)
    books.update_varchar_attribute("shop", "books", "isbn", required=False, default=None, size=17)
    books.update_enum_attribute(
        "shop", "books", "state", ["new", "old", "lost"], required=False, default="new"
    )
    books.create_document("shop", "books", "emma", {"title": "Emma", "note": "x" * 40, "isbn": "9" * 17})

    assert data(books.get_document("shop", "books", "emma"))["state"] == "new"
    with pytest.raises(AppwriteException) as caught:
        books.create_document("shop", "books", "jane", {"title": "Jane", "state": "burnt"})
    assert refused(caught) == (400, "document_invalid_structure")


def test_an_index_is_made_listed_and_deleted_and_a_unique_one_holds(books: Databases) -> None:
    made = books.create_index("shop", "books", "once", DatabasesIndexType.UNIQUE, ["title"], orders=["DESC"])
    assert (made.key, made.type, made.attributes, made.orders) == ("once", "unique", ["title"], ["desc"])
    assert books.get_index("shop", "books", "once").status.value == "available"
    assert books.list_indexes("shop", "books").total == 1

    books.create_document("shop", "books", "emma", {"title": "Emma"})
    with pytest.raises(AppwriteException) as caught:
        books.create_document("shop", "books", "emma2", {"title": "Emma"})
    assert refused(caught) == (409, "document_unique_constraint_violation")
    assert "document" in caught.value.message

    books.delete_index("shop", "books", "once")
    books.create_document("shop", "books", "emma2", {"title": "Emma"})
    with pytest.raises(AppwriteException) as caught:
        books.get_index("shop", "books", "once")
    assert refused(caught) == (404, "index_not_found")


# -- documents ---------------------------------------------------------------------------------------------


def test_a_document_is_made_read_changed_counted_and_deleted(books: Databases) -> None:
    made = books.create_document("shop", "books", "emma", {"title": "Emma"}, permissions=['read("any")'])
    assert (made.id, made.collectionid, made.databaseid) == ("emma", "books", "shop")
    assert (data(made), made.permissions) == ({"title": "Emma", "pages": 1}, ['read("any")'])

    books.update_document("shop", "books", "emma", {"pages": 400})
    books.increment_document_attribute("shop", "books", "emma", "pages", 5)
    books.decrement_document_attribute("shop", "books", "emma", "pages", 1, min=0)
    assert data(books.get_document("shop", "books", "emma")) == {"title": "Emma", "pages": 404}

    books.upsert_document("shop", "books", "emma", {"title": "Emma!"})
    books.upsert_document("shop", "books", "jane", {"title": "Jane"})
    listed = books.list_documents("shop", "books", [Query.order_asc("title"), Query.greater_than("pages", 0)])
    assert (listed.total, [data(each)["title"] for each in listed.documents]) == (2, ["Emma!", "Jane"])

    books.delete_document("shop", "books", "emma")
    with pytest.raises(AppwriteException) as caught:
        books.get_document("shop", "books", "emma")
    assert refused(caught) == (404, "document_not_found")
    assert books.list_documents("shop", "books").total == 1


def test_many_documents_are_made_changed_and_deleted_at_once(books: Databases) -> None:
    made = books.create_documents("shop", "books", [{"$id": "a", "title": "A"}, {"$id": "b", "title": "B"}])
    assert (made.total, [each.id for each in made.documents]) == (2, ["a", "b"])

    upserted = books.upsert_documents(
        "shop", "books", [{"$id": "a", "title": "A2"}, {"$id": "c", "title": "C"}]
    )
    changed = books.update_documents("shop", "books", {"pages": 9}, [Query.equal("title", ["A2", "C"])])
    assert (upserted.total, changed.total) == (2, 2)
    pages = {each.id: data(each)["pages"] for each in books.list_documents("shop", "books").documents}
    assert pages == {"a": 9, "b": 1, "c": 9}

    gone = books.delete_documents("shop", "books", [Query.equal("pages", [9])])
    assert sorted(each.id for each in gone.documents) == ["a", "c"]
    assert [each.id for each in books.list_documents("shop", "books").documents] == ["b"]


def test_users_reach_their_own_documents_and_no_others(books: Databases, jane: User, bob: User) -> None:
    made = Databases(jane.sdk).create_document("shop", "books", "emma", {"title": "Emma"})
    assert made.permissions == [f'{each}("user:{jane.id}")' for each in ("read", "update", "delete")]

    assert Databases(jane.sdk).list_documents("shop", "books").total == 1
    assert Databases(bob.sdk).list_documents("shop", "books").total == 0
    at = "/databases/shop/collections/books/documents/emma"
    assert error_of(bob.client.get(at)) == (404, "document_not_found")
    assert error_of(bob.client.patch(at, json={"data": {"pages": 2}})) == (401, "user_unauthorized")
    assert error_of(bob.client.delete(at)) == (401, "user_unauthorized")
    assert data(books.get_document("shop", "books", "emma"))["pages"] == 1


WRONG: list[tuple[str, str, Any, int, str]] = [
    ("GET", "nowhere/documents", None, 404, "collection_not_found"),
    (
        "POST",
        "books/documents",
        {"documentId": "emma", "data": {"title": "E"}},
        409,
        "document_already_exists",
    ),
    (
        "POST",
        "books/documents",
        {"documentId": "x", "data": {"colour": 1}},
        400,
        "document_invalid_structure",
    ),
    ("POST", "books/documents", {"documentId": "x"}, 400, "document_missing_data"),
    ("POST", "books/documents", {"data": {"title": "E"}}, 400, "general_argument_invalid"),
    ("PATCH", "books/documents/emma", {}, 400, "document_missing_payload"),
    ("PATCH", "books/documents/emma/title/increment", {}, 400, "attribute_type_invalid"),
    ("PATCH", "books/documents/emma/pages/increment", {"max": 1}, 400, "attribute_limit_exceeded"),
    (
        "POST",
        "books/attributes/boolean",
        {"key": "title", "required": False},
        409,
        "attribute_already_exists",
    ),
    ("PATCH", "books/attributes/boolean/title", {"required": False}, 400, "attribute_type_invalid"),
    ("POST", "books/indexes", {"key": "i", "type": "key", "attributes": ["x"]}, 400, "index_invalid"),
    ("POST", "", {"collectionId": "books", "name": "B"}, 409, "collection_already_exists"),
    ("POST", "", {"tableId": "books", "name": "B"}, 400, "general_argument_invalid"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "type_"), WRONG)
def test_errors_have_the_types_and_words_of_the_legacy_vocabulary(
    project: Project, books: Databases, method: str, path: str, body: Any, status: int, type_: str
) -> None:
    books.create_document("shop", "books", "emma", {"title": "Emma"})
    at = "/databases/shop/collections" + (f"/{path}" if path else "")
    answer = project.server.request(method, at, json=body)

    assert error_of(answer) == (status, type_)
    for word in ("row", "table", "column"):
        assert word not in answer.json()["message"].lower()


def test_a_name_of_somebodys_own_is_not_reworded(project: Project, books: Databases) -> None:
    answer = project.server.get("/databases/shop/collections/table")

    assert answer.json()["message"] == "The collection `table` was not found."


# -- what is around them -----------------------------------------------------------------------------------


async def test_a_change_is_written_down_once_and_in_the_same_words(
    platform: Platform, project: Project, books: Databases, tables: TablesDB
) -> None:
    books.create_boolean_attribute("shop", "books", "sold", required=False)
    books.create_document("shop", "books", "emma", {"title": "Emma"})
    tables.create_row("shop", "books", "jane", {"title": "Jane"})
    books.delete_document("shop", "books", "emma")

    written = await outbox(platform, project)
    assert [event for event, _ in written] == [
        "databases.shop.create",
        "databases.shop.tables.books.create",
        "databases.shop.tables.books.columns.sold.create",
        "databases.shop.tables.books.rows.emma.create",
        "databases.shop.tables.books.rows.jane.create",
        "databases.shop.tables.books.rows.emma.delete",
    ]
    assert not any("collection" in payload or "document" in payload for _, payload in written)


@pytest.mark.parametrize(
    ("event", "called"),
    [
        (
            "databases.a.tables.b.rows.c.create",
            ["databases.a.collections.b.documents.c.create", "tablesdb.a.tables.b.rows.c.create"],
        ),
        (
            "databases.tables.tables.rows.columns.c.update",
            [
                "databases.tables.collections.rows.attributes.c.update",
                "tablesdb.tables.tables.rows.columns.c.update",
            ],
        ),
        ("databases.a.delete", ["databases.a.delete", "tablesdb.a.delete"]),
        ("teams.tables.update", []),
    ],
)
def test_an_event_can_be_asked_for_by_all_of_its_names(event: str, called: list[str]) -> None:
    assert events.names(event) == (event, *called)


@pytest.mark.parametrize(
    ("version", "is_number"), [("1.8.0", True), ("1.7.4", True), ("1.9.0", False), ("2.5.0", False)]
)
def test_older_sdks_get_the_sequence_as_a_number(
    project: Project, books: Databases, version: str, is_number: bool
) -> None:
    books.create_document("shop", "books", "emma", {"title": "Emma"})
    headers = {"X-Appwrite-Response-Format": version}
    at = "/databases/shop/collections/books/documents"
    single = project.server.get(f"{at}/emma", headers=headers).json()
    many = project.server.post(at, json={"documents": [{"title": "Jane"}]}, headers=headers).json()

    assert isinstance(single["$sequence"], int) is is_number
    assert isinstance(many["documents"][0]["$sequence"], int) is is_number
    assert project.server.get(at, headers=headers).json()["documents"][0] == single


@pytest.mark.parametrize(("service", "shut", "open_"), [
    ("databases", "/databases/shop/collections/books/documents", "/tablesdb/shop/tables/books/rows"),
    ("tablesdb", "/tablesdb/shop/tables/books/rows", "/databases/shop/collections/books/documents"),
])  # fmt: skip
def test_one_vocabulary_can_be_switched_off_for_users(
    project: Project, books: Databases, jane: User, service: str, shut: str, open_: str
) -> None:
    switched = project.admin.patch(f"/project/services/{service}", json={"enabled": False})
    assert switched.status_code == 200, switched.text

    assert error_of(jane.client.get(shut)) == (403, "general_service_disabled")
    assert jane.client.get(open_).status_code == 200
    assert project.server.get(shut).status_code == 200


def test_schema_files_have_no_legacy_name(project: Project, books: Databases) -> None:
    assert error_of(project.server.get("/databases/shop/schema")) == (404, "general_route_not_found")


# -- relationships and transactions ------------------------------------------------------------------------


def test_collections_are_related_by_attributes(books: Databases, tables: TablesDB) -> None:
    books.create_collection("shop", "authors", "Authors")
    made = books.create_relationship_attribute(
        "shop", "books", "authors", RelationshipType.MANYTOONE, key="author", on_delete=RelationMutate.SETNULL
    )
    assert (made.key, made.type, made.relatedcollection) == ("author", "relationship", "authors")
    assert (made.relationtype, made.twoway, made.ondelete) == ("manyToOne", False, "setNull")

    changed = books.update_relationship_attribute("shop", "books", "author", RelationMutate.CASCADE)
    assert changed.ondelete == "cascade"
    listed = books.list_attributes("shop", "books").attributes
    assert listed[-1].relatedcollection == "authors"
    assert tables.get_column("shop", "books", "author").relatedtable == "authors"


@pytest.mark.parametrize(("version", "loaded"), [("1.7.0", True), ("1.8.0", False), ("2.5.0", False)])
def test_related_documents_come_when_they_are_selected_and_before_1_8_always(
    project: Project, books: Databases, version: str, loaded: bool
) -> None:
    attributes = [{"key": "name", "type": "string", "size": 40, "required": True}]
    books.create_collection("shop", "authors", "Authors", attributes=attributes)
    books.create_relationship_attribute(
        "shop",
        "books",
        "authors",
        RelationshipType.MANYTOONE,
        key="author",
        two_way=True,
        two_way_key="books",
    )
    books.create_document("shop", "authors", "jane", {"name": "Jane"})
    books.create_document("shop", "books", "emma", {"title": "Emma", "author": "jane"})
    at, headers = "/databases/shop/collections/books/documents", {"X-Appwrite-Response-Format": version}
    single = project.server.get(f"{at}/emma", headers=headers).json()
    listed = project.server.get(at, headers=headers).json()["documents"][0]
    selected = project.server.get(
        f"{at}/emma", params={"queries[]": Query.select(["title", "author.name"])}
    ).json()

    assert listed == single
    assert (isinstance(single.get("author"), dict)) is loaded
    if loaded:
        assert (single["author"]["name"], single["author"]["$collectionId"]) == ("Jane", "authors")
    assert (selected["author"]["name"], selected["author"]["$collectionId"]) == ("Jane", "authors")


def test_changes_of_documents_are_staged_and_happen_together(books: Databases, tables: TablesDB) -> None:
    begun = books.create_transaction(ttl=120)
    staged = books.create_document("shop", "books", "emma", {"title": "Emma"}, transaction_id=begun.id)
    named = {"databaseId": "shop", "collectionId": "books"}
    counted = books.create_operations(
        begun.id,
        [
            {**named, "action": "create", "documentId": "jane", "data": {"title": "Jane"}},
            {
                **named,
                "action": "increment",
                "documentId": "emma",
                "data": {"attribute": "pages", "value": 6},
            },
        ],
    )
    assert (staged.collectionid, counted.operations) == ("books", 3)
    assert books.list_documents("shop", "books").total == 0
    assert books.get_document("shop", "books", "jane", transaction_id=begun.id).id == "jane"

    assert books.update_transaction(begun.id, commit=True).status == "committed"
    rows = {row.id: data(row) for row in tables.list_rows("shop", "books").rows}
    assert rows == {"emma": {"title": "Emma", "pages": 7}, "jane": {"title": "Jane", "pages": 1}}
    assert books.get_transaction(begun.id).status == "committed"
    assert begun.id in [each.id for each in books.list_transactions().transactions]


def test_a_transaction_is_rolled_back_deleted_and_refused_in_legacy_words(books: Databases) -> None:
    begun = books.create_transaction()
    books.create_document("shop", "books", "emma", {"title": "Emma"}, transaction_id=begun.id)
    with pytest.raises(AppwriteException) as caught:
        books.update_document("shop", "books", "nobody", {"title": "N"}, transaction_id=begun.id)
    assert refused(caught) == (404, "document_not_found")

    assert books.update_transaction(begun.id, rollback=True).status == "rolled_back"
    assert books.list_documents("shop", "books").total == 0
    books.delete_transaction(begun.id)
    with pytest.raises(AppwriteException) as caught:
        books.get_transaction(begun.id)
    assert refused(caught) == (404, "transaction_not_found")


def test_what_is_wrong_with_an_operation_is_said_in_the_words_of_documents(
    project: Project, books: Databases
) -> None:
    path = f"/databases/transactions/{books.create_transaction().id}/operations"
    at = {"databaseId": "shop", "collectionId": "books", "documentId": "nobody"}
    nobody = project.server.post(path, json={"operations": [{**at, "action": "delete"}]})
    assert error_of(nobody) == (404, "document_not_found")
    assert nobody.json()["message"] == "operations[0]: The document `nobody` was not found."

    unnamed = {**at, "action": "increment", "data": {"column": "price"}}
    answer = project.server.post(path, json={"operations": [unnamed]})
    assert error_of(answer) == (400, "general_argument_invalid")
    assert "operations[0].data.attribute" in answer.json()["message"]
