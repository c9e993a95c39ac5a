"""Uploads while the disk is full, and while the server is killed: on an installation of its own."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import asyncpg
import httpx
import pytest
from PIL import Image

from tests.platform import Platform, Project, error_of, running_platform
from tests.postgres import Server
from tests.process.installation import until
from tests.services.files import PART, contents_on_disk, new_bucket, part_of, upload
from tests.services.test_stored_files import TEXT


@pytest.fixture(scope="module")
def platform(postgres: Server) -> Iterator[Platform]:
    with running_platform(postgres, "--dev") as running:
        running.register_root()
        yield running


@pytest.mark.parametrize("options", [{}, {"encryption": False}])
def test_a_full_disk_is_said_and_leaves_nothing(
    platform: Platform, project: Project, options: dict[str, Any]
) -> None:
    new_bucket(project, **options)
    large = os.urandom(PART + 9)
    assert part_of(project.server, large, 1, file_id="large").status_code == 201
    before = contents_on_disk(platform)
    workers = [each.pid for each in platform.installation.children("freehold-api")]
    with full_from(2_000_000, *workers):
        full = upload(project.server, TEXT, file_id="mine")
        rest = part_of(project.server, large, 2, file_id="large")
        listed = project.server.get("/storage/buckets/photos/files").json()["files"]

    assert workers
    assert error_of(full) == error_of(rest) == (507, "general_unknown")
    assert [each["$id"] for each in listed if each["chunksUploaded"] == each["chunksTotal"]] == []
    assert contents_on_disk(platform) <= before
    assert upload(project.server, TEXT, file_id="mine").status_code == 201
    assert part_of(project.server, large, 2, file_id="large").json()["chunksUploaded"] == 2
    assert project.server.get("/storage/buckets/photos/files/large/download").content == large


@contextmanager
def full_from(size: int, *pids: int) -> Iterator[None]:
    """A disk that is full for these processes: no file grows any further. An ordinary user may say so."""
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        for pid in pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_a_full_disk_spoils_no_preview(platform: Platform, project: Project) -> None:
    """It used to be shown, and for a month, as a file that is no image."""
    new_bucket(project, encryption=False)
    size = (1200, 1200)
    noise = BytesIO()
    Image.frombytes("RGB", size, os.urandom(3 * size[0] * size[1])).save(noise, "PNG")
    assert upload(project.server, noise.getvalue(), name="noise.png", file_id="noise").status_code == 201
    path = "/storage/buckets/photos/files/noise/preview"
    # One connection, and so one process; its maker of images is started before the disk is full.
    with project.platform.client(project.id, key=project.key) as client:
        assert client.get(path, params={"width": 10}).status_code == 200
        apis = platform.installation.children("freehold-api")
        makers = [each for api in apis for each in api.children() if "image_worker" in each.cmdline()[-1]]
        before = contents_on_disk(platform)
        with full_from(2_000_000, *(each.pid for each in (*apis, *makers))):
            refused = client.get(path, params={"output": "png"})
            small = client.get(path, params={"width": 20, "output": "png"})
        left = contents_on_disk(platform) - before
        shown = client.get(path, params={"output": "png"})

    assert makers
    assert error_of(refused) == (507, "general_unknown")
    assert small.status_code == 200
    assert len(left) == 1  # the small one
    assert Image.open(BytesIO(shown.content)).size == size


def test_a_full_disk_of_the_database_is_said_and_ends_nothing(platform: Platform, project: Project) -> None:
    """What PostgreSQL says then is said to every write; what reads, answers, and the worker goes on later."""
    server = project.server
    assert server.post("/tablesdb", json={"databaseId": "d", "name": "D"}).status_code == 201
    table = {"tableId": "t", "name": "T", "columns": []}
    assert server.post("/tablesdb/d/tables", json=table).status_code == 201
    rows = "/tablesdb/d/tables/t/rows"
    new_bucket(project)
    whole = os.urandom(PART + 9)
    assert part_of(server, whole, 1, file_id="large").status_code == 201
    before = [each.pid for each in platform.installation.children("freehold-")]
    full_for = ("outbox", "jobs", "rate_limits", "webhook_deliveries", "audit", "files", "usage", "sessions")
    as_admin(platform, FULL)
    as_admin(
        platform,
        *(
            f"create trigger full_disk before insert or update on freehold.{each}"
            " for each statement execute function freehold.full_disk()"
            for each in full_for
            if as_admin(platform, f"select to_regclass('freehold.{each}') is not null")
        ),
    )
    try:
        refused = [
            server.post(rows, json={"rowId": "r", "data": {}}),
            server.post(rows, json={"rows": [{"$id": "r"}]}),
            server.post("/teams", json={"teamId": "t", "name": "T"}),
            server.post("/users", json={"userId": "u", "email": "u@example.com", "password": "a password"}),
            upload(server, b"hello", file_id="small"),
            part_of(server, whole, 2, upload_id="large"),
        ]
        listed = server.get(rows)
        # The worker tries to take what is due, and cannot.
        until(lambda: '"jobs_database_unavailable"' in platform.installation.log.read_text(), 60)
    finally:
        as_admin(platform, "drop function freehold.full_disk cascade")
    made = [
        server.post(rows, json={"rowId": "r", "data": {}}),
        server.post("/teams", json={"teamId": "t", "name": "T"}),
        upload(server, b"hello", file_id="small"),
        part_of(server, whole, 2, upload_id="large"),
    ]
    log = "select count(*) from freehold.audit where project_id = '{}' and event like 'teams.t.%'"
    until(lambda: as_admin(platform, log.format(project.id)), 60)

    assert {error_of(each) for each in refused} == {(507, "general_unknown")}
    assert (listed.status_code, listed.json()["total"]) == (200, 0)
    assert [each.status_code for each in made] == [201] * 4
    assert server.get("/storage/buckets/photos/files/large/download").content == whole
    assert [each.pid for each in platform.installation.children("freehold-")] == before


FULL = """
    create function freehold.full_disk() returns trigger language plpgsql as $$
    begin
        raise 'could not extend file: No space left on device' using errcode = '53100';
    end $$
"""


def as_admin(platform: Platform, *statements: str) -> Any:
    """Run statements as the superuser. Gives the value of the last."""

    async def run() -> Any:
        connection = await asyncpg.connect(platform.admin_url)
        try:
            return [await connection.fetchval(each) for each in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(run())


def test_an_upload_goes_on_after_its_server_was_killed(platform: Platform, project: Project) -> None:
    new_bucket(project, maximumFileSize=10**8)
    whole = os.urandom(PART * 9 + 11)
    file_id = part_of(project.server, whole, 1).json()["$id"]
    for number in (9, 4):
        assert part_of(project.server, whole, number, upload_id=file_id).status_code == 201
    for worker in platform.installation.children("freehold-api"):
        worker.kill()
    project.server.close()

    def until_answered(number: int) -> httpx.Response:
        while True:
            try:
                with platform.client(project.id, key=project.key) as client:
                    answer = part_of(client, whole, number, upload_id=file_id)
            except httpx.TransportError:
                continue  # of a worker that is gone, or not there yet
            assert answer.status_code in (200, 201, 503), answer.text
            if answer.status_code != 503:
                return answer

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(until_answered, range(1, 11)))
    with platform.client(project.id, key=project.key) as client:
        kept = client.get(f"/storage/buckets/photos/files/{file_id}/download").content

    assert max(answer.json()["chunksUploaded"] for answer in answers) == 10
    assert kept == whole
