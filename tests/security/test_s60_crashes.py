"""S60: one bad request, or a PostgreSQL that goes away, does not stop the process."""

from __future__ import annotations

import asyncio
import os
import time

import asyncpg
import httpx

from tests.platform import Platform, Project, error_of


def test_s60_odd_requests_leave_the_server_answering(platform: Platform, project: Project) -> None:
    base = platform.endpoint
    for method, path, said in (
        ("POST", "/account", {"content": b"{" * 100_000, "headers": {"Content-Type": "application/json"}}),
        (
            "POST",
            "/account",
            {"content": os.urandom(5000), "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        ),
        (
            "POST",
            "/account",
            {"content": os.urandom(5000), "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        ),
        ("GET", "/tablesdb/%00/tables/x/rows", {}),
        ("GET", "/tablesdb?queries[" + "[" * 500 + "=1", {}),
        ("GET", "/account", {"headers": {"Cookie": "a_session_console=" + "%" * 2000}}),
        ("GET", "/account", {"headers": {"X-Fallback-Cookies": "[" * 3000}}),
        ("GET", "/account", {"headers": {"X-Appwrite-Response-Format": "9" * 2000}}),
        ("PUT", "/" + "x/" * 500, {}),
    ):
        answered = project.server.request(method, base + path, **said)  # type: ignore[arg-type]
        assert answered.status_code < 500, (method, path, answered.text)
    assert project.server.get("/ping").status_code == 200


def test_s60_the_server_recovers_when_its_connections_are_cut(platform: Platform, project: Project) -> None:
    project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})

    async def cut() -> int:
        connection = await asyncpg.connect(platform.admin_url)
        ended: int = await connection.fetchval(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        await connection.close()
        return ended

    assert asyncio.run(cut()) > 0
    answers: list[httpx.Response] = []
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answers.append(project.server.get("/tablesdb"))
        if answers[-1].status_code == 200:
            break
    assert answers[-1].status_code == 200
    assert all(error_of(each) == (503, "general_unknown") for each in answers if each.status_code != 200)


def test_s60_many_odd_versions_of_the_format_do_not_hide_that_of_an_older_sdk(project: Project) -> None:
    for odd in range(1001):
        project.server.get("/ping", headers={"X-Appwrite-Response-Format": f"odd-{odd}"})

    older = project.server.get("/project", headers={"X-Appwrite-Response-Format": "1.7.4"})
    assert "authEmailPassword" in older.json()
