"""Two installations on one database, as on two machines: what one changes holds on the other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import httpx
import jwt
import pytest

from tests.platform import Platform, Project, running_platform
from tests.postgres import Database, Server
from tests.process.installation import Installation
from tests.services.sockets import socket

LISTENING = (
    "from pg_stat_activity where datname = current_database() and application_name = 'freehold-listen'"
)


@pytest.fixture(scope="module")
def first(postgres: Server) -> Iterator[Platform]:
    with running_platform(postgres, "--dev") as running:
        running.register_root()
        yield running


@pytest.fixture(scope="module")
def second(first: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    data: Path = tmp_path_factory.mktemp("second")
    secret = (first.installation.data / "secret").read_text().strip()
    told = {"DATABASE_URL": first.database_url, "FREEHOLD_WORKERS": "2", "FREEHOLD_SECRET": secret}
    installation = Installation(data, told)
    try:
        installation.start("--dev")
        yield Platform(installation, Database(first.database_url, first.admin_url, ""))
    finally:
        installation.stop()
        installation.log.unlink(missing_ok=True)


def is_in(platform: Platform, project: Project, session: str) -> bool:
    """Tell whether any of the workers lets the session in."""
    answers = set()
    for _ in range(8):
        with platform.client(project.id, session=session) as client:
            answers.add(client.get("/account").status_code)
    assert answers <= {200, 401}
    return 200 in answers


async def test_a_session_that_ends_on_one_machine_ends_on_the_other(
    first: Platform, second: Platform
) -> None:
    project = first.new_project()
    jane = project.new_user()
    assert is_in(second, project, jane.session)

    assert jane.client.delete("/account/sessions/current").status_code == 204
    deadline = time.monotonic() + 30
    while is_in(second, project, jane.session):
        assert time.monotonic() < deadline


async def test_what_a_machine_could_not_hear_of_holds_once_it_listens_again(
    first: Platform, second: Platform
) -> None:
    project = first.new_project()
    jane = project.new_user()
    assert is_in(second, project, jane.session)

    connection = await asyncpg.connect(first.admin_url)
    listening = await connection.fetchval(f"select count(*) {LISTENING}")
    await connection.execute(f"select pg_terminate_backend(pid) {LISTENING}")
    while await connection.fetchval(f"select count(*) {LISTENING}") > 0:
        pass
    ended: httpx.Response = jane.client.delete("/account/sessions/current")
    assert ended.status_code == 204
    deadline = time.monotonic() + 30
    while await connection.fetchval(f"select count(*) {LISTENING}") < listening:
        assert time.monotonic() < deadline
    await connection.close()

    deadline = time.monotonic() + 30
    while is_in(second, project, jane.session):
        assert time.monotonic() < deadline


def test_a_socket_on_one_machine_is_told_of_what_is_written_on_the_other(
    first: Platform, second: Platform
) -> None:
    """Each event once and in order, whichever machine it came from."""
    project = first.new_project()
    table = {"tableId": "t", "name": "T", "permissions": ['read("any")'], "columns": []}
    assert project.server.post("/tablesdb", json={"databaseId": "d", "name": "D"}).status_code == 201
    assert project.server.post("/tablesdb/d/tables", json=table).status_code == 201
    rows = [f"r{at}" for at in range(8)]
    with (
        socket(second, project.id) as there,
        second.client(project.id, key=project.key) as elsewhere,
    ):
        there.subscribe("rows")
        for at, row_id in enumerate(rows):
            server = elsewhere if at % 2 else project.server
            made = server.post("/tablesdb/d/tables/t/rows", json={"rowId": row_id, "data": {}})
            assert made.status_code == 201, made.text
        told = there.events_until(f"databases.d.tables.t.rows.{rows[-1]}.create")

    assert [each["payload"]["$id"] for each in told] == rows


def test_machines_sign_with_one_key_and_take_each_others_jwts(first: Platform, second: Platform) -> None:
    project = first.new_project()
    jane = project.new_user()
    there = second.client(project.id, session=jane.session)
    with ThreadPoolExecutor(8) as threads:
        asked = [
            threads.submit(lambda client=client: client.post("/account/jwts").json()["jwt"])
            for client in (jane.client, there) * 4
        ]
        tokens = [each.result() for each in asked]

    assert len({jwt.get_unverified_header(each)["kid"] for each in tokens}) == 1
    for platform in (first, second):
        for token in tokens:
            with platform.client(project.id, **{"X-Appwrite-JWT": token}) as client:
                assert client.get("/account").json()["$id"] == jane.id
