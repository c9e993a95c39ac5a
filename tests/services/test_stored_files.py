"""How files lie on the disk: encrypted, compressed, without metadata; and what is read all the same."""

from __future__ import annotations

import hashlib
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image, ImageSequence

from freehold.config import Settings
from freehold.db.pool import Database
from freehold.jobs import Context, Job
from freehold.providers.frames import FRAME_BYTES, Contents, Damaged, Layout, encrypt, in_frames
from freehold.services.storage.cleanup import sweep
from tests.platform import Platform, Project, error_of
from tests.services.files import (
    PART,
    contents_on_disk,
    fetch,
    new_bucket,
    part_of,
    upload,
)

TEXT = b"".join(b"%07d: the quick brown fox jumps over the lazy dog\n" % line for line in range(50_000))
"""Of 2.6 MB: three frames, the last of which is not full."""


async def path_of(platform: Platform, project: Project, file_id: str) -> Path:
    [row] = await fetch(
        platform,
        "select place from freehold.files where project_id = $1 and id = $2", project.id, file_id,
    )  # fmt: skip
    folder, _, key = row["place"].partition("/")
    return platform.installation.data / "files" / "whole" / folder / key[:2] / key


@pytest.mark.parametrize("encryption", [False, True])
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
async def test_a_file_is_read_as_it_was_however_it_lies_there(
    platform: Platform, project: Project, compression: str, encryption: bool
) -> None:
    new_bucket(project, compression=compression, encryption=encryption)
    file = upload(project.server, TEXT, file_id="text").json()
    on_disk = (await path_of(platform, project, "text")).read_bytes()
    path = "/storage/buckets/photos/files/text/download"

    assert (file["compression"], file["encryption"]) == (compression, encryption)
    assert (file["sizeOriginal"], file["sizeActual"]) == (len(TEXT), len(on_disk))
    assert file["signature"] == hashlib.md5(TEXT).hexdigest()
    assert (len(on_disk) < len(TEXT) / 3) is (compression != "none")
    assert (b"quick brown fox" in on_disk) is (compression == "none" and not encryption)
    assert project.server.get(path).content == TEXT
    assert project.server.head(path).headers["content-length"] == str(len(TEXT))
    for start, end in ((0, 0), (FRAME_BYTES - 3, FRAME_BYTES + 3), (5, 2 * FRAME_BYTES + 5), (-9, None)):
        asked = f"bytes={start}" if end is None else f"bytes={start}-{end}"
        answer = project.server.get(path, headers={"Range": asked})
        assert (answer.status_code, answer.content) == (206, TEXT[start : None if end is None else end + 1])


def test_what_does_not_become_smaller_is_not_compressed(project: Project) -> None:
    new_bucket(project, compression="gzip", encryption=False)
    noise = os.urandom(30_000)
    file = upload(project.server, noise, file_id="noise").json()

    assert (file["compression"], file["sizeActual"]) == ("none", 30_000)
    assert project.server.get("/storage/buckets/photos/files/noise/view").content == noise


def test_files_are_found_by_how_they_lie_there(project: Project) -> None:
    new_bucket(project, "plain", encryption=False)
    new_bucket(project, "sealed", compression="zstd")
    for bucket in ("plain", "sealed"):
        upload(project.server, TEXT, bucket=bucket)

    for bucket, query in (
        ("sealed", '{"method":"equal","attribute":"encryption","values":[true]}'),
        ("sealed", '{"method":"equal","attribute":"compression","values":["zstd"]}'),
        ("plain", f'{{"method":"equal","attribute":"sizeActual","values":[{len(TEXT)}]}}'),
    ):
        found = {
            each: project.server.get(
                f"/storage/buckets/{each}/files", params={"queries[0]": query}
            ).json()["total"]
            for each in ("plain", "sealed")
        }  # fmt: skip
        assert found == {bucket: 1, ("plain" if bucket == "sealed" else "sealed"): 0}


async def test_an_encrypted_file_that_somebody_changed_is_not_sent(
    platform: Platform, project: Project
) -> None:
    new_bucket(project)
    upload(project.server, TEXT, file_id="text")
    path = await path_of(platform, project, "text")
    changed = bytearray(path.read_bytes())
    changed[FRAME_BYTES + 100] ^= 1
    path.write_bytes(changed)

    with pytest.raises(httpx.RemoteProtocolError):
        project.server.get("/storage/buckets/photos/files/text/download")
    first = project.server.get("/storage/buckets/photos/files/text/download", headers={"Range": "bytes=0-99"})
    assert first.content == TEXT[:100]


class InMemory:
    def __init__(self, contents: bytes) -> None:
        self.contents = contents

    def read(self, offset: int, length: int) -> bytes:
        return self.contents[offset : offset + length]

    def close(self) -> None:
        pass


def test_frames_cannot_be_exchanged_left_out_or_taken_from_another_file() -> None:
    key = bytes(range(32))
    layout = Layout("a/b", len(TEXT), "none", key)
    first, second, third = encrypt(in_frames([TEXT]), layout)
    other, *_ = encrypt(in_frames([TEXT]), layout._replace(place="a/c"))

    assert Contents(InMemory(first + second + third), layout).read(10) == TEXT[:10]
    for stored in (second + first + third, other + second + third):
        with pytest.raises(Damaged):
            Contents(InMemory(stored), layout).read(10)
    shorter = layout._replace(size=2 * FRAME_BYTES)
    with pytest.raises(Damaged):
        Contents(InMemory(first + second), shorter).read(10)


def test_a_part_that_comes_again_is_held_against_what_is_encrypted(project: Project) -> None:
    new_bucket(project, compression="zstd")
    whole = (TEXT * 3)[: PART + 1000]
    for number in (1, 2):
        assert part_of(project.server, whole, number, file_id="mine").status_code == 201
    again = part_of(project.server, whole, 2, file_id="mine")
    other = part_of(project.server, whole[:PART] + whole[:1000], 2, file_id="mine")

    assert (again.status_code, again.json()["chunksUploaded"]) == (200, 2)
    assert error_of(other) == (409, "storage_file_already_exists")


def taken_with(maker: str) -> Image.Exif:
    """What a photo tells that lies on its side."""
    told = Image.Exif()
    told[0x0112] = 6
    told[0x010F] = maker
    return told


def photo(format_: str, **options: Any) -> bytes:
    """Of 60 by 40, lying on its side, with where and with what it was taken."""
    image = Image.new("RGB", (60, 40), "red")
    buffer = BytesIO()
    image.save(buffer, format_, exif=taken_with("SECRET CAMERA"), **options)
    return buffer.getvalue()


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_rid_of_what_it_tells_of_its_maker(project: Project, format_: str) -> None:
    new_bucket(project, stripMetadata=True)
    sent = photo(format_)
    assert b"SECRET CAMERA" in sent
    file = upload(project.server, sent, name=f"a.{format_.lower()}", file_id="photo").json()
    kept = project.server.get("/storage/buckets/photos/files/photo/download").content
    image = Image.open(BytesIO(kept))

    assert b"SECRET CAMERA" not in kept
    assert (image.format, image.size, dict(image.getexif())) == (format_, (40, 60), {})
    assert (file["sizeOriginal"], file["signature"]) == (len(kept), hashlib.md5(kept).hexdigest())


@pytest.mark.parametrize("format_", ["GIF", "PNG", "WEBP"])
def test_moving_pictures_still_move_as_fast_without_their_metadata(project: Project, format_: str) -> None:
    new_bucket(project, stripMetadata=True)
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "green", "blue")]
    buffer = BytesIO()
    told: dict[str, Any] = {"comment": b"SECRET"} if format_ == "GIF" else {"exif": taken_with("SECRET")}
    durations = [70, 500, 40]
    frames[0].save(buffer, format_, save_all=True, append_images=frames[1:], duration=durations, **told)
    assert b"SECRET" in buffer.getvalue()
    upload(project.server, buffer.getvalue(), name=f"a.{format_.lower()}", file_id="moving")
    kept = project.server.get("/storage/buckets/photos/files/moving/download").content
    shown: list[int] = []
    for frame in ImageSequence.Iterator(Image.open(BytesIO(kept))):
        frame.load()
        shown.append(frame.info["duration"])

    assert b"SECRET" not in kept
    assert shown == durations


def test_what_is_no_image_after_all_is_refused_where_images_are_cleaned(project: Project) -> None:
    new_bucket(project, stripMetadata=True)
    before = contents_on_disk(project.platform)
    refused = upload(project.server, photo("PNG")[:60], name="a.png")
    text = upload(project.server, b"only words", name="a.txt")

    assert error_of(refused) == (400, "storage_file_type_unsupported")
    assert text.status_code == 201
    assert len(contents_on_disk(project.platform) - before) == 1
    assert project.server.get("/storage/buckets/photos/files").json()["total"] == 1


async def test_contents_that_nothing_refers_to_are_swept_away(platform: Platform, project: Project) -> None:
    new_bucket(project)
    upload(project.server, b"kept", file_id="kept")
    upload(project.server, b"lost", file_id="lost")
    kept, lost = [await path_of(platform, project, each) for each in ("kept", "lost")]
    fresh = kept.with_name("0" * 32)
    fresh.write_bytes(b"of somebody who is about to note it")
    for each in (kept, lost):
        os.utime(each, (0, 0))
    await fetch(platform, "delete from freehold.files where project_id = $1 and id = 'lost'", project.id)
    db = Database(platform.database_url, size=2, statement_timeout_s=15)
    await sweep(
        Context(db, Settings(data=platform.installation.data)), Job(1, "console", "storage.sweep", b"{}", 1)
    )
    await db.close()

    assert [each.exists() for each in (kept, fresh, lost)] == [True, True, False]
    fresh.unlink()
