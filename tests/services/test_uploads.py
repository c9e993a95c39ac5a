"""Uploads: parts in any order, repeated, lost, of two contents, and what may become a file."""

from __future__ import annotations

import asyncio
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO

import asyncpg
import httpx
import pytest
from appwrite.exception import AppwriteException
from appwrite.input_file import InputFile
from appwrite.services.storage import Storage

from freehold.config import Settings
from freehold.db.pool import Database
from freehold.jobs import Context, Job
from freehold.providers.blobs import PlainFiles
from freehold.services.storage.cleanup import collect_dead_uploads
from tests.platform import Platform, Project, error_of
from tests.process.installation import until
from tests.services.files import PART, contents_on_disk, fetch, new_bucket, part_of, upload

WAITING = """
    select 1 from pg_locks,
        lateral (select (classid::bigint << 32) | objid::bigint as key) as lock,
        lateral (select hashtextextended($1, 0) as file, hashtext($1)::bigint as part) as held
    where locktype = 'advisory' and not granted and
"""


def test_a_small_file_is_uploaded_read_and_deleted_with_the_sdk(project: Project) -> None:
    new_bucket(project)
    before = contents_on_disk(project.platform)
    storage = Storage(project.sdk(key=project.key))
    file = storage.create_file(
        "photos", "unique()", InputFile.from_bytes(b"name,age\nJane,7\n", "people.csv"), folder="in/2026"
    )

    assert (file.name, file.folder, file.key) == ("people.csv", "in/2026/", "in/2026/people.csv")
    assert (file.mimetype, file.sizeoriginal, file.chunkstotal, file.chunksuploaded) == ("text/csv", 16, 1, 1)
    assert file.signature == hashlib.md5(b"name,age\nJane,7\n").hexdigest()
    assert storage.get_file_download("photos", file.id) == b"name,age\nJane,7\n"
    assert storage.get_bucket("photos").totalsize == 16
    assert [each.id for each in storage.list_files("photos").files] == [file.id]
    storage.delete_file("photos", file.id)
    with pytest.raises(AppwriteException, match="was not found"):
        storage.get_file("photos", file.id)
    until(lambda: contents_on_disk(project.platform) <= before)


def test_a_large_file_is_uploaded_in_parts_by_the_sdk(project: Project) -> None:
    new_bucket(project)
    whole = os.urandom(PART * 4 + 17)
    storage = Storage(project.sdk(key=project.key))
    seen: list[float] = []
    file = storage.create_file(
        "photos",
        "unique()",
        InputFile.from_bytes(whole, "big.bin"),
        on_progress=lambda progress: seen.append(progress["progress"]),
    )

    assert (file.chunkstotal, file.chunksuploaded, file.sizeoriginal) == (5, 5, len(whole))
    assert file.signature == hashlib.md5(whole).hexdigest()
    assert storage.get_file_download("photos", file.id) == whole
    assert len(seen) == 5


async def test_parts_come_in_any_order_and_at_once_and_the_file_is_finished_once(
    platform: Platform, project: Project
) -> None:
    new_bucket(project, maximumFileSize=10**8)
    whole = os.urandom(PART * 6 + 1)
    first = part_of(project.server, whole, 1).json()
    file_id = first["$id"]
    assert (first["chunksTotal"], first["chunksUploaded"]) == (7, 1)
    with ThreadPoolExecutor(8) as threads:
        numbers = [7, 3, 3, 6, 2, 5, 4, 7]
        answers = list(
            threads.map(lambda number: part_of(project.server, whole, number, upload_id=file_id), numbers)
        )
    again = part_of(project.server, whole, 4, upload_id=file_id)

    assert {answer.status_code for answer in answers} <= {201, 200}, "200 once it is whole"
    assert again.status_code == 200
    assert max(answer.json()["chunksUploaded"] for answer in answers) == 7
    assert again.json()["chunksUploaded"] == 7
    assert project.server.get(f"/storage/buckets/photos/files/{file_id}/download").content == whole
    events = await fetch(
        platform,
        "select event from freehold.outbox where project_id = $1 and event like 'buckets.photos.files.%'",
        project.id,
    )
    assert [each["event"] for each in events] == [f"buckets.photos.files.{file_id}.create"]


async def test_parts_do_not_wait_for_each_other_and_the_end_waits_for_all(
    platform: Platform, project: Project
) -> None:
    new_bucket(project)
    whole = os.urandom(PART * 2 + 9)
    file_id = part_of(project.server, whole, 1).json()["$id"]

    async def noted() -> tuple[str, list[int], bool]:
        [row] = await fetch(
            platform, "select place, parts, whole from freehold.files where project_id = $1", project.id
        )
        return row["place"], row["parts"], row["whole"]

    place, *_ = await noted()
    connection = await asyncpg.connect(platform.database_url)
    transaction = connection.transaction()
    await transaction.start()
    # As somebody holds it whose part is being written.
    await connection.execute("select pg_advisory_xact_lock_shared(hashtextextended($1, 0))", place)
    second = await asyncio.to_thread(part_of, project.server, whole, 2, upload_id=file_id)
    last = asyncio.create_task(asyncio.to_thread(part_of, project.server, whole, 3, upload_id=file_id))
    parts: list[int] = []
    while len(parts) < 3 and not last.done():
        _, parts, is_whole = await noted()
    await transaction.rollback()
    await connection.close()

    assert (second.status_code, second.json()["chunksUploaded"]) == (201, 2)
    assert (sorted(parts), is_whole) == ([1, 2, 3], False)
    assert (await last).json()["signature"] == hashlib.md5(whole).hexdigest()
    assert project.server.get(f"/storage/buckets/photos/files/{file_id}/download").content == whole


def test_of_two_that_send_one_part_at_once_one_is_heard(project: Project) -> None:
    new_bucket(project)
    begins = [os.urandom(PART), os.urandom(PART)]
    end = os.urandom(9)
    part_of(project.server, begins[0] + end, 2, file_id="mine")
    with ThreadPoolExecutor(2) as threads:
        answers = list(
            threads.map(lambda each: part_of(project.server, each + end, 1, file_id="mine"), begins)
        )
    # Whoever came last may have begun the file anew, of which this part had not come then.
    rest = part_of(project.server, begins[0] + end, 2, file_id="mine")
    kept = project.server.get("/storage/buckets/photos/files/mine/download").content

    assert rest.status_code in (200, 201)
    assert kept in [begin + end for begin in begins]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert project.server.get("/storage/buckets/photos/files/mine").json()["signature"] == (
        hashlib.md5(kept).hexdigest()
    )


@pytest.mark.parametrize("size", [PART, PART + 1, 2 * PART])
def test_a_file_that_comes_in_one_request_may_be_longer_than_a_part(project: Project, size: int) -> None:
    new_bucket(project)
    whole = os.urandom(size)
    file = upload(project.server, whole, file_id="whole")

    assert (file.status_code, file.json()["chunksTotal"], file.json()["sizeOriginal"]) == (201, 1, size)
    assert project.server.get("/storage/buckets/photos/files/whole/download").content == whole


def test_a_form_of_unknown_length_is_taken(project: Project) -> None:
    new_bucket(project)
    whole = os.urandom(3_000_000)
    form = (
        b'--x\r\nContent-Disposition: form-data; name="fileId"\r\n\r\nmine\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n' + whole + b"\r\n--x--"
    )
    pieces = (form[start : start + 70_000] for start in range(0, len(form), 70_000))
    sent = project.server.post(
        "/storage/buckets/photos/files",
        content=pieces,
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )

    assert sent.status_code == 201, sent.text
    assert project.server.get("/storage/buckets/photos/files/mine/download").content == whole


def test_a_file_that_the_form_has_in_base64_is_taken_as_it_is(project: Project) -> None:
    new_bucket(project)
    form = (
        b'--x\r\nContent-Disposition: form-data; name="fileId"\r\n\r\nmine\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8gd29ybGQ=\r\n--x--"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    sent = project.server.post("/storage/buckets/photos/files", content=form, headers=headers)
    nameless = project.server.post(
        "/storage/buckets/photos/files", content=form.replace(b'name="fileId"', b"x"), headers=headers
    )

    assert sent.json()["sizeOriginal"] == 11
    assert project.server.get("/storage/buckets/photos/files/mine/download").content == b"hello world"
    assert error_of(nameless) == (400, "general_bad_request")


def test_a_file_is_not_there_before_it_is_whole(project: Project) -> None:
    new_bucket(project)
    whole = os.urandom(PART + 9)
    path = f"/storage/buckets/photos/files/{part_of(project.server, whole, 1).json()['$id']}"

    for client in (project.server, project.admin):
        for suffix in ("", "/download", "/view"):
            assert error_of(client.get(path + suffix)) == (404, "storage_file_not_found")
        assert error_of(client.delete(path)) == (404, "storage_file_not_found")
    assert project.server.get("/storage/buckets/photos/files").json() == {"total": 0, "files": []}
    assert project.server.get("/storage/buckets/photos").json()["totalSize"] == 0


def test_an_upload_that_died_is_begun_again_under_its_id(project: Project) -> None:
    new_bucket(project)
    whole = os.urandom(PART * 2 + 9)
    part_of(project.server, whole, 1, file_id="mine")
    part_of(project.server, whole, 3, file_id="mine", upload_id="mine")
    storage = Storage(project.sdk(key=project.key))
    file = storage.create_file("photos", "mine", InputFile.from_bytes(whole, "big.bin"))

    assert (file.id, file.signature) == ("mine", hashlib.md5(whole).hexdigest())


@pytest.mark.parametrize("encryption", [True, False])
@pytest.mark.parametrize("left", [None, b"", bytes(PART * 2)], ids=["no file", "an empty one", "zeros"])
async def test_a_file_whose_parts_were_lost_with_the_power_is_not_kept_and_can_be_sent_again(
    platform: Platform, project: Project, left: bytes | None, encryption: bool
) -> None:
    new_bucket(project, encryption=encryption)
    whole = os.urandom(PART * 2 + 9)
    for number in (1, 2):
        part_of(project.server, whole, number, file_id="mine", upload_id="mine")
    [row] = await fetch(
        platform, "select place from freehold.files where project_id = $1 and id = 'mine'", project.id
    )
    draft = platform.installation.data / "files" / "incoming" / row["place"].replace("/", ".")
    # As a machine has it that lost its power before the parts were on the disk.
    draft.unlink()
    if left is not None:
        draft.write_bytes(left)
    last = part_of(project.server, whole, 3, file_id="mine", upload_id="mine")

    assert error_of(last) == (503, "storage_invalid_file")
    assert error_of(project.server.get("/storage/buckets/photos/files/mine")) == (
        404,
        "storage_file_not_found",
    )
    key = row["place"].rpartition("/")[2]
    assert [each for each in contents_on_disk(platform) if key in each.name] == []
    for number in (1, 2, 3):
        again = part_of(project.server, whole, number, file_id="mine", upload_id="mine")
    assert again.json()["signature"] == hashlib.md5(whole).hexdigest()
    assert project.server.get("/storage/buckets/photos/files/mine/download").content == whole


async def test_an_upload_that_began_before_parts_had_checksums_goes_on(
    platform: Platform, project: Project
) -> None:
    new_bucket(project)
    whole = os.urandom(PART * 2 + 9)
    part_of(project.server, whole, 1, file_id="mine", upload_id="mine")
    await fetch(
        platform,
        "update freehold.files set part_checksums = array_fill(null::bigint, array[part_count])"
        " where project_id = $1",
        project.id,
    )
    for number in (3, 2):
        last = part_of(project.server, whole, number, file_id="mine", upload_id="mine")

    assert last.json()["signature"] == hashlib.md5(whole).hexdigest()


@pytest.mark.parametrize("order", [(1, 4, 3, 2), (1, 4, 2, 3), (1, 2, 3, 4)])
def test_an_upload_that_is_begun_anew_with_other_contents_has_nothing_of_the_old_ones(
    project: Project, order: tuple[int, ...]
) -> None:
    new_bucket(project, maximumFileSize=10**8)
    old, new = os.urandom(PART * 3 + 9), os.urandom(PART * 3 + 9)
    for number in (1, 2, 3):
        part_of(project.server, old, number, file_id="mine", upload_id="mine")
    answers = [part_of(project.server, new, each, file_id="mine", upload_id="mine") for each in order]

    assert [each.json()["chunksUploaded"] for each in answers] == [1, 2, 3, 4]
    assert project.server.get("/storage/buckets/photos/files/mine/download").content == new


async def test_new_contents_that_begin_while_the_old_ones_are_finished_end_those(
    platform: Platform, project: Project
) -> None:
    new_bucket(project)
    old, new = os.urandom(PART * 2 + 9), os.urandom(PART * 2 + 9)
    for number in (1, 2):
        part_of(project.server, old, number, file_id="mine", upload_id="mine")

    def sent(whole: bytes, number: int) -> asyncio.Task[httpx.Response]:
        part = partial(part_of, project.server, whole, number, file_id="mine", upload_id="mine")
        return asyncio.create_task(asyncio.to_thread(part))

    [row] = await fetch(platform, "select place from freehold.files where project_id = $1", project.id)
    connection = await asyncpg.connect(platform.database_url)
    transaction = connection.transaction()
    await transaction.start()
    # As somebody holds it who is writing the first part: the new one waits, and for that the old end.
    await connection.execute("select pg_advisory_xact_lock(hashtext($1), 1)", row["place"])
    begin = sent(new, 1)
    while not await fetch(
        platform, f"{WAITING} objsubid = 2 and objid = 1 and key >> 32 = part", row["place"]
    ):
        pass
    end = sent(old, 3)
    while not await fetch(platform, f"{WAITING} objsubid = 1 and key = file", row["place"]):
        pass
    await transaction.rollback()
    await connection.close()

    assert [(await each).json()["chunksUploaded"] for each in (begin, end)] == [1, 1]
    for number in (2, 3):
        last = part_of(project.server, new, number, file_id="mine", upload_id="mine")
    assert last.json()["signature"] == hashlib.md5(new).hexdigest()


def test_a_part_in_which_new_contents_differ_ends_what_came_before_their_first(project: Project) -> None:
    new_bucket(project, maximumFileSize=10**8)
    begin = os.urandom(PART)
    old, new = begin + os.urandom(PART * 3 + 9), begin + os.urandom(PART * 3 + 9)
    for number in (1, 2, 3):
        part_of(project.server, old, number, file_id="mine", upload_id="mine")
    answers = [
        part_of(project.server, new, each, file_id="mine", upload_id="mine") for each in (1, 5, 2, 4, 3)
    ]

    assert [each.json()["chunksUploaded"] for each in answers] == [3, 4, 3, 4, 5]
    assert project.server.get("/storage/buckets/photos/files/mine/download").content == new


def test_parts_that_come_again_as_they_were_lose_nothing(project: Project) -> None:
    new_bucket(project, maximumFileSize=10**8)
    whole = os.urandom(PART * 2 + 9)
    answers = [
        part_of(project.server, whole, number, file_id="mine", upload_id="mine")
        for number in (1, 2, 1, 2, 3, 1)
    ]

    assert [each.json()["chunksUploaded"] for each in answers] == [1, 2, 2, 2, 3, 3]
    assert [each.status_code for each in answers] == [201, 201, 201, 201, 201, 200]
    assert project.server.get("/storage/buckets/photos/files/mine/download").content == whole


def test_a_name_that_a_client_of_net_had_to_encode_is_read(project: Project) -> None:
    new_bucket(project)
    names = {
        "=?utf-8?B?w6kgdW5kIMOkLnR4dA==?=": "é und ä.txt",
        "=?utf-8?Q?=C3=A9.txt?=": "é.txt",
        "=?nothing?X?%%?=": "=?nothing?X?%%?=",
        "=? what ?=": "=? what ?=",
    }
    read = [upload(project.server, b"x", name=name).json()["name"] for name in names]

    assert read == list(names.values())


def test_a_part_that_comes_again_takes_the_place_of_the_first(project: Project) -> None:
    new_bucket(project)
    whole = os.urandom(PART + 9)
    part_of(project.server, bytes(PART) + whole[PART:], 1, file_id="mine")
    for number in (1, 2):
        last = part_of(project.server, whole, number, file_id="mine")

    assert last.json()["signature"] == hashlib.md5(whole).hexdigest()
    assert project.server.get("/storage/buckets/photos/files/mine/download").content == whole


def test_a_part_that_says_otherwise_of_a_whole_file_is_refused(project: Project) -> None:
    new_bucket(project)
    whole = os.urandom(PART + 9)
    for number in (1, 2):
        assert part_of(project.server, whole, number, file_id="mine").status_code == 201
    other = part_of(project.server, whole[:PART] + b"different", 2, file_id="mine")
    small = upload(project.server, file_id="mine")

    assert error_of(other) == (409, "storage_file_already_exists")
    assert error_of(small) == (409, "storage_file_already_exists")
    assert project.server.get("/storage/buckets/photos/files/mine/download").content == whole


@pytest.mark.parametrize(
    ("content_range", "error"),
    [
        ("bytes 0-3/100", "storage_invalid_content_range"),
        ("bytes 5-9/10", "storage_invalid_content_range"),
        ("bytes 0-9/5", "storage_invalid_content_range"),
        ("bytes a-b/c", "storage_invalid_content_range"),
        ("items 0-4/5", "storage_invalid_content_range"),
        (f"bytes {PART}-{PART + 4}/{PART + 5}", "storage_invalid_appwrite_id"),
        ("bytes 0-4/999999999999", "storage_invalid_content_range"),
    ],
)
def test_a_range_that_does_not_fit_is_refused(project: Project, content_range: str, error: str) -> None:
    new_bucket(project)
    before = contents_on_disk(project.platform)

    assert error_of(upload(project.server, headers={"Content-Range": content_range})) == (400, error)
    assert contents_on_disk(project.platform) <= before


def test_a_bucket_takes_only_what_it_is_for(project: Project) -> None:
    new_bucket(project, maximumFileSize=10, allowedFileExtensions=["PNG", ".jpg"])

    assert error_of(upload(project.server, b"x" * 11, name="a.png")) == (400, "storage_invalid_file_size")
    for name in ("a.txt", "png", "a.png.exe"):
        assert error_of(upload(project.server, name=name)) == (400, "storage_file_type_unsupported")
    assert upload(project.server, name="A.JPG").status_code == 201


def test_a_body_beyond_the_limit_leaves_nothing(project: Project) -> None:
    new_bucket(project)
    before = contents_on_disk(project.platform)
    answer = upload(project.server, b"x" * (13 * 1024 * 1024))

    assert answer.status_code == 413
    assert contents_on_disk(project.platform) <= before


def test_without_a_file_there_is_nothing_to_upload(project: Project) -> None:
    new_bucket(project)
    path = "/storage/buckets/photos/files"

    assert error_of(project.server.post(path, json={"fileId": "a"})) == (400, "general_argument_invalid")
    text = project.server.post(path, json={"fileId": "a", "file": "x"})
    assert error_of(text) == (400, "general_argument_invalid")
    assert text.json()["message"] == "Invalid `file` param: It takes a file, in a multipart form, not a text."
    assert error_of(project.server.post(path, data={"fileId": "a"}, files={"other": b"x"})) == (
        400,
        "general_argument_invalid",
    )


def test_an_empty_file_is_a_file(project: Project) -> None:
    new_bucket(project)
    file = upload(project.server, b"").json()
    answer = project.server.get(f"/storage/buckets/photos/files/{file['$id']}/download")

    assert (answer.status_code, answer.content) == (200, b"")


async def test_an_upload_that_nobody_goes_on_with_is_collected(platform: Platform, project: Project) -> None:
    new_bucket(project)
    whole = os.urandom(PART + 9)
    part_of(project.server, whole, 1, file_id="dead")
    part_of(project.server, whole, 1, file_id="alive")
    kept = upload(project.server, b"kept").json()
    [dead] = await fetch(
        platform,
        "update freehold.files set updated_at = now() - interval '2 days' where project_id = $1"
        " and id = 'dead' returning place",
        project.id,
    )
    draft = platform.installation.data / "files" / "incoming" / dead["place"].replace("/", ".")
    os.utime(draft, (0, 0))
    db = Database(platform.database_url, size=2, statement_timeout_s=15)
    settings = Settings(data=platform.installation.data)
    await collect_dead_uploads(Context(db, settings), Job(1, "console", "storage.collect", b"{}", 1))
    await db.close()

    assert not draft.exists()
    left = await fetch(platform, "select id from freehold.files where project_id = $1", project.id)
    assert {each["id"] for each in left} == {"alive", kept["$id"]}
    assert part_of(project.server, whole, 2, file_id="alive").json()["chunksUploaded"] == 2


def test_the_contents_go_with_a_bucket_and_with_a_project(platform: Platform, project: Project) -> None:
    new_bucket(project)
    before = contents_on_disk(platform)
    upload(project.server, b"of the bucket")
    until(lambda: len(contents_on_disk(platform)) == len(before) + 1)
    project.server.delete("/storage/buckets/photos")
    until(lambda: contents_on_disk(platform) == before)
    new_bucket(project, "others")
    upload(project.server, b"of the project", bucket="others")
    platform.console.delete(f"/projects/{project.id}")

    until(lambda: contents_on_disk(platform) == before)


async def test_a_part_that_was_stored_and_not_noted_is_sent_again_and_harmless(
    platform: Platform, project: Project
) -> None:
    new_bucket(project)
    whole = os.urandom(PART + 9)
    part_of(project.server, whole, 1, file_id="mine")
    [row] = await fetch(
        platform, "select place from freehold.files where project_id = $1 and id = 'mine'", project.id
    )
    # As somebody leaves it who is killed after the file was made whole, and before that was noted.
    blobs = PlainFiles(platform.installation.data / "files")
    blobs.write(row["place"], PART, BytesIO(whole[PART:]))
    blobs.keep(row["place"], None)
    again = part_of(project.server, whole, 2, file_id="mine")

    assert again.json()["chunksUploaded"] == 2
    assert project.server.get("/storage/buckets/photos/files/mine/download").content == whole
