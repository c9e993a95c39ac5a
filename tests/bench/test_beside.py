"""What is asked beside the measured requests is asked all the while, and not counted."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from bench.load import LoadError, Workload, request, run


@pytest.fixture
def server() -> Iterator[tuple[tuple[str, int], Counter[str]]]:
    """A server that counts what it is asked, and refuses what is called `refused`."""
    asked: Counter[str] = Counter()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split()[1].decode()
                asked[path] += 1
                await asyncio.sleep(0.001)
                status = b"500 No" if path == "/refused" else b"200 OK"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield listening.sockets[0].getsockname(), asked
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=10)
    loop.close()


def get(path: str) -> bytes:
    return request("GET", path, {}, host="127.0.0.1")


def test_what_is_asked_beside_is_not_counted(server: tuple[tuple[str, int], Counter[str]]) -> None:
    address, asked = server
    beside = Workload([get("/beside")], 200, most_connections=5)
    sample = run(address, Workload([get("/measured")], 200, beside=beside), connections=2, seconds=0.3)

    assert 0 < sample.requests <= asked["/measured"]
    assert asked["/beside"] > 5


def test_what_is_refused_beside_fails_the_measurement(
    server: tuple[tuple[str, int], Counter[str]],
) -> None:
    address, _ = server
    beside = Workload([get("/refused")], 200, most_connections=5)

    with pytest.raises(LoadError, match="500"):
        run(address, Workload([get("/measured")], 200, beside=beside), connections=2, seconds=0.3)
