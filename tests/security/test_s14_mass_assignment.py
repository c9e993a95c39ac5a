"""S14: what the server decides is not decided by a parameter of the same name."""

from __future__ import annotations

from tests.platform import PASSWORD, Project, User

GREEDY = {
    "labels": ["admin"],
    "roles": ["owner"],
    "emailVerification": True,
    "email_verified": True,
    "phoneVerification": True,
    "status": False,
    "enabled": False,
    "mfa": True,
    "prefs": {"a": 1},
    "hash": "x",
    "password_hash": "x",
    "$id": "chosen",
    "$createdAt": "2000-01-01T00:00:00.000+00:00",
    "$permissions": ['read("any")'],
    "$sequence": "1",
    "project_id": "console",
    "accessedAt": "2000-01-01T00:00:00.000+00:00",
}


def test_s14_registering_decides_nothing_but_what_it_may(project: Project) -> None:
    body = {**GREEDY, "userId": "jane", "email": "jane@example.com", "password": PASSWORD}
    made = project.guest.post("/account", json=body).json()

    assert made["$id"] == "jane"
    assert made["labels"] == []
    assert made["prefs"] == {}
    assert made["status"] is True
    assert [made[name] for name in ("emailVerification", "phoneVerification", "mfa")] == [False] * 3
    assert made["$createdAt"] > "2026"
    assert "$permissions" not in made


def test_s14_renaming_changes_the_name_alone(jane: User) -> None:
    before = jane.client.get("/account").json()
    after = jane.client.patch(
        "/account/name", json={**GREEDY, "name": "Janet", "email": "x@example.com"}
    ).json()

    assert {name for name in before if before[name] != after[name]} == {"name", "$updatedAt"}


def test_s14_a_key_does_not_choose_its_secret(project: Project) -> None:
    body = {"keyId": "k", "name": "k", "scopes": ["users.read"], "secret": "standard_mine", "sdks": ["x"]}
    made = project.admin.post("/project/keys", json=body).json()

    assert made["secret"] != "standard_mine"
    assert len(made["secret"]) == len("standard_") + 256
    assert made["sdks"] == []
    assert project.platform.client(project.id, key="standard_mine").get("/users").status_code == 401


def test_s14_a_project_stays_where_it_is_when_it_is_renamed(project: Project) -> None:
    greedy = {**GREEDY, "name": "Mine", "teamId": "elsewhere", "pingCount": 5, "settings": {"userLimit": 1}}
    after = project.platform.console.patch(f"/projects/{project.id}", json=greedy).json()

    assert (after["name"], after["teamId"], after["pingCount"]) == ("Mine", "default", 0)


def test_s14_a_membership_is_not_taken_over(project: Project, jane: User, bob: User) -> None:
    team = jane.client.post(
        "/teams", json={"teamId": "unique()", "name": "x", "total": 99, "prefs": {"a": 1}}
    )
    member = project.server.post(
        f"/teams/{team.json()['$id']}/memberships",
        json={"userId": bob.id, "roles": ["player"], "teamId": "other", "confirm": False, "$id": "m"},
    ).json()

    assert (team.json()["total"], team.json()["prefs"]) == (1, {})
    assert member["teamId"] == team.json()["$id"]
    assert member["confirm"] is True
    assert member["$id"] != "m"
