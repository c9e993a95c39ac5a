"""Files in an S3 store, behind a virus scanner, under keys that change: one installation that has it all."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from freehold.config import Settings
from freehold.db.pool import Database
from freehold.providers.antivirus import Scan, ScannerProblem
from freehold.services.storage import rewrap
from tests.platform import Platform, Project, error_of, running_platform
from tests.postgres import Server
from tests.process.installation import run, until
from tests.services.files import PART, contents_on_disk, fetch, new_bucket, part_of, upload
from tests.services.outside_stores import EICAR, Scanner, Store, running_scanner, running_store
from tests.services.test_stored_files import TEXT

FIRST, SECOND = f"first:{'1a' * 32}", f"second:{'2b' * 32}"


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with running_store() as running:
        yield running


@pytest.fixture(scope="module")
def scanner() -> Iterator[Scanner]:
    with running_scanner() as running:
        yield running


@pytest.fixture(scope="module")
def platform(postgres: Server, store: Store, scanner: Scanner) -> Iterator[Platform]:
    told = {**store.settings, "FREEHOLD_CLAMAV": scanner.address, "FREEHOLD_STORAGE_KEYS": FIRST}
    with running_platform(postgres, "--dev", **told) as running:
        running.register_root()
        yield running


def download(client: httpx.Client, file_id: str, **headers: str) -> httpx.Response:
    return client.get(f"/storage/buckets/photos/files/{file_id}/download", headers=headers)


async def place_of(platform: Platform, project: Project, file_id: str) -> str:
    [row] = await fetch(
        platform,
        "select place from freehold.files where project_id = $1 and id = $2", project.id, file_id,
    )  # fmt: skip
    return f"whole/{row['place']}"


async def test_a_file_lies_in_the_store_alone_and_goes_with_its_row(
    platform: Platform, project: Project, store: Store
) -> None:
    new_bucket(project, encryption=False)
    before = store.objects()
    upload(project.server, TEXT, file_id="text")
    place = await place_of(platform, project, "text")

    assert store.objects() == {**before, place: len(TEXT)}
    assert store.read(place) == TEXT
    assert contents_on_disk(platform) == set()
    assert download(project.server, "text").content == TEXT
    ranged = download(project.server, "text", Range="bytes=1048570-1048580")
    assert (ranged.status_code, ranged.content) == (206, TEXT[1048570:1048581])
    project.server.delete("/storage/buckets/photos/files/text")
    until(lambda: store.objects() == before)


async def test_parts_in_any_order_become_one_object_that_is_encrypted(
    platform: Platform, project: Project, store: Store
) -> None:
    new_bucket(project, maximumFileSize=10**8)
    before = store.objects()
    whole = os.urandom(PART * 2 + 5)
    file_id = part_of(project.server, whole, 1).json()["$id"]
    assert next(iter(store.objects().keys() - before.keys())).startswith("incoming/")
    with ThreadPoolExecutor(4) as threads:
        answers = list(
            threads.map(lambda each: part_of(project.server, whole, each, upload_id=file_id), [3, 2, 3, 2])
        )
    place = await place_of(platform, project, file_id)

    assert {each.status_code for each in answers} <= {200, 201}
    assert download(project.server, file_id).content == whole
    assert store.objects().keys() - before.keys() == {place}
    assert whole[:100] not in store.read(place)
    ranged = download(project.server, file_id, Range=f"bytes={PART - 5}-{PART + 5}")
    assert ranged.content == whole[PART - 5 : PART + 6]
    again = part_of(project.server, whole, 2, upload_id=file_id)
    assert (again.status_code, again.json()["chunksUploaded"]) == (200, 3)


def test_a_bucket_goes_with_all_of_its_objects(project: Project, store: Store) -> None:
    new_bucket(project)
    before = store.objects()
    upload(project.server, b"whole")
    part_of(project.server, os.urandom(PART + 9), 1)
    assert len(store.objects()) == len(before) + 2
    project.server.delete("/storage/buckets/photos")

    until(lambda: store.objects() == before)


def test_what_the_scanner_finds_something_in_is_not_kept(project: Project, store: Store) -> None:
    new_bucket(project)
    new_bucket(project, "trusting", antivirus=False)
    before = store.objects()
    refused = upload(project.server, b"Look: " + EICAR, file_id="evil")
    in_parts = os.urandom(PART - 10) + EICAR + b"!"
    first = part_of(project.server, in_parts, 1, file_id="parts")
    last = part_of(project.server, in_parts, 2, file_id="parts")

    assert project.server.get("/storage/buckets/photos").json()["antivirus"] is True
    assert error_of(refused) == (403, "storage_invalid_file")
    assert (first.status_code, error_of(last)) == (201, (403, "storage_invalid_file"))
    assert store.objects() == before
    assert project.server.get("/storage/buckets/photos/files").json()["total"] == 0
    assert upload(project.server, b"clean", file_id="evil").status_code == 201
    assert upload(project.server, EICAR, bucket="trusting").status_code == 201


def test_what_is_too_large_for_the_scanner_is_not_kept(project: Project, scanner: Scanner) -> None:
    new_bucket(project)
    scanner.most, usual = 1000, scanner.most
    try:
        refused = upload(project.server, b"x" * 1001)
    finally:
        scanner.most = usual

    assert error_of(refused) == (403, "storage_invalid_file")
    assert scanner.scanned[-1] == 1001


async def test_the_keys_of_files_are_sealed_anew_while_the_files_stay(
    platform: Platform, project: Project, store: Store
) -> None:
    new_bucket(project)
    upload(project.server, TEXT, file_id="text")
    place = await place_of(platform, project, "text")
    before = store.read(place)
    told = {**platform.installation.environment, "FREEHOLD_SECRET": secret_of(platform)}
    both = run("storage", "rewrap", told={**told, "FREEHOLD_STORAGE_KEYS": f"{SECOND},{FIRST}"})
    db = Database(platform.database_url, size=1, statement_timeout_s=15)
    [row] = await fetch(
        platform, "select key_id from freehold.files where project_id = $1 and id = 'text'", project.id
    )
    lost = download(project.server, "text")
    settings = Settings(secret=secret_of(platform), storage_keys=(FIRST,))
    [without] = await rewrap(db, settings)
    [back] = await rewrap(db, replace(settings, storage_keys=(FIRST, SECOND)))
    await db.close()

    assert (both.returncode, row["key_id"]) == (0, "second"), both.stdout + both.stderr
    assert "are sealed with second now" in both.stdout
    assert error_of(lost) == (500, "general_server_error")
    assert "`second`" in lost.json()["message"]
    assert (without.is_known, "CANNOT BE OPENED" in without.says) == (False, True)
    assert (back.key_id, back.is_known) == ("second", True)
    assert download(project.server, "text").content == TEXT
    assert store.read(place) == before


def secret_of(platform: Platform) -> str:
    return (platform.installation.data / "secret").read_text().strip()


def test_nothing_is_accepted_while_nobody_can_scan_it(
    project: Project, scanner: Scanner, store: Store
) -> None:
    new_bucket(project)
    before = store.objects()
    scanner.is_away = True
    try:
        refused = upload(project.server, b"hello", file_id="mine")
    finally:
        scanner.is_away = False
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ScannerProblem, match="cannot be reached"):
        Scan(f"127.0.0.1:{port}")

    assert error_of(refused) == (503, "general_unknown")
    assert "scanner" in refused.json()["message"]
    assert store.objects() == before
    assert upload(project.server, b"hello", file_id="mine").status_code == 201


def test_an_upload_ends_when_its_last_part_comes_again_after_the_scanner_was_away(
    project: Project, scanner: Scanner
) -> None:
    new_bucket(project)
    whole = os.urandom(PART + 9)
    part_of(project.server, whole, 1, file_id="mine")
    scanner.is_away = True
    try:
        refused = part_of(project.server, whole, 2, file_id="mine")
    finally:
        scanner.is_away = False
    unseen = download(project.server, "mine")
    again = part_of(project.server, whole, 2, file_id="mine")

    assert (error_of(refused), unseen.status_code) == ((503, "general_unknown"), 404)
    assert (again.status_code, again.json()["chunksUploaded"]) == (201, 2)
    assert download(project.server, "mine").content == whole


def test_a_store_that_is_away_is_said_and_nothing_is_lost(project: Project, store: Store) -> None:
    new_bucket(project)
    upload(project.server, b"kept", file_id="kept")
    with store.away():
        refused = upload(project.server, b"hello", file_id="mine")

    assert error_of(refused) == (503, "general_unknown")
    assert "store of files" in refused.json()["message"]
    assert download(project.server, "kept").content == b"kept"
    assert upload(project.server, b"hello", file_id="mine").status_code == 201
