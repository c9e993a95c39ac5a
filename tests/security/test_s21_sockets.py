"""S21: a socket reaches neither another one, nor another project, nor what another user has said on one."""

from __future__ import annotations

from tests.platform import Project, User
from tests.services.sockets import Socket, socket

TABLE = {"tableId": "t", "name": "T", "permissions": ['read("any")', 'create("users")'], "columns": []}
ROWS = "/tablesdb/d/tables/t/rows"


def with_rows(project: Project) -> Project:
    assert project.server.post("/tablesdb", json={"databaseId": "d", "name": "D"}).status_code == 201
    assert project.server.post("/tablesdb/d/tables", json=TABLE).status_code == 201
    return project


def make(project: Project, row_id: str) -> None:
    assert project.server.post(ROWS, json={"rowId": row_id, "data": {}}).status_code == 201


def told(socket: Socket, last: str) -> list[str]:
    events = socket.events_until(f"databases.d.tables.t.rows.{last}.create")
    return [each["payload"]["$id"] for each in events]


def test_s21_a_subscription_of_another_socket_is_neither_changed_nor_ended(project: Project) -> None:
    with_rows(project)
    with socket(project) as own, socket(project) as other:
        chosen = own.subscribe("rows", subscriptionId="mine")
        given = own.subscribe("documents")
        other.subscribe("files", subscriptionId="mine")
        gone = other.ask("unsubscribe", [{"subscriptionId": each} for each in (chosen, given, "mine")])
        make(project, "r")
        event = own.event()
        assert other.ask("ping") == {"type": "pong"}

    assert [each["removed"] for each in gone["data"]["subscriptions"]] == [True, False, False]
    assert set(event["subscriptions"]) == {chosen, given}


def test_s21_channels_and_sessions_are_of_the_sockets_own_project(project: Project, jane: User) -> None:
    other = with_rows(project.platform.new_project())
    bob = other.new_user("Bob")
    with_rows(project)
    header = {"X-Appwrite-Project": project.id, "X-Appwrite-Session": bob.session}
    with (
        socket(project, user=bob) as foreign,
        socket(project, project=other.id, headers=header) as mixed,
        socket(project, user=jane) as own,
    ):
        for each in (foreign, mixed, own):
            each.subscribe("rows", "documents", f"account.{bob.id}")
        refused = foreign.ask("authentication", {"session": bob.session})
        make(other, "theirs")
        assert bob.client.patch("/account/name", json={"name": "B"}).status_code == 200
        make(project, "ours")
        seen = [told(each, "ours") for each in (foreign, mixed, own)]

    assert foreign.connected["data"]["user"] is mixed.connected["data"]["user"] is None
    assert refused["data"]["code"] == 1003
    assert seen == [["ours"]] * 3


def test_s21_the_presence_of_another_is_neither_taken_over_nor_ended(
    project: Project, jane: User, bob: User
) -> None:
    with socket(project, user=jane) as janes:
        said = {"status": "here", "presenceId": "desk", "permissions": ['read("users")']}
        assert janes.ask("presence", said)["data"]["success"]
        with socket(project, user=bob) as bobs:
            refused = bobs.ask("presence", {"status": "mine", "presenceId": "desk"})
        there = bob.client.get("/presences/desk").json()

    assert (refused["type"], refused["data"]["code"]) == ("error", 401)
    assert (there["userId"], there["status"]) == (jane.id, "here")


def test_s21_a_page_of_another_site_cannot_use_the_cookie_of_its_visitor(
    project: Project, jane: User
) -> None:
    """S46: browsers send cookies along with WebSockets from anywhere."""
    cookie = {"Cookie": f"a_session_{project.id}={jane.session}"}
    with socket(project, headers={**cookie, "Origin": "https://evil.example.com"}) as refused:
        assert refused.connected["data"]["code"] == 403
        assert refused.close_code() == (1008, [])


def test_s20_so_many_parameters_that_nobody_reads_them_are_refused(project: Project) -> None:
    with socket(project, **{f"p{at}": "" for at in range(1001)}) as refused:
        assert refused.connected["type"] == "error"
        assert refused.connected["data"]["code"] == 400
        assert refused.close_code()[0] == 1008


def test_s53_line_breaks_stay_in_the_text_that_they_are_of(project: Project, jane: User) -> None:
    """Neither a header of the handshake nor a message of its own comes of them."""
    broken = 'a\r\nSet-Cookie: x=y\r\n\r\n\x81\x02{}"}'
    with (
        socket(project, project=broken) as unknown,
        socket(project, user=jane, **{"channels[]": broken, broken: broken}) as own,
    ):
        handshakes = [each.connection.response for each in (unknown, own)]
        subscribed = own.ask("subscribe", [{"channels": [broken], "subscriptionId": broken}])
        asked = own.ask(broken)
        present = own.ask("presence", {"status": broken, "metadata": {broken: broken}})

    assert unknown.connected["data"]["code"] == 404
    assert all(each is not None and "Set-Cookie" not in each.headers for each in handshakes)
    assert own.connected["data"]["channels"] == [broken]
    assert subscribed["data"]["subscriptions"][0]["subscriptionId"] == broken
    assert (asked["type"], asked["data"]["code"]) == ("error", 1003)
    assert present["data"]["presence"]["status"] == broken
