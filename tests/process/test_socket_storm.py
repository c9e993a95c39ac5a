"""A storm of sockets that come and go while rows are written, and PostgreSQL that restarts below open ones.

Each client counts: it resumes by the last number that it saw, and in the end has seen every event of its
channel once, in order, but for those between the numbers of a gap that it was told of.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from appwrite.query import Query
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.process.installation import Installation, until
from tests.services.receiver import Receiver, running_receiver
from tests.services.sockets import PATIENCE_S

CLIENTS = int(os.environ.get("STORM_CLIENTS", 200))
ROWS = int(os.environ.get("STORM_ROWS", 60))
SOCKETS = 150
"""So many one process holds; there are two."""
PATIENCE = 240.0
TABLES = ("a", "b")


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Two API processes and a PostgreSQL of their own, with two tables that everybody may read."""
    data: Path = tmp_path_factory.mktemp("storm")
    data.chmod(0o711)
    data.parent.chmod(0o711)
    installation = Installation(data, {"FREEHOLD_WORKERS": "2", "FREEHOLD_SOCKETS": str(SOCKETS)})
    try:
        installation.start("--dev")
        with server(installation) as client:
            assert client.post("/tablesdb", json={"databaseId": "d", "name": "D"}).status_code == 201
            for table in TABLES:
                columns = [{"key": "n", "type": "integer", "required": False}]
                said = {"tableId": table, "name": table, "permissions": ['read("any")'], "columns": columns}
                assert client.post("/tablesdb/d/tables", json=said).status_code == 201
        yield installation
    finally:
        installation.stop()
        installation.log.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


def server(installation: Installation) -> httpx.Client:
    return httpx.Client(base_url=installation.endpoint, headers=headers(installation), timeout=30)


def headers(installation: Installation) -> dict[str, str]:
    return {
        "X-Appwrite-Project": installation.announced["project"],
        "X-Appwrite-Key": installation.announced["key"],
    }


def opened(installation: Installation, query: str = "") -> connect:
    url = installation.endpoint.replace("http", "ws", 1)
    return connect(
        f"{url}/realtime?project={installation.announced['project']}{query}",
        compression=None, max_size=None, ping_interval=None, close_timeout=2, open_timeout=PATIENCE_S,
    )  # fmt: skip


def channel(table: str) -> str:
    return f"tablesdb.d.tables.{table}.rows.create"


class Listener:
    """A client that comes back again and again, and what it has seen of a table."""

    def __init__(self, number: int) -> None:
        self.table = TABLES[number % 2]
        self.from_n = ROWS // 2 if number % 3 == 0 else 0
        """Rows below this are left out by a query."""
        self.chance = random.Random(number)
        self.began = self.last = -1
        self.seen: list[tuple[int, int]] = []
        """The number of each event, and the `n` of its row."""
        self.gaps: list[range] = []
        self.times = 0

    async def begin(self, installation: Installation) -> None:
        """Look where the events are now."""
        async with opened(installation) as connection:
            self.began = self.last = json.loads(await connection.recv())["data"]["sequence"]

    async def listen(self, installation: Installation) -> None:
        """Until the last row came."""
        while not self.seen or self.seen[-1][1] != ROWS + 1:
            try:
                async with opened(installation, self._query()) as connection:
                    await self._stay(connection)
            except (OSError, TimeoutError, ConnectionClosed, InvalidHandshake):
                await asyncio.sleep(self.chance.random() * 0.2)

    def _query(self) -> str:
        query = f"&channels[]={channel(self.table)}&since={self.last}"
        if self.from_n:
            wanted = quote(Query.greater_than_equal("n", self.from_n))
            query += f"&tablesdb_d_tables_{self.table}_rows_create[0][]={wanted}"
        return query

    async def _stay(self, connection: ClientConnection) -> None:
        first = json.loads(await connection.recv())
        if first["type"] == "error":
            assert first["data"]["code"] == 1013
            await asyncio.sleep(self.chance.random() * 0.2)
            return
        self.times += 1
        for _ in range(self.chance.randrange(1, 40)):
            message = json.loads(await connection.recv())
            data = message["data"]
            if message["type"] == "gap":
                self.gaps.append(range(data["since"] + 1, data["sequence"] + 1))
            else:
                self.seen.append((data["sequence"], data["payload"]["n"]))
                if data["payload"]["n"] == ROWS + 1:
                    return
            self.last = data["sequence"]
        if self.chance.random() < 0.5:
            connection.transport.abort()  # a phone in a tunnel says no goodbye


async def written(installation: Installation) -> None:
    """Write rows in both tables, several at a time, and the last one when all others are there."""
    async with writing(installation) as client:

        async def write(numbers: list[int]) -> None:
            for n in numbers:
                for table in TABLES:
                    said = {"rowId": f"r{n}", "data": {"n": n}}
                    answer = await client.post(f"/tablesdb/d/tables/{table}/rows", json=said)
                    assert answer.status_code == 201, answer.text

        await asyncio.gather(*(write(list(range(1 + at, ROWS + 1, 4))) for at in range(4)))
        await write([ROWS + 1])


async def test_in_a_storm_of_sockets_each_sees_each_event_once_or_is_told_of_a_gap(
    storm: Installation,
) -> None:
    """S20, S60."""
    listeners = [Listener(number) for number in range(CLIENTS)]
    for each in listeners:  # before anything is written, so that it is known what is due to each
        await each.begin(storm)
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(written(storm), *(each.listen(storm) for each in listeners))

    truth = events_of(storm)
    for each in listeners:
        missed = {number for gap in each.gaps for number in gap}
        due = [
            (number, n) for number, table, n in truth
            if table == each.table and n >= each.from_n and number > each.began and number not in missed
        ]  # fmt: skip
        assert [one for one in each.seen if one[0] not in missed] == due
        assert len(set(each.seen)) == len(each.seen)
    assert sum(each.times for each in listeners) > CLIENTS
    assert '"process_killed"' not in storm.log.read_text()


async def test_postgresql_restarts_below_open_sockets_and_nobody_misses_anything_or_hears_it_twice(
    storm: Installation, receiver: Receiver
) -> None:
    """S60. The sockets stay open meanwhile, the processes live on, and webhooks are told of everything."""
    processes = [each.pid for each in storm.children("freehold-")]
    hook = {"webhookId": "hook", "name": "Hook", "events": ["databases.d.tables.a.rows.*.create"]}
    with server(storm) as rest:
        made = rest.post("/webhooks", json=hook | {"url": f"{receiver.url}/rows"})
        assert made.status_code == 201, made.text
    acknowledged: list[int] = []
    enough = asyncio.Queue[int]()
    """What is acknowledged, once more for who waits for some of it."""
    numbers = itertools.count(10_000)
    done = asyncio.Event()

    async def write(client: httpx.AsyncClient) -> None:
        while not done.is_set():
            n = next(numbers)
            said = {"rowId": f"r{n}", "data": {"n": n}}
            with suppress(httpx.HTTPError):  # then nobody was told whether it was written
                answer = await client.post("/tablesdb/d/tables/a/rows", json=said)
                assert answer.status_code in (201, 503), answer.text
                if answer.status_code == 201:
                    acknowledged.append(n)
                    enough.put_nowait(n)

    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        client = await stack.enter_async_context(writing(storm))
        sockets = [
            await stack.enter_async_context(opened(storm, f"&channels[]={channel('a')}")) for _ in range(6)
        ]
        since = [json.loads(await each.recv())["data"]["sequence"] for each in sockets]
        writers = [asyncio.create_task(write(client)) for _ in range(3)]
        for _ in range(10):
            await enough.get()
        [postgres] = storm.children("postgres")
        os.kill(postgres.pid, signal.SIGKILL)
        killed_at = next(numbers)
        while await enough.get() < killed_at + 10:
            pass
        done.set()
        await asyncio.gather(*writers)
        last = next(numbers)
        made = await client.post("/tablesdb/d/tables/a/rows", json={"rowId": "last", "data": {"n": last}})
        assert made.status_code == 201, made.text
        seen = [await until_row(each, last) for each in sockets]

    truth = events_of(storm)
    for each, began in zip(seen, since, strict=True):
        assert each == [(number, n) for number, table, n in truth if table == "a" and number > began]
    assert set(acknowledged) <= {n for _, _, n in truth}
    assert [each.pid for each in storm.children("freehold-")] == processes
    made_since = Counter(n for number, table, n in truth if table == "a" and number > min(since))

    def effects() -> dict[str, int]:
        return {each.key: each.payload["n"] for each in receiver.at("/rows")}

    until(lambda: len(effects()) >= made_since.total(), PATIENCE)
    assert Counter(effects().values()) == made_since


async def until_row(connection: ClientConnection, last: int) -> list[tuple[int, int]]:
    """The number of each event up to this row's, and the `n` of its row."""
    seen = []
    while not seen or seen[-1][1] != last:
        message = json.loads(await connection.recv())
        assert message["type"] == "event", message
        seen.append((message["data"]["sequence"], message["data"]["payload"]["n"]))
    return seen


async def test_a_process_holds_so_many_sockets_and_lets_others_try_again_later(storm: Installation) -> None:
    async with AsyncExitStack() as stack:
        count, answer = 0, "connected"
        while answer == "connected":
            connection = await stack.enter_async_context(opened(storm))
            said = json.loads(await connection.recv())
            answer = said["type"]
            count += 1
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
    while answer != "connected":  # once the others are gone
        async with opened(storm) as again:
            answer = json.loads(await again.recv())["type"]

    assert SOCKETS // 2 < count <= 2 * SOCKETS + 1  # some of before may be there still
    assert said["data"]["code"] == 1013
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013


def writing(installation: Installation) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=installation.endpoint, headers=headers(installation), timeout=30)


def events_of(installation: Installation) -> list[tuple[int, str, int]]:
    """The number, the table and the `n` of each row that was made, as the change feed has them."""
    found: list[tuple[int, str, int]] = []
    with server(installation) as client:
        since, more = "0", True
        while more:
            said = {"since": since, "limit": 500, "channels[]": "rows.create"}
            page = client.get("/changes", params=said).json()
            found += [
                (each["sequence"], each["payload"]["$tableId"], each["payload"]["n"])
                for each in page["changes"]
            ]
            since, more = page["since"], page["more"]
    return found
