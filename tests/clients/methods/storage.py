"""Buckets as servers keep them, and files as everybody does."""

from __future__ import annotations

import random
from io import BytesIO
from typing import Any

from PIL import Image

from tests.clients.languages import File
from tests.clients.methods import Scene
from tests.services.second_factor import ok

LEFT_OUT: dict[str, str] = {}

PART = 5 * 1024 * 1024
"""The SDKs send larger files in parts of this size."""
BIG = random.Random(1).randbytes(2 * PART + 1000)

_FILES = "/storage/buckets/box/files"
_LETTER = f"{_FILES}/letter"
_OF_LETTER = {"bucketId": "box", "fileId": "letter"}
_USERS_MAKE = {"permissions": ['create("users")'], "fileSecurity": True}


def _box(on: Scene, **said: Any) -> None:
    """A bucket that users put files in, which are theirs."""
    on.post("/storage/buckets", bucketId="box", name="Box", **{**_USERS_MAKE, **said})


def _letter(on: Scene, contents: bytes = b"Dear reader", name: str = "letter.txt") -> None:
    """A file of Jane's, which nobody else may read."""
    _box(on)
    ok(on.jane.client.post(_FILES, data={"fileId": "letter"}, files={"file": (name, contents)}))


def _photo(size: tuple[int, int] = (400, 200)) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(buffer, "JPEG")
    return buffer.getvalue()


def _status(on: Scene, path: str) -> int:
    """How a guest is answered."""
    return on.project.guest.get(path).status_code


# Buckets


def list_buckets(on: Scene) -> None:
    _box(on)
    on.post("/storage/buckets", bucketId="crate", name="Crate")

    assert [each["$id"] for each in on.server.listBuckets(search="Crate")["buckets"]] == ["crate"]


def create_bucket(on: Scene) -> None:
    said = {
        "name": "Box",
        "permissions": ['read("any")', 'create("any")'],
        "fileSecurity": True,
        "maximumFileSize": 1000,
        "allowedFileExtensions": ["txt"],
        "compression": "gzip",
        "encryption": False,
        "transformations": False,
    }
    on.server.createBucket(bucketId="box", antivirus=False, **said)
    kept = on.get("/storage/buckets/box")

    assert {name: kept["$permissions" if name == "permissions" else name] for name in said} == said
    uploads = {
        name: on.project.guest.post(_FILES, data={"fileId": name}, files={"file": (name, contents)})
        for name, contents in {"a.txt": b"a", "a.exe": b"a", "large.txt": b"a" * 1001}.items()
    }
    assert {name: each.status_code for name, each in uploads.items()} == {
        "a.txt": 201,
        "a.exe": 400,
        "large.txt": 400,
    }


def get_bucket(on: Scene) -> None:
    _box(on)
    found = on.server.getBucket(bucketId="box")

    assert (found["name"], found["fileSecurity"]) == ("Box", True)


def update_bucket(on: Scene) -> None:
    _letter(on)
    on.server.updateBucket(bucketId="box", name="Box", permissions=['read("any")'])
    assert _status(on, f"{_LETTER}/view") == 200
    on.server.updateBucket(bucketId="box", name="Closed", permissions=['read("any")'], enabled=False)

    assert on.get("/storage/buckets/box")["name"] == "Closed"
    assert _status(on, f"{_LETTER}/view") == 404


def delete_bucket(on: Scene) -> None:
    _letter(on)
    on.server.deleteBucket(bucketId="box")

    assert on.is_gone("/storage/buckets/box")
    assert on.is_gone(_LETTER)


# Files


def list_files(on: Scene) -> None:
    _letter(on)
    memo = {"file": ("memo.txt", b"x")}
    ok(on.jane.client.post(_FILES, data={"fileId": "memo"}, files=memo))
    ok(on.project.server.post(_FILES, data={"fileId": "hidden"}, files=memo))
    found = on.user.listFiles(bucketId="box")

    assert ({each["$id"] for each in found["files"]}, found["total"]) == ({"letter", "memo"}, 2)
    assert [each["$id"] for each in on.user.listFiles(bucketId="box", search="memo")["files"]] == ["memo"]


def create_file(on: Scene) -> None:
    _box(on)
    small = File("a.txt", b"Dear reader")
    on.user.createFile(bucketId="box", fileId="small", file=small, permissions=['read("any")'])

    assert on.project.guest.get(f"{_FILES}/small/view").content == small.contents

    reports: list[dict[str, Any]] = []
    made = on.user.createFile(
        bucketId="box", fileId="big", file=File("big.bin", BIG), onProgress=reports.append
    )

    assert (made["name"], made["sizeOriginal"], made["chunksUploaded"]) == ("big.bin", len(BIG), 3)
    assert [each["chunksUploaded"] for each in reports] == [1, 2, 3]
    assert (reports[-1]["progress"], reports[-1]["sizeUploaded"]) == (100, len(BIG))
    assert on.jane.client.get(f"{_FILES}/big/download").content == BIG
    assert _status(on, f"{_FILES}/big/download") == 404

    headers = {"Content-Range": f"bytes 0-{PART - 1}/{len(BIG)}"}
    part = {"file": ("big.bin", BIG[:PART])}
    ok(on.jane.client.post(_FILES, data={"fileId": "resumed"}, files=part, headers=headers))
    assert on.jane.client.get(f"{_FILES}/resumed/download").status_code == 404
    made = on.user.createFile(bucketId="box", fileId="resumed", file=File("big.bin", BIG))

    assert (made["$id"], made["chunksUploaded"]) == ("resumed", 3)
    assert on.jane.client.get(f"{_FILES}/resumed/download").content == BIG
    assert on.get(_FILES)["total"] == 3


def get_file(on: Scene) -> None:
    _letter(on)
    found = on.user.getFile(**_OF_LETTER)

    assert (found["name"], found["mimeType"], found["sizeOriginal"]) == ("letter.txt", "text/plain", 11)


def update_file(on: Scene) -> None:
    _letter(on)
    assert _status(on, _LETTER) == 404
    on.user.updateFile(**_OF_LETTER, name="open.txt", permissions=['read("any")'])

    assert on.project.guest.get(_LETTER).json()["name"] == "open.txt"
    assert on.project.guest.get(f"{_LETTER}/view").content == b"Dear reader"


def delete_file(on: Scene) -> None:
    _letter(on)
    on.user.deleteFile(**_OF_LETTER)

    assert on.is_gone(_LETTER)
    assert on.is_gone(f"{_LETTER}/view")


def get_file_download(on: Scene) -> None:
    _letter(on)

    assert on.contents(on.user.getFileDownload(**_OF_LETTER), on.jane.session) == b"Dear reader"
    _is_opened_by_a_token(on, b"Dear reader")


def get_file_view(on: Scene) -> None:
    _letter(on)

    assert on.contents(on.user.getFileView(**_OF_LETTER), on.jane.session) == b"Dear reader"
    _is_opened_by_a_token(on, b"Dear reader")


def get_file_preview(on: Scene) -> None:
    _letter(on, _photo(), "photo.jpg")
    given = on.user.getFilePreview(
        **_OF_LETTER,
        width=100,
        height=80,
        gravity="top-left",
        quality=50,
        borderWidth=5,
        borderColor="00ff00",
        borderRadius=2,
        opacity=0.9,
        rotation=90,
        background="ffffff",
        output="webp",
    )
    seen = Image.open(BytesIO(on.contents(given, on.jane.session)))

    assert (seen.format, seen.size) == ("WEBP", (90, 110))
    assert seen.convert("RGB").getpixel((2, 50))[1] > 200  # type: ignore[index]  # the border
    token = on.post("/tokens/buckets/box/files/letter")["secret"]
    shared = on.contents(on.guest.getFilePreview(**_OF_LETTER, width=40, token=token))
    assert Image.open(BytesIO(shared)).size == (40, 20)


def _is_opened_by_a_token(on: Scene, contents: bytes) -> None:
    """The method gives a file to a guest who has a token of it."""
    token = on.post("/tokens/buckets/box/files/letter")["secret"]
    called = getattr(on.guest, on.spelling)

    assert on.contents(called(**_OF_LETTER, token=token)) == contents
