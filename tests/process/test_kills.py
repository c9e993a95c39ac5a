"""kill -9 of every process while everything is written, with a ledger of what was acknowledged."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from freehold import audit
from freehold.config import Settings
from freehold.db.pool import Database
from freehold.jobs import Context, Job
from freehold.services.storage import cleanup
from tests.platform import Platform, Project, running_platform
from tests.postgres import Server
from tests.process.installation import until
from tests.services.files import PART, contents_on_disk, new_bucket, part_of
from tests.services.receiver import Receiver, running_receiver
from tests.services.sockets import socket

KILLS = int(os.environ.get("KILLS", 4))
PATIENCE_S = 120.0
ROWS = "/tablesdb/d/tables/t/rows"
CHANNEL = "tablesdb.d.tables.t.rows"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture(scope="module")
def platform(postgres: Server) -> Iterator[Platform]:
    with running_platform(postgres, "--dev") as running:
        yield running


@pytest.fixture
def project(platform: Platform, receiver: Receiver) -> Project:
    """With a table, a bucket, and a webhook that is told of new rows."""
    project = Project(platform, platform.project, platform.key)
    columns = [{"key": "n", "type": "integer", "required": False}]
    table = {"tableId": "t", "name": "T", "permissions": ['read("any")'], "columns": columns}
    hook = {"webhookId": "hook", "name": "Hook", "events": ["databases.d.tables.t.rows.*.create"]}
    for path, said in (
        ("/tablesdb", {"databaseId": "d", "name": "D"}),
        ("/tablesdb/d/tables", table),
        ("/webhooks", hook | {"url": f"{receiver.url}/rows"}),
    ):
        made = project.server.post(path, json=said)
        assert made.status_code == 201, made.text
    new_bucket(project)
    return project


class Ledger:
    """What was acknowledged, and what was seen."""

    def __init__(self, project: Project, since: int) -> None:
        self.project = project
        self.since = since
        self.made: set[str] = set()
        self.changed: dict[str, int] = {}
        self.deleted: set[str] = set()
        self.doubtful: set[str] = set()
        """Rows of whose deletion nobody was told how it ended."""
        self.files: dict[str, bytes] = {}
        self.seen: list[int] = []
        self.problems: list[str] = []
        self.last = ""
        """The row that is written when all is over."""
        self.done = threading.Event()

    @property
    def acts(self) -> int:
        return len(self.made) + len(self.changed) + len(self.deleted) + len(self.files)

    def noted(self, act: Callable[[], None]) -> Callable[[], None]:
        """Tell of what goes wrong in a thread."""

        def watched() -> None:
            try:
                act()
            except Exception as error:
                self.problems.append(f"{act}: {error!r}")
                raise

        return watched

    def ask(self, act: Callable[[httpx.Client], httpx.Response], *expected: int) -> bool | None:
        """Whether something was acknowledged; None when nobody was told."""
        try:
            with self.project.platform.client(self.project.id, key=self.project.key) as client:
                answer = act(client)
        except httpx.HTTPError:
            return None
        if answer.status_code == 503:
            return None
        assert answer.status_code in expected, answer.text
        return answer.is_success

    def write(self, writer: int) -> None:
        """Make rows, change every second and delete every third of them."""
        for n in itertools.takewhile(lambda _: not self.done.is_set(), itertools.count()):
            row_id = f"w{writer}-{n}"
            row = f"{ROWS}/{row_id}"
            body = {"rowId": row_id, "data": {"n": 0}}
            if not self.ask(lambda client, body=body: client.post(ROWS, json=body), 201):
                continue
            self.made.add(row_id)
            data = {"data": {"n": n + 1}}
            if n % 2 and self.ask(lambda client, row=row, data=data: client.patch(row, json=data), 200):
                self.changed[row_id] = n + 1
            if n % 3 == 0:
                if self.ask(lambda client, row=row: client.delete(row), 204):
                    self.deleted.add(row_id)
                else:
                    self.doubtful.add(row_id)

    def upload(self) -> None:
        """Upload files in one part and in two, each until it is whole."""
        for n in itertools.takewhile(lambda _: not self.done.is_set(), itertools.count()):
            whole = os.urandom(PART + 1000 if n % 5 == 0 else 1000)
            file_id = f"f{n}"
            for number in range(1, 1 + -(-len(whole) // PART)):
                while not self.ask(
                    lambda client, n=number, whole=whole, name=file_id: part_of(
                        client, whole, n, file_id=name, upload_id=name if n > 1 else ""
                    ),
                    201,
                    200,  # of a whole file, when the answer to its last part was lost
                ):
                    pass
            self.files[file_id] = hashlib.sha256(whole).digest()

    def listen(self) -> None:
        """Follow the rows until the last one, coming back by the number of what was seen last."""
        last = self.since
        while True:
            try:
                with socket(self.project, **{"channels[]": CHANNEL, "since": last}) as seen:
                    while True:
                        message = seen.next()
                        assert message["type"] == "event", message
                        last = message["data"]["sequence"]
                        self.seen.append(last)
                        if message["data"]["payload"]["$id"] == self.last:
                            return
            except (OSError, TimeoutError, ConnectionClosed, InvalidHandshake):
                continue


def test_whatever_is_killed_nothing_that_was_acknowledged_is_lost_and_effects_are_once(
    project: Project, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S60. KILLS says how often; also both API processes and the worker at once."""
    installation = project.platform.installation
    ledger = Ledger(project, int(project.server.get("/changes").json()["since"]))
    acts: list[Callable[[], None]] = [lambda: ledger.write(0), lambda: ledger.write(1), ledger.upload]
    threads = [threading.Thread(target=ledger.noted(act), daemon=True) for act in acts]
    listening = threading.Thread(target=ledger.noted(ledger.listen), daemon=True)
    gone: list[int] = []
    for each in (*threads, listening):
        each.start()
    try:
        for round_ in range(KILLS):
            before = ledger.acts
            until(lambda before=before: ledger.acts >= before + 10 or ledger.problems, PATIENCE_S)
            processes = installation.children("freehold-")
            kind = ("freehold-api", "freehold-worker", "freehold-")[round_ % 3]
            victims = [each for each in processes if kind in each.name()]
            for each in victims if kind == "freehold-" else victims[:1]:
                gone.append(each.pid)
                os.kill(each.pid, signal.SIGKILL)
            until(lambda: ready(installation.children("freehold-"), gone), PATIENCE_S)
    finally:
        ledger.last = "last"
        ledger.done.set()
        for each in threads:
            each.join(PATIENCE_S)
    until(lambda: ledger.ask(lambda client: client.post(ROWS, json={"rowId": "last", "data": {}}), 201))
    ledger.made.add("last")
    listening.join(PATIENCE_S)

    assert ledger.problems == []
    told = changes(project, ledger.since)
    must_hold_every_write(ledger, told)
    assert ledger.seen == [each["sequence"] for each in told]
    must_have_one_effect_of_each(receiver, told)
    must_hold_every_file(ledger, monkeypatch)
    assert_the_log_is_whole(project.platform)


def ready(processes: list[Any], gone: list[int]) -> bool:
    return len(processes) == 3 and not any(each.pid in gone for each in processes)


def changes(project: Project, since: int) -> list[dict[str, Any]]:
    """All that the change feed tells of the rows; numbered without a gap, for nothing else happened."""
    found: list[dict[str, Any]] = []
    after, more = str(since), True
    while more:
        page = project.server.get("/changes", params={"since": after, "limit": 500}).json()
        found += page["changes"]
        after, more = page["since"], page["more"]
    assert [each["sequence"] for each in found] == list(range(since + 1, since + 1 + len(found)))
    return [each for each in found if CHANNEL in each["channels"]]


def must_hold_every_write(ledger: Ledger, told: list[dict[str, Any]]) -> None:
    rows: dict[str, dict[str, Any]] = {}
    for each in told:
        row = each["payload"]
        match each["events"][0].rpartition(".")[2]:
            case "create":
                assert row["$id"] not in rows, "made twice"
                rows[row["$id"]] = row
            case "update":
                assert row["$id"] in rows
                rows[row["$id"]] = row
            case "delete":
                del rows[row["$id"]]
    there: dict[str, dict[str, Any]] = {}
    query = {"method": "limit", "values": [100_000]}
    listed = ledger.project.server.get(ROWS, params={"queries[]": json.dumps(query)}).json()
    for row in listed["rows"]:
        there[row["$id"]] = row

    assert {name: row["n"] for name, row in there.items()} == {name: row["n"] for name, row in rows.items()}
    assert ledger.made - ledger.deleted - ledger.doubtful <= there.keys()
    assert ledger.deleted.isdisjoint(there)
    for name, n in ledger.changed.items():
        assert name not in there or there[name]["n"] == n


def must_have_one_effect_of_each(receiver: Receiver, told: list[dict[str, Any]]) -> None:
    made = Counter(each["payload"]["$id"] for each in told if each["events"][0].endswith(".create"))

    def effects() -> dict[str, str]:
        return {each.key: each.payload["$id"] for each in receiver.at("/rows")}

    until(lambda: len(effects()) >= len(made), PATIENCE_S)
    assert Counter(effects().values()) == made


def must_hold_every_file(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """And, once what is dead has been collected, nothing else lies on the disk."""
    platform = ledger.project.platform
    for name, digest in ledger.files.items():
        kept = ledger.project.server.get(f"/storage/buckets/photos/files/{name}/download")
        assert hashlib.sha256(kept.content).digest() == digest, name
    monkeypatch.setattr(cleanup, "UNFINISHED_S", 0.0)

    async def collected() -> list[Path]:
        db = Database(platform.database_url, size=2, statement_timeout_s=30)
        context = Context(db, Settings(data=platform.installation.data))
        try:
            for run in (cleanup.collect_dead_uploads, cleanup.sweep):
                await run(context, Job(1, "console", "storage", b"{}", 1))
            return [Path(each["place"]) for each in await db.rows("select place from freehold.files")]
        finally:
            await db.close()

    places = asyncio.run(collected())
    assert len(places) >= len(ledger.files)
    assert sorted(path.name for path in contents_on_disk(platform)) == sorted(path.name for path in places)


def assert_the_log_is_whole(platform: Platform) -> None:
    async def chains() -> list[audit.Chain]:
        db = Database(platform.database_url, size=1, statement_timeout_s=30)
        try:
            return await audit.verify(db)
        finally:
            await db.close()

    assert [each.broken for each in asyncio.run(chains()) if each.broken] == []
