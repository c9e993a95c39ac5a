"""S22: what may not be done to rows may not be done to documents, and the other way round."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from freehold.services.databases.vocabulary import renamed
from tests.platform import Project, User
from tests.security.test_s13_wrong_types import ODD

ROW = {"data": {"name": "x"}}
TABLES = "/tablesdb/db/tables"


@pytest.fixture
def table(project: Project, jane: User) -> Project:
    """A table in which each user reaches its own rows; `hers` is Jane's."""
    project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    body = {
        "tableId": "t",
        "name": "T",
        "permissions": ['create("users")'],
        "rowSecurity": True,
        "columns": [
            {"key": "name", "type": "varchar", "size": 200, "required": True},
            {"key": "count", "type": "integer", "required": False},
        ],
    }
    assert project.server.post(TABLES, json=body).status_code == 201
    assert jane.client.post(f"{TABLES}/t/rows", json={"rowId": "hers", **ROW}).status_code == 201
    return project


def both(client: httpx.Client, method: str, path: str, body: Any = None, **params: Any) -> httpx.Response:
    """Do the same in the two vocabularies. Gives the answer, which was the same but for its words."""
    new = client.request(method, f"/tablesdb{path}", json=body, params=params)
    old_body = in_old_words(body)
    old = client.request(method, f"/databases{renamed(path)}", json=old_body, params=params)
    assert old.status_code == new.status_code, (old.text, new.text)
    if new.status_code >= 400:
        assert old.json()["type"] == renamed(new.json()["type"])
    return old


def in_old_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {renamed(name): each if name == "data" else in_old_words(each) for name, each in value.items()}
    return [in_old_words(each) for each in value] if isinstance(value, list) else value


def untouched(table: Project) -> None:
    rows = table.server.get(f"{TABLES}/t/rows").json()
    assert rows["total"] == 1
    assert (rows["rows"][0]["name"], rows["rows"][0]["count"]) == ("x", None)


DEEDS: list[tuple[str, str, Any]] = [
    ("GET", "/db/tables/t/rows/hers", None),
    ("PATCH", "/db/tables/t/rows/hers", {"data": {"name": "y"}}),
    ("PUT", "/db/tables/t/rows/hers", {"data": {"name": "y"}}),
    ("PATCH", "/db/tables/t/rows/hers/count/increment", {"value": 1}),
    ("PATCH", "/db/tables/t/rows/hers/count/decrement", {"value": 1}),
    ("DELETE", "/db/tables/t/rows/hers", None),
    ("POST", "/db/tables/t/rows", {"rows": [{"$id": "many", "name": "y"}]}),
    ("PUT", "/db/tables/t/rows", {"rows": [{"$id": "hers", "name": "y"}]}),
    ("PATCH", "/db/tables/t/rows", {"data": {"name": "y"}}),
    ("DELETE", "/db/tables/t/rows", {"queries": []}),
    ("POST", "/db/tables/t/rows", {"rowId": "two", **ROW, "permissions": ['read("user:somebody")']}),
]
SETTING_UP: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("POST", "", {"databaseId": "mine", "name": "Mine"}),
    ("DELETE", "/db", None),
    ("GET", "/db/tables", None),
    ("PUT", "/db/tables/t", {"name": "Mine", "permissions": ['read("any")']}),
    ("DELETE", "/db/tables/t", None),
    ("GET", "/db/tables/t/columns", None),
    ("POST", "/db/tables/t/columns/boolean", {"key": "b", "required": False}),
    ("DELETE", "/db/tables/t/columns/name", None),
    ("POST", "/db/tables/t/indexes", {"key": "i", "type": "key", "columns": ["name"]}),
]


@pytest.mark.parametrize(("method", "path", "body"), DEEDS + SETTING_UP)
def test_s22_others_may_do_as_little_to_documents_as_to_rows(
    table: Project, bob: User, method: str, path: str, body: Any
) -> None:
    for client in (table.guest, bob.client):
        assert both(client, method, path, body).status_code in (401, 404)
    untouched(table)


@pytest.mark.parametrize(("method", "path", "body"), DEEDS + SETTING_UP)
def test_s22_a_key_without_the_scope_does_nothing_in_either_vocabulary(
    table: Project, method: str, path: str, body: Any
) -> None:
    granted = ("documents.read", "rows.read", "collections.read", "databases.read")
    key = table.platform.client(table.id, key=table.key_with(*granted))

    assert both(key, method, path, body).status_code == (200 if method == "GET" else 401)
    untouched(table)


@pytest.mark.parametrize("value", ODD, ids=str)
def test_s13_parameters_of_another_type_are_refused_by_their_legacy_names(
    table: Project, jane: User, value: Any
) -> None:
    at = "/databases/db/collections"
    for client, method, path, body, name in (
        (jane.client, "POST", f"{at}/t/documents", {"documentId": value, **ROW}, "documentId"),
        (table.server, "POST", at, {"collectionId": value, "name": "U"}, "collectionId"),
        (table.server, "POST", at, {"collectionId": "u", "name": "U", "attributes": "x"}, "attributes"),
        (table.server, "PUT", f"{at}/t", {"documentSecurity": [value]}, "documentSecurity"),
    ):
        refused = client.request(method, path, json=body)
        assert refused.status_code == 400, refused.text
        assert f"`{name}`" in refused.json()["message"]
    untouched(table)
