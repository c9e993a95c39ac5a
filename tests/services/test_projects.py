"""Projects as console users make and keep them in their organizations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import asyncpg
import httpx
import pytest
from appwrite.query import Query
from appwrite.services.organization import Organization

from tests.platform import PASSWORD, Platform, error_of, running_platform, session_of, unique
from tests.postgres import Server
from tests.process.installation import until

ELSE = "else@example.com"
DEVELOPER = "developer@example.com"


@pytest.fixture(scope="module")
def crowded(postgres: Server) -> Iterator[Platform]:
    """A platform on whose console several people may register."""
    with running_platform(postgres, "--dev", FREEHOLD_CONSOLE_EMAILS=f"{ELSE},{DEVELOPER}") as running:
        running.register_root()
        yield running


def console_user(platform: Platform, email: str) -> httpx.Client:
    """Someone else on the console, signed in; registered if need be."""
    guest = platform.client("console")
    guest.post("/account", json={"userId": "unique()", "email": email, "password": PASSWORD, "name": "Else"})
    signed_in = guest.post("/account/sessions/email", json={"email": email, "password": PASSWORD})
    assert signed_in.status_code == 201, signed_in.text
    return platform.client("console", session=session_of(signed_in))


def execute(database_url: str, sql: str, *values: object) -> list[asyncpg.Record]:
    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(database_url)
        try:
            return await connection.fetch(sql, *values)
        finally:
            await connection.close()

    return asyncio.run(run())


def test_the_first_user_owns_the_default_project(platform: Platform) -> None:
    projects = platform.console.get("/projects", params={"search": "default"}).json()["projects"]

    assert [(each["$id"], each["teamId"]) for each in projects] == [(platform.project, "default")]
    assert platform.client(platform.project, key=platform.key).get("/users").status_code == 200


def test_a_project_is_made_found_renamed_and_deleted(platform: Platform) -> None:
    console = platform.console
    project_id = unique("shop")
    made = console.post("/projects", json={"projectId": project_id, "name": "Shop", "teamId": "default"})
    renamed = console.patch(f"/projects/{project_id}", json={"name": "Store", "description": "Ours"})
    found = console.get(f"/projects/{project_id}").json()

    assert (made.status_code, made.json()["$id"]) == (201, project_id)
    assert (renamed.json()["name"], found["name"], found["description"]) == ("Store", "Store", "Ours")
    assert [each["enabled"] for each in found["authMethods"]] == [True] * 7
    assert console.delete(f"/projects/{project_id}").status_code == 204
    assert error_of(console.get(f"/projects/{project_id}")) == (404, "project_not_found")
    assert error_of(platform.client(project_id).get("/ping")) == (404, "project_not_found")


@pytest.mark.parametrize(
    ("project_id", "answer"),
    [
        ("console", (400, "project_reserved_project")),
        ("default", (409, "project_already_exists")),
        ("Upper", (400, "general_argument_invalid")),
        ("-x", (400, "general_argument_invalid")),
        ("x" * 37, (400, "general_argument_invalid")),
    ],
)
def test_a_project_id_has_to_be_new_and_plain(
    platform: Platform, project_id: str, answer: tuple[int, str]
) -> None:
    body = {"projectId": project_id, "name": "x", "teamId": "default"}

    assert error_of(platform.console.post("/projects", json=body)) == answer


def test_people_see_the_projects_of_their_own_organizations_only(crowded: Platform) -> None:
    other = console_user(crowded, ELSE)
    project = crowded.new_project()

    assert other.get("/projects").json() == {"total": 0, "projects": []}
    assert error_of(other.patch(f"/projects/{project.id}", json={"name": "Mine"})) == (
        401,
        "general_unauthorized_scope",
    )
    team = other.post("/teams", json={"teamId": "unique()", "name": "Other"}).json()["$id"]
    own = crowded_project(other, team)
    assert [each["$id"] for each in other.get("/projects").json()["projects"]] == [own]

    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/keys"),
        ("POST", "/keys"),
        ("PATCH", "/team"),
    ):
        body = {"name": "Mine", "scopes": ["users.read"], "teamId": team}
        refused = other.request(method, f"/projects/{project.id}{path}", json=body)
        assert refused.status_code in (401, 404), (method, path)
    into_theirs = other.post("/projects", json={"projectId": "unique()", "name": "x", "teamId": "default"})
    assert error_of(into_theirs) == (404, "team_not_found")
    assert crowded.console.get(f"/projects/{project.id}").json()["name"] == "Shop"
    assert crowded.console.get(f"/projects/{project.id}").json()["teamId"] == "default"


def crowded_project(owner: httpx.Client, team: str) -> str:
    made = owner.post("/projects", json={"projectId": unique("p"), "name": "Own", "teamId": team})
    assert made.status_code == 201, made.text
    return str(made.json()["$id"])


def test_a_member_does_what_its_role_in_the_organization_lets_it(crowded: Platform) -> None:
    console = crowded.console
    developer = console_user(crowded, DEVELOPER)
    user_id = developer.get("/account").json()["$id"]
    team = console.post("/teams", json={"teamId": "unique()", "name": "Org"}).json()["$id"]
    project = crowded.new_project(team)
    membership = unique("m")
    execute(
        crowded.database_url,
        """
        insert into freehold.memberships (project_id, id, team_id, user_id, roles, confirmed, joined_at)
        values ('console', $1, $2, $3, '{visitor}', true, now())
        """,
        membership,
        team,
        user_id,
    )
    path = f"/teams/{team}/memberships/{membership}"
    console.patch(path, json={"roles": ["visitor"]})
    assert developer.get("/projects").json()["total"] == 0
    assert developer.get(f"/projects/{project.id}").status_code == 401

    console.patch(path, json={"roles": ["developer"]})
    assert developer.get("/projects").json()["total"] == 1
    assert developer.patch(f"/projects/{project.id}", json={"name": "Dev"}).json()["name"] == "Dev"

    console.delete(path)
    assert developer.get("/projects").json()["total"] == 0
    assert developer.get(f"/projects/{project.id}").status_code == 401


def test_a_project_moves_to_another_organization(crowded: Platform) -> None:
    console = crowded.console
    team = console.post("/teams", json={"teamId": "unique()", "name": "Org"}).json()["$id"]
    project = crowded.new_project()
    moved = console.patch(f"/projects/{project.id}/team", json={"teamId": team})
    nowhere = console.patch(f"/projects/{project.id}/team", json={"teamId": "nowhere"})

    assert moved.json()["teamId"] == team
    assert error_of(nowhere) == (404, "team_not_found")
    assert console.get(f"/projects/{project.id}/keys").status_code == 200


def test_a_list_of_projects_is_filtered_and_ordered(platform: Platform) -> None:
    console = platform.console
    team = console.post("/teams", json={"teamId": "unique()", "name": "Org"}).json()["$id"]
    for name in ("Ajax", "Benfica", "Celtic"):
        console.post("/projects", json={"projectId": unique("p"), "name": name, "teamId": team})

    def names(*queries: str) -> list[str]:
        asked = [*queries, Query.equal("teamId", [team])]
        found = console.get("/projects", params={f"queries[{at}]": each for at, each in enumerate(asked)})
        return [each["name"] for each in found.json()["projects"]]

    assert names(Query.order_desc("name")) == ["Celtic", "Benfica", "Ajax"]
    assert names(Query.limit(1), Query.offset(1)) == ["Benfica"]
    assert names(Query.equal("name", ["Ajax", "Celtic"])) == ["Ajax", "Celtic"]


def test_the_organization_service_works_with_the_sdk(platform: Platform) -> None:
    client = platform.sdk("console", session=platform.root_session)
    client.add_header("X-Appwrite-Organization", "default")
    organization = Organization(client)
    made = organization.create_project(unique("p"), "Shop")
    renamed = organization.update_project(made.id, "Store")

    assert made.teamid == "default"
    assert renamed.name == organization.get_project(made.id).name == "Store"
    assert made.id in [each.id for each in organization.list_projects([Query.limit(5000)]).projects]
    organization.delete_project(made.id)
    assert error_of(platform.client(made.id).get("/ping")) == (404, "project_not_found")


def test_the_organization_has_to_be_named_and_ones_own(platform: Platform) -> None:
    console = platform.console

    assert error_of(console.get("/organization/projects")) == (403, "organization_id_missing")
    foreign = console.get("/organization/projects", headers={"X-Appwrite-Organization": "other"})
    assert error_of(foreign) == (404, "team_not_found")


def test_projects_are_not_for_the_users_and_keys_of_a_project(platform: Platform) -> None:
    project = platform.new_project()
    jane = project.new_user()

    for client in (project.guest, jane.client, project.server):
        assert client.get("/projects").status_code == 401
        assert client.get("/console/variables").status_code == 401
        made = client.post("/projects", json={"projectId": "unique()", "name": "x", "teamId": "default"})
        assert made.status_code == 401


def test_deleting_a_project_drops_its_tables_and_its_id_starts_anew(platform: Platform) -> None:
    project = platform.new_project()
    jane = project.new_user()
    ephemeral = project.server.post(
        "/project/keys/ephemeral", json={"scopes": ["users.read"], "duration": 600}
    ).json()["secret"]
    made = project.server.post("/tablesdb", json={"databaseId": "main", "name": "Main"})
    assert made.status_code == 201, made.text
    notes = {"tableId": "notes", "name": "Notes", "permissions": ['read("users")']}
    assert project.server.post("/tablesdb/main/tables", json=notes).status_code == 201
    rows = "/tablesdb/main/tables/notes/rows"
    [row] = execute(
        platform.database_url, "select namespace from freehold.databases where project_id = $1", project.id
    )
    assert jane.client.get("/account").status_code == 200
    assert jane.client.get(rows).status_code == 200
    assert platform.client(project.id, key=ephemeral).get("/users").status_code == 200

    assert project.admin.delete("/project").status_code == 204
    body = {"projectId": project.id, "name": "Again", "teamId": "default"}
    assert platform.console.post("/projects", json=body).status_code == 201

    assert jane.client.get("/account").status_code == 401
    assert project.server.get("/users").status_code == 401
    assert platform.client(project.id, key=ephemeral).get("/users").status_code == 401
    assert project.admin.get("/users").json() == {"total": 0, "users": []}
    assert error_of(project.admin.get(rows)) == (404, "database_not_found")

    def is_dropped() -> bool:
        found = execute(
            platform.database_url, "select 1 from pg_namespace where nspname = $1", row["namespace"]
        )
        return not found

    until(is_dropped)
