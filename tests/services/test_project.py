"""One project from within: keys, platforms, labels and switches."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from appwrite.exception import AppwriteException
from appwrite.query import Query
from appwrite.services.project import Project as ProjectService
from appwrite.services.teams import Teams
from appwrite.services.users import Users

from tests.platform import Platform, Project, User, error_of


def service(project: Project) -> ProjectService:
    return ProjectService(project.sdk(key=project.key))


def refused(call: Any, *arguments: Any) -> tuple[int, str]:
    with pytest.raises(AppwriteException) as error:
        call(*arguments)
    return error.value.code, error.value.type


def test_the_project_tells_of_itself(project: Project) -> None:
    found = service(project).get()

    assert (found.id, found.name, found.teamid, found.region) == (project.id, "Shop", "default", "default")
    assert all(each.enabled for each in [*found.services, *found.protocols, *found.authmethods])
    assert project.admin.get("/project").json()["$id"] == project.id


def test_older_sdks_get_the_project_as_they_know_it(project: Project) -> None:
    project.admin.patch("/project/services/teams", json={"enabled": False})
    old = project.admin.get("/project", headers={"X-Appwrite-Response-Format": "1.8.0"}).json()
    new = project.admin.get("/project", headers={"X-Appwrite-Response-Format": "2.5.0"}).json()

    assert old["serviceStatusForTeams"] is False
    assert old["serviceStatusForUsers"] is True
    assert old["authEmailPassword"] is True
    assert old["keys"] == old["platforms"] == []
    assert "serviceStatusForTeams" not in new


def test_the_console_makes_a_key_and_the_key_does_what_its_scopes_say(project: Project) -> None:
    made = project.admin.post(
        "/project/keys", json={"keyId": "readers", "name": "Readers", "scopes": ["users.read", "users.read"]}
    )
    users = Users(project.sdk(key=made.json()["secret"]))

    assert made.status_code == 201
    assert made.json()["scopes"] == ["users.read"]
    assert made.json()["secret"].startswith("standard_")
    assert made.json()["expire"] == ""
    assert users.list().total == 0
    assert refused(users.create, "unique()") == (401, "general_unauthorized_scope")
    assert users.list().total == 0


def test_a_key_is_shown_again_and_notes_who_used_it(project: Project) -> None:
    secret = project.key_with("users.read")
    Users(project.sdk(key=secret)).list()
    # The key with every scope holds this one as well.
    shown = next(key for key in service(project).list_keys().keys if key.scopes == ["users.read"])

    assert shown.secret == secret
    assert shown.sdks == ["python"]
    assert shown.accessedat != ""


def test_a_key_can_be_changed_and_that_holds_at_once(project: Project) -> None:
    secret = project.key_with("users.read")
    key_id = next(key.id for key in service(project).list_keys().keys if key.secret == secret)
    users = Users(project.sdk(key=secret))
    assert users.list().total == 0
    changed = service(project).update_key(key_id, "Renamed", ["teams.read"])

    assert (changed.name, changed.scopes, changed.secret) == ("Renamed", ["teams.read"], secret)
    assert refused(users.list) == (401, "general_unauthorized_scope")
    assert Teams(project.sdk(key=secret)).list().total == 0


def test_a_key_that_has_expired_says_so(project: Project) -> None:
    past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="milliseconds")
    body = {"keyId": "old", "name": "Old", "scopes": ["users.read"], "expire": past}
    made = project.admin.post("/project/keys", json=body).json()

    assert made["expire"] == past
    answer = project.platform.client(project.id, key=made["secret"]).get("/users")
    assert error_of(answer) == (401, "project_key_expired")


@pytest.mark.parametrize(
    ("expire", "stored"),
    [
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999+00:00"),
        ("2999-01-01T00:00:00", "2999-01-01T00:00:00.000+00:00"),
        ("2999-01-01T02:00:00.5+02:00", "2999-01-01T00:00:00.500+00:00"),
    ],
)
def test_a_keys_end_is_kept_to_the_millisecond(project: Project, expire: str, stored: str) -> None:
    body = {"keyId": "k", "name": "k", "scopes": ["users.read"], "expire": expire}
    made = project.admin.post("/project/keys", json=body).json()

    assert made["expire"] == stored
    assert project.platform.client(project.id, key=made["secret"]).get("/users").status_code == 200


@pytest.mark.parametrize("expire", ["soon", "", "9999-12-31T23:59:59-14:00", "2026-13-01T00:00:00Z", 5, True])
def test_a_keys_end_is_a_time(project: Project, expire: object) -> None:
    body = {"keyId": "k", "name": "k", "scopes": ["users.read"], "expire": expire}

    refused = project.admin.post("/project/keys", json=body)
    assert error_of(refused) == (400, "general_argument_invalid")


def test_a_deleted_key_is_a_guest_at_once(project: Project) -> None:
    secret = project.key_with("users.read")
    key_id = next(key.id for key in service(project).list_keys().keys if key.secret == secret)
    client = project.platform.client(project.id, key=secret)
    assert client.get("/users").status_code == 200
    service(project).delete_key(key_id)

    assert error_of(client.get("/users")) == (401, "general_unauthorized_scope")
    assert refused(service(project).get_key, key_id) == (404, "key_not_found")
    assert refused(service(project).delete_key, key_id) == (404, "key_not_found")


def test_a_key_id_is_taken_once_and_a_scope_has_to_exist(project: Project) -> None:
    body = {"keyId": "one", "name": "x", "scopes": ["users.read"]}
    assert project.admin.post("/project/keys", json=body).status_code == 201

    assert error_of(project.admin.post("/project/keys", json=body)) == (409, "key_already_exists")
    odd = project.admin.post("/project/keys", json={**body, "keyId": "two", "scopes": ["users.*"]})
    assert error_of(odd) == (400, "general_argument_invalid")
    assert service(project).list_keys().total == 2


def test_keys_are_found_by_a_scope(project: Project) -> None:
    project.key_with("users.read", "teams.read")

    def count(*granted: str) -> int:
        return int(service(project).list_keys([Query.contains_all("scopes", list(granted))]).total)

    assert (count("users.read"), count("users.read", "teams.read"), count("nothing")) == (2, 2, 0)


def test_an_ephemeral_key_holds_for_its_while(project: Project) -> None:
    made = service(project).create_ephemeral_key(["users.read"], 60)
    users = Users(project.sdk(key=made.secret))

    assert made.secret.startswith("ephemeral_")
    assert made.scopes == ["users.read"]
    assert users.list().total == 0
    assert refused(users.create, "unique()") == (401, "general_unauthorized_scope")
    assert service(project).list_keys().total == 1

    brief = Users(project.sdk(key=service(project).create_ephemeral_key(["users.read"], 1).secret))
    time.sleep(2)
    assert refused(brief.list) == (401, "general_unauthorized_scope")


PLATFORMS = [
    ("web", "hostname", "shop.example.org"),
    ("apple", "bundleidentifier", "org.example.shop"),
    ("android", "applicationid", "org.example.shop"),
    ("windows", "packageidentifiername", "Example.Shop"),
    ("linux", "packagename", "shop"),
]


@pytest.mark.parametrize(("kind", "field", "identifier"), PLATFORMS)
def test_a_platform_is_made_found_changed_and_deleted(
    project: Project, kind: str, field: str, identifier: str
) -> None:
    platforms = service(project)
    made = getattr(platforms, f"create_{kind}_platform")("app", "App", identifier)
    changed = getattr(platforms, f"update_{kind}_platform")("app", "App 2", f"{identifier}2")
    found = platforms.get_platform("app")

    assert (made.type.value, getattr(made, field)) == (kind, identifier)
    assert (changed.name, getattr(changed, field)) == ("App 2", f"{identifier}2")
    assert found.model_dump() == changed.model_dump()
    assert [each.id for each in platforms.list_platforms([Query.equal("type", [kind])]).platforms] == ["app"]
    assert refused(getattr(platforms, f"create_{kind}_platform"), "app", "x", identifier) == (
        409,
        "platform_already_exists",
    )
    platforms.delete_platform("app")
    assert refused(platforms.get_platform, "app") == (404, "platform_not_found")
    assert platforms.list_platforms().total == 0


def test_a_platform_is_changed_by_the_method_of_its_own_kind(project: Project) -> None:
    service(project).create_web_platform("site", "Site", "shop.example.org")

    answer = refused(service(project).update_linux_platform, "site", "x", "shop")
    assert answer == (400, "platform_method_unsupported")
    assert service(project).get_platform("site").hostname == "shop.example.org"


def test_older_sdks_make_platforms_of_every_kind_in_one_place(project: Project) -> None:
    console = project.platform.console
    old = {"X-Appwrite-Response-Format": "1.8.0"}
    made = console.post(
        f"/projects/{project.id}/platforms",
        json={"type": "flutter-android", "name": "App", "key": "org.example.shop"},
        headers=old,
    )
    path = f"/projects/{project.id}/platforms/{made.json()['$id']}"
    changed = console.put(path, json={"name": "App", "key": "org.example.two"}, headers=old)

    assert made.status_code == 201
    assert (made.json()["key"], made.json()["hostname"]) == ("org.example.shop", "")
    assert changed.json()["key"] == "org.example.two"
    assert service(project).list_platforms().platforms[0].applicationid == "org.example.two"


def test_a_page_may_call_from_the_moment_its_platform_stands(project: Project, jane: User) -> None:
    origin = {"Origin": "https://shop.example.org"}
    assert error_of(jane.client.get("/account", headers=origin)) == (403, "general_unknown_origin")
    service(project).create_web_platform("site", "Site", "shop.example.org")
    allowed = jane.client.get("/account", headers=origin)

    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://shop.example.org"
    service(project).delete_platform("site")
    assert error_of(jane.client.get("/account", headers=origin)) == (403, "general_unknown_origin")


def test_labels_are_replaced(project: Project) -> None:
    assert service(project).update_labels(["one", "one", "two"]).labels == ["one", "two"]
    assert service(project).update_labels([]).labels == []
    assert refused(service(project).update_labels, ["not plain"]) == (400, "general_argument_invalid")


def test_a_service_that_is_switched_off_refuses_clients_but_not_keys(project: Project, jane: User) -> None:
    switched = service(project).update_service("teams", False)

    assert {each.id.value for each in switched.services if not each.enabled} == {"teams"}
    assert error_of(jane.client.get("/teams")) == (403, "general_service_disabled")
    assert jane.client.get("/account").status_code == 200
    assert Teams(project.sdk(key=project.key)).list().total == 0
    service(project).update_service("teams", True)
    assert jane.client.get("/teams").status_code == 200


def test_a_protocol_that_is_switched_off_refuses_clients_but_not_keys(project: Project, jane: User) -> None:
    service(project).update_protocol("rest", False)

    assert error_of(jane.client.get("/account")) == (403, "general_api_disabled")
    service(project).update_protocol("rest", True)
    assert jane.client.get("/account").status_code == 200


def test_older_sdks_switch_services_and_protocols_too(project: Project, jane: User) -> None:
    console = project.platform.console
    console.patch(f"/projects/{project.id}/service", json={"service": "teams", "status": False})
    assert error_of(jane.client.get("/teams")) == (403, "general_service_disabled")
    console.patch(f"/projects/{project.id}/api", json={"api": "rest", "status": False})
    assert error_of(jane.client.get("/account")) == (403, "general_api_disabled")


@pytest.mark.parametrize("path", ["services/everything", "protocols/ftp", "auth-methods/guessing"])
def test_what_does_not_exist_cannot_be_switched(project: Project, path: str) -> None:
    answer = project.admin.patch(f"/project/{path}", json={"enabled": False})

    assert error_of(answer) == (400, "general_argument_invalid")


def test_switches_that_are_thrown_at_once_are_all_kept(project: Project) -> None:
    from concurrent.futures import ThreadPoolExecutor

    names = ["teams", "users", "storage", "locale", "avatars", "functions"]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: service(project).update_service(name, False), names))

    assert {each.id.value for each in service(project).get().services if not each.enabled} == set(names)


def test_the_console_project_has_no_keys_or_platforms(platform: Platform) -> None:
    assert error_of(platform.console.get("/project/keys")) == (401, "general_access_forbidden")
    assert error_of(platform.console.get("/projects/console/keys"))[0] in (400, 401)


def test_clients_do_not_see_into_the_project(project: Project, jane: User) -> None:
    for path in ("/project", "/project/keys", "/project/platforms"):
        for client in (jane.client, project.guest):
            assert error_of(client.get(path)) == (401, "general_unauthorized_scope")
