"""What the console and the command line ask of the server first."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import httpx

from freehold.access import scopes
from freehold.config import Settings
from tests.platform import PASSWORD, Platform, Project, User, error_of, session_of
from tests.services.in_process import ask


def test_the_variables_tell_the_truth(platform: Platform) -> None:
    variables = platform.console.get("/console/variables").json()

    assert variables["_APP_DB_ADAPTER"] == "postgresql"
    assert variables["supportForSchemas"] is True
    assert variables["_APP_VCS_ENABLED"] is False
    assert variables["_APP_USAGE_STATS"] == "enabled"
    assert variables["_APP_STORAGE_LIMIT"] == Settings().file_limit
    assert (variables["supportForRelationships"], variables["supportForOperators"]) == (True, True)
    assert (variables["supportForFulltextWildcard"], variables["supportForMultipleFulltextIndexes"]) == (
        True,
        True,
    )
    assert (variables["supportForSpatials"], variables["supportForSpatialIndexNull"]) == (True, True)
    assert variables["spatialBacking"] == "postgresql"
    assert len(variables) == 30


def test_the_scopes_are_those_that_keys_may_hold(platform: Platform) -> None:
    listed = platform.console.get("/console/scopes/project").json()
    organization = platform.console.get("/console/scopes/organization").json()

    assert {each["$id"] for each in listed["scopes"]} == scopes.ALL_PROJECT
    assert listed["total"] == len(scopes.ALL_PROJECT)
    assert {each["$id"] for each in listed["scopes"] if each["deprecated"]} == scopes.DEPRECATED
    assert [each["$id"] for each in organization["scopes"]] == list(scopes.ORGANIZATION)


def test_the_console_has_no_admin_mode(platform: Platform) -> None:
    answer = platform.console.get("/account", headers={"X-Appwrite-Mode": "admin"})

    assert error_of(answer) == (400, "general_bad_request")


def test_a_console_user_is_nobody_in_a_project_without_admin_mode(platform: Platform) -> None:
    project = platform.new_project()
    cookie = {"Cookie": f"a_session_console={platform.root_session}"}

    assert error_of(project.guest.get("/users", headers=cookie)) == (401, "general_unauthorized_scope")
    assert project.guest.get("/users", headers={**cookie, "X-Appwrite-Mode": "admin"}).status_code == 200


def test_the_users_of_the_console_are_listed_to_nobody(platform: Platform) -> None:
    assert error_of(platform.console.get("/users")) == (401, "general_unauthorized_scope")


def test_signing_in_on_the_console_gives_a_cookie_of_its_own(platform: Platform) -> None:
    answer = platform.client("console").post(
        "/account/sessions/email", json={"email": "root@example.com", "password": PASSWORD}
    )

    assert session_of(answer) != platform.root_session
    assert answer.json()["secret"] == ""


OURS = "https://api.example.com/v1"


def resource(platform: Platform, data: Path, name: str, kind: str = "rules") -> httpx.Response:
    """Whether a host name is free where api.example.com and shop.example.com lead."""
    path = f"console/resources?{urlencode({'value': name, 'type': kind})}"
    return ask(
        platform, data, platform.console, "GET", path, public_endpoint=OURS, domains=("shop.example.com",)
    )


def test_the_host_names_of_the_installation_are_taken(platform: Platform, tmp_path: Path) -> None:
    for taken in ("api.example.com", "API.example.com", "shop.example.com", "localhost", "app.localhost"):
        assert error_of(resource(platform, tmp_path, taken)) == (409, "resource_already_exists")
    for free in ("www.example.com", "example.com", "x", "xn--bcher-kva.example"):
        answer = resource(platform, tmp_path, free)
        assert (answer.status_code, answer.content) == (204, b"")
    for none in (
        "",
        "a b",
        "-a.example.com",
        "a..b",
        "10.0.0.1",
        "https://example.com",
        "a" * 64,
        "é.example",
    ):
        assert error_of(resource(platform, tmp_path, none)) == (400, "general_argument_invalid")
    assert error_of(resource(platform, tmp_path, "x", "functions")) == (400, "general_argument_invalid")


def test_only_the_console_asks_for_host_names(platform: Platform, project: Project, jane: User) -> None:
    asked = {"value": "www.example.com", "type": "rules"}
    assert platform.console.get("/console/resources", params=asked).status_code == 204

    for client in (platform.client("console"), project.guest, jane.client, project.server):
        assert client.get("/console/resources", params=asked).status_code == 401


def test_host_names_are_asked_for_120_times_a_minute(platform: Platform, tmp_path: Path) -> None:
    answer = resource(platform, tmp_path, "www.example.com")

    assert answer.headers["x-ratelimit-limit"] == "120"


def test_the_host_of_the_public_endpoint_need_not_be_named(platform: Platform, tmp_path: Path) -> None:
    guest = platform.client("console")

    assert ask(platform, tmp_path, guest, "GET", "health/version", public_endpoint=OURS).status_code == 200
    other = guest.get("/health/version", headers={"Host": "evil.example.com"})
    elsewhere = ask(
        platform, tmp_path, platform.client("console", Host="evil.example.com"), "GET", "health/version",
        public_endpoint=OURS,
    )  # fmt: skip
    assert other.status_code == 200  # in development mode
    assert elsewhere.status_code == 400
