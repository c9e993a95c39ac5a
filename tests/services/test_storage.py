"""Storage: buckets, who may read what, and files as they are sent."""

from __future__ import annotations

import pytest
from appwrite.exception import AppwriteException
from appwrite.services.storage import Storage

from freehold.config import Settings
from freehold.db.pool import Database
from freehold.jobs import Context, Job
from freehold.services.storage.usage import keep_history
from tests.platform import Platform, Project, User, error_of
from tests.services.files import fetch, new_bucket, upload

# -- buckets -----------------------------------------------------------------------------------------------


def test_a_bucket_is_made_read_changed_and_deleted_with_the_sdk(project: Project) -> None:
    storage = Storage(project.sdk(key=project.key))
    made = storage.create_bucket("photos", "Photos", permissions=['read("any")'], file_security=True)
    changed = storage.update_bucket("photos", "Pictures", maximum_file_size=1000)
    listed = storage.list_buckets(search="Pictures")
    storage.delete_bucket("photos")

    assert (made.id, made.permissions, made.filesecurity) == ("photos", ['read("any")'], True)
    assert (made.maximumfilesize, made.totalsize, made.compression) == (30_000_000, 0, "none")
    assert (changed.name, changed.maximumfilesize, changed.permissions) == ("Pictures", 1000, ['read("any")'])
    assert changed.filesecurity is False
    assert [each.id for each in listed.buckets] == ["photos"]
    assert error_of(project.server.get("/storage/buckets/photos")) == (404, "storage_bucket_not_found")


def test_a_bucket_says_how_it_keeps_files_and_claims_no_scanner_that_there_is_not(project: Project) -> None:
    options = {"compression": "zstd", "encryption": True, "antivirus": True, "stripMetadata": True}
    new_bucket(project, "b", **options)
    made = project.server.get("/storage/buckets/b").json()
    project.server.put("/storage/buckets/b", json={"name": "B", "encryption": False})
    changed = project.server.get("/storage/buckets/b").json()

    assert {each: made[each] for each in options} == {**options, "antivirus": False}
    assert {each: changed[each] for each in options} == {
        "compression": "none",
        "encryption": False,
        "antivirus": False,
        "stripMetadata": False,
    }


def test_two_buckets_cannot_have_one_id(project: Project) -> None:
    new_bucket(project)
    again = project.server.post("/storage/buckets", json={"bucketId": "photos", "name": "B"})

    assert error_of(again) == (409, "storage_bucket_already_exists")


def test_users_know_nothing_of_buckets(project: Project, jane: User) -> None:
    new_bucket(project)

    assert error_of(jane.client.get("/storage/buckets")) == (401, "general_unauthorized_scope")


# -- who may ------------------------------------------------------------------------------------------------


def test_the_bucket_says_who_may_do_what(project: Project, jane: User) -> None:
    new_bucket(project, permissions=['read("any")', f'create("user:{jane.id}")'])
    file = upload(jane.client).json()
    path = f"/storage/buckets/photos/files/{file['$id']}"

    assert project.guest.get(path + "/download").content == b"hello"
    assert project.guest.get("/storage/buckets/photos/files").json()["total"] == 1
    assert error_of(upload(project.guest)) == (401, "user_unauthorized")
    assert error_of(jane.client.put(path, json={"name": "b.txt"})) == (401, "user_unauthorized")
    assert error_of(jane.client.delete(path)) == (401, "user_unauthorized")
    assert project.server.delete(path).status_code == 204


def test_with_file_security_a_file_has_its_own_say(project: Project, jane: User, bob: User) -> None:
    new_bucket(project, permissions=['create("users")'], fileSecurity=True)
    mine = upload(jane.client).json()
    shared = upload(jane.client, **{"permissions[0]": 'read("users")', "permissions[1]": 'write("users")'})
    path = f"/storage/buckets/photos/files/{mine['$id']}"

    assert mine["$permissions"] == [f'{verb}("user:{jane.id}")' for verb in ("read", "update", "delete")]
    assert error_of(bob.client.get(path)) == (404, "storage_file_not_found")
    assert error_of(bob.client.get(path + "/view")) == (404, "storage_file_not_found")
    assert error_of(bob.client.delete(path)) == (401, "user_unauthorized")
    assert [each["$id"] for each in bob.client.get("/storage/buckets/photos/files").json()["files"]] == [
        shared.json()["$id"]
    ]
    assert shared.json()["$permissions"] == ['read("users")', 'update("users")', 'delete("users")']
    renamed = bob.client.put(f"/storage/buckets/photos/files/{shared.json()['$id']}", json={"name": "b.txt"})
    assert renamed.json()["name"] == "b.txt"
    assert jane.client.delete(path).status_code == 204


def test_without_file_security_a_file_has_no_say(project: Project, jane: User) -> None:
    new_bucket(project, permissions=['create("users")'])
    file = upload(jane.client).json()

    assert error_of(jane.client.get(f"/storage/buckets/photos/files/{file['$id']}")) == (
        404,
        "storage_file_not_found",
    )
    assert error_of(jane.client.get("/storage/buckets/photos/files")) == (401, "user_unauthorized")


def test_nobody_grants_roles_that_it_does_not_hold(project: Project, jane: User, bob: User) -> None:
    new_bucket(project, permissions=['create("users")'], fileSecurity=True)
    refused = upload(jane.client, **{"permissions[0]": f'read("user:{bob.id}")'})

    assert error_of(refused) == (401, "user_unauthorized")
    assert project.server.get("/storage/buckets/photos/files").json()["total"] == 0


def test_a_bucket_that_is_switched_off_is_there_for_keys_only(project: Project, jane: User) -> None:
    new_bucket(project, permissions=['read("any")', 'create("any")'], enabled=False)
    file = upload(project.server).json()

    assert error_of(upload(jane.client)) == (404, "storage_bucket_not_found")
    assert error_of(jane.client.get(f"/storage/buckets/photos/files/{file['$id']}")) == (
        404,
        "storage_bucket_not_found",
    )


def test_files_are_found_by_queries_and_pages(project: Project) -> None:
    new_bucket(project)
    for name in ("a.txt", "b.csv", "c.csv"):
        upload(project.server, name.encode(), name=name, file_id=name)
    storage = Storage(project.sdk(key=project.key))
    found = storage.list_files("photos", ['{"method":"equal","attribute":"mimeType","values":["text/csv"]}'])
    after = storage.list_files("photos", ['{"method":"cursorAfter","values":["a.txt"]}'])

    assert (found.total, [each.id for each in found.files]) == (2, ["b.csv", "c.csv"])
    assert [each.id for each in after.files] == ["b.csv", "c.csv"]


# -- sending ------------------------------------------------------------------------------------------------


@pytest.fixture
def letters(project: Project) -> str:
    """The path of a file that holds `abcdefghij`."""
    new_bucket(project)
    return f"/storage/buckets/photos/files/{upload(project.server, b'abcdefghij').json()['$id']}"


@pytest.mark.parametrize(
    ("asked", "sent", "told"),
    [
        ("bytes=0-3", b"abcd", "bytes 0-3/10"),
        ("bytes=4-", b"efghij", "bytes 4-9/10"),
        ("bytes=-2", b"ij", "bytes 8-9/10"),
        ("bytes=8-99", b"ij", "bytes 8-9/10"),
        ("bytes=9-9", b"j", "bytes 9-9/10"),
        ("Bytes=0-0", b"a", "bytes 0-0/10"),
        ("bytes=7-18446744073709551615", b"hij", "bytes 7-9/10"),
    ],
)
def test_a_range_is_sent_alone(project: Project, letters: str, asked: str, sent: bytes, told: str) -> None:
    answer = project.server.get(f"{letters}/download", headers={"Range": asked})

    assert (answer.status_code, answer.content, answer.headers["content-range"]) == (206, sent, told)


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=5-3", "bytes=-0", "bytes=0-1,3-4", "items=0-1", "x"])
def test_a_range_that_is_not_there_is_refused(project: Project, letters: str, asked: str) -> None:
    answer = project.server.get(f"{letters}/view", headers={"Range": asked})

    assert error_of(answer) == (416, "storage_invalid_range")
    assert answer.headers["content-range"] == "bytes */10"


@pytest.mark.parametrize("way", ["download", "view"])
def test_who_has_the_contents_already_is_told_so(
    project: Project, letters: str, jane: User, way: str
) -> None:
    tag = project.server.get(f"{letters}/{way}").headers["etag"]
    asked = {"If-None-Match": f'"other", W/{tag}'}
    again = project.server.get(f"{letters}/{way}", headers=asked)
    head = project.server.head(f"{letters}/{way}", headers=asked)
    changed = project.server.get(f"{letters}/{way}", headers={"If-None-Match": '"other"'})
    not_hers = jane.client.get(f"{letters}/{way}", headers=asked)

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert head.status_code == 304
    assert {"content-type", "content-length", "transfer-encoding"}.isdisjoint(again.headers)
    assert (changed.status_code, changed.content) == (200, b"abcdefghij")
    assert error_of(not_hers) == (404, "storage_file_not_found")


def test_a_download_goes_on_only_if_the_contents_are_the_same(project: Project, letters: str) -> None:
    def rest(validator: str) -> tuple[int, bytes]:
        headers = {"Range": "bytes=5-", "If-Range": validator}
        answer = project.server.get(f"{letters}/download", headers=headers)
        return answer.status_code, answer.content

    tag = project.server.get(f"{letters}/download").headers["etag"]
    file_id = letters.rpartition("/")[2]
    same = rest(tag)
    project.server.delete(letters)
    upload(project.server, b"ABCDEFGHIJ", file_id=file_id)

    assert same == (206, b"fghij")
    assert rest(tag) == (200, b"ABCDEFGHIJ")
    assert rest("Wed, 21 Oct 2015 07:28:00 GMT") == (200, b"ABCDEFGHIJ")


def test_head_tells_what_get_would_without_the_contents(project: Project, letters: str) -> None:
    got = project.server.get(f"{letters}/download")
    head = project.server.head(f"{letters}/download")

    assert (head.status_code, head.content) == (200, b"")
    ours = ("content-length", "content-type", "content-disposition", "accept-ranges", "cache-control")
    assert [head.headers[each] for each in ours] == [got.headers[each] for each in ours]
    assert got.headers["content-length"] == "10"


def test_a_deleted_file_is_not_there_even_though_its_contents_may_be(project: Project, letters: str) -> None:
    project.server.delete(letters)

    assert error_of(project.server.get(f"{letters}/download")) == (404, "storage_file_not_found")


def test_files_of_two_projects_with_the_same_ids_are_apart(platform: Platform, project: Project) -> None:
    other = platform.new_project()
    for each, contents in ((project, b"one"), (other, b"two")):
        new_bucket(each)
        upload(each.server, contents, file_id="same")

    assert project.server.get("/storage/buckets/photos/files/same/download").content == b"one"
    assert other.server.get("/storage/buckets/photos/files/same/download").content == b"two"
    project.server.delete("/storage/buckets/photos/files/same")
    assert other.server.get("/storage/buckets/photos/files/same/download").content == b"two"


def test_the_sdk_gets_its_errors(project: Project) -> None:
    with pytest.raises(AppwriteException) as caught:
        Storage(project.sdk(key=project.key)).get_file_view("nothing", "there")

    assert caught.value.type == "storage_bucket_not_found"


async def test_usage_tells_what_buckets_hold_and_held(platform: Platform, project: Project) -> None:
    new_bucket(project)
    new_bucket(project, "others")
    upload(project.server, b"hello")
    upload(project.server, b"you", bucket="others")
    await fetch(
        platform,
        "insert into freehold.bucket_sizes values ($1, date_trunc('hour', now() - interval '3 days', 'UTC'),"
        " 'gone', 7, 700)",
        project.id,
    )
    everything = project.server.get("/storage/usage").json()
    alone = project.admin.get("/storage/photos/usage", params={"range": "24h"}).json()

    assert [everything[f"{each}Total"] for each in ("buckets", "files", "filesStorage")] == [2, 2, 8]
    assert [each["value"] for each in everything["files"] if each["value"]] == [7, 2]
    assert [each["value"] for each in everything["storage"] if each["value"]] == [700, 8]
    assert (len(everything["files"]), len(alone["files"])) == (30, 24)
    assert (alone["filesTotal"], alone["filesStorageTotal"], alone["range"]) == (1, 5, "24h")
    assert error_of(project.server.get("/storage/nothing/usage")) == (404, "storage_bucket_not_found")
    assert project.guest.get("/storage/usage").status_code == 401


async def test_what_buckets_hold_is_written_down_by_the_hour(platform: Platform, project: Project) -> None:
    new_bucket(project)
    upload(project.server, b"hello")
    db = Database(platform.database_url, size=2, statement_timeout_s=15)
    await keep_history(
        Context(db, Settings(data=platform.installation.data)),
        Job(1, "console", "storage.measure", b"{}", 1),
    )
    await db.close()
    kept = await fetch(
        platform,
        "select bucket_id, files, bytes from freehold.bucket_sizes"
        " where project_id = $1 order by hour desc limit 1",
        project.id,
    )

    assert [tuple(each) for each in kept] == [("photos", 1, 5)]
