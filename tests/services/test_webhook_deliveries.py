"""What webhooks are told of what happens: all of it, in its order, signed, and again if it was not taken."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from appwrite.services.tables_db import TablesDB
from appwrite.services.teams import Teams

from freehold.config import Settings
from freehold.db.pool import Database
from freehold.jobs import Context, Job
from freehold.services.webhooks import delivering
from freehold.services.webhooks.grammar import all_names
from tests.platform import Platform, Project, error_of, running_platform
from tests.postgres import Server
from tests.process.installation import until
from tests.services.receiver import Receiver, Told, running_receiver
from tests.services.second_factor import run_sql
from tests.services.test_sql_events import sql

SECRET = "a secret of my own"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture(scope="module")
def office(postgres: Server) -> Iterator[Platform]:
    """A platform whose calls outside really go where they are meant to go."""
    with running_platform(postgres, "--dev") as running:
        running.register_root()
        yield running


@pytest.fixture
def shop(office: Platform) -> Project:
    return office.new_project()


def hook(shop: Project, receiver: Receiver, *events: str, **more: object) -> str:
    """A webhook for these events. Gives the path that it is told at."""
    path = f"/{shop.id}"
    body = {
        "webhookId": "hook",
        "name": "Hook",
        "url": receiver.url + path,
        "events": events,
        "secret": SECRET,
    }
    made = shop.server.post("/webhooks", json=body | more)
    assert made.status_code == 201, made.text
    return path


def changed(shop: Project, sql: str) -> None:
    """Change what is kept of webhooks, as time would."""
    run_sql(shop, sql.replace("$project", f"'{shop.id}'"))


def now_due(shop: Project) -> None:
    changed(shop, "update freehold.webhooks set paused_until = now() where project_id = $project")
    changed(shop, "update freehold.webhook_deliveries set run_at = now() where project_id = $project")


def test_an_event_is_told_with_its_resource_and_two_signatures(shop: Project, receiver: Receiver) -> None:
    path = hook(shop, receiver, "teams.*.create", authUsername="jane", authPassword="hush: ü")
    before = int(time.time())
    Teams(shop.sdk(key=shop.key)).create("crew", "The crew")
    [told] = receiver.wait_for(path, 1)

    assert told.payload["$id"] == "crew"
    assert told.payload == shop.server.get("/teams/crew").json()
    assert told.headers["Content-Type"] == "application/json"
    assert told.headers["User-Agent"].startswith("Appwrite-Server v")
    assert told.events == ["teams.crew.create", "teams.*.create", "teams.crew", "teams.*"]
    assert told.headers["X-Appwrite-Webhook-Id"] == "hook"
    assert told.headers["X-Appwrite-Webhook-Name"] == "Hook"
    assert told.headers["X-Appwrite-Webhook-Project-Id"] == shop.id
    assert told.headers["X-Appwrite-Webhook-User-Id"] == ""
    url = (receiver.url + path).encode()
    assert (
        told.headers["X-Appwrite-Webhook-Signature"]
        == base64.b64encode(hmac.digest(SECRET.encode(), url + told.body, hashlib.sha1)).decode()
    )
    at, signed = (each.split("=")[1] for each in told.headers["X-Freehold-Webhook-Signature"].split(","))
    assert before <= int(at) <= time.time()
    assert signed == hmac.digest(SECRET.encode(), f"{at}.".encode() + told.body, hashlib.sha256).hex()
    assert base64.b64decode(told.headers["Authorization"].removeprefix("Basic ")).decode() == "jane:hush: ü"


def test_the_check_of_the_documentation_knows_what_is_ours(shop: Project, receiver: Receiver) -> None:
    path = hook(shop, receiver, "teams.*.create")
    Teams(shop.sdk(key=shop.key)).create("crew", "The crew")
    [told] = receiver.wait_for(path, 1)
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    names: dict[str, Any] = {}
    exec(page.split("```python\n")[1].split("```")[0], names)
    header = told.headers["X-Freehold-Webhook-Signature"]
    old = delivering.timed_signature(SECRET.encode(), int(time.time()) - 301, told.body)

    assert names["is_ours"](SECRET, header, told.body)
    assert not names["is_ours"](SECRET, header, told.body + b" ")
    assert not names["is_ours"]("another secret", header, told.body)
    assert not names["is_ours"](SECRET, old, told.body)


def test_only_what_was_asked_for_is_told_and_nothing_while_it_is_off(
    shop: Project, receiver: Receiver
) -> None:
    path = hook(shop, receiver, "teams.*.update", "teams.*.delete")
    teams = Teams(shop.sdk(key=shop.key))
    teams.create("crew", "The crew")
    teams.update_name("crew", "The cast")
    receiver.wait_for(path, 1)
    body = {"name": "Hook", "url": receiver.url + path, "events": ["teams.*"], "enabled": False}
    assert shop.server.put("/webhooks/hook", json=body).status_code == 200
    teams.update_name("crew", "The choir")
    taken_over(shop, "teams.crew.update", 2)
    assert shop.server.put("/webhooks/hook", json=body | {"enabled": True}).status_code == 200
    teams.delete("crew")

    told = receiver.wait_for(path, 2)
    assert [each.events[0] for each in told] == ["teams.crew.update", "teams.crew.delete"]


def taken_over(shop: Project, event: str, times: int) -> None:
    """Wait until the log has these events: then webhooks have been told, or will not be."""
    sql = "select count(*) from freehold.audit where project_id = $1 and event = $2"
    until(lambda: run_sql(shop, sql, shop.id, event)[0][0] >= times, 30)


def test_rows_are_told_as_the_wire_has_them_by_whom_and_in_every_vocabulary(
    shop: Project, receiver: Receiver
) -> None:
    path = hook(
        shop, receiver, "databases.*.collections.*.documents.*.create", "tablesdb.d.tables.*.rows.*.delete"
    )
    columns = [
        {"key": "name", "type": "varchar", "size": 20, "required": False},
        {"key": "at", "type": "datetime", "required": False},
        {"key": "tags", "type": "varchar", "size": 10, "array": True, "required": False},
        {"key": "place", "type": "point", "required": False},
        {"key": "pin", "type": "varchar", "size": 200, "encrypt": True, "required": False},
    ]
    shop.server.post("/tablesdb", json={"databaseId": "d", "name": "D"})
    table = {
        "tableId": "t",
        "name": "T",
        "columns": columns,
        "permissions": ['create("users")', 'read("any")'],
    }
    assert shop.server.post("/tablesdb/d/tables", json=table).status_code == 201
    jane = shop.new_user()
    data = {
        "name": "x",
        "at": "2026-01-02T03:04:05.678+00:00",
        "tags": ["a", "b"],
        "place": [1, 2.5],
        "pin": "42",
    }
    made = jane.client.post("/tablesdb/d/tables/t/rows", json={"rowId": "r.1", "data": data})
    assert made.status_code == 201, made.text
    [told] = receiver.wait_for(path, 1)
    TablesDB(shop.sdk(key=shop.key)).delete_row("d", "t", "r.1")
    [_, gone] = receiver.wait_for(path, 2)

    assert told.payload == made.json() | {"$collectionId": "t"}
    assert told.headers["X-Appwrite-Webhook-User-Id"] == jane.id
    assert "tablesdb.*.tables.*.rows.*.create" in told.events
    assert (gone.payload["$id"], gone.payload["name"]) == ("r.1", "x")


def test_a_row_whose_table_is_gone_meanwhile_is_told_by_its_ids(shop: Project, receiver: Receiver) -> None:
    path = hook(shop, receiver, "databases.*.tables.*.rows.*")
    receiver.answers[path] = [500]
    shop.server.post("/tablesdb", json={"databaseId": "d", "name": "D"})
    assert shop.server.post("/tablesdb/d/tables", json={"tableId": "t", "name": "T"}).status_code == 201
    assert shop.server.post("/tablesdb/d/tables/t/rows", json={"rowId": "r", "data": {}}).status_code == 201
    receiver.wait_for(path, 1)
    assert shop.server.delete("/tablesdb/d/tables/t").status_code == 204
    failed_once(shop)
    now_due(shop)

    told = receiver.wait_for(path, 2)[1]
    assert told.payload == {"$id": "r", "$databaseId": "d", "$tableId": "t", "$collectionId": "t"}


def test_what_sql_writes_is_told_with_nothing_in_it_that_should_have_been_encrypted(
    shop: Project, receiver: Receiver
) -> None:
    path = hook(shop, receiver, "databases.*.tables.*.rows.*")
    pin = {"key": "pin", "type": "varchar", "size": 200, "encrypt": True, "required": False}
    shop.server.post("/tablesdb", json={"databaseId": "d", "name": "D"})
    table = {"tableId": "t", "name": "T", "columns": [pin], "sqlEvents": True}
    assert shop.server.post("/tablesdb/d/tables", json=table).status_code == 201
    sql(
        shop, "insert into t (_id, pin) values ('open', 'not sealed')", "insert into t (_id) values ('plain')"
    )

    told = {each.payload["$id"]: each.payload for each in receiver.wait_for(path, 2)}
    assert told["open"] == {"$id": "open", "$databaseId": "d", "$tableId": "t", "$collectionId": "t"}
    assert (told["plain"]["pin"], told["plain"]["$permissions"]) == (None, [])


def failed_once(shop: Project) -> None:
    until(lambda: shop.server.get("/webhooks/hook").json()["attempts"] == 1, 30)


def test_what_fails_is_told_again_with_the_same_key_and_what_follows_of_it_waits(
    shop: Project, receiver: Receiver
) -> None:
    path = hook(shop, receiver, "teams.*")
    receiver.answers[path] = [503]
    teams = Teams(shop.sdk(key=shop.key))
    teams.create("crew", "One")
    receiver.wait_for(path, 1)
    failed_once(shop)
    for name in ("Two", "Three"):
        teams.update_name("crew", name)
    taken_over(shop, "teams.crew.update", 2)
    waiting = shop.server.get("/webhooks/hook/deliveries").json()
    [first, *_] = waiting["deliveries"]
    found = shop.server.get("/webhooks/hook").json()
    now_due(shop)
    told = receiver.wait_for(path, 4)

    assert waiting["total"] == 3
    assert (first["event"], first["status"], first["attempts"]) == ("teams.crew.create", "waiting", 1)
    assert first["error"] == "It was answered with 503."
    assert datetime.fromisoformat(first["nextAttemptAt"]) > datetime.fromisoformat(first["$updatedAt"])
    assert (found["attempts"], found["enabled"]) == (1, True)
    assert "It was answered with 503." in found["logs"]
    assert [each.payload["name"] for each in told] == ["One", "One", "Two", "Three"]
    assert len({each.key for each in told}) == 3
    assert told[0].key == told[1].key == first["$id"]
    until(lambda: shop.server.get("/webhooks/hook/deliveries").json()["total"] == 0, 30)
    assert shop.server.get("/webhooks/hook").json()["attempts"] == 0


def test_a_status_is_enough_whatever_comes_behind_it(shop: Project, receiver: Receiver) -> None:
    path = hook(shop, receiver, "teams.*.create")
    receiver.endless.add(path)
    Teams(shop.sdk(key=shop.key)).create("crew", "One")
    receiver.wait_for(path, 1)
    until(lambda: shop.server.get("/webhooks/hook/deliveries").json()["total"] == 0, 30)

    assert len(receiver.at(path)) == 1
    assert shop.server.get("/webhooks/hook").json()["attempts"] == 0


def test_what_is_never_taken_is_given_up_and_can_be_told_once_more(shop: Project, receiver: Receiver) -> None:
    path = hook(shop, receiver, "teams.*")
    receiver.answers[path] = [422, 422]
    Teams(shop.sdk(key=shop.key)).create("crew", "One")
    receiver.wait_for(path, 1)
    failed_once(shop)
    changed(shop, "update freehold.webhook_deliveries set attempts = 9 where project_id = $project")
    now_due(shop)
    receiver.wait_for(path, 2)
    deliveries = "/webhooks/hook/deliveries"
    dead = {"queries[]": ['{"method":"equal","attribute":"status","values":["dead"]}']}
    until(lambda: shop.server.get(deliveries, params=dead).json()["total"] == 1, 30)
    [given_up] = shop.server.get(deliveries, params=dead).json()["deliveries"]
    replay = f"{deliveries}/{given_up['$id']}/replay"
    changed(shop, "update freehold.webhooks set paused_until = null where project_id = $project")
    replayed = shop.server.post(replay)
    told = receiver.wait_for(path, 3)

    assert (given_up["attempts"], given_up["nextAttemptAt"]) == (10, "")
    assert (replayed.status_code, replayed.json()["status"]) == (202, "waiting")
    assert {each.key for each in told} == {given_up["$id"]}
    assert error_of(shop.server.post(replay)) == (404, "webhook_delivery_not_found")
    reader = shop.platform.client(shop.id, key=shop.key_with("webhooks.read"))
    assert error_of(reader.post(replay)) == (401, "general_unauthorized_scope")
    assert error_of(shop.server.get("/webhooks/other/deliveries")) == (404, "webhook_not_found")


def test_after_ten_failures_it_is_disabled_with_a_notice_and_tells_the_rest_when_it_is_on_again(
    shop: Project, receiver: Receiver
) -> None:
    path = hook(shop, receiver, "teams.*")
    receiver.answers[path] = [500, 307]
    Teams(shop.sdk(key=shop.key)).create("crew", "One")
    receiver.wait_for(path, 1)
    failed_once(shop)
    changed(shop, "update freehold.webhooks set attempts = 9 where project_id = $project")
    now_due(shop)
    receiver.wait_for(path, 2)
    until(lambda: not shop.server.get("/webhooks/hook").json()["enabled"], 30)
    found = shop.server.get("/webhooks/hook").json()
    notices = [
        each
        for each in shop.platform.console.get("/notifications").json()["notifications"]
        if each["projectId"] == shop.id
    ]

    assert found["attempts"] == 10
    assert "redirects are not followed" in found["logs"]
    [notice] = notices
    assert notice["title"] == "The webhook Hook has been disabled"
    assert (notice["resourceType"], notice["resourceId"]) == ("webhooks", "hook")
    assert receiver.at("/elsewhere") == []

    body = {"name": "Hook", "url": receiver.url + path, "events": ["teams.*"]}
    assert shop.server.put("/webhooks/hook", json=body).json()["attempts"] == 0
    now_due(shop)
    told = receiver.wait_for(path, 3)
    assert len({each.key for each in told}) == 1


def test_s03_a_name_that_leads_inside_later_is_not_called(shop: Project, receiver: Receiver) -> None:
    """The address was checked when the webhook was made; its name may mean another one today."""
    path = hook(shop, receiver, "teams.*", enabled=False)
    secret = (shop.platform.installation.data / "secret").read_text().strip()
    # The platform's own worker stays away: for it the webhook is being told already.
    run_sql(
        shop,
        """insert into freehold.jobs (project_id, kind, payload, run_at, unique_key)
        values ($1, 'webhooks.deliver', '{}', now() + interval '1 day', 'hook')""",
        shop.id,
    )
    for url in (receiver.url + path, receiver.url.replace("127.0.0.1", "localhost") + path):
        run_sql(
            shop,
            """update freehold.webhooks set enabled = true, url = $2, attempts = 0, paused_until = null
            where project_id = $1""",
            shop.id,
            url,
        )
        run_sql(
            shop,
            """insert into freehold.webhook_deliveries
            (project_id, webhook_id, event, resource, actor, payload, happened_at)
            values ($1, 'hook', 'teams.x.create', $2, 'key:x', '{}', now())""",
            shop.id,
            url,
        )
        asyncio.run(delivered(shop, Settings(secret=secret)))
        assert "inside" in shop.server.get("/webhooks/hook").json()["logs"]

    assert receiver.at(path) == []


async def delivered(shop: Project, settings: Settings) -> None:
    """Run the job of the webhook, as an installation with these settings does."""
    db = Database(shop.platform.database_url, size=2, statement_timeout_s=15)
    try:
        job = Job(1, shop.id, "webhooks.deliver", b'{"webhook_id":"hook"}', 1)
        await delivering.deliver(Context(db, settings), job)
    finally:
        await db.close()


def test_s55_a_certificate_that_nobody_vouches_for_is_not_spoken_to_unless_that_is_wanted(
    shop: Project, receiver: Receiver
) -> None:
    path = hook(shop, receiver, "teams.*", url=f"{receiver.tls_url}/{shop.id}", tls=True)
    Teams(shop.sdk(key=shop.key)).create("crew", "One")
    failed_once(shop)
    logs = shop.server.get("/webhooks/hook").json()["logs"]
    before = receiver.at(path)
    body = {"name": "Hook", "url": receiver.tls_url + path, "events": ["teams.*"], "tls": False}
    assert shop.server.put("/webhooks/hook", json=body).status_code == 200
    now_due(shop)
    [told] = receiver.wait_for(path, 1)

    assert "could not be reached" in logs
    assert before == []
    assert told.payload["$id"] == "crew"


def test_s53_a_name_with_a_line_break_makes_no_header(shop: Project, receiver: Receiver) -> None:
    path = hook(shop, receiver, "teams.*")
    changed(shop, "update freehold.webhooks set name = E'Hook\\r\\nX-Evil: 1' where project_id = $project")
    Teams(shop.sdk(key=shop.key)).create("crew", "One")
    [told] = receiver.wait_for(path, 1)

    assert told.headers["X-Appwrite-Webhook-Name"] == "Hook  X-Evil: 1"
    assert "X-Evil" not in told.headers


def test_no_event_is_lost_and_each_has_one_effect_when_the_worker_is_killed(
    shop: Project, receiver: Receiver
) -> None:
    path = hook(shop, receiver, "teams.*.create")
    made = []
    for at in range(30):
        made.append(f"t{at}")
        assert shop.server.post("/teams", json={"teamId": made[-1], "name": "T"}).status_code == 201
        if at % 10 == 5:
            until(lambda: shop.platform.installation.children("worker"), 30)
            worker = shop.platform.installation.children("worker")[0]
            worker.kill()
            worker.wait(10)

    def effects() -> dict[str, Told]:
        return {each.key: each for each in receiver.at(path)}

    until(lambda: len(effects()) == 30, 60)
    assert sorted(each.payload["$id"] for each in effects().values()) == sorted(made)


def test_an_event_can_be_asked_for_by_all_of_these_names() -> None:
    assert all_names("teams.a.memberships.b.update.status") == [
        "teams.a.memberships.b.update.status", "teams.a.memberships.*.update.status",
        "teams.*.memberships.b.update.status", "teams.*.memberships.*.update.status",
        "teams.a.memberships.b.update", "teams.a.memberships.*.update", "teams.*.memberships.b.update",
        "teams.*.memberships.*.update", "teams.a.memberships.b", "teams.a.memberships.*",
        "teams.*.memberships.b", "teams.*.memberships.*", "teams.a", "teams.*",
    ]  # fmt: skip
    assert "databases.*.tables.*.rows.*.create" in all_names("databases.a.b.tables.c.rows.x.rows.y.create")
    assert all_names("projects.p.policies.limits.update") == ["projects.p.policies.limits.update"]
