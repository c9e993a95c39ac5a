"""Members of an organization, and what their roles let them do in its projects."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.platform import PASSWORD, Platform, Project, error_of, running_platform, session_of
from tests.postgres import Server
from tests.services.test_projects import execute

EMAILS = [f"{name}@example.com" for name in ("ada", "ben", "cleo")]


@pytest.fixture(scope="module")
def office(postgres: Server) -> Iterator[Platform]:
    """A platform on whose console several people may register."""
    with running_platform(postgres, "--dev", FREEHOLD_CONSOLE_EMAILS=",".join(EMAILS)) as running:
        running.register_root()
        yield running


class Member:
    """Somebody of the default organization."""

    def __init__(self, office: Platform, email: str, *roles: str) -> None:
        guest = office.client("console")
        body = {"userId": "unique()", "email": email, "password": PASSWORD, "name": "Member"}
        guest.post("/account", json=body)
        signed_in = guest.post("/account/sessions/email", json={"email": email, "password": PASSWORD})
        self.office, self.id, self.session = office, signed_in.json()["userId"], session_of(signed_in)
        self.console = office.client("console", session=self.session)
        self.roles_are(*roles)

    def roles_are(self, *roles: str) -> None:
        """Give the member these roles, as the database would after an invitation."""
        execute(
            self.office.database_url,
            """
            insert into freehold.memberships (project_id, id, team_id, user_id, roles, confirmed, joined_at)
            values ('console', $1, 'default', $1, $2, true, now())
            on conflict (project_id, team_id, user_id) do update set roles = excluded.roles
            """,
            self.id,
            list(roles),
        )
        # The front door of the change: the owner sets them, and the cached identity is void at once.
        answer = self.office.console.patch(
            f"/teams/default/memberships/{self.id}", json={"roles": list(roles)}
        )
        assert answer.status_code == 200, answer.text

    def within(self, project: Project) -> httpx.Client:
        return self.office.client(project.id, mode="admin", console_session=self.session)


def test_an_analyst_reads_and_does_not_write(office: Platform) -> None:
    project = office.new_project()
    ada = Member(office, EMAILS[0], "analyst").within(project)

    assert ada.get("/users").status_code == 200
    assert ada.get("/project").status_code == 200
    for refused in (
        ada.post("/users", json={"userId": "unique()", "email": "x@example.com"}),
        ada.patch("/project/policies/user-limit", json={"total": 1}),
        ada.get("/project/keys"),
        ada.delete("/project"),
    ):
        assert error_of(refused) == (401, "general_unauthorized_scope")
    assert project.server.get("/users").json()["total"] == 0


def test_an_editor_writes_contents_and_no_settings(office: Platform) -> None:
    project = office.new_project()
    ada = Member(office, EMAILS[0], "editor").within(project)

    assert ada.post("/users", json={"userId": "jane", "email": "jane@example.com"}).status_code == 201
    assert error_of(ada.put("/project/labels", json={"labels": ["x"]}))[1] == "general_unauthorized_scope"
    assert project.server.get("/users/jane").status_code == 200


def test_a_change_of_roles_holds_from_the_next_request_on(office: Platform) -> None:
    project = office.new_project()
    member = Member(office, EMAILS[0], "developer")
    ada = member.within(project)
    assert ada.put("/project/labels", json={"labels": ["one"]}).status_code == 200
    member.roles_are("analyst")

    assert error_of(ada.put("/project/labels", json={"labels": ["two"]}))[1] == "general_unauthorized_scope"
    assert project.admin.get("/project").json()["labels"] == ["one"]
    assert office.console.delete(f"/teams/default/memberships/{member.id}").status_code == 204
    assert error_of(ada.get("/project"))[0] == 401


def test_a_role_of_one_project_opens_that_one_only(office: Platform) -> None:
    shop, other = office.new_project(), office.new_project()
    ben = Member(office, EMAILS[1], f"project-{shop.id}-developer")

    assert ben.within(shop).put("/project/labels", json={"labels": ["mine"]}).status_code == 200
    assert error_of(ben.within(other).get("/project"))[0] == 401
    assert [each["$id"] for each in ben.console.get("/projects").json()["projects"]] == [shop.id]
    renamed = ben.console.patch(f"/projects/{other.id}", json={"name": "Mine"})
    assert error_of(renamed) == (404, "project_not_found")
    assert ben.console.patch(f"/projects/{shop.id}", json={"name": "Mine"}).status_code == 200
    made = ben.console.post("/projects", json={"projectId": "x", "name": "X", "teamId": "default"})
    assert error_of(made) == (401, "general_unauthorized_scope")


def test_who_pays_sees_which_projects_there_are_and_nothing_in_them(office: Platform) -> None:
    project = office.new_project()
    cleo = Member(office, EMAILS[2], "billing")

    assert project.id in [each["$id"] for each in cleo.console.get("/projects").json()["projects"]]
    assert error_of(cleo.within(project).get("/users")) == (401, "general_unauthorized_scope")


def test_dev_keys_are_for_developers(office: Platform) -> None:
    project = office.new_project()
    at = f"/projects/{project.id}/dev-keys"
    body = {"name": "Dev", "expire": "2099-01-01T00:00:00.000Z"}
    ada = Member(office, EMAILS[0], "editor")

    assert error_of(ada.console.post(at, json=body))[0] == 401
    assert error_of(ada.console.get(at))[0] == 401
    ada.roles_are("developer")
    assert ada.console.post(at, json=body).status_code == 201
