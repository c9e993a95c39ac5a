"""Sockets under load and under fire: limits, and clients that do not read or never stop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from tests.platform import Platform, Project, running_platform
from tests.postgres import Server
from tests.services.sockets import socket

TABLE = {
    "tableId": "t",
    "name": "T",
    "permissions": ['read("any")'],
    "columns": [{"key": "text", "type": "mediumtext", "required": False}],
}


@pytest.fixture(scope="module")
def strict(postgres: Server) -> Iterator[Platform]:
    """An installation as it is in production."""
    with running_platform(postgres) as running:
        yield running


@pytest.fixture(scope="module")
def project(strict: Platform) -> Project:
    """Its own project, with a table."""
    project = Project(strict, strict.project, strict.key)
    assert project.server.post("/tablesdb", json={"databaseId": "d", "name": "D"}).status_code == 201
    made = project.server.post("/tablesdb/d/tables", json=TABLE)
    assert made.status_code == 201, made.text
    return project


def test_too_many_messages_end_a_socket(project: Project) -> None:
    with socket(project) as seen:
        for _ in range(32):
            assert seen.ask("ping") == {"type": "pong"}
        seen.say("ping")
        code, said = seen.close_code()

    assert code == 1013
    assert [each["data"]["code"] for each in said] == [1013]


def test_who_does_not_read_is_cut_off_and_others_are_told_everything(project: Project) -> None:
    """S20. Forty megabytes are more than what lies in the kernel, in a client's own buffers and in ours."""
    text = "x" * 100_000
    with socket(project) as slow, socket(project) as quick:
        for each in (slow, quick):
            each.subscribe("rows")
        for each in range(10):
            ids = [f"b{each}-{at}" for at in range(40)]
            rows = [{"$id": row_id, "text": text} for row_id in ids]
            answer = project.server.post("/tablesdb/d/tables/t/rows", json={"rows": rows})
            assert answer.status_code == 201, answer.text
            assert [quick.event()["payload"]["$id"] for _ in ids] == ids
        _, told_late = slow.close_code()

    assert len(told_late) < 400


def test_who_pings_without_end_is_cut_off(project: Project) -> None:
    """S20."""
    with socket(project) as flood, socket(project) as other:
        for _ in range(100):
            flood.connection.ping()
        assert flood.ask("ping") == {"type": "pong"}
        with suppress(ConnectionClosed):
            for _ in range(100):
                flood.connection.ping()
        code, _ = flood.close_code()
        assert other.ask("ping") == {"type": "pong"}

    assert (code, flood.connection.close_reason) == (
        1008,
        "At most 128 pings and pongs a minute can be sent on a socket.",
    )


@pytest.mark.parametrize("filling", ["", " "])
def test_a_message_in_too_many_frames_ends_its_socket_and_no_other(project: Project, filling: str) -> None:
    """S20. Each takes memory, and be it empty: the longest message has millions of those."""
    whole = '{"type":"ping"}'
    with socket(project) as seen, socket(project) as other:
        seen.connection.send([whole, *[filling] * 1022])  # the client adds an empty last frame
        assert seen.next() == {"type": "pong"}
        with suppress(ConnectionClosed):
            seen.connection.send([whole, *[filling] * 1023])
        code, said = seen.close_code()
        assert other.ask("ping") == {"type": "pong"}

    assert (code, said) == (1009, [])
    assert seen.connection.close_reason == "A message comes in at most 1024 frames."


def test_a_frame_that_breaks_the_protocol_ends_its_socket_and_no_other(project: Project) -> None:
    """S20."""
    broken = {
        "a part of nothing": (b"\x80\x80\0\0\0\0", 1002),
        "no mask": (b"\x81\x02{}", 1002),
        "an operation that there is not": (b"\x83\x80\0\0\0\0", 1002),
        "a reserved bit": (b"\xc1\x80\0\0\0\0", 1002),
        "a ping in parts": (b"\x09\x80\0\0\0\0", 1002),
        "a ping too long": (b"\x89\xfe\x00\x7e" + bytes(4 + 126), 1002),
        "no UTF-8": (b"\x81\x81\0\0\0\0\xff", 1007),
        "2^63 bytes": (b"\x81\xff" + b"\xff" * 8 + bytes(4), 1009),
    }
    with socket(project) as other:
        for frame, code in broken.values():
            with socket(project) as seen:
                seen.connection.socket.sendall(frame)
                assert seen.close_code() == (code, []), frame
        assert other.ask("ping") == {"type": "pong"}


def test_so_many_sockets_a_minute_come_from_one_address(project: Project) -> None:
    opened, refused = 0, None
    began = time.monotonic()
    while refused is None and time.monotonic() - began < 50:
        with socket(project) as seen:
            if seen.connected["type"] == "error":
                refused = seen.connected["data"]["code"]
            opened += 1

    assert refused == 429
    assert opened <= 2 * 150  # the window may end in between
