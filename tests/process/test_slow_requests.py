"""Connections on which a request never quite arrives: they are not kept for long, nor in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
import uvicorn
from uvicorn.server import ServerState

from freehold.config import Settings
from freehold.web import http
from freehold.web.server import bind, serve_until

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"


@asynccontextmanager
async def served(
    *, patience_s: float, monkeypatch: pytest.MonkeyPatch, body_s: float = 60
) -> AsyncIterator[int]:
    """Serve an application that answers with nothing. Gives its port."""

    async def answer(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        if scope["type"] == "lifespan":
            for each in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{each}.complete"})
            return
        while scope["method"] == "POST" and (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    monkeypatch.setattr(http, "HEAD_S", patience_s)
    [listener] = bind("127.0.0.1", 0)
    port, stop, started = listener.getsockname()[1], asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(
        serve_until(
            stop,
            answer,
            Settings(shutdown_timeout_s=1, body_timeout_s=body_s),
            listener,
            on_start=started.set,
        )
    )
    try:
        await started.wait()
        yield port
    finally:
        stop.set()
        await serving


@pytest.mark.parametrize("said", [b"", REQUEST, REQUEST + UPGRADE])
async def test_who_does_not_say_in_time_what_it_wants_is_hung_up_on(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S20, S60: and no matter that a header comes now and then."""
    async with served(patience_s=0.3, monkeypatch=monkeypatch) as port, asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        answering = asyncio.create_task(reader.read())
        while said and not answering.done():
            writer.write(b"X-More: x\r\n")
            await asyncio.wait([answering], timeout=0.05)
        answer = await answering
        writer.close()

    assert answer.startswith(b"HTTP/1.1 408 " if said else b"")
    assert (b'"message":"The headers did not come in time.' in answer) == bool(said)


async def test_the_next_request_of_a_connection_has_its_time_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(patience_s=0.3, monkeypatch=monkeypatch) as port, asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST + b"\r\n")
        first = await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.6)
        writer.write(REQUEST + b"\r\n")
        second = await reader.readuntil(b"\r\n\r\n")
        writer.write(REQUEST)
        third = await reader.read()
        writer.close()

    assert first.startswith(b"HTTP/1.1 204 ")
    assert second.startswith(b"HTTP/1.1 204 ")
    assert third.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("more", [b"Content-Length: 1000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
async def test_a_body_that_trickles_in_is_hung_up_on(more: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """S60: and no matter that a byte comes now and then."""
    async with (
        served(patience_s=60, monkeypatch=monkeypatch, body_s=0.5) as port,
        asyncio.timeout(30),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n" + more)
        answering = asyncio.create_task(reader.read())
        while not answering.done():
            writer.write(b"1\r\nx\r\n" if b"chunked" in more else b"x")
            await asyncio.wait([answering], timeout=0.05)
        answer = await answering
        writer.close()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"less than 240 bytes a second" in answer


class Timer:
    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act
        self.is_set = True

    def cancel(self) -> None:
        self.is_set = False


class Clock:
    """The loop as a connection sees it, of which timers go off when a test says so."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timers: list[Timer] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def call_later(self, seconds: float, act: Callable[[], None]) -> Timer:
        self._timers.append(Timer(act))
        return self._timers[-1]

    def strike(self) -> int:
        """Let all go off that are set. Tells how many they were."""
        due, self._timers = [each for each in self._timers if each.is_set], []
        for each in due:
            each.act()
        return len(due)


class Upload(NamedTuple):
    """A request whose body is on its way."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    server: http.Http
    clock: Clock
    read: list[int]
    """How much of the body the application has read."""
    reading: asyncio.Event
    """It reads while this is set."""
    heard: asyncio.Event
    """Set when the client hung up, for the application."""

    async def send(self, count: int) -> None:
        """Send so much more, which the application has read when it is sent."""
        self.writer.write(b"x" * count)
        until = sum(self.read) + count
        while sum(self.read) < until:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@asynccontextmanager
async def uploading(total: int) -> AsyncIterator[Upload]:
    """Begin a request with so long a body, at a server whose clock the test strikes."""
    clock, read, reading, heard = Clock(), [], asyncio.Event(), asyncio.Event()
    reading.set()

    async def answer(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        message: dict[str, Any] = {"more_body": True}
        while message.get("more_body"):
            await reading.wait()
            message = await receive()
            read.append(len(message.get("body", b"")))
        if message["type"] == "http.disconnect":
            heard.set()
            return
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    config = uvicorn.Config(answer, lifespan="off", log_config=None)
    server = http.patient(60)(config=config, server_state=ServerState(), app_state={}, _loop=clock)  # type: ignore[arg-type]
    async with asyncio.timeout(30):
        listening = await asyncio.get_running_loop().create_server(lambda: server, "127.0.0.1", 0)
        async with listening:
            reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % total)
            upload = Upload(reader, writer, server, clock, read, reading, heard)
            await upload.send(1)
            yield upload
            writer.close()


async def test_a_body_over_a_slow_network_may_take_as_long_as_it_needs() -> None:
    a_minute = 60 * http.BODY_BYTES_A_SECOND
    async with uploading(1 + 5 * a_minute) as upload:
        for _ in range(4):
            await upload.send(a_minute)
            assert upload.clock.strike() == 1
        await upload.send(a_minute)
        answer = await upload.reader.readuntil(b"\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 204 ")


async def test_what_came_fast_before_is_no_credit_for_silence() -> None:
    """S60: nor does the application wait for the rest."""
    async with uploading(1_000_000) as upload:
        await upload.send(500_000)
        upload.clock.strike()
        upload.clock.strike()
        answer = await upload.reader.read()
        await upload.heard.wait()

    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_nobody_is_hung_up_on_for_what_we_do_not_read() -> None:
    async with uploading(1_000_001) as upload:
        upload.reading.clear()
        upload.writer.write(b"x" * 1_000_000)
        while not upload.server.flow.read_paused:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        for _ in range(3):
            assert upload.clock.strike() == 1
        upload.reading.set()
        answer = await upload.reader.readuntil(b"\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 204 ")


@pytest.mark.parametrize("began", [b"GET /", REQUEST + b"X-Long: ", REQUEST + UPGRADE + b"X-Long: "])
async def test_headers_without_end_are_refused(began: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """S20, S60."""
    async with served(patience_s=60, monkeypatch=monkeypatch) as port, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(began)
        writer.write(b"x" * (http.MAX_HEAD_BYTES + 1 - len(began)))
        answer = await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"Ask for less." in answer


@pytest.mark.parametrize(
    "more",
    [
        b"Cookie: " + b"x" * 9000 + b"\r\n\r\n",
        b"".join(b"X-%d: x\r\n" % n for n in range(200)) + b"\r\n",
        b"Content-Length: 5\r\n\r\nhello",
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_what_cannot_become_a_websocket_is_told_why(
    more: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S20: it used to be left open without an answer."""
    async with served(patience_s=60, monkeypatch=monkeypatch) as port, asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST + UPGRADE + more)
        answer = await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"This cannot become a WebSocket" in answer
