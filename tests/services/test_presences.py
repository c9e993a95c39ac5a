"""Presences: who is there, over HTTP and on sockets."""

from __future__ import annotations

from appwrite.services.presences import Presences

from tests.platform import Project, User, bob, error_of, jane, platform, project
from tests.services.second_factor import run_sql
from tests.services.sockets import socket

__all__ = ["bob", "jane", "platform", "project"]


def test_a_presence_is_its_users_own_unless_it_says_who_else_may_see_it(
    project: Project, jane: User, bob: User
) -> None:
    sdk = Presences(jane.sdk)
    made = sdk.upsert(presence_id="desk", user_id=jane.id, status="online", metadata={"room": 7})
    hidden = bob.client.get("/presences/desk")
    sdk.update("desk", jane.id, status="away", permissions=['read("users")'])
    seen = bob.client.get("/presences/desk").json()
    listed = bob.client.get("/presences").json()
    denied = [
        bob.client.put("/presences/desk", json={"status": "mine"}),
        bob.client.patch("/presences/desk", json={"status": "mine"}),
        bob.client.delete("/presences/desk"),
        bob.client.put("/presences/other", json={"status": "x", "userId": jane.id}),
        bob.client.put("/presences/other", json={"status": "x", "permissions": ['read("team:none")']}),
        project.guest.put("/presences/other", json={"status": "x"}),
    ]

    assert made.userid == jane.id
    assert error_of(hidden) == (404, "presence_not_found")
    assert seen["status"] == "away"
    assert seen["metadata"] == {"room": 7}
    assert (listed["total"], listed["presences"][0]["$id"]) == (1, "desk")
    assert [each.status_code for each in denied] == [401] * 6


def test_a_server_says_of_any_user_that_it_is_there(project: Project, jane: User) -> None:
    made = project.server.put("/presences/p", json={"status": "online", "userId": jane.id})
    assert made.status_code == 200, made.text
    nobody = project.server.put("/presences/q", json={"status": "online"})
    unknown = project.server.put("/presences/q", json={"status": "online", "userId": "nobody"})
    past = project.server.put(
        "/presences/p", json={"status": "x", "userId": jane.id, "expiresAt": "2020-01-01T00:00:00.000+00:00"}
    )
    seen = jane.client.get("/presences/p")
    gone = project.server.delete("/presences/p")

    assert (made.status_code, seen.json()["userId"], gone.status_code) == (200, jane.id, 204)
    assert error_of(nobody) == (400, "general_argument_invalid")
    assert error_of(unknown) == (404, "user_not_found")
    assert error_of(past) == (400, "general_argument_invalid")
    assert jane.client.get("/presences/p").status_code == 404


def test_what_has_expired_is_not_there_and_its_end_is_told(project: Project, jane: User) -> None:
    with socket(project, user=jane) as seen:
        seen.subscribe("presences")
        jane.client.put("/presences/p", json={"status": "online"})
        run_sql(
            project,
            "update freehold.presences set expires_at = now() where project_id = $1",
            project.id,
        )
        assert jane.client.get("/presences/p").status_code == 404
        assert jane.client.get("/presences").json()["total"] == 0
        told = [seen.event()["events"][0], seen.event()["events"][0]]
        again = jane.client.put("/presences/p", json={"status": "back"})

    assert told == ["presences.p.upsert", "presences.p.delete"]
    assert again.status_code == 200


def test_a_presence_that_was_said_on_a_socket_ends_with_it(project: Project, jane: User, bob: User) -> None:
    with socket(project, user=bob) as seen:
        seen.subscribe("presences.janes.upsert", "presences.janes.delete")
        with socket(project, user=jane) as janes:
            said = {"status": "typing", "presenceId": "janes", "permissions": ['read("users")']}
            answer = janes.ask("presence", {**said, "metadata": {"in": "chat"}})
            came = seen.event()
            assert bob.client.get("/presences/janes").json()["source"] == "realtime"
        went = seen.event()
        assert bob.client.get("/presences/janes").status_code == 404

    assert answer["data"]["success"]
    assert (came["payload"]["status"], came["payload"]["metadata"]) == ("typing", {"in": "chat"})
    assert went["events"][0] == "presences.janes.delete"


def test_a_user_that_is_deleted_is_not_there_any_more_and_that_is_told(
    project: Project, jane: User, bob: User
) -> None:
    for_all = {"status": "online", "permissions": ['read("users")']}
    with socket(project, user=project.new_user("Ann")) as seen:
        seen.subscribe("presences")
        jane.client.put("/presences/janes-desk", json=for_all)
        jane.client.put("/presences/janes-phone", json=for_all)
        bob.client.put("/presences/bobs", json=for_all)
        gone = project.server.delete(f"/users/{jane.id}"), bob.client.delete("/account")
        told = [seen.event()["events"][0] for _ in range(6)]

    assert [each.status_code for each in gone] == [204, 204]
    assert sorted(told[3:5]) == ["presences.janes-desk.delete", "presences.janes-phone.delete"]
    assert told[5] == "presences.bobs.delete"
    assert project.server.get("/presences").json()["total"] == 0


def test_who_says_where_it_is_all_the_time_is_told_everything_meanwhile(project: Project, jane: User) -> None:
    project.server.post("/tablesdb", json={"databaseId": "d", "name": "D"})
    table = {"tableId": "t", "name": "T", "permissions": ['read("any")'], "columns": []}
    project.server.post("/tablesdb/d/tables", json=table)
    with socket(project, user=jane) as janes:
        janes.subscribe("rows")
        for at in range(100):
            janes.say("presence", {"status": f"at {at}", "presenceId": "janes"})
            made = project.server.post("/tablesdb/d/tables/t/rows", json={"rowId": f"r{at}", "data": {}})
            assert made.status_code == 201, made.text
        seen = [janes.next() for _ in range(200)]

    rows = [each["data"]["payload"]["$id"] for each in seen if each["type"] == "event"]
    said = [each["data"]["presence"]["status"] for each in seen if each["type"] == "response"]
    assert rows == [f"r{at}" for at in range(100)]
    assert said == [f"at {at}" for at in range(100)]


def test_a_list_of_presences_may_be_as_old_as_its_caller_says_until_it_is_purged(
    project: Project, jane: User, bob: User
) -> None:
    def listed(user: User) -> tuple[str, list[str]]:
        """Where the list came from, and who is in it."""
        answer = user.client.get("/presences", params={"ttl": 3600})
        return answer.headers["X-Appwrite-Cache"], sorted(each["$id"] for each in answer.json()["presences"])

    def kept(user: User) -> list[str]:
        """The list, once the process that answers has kept it."""
        while (found := listed(user))[0] != "hit":
            pass
        return found[1]

    jane.client.put("/presences/desk", json={"status": "online", "permissions": ['read("users")']})
    there = ["desk", "own"]
    jane.client.put("/presences/own", json={"status": "online"})
    assert kept(jane) == there
    assert kept(bob) == ["desk"]

    source = ""
    while source != "hit":  # a process that has just begun to listen to others forgets all that it has kept
        before = kept(jane)
        there.append(f"r{len(there)}")
        jane.client.put(f"/presences/{there[-1]}", json={"status": "online"})
        source, found = listed(jane)
        assert found == (before if source == "hit" else there)
    new = jane.client.get("/presences")
    assert "X-Appwrite-Cache" not in new.headers
    assert new.json()["total"] == len(there)

    purged = jane.client.patch("/presences/own", json={"status": "away", "purge": True})
    assert purged.status_code == 200, purged.text
    assert listed(jane) == ("miss", there)
    assert error_of(jane.client.get("/presences", params={"ttl": 86_401}))[0] == 400
