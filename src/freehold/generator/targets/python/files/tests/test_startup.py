"""What the service refuses to start with, and what it says about itself when it runs."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest
from starlette.testclient import TestClient

from app.constraints import TENANT_TABLES
from app.core import logs
from app.settings import SettingsError, load

ROOT = Path(__file__).parents[1]
GOOD = {
    "DATABASE_URL": "postgresql://app_api@localhost/x",
    "ENVIRONMENT": "production",
    "AUTH_PROVIDER": "custom",
    "AUTH_ISSUER": "https://id.example.com/",
    "AUTH_JWKS_URL": "https://id.example.com/jwks",
    "AUTH_AUDIENCE": "api",
}


@pytest.mark.parametrize(
    "name,value",
    [
        ("DATABASE_URL", ""),
        ("AUTH_ISSUER", ""),
        ("AUTH_AUDIENCE", ""),
        ("AUTH_JWKS_URL", "http://id.example.com/jwks"),
        ("AUTH_ALGORITHMS", "HS256"),
        ("AUTH_PROVIDER", "dev"),
        ("AUTO_MIGRATE", "1"),
        ("PORT", "eighty"),
        ("ENVIRONMENT", "prod"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
    ],
)
def test_a_missing_or_unsafe_setting_is_refused_by_name(name: str, value: str) -> None:
    load(GOOD)
    with pytest.raises(SettingsError) as refused:
        load(GOOD | {name: value, "AUTH_DEV_SECRET": "s" * 40})

    assert name in str(refused.value)
    assert "s" * 40 not in str(refused.value)


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://app_api:secret@localhost/x\n")
    environ = {name: value for name, value in GOOD.items() if name != "DATABASE_URL"}
    settings = load(environ | {"DATABASE_URL_FILE": str(tmp_path / "url")})

    assert settings.database_url.endswith("@localhost/x")
    assert "secret" not in repr(settings)


def start(database_url: str, **changes: str) -> tuple[subprocess.Popen[str], int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    environ = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "DATABASE_ROLE": "app_api",
        "AUTH_PROVIDER": "dev",
        "AUTH_DEV_SECRET": "x" * 32,
        "PORT": str(port),
    }
    command = [sys.executable, "-m", "app.main"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environ | changes, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process, port


def test_a_role_that_row_level_security_does_not_hold_is_refused(database_url: str) -> None:
    reasons = {"": "bypasses row-level security"} | ({"app_owner": "owns the table"} if TENANT_TABLES else {})
    for role, reason in reasons.items():
        process, _ = start(database_url, DATABASE_ROLE=role)
        try:
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()

        assert process.returncode != 0
        assert reason in errors


def test_the_process_serves_and_stops_when_told(database_url: str) -> None:
    process, port = start(database_url)
    try:
        for _ in range(600):
            try:
                with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                assert process.poll() is None
                time.sleep(0.1)
        else:
            raise AssertionError("the service did not get ready")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()

    assert process.returncode in (0, -signal.SIGTERM)


def test_health_contract_and_numbers_are_public(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok", "faults": []}
    assert client.get("/openapi.json").json()["openapi"] == "3.1.0"
    assert "http_requests_total" in client.get("/metrics").text
    assert client.get("/no/such/address").json()["code"] == "not_found"


def test_the_api_reference_needs_no_other_host(client: TestClient) -> None:
    page = client.get("/docs").text
    parts = re.findall(r'(?:src|href)="([^"]+)"', page)

    assert "url: '/openapi.json'" in page
    assert [part for part in parts if not part.startswith("/docs/viewer/")] == []
    assert {client.get(part).status_code for part in parts} == {200}
    assert client.get("/docs/viewer/no-such-file.js").json()["code"] == "not_found"


def test_a_log_line_names_the_trace_of_the_caller(client: TestClient) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    seen: list[dict[str, str]] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(json.loads(logs.JsonLines().format(record)))  # type: ignore[method-assign]
    logs.log.addHandler(handler)
    logs.log.setLevel("INFO")
    try:
        client.get("/healthz", headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})
        client.get("/healthz", headers={"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"})
    finally:
        logs.log.removeHandler(handler)
        logs.log.setLevel("NOTSET")

    assert (seen[0]["trace_id"], len(seen[0]["span_id"])) == (trace_id, 16)
    assert seen[0]["span_id"] != "00f067aa0ba902b7"
    assert seen[1]["trace_id"].strip("0")
