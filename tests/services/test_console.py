"""What the console and the command line ask of the server first."""

from __future__ import annotations

from freehold.access import scopes
from freehold.config import Settings
from tests.platform import PASSWORD, Platform, error_of, session_of


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
