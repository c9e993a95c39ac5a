"""S40: an id is an id: not a role, not another's, and neither shorter, longer nor stranger than allowed."""

from __future__ import annotations

import base64
import json

import pytest

from tests.platform import PASSWORD, Project, User, error_of


@pytest.mark.parametrize("user_id", ["any", "users", "guests", "owner", "team", "member", "admin", "console"])
def test_s40_an_id_that_reads_like_a_role_is_only_an_id(project: Project, jane: User, user_id: str) -> None:
    theirs = jane.client.post("/teams", json={"teamId": "unique()", "name": "x"}).json()["$id"]
    odd = project.new_user("Odd", user_id=user_id)

    assert odd.client.get("/account").json()["$id"] == user_id
    assert odd.client.get("/teams").json()["total"] == 0
    assert error_of(odd.client.get(f"/teams/{theirs}")) == (404, "team_not_found")
    assert odd.client.get("/users").status_code == 401


def test_s40_ids_differ_by_case(project: Project) -> None:
    lower, upper = project.new_user("Lower", user_id="jane"), project.new_user("Upper", user_id="JANE")
    team = lower.client.post("/teams", json={"teamId": "team", "name": "x"}).json()["$id"]

    assert upper.client.get("/account").json()["name"] == "Upper"
    for path in (f"/teams/{team}", f"/teams/{team.upper()}"):
        assert error_of(upper.client.get(path)) == (404, "team_not_found")


@pytest.mark.parametrize(
    "user_id",
    ["", " ", ".", "..", "_x", "-x", "a/b", "a%2fb", "x" * 37, "ä", "a\u200b", "a\n", "\0", "unique", "a b"],
)
def test_s40_an_id_is_1_to_36_plain_characters(project: Project, user_id: str) -> None:
    body = {"userId": user_id, "email": "jane@example.com", "password": PASSWORD}
    answer = project.guest.post("/account", json=body)

    if user_id == "unique":  # plain after all
        assert answer.json()["$id"] == "unique"
    else:
        assert error_of(answer) == (400, "general_argument_invalid")


def test_s40_a_session_is_of_the_user_that_it_was_made_for(project: Project, jane: User, bob: User) -> None:
    token = json.loads(base64.b64decode(bob.session))
    for user_id in (jane.id, jane.id.upper(), "", "any"):
        forged = base64.b64encode(json.dumps({**token, "id": user_id}).encode()).decode()
        answer = project.guest.get("/account", headers={"X-Appwrite-Session": forged})
        assert error_of(answer) == (401, "general_unauthorized_scope")
    assert bob.client.get("/account").status_code == 200
