"""Whom sockets tell of what, service by service; and what happens to them as that changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.platform import Project, User, bob, jane, platform, project
from tests.services.sockets import Socket, socket
from tests.services.test_schema_tables import TICKETS, Firm, desk

__all__ = ["bob", "desk", "jane", "platform", "project"]

Done = tuple[str, str]
"""The resource of an event, and what was done to it."""


class Audience:
    """Some users, each with a socket, and what they were told."""

    def __init__(self, project: Project, opened: list[tuple[User, Socket]]) -> None:
        self.project = project
        self.opened = opened
        self.events: list[list[dict[str, Any]]] = [[] for _ in opened]

    def hear(self) -> list[list[Done]]:
        """What each has been told since the last time: up to an event of its own, which is the last one."""
        told: list[list[Done]] = []
        for (user, each), kept in zip(self.opened, self.events, strict=True):
            named = self.project.server.patch(f"/users/{user.id}/name", json={"name": "Told"})
            assert named.status_code == 200, named.text
            events = each.events_until(f"users.{user.id}.update.name")[:-1]
            kept += events
            told.append([(one["payload"]["$id"], one["events"][0].rpartition(".")[2]) for one in events])
        return told


@contextmanager
def audience(project: Project, *users: User, on: tuple[str, ...]) -> Iterator[Audience]:
    """Users with sockets that listen on these channels, and to changes of their accounts."""
    with ExitStack() as stack:
        opened = [(user, stack.enter_context(socket(project, user=user))) for user in users]
        for _, each in opened:
            each.subscribe(*on)
            each.subscribe("account.update")
        yield Audience(project, opened)


def test_rows_of_a_schema_are_told_within_their_tenant_as_far_as_the_role_sees(
    desk: Project, jane: User, bob: User
) -> None:
    """S19, S42: the owner is told of its own column too, the agent of the rest, another tenant of nothing."""
    carol = desk.new_user("Carol")
    firm, other = Firm(desk), Firm(desk)
    firm.join(jane, "owner")
    firm.join(bob, "agent")
    other.join(carol, "owner")
    notes = "/tablesdb/desk/tables/note/rows"
    with audience(desk, jane, bob, carol, on=("rows", "tablesdb.desk.tables.ticket.rows")) as all_three:
        ticket = firm.ticket(jane.client, cost="12.50")["$id"]
        path = f"{TICKETS}/{ticket}"
        renamed = bob.client.patch(path, json={"data": {"title": "Flood"}}, headers=firm.headers).json()
        note = firm.post(bob.client, notes, rowId="unique()", data={"text": "Soft"}).json()["$id"]
        assert bob.client.delete(f"{notes}/{note}", headers=firm.headers).status_code == 204
        theirs = other.ticket(carol.client)["$id"]
        within = [(ticket, "create"), (ticket, "update"), (note, "create"), (note, "delete")]
        assert all_three.hear() == [within, within, [(theirs, "create")]]

        members = desk.server.get(f"/teams/{firm.id}/memberships").json()["memberships"]
        of_bob = next(each["$id"] for each in members if each["userId"] == bob.id)
        assert desk.server.delete(f"/teams/{firm.id}/memberships/{of_bob}").status_code == 204
        jane.client.patch(path, json={"data": {"state": "closed"}}, headers=firm.headers)
        assert all_three.hear() == [[(ticket, "update")], [], []]

    of_ticket = [
        [each["payload"] for each in events if "title" in each["payload"]] for events in all_three.events
    ]
    assert "cost" not in renamed
    assert [each["cost"] for each in of_ticket[0]] == ["12.50"] * 3
    assert [each["title"] for each in of_ticket[1]] == ["Leak", "Flood"]
    assert not any("cost" in each for each in of_ticket[1])


def test_files_are_told_to_who_may_read_them_at_that_moment(project: Project, jane: User, bob: User) -> None:
    """S19: by the file, by its bucket, and no more once that is taken away."""
    bucket = {"name": "Photos", "fileSecurity": True, "permissions": ['create("users")']}
    project.server.post("/storage/buckets", json={"bucketId": "photos", **bucket})
    files = "/storage/buckets/photos/files"

    def upload(file_id: str, *permissions: str) -> None:
        said = {"fileId": file_id, **({"permissions[]": list(permissions)} if permissions else {})}
        made = jane.client.post(files, data=said, files={"file": ("a.txt", b"hello")})
        assert made.status_code == 201, made.text

    def bucket_is_read_by(*readers: str) -> None:
        said = {**bucket, "permissions": ['create("users")', *(f'read("{each}")' for each in readers)]}
        assert project.server.put("/storage/buckets/photos", json=said).status_code == 200

    with audience(project, jane, bob, on=("buckets.photos.files", "files")) as both:
        upload("own")
        upload("shared", 'read("users")', f'update("user:{jane.id}")', f'delete("user:{jane.id}")')
        own, shared = ("own", "create"), ("shared", "create")
        assert both.hear() == [[own, shared], [shared]]

        jane.client.put(f"{files}/shared", json={"permissions": [f'read("user:{jane.id}")']})
        assert both.hear() == [[("shared", "update")], []]

        bucket_is_read_by("users")
        upload("open")
        assert both.hear() == [[("open", "create")]] * 2

        bucket_is_read_by()
        jane.client.delete(f"{files}/own")
        assert both.hear() == [[("own", "delete")], []]

    first = both.events[0][0]
    assert {"files", "buckets.photos.files", "buckets.photos.files.own"} <= set(first["channels"])
    assert (first["payload"]["name"], first["payload"]["sizeOriginal"]) == ("a.txt", 5)


def test_teams_are_told_to_members_and_memberships_to_whose_they_are_too(
    project: Project, jane: User, bob: User
) -> None:
    carol = project.new_user("Carol")
    memberships = "/teams/arsenal/memberships"
    with audience(project, jane, bob, carol, on=("teams", "memberships")) as all_three:
        assert jane.client.post("/teams", json={"teamId": "arsenal", "name": "Arsenal"}).status_code == 201
        # Whoever makes a team becomes a member in that moment, so whether it hears of it is a matter of luck.
        assert all_three.hear()[1:] == [[], []]

        joined = project.server.post(memberships, json={"userId": bob.id, "roles": ["player"]}).json()["$id"]
        jane.client.put("/teams/arsenal", json={"name": "Gunners"})
        within = [(joined, "create"), ("arsenal", "update")]
        assert all_three.hear() == [within, within, []]

        assert bob.client.delete(f"{memberships}/{joined}").status_code == 204
        assert all_three.hear() == [[(joined, "delete")], [(joined, "delete")], []]

        jane.client.put("/teams/arsenal", json={"name": "Arsenal"})
        assert all_three.hear() == [[("arsenal", "update")], [], []]

    of_jane, of_bob = (
        next(each["payload"] for each in events if each["payload"]["$id"] == joined)
        for events in all_three.events[:2]
    )
    assert (of_bob["teamId"], of_bob["userId"], of_bob["roles"]) == ("arsenal", bob.id, ["player"])
    # What members are told of each other is the project's policy; each is told all of itself.
    assert (of_bob["userEmail"], of_jane["userEmail"]) == (bob.email, "")


def test_an_account_is_told_to_its_user_without_its_secrets(project: Project, jane: User, bob: User) -> None:
    with socket(project, user=jane) as seen, audience(project, bob, on=(f"account.{jane.id}",)) as other:
        seen.subscribe("account")
        session = project.sign_in(jane.email)
        jane.client.patch("/account/prefs", json={"prefs": {"dark": True}})
        with project.platform.client(project.id, session=session) as second:
            assert second.delete("/account/sessions/current").status_code == 204
        project.server.put(f"/users/{jane.id}/labels", json={"labels": ["vip"]})
        events = seen.events_until(f"users.{jane.id}.update.labels")
        assert other.hear() == [[]]

    names = [each["events"][0].removeprefix(f"users.{jane.id}.") for each in events]
    assert [name.rpartition(".")[2] for name in names] == ["create", "prefs", "delete", "labels"]
    assert all(f"account.{jane.id}" in each["channels"] for each in events)
    assert events[0]["payload"]["secret"] == ""
    assert session not in str(events)
    assert not {"password", "hash", "hashOptions"} & {name for each in events for name in each["payload"]}


def test_a_label_lets_an_open_socket_be_told_and_no_more_when_it_is_gone(
    project: Project, jane: User
) -> None:
    project.server.post("/tablesdb", json={"databaseId": "d", "name": "D"})
    table = {"tableId": "t", "name": "T", "permissions": ['read("label:vip")'], "columns": []}
    assert project.server.post("/tablesdb/d/tables", json=table).status_code == 201

    def labels(*labels: str) -> None:
        assert project.server.put(f"/users/{jane.id}/labels", json={"labels": labels}).status_code == 200

    with audience(project, jane, on=("rows",)) as told:
        for at, given in enumerate(([], ["vip"], [])):
            labels(*given)
            project.server.post("/tablesdb/d/tables/t/rows", json={"rowId": f"r{at}", "data": {}})
            heard = [each for each in told.hear()[0] if each[0] != jane.id]
            assert heard == ([(f"r{at}", "create")] if given else [])


def test_a_socket_that_was_opened_by_a_jwt_ends_when_that_does(project: Project, jane: User) -> None:
    """S26, S34: nothing happens on it meanwhile, and the session itself goes on."""
    for duration in (2, 4, 8, 16, 32):
        jwt = jane.client.post("/account/jwts", json={"duration": duration}).json()["jwt"]
        with socket(project, jwt=jwt) as seen:
            if seen.connected["type"] == "error":
                continue  # the machine took longer to let it in than the JWT held
            assert seen.connected["data"]["user"]["$id"] == jane.id
            code, said = seen.close_code()
        break

    assert code == 1008
    assert [each["data"]["message"] for each in said] == ["The session has ended."]
    assert jane.client.get("/account").status_code == 200


def test_a_project_that_switches_websockets_off_closes_them_and_lets_none_in(
    project: Project, jane: User
) -> None:
    other = project.platform.new_project()

    def switch(*, enabled: bool) -> None:
        answer = project.admin.patch("/project/protocols/websocket", json={"enabled": enabled})
        assert answer.status_code == 200, answer.text

    with socket(project, user=jane) as seen, socket(project) as guest, socket(other) as elsewhere:
        switch(enabled=False)
        ends = seen.close_code(), guest.close_code()
        with socket(project, user=jane) as refused:
            assert refused.connected["data"]["code"] == 403
            assert refused.close_code()[0] == 1008
        assert elsewhere.ask("ping") == {"type": "pong"}
    switch(enabled=True)
    with socket(project, user=jane) as again:
        assert again.connected["type"] == "connected"

    for code, said in ends:
        assert (code, [each["data"]["code"] for each in said]) == (1008, [1008])
