"""Invitations to a team: the mail arrives, its link lets in, and nothing else does."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl, urlsplit

import asyncpg
import httpx
import pytest
from appwrite.exception import AppwriteException
from appwrite.services.account import Account
from appwrite.services.teams import Teams

from tests.platform import PASSWORD, Project, User, error_of, unique
from tests.process.installation import until
from tests.services.inbox import Inbox

URL = "http://localhost:3000/join?from=mail"


@pytest.fixture
def team(jane: User) -> str:
    """A team that Jane owns."""
    return str(jane.client.post("/teams", json={"teamId": "unique()", "name": "Arsenal"}).json()["$id"])


def invite(jane: User, team: str, email: str, **more: object) -> httpx.Response:
    body = {"email": email, "roles": ["player"], "url": URL, **more}
    return jane.client.post(f"/teams/{team}/memberships", json=body)


def link_of(inbox: Inbox, email: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(inbox.mail_to(email).link).query))


def accepted(project: Project, link: dict[str, str], **instead: str) -> httpx.Response:
    said = {**link, **instead}
    return project.guest.patch(
        f"/teams/{said['teamId']}/memberships/{said['membershipId']}/status",
        json={"userId": said["userId"], "secret": said["secret"]},
    )


def test_an_invited_user_joins_by_the_link_and_is_signed_in(
    project: Project, jane: User, team: str, inbox: Inbox
) -> None:
    email = f"{unique('ada')}@example.com"
    invited = Teams(jane.sdk).create_membership(team, ["player"], email=email, url=URL, name="Ada")
    link = link_of(inbox, email)
    before = project.server.get(f"/teams/{team}").json()["total"]
    answer = accepted(project, link)

    assert not invited.confirm
    assert (link["from"], link["teamId"], link["teamName"]) == ("mail", team, "Arsenal")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["confirm"], answer.json()["roles"]) == (True, ["player"])
    assert project.server.get(f"/teams/{team}").json()["total"] == before + 1
    session = answer.cookies[f"a_session_{project.id}"]
    ada = Account(project.sdk(session=session)).get()
    assert (ada.email, ada.emailverification) == (email, True)
    assert Teams(project.sdk(session=session)).get(team).name == "Arsenal"


def test_an_invitation_is_accepted_once_and_by_its_own_secret(
    project: Project, jane: User, team: str, inbox: Inbox
) -> None:
    email = f"{unique('ada')}@example.com"
    invite(jane, team, email)
    link = link_of(inbox, email)

    assert error_of(accepted(project, link, secret="x" * 256)) == (401, "team_invalid_secret")
    assert error_of(accepted(project, link, userId=jane.id)) == (401, "team_invite_mismatch")
    assert error_of(accepted(project, link, membershipId="other")) == (404, "membership_not_found")
    other = jane.client.post("/teams", json={"teamId": "unique()", "name": "Else"}).json()["$id"]
    assert error_of(accepted(project, link, teamId=other)) == (404, "membership_not_found")
    assert project.server.get(f"/teams/{team}").json()["total"] == 1
    assert accepted(project, link).status_code == 200
    assert error_of(accepted(project, link)) == (409, "membership_already_confirmed")


def test_an_invitation_that_is_sent_again_makes_the_first_one_void(
    project: Project, jane: User, team: str, inbox: Inbox
) -> None:
    email = f"{unique('ada')}@example.com"
    first = invite(jane, team, email).json()
    old = link_of(inbox, email)
    second = invite(jane, team, email, roles=["captain"]).json()
    new = link_of(inbox, email)

    assert first["$id"] == second["$id"]
    assert error_of(accepted(project, old)) == (401, "team_invalid_secret")
    assert accepted(project, new).json()["roles"] == ["captain"]
    assert error_of(invite(jane, team, email)) == (409, "membership_already_confirmed")


def test_an_invitation_is_not_for_whoever_else_is_signed_in(
    project: Project, jane: User, bob: User, team: str, inbox: Inbox
) -> None:
    email = f"{unique('ada')}@example.com"
    invite(jane, team, email)
    link = link_of(inbox, email)
    refused = bob.client.patch(
        f"/teams/{team}/memberships/{link['membershipId']}/status",
        json={"userId": link["userId"], "secret": link["secret"]},
    )

    assert error_of(refused) == (401, "team_invite_mismatch")
    assert bob.client.get(f"/teams/{team}").status_code == 404


def test_a_signed_in_user_accepts_without_another_session(
    project: Project, jane: User, bob: User, team: str, inbox: Inbox
) -> None:
    invite(jane, team, bob.email)
    link = link_of(inbox, bob.email)
    sessions = project.server.get(f"/users/{bob.id}/sessions").json()
    joined = Teams(bob.sdk).update_membership_status(team, link["membershipId"], bob.id, link["secret"])

    assert joined.confirm
    assert project.server.get(f"/users/{bob.id}/sessions").json() == sessions
    assert bob.client.get(f"/teams/{team}").status_code == 200


def test_who_registered_the_address_before_does_not_get_in_by_the_invitation(
    project: Project, jane: User, team: str, inbox: Inbox
) -> None:
    email = f"{unique('victim')}@example.com"
    Account(project.sdk()).create("unique()", email, PASSWORD)  # by somebody who cannot read its mail
    squatter = project.sign_in(email)
    invite(jane, team, email)
    assert accepted(project, link_of(inbox, email)).status_code == 200

    with pytest.raises(AppwriteException):
        Account(project.sdk(session=squatter)).get()
    with pytest.raises(AppwriteException) as error:
        Account(project.sdk()).create_email_password_session(email, PASSWORD)
    assert error.value.type == "user_invalid_credentials"


@pytest.mark.parametrize(
    "url",
    ["", "https://evil.example.com/join", "javascript://localhost/%0aalert(1)", "//evil.example.com",
     "https://localhost@evil.example.com/", "data:text/html,x", "http://[::"],
)  # fmt: skip
def test_an_invitation_leads_to_the_projects_own_pages(jane: User, team: str, url: str) -> None:
    refused = invite(jane, team, f"{unique('ada')}@example.com", url=url)

    assert error_of(refused) == (400, "general_argument_invalid")


def test_only_owners_invite_and_only_while_invitations_are_on(
    project: Project, jane: User, bob: User, team: str
) -> None:
    email = f"{unique('ada')}@example.com"
    assert error_of(invite(bob, team, email)) == (404, "team_not_found")
    project.server.post(f"/teams/{team}/memberships", json={"userId": bob.id, "roles": ["player"]})
    assert error_of(invite(bob, team, email)) == (401, "user_unauthorized")
    project.server.patch("/project/auth-methods/invites", json={"enabled": False})

    assert error_of(invite(jane, team, email)) == (501, "user_auth_method_unsupported")
    assert project.server.get(f"/teams/{team}/memberships").json()["total"] == 2


def test_nobody_is_invited_beyond_the_limit_of_users(project: Project, jane: User, team: str) -> None:
    project.server.patch("/project/policies/user-limit", json={"total": 1})

    assert error_of(invite(jane, team, f"{unique('ada')}@example.com"))[1] == "user_count_exceeded"


def test_an_invitation_is_kept_only_as_a_digest(
    project: Project, jane: User, team: str, inbox: Inbox
) -> None:
    email = f"{unique('ada')}@example.com"
    invite(jane, team, email)
    secret = link_of(inbox, email)["secret"]

    async def kept() -> str:
        connection = await asyncpg.connect(project.platform.database_url)
        rows = await connection.fetch(
            "select payload::text from freehold.outbox where project_id = $1", project.id
        )
        rows += await connection.fetch("select m::text from freehold.memberships m where team_id = $1", team)
        await connection.close()
        return "".join(str(row[0]) for row in rows)

    assert secret not in asyncio.run(kept())


def test_members_see_of_each_other_what_the_policy_says(
    project: Project, jane: User, bob: User, team: str
) -> None:
    project.server.post(f"/teams/{team}/memberships", json={"userId": bob.id, "roles": ["player"]})

    def seen() -> dict[str, object]:
        listed = bob.client.get(f"/teams/{team}/memberships").json()["memberships"]
        return next(each for each in listed if "owner" in each["roles"])

    assert (seen()["userId"], seen()["userName"], seen()["userEmail"]) == ("", "", "")
    project.server.patch("/project/policies/membership-privacy", json={"userName": True, "userId": True})
    assert (seen()["userId"], seen()["userName"], seen()["userEmail"]) == (jane.id, "Jane", "")


def test_what_was_done_to_a_team_is_told_to_servers(project: Project, jane: User, team: str) -> None:
    jane.client.put(f"/teams/{team}", json={"name": "Gunners"})
    until(lambda: project.server.get(f"/teams/{team}/logs").json()["total"] == 2)
    listed = project.server.get(f"/teams/{team}/logs").json()

    assert [log["event"] for log in listed["logs"]] == ["team.update", "team.create"]
    assert {log["userId"] for log in listed["logs"]} == {jane.id}
    assert error_of(jane.client.get(f"/teams/{team}/logs"))[0] == 401
