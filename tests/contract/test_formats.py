"""Older SDKs name the format that they understand, and get it; newer ones are warned."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.platform import Platform, Project, User


def ask(client: httpx.Client, path: str, version: str) -> httpx.Response:
    headers = {"X-Appwrite-Response-Format": version} if version else {}
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.fixture
def row(project: Project) -> str:
    """The path of a row."""
    server = project.server

    def post(path: str, body: dict[str, Any]) -> None:
        assert server.post(path, json=body).status_code in (201, 202)

    post("/tablesdb", {"databaseId": "shop", "name": "Shop"})
    column = {"key": "title", "type": "varchar", "size": 20, "required": False}
    post("/tablesdb/shop/tables", {"tableId": "books", "name": "Books", "columns": [column]})
    post("/tablesdb/shop/tables/books/rows", {"rowId": "first", "data": {"title": "Emma"}})
    return "/tablesdb/shop/tables/books/rows/first"


NEW = ("", "1.9.5", "2.0.0", "2.5.0")


@pytest.mark.parametrize("version", [*NEW, "1.9.0", "nonsense", "1", "1.2.3.4", "-1.0.0", "1.a.0"])
def test_a_sequence_is_a_text(project: Project, row: str, version: str) -> None:
    assert isinstance(ask(project.server, row, version).json()["$sequence"], str)


@pytest.mark.parametrize("version", ["1.8.0", "1.8.1", "1.7", "0.0.1"])
def test_a_sequence_was_a_number(project: Project, row: str, version: str) -> None:
    now = ask(project.server, row, "").json()
    before = ask(project.server, row, version).json()
    listed = ask(project.server, row.removesuffix("/first"), version).json()

    assert before == now | {"$sequence": int(now["$sequence"])}
    assert listed["rows"] == [before]


@pytest.mark.parametrize("version", ["1.7.0", "1.8.0"])
def test_a_sequence_was_a_number_in_related_rows_too(project: Project, row: str, version: str) -> None:
    for kind, key in (("manyToOne", "over"), ("oneToMany", "below")):
        body = {"relatedTableId": "books", "type": kind, "key": key}
        made = project.server.post("/tablesdb/shop/tables/books/columns/relationship", json=body)
        assert made.status_code == 202, made.text
    data = {"over": {"title": "One"}, "below": [{"title": "Two"}, {"title": "Three"}]}
    headers = {"X-Appwrite-Response-Format": version}
    written = project.server.patch(row, json={"data": data}, headers=headers).json()
    select = json.dumps({"method": "select", "values": ["*", "over.*", "below.*"]})
    read = project.server.get(row, params={"queries[0]": select}, headers=headers).json()

    for answer in (written, read):
        related = [answer["over"], *answer["below"]]
        assert [type(each["$sequence"]) for each in related] == [int, int, int]


def test_what_is_written_is_answered_in_the_old_format_too(project: Project, row: str) -> None:
    changed = project.server.patch(
        row, json={"data": {"title": "Persuasion"}}, headers={"X-Appwrite-Response-Format": "1.8.0"}
    )

    assert isinstance(changed.json()["$sequence"], int)
    assert changed.json()["title"] == "Persuasion"


@pytest.mark.parametrize("version", [*NEW, "1.9.0", "nonsense"])
def test_a_user_has_the_fields_of_impersonation(jane: User, version: str) -> None:
    assert ask(jane.client, "/account", version).json()["impersonator"] is False


def test_a_user_had_no_fields_of_impersonation(jane: User, project: Project) -> None:
    account = ask(jane.client, "/account", "1.8.0").json()

    assert "impersonator" not in account
    assert "impersonatorUserId" not in account
    assert account["email"] == jane.email
    listed = ask(project.server, "/users", "1.8.0").json()["users"]
    assert ["impersonator" in each for each in listed] == [False]


@pytest.mark.parametrize(
    ("version", "told"), [("1.8.0", False), ("1.9.0", False), ("1.9.5", True), ("", True)]
)
def test_a_membership_tells_the_phone_from_1_9_2_on(jane: User, version: str, told: bool) -> None:
    made = jane.client.post("/teams", json={"teamId": "unique()", "name": "Arsenal"})
    members = ask(jane.client, f"/teams/{made.json()['$id']}/memberships", version).json()

    assert members["total"] == 1
    assert ("userPhone" in members["memberships"][0]) is told


@pytest.mark.parametrize(
    ("version", "flat"), [("1.8.0", True), ("1.9.0", True), ("1.9.5", False), ("", False)]
)
def test_a_project_was_flat_before_1_9_5(
    platform: Platform, project: Project, version: str, flat: bool
) -> None:
    listed = ask(platform.console, f"/projects?search={project.id}", version).json()["projects"]
    found = next(each for each in listed if each["$id"] == project.id)

    assert (found.get("authEmailPassword") is True) is flat
    assert (found.get("serviceStatusForStorage") is True) is flat
    assert (found.get("protocolStatusForRest") is True) is flat
    assert ("keys" in found) is flat


@pytest.mark.parametrize(
    ("version", "old"), [("1.8.0", True), ("1.9.0", False), ("1.9.5", False), ("", False)]
)
def test_a_platform_had_a_store_and_a_key_before_1_9_0(project: Project, version: str, old: bool) -> None:
    made = project.admin.post(
        "/project/platforms/apple",
        json={"platformId": "unique()", "name": "App", "bundleIdentifier": "com.example.app"},
    )
    assert made.status_code == 201, made.text
    found = ask(project.admin, "/project/platforms", version).json()["platforms"][0]

    assert ("store" in found) is old
    assert (found.get("key") == "com.example.app") is old
    assert (found.get("hostname") == "") is old


@pytest.mark.parametrize(
    ("version", "warned"),
    [("2.5.0", False), ("2.5.1", True), ("3.0.0", True), ("99999.0.0", True), ("1.8.0", False), ("", False)],
)
def test_who_is_ahead_of_the_server_is_warned(jane: User, version: str, warned: bool) -> None:
    answer = ask(jane.client, "/account", version)

    assert ("x-appwrite-warning" in answer.headers) is warned
    assert answer.json()["email"] == jane.email


@pytest.mark.parametrize("version", ["9" * 5000, "1e3.0", "²", "1..2", ".", "1.99999999999.0"])
def test_what_is_no_version_is_as_if_nothing_was_said(jane: User, version: str) -> None:
    answer = jane.client.get("/account", headers={"X-Appwrite-Response-Format": version.encode("latin-1")})

    assert answer.status_code == 200
    assert "x-appwrite-warning" not in answer.headers
    assert answer.json() == jane.client.get("/account").json()


def test_errors_are_the_same_in_every_format(project: Project) -> None:
    answer = project.server.get("/tablesdb/nowhere", headers={"X-Appwrite-Response-Format": "1.8.0"})

    assert answer.status_code == 404
    assert answer.json()["type"] == "database_not_found"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('equal("title", ["Emma"])', ["first"]),
        ('equal("title", "Emma")', ["first"]),
        ('notEqual("title", ["Emma"])', []),
        ('equal("title", ["E\\"mma, (1)"])', []),
        ('isNotNull("title")', ["first"]),
        ('between("title", "A", "F")', ["first"]),
        ('orderDesc("title")', ["first"]),
        ("offset(1)", []),
        ('select(["$id"])', ["first"]),
        ('{"method":"equal","attribute":"title","values":["Emma"]}', ["first"]),
    ],
)
def test_queries_were_function_calls_before_1_5(
    project: Project, row: str, query: str, found: list[str]
) -> None:
    for path, listed in (
        (row.removesuffix("/first"), "rows"),
        ("/databases/shop/collections/books/documents", "documents"),
    ):
        answer = project.server.get(
            path, params={"queries[]": query}, headers={"X-Appwrite-Response-Format": "1.4.0"}
        )
        assert answer.status_code == 200, answer.text
        assert [each["$id"] for each in answer.json()[listed]] == found


@pytest.mark.parametrize("version", ["1.5.0", "1.8.0", ""])
def test_newer_sdks_spell_queries_as_json_alone(project: Project, row: str, version: str) -> None:
    headers = {"X-Appwrite-Response-Format": version} if version else {}
    answer = project.server.get(
        row.removesuffix("/first"), params={"queries[]": 'equal("title", ["Emma"])'}, headers=headers
    )

    assert (answer.status_code, answer.json()["type"]) == (400, "general_query_invalid")


@pytest.mark.parametrize(
    "query", ["equal()", 'equal("title"', 'drop("title")', "equal(title)", 'equal(["title"])', "x(" * 2000]
)
def test_what_was_no_query_before_1_5_is_none_now(project: Project, row: str, query: str) -> None:
    answer = project.server.get(
        row.removesuffix("/first"),
        params={"queries[]": query},
        headers={"X-Appwrite-Response-Format": "1.4.0"},
    )

    assert (answer.status_code, answer.json()["type"]) == (400, "general_query_invalid")
