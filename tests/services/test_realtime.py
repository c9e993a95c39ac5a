"""Realtime: sockets are told of what happens, as far as who is at the other end may know."""

from __future__ import annotations

import itertools
import json
import threading
import time
from contextlib import ExitStack, suppress

import pytest
from appwrite.query import Query
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.platform import Project, User, bob, error_of, jane, platform, project
from tests.services.second_factor import run_sql
from tests.services.sockets import socket

__all__ = ["bob", "jane", "platform", "project"]

ROWS = "/tablesdb/d/tables/t/rows"


@pytest.fixture
def rows(project: Project) -> str:
    """Rows that everybody signed in makes, and that are their owners' otherwise. Gives where they are."""
    project.server.post("/tablesdb", json={"databaseId": "d", "name": "D"})
    made = project.server.post(
        "/tablesdb/d/tables",
        json={
            "tableId": "t",
            "name": "T",
            "permissions": ['create("users")'],
            "rowSecurity": True,
            "columns": [
                {"key": "text", "type": "varchar", "size": 50, "required": False},
                {"key": "n", "type": "integer", "required": False},
            ],
        },
    )
    assert made.status_code == 201, made.text
    return ROWS


def make(user: User | Project, row_id: str, *permissions: str, **data: object) -> None:
    client = user.server if isinstance(user, Project) else user.client
    said = {"rowId": row_id, "data": data, **({"permissions": permissions} if permissions else {})}
    answer = client.post(ROWS, json=said)
    assert answer.status_code == 201, answer.text


def test_an_event_comes_with_its_names_channels_and_the_row(project: Project, rows: str, jane: User) -> None:
    with socket(project, user=jane) as seen:
        assert seen.connected["type"] == "connected"
        assert seen.connected["data"]["user"]["$id"] == jane.id
        assert seen.connected["data"]["subscriptions"] == {}
        one = seen.subscribe("rows")
        two = seen.subscribe("tablesdb.d.tables.t.rows.r.update", "documents.create")
        make(jane, "r", text="a", n=1)
        made = seen.event()
        jane.client.patch(f"{rows}/r", json={"data": {"text": "b"}})
        changed = seen.event()
        jane.client.delete(f"{rows}/r")
        gone = seen.event()

    assert made["events"][0] == "databases.d.tables.t.rows.r.create"
    assert {
        "databases.*.tables.*.rows.*.create",
        "tablesdb.d.tables.t.rows.r.create",
        "databases.d.collections.t.documents.*.create",
    } <= set(made["events"])
    assert {
        "rows",
        "documents",
        "tablesdb.d.tables.t.rows.r",
        "databases.d.tables.t.rows",
        "databases.d.collections.t.documents.r",
        "rows.create",
    } <= set(made["channels"])
    assert made["payload"] | {"$createdAt": "", "$updatedAt": "", "$permissions": []} == {
        "$id": "r",
        "$sequence": "1",
        "$createdAt": "",
        "$updatedAt": "",
        "$permissions": [],
        "$databaseId": "d",
        "$tableId": "t",
        "$collectionId": "t",
        "text": "a",
        "n": 1,
    }
    assert [set(each["subscriptions"]) for each in (made, changed, gone)] == [{one, two}, {one, two}, {one}]
    assert changed["payload"]["text"] == gone["payload"]["text"] == "b"
    assert made["sequence"] < changed["sequence"] < gone["sequence"]


def test_older_sdks_subscribe_in_the_url_with_queries_in_slots(
    project: Project, rows: str, jane: User
) -> None:
    said = {
        "channels[]": ["rows", "account", "account.somebody"],
        "rows[0][]": Query.equal("n", [1]),
        "rows[1][]": Query.greater_than("n", 1),
    }
    with socket(project, user=jane, **said) as seen:
        connected = seen.connected["data"]
        for n in (0, 1, 2):
            make(jane, f"r{n}", n=n)
        told = seen.events_until("databases.d.tables.t.rows.r2.create")

    slots = connected["subscriptions"]
    assert connected["channels"] == [f"account.{jane.id}", "rows"]
    assert [(each["payload"]["n"], each["subscriptions"]) for each in told] == [
        (1, [slots["0"]]),
        (2, [slots["1"]]),
    ]


def test_who_signs_in_later_is_told_from_then_on(project: Project, rows: str, jane: User) -> None:
    with socket(project) as seen:
        assert seen.connected["data"]["user"] is None
        seen.subscribe("rows", "account")
        make(jane, "hidden")
        make(project, "everybodys", 'read("any")')
        assert seen.event()["payload"]["$id"] == "everybodys"
        answer = seen.ask("authentication", {"session": jane.session})
        assert answer["data"]["user"]["$id"] == jane.id
        jane.client.patch("/account/name", json={"name": "Jane II"})
        make(jane, "shown")
        named, shown = seen.event(), seen.event()
        refused = seen.ask("authentication", {"session": "e30="})

    assert named["events"][0] == f"users.{jane.id}.update.name"
    assert "account" not in named["channels"] or f"account.{jane.id}" in named["channels"]
    assert named["payload"]["name"] == "Jane II"
    assert shown["payload"]["$id"] == "shown"
    assert refused["type"] == "error"
    assert refused["data"]["code"] == 1003


def test_who_signs_in_while_settings_change_is_let_in(project: Project, rows: str, jane: User) -> None:
    """A socket whose project has changed is looked up anew, which is not to undo what it says meanwhile."""
    over = threading.Event()

    def change() -> None:
        for at in itertools.cycle((True, False)):
            project.admin.patch("/project/protocols/graphql", json={"enabled": at})
            make(project, "unique()")
            if over.is_set():
                return

    changing = threading.Thread(target=change)
    changing.start()
    try:
        for _ in range(40):
            with socket(project) as janes:
                janes.subscribe("rows")
                answer = janes.ask("authentication", {"session": jane.session})
                assert answer["data"]["user"]["$id"] == jane.id
                assert janes.ask("ping") == {"type": "pong"}
    finally:
        over.set()
        changing.join()


def test_nobody_is_told_of_what_it_may_not_read(project: Project, rows: str, jane: User, bob: User) -> None:
    """S19: rows of others, permissions that are taken away, and deletions."""
    with socket(project, user=bob) as seen, socket(project) as guest:
        for each in (seen, guest):
            each.subscribe("rows", "account", f"account.{jane.id}", "files", "teams", "memberships")
        make(jane, "own")
        jane.client.patch("/account/name", json={"name": "J"})
        jane.client.patch(f"{rows}/own", json={"data": {"text": "x"}})
        make(project, "given", f'read("user:{bob.id}")', text="for bob")
        project.server.patch(f"{rows}/given", json={"data": {"text": "b"}, "permissions": []})
        project.server.delete(f"{rows}/given")
        jane.client.delete(f"{rows}/own")
        make(project, "end", 'read("any")')
        last = "databases.d.tables.t.rows.end.create"
        told, told_guest = seen.events_until(last), guest.events_until(last)

    assert [each["payload"]["$id"] for each in told] == ["given", "end"]
    assert [each["payload"]["$id"] for each in told_guest] == ["end"]


def test_what_changes_of_a_team_or_a_table_holds_for_open_sockets(
    project: Project, rows: str, bob: User
) -> None:
    project.server.post("/teams", json={"teamId": "arsenal", "name": "Arsenal"})
    memberships = "/teams/arsenal/memberships"

    def allow(*permissions: str) -> None:
        said = {"name": "T", "permissions": permissions, "rowSecurity": True}
        assert project.server.put("/tablesdb/d/tables/t", json=said).status_code == 200

    with socket(project, user=bob) as seen:
        seen.subscribe("rows")
        make(project, "before", 'read("team:arsenal")')
        member = project.server.post(memberships, json={"userId": bob.id, "roles": []})
        assert member.status_code == 201, member.text
        make(project, "member", 'read("team:arsenal")')
        told = seen.events_until("databases.d.tables.t.rows.member.create")
        project.server.delete(f"{memberships}/{member.json()['$id']}")
        make(project, "after", 'read("team:arsenal")')
        make(project, "everybodys", 'read("any")')
        told += seen.events_until("databases.d.tables.t.rows.everybodys.create")
        allow('read("users")')
        make(project, "open")
        told += seen.events_until("databases.d.tables.t.rows.open.create")
        allow()
        make(project, "closed")
        make(project, "end", 'read("any")')
        told += seen.events_until("databases.d.tables.t.rows.end.create")

    # What was made before is told by what holds when it is told, so it may be there or not.
    ids = [each["payload"]["$id"] for each in told]
    assert [each for each in ids if each != "before"] == ["member", "everybodys", "open", "end"]


def test_a_socket_ends_with_its_session_and_with_its_user(project: Project, jane: User, bob: User) -> None:
    """S34: signing out and being blocked close what is open, without anything happening on it."""
    with socket(project, user=jane) as janes, socket(project, user=bob) as bobs, socket(project) as guest:
        jane.client.delete("/account/sessions/current")
        project.server.patch(f"/users/{bob.id}/status", json={"status": False})
        ends = janes.close_code(), bobs.close_code()
        assert guest.ask("ping") == {"type": "pong"}

    for code, said in ends:
        assert code == 1008
        assert [(each["type"], each["data"]["code"]) for each in said if each["type"] == "error"] == [
            ("error", 1008)
        ]


def test_a_socket_that_would_not_be_let_in_any_more_ends_and_others_are_told_on(
    project: Project, rows: str, jane: User, bob: User
) -> None:
    """S60: whatever it is that its key, or who acts for somebody, is refused with now."""
    keys = "/project/keys"
    key = project.admin.post(keys, json={"keyId": "k", "name": "K", "scopes": ["rows.read"]}).json()
    project.server.patch(f"/users/{bob.id}/impersonator", json={"impersonator": True})
    as_jane = {"X-Appwrite-Impersonate-User-Id": jane.id}
    with (
        socket(project, headers={"X-Appwrite-Key": key["secret"]}) as of_key,
        socket(project, user=bob, headers=as_jane) as of_helper,
        ExitStack() as others,
    ):
        assert of_helper.connected["data"]["user"]["$id"] == jane.id
        told = [others.enter_context(socket(project, user=jane)) for _ in range(8)]  # of every process
        for each in (of_key, of_helper, *told):
            each.subscribe("rows")
        over = {"name": "K", "scopes": ["rows.read"], "expire": "2020-01-01T00:00:00.000+00:00"}
        assert project.admin.put(f"{keys}/k", json=over).status_code == 200
        project.server.patch(f"/users/{bob.id}/impersonator", json={"impersonator": False})
        ends = of_key.close_code(), of_helper.close_code()
        make(jane, "after")
        assert [each.event()["payload"]["$id"] for each in told] == ["after"] * 8

    for code, said in ends:
        assert (code, [each["data"]["code"] for each in said]) == (1008, [1008])


def test_a_jwt_and_a_cookie_say_who_it_is(project: Project, jane: User) -> None:
    jwt = jane.client.post("/account/jwts", json={}).json()["jwt"]
    with (
        socket(project, jwt=jwt) as by_jwt,
        socket(project, headers={"Cookie": f"a_session_{project.id}={jane.session}"}) as by_cookie,
        socket(project, jwt="nonsense") as refused,
    ):
        assert by_jwt.connected["data"]["user"]["$id"] == jane.id
        assert by_cookie.connected["data"]["user"]["$id"] == jane.id
        assert by_cookie.ask("authentication", {"session": "e30="})["data"]["code"] == 1003
        still = by_cookie.ask("subscribe", [{"channels": ["account"]}])["data"]["subscriptions"]
        assert still[0]["channels"] == [f"account.{jane.id}"]
        assert refused.connected["type"] == "error"
        assert refused.close_code()[0] == 1008


def test_pages_of_unknown_origins_and_unknown_projects_are_refused(project: Project) -> None:
    with socket(project, headers={"Origin": "https://evil.example.com"}) as refused:
        assert refused.connected["data"]["code"] == 403
        assert refused.close_code()[0] == 1008
    with socket(project.platform, "nowhere") as refused:
        assert refused.connected["data"]["code"] == 404
    with socket(project, headers={"Origin": "http://localhost:3000"}) as known:
        assert known.connected["type"] == "connected"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("{", 1003),
        ('{"type":"ping"', 1003),
        ('{"type":"dance","data":{}}', 1003),
        ('{"type":"subscribe","data":{}}', 1003),
        ('{"type":"subscribe","data":[]}', 1003),
        ('{"type":"unsubscribe","data":[{"subscriptionId":7}]}', 1003),
        ('{"type":"authentication","data":{"session":"\\u20ac"}}', 1003),
        ('{"type":"presence","data":{"status":"here"}}', 401),
        (json.dumps({"type": "subscribe", "data": [{"channels": ["c"] * 101}]}), 400),
        (json.dumps({"type": "subscribe", "data": [{"channels": ["c" * 257]}]}), 400),
        (json.dumps({"type": "subscribe", "data": [{"channels": ["rows"]}] * 101}), 1003),
        (json.dumps({"type": "subscribe", "data": [{"channels": ["rows"], "queries": ["x"]}]}), 400),
        (
            json.dumps(
                {"type": "subscribe", "data": [{"channels": ["rows"], "queries": [Query.search("a", "b")]}]}
            ),
            400,
        ),
    ],
)
def test_a_message_that_cannot_be_read_is_refused_and_the_socket_stays(
    project: Project, said: str, code: int
) -> None:
    """S20."""
    with socket(project) as seen:
        seen.connection.send(said)
        answer = seen.next()
        assert (answer["type"], answer["data"]["code"]) == ("error", code)
        assert seen.ask("ping") == {"type": "pong"}


def test_channels_of_what_there_is_not_yet_can_be_subscribed_to_and_keep_nothing_from_others(
    project: Project, rows: str, jane: User
) -> None:
    """Apps of SDKs old and new name them beside others."""
    nothing = [
        "console.tail.p", "documentsdb.d.collections.c.documents", "executions", "executions.e",
        "executions.e.update", "functions.f", "vectorsdb.d.collections.c.documents.x",
    ]  # fmt: skip
    with socket(project, user=jane, **{"channels[]": [*nothing, "rows"]}) as old, socket(project) as new:
        connected = old.connected["data"]
        answer = new.ask("subscribe", [{"channels": nothing}, {"channels": ["rows"]}])
        make(project, "r", 'read("any")')
        told = [seen.event()["payload"]["$id"] for seen in (old, new)]

    assert connected["channels"] == sorted([*nothing, "rows"])
    assert (answer["type"], answer["data"]["success"]) == ("response", True)
    assert [each["channels"] for each in answer["data"]["subscriptions"]] == [nothing, ["rows"]]
    assert told == ["r", "r"]


def test_a_socket_subscribes_to_so_much_and_keeps_what_it_has(project: Project) -> None:
    """S20: what a socket subscribes to is kept as long as it is open."""
    wanted = Query.equal("text", ["x" * 4000])
    channels = [f"{at}".rjust(256, "c") for at in range(100)]
    with socket(project) as seen:
        seen.subscribe("rows", subscriptionId="first")
        for said in (
            [{"channels": [*channels, "one more"]}],
            [{"channels": ["c" * 257]}],
            [{"channels": ["rows"], "queries": [Query.is_null("n")] * 101}],
            [{"channels": ["rows"], "queries": ["x" * 4097]}],
            [{"channels": ["rows"]}] * 101,
            [{"channels": ["rows"]}] * 100,  # with the one that there is
        ):
            assert seen.ask("subscribe", said)["type"] == "error"
        for at in range(10):
            seen.subscribe(*channels, subscriptionId=f"s{at}")
        much = seen.ask("subscribe", [{"channels": ["rows"], "queries": [wanted] * 4}])
        seen.subscribe("rows", queries=(wanted,) * 4, subscriptionId="s0")  # instead of all those channels
        still = seen.ask("unsubscribe", [{"subscriptionId": each} for each in ("first", "s9")])

    assert (much["type"], much["data"]["code"]) == ("error", 400)
    assert "at most 262144 characters" in much["data"]["message"]
    assert [each["removed"] for each in still["data"]["subscriptions"]] == [True, True]


def test_of_a_subscription_that_is_said_twice_in_a_message_the_last_holds(project: Project) -> None:
    narrowed = {"subscriptionId": "a", "channels": ["rows"], "queries": [Query.equal("n", [1])]}
    with socket(project) as seen:
        both = [narrowed, {"subscriptionId": "a", "channels": ["teams"]}]
        told = seen.ask("subscribe", both)["data"]["subscriptions"]

    assert told == [{"subscriptionId": "a", "channels": ["teams"], "queries": []}]


def test_a_message_too_long_ends_its_socket_and_no_other(project: Project) -> None:
    """S20."""
    with socket(project) as seen, socket(project) as other:
        with suppress(ConnectionClosed):
            seen.connection.send("x" * 10_000_000)
        code, _ = seen.close_code()
        assert other.ask("ping") == {"type": "pong"}

    assert code in (1009, 1006)


def test_who_comes_back_is_told_what_it_missed_once_and_in_order(
    project: Project, rows: str, jane: User
) -> None:
    with socket(project, user=jane) as first:
        first.subscribe("rows")
        make(jane, "seen")
        last = first.event()["sequence"]
    make(jane, "missed")
    jane.client.patch(f"{rows}/missed", json={"data": {"text": "later"}})
    make(project, "others")
    with socket(project, user=jane) as again:
        again.say("subscribe", [{"channels": ["rows"], "since": last}])
        assert again.next()["data"]["to"] == "subscribe"
        make(jane, "new")
        told = again.events_until("databases.d.tables.t.rows.new.create")
    with socket(project, user=jane, **{"channels[]": "rows", "since": str(told[0]["sequence"])}) as by_url:
        rest = by_url.events_until("databases.d.tables.t.rows.new.create")

    ids = [each["payload"]["$id"] for each in told]
    assert ids == ["missed", "missed", "new"]
    assert [each["sequence"] for each in told] == sorted({each["sequence"] for each in told})
    assert [each["sequence"] for each in rest] == [each["sequence"] for each in told[1:]]


def test_what_is_told_again_comes_before_what_is_new_on_any_subscription(
    project: Project, rows: str, jane: User
) -> None:
    with socket(project, user=jane) as seen:
        one = seen.subscribe("rows")
        make(jane, "a")
        last = seen.event()["sequence"]
        asked = [
            {"channels": ["rows"], "since": last - 1, "subscriptionId": "two"},
            {"channels": ["documents"], "since": last + 1000, "subscriptionId": "three"},
        ]
        seen.say("subscribe", asked)
        said = [seen.next()["type"], seen.next()["type"]]
        make(jane, "b")
        told = seen.events_until("databases.d.tables.t.rows.b.create")

    assert said == ["response", "gap"]
    assert [(each["payload"]["$id"], set(each["subscriptions"])) for each in told] == [
        ("a", {"two"}),
        ("b", {one, "two", "three"}),
    ]


def test_who_reads_slowly_is_told_all_that_it_missed_and_of_what_is_too_large_that_it_was(
    project: Project, rows: str
) -> None:
    text = {"key": "long", "required": False}
    assert project.server.post("/tablesdb/d/tables/t/columns/longtext", json=text).status_code == 202
    project.server.put(
        "/tablesdb/d/tables/t", json={"name": "T", "permissions": ['read("any")'], "rowSecurity": True}
    )
    with socket(project) as seen:
        subscription = seen.subscribe("rows")
        since = seen.ask("subscribe", [{"channels": ["files"]}])["data"]["sequence"]
        make(project, "large", long="x" * 5_000_000)
        make(project, "small")
        large = seen.next()
        assert seen.event()["payload"]["$id"] == "small"
    many = [{"$id": f"r{at}", "long": "x" * 250_000} for at in range(80)]
    for at in range(0, len(many), 20):
        assert project.server.post(ROWS, json={"rows": many[at : at + 20]}).status_code == 201
    url = project.platform.endpoint.replace("http", "ws", 1)
    again = f"{url}/realtime?project={project.id}&channels[]=rows&since={since}"
    with connect(again, compression=None, max_size=None, max_queue=1) as slow:
        assert json.loads(slow.recv(timeout=30))["type"] == "connected"
        time.sleep(1)  # what it does not take meanwhile is more than may wait
        told = [json.loads(slow.recv(timeout=30)) for _ in range(len(many) + 2)]

    number = large["data"]["sequence"]
    assert large["type"] == "gap"
    assert large["data"]["subscriptions"] == [subscription]
    assert large["data"]["since"] == number - 1
    assert (told[0]["type"], told[0]["data"]["sequence"]) == ("gap", number)
    assert [each["data"]["payload"]["$id"] for each in told[1:]] == [
        "small",
        *(each["$id"] for each in many),
    ]


def test_who_was_away_too_long_is_told_that_there_is_a_gap(project: Project, rows: str, jane: User) -> None:
    make(jane, "r")
    with socket(project, user=jane) as seen:
        seen.say("subscribe", [{"channels": ["rows"], "since": 10_000, "subscriptionId": "mine"}])
        assert seen.next()["data"]["to"] == "subscribe"
        gap = seen.next()

    assert gap["type"] == "gap"
    assert gap["data"]["subscriptions"] == ["mine"]
    assert gap["data"]["since"] == 10_000


def test_the_change_feed_gives_what_happened_since_a_token(
    project: Project, rows: str, jane: User, bob: User
) -> None:
    start = jane.client.get("/changes").json()
    assert start["changes"] == []
    make(jane, "a")
    make(jane, "b")
    make(project, "secret")
    jane.client.delete(f"{rows}/a")

    seen: list[str] = []
    since, more = start["since"], True
    while more:
        page = jane.client.get("/changes", params={"since": since, "channels[]": "rows", "limit": 1}).json()
        seen += [each["events"][0] for each in page["changes"]]
        since, more = page["since"], page["more"]
    of_bob = bob.client.get("/changes", params={"since": start["since"]}).json()
    of_key = project.server.get("/changes", params={"since": start["since"]}).json()
    refused = project.platform.client(project.id, key=project.key_with("files.read")).get(
        "/changes", params={"since": start["since"]}
    )

    names = [f"databases.d.tables.t.rows.{each}" for each in ("a.create", "b.create", "a.delete")]
    assert seen == names
    assert of_bob["changes"] == []
    assert [each["events"][0] for each in of_key["changes"] if ".rows." in each["events"][0]] == [
        names[0],
        names[1],
        "databases.d.tables.t.rows.secret.create",
        names[2],
    ]
    assert refused.json()["changes"] == []
    for wrong, status in (("x", 400), ("-1", 400), ("99999999", 410)):
        assert jane.client.get("/changes", params={"since": wrong}).status_code == status


def test_what_is_too_old_to_be_kept_is_a_gap_of_the_feed(project: Project, rows: str, jane: User) -> None:
    start = jane.client.get("/changes").json()["since"]
    make(jane, "a")
    make(jane, "b")
    last = jane.client.get("/changes").json()["since"]
    run_sql(
        project,
        "delete from freehold.outbox where project_id = $1 and event like '%.rows.a.create'",
        project.id,
    )
    answer = jane.client.get("/changes", params={"since": start})
    with socket(project, user=jane) as seen:
        seen.say("subscribe", [{"channels": ["rows"], "since": int(start)}])
        said = [seen.next()["type"], seen.next()["type"]]

    assert error_of(answer) == (410, "realtime_events_gone")
    assert said == ["response", "gap"]
    assert jane.client.get("/changes", params={"since": last}).json()["changes"] == []
