"""Uploads while the disk is full, and while the server is killed: on an installation of its own."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.platform import Platform, Project, error_of, running_platform
from tests.postgres import Server
from tests.services.test_storage import PART, contents_on_disk, new_bucket, part_of, upload
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
    for pid in workers:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
    try:
        full = upload(project.server, TEXT, file_id="mine")
        rest = part_of(project.server, large, 2, file_id="large")
    finally:
        for pid in workers:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    assert workers
    assert error_of(full) == error_of(rest) == (507, "general_unknown")
    assert contents_on_disk(platform) <= before
    assert upload(project.server, TEXT, file_id="mine").status_code == 201
    assert part_of(project.server, large, 2, file_id="large").json()["chunksUploaded"] == 2
    assert project.server.get("/storage/buckets/photos/files/large/download").content == large


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
