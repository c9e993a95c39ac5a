"""The organization that a request names, its members, and the keys that act for it."""

from __future__ import annotations

import httpx
import pytest
from appwrite.services.organization import Organization

from tests.platform import Platform, Project, error_of, unique

FULL = ["projects.read", "projects.write"]


@pytest.fixture
def organization(platform: Platform) -> str:
    made = platform.console.post("/teams", json={"teamId": unique("org"), "name": "Arsenal"})
    return str(made.json()["$id"])


def acting(platform: Platform, organization: str) -> httpx.Client:
    """The owner, with the organization named."""
    return platform.client(
        "console", session=platform.root_session, **{"X-Appwrite-Organization": organization}
    )


def test_an_organization_is_read_renamed_and_deleted(platform: Platform, organization: str) -> None:
    owner = acting(platform, organization)
    project = platform.new_project(organization)
    owner.put("/organization", json={"name": "Gunners"})

    assert owner.get("/organization").json()["name"] == "Gunners"
    assert [each["roles"] for each in owner.get("/organization/memberships").json()["memberships"]] == [
        ["owner"]
    ]
    assert owner.delete("/organization").status_code == 204
    assert error_of(owner.get("/organization"))[0] == 404
    assert error_of(project.guest.get("/account")) == (404, "project_not_found")


def test_the_last_owner_stays(platform: Platform, organization: str) -> None:
    owner = acting(platform, organization)
    [own] = owner.get("/organization/memberships").json()["memberships"]
    path = f"/organization/memberships/{own['$id']}"

    assert owner.get(path).json()["confirm"]
    assert error_of(owner.patch(path, json={"roles": ["analyst"]})) == (
        400,
        "membership_downgrade_prohibited",
    )
    assert error_of(owner.delete(path)) == (400, "membership_deletion_prohibited")


def test_who_is_not_in_the_organization_does_not_find_it(platform: Platform, project: Project) -> None:
    assert error_of(acting(platform, "elsewhere").get("/organization")) == (404, "team_not_found")
    assert error_of(platform.console.get("/organization")) == (403, "organization_id_missing")
    assert error_of(project.server.get("/organization"))[0] == 401


def test_a_key_of_the_organization_makes_and_keeps_its_projects(
    platform: Platform, organization: str
) -> None:
    owner = acting(platform, organization)
    made = owner.post("/organization/keys", json={"keyId": "ci", "name": "CI", "scopes": FULL})
    assert made.status_code == 201, made.text
    service = Organization(platform.sdk("console", key=made.json()["secret"]))
    shop = service.create_project(unique("shop"), "Shop")

    assert shop.teamid == organization
    assert [each.id for each in service.list_projects().projects] == [shop.id]
    assert service.update_project(shop.id, "Renamed").name == "Renamed"
    service.delete_project(shop.id)
    assert owner.get("/organization/projects").json()["total"] == 0


def test_a_key_reaches_no_other_organization_and_does_only_what_it_may(
    platform: Platform, organization: str
) -> None:
    owner = acting(platform, organization)
    text = owner.post("/organization/keys", json={"name": "CI", "scopes": ["projects.read"]}).json()["secret"]
    key = platform.client("console", key=text)
    stray = platform.client("console", key=text, **{"X-Appwrite-Organization": "default"})

    assert key.get("/organization/projects").json()["total"] == 0
    assert error_of(stray.get("/organization/projects")) == (404, "team_not_found")
    assert error_of(stray.get(f"/organization/projects/{platform.project}")) == (404, "team_not_found")
    refused = key.post("/organization/projects", json={"projectId": "unique()", "name": "X"})
    assert error_of(refused) == (401, "general_unauthorized_scope")
    for path in ("/organization/keys", "/users", "/account"):
        assert key.get(path).status_code == 401
    assert platform.client(platform.project, key=text).get("/users").status_code == 401


def test_a_key_is_changed_and_deleted_and_that_holds_at_once(platform: Platform, organization: str) -> None:
    owner = acting(platform, organization)
    made = owner.post("/organization/keys", json={"keyId": "ci", "name": "CI", "scopes": FULL}).json()
    key = platform.client("console", key=made["secret"])
    assert key.get("/organization/projects").status_code == 200
    owner.put("/organization/keys/ci", json={"name": "CI", "scopes": []})

    assert error_of(key.get("/organization/projects"))[0] == 401
    assert owner.get("/organization/keys/ci").json()["scopes"] == []
    assert owner.delete("/organization/keys/ci").status_code == 204
    assert owner.get("/organization/keys").json()["total"] == 0
    unknown = owner.post("/organization/keys", json={"name": "CI", "scopes": ["users.read"]})
    assert error_of(unknown) == (400, "general_argument_invalid")
