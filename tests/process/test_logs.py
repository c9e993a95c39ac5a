"""Logs tell what happened and keep secrets (S51); numbers are counted by route and class of status."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from freehold.config import Settings
from freehold.web import logs, metrics

SECRET = "5f1c9a7be24d08c36a91f0d4b87e2c5a"
SETTINGS = Settings(
    log_format="json", secret=SECRET, database_url="postgresql://freehold:S3cr3tPassw0rd@db:5432/freehold"
)
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VySWQiOiJqYW5lIn0.3Jx8q0Jm3vB1c2VySWQiOiJqYW5l"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    written = io.StringIO()
    logs.configure(SETTINGS, process="test", stream=written)
    yield written
    structlog.reset_defaults()
    logging.basicConfig(force=True)
    logs.configure(replace(SETTINGS, access_log=0.0), process="test")
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_time_level_process_and_request(stream: io.StringIO) -> None:
    token = logs.request_id.set("r1")
    structlog.get_logger().info("job_failed", job=7, text="two\nlines")
    logs.request_id.reset(token)
    structlog.get_logger().debug("not wanted")

    (line,) = lines(stream)
    assert line["time"].endswith("Z")
    assert {name: line[name] for name in ("level", "event", "process", "request_id", "job", "text")} == {
        "level": "info", "event": "job_failed", "process": "test", "request_id": "r1", "job": 7,
        "text": "two\nlines",
    }  # fmt: skip


@pytest.mark.parametrize(
    "facts",
    [
        {"password": "hunter2-and-more"},
        {"new_password": "hunter2-and-more"},
        {"api_key": "hunter2-and-more"},
        {"X-Appwrite-Key": "hunter2-and-more"},
        {"headers": {"cookie": "a_session_p=hunter2-and-more", "authorization": "Bearer hunter2-and-more"}},
        {"headers": [(b"cookie", b"hunter2-and-more"), (b"host", b"localhost")]},
        {"body": {"user": {"email": "jane@example.com", "password": "hunter2-and-more"}}},
        {"note": "Authorization: Bearer hunter2-and-more"},
        {"note": 'sent {"password": "hunter2-and-more", "x": 1}'},
        {"note": "url https://jane:hunter2-and-more@example.com/x"},
        {"note": "Set-Cookie: a_session_shop=hunter2-and-more; path=/"},
        {"note": f"jwt {JWT} hunter2-and-more".replace("hunter2-and-more", "")},
        {"note": "key standard_" + "ab12" * 64},
        {"note": f"the secret is {SECRET}"},
        {"note": "connection to postgresql://freehold:S3cr3tPassw0rd@db:5432/freehold failed"},
        {"note": "password authentication failed, tried S3cr3tPassw0rd"},
        {"mfa_secret": "hunter2-and-more", "otp": "hunter2-and-more"},
        {"jwt": JWT},
    ],
)
def test_a_secret_is_never_logged_whatever_way_it_comes(stream: io.StringIO, facts: dict[str, Any]) -> None:
    structlog.get_logger().info("event", **facts)
    structlog.get_logger().info(f"text {facts}")
    logging.getLogger("some.library").warning("text %s", facts)
    try:
        raise RuntimeError(f"failed with {facts}")
    except RuntimeError:
        structlog.get_logger().exception("failed")

    written = stream.getvalue()
    for secret in ("hunter2", SECRET, "S3cr3tPassw0rd", JWT, "ab12ab12"):
        assert secret not in written
    assert len(lines(stream)) == 4
    assert logs.REDACTED in written


def test_what_is_no_secret_is_left_as_it_is(stream: io.StringIO) -> None:
    facts = {"email": "jane@example.com", "row": "0192f0c1a2b34d", "tokens_left": 3, "route": "/v1/account"}
    structlog.get_logger().info(
        "The database listens on 127.0.0.1:5432, see https://example.com/a?b=c", **facts
    )

    (line,) = lines(stream)
    assert {name: line[name] for name in facts} == facts
    assert line["event"] == "The database listens on 127.0.0.1:5432, see https://example.com/a?b=c"


def test_a_request_is_one_line_and_its_share_can_be_lowered_but_not_for_failures(stream: io.StringIO) -> None:
    def answer(status: int) -> None:
        logs.access(
            request_id="r", method="GET", route="/v1/account", status=status, elapsed_s=0.0123, project="p"
        )

    answer(200)
    logs.configure(replace(SETTINGS, access_log=0.0), process="test", stream=stream)
    answer(200)
    answer(404)
    answer(503)

    assert [(line["status"], line["level"], line["ms"]) for line in lines(stream)] == [
        (200, "info", 12.3),
        (503, "error", 12.3),
    ]


def test_text_on_a_terminal_cannot_be_forged_with_line_breaks(stream: io.StringIO) -> None:
    logs.configure(replace(SETTINGS, log_format="text"), process="test", stream=stream)
    structlog.get_logger().info("hello", name="x\n12:00:00.000 info    forged")

    assert len(stream.getvalue().splitlines()) == 1


COUNTING = """
import pathlib, sys
from freehold.web import metrics
for _ in range(3):
    metrics.observe("GET", "/v1/account", 200, 0.002)
metrics.observe("GET", "/v1/account", 204, 0.002)
metrics.observe("MADE-UP", "", 404, 0.002)
metrics.observe_job("mail", "done", 0.5)
metrics.write(pathlib.Path(sys.argv[1]))
"""


def test_numbers_of_several_processes_are_added_up(tmp_path: Path) -> None:
    directory = tmp_path / "metrics"
    metrics.prepare_directory(directory)
    for _ in range(2):
        subprocess.run([sys.executable, "-c", COUNTING, str(directory)], check=True, timeout=60)
    (directory / "1.json").write_text("{half a fi")

    text = metrics.render(
        metrics.read_directory(directory), {"freehold_up": ("Whether it is up.", 1)}
    ).decode()
    assert (
        'freehold_request_seconds_bucket{le="0.0025",method="GET",route="/v1/account",status="2xx"} 8.0'
        in text
    )
    assert (
        'freehold_request_seconds_bucket{le="0.001",method="GET",route="/v1/account",status="2xx"} 0.0'
        in text
    )
    assert "freehold_up 1.0" in text
    assert 'freehold_request_seconds_count{method="GET",route="/v1/account",status="2xx"} 8.0' in text
    assert 'freehold_request_seconds_count{method="other",route="",status="4xx"} 2.0' in text
    assert 'freehold_job_seconds_count{kind="mail",outcome="done"} 2.0' in text
    assert "MADE-UP" not in text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files that their owner cannot delete")
def test_numbers_of_a_run_by_root_can_be_cleared_by_the_owner_of_the_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 65534, 65534)
    metrics.prepare_directory(data / "metrics")

    assert (data / "metrics").stat().st_uid == 65534


def test_counting_and_logging_a_request_are_cheap(stream: io.StringIO) -> None:
    rounds = 5000
    began = time.process_time()
    for _ in range(rounds):
        metrics.observe("GET", "/v1/account", 200, 0.002)
    counted_us = (time.process_time() - began) / rounds * 1e6
    began = time.process_time()
    for _ in range(rounds):
        logs.access(request_id="r", method="GET", route="/", status=200, elapsed_s=0.1, project="p")
    logged_us = (time.process_time() - began) / rounds * 1e6

    # Ten times what they take: what is caught is a change of kind, not a busy machine.
    assert counted_us < 10
    assert logged_us < 50
