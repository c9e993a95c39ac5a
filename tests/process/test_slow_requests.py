"""Connections on which a request never quite arrives: they are not kept for long, nor in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from freehold.config import Settings
from freehold.web import http
from freehold.web.server import bind, serve_until

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"


@asynccontextmanager
async def served(*, patience_s: float, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Serve an application that answers with nothing. Gives its port."""

    async def answer(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        if scope["type"] == "lifespan":
            for each in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{each}.complete"})
            return
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    monkeypatch.setattr(http, "HEAD_S", patience_s)
    [listener] = bind("127.0.0.1", 0)
    port, stop, started = listener.getsockname()[1], asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(
        serve_until(stop, answer, Settings(shutdown_timeout_s=1), listener, on_start=started.set)
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
