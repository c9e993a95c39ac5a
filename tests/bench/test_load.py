"""The load generator counts only what was answered as it should be."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bench import load

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
REFUSED = b'HTTP/1.1 429 Too Many Requests\r\nContent-Length: 15\r\n\r\n{"slow":"down"}'

ASK = load.Workload([load.request("GET", "/", {}, host="test")], 200)


@contextmanager
def server(answer: Callable[[int], bytes]) -> Iterator[tuple[str, int]]:
    """A server that gives its n-th request the n-th answer; an empty answer closes the connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked = iter(range(10**9))

    def serve(connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536):
                if not (said := answer(next(asked))):
                    return
                connection.sendall(said)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.mark.parametrize("answer", [OK, CHUNKED])
def test_every_answer_is_counted_once_with_its_time(answer: bytes) -> None:
    answered = 0

    def slowly(number: int) -> bytes:
        nonlocal answered
        answered = number + 1
        time.sleep(0.01)
        return answer

    with server(slowly) as address:
        sample = load.run(address, ASK, connections=1, seconds=0.3)

    assert sample.requests == answered
    assert 5 < sample.requests <= 30
    assert 0.01 <= sample.quantile(0) <= sample.quantile(0.5) <= sample.quantile(1)
    assert sample.per_second == pytest.approx(answered / sample.seconds)


def test_a_wrong_status_ends_the_measurement_and_is_quoted() -> None:
    with (
        server(lambda number: OK if number < 5 else REFUSED) as address,
        pytest.raises(load.LoadError, match=r"got 429 Too Many Requests: .*slow"),
    ):
        load.run(address, ASK, connections=2, seconds=5)


def test_a_closed_connection_ends_the_measurement() -> None:
    with (
        server(lambda number: OK if number < 5 else b"") as address,
        pytest.raises(load.LoadError, match="connection was lost"),
    ):
        load.run(address, ASK, connections=1, seconds=5)


def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "GIVE_UP_AFTER_S", 0.2)

    def never(number: int) -> bytes:
        time.sleep(2)
        return OK

    with server(never) as address, pytest.raises(load.LoadError, match="no answer"):
        load.run(address, ASK, connections=3, seconds=0.1)
