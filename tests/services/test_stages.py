"""Stages: what somebody who begins with a project does once."""

from __future__ import annotations

import httpx
from appwrite.services.users import Users

from tests.platform import PASSWORD, Platform, Project, error_of, unique
from tests.process.installation import until
from tests.services.second_factor import ok, run_sql

SDK = {"X-SDK-Name": "Web"}


def stage_list(project: Project) -> list[dict[str, str]]:
    told = ok(project.platform.console.get(f"/projects/{project.id}/stages")).json()
    return list(told["stages"])


def stages_of(project: Project) -> dict[str, tuple[str, str, str]]:
    """The status of each stage, what it came of, and which SDK that used."""
    found = stage_list(project)
    assert all(bool(each["at"]) == (each["status"] != "pending") for each in found)
    return {each["id"]: (each["status"], each["actorType"], each["sdk"]) for each in found}


def skip(project: Project, stage: str, **said: object) -> httpx.Response:
    return project.platform.console.patch(f"/projects/{project.id}/stages/{stage}", json=said)


PENDING = ("pending", "", "")


def test_stages_are_completed_by_what_is_done_first(platform: Platform) -> None:
    project_id = unique("p")
    platform.console.post("/projects", json={"projectId": project_id, "name": "New", "teamId": "default"})
    project = Project(platform, project_id, "")
    assert stages_of(project) == dict.fromkeys(("platform", "key", "ping", "user", "table"), PENDING)

    web = {"platformId": "w", "name": "Web", "hostname": "shop.example.com"}
    assert project.admin.post(
        "/project/platforms/web", json=web, headers={"X-SDK-Name": "Console"}
    ).is_success
    project.key = project.key_with("users.write", "databases.write", "tables.write")
    Users(project.sdk(key=project.key)).create("ada", "ada@example.com", password=PASSWORD)
    project.guest.get("/ping", headers=SDK)
    server = platform.client(project_id, key=project.key)
    assert server.post("/tablesdb", json={"databaseId": "d", "name": "D"}).status_code == 201
    assert stages_of(project)["table"] == PENDING
    assert server.post("/tablesdb/d/tables", json={"tableId": "t", "name": "T"}).status_code == 201

    assert stages_of(project)["table"][0] == "completed"
    expected = {
        "platform": ("completed", "admin", "console"),
        "key": ("completed", "admin", ""),
        "ping": ("completed", "guest", "web"),
        "user": ("completed", "keyProject", "python"),
        "table": ("completed", "keyProject", ""),
    }
    until(lambda: stages_of(project) == expected, 30)
    assert stages_of(project) == expected
    seen = platform.console.get(f"/projects/{project_id}/stages").json()

    project.admin.delete("/project/platforms/w")
    project.admin.post("/project/platforms/web", json=web)
    project.guest.get("/ping", headers={"X-SDK-Name": "Flutter"})
    counted = platform.console.get
    until(lambda: counted(f"/projects/{project_id}").json()["pingCount"] == 2, 30)
    assert counted(f"/projects/{project_id}").json()["pingedAt"]
    assert counted(f"/projects/{project_id}/stages").json() == seen


def test_nobody_is_named_for_what_was_there_before(platform: Platform) -> None:
    first = Project(platform, platform.project, platform.key)
    [made] = [
        each["$createdAt"]
        for each in first.admin.get("/project/keys").json()["keys"]
        if each["$id"] == "default"
    ]
    key = ok(first.admin.post("/project/keys", json={"keyId": "unique()", "name": "Later", "scopes": []}))
    told = "select from freehold.audit where request_id = $1"
    until(lambda: run_sql(first, told, key.headers["x-request-id"]), 30)

    [stage] = [each for each in stage_list(first) if each["id"] == "key"]
    assert stage == {"id": "key", "sdk": "", "status": "completed", "at": made, "actorType": ""}


def test_a_stage_is_skipped_and_taken_up_again(project: Project) -> None:
    assert skip(project, "ping").json()["status"] == "skipped"
    assert stages_of(project)["ping"] == ("skipped", "user", "")

    assert skip(project, "ping", skip=False).json() == {
        "id": "ping", "sdk": "", "status": "pending", "at": "", "actorType": "",
    }  # fmt: skip
    skip(project, "ping", skip=True)
    project.guest.get("/ping", headers=SDK)
    until(lambda: stages_of(project)["ping"][0] == "completed", 30)
    assert stages_of(project)["ping"] == ("completed", "guest", "web")
    assert skip(project, "ping").json()["status"] == "completed"


def test_there_are_no_other_stages(project: Project) -> None:
    assert error_of(skip(project, "party")) == (400, "general_argument_invalid")
    assert error_of(skip(project, "ping", skip="perhaps")) == (400, "general_argument_invalid")
    at = f"/projects/{project.id}/stages"
    for client in (project.server, project.guest, project.new_user().client):
        assert client.get(at).status_code in (401, 403)
        assert client.patch(f"{at}/ping", json={}).status_code in (401, 403)
    assert stages_of(project)["ping"] == PENDING
    assert error_of(project.platform.console.get("/projects/none/stages")) == (404, "project_not_found")
