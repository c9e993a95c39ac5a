"""Files that move from the disk to a bucket and back, while the platform is at work."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from freehold.config import Settings
from freehold.providers.blobs import new_folder, new_place
from freehold.providers.both_stores import BothStores
from tests.platform import Platform, Project, running_platform
from tests.postgres import Server
from tests.process.installation import run, until
from tests.services.files import PART, contents_on_disk, fetch, new_bucket, part_of, upload
from tests.services.outside_stores import Store, running_store
from tests.services.test_previews import picture
from tests.services.test_stored_files import TEXT

pytestmark = pytest.mark.xdist_group("moving files")  # they share a platform that is started anew

_OF_THE_STORE = ("FREEHOLD_S3", "FREEHOLD_STORAGE")


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with running_store() as running:
        yield running


@pytest.fixture(scope="module")
def platform(postgres: Server) -> Iterator[Platform]:
    with running_platform(postgres, "--dev") as running:
        running.register_root()
        yield running


def restart(platform: Platform, **told: str) -> None:
    """Start it anew with other settings of its store."""
    platform.installation.stop()
    kept = {
        name: value
        for name, value in platform.installation.environment.items()
        if not name.startswith(_OF_THE_STORE)
    }
    platform.installation.environment = {**kept, **told}
    platform.installation.start("--dev")
    platform.endpoint = platform.installation.endpoint


def on_disk(platform: Platform) -> None:
    """Let new files go to the disk, as they do without a word."""
    if any(name.startswith(_OF_THE_STORE) for name in platform.installation.environment):
        restart(platform)


def move(platform: Platform, to: str, *options: str) -> subprocess.CompletedProcess[str]:
    data = str(platform.installation.data)
    told = platform.installation.environment
    return run("storage", "move", "--to", to, "--data", data, *options, told=told, timeout_s=300)


def whole_on_disk(platform: Platform) -> list[Path]:
    return [each for each in contents_on_disk(platform) if "whole" in each.parts]


def whole_in(store: Store) -> list[str]:
    return [each for each in store.objects() if each.startswith("whole/")]


def fill(project: Project) -> dict[str, bytes]:
    """Files kept in every way there is. Gives their contents by `bucket/file`."""
    kinds: dict[str, dict[str, Any]] = {
        "plain": {"encryption": False},
        "sealed": {},
        "small": {"encryption": False, "compression": "zstd"},
    }
    filled = {}
    for bucket, options in kinds.items():
        new_bucket(project, bucket, maximumFileSize=10**8, **options)
        for file_id, contents in {"empty": b"", "text": TEXT, "random": os.urandom(3_000_001)}.items():
            assert upload(project.server, contents, bucket=bucket, file_id=file_id).status_code == 201
            filled[f"{bucket}/{file_id}"] = contents
    return filled


def delete_buckets(client: httpx.Client) -> None:
    for bucket in client.get("/storage/buckets").json()["buckets"]:
        assert client.delete(f"/storage/buckets/{bucket['$id']}").status_code == 204


def read(client: httpx.Client, name: str) -> bytes:
    bucket, _, file_id = name.partition("/")
    answer = client.get(f"/storage/buckets/{bucket}/files/{file_id}/download")
    assert answer.status_code == 200, answer.text
    return answer.content


@contextmanager
def reading_all_the_while(client: httpx.Client, files: dict[str, bytes]) -> Iterator[list[str]]:
    """Somebody who reads all files over and over. Gives what was wrong with them."""
    wrong: list[str] = []
    rounds = 0
    is_over = threading.Event()

    def go_on() -> None:
        nonlocal rounds
        while not (is_over.is_set() and rounds):
            for name, contents in files.items():
                bucket, _, file_id = name.partition("/")
                answer = client.get(f"/storage/buckets/{bucket}/files/{file_id}/download")
                if (answer.status_code, answer.content) != (200, contents):
                    wrong.append(f"{name}: {answer.status_code}")
            rounds += 1

    reader = threading.Thread(target=go_on)
    reader.start()
    try:
        yield wrong
    finally:
        is_over.set()
        reader.join()


def test_files_move_to_a_bucket_and_back_while_they_are_read(
    platform: Platform, project: Project, store: Store
) -> None:
    on_disk(platform)
    project = Project(platform, project.id, project.key)
    files = fill(project)
    large = os.urandom(PART + 9)
    new_bucket(project, "photos", encryption=False)
    assert part_of(project.server, large, 1, file_id="large").status_code == 201
    upload(project.server, picture((40, 30)), name="a.png", file_id="photo", bucket="photos")
    unnamed = run("storage", "move", "--to", "s3", told={"DATABASE_URL": platform.database_url})

    restart(platform, **store.settings)
    project = Project(platform, project.id, project.key)
    assert part_of(project.server, large, 2, file_id="large").json()["chunksUploaded"] == 2
    files |= {"photos/large": large, "photos/photo": picture((40, 30))}
    shown = project.server.get("/storage/buckets/photos/files/photo/preview?width=10")
    new_one = upload(project.server, TEXT, bucket="sealed", file_id="new")
    files["sealed/new"] = TEXT
    already = len(whole_in(store))
    wrong_way = move(platform, "disk")
    with reading_all_the_while(project.server, files) as wrong:
        there = move(platform, "s3", "--json")
    told = [json.loads(line) for line in there.stdout.splitlines()]

    assert (unnamed.returncode, wrong_way.returncode) == (2, 2)
    assert "FREEHOLD_S3_BUCKET" in unnamed.stderr
    assert "FREEHOLD_STORAGE=disk" in wrong_way.stderr
    assert (shown.status_code, new_one.status_code, already) == (200, 201, 2), "what is new is in the bucket"
    assert there.returncode == 0, there.stderr
    assert told[-1]["done"] is True
    assert (told[-1]["found"], told[-1]["moved"], told[-1]["failed"]) == (10, 10, [])
    assert wrong == []
    assert whole_on_disk(platform) == []
    assert len(whole_in(store)) == len(files)
    assert {name: read(project.server, name) for name in files} == files

    restart(platform, **store.settings, FREEHOLD_STORAGE="disk")
    project = Project(platform, project.id, project.key)
    upload(project.server, b"hello", bucket="plain", file_id="newer")
    files["plain/newer"] = b"hello"
    with reading_all_the_while(project.server, files) as wrong:
        back = move(platform, "disk")

    assert back.returncode == 0, back.stderr
    assert back.stdout.startswith(f"Moved {len(files) - 1} of {len(files) - 1} files to disk, ")
    assert wrong == []
    assert store.objects() == {}
    assert {name: read(project.server, name) for name in files} == files
    delete_buckets(project.server)
    until(lambda: whole_on_disk(platform) == [], 60)


def test_a_move_that_is_killed_goes_on(platform: Platform, project: Project, store: Store) -> None:
    on_disk(platform)
    project = Project(platform, project.id, project.key)
    files = fill(project)
    restart(platform, **store.settings)
    client = platform.client(project.id, key=project.key)
    data = str(platform.installation.data)
    before = len(whole_on_disk(platform))
    moving = platform.installation.spawn("storage", "move", "--to", "s3", "--data", data, "--at-once", "1")
    until(lambda: whole_in(store) or moving.poll() is not None, 60)
    moving.kill()
    moving.wait(30)
    halfway = {name: read(client, name) for name in files}
    left = len(whole_on_disk(platform))
    again = move(platform, "s3", "--json")
    told = json.loads(again.stdout.splitlines()[-1])

    assert before >= len(files)
    assert left + len(whole_in(store)) >= len(files)
    assert halfway == files
    assert (again.returncode, told["found"], told["failed"]) == (0, left, []), again.stderr
    assert whole_on_disk(platform) == []
    assert {name: read(client, name) for name in files} == files
    client.delete("/storage/buckets/plain/files/text")
    delete_buckets(client)
    until(lambda: store.objects() == {}, 60)


def both(store: Store, data: Path, new_ones: str) -> BothStores:
    told = {name.removeprefix("FREEHOLD_").lower(): value for name, value in store.settings.items()}
    stores = BothStores(Settings(data=data, storage=new_ones, **told))  # type: ignore[arg-type]
    stores.prepare()
    return stores


def test_who_reads_an_object_reads_on_where_it_was_moved_to(store: Store, tmp_path: Path) -> None:
    stores = both(store, tmp_path, "disk")
    place = new_place(new_folder())
    stores.s3.keep(place, [TEXT])
    opened = stores.open(place)
    begin = opened.read(0, 1000)
    stores.disk.keep(place, [TEXT])
    stores.s3.drop_whole(place)
    end = opened.read(1000, len(TEXT))
    opened.close()
    stores.delete(place)

    assert begin + end == TEXT
    with pytest.raises(FileNotFoundError):
        stores.open(place)


@pytest.mark.parametrize("new_ones", ["disk", "s3"])
def test_an_upload_goes_on_where_it_began_and_ends_where_new_files_go(
    store: Store, tmp_path: Path, new_ones: str
) -> None:
    before, after = (
        both(store, tmp_path, "s3" if new_ones == "disk" else "disk"),
        both(store, tmp_path, new_ones),
    )
    place = new_place(new_folder())
    before.write(place, 0, memoryview(b"hello "))
    before.keep(place, [b"half"])  # as somebody leaves it who is killed before that was noted
    after.write(place, 6, memoryview(b"world"))
    draft = b"".join(after.draft(place))
    after.keep(place, None)
    after.drop_draft(place)
    kept, other = (after.disk, after.s3) if new_ones == "disk" else (after.s3, after.disk)
    contents = kept.open(place).read(0, 100)

    assert draft == contents == b"hello world"
    assert not after.has_draft(place)
    with pytest.raises(FileNotFoundError):
        other.open(place)
    after.delete(place)
    assert place not in after.places()


def test_a_bucket_that_cannot_be_reached_is_told_and_nothing_is_lost(
    platform: Platform, project: Project, store: Store
) -> None:
    on_disk(platform)
    project = Project(platform, project.id, project.key)
    new_bucket(project)
    upload(project.server, TEXT, file_id="mine")
    before = whole_on_disk(platform)
    settings = platform.installation.environment
    platform.installation.environment = {**settings, **store.settings}
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    platform.installation.environment["FREEHOLD_S3_ENDPOINT"] = f"http://127.0.0.1:{port}"
    moved = move(platform, "s3")
    platform.installation.environment = settings

    assert moved.returncode == 2
    assert "The store of files cannot be reached" in moved.stderr
    assert "say the same command again" in moved.stderr
    assert whole_on_disk(platform) == before
    assert read(project.server, "photos/mine") == TEXT
    delete_buckets(project.server)
    until(lambda: whole_on_disk(platform) == [], 60)


async def test_what_does_not_have_its_size_stays_and_is_told(
    platform: Platform, project: Project, store: Store
) -> None:
    on_disk(platform)
    project = Project(platform, project.id, project.key)
    new_bucket(project, encryption=False)
    upload(project.server, TEXT, file_id="whole")
    upload(project.server, TEXT, file_id="cut")
    [row] = await fetch(
        platform, "select place from freehold.files where project_id = $1 and id = 'cut'", project.id
    )
    [damaged] = [each for each in whole_on_disk(platform) if each.name == row["place"].rpartition("/")[2]]
    damaged.write_bytes(TEXT[:1000])
    settings = platform.installation.environment
    platform.installation.environment = {**settings, **store.settings, "FREEHOLD_STORAGE": "s3"}
    moved = move(platform, "s3")
    lie = set(store.objects())
    platform.installation.environment["FREEHOLD_STORAGE"] = "disk"
    back = move(platform, "disk")
    platform.installation.environment = settings

    assert moved.returncode == 1
    assert (
        f"{row['place']} stays where it is: it has 1000 bytes, and {len(TEXT)} are known of" in moved.stderr
    )
    assert "Moved 1 of 2 files to s3" in moved.stdout
    assert len(lie) == 1
    assert f"whole/{row['place']}" not in lie
    assert back.returncode == 0, back.stderr
    delete_buckets(project.server)
    until(lambda: whole_on_disk(platform) == [], 60)
