"""`python -m bench.sockets`: how many sockets are held in how much memory, and how fast they are told.

Three measurements. *hold*: so many sockets are opened, each with a subscription; what
the platform's processes, PostgreSQL among them, have in memory more than before. *deliver*: rows are made at
a steady rate while some of the sockets listen to their table; each row is due on each of these once. *rest*:
one row after the other while nothing else happens. Latencies run from the moment in which the row's request
is sent until its event has arrived. The client is this one process, on the same machine; it and each process
of the server need so many open files (`ulimit -n`).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httpx
import uvloop

from bench import installation, processes
from bench.document import publish, verdict
from bench.installation import Installation

DATABASE = "bench-sockets"
ROWS = f"/tablesdb/{DATABASE}/tables/rows/rows"
OPENING = 64
"""So many sockets are opened at once: more would only wait for each other."""
GIVE_UP_AFTER_S = 60.0
MOST_MIB = 1536
LEAST_PER_SECOND = 20_000
MOST_P95_MS = 100
MOST_REST_MS = 20
TEXT, PING = 0x81, 0x89


class Found(NamedTuple):
    """What a run has measured."""

    mib: int
    kib_per_socket: float
    per_second: int
    lost: int
    p95_ms: float
    rest_ms: float


def main() -> int:
    options = _options()
    _allow_files(options.sockets + 200)
    with installation.running() as at:
        found = uvloop.run(_run(options, at, _prepare(options, at)))
    publish("bench.sockets", "\n".join(_table(options, found)), written=options.write)
    return 0


def _table(options: argparse.Namespace, found: Found) -> Iterator[str]:
    yield (
        f"{options.sockets:,} sockets, each with a subscription; rows are made at {options.rate:g} a second"
        f" while {options.listeners:,} of them listen to their table. The client has the processor with the"
        " server. Times are from the moment in which the request of a row is sent until its event is there."
    )
    yield ""
    yield "| | found | target | |"
    yield "|---|---|---|---|"
    memory = f"memory of all processes, PostgreSQL's among them ({found.kib_per_socket:.1f} KiB for a socket)"
    lines = (
        (memory, found.mib, "at most", MOST_MIB, "MiB"),
        ("events on sockets a second", found.per_second, "at least", LEAST_PER_SECOND, ""),
        ("of which are lost", found.lost, "at most", 0, ""),
        ("of 20 events, 19 are there within", found.p95_ms, "at most", MOST_P95_MS, "ms"),
        (
            "one row at rest, until the first socket knows (median)",
            found.rest_ms,
            "at most",
            MOST_REST_MS,
            "ms",
        ),
    )
    for what, measured, way, bound, unit in lines:
        met = verdict(measured, bound, at_most=way == "at most")
        told = f"{measured:,.0f}" if isinstance(measured, int) else f"{measured:,.1f}"
        yield f"| {what} | **{told}{unit and ' ' + unit}** | {way} {bound:,}{unit and ' ' + unit} | {met} |"


async def _run(options: argparse.Namespace, at: Installation, sessions: list[str]) -> Found:
    loop = asyncio.get_running_loop()
    counted = Counted()
    url = urlsplit(at.endpoint)
    assert url.hostname
    assert url.port
    before = processes.memory(processes.tree(at.pid))
    opened: list[_Socket] = []
    while len(opened) < options.sockets:
        first = len(opened)
        news = [
            _Socket(_handshake(options, at.project, url.netloc, first + each, sessions), counted)
            for each in range(min(OPENING, options.sockets - first))
        ]
        await asyncio.gather(
            *(loop.create_connection(partial(_same, each), url.hostname, url.port) for each in news)
        )
        async with asyncio.timeout(GIVE_UP_AFTER_S):
            await asyncio.gather(*(each.connected for each in news))
        opened += news
    await asyncio.sleep(2)
    after = processes.memory(processes.tree(at.pid))
    async with httpx.AsyncClient(base_url=at.endpoint, headers=at.headers, timeout=30) as client:
        delivered = await _measure_deliveries(options, client, counted)
        rest_ms = await _measure_rest(options, client, counted)
    if counted.closed:
        raise SystemExit(f"{counted.closed} sockets were closed by the server.")
    for each in opened:
        each.transport.abort()
    per_socket = (after.pss - before.pss) / 1024 / len(opened)
    return Found(round(after.pss / 1024**2), per_socket, *delivered, rest_ms)


async def _measure_deliveries(
    options: argparse.Namespace, client: httpx.AsyncClient, counted: Counted
) -> tuple[int, int, float]:
    """How many events a second arrive, how many never do, and within how many ms 19 of 20 are there."""
    await _write(client)  # so that the first row has found everything open
    await counted.all_of(options.listeners)
    counted.clear()
    writes = set()
    rows = round(options.rate * options.seconds)
    began = time.perf_counter()
    for at in range(rows):
        await asyncio.sleep(max(0.0, began + at / options.rate - time.perf_counter()))
        writes.add(asyncio.create_task(_write(client)))
    await asyncio.gather(*writes)
    due = rows * options.listeners
    await counted.all_of(due)
    took = counted.last_at - began
    latencies = sorted(counted.latencies)
    p95 = latencies[int(0.95 * len(latencies))]
    return round(len(latencies) / took), due - len(latencies), p95 * 1000


async def _measure_rest(options: argparse.Namespace, client: httpx.AsyncClient, counted: Counted) -> float:
    medians = []
    for _ in range(options.rest):
        await asyncio.sleep(0.1)
        counted.clear()
        await _write(client)
        await counted.all_of(options.listeners)
        medians.append(min(counted.latencies))
    return statistics.median(medians) * 1000


async def _write(client: httpx.AsyncClient) -> None:
    said = {"rowId": "unique()", "data": {"at": time.perf_counter_ns()}}
    answer = await client.post(ROWS, json=said)
    answer.raise_for_status()


class Counted:
    """What has arrived on all sockets."""

    def __init__(self) -> None:
        self.closed = 0
        self.clear()

    def clear(self) -> None:
        self.latencies: list[float] = []
        self.size = 0
        self.last_at = 0.0

    def take(self, frame: bytes) -> None:
        now = time.perf_counter()
        start = frame.find(b'"at":') + 5
        self.latencies.append(now - int(frame[start : frame.index(b",", start)]) / 1e9)
        self.size += len(frame)
        self.last_at = now

    async def all_of(self, due: int) -> None:
        """Wait until so many have arrived, or nothing has for some seconds."""
        waited_since, had = time.perf_counter(), -1
        while len(self.latencies) < due and time.perf_counter() - waited_since < 5:
            if len(self.latencies) != had:
                waited_since, had = time.perf_counter(), len(self.latencies)
            await asyncio.sleep(0.002)


class _Socket(asyncio.Protocol):
    """A WebSocket that reads as little of its frames as it can."""

    transport: asyncio.Transport

    def __init__(self, handshake: bytes, counted: Counted) -> None:
        self.handshake = handshake
        self.counted = counted
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.rest = b""
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.handshake)

    def data_received(self, data: bytes) -> None:
        data = self.rest + data if self.rest else data
        if not self.is_open:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self.rest = head
                return
            if b" 101 " not in head[:20]:
                self.connected.set_exception(SystemExit(head.decode(errors="replace")))
                return
            self.is_open = True
        at = 0
        while len(data) - at >= 2:
            size, start = data[at + 1], at + 2
            if size >= 126:
                width = 2 if size == 126 else 8
                if len(data) < start + width:
                    break
                size, start = int.from_bytes(data[start : start + width], "big"), start + width
            if len(data) < start + size:
                break
            self._take(data[at], data[start : start + size])
            at = start + size
        self.rest = data[at:]

    def _take(self, opcode: int, frame: bytes) -> None:
        if opcode == PING:
            self.transport.write(bytes((0x8A, 0x80 | len(frame), 0, 0, 0, 0)) + frame)
        elif opcode == TEXT and frame.startswith(b'{"type":"event"'):
            self.counted.take(frame)
        elif not self.connected.done():
            if frame.startswith(b'{"type":"connected"'):
                self.connected.set_result(None)
            else:
                self.connected.set_exception(SystemExit(frame.decode(errors="replace")))

    def connection_lost(self, error: Exception | None) -> None:
        self.counted.closed += 1
        if not self.connected.done():
            self.connected.set_exception(
                SystemExit("A socket was closed before it was told to be connected.")
            )


def _same(each: _Socket) -> _Socket:
    return each


def _handshake(
    options: argparse.Namespace, project: str, host: str, number: int, sessions: list[str]
) -> bytes:
    table = "rows" if number < options.listeners else "others"
    channel = f"tablesdb.{DATABASE}.tables.{table}.rows"
    key = base64.b64encode(os.urandom(16)).decode()
    session = f"X-Appwrite-Session: {sessions[number % len(sessions)]}\r\n" if sessions else ""
    return (
        f"GET /v1/realtime?project={project}&channels[]={channel} HTTP/1.1\r\nHost: {host}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n{session}\r\n"
    ).encode()


def _prepare(options: argparse.Namespace, at: Installation) -> list[str]:
    """Make the table, and the users. Gives a session of each."""
    sessions = []
    with httpx.Client(base_url=at.endpoint, headers=at.headers, timeout=30) as client:
        client.post("/tablesdb", json={"databaseId": DATABASE, "name": "Bench"}).raise_for_status()
        columns = [{"key": "at", "type": "bigint", "required": True}]
        table = {"tableId": "rows", "name": "Rows", "permissions": ['read("any")'], "columns": columns}
        client.post(f"/tablesdb/{DATABASE}/tables", json=table).raise_for_status()
        for number in range(options.users):
            user_id = f"bench-{number}"
            client.post("/users", json={"userId": user_id}).raise_for_status()
            session = client.post(f"/users/{user_id}/sessions", json={})
            session.raise_for_status()
            sessions.append(str(session.json()["secret"]))
    return sessions


def _allow_files(most: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < most:
        raise SystemExit(f"This process may open {hard} files, and {most} are needed (ulimit -n).")
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.sockets", description=__doc__)
    parser.add_argument("--sockets", type=int, default=10_000, choices=range(1, 25_001), metavar="1..25000")
    parser.add_argument("--listeners", type=int, default=1000, help="How many of them are told of the rows.")
    parser.add_argument(
        "--users", type=int, default=0, choices=range(2001), metavar="0..2000",
        help="So many users have signed in on the sockets; by default they are all guests'.",
    )  # fmt: skip
    parser.add_argument("--rate", type=float, default=20.0, help="Rows a second.")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rest", type=int, default=30, choices=range(1, 1001), metavar="1..1000")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    if not 1 <= options.listeners <= options.sockets:
        parser.error("--listeners has to be from 1 to as many as there are sockets.")
    return options


if __name__ == "__main__":
    sys.exit(main())
