"""The load generator: a few connections that ask, wait for the whole answer, and ask again.

Requests are bytes that were built beforehand, so that the client costs little, and the same for every peer.
Each answer's status is looked at: a server that refuses quickly must not look fast.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import cast

import httptools
import uvloop

GIVE_UP_AFTER_S = 120.0
"""A server that is silent for so long is broken, not slow: a thousand rows in one request take one of the
peers more than ten seconds."""


class LoadError(Exception):
    """A peer answered something else than what is measured, or nothing."""


@dataclass(frozen=True)
class Workload:
    """What is asked, again and again in this order, and the status that every answer must have."""

    requests: Sequence[bytes]
    status: int
    most_connections: int = 256
    """More of them at once would only wait for each other: the requests are large."""
    beside: Workload | None = None
    """What others ask at the same time, on as many connections as it takes at most. It is not measured."""


@dataclass
class Sample:
    """What the clients saw during one measurement."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    """Seconds, of every request that was answered within the measurement; sorted."""

    @property
    def requests(self) -> int:
        return len(self.latencies)

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    def quantile(self, share: float) -> float:
        return self.latencies[min(int(share * self.requests), self.requests - 1)]


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"", *, host: str) -> bytes:
    """One HTTP/1.1 request, as it goes over the wire."""
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {host}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def run(address: tuple[str, int], workload: Workload, *, connections: int, seconds: float) -> Sample:
    """Keep a server busy for a while."""
    return uvloop.run(_run(address, workload, connections, seconds))


async def _run(address: tuple[str, int], workload: Workload, connections: int, seconds: float) -> Sample:
    connections = min(connections, workload.most_connections)
    sample = Sample()
    clients = await _connected(address, workload, connections, sample)
    others: list[_Client] = []
    if workload.beside is not None:
        others = await _connected(address, workload.beside, workload.beside.most_connections, Sample())
    started = time.perf_counter()
    for client in (*others, *clients):
        client.begin(started + seconds)
    done, waiting = await asyncio.wait([client.done for client in clients], timeout=seconds + GIVE_UP_AFTER_S)
    done |= {client.done for client in others if client.done.done()}
    for client in (*clients, *others):
        client.done.cancel()
        client.transport.abort()
    if errors := [error for outcome in done if (error := outcome.exception())]:
        raise errors[0]
    if waiting:
        raise LoadError(
            f"{len(waiting)} of {connections} requests had no answer within {GIVE_UP_AFTER_S:.0f} s."
        )
    sample.seconds = time.perf_counter() - started
    sample.latencies.sort()
    return sample


async def _connected(
    address: tuple[str, int], workload: Workload, connections: int, sample: Sample
) -> list[_Client]:
    clients: list[_Client] = []
    for number in range(connections):
        # Each starts elsewhere in the list, so that they do not ask for the same row at the same time.
        start = number * len(workload.requests) // connections
        client = _Client(workload, start, sample)
        await asyncio.get_running_loop().create_connection(partial(_same, client), *address)
        clients.append(client)
    return clients


def _same(client: _Client) -> _Client:
    return client


class _Client(asyncio.Protocol):
    """One connection, with one request under way."""

    transport: asyncio.Transport

    def __init__(self, workload: Workload, start: int, sample: Sample) -> None:
        self.requests = workload.requests
        self.status = workload.status
        self.next = start
        self.latencies = sample.latencies
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.parser = httptools.HttpResponseParser(self)
        self.until = self.asked_at = 0.0
        self.refusal = b""

    def begin(self, until: float) -> None:
        self.until = until
        self.ask(time.perf_counter())

    def ask(self, now: float) -> None:
        self.asked_at = now
        request = self.requests[self.next]
        self.next += 1
        if self.next == len(self.requests):
            self.next = 0
        self.transport.write(request)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        if self.parser.get_status_code() != self.status:
            self.refusal += body

    def on_message_complete(self) -> None:
        status = self.parser.get_status_code()
        if status != self.status:
            said = self.refusal[:300].decode(errors="replace")
            self.fail(f"Expected status {self.status}, got {status} {HTTPStatus(status).phrase}: {said}")
            return
        now = time.perf_counter()
        self.latencies.append(now - self.asked_at)
        keeps_open = self.parser.should_keep_alive()
        self.parser = httptools.HttpResponseParser(self)
        if now >= self.until:
            if not self.done.done():
                self.done.set_result(None)
        elif not keeps_open:
            self.fail("The server closed a connection that was to be kept.")
        else:
            self.ask(now)

    def connection_lost(self, error: Exception | None) -> None:
        self.fail(f"The connection was lost: {error or 'closed by the server'}.")

    def fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(LoadError(reason))
