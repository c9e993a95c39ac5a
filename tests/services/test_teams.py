"""Teams: who sees them, who may change them, and how one becomes a member."""

from __future__ import annotations

import pytest
from appwrite.exception import AppwriteException
from appwrite.query import Query
from appwrite.services.teams import Teams
from appwrite.services.users import Users

from tests.platform import PASSWORD, ROOT, Platform, Project, User, error_of, unique


def server(project: Project) -> Teams:
    return Teams(project.sdk(key=project.key))


def new_team(user: User, name: str = "Arsenal") -> str:
    return str(Teams(user.sdk).create("unique()", name).id)


def join(project: Project, team_id: str, user: User, *roles: str) -> str:
    return str(server(project).create_membership(team_id, list(roles), user_id=user.id).id)


def test_a_user_who_creates_a_team_owns_it(project: Project, jane: User) -> None:
    team = Teams(jane.sdk).create("unique()", "Arsenal")
    members = Teams(jane.sdk).list_memberships(team.id)

    assert (team.name, team.total) == ("Arsenal", 1)
    assert [(member.userid, member.roles, member.confirm) for member in members.memberships] == [
        (jane.id, ["owner"], True)
    ]
    assert members.memberships[0].joined != ""


def test_a_key_creates_a_team_that_has_no_members(project: Project) -> None:
    team = server(project).create("empty", "Empty")

    assert team.total == 0
    assert server(project).list_memberships("empty").total == 0


def test_a_team_id_is_taken_once_in_a_project(platform: Platform, project: Project, jane: User) -> None:
    Teams(jane.sdk).create("reds", "Reds")
    refused = jane.client.post("/teams", json={"teamId": "reds", "name": "Other"})
    elsewhere = platform.new_project()

    assert error_of(refused) == (409, "team_already_exists")
    assert server(elsewhere).create("reds", "Reds").id == "reds"
    assert jane.client.get("/teams/reds").json()["name"] == "Reds"


def test_users_see_their_own_teams_and_keys_see_all(project: Project, jane: User, bob: User) -> None:
    mine, theirs = new_team(jane), new_team(bob, "Spurs")

    assert [team.id for team in Teams(jane.sdk).list().teams] == [mine]
    assert {team.id for team in server(project).list().teams} == {mine, theirs}
    for path in ("", "/memberships", "/prefs"):
        assert error_of(jane.client.get(f"/teams/{theirs}{path}")) == (404, "team_not_found")


def test_a_list_of_teams_is_filtered_ordered_paged_and_searched(project: Project) -> None:
    teams = server(project)
    for name in ("Ajax", "Benfica", "Celtic", "Dynamo", "Everton"):
        teams.create(name.lower(), name)

    def names(*queries: str, **said: object) -> list[str]:
        return [team.name for team in teams.list(list(queries), **said).teams]

    assert names(Query.order_desc("name"), Query.limit(2)) == ["Everton", "Dynamo"]
    assert names(Query.order_desc("name"), Query.limit(2), Query.cursor_after("dynamo")) == [
        "Celtic",
        "Benfica",
    ]
    assert names(Query.order_desc("name"), Query.limit(2), Query.cursor_before("benfica")) == [
        "Dynamo",
        "Celtic",
    ]
    assert names(Query.limit(2), Query.offset(3)) == ["Dynamo", "Everton"]
    assert names(Query.or_queries([Query.equal("name", ["Ajax"]), Query.starts_with("name", "C")])) == [
        "Ajax",
        "Celtic",
    ]
    assert names(Query.contains("name", ["e"]), Query.not_equal("name", "Celtic")) == [
        "Benfica",
        "Everton",
    ]
    assert names(Query.equal("total", 0), Query.greater_than("$createdAt", "2020-01-01"), search="dyn") == [
        "Dynamo"
    ]
    assert teams.list([Query.limit(1)]).total == 5
    assert teams.list([Query.limit(1)], total=False).total == 0


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ('{"method":"equal","attribute":"secret","values":["x"]}', "general_query_invalid"),
        ('{"method":"equal","attribute":"name","values":[{"$ne":null}]}', "general_query_invalid"),
        ('{"method":"equal","attribute":"name","values":[]}', "general_query_invalid"),
        ('{"method":"between","attribute":"name","values":["a"]}', "general_query_invalid"),
        ('{"method":"greaterThan","attribute":"$createdAt","values":["soon"]}', "general_query_invalid"),
        ('{"method":"limit","values":[5001]}', "general_query_invalid"),
        ('{"method":"limit","values":["1"]}', "general_query_invalid"),
        ('{"method":"startsWith","attribute":"total","values":["1"]}', "general_query_invalid"),
        ('{"method":"cursorAfter","values":["nowhere"]}', "general_cursor_not_found"),
        ("name = 1", "general_query_invalid"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(project: Project, query: str, kind: str) -> None:
    refused = project.server.get("/teams", params={"queries[0]": query})

    assert error_of(refused) == (400, kind)


def test_only_owners_rename_and_delete_a_team(project: Project, jane: User, bob: User) -> None:
    team = new_team(jane)
    join(project, team, bob, "player")

    assert error_of(bob.client.put(f"/teams/{team}", json={"name": "Bobs"})) == (401, "user_unauthorized")
    assert error_of(bob.client.delete(f"/teams/{team}")) == (401, "user_unauthorized")
    prefs = bob.client.put(f"/teams/{team}/prefs", json={"prefs": {"a": 1}})
    assert error_of(prefs) == (401, "user_unauthorized")
    assert Teams(bob.sdk).get(team).name == "Arsenal"

    assert Teams(jane.sdk).update_name(team, "Gunners").name == "Gunners"
    Teams(jane.sdk).delete(team)
    assert error_of(jane.client.get(f"/teams/{team}")) == (404, "team_not_found")
    assert bob.client.get("/teams").json() == {"total": 0, "teams": []}


def test_a_teams_preferences_are_shared_by_its_members(project: Project, jane: User, bob: User) -> None:
    team = new_team(jane)
    join(project, team, bob, "player")
    set_ = jane.client.put(f"/teams/{team}/prefs", json={"prefs": {"colour": "red"}})

    assert set_.json() == {"colour": "red"}
    assert bob.client.get(f"/teams/{team}/prefs").json() == {"colour": "red"}


def test_a_key_adds_a_member_at_once_and_makes_the_user_if_there_is_none(project: Project) -> None:
    teams = server(project)
    teams.create("reds", "Reds")
    email = f"{unique('new')}@example.com"
    member = teams.create_membership("reds", ["player", "player"], email=email, name="New")

    assert (member.useremail, member.username, member.roles, member.confirm) == (
        email,
        "New",
        ["player"],
        True,
    )
    assert Users(project.sdk(key=project.key)).get(member.userid).email == email
    assert teams.get("reds").total == 1


def test_nobody_is_added_twice_and_nobody_who_is_not_there(project: Project, jane: User) -> None:
    teams = server(project)
    teams.create("reds", "Reds")
    join(project, "reds", jane, "player")

    again = project.server.post("/teams/reds/memberships", json={"roles": ["owner"], "userId": jane.id})
    assert error_of(again) == (409, "membership_already_confirmed")
    missing = project.server.post("/teams/reds/memberships", json={"roles": [], "userId": "nobody"})
    assert error_of(missing) == (404, "user_not_found")
    unsaid = project.server.post("/teams/reds/memberships", json={"roles": []})
    assert error_of(unsaid) == (400, "general_argument_invalid")
    nowhere = project.server.post("/teams/blues/memberships", json={"roles": [], "email": "a@example.com"})
    assert error_of(nowhere) == (404, "team_not_found")
    assert [member.roles for member in teams.list_memberships("reds").memberships] == [["player"]]
    assert project.server.get("/users").json()["total"] == 1


def test_a_member_who_is_no_owner_cannot_invite(project: Project, jane: User, bob: User) -> None:
    team = new_team(jane)
    join(project, team, bob, "player")
    body = {"roles": ["owner"], "email": "x@example.com", "url": "http://localhost/join"}

    assert error_of(bob.client.post(f"/teams/{team}/memberships", json=body)) == (401, "user_unauthorized")
    assert Teams(jane.sdk).get(team).total == 2


def test_roles_in_a_team_hold_at_once(project: Project, jane: User, bob: User) -> None:
    team = new_team(jane)
    membership = join(project, team, bob, "player")
    assert bob.client.get(f"/teams/{team}").status_code == 200
    changed = Teams(jane.sdk).update_membership(team, membership, ["owner"])

    assert changed.roles == ["owner"]
    assert Teams(bob.sdk).update_name(team, "Bobs").name == "Bobs"

    Teams(jane.sdk).update_membership(team, membership, ["player"])
    assert error_of(bob.client.put(f"/teams/{team}", json={"name": "x"})) == (401, "user_unauthorized")


def test_a_member_does_not_make_itself_an_owner(project: Project, jane: User, bob: User) -> None:
    team = new_team(jane)
    membership = join(project, team, bob, "player")
    refused = bob.client.patch(f"/teams/{team}/memberships/{membership}", json={"roles": ["owner"]})

    assert error_of(refused) == (401, "user_unauthorized")
    assert server(project).get_membership(team, membership).roles == ["player"]


def test_a_member_leaves_and_sees_the_team_no_more(project: Project, jane: User, bob: User) -> None:
    team = new_team(jane)
    membership = join(project, team, bob, "player")
    assert bob.client.get(f"/teams/{team}").status_code == 200
    Teams(bob.sdk).delete_membership(team, membership)

    assert error_of(bob.client.get(f"/teams/{team}")) == (404, "team_not_found")
    assert Teams(jane.sdk).get(team).total == 1


def test_a_member_does_not_remove_another(project: Project, jane: User, bob: User) -> None:
    team = new_team(jane)
    join(project, team, bob, "player")
    owners = next(m.id for m in server(project).list_memberships(team).memberships if m.userid == jane.id)
    refused = bob.client.delete(f"/teams/{team}/memberships/{owners}")

    assert error_of(refused) == (401, "user_unauthorized")
    assert Teams(jane.sdk).get(team).total == 2


def test_a_membership_of_another_team_is_not_found(project: Project, jane: User, bob: User) -> None:
    mine, theirs = new_team(jane), new_team(bob)
    membership = Teams(bob.sdk).list_memberships(theirs).memberships[0].id

    for method in ("GET", "DELETE", "PATCH"):
        refused = jane.client.request(
            method, f"/teams/{mine}/memberships/{membership}", json={"roles": ["owner"]}
        )
        assert error_of(refused) == (404, "membership_not_found")
    assert Teams(bob.sdk).get(theirs).total == 1


def test_clients_are_not_told_who_the_other_members_are(project: Project, jane: User, bob: User) -> None:
    team = new_team(jane)
    join(project, team, bob, "player")

    def seen(teams: Teams) -> list[tuple[str, str, str]]:
        found = teams.list_memberships(team).memberships
        return [(each.userid, each.username, each.useremail) for each in found]

    assert seen(Teams(jane.sdk)) == [(jane.id, "Jane", jane.email), ("", "", "")]
    assert seen(server(project))[1] == (bob.id, "Bob", bob.email)


def test_a_guest_has_no_teams(project: Project) -> None:
    assert error_of(project.guest.get("/teams")) == (401, "general_unauthorized_scope")
    refused = project.guest.post("/teams", json={"teamId": "unique()", "name": "x"})
    assert error_of(refused) == (401, "general_unauthorized_scope")


def test_a_key_without_the_scope_changes_no_team(project: Project) -> None:
    teams = Teams(project.sdk(key=project.key_with("teams.read")))

    assert teams.list().total == 0
    with pytest.raises(AppwriteException) as refused:
        teams.create("unique()", "x")
    assert refused.value.type == "general_unauthorized_scope"
    assert teams.list().total == 0


def test_an_organization_keeps_an_owner(platform: Platform) -> None:
    console = platform.console
    team = console.post("/teams", json={"teamId": "unique()", "name": "Org", "roles": ["developer"]}).json()
    [own] = console.get(f"/teams/{team['$id']}/memberships").json()["memberships"]
    path = f"/teams/{team['$id']}/memberships/{own['$id']}"

    assert own["roles"] == ["developer", "owner"]
    assert own["userEmail"] == ROOT
    refused = console.patch(path, json={"roles": ["developer"]})
    assert error_of(refused) == (400, "membership_downgrade_prohibited")
    assert error_of(console.delete(path)) == (400, "membership_deletion_prohibited")
    assert console.get(path).json()["roles"] == ["developer", "owner"]


def test_an_organization_takes_its_projects_with_it(platform: Platform) -> None:
    console = platform.console
    team = console.post("/teams", json={"teamId": "unique()", "name": "Org"}).json()["$id"]
    project = platform.new_project(team)
    user = project.new_user("Jane")
    assert user.client.get("/account").status_code == 200

    assert console.delete(f"/teams/{team}").status_code == 204
    assert error_of(user.client.get("/account")) == (404, "project_not_found")
    assert error_of(console.get(f"/projects/{project.id}")) == (404, "project_not_found")
    signing_in = {"email": user.email, "password": PASSWORD}
    assert error_of(project.guest.post("/account/sessions/email", json=signing_in))[0] == 404
