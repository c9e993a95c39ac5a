"""Files as images of another size and format; and images that are made to do harm."""

from __future__ import annotations

import os
import shutil
import struct
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from appwrite.enums.image_format import ImageFormat
from appwrite.enums.image_gravity import ImageGravity
from appwrite.input_file import InputFile
from appwrite.services.storage import Storage
from PIL import Image
from pillow_heif import register_heif_opener

from freehold.providers import image_worker
from freehold.providers.blobs import PlainFiles
from freehold.services.storage.previews import MOST_KEPT
from tests.platform import Project, User, error_of
from tests.process.installation import until
from tests.services.files import contents_on_disk

register_heif_opener()

PREVIEW = "/storage/buckets/photos/files/{}/preview"
RED, GREEN, BLUE = (255, 0, 0), (0, 128, 0), (0, 0, 255)


@pytest.fixture
def storage(project: Project) -> Storage:
    storage = Storage(project.sdk(key=project.key))
    storage.create_bucket("photos", "Photos", file_security=True)
    return storage


def put(storage: Storage, name: str, contents: bytes, **told: Any) -> None:
    storage.create_file("photos", name.partition(".")[0], InputFile.from_bytes(contents, name), **told)


def picture(size: tuple[int, int] = (300, 200), format_: str = "PNG", **options: Any) -> bytes:
    """Red on its left, blue on its right, with a green line along its top."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    image.paste(GREEN, (0, 0, size[0], size[1] // 10))
    buffer = BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def seen(contents: bytes) -> Image.Image:
    image = Image.open(BytesIO(contents))
    image.load()
    return image


def near(found: Any, wanted: tuple[int, ...]) -> bool:
    return all(abs(one - other) < 30 for one, other in zip(found, wanted, strict=True))


def test_a_picture_is_shown_in_another_size_and_format(storage: Storage) -> None:
    put(storage, "p.png", picture())
    found = storage.get_file_preview("photos", "p", width=150, output=ImageFormat.WEBP)

    assert (seen(found).format, seen(found).size) == ("WEBP", (150, 100))


@pytest.mark.parametrize(
    ("output", "type_", "format_"),
    [
        ("jpg", "image/jpeg", "JPEG"),
        ("jpeg", "image/jpeg", "JPEG"),
        ("png", "image/png", "PNG"),
        ("webp", "image/webp", "WEBP"),
        ("avif", "image/avif", "AVIF"),
        ("gif", "image/gif", "GIF"),
        ("heic", "image/heic", "HEIF"),
        (None, "image/png", "PNG"),
    ],
)
def test_every_format_can_be_had(
    project: Project, storage: Storage, output: str | None, type_: str, format_: str
) -> None:
    put(storage, "p.png", picture())
    answer = project.server.get(
        PREVIEW.format("p"), params={"width": 60} | ({"output": output} if output else {})
    )

    assert answer.headers["content-type"] == type_
    assert answer.headers["cache-control"] == "private, max-age=2592000"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert seen(answer.content).format == format_


@pytest.mark.parametrize("format_", ["JPEG", "GIF", "WEBP", "AVIF", "HEIF"])
def test_every_format_can_be_shown(storage: Storage, format_: str) -> None:
    extension = {"JPEG": "jpg", "HEIF": "heic"}.get(format_, format_.lower())
    put(storage, f"p.{extension}", picture(format_=format_))
    found = storage.get_file_preview("photos", "p", width=30, output=ImageFormat.PNG)

    assert seen(found).size == (30, 20)
    assert near(seen(found).convert("RGB").getpixel((25, 15)), BLUE)


@pytest.mark.parametrize(
    ("gravity", "colors"),
    [
        (ImageGravity.LEFT, (RED, RED)),
        (ImageGravity.RIGHT, (BLUE, BLUE)),
        (ImageGravity.CENTER, (RED, BLUE)),
    ],
)
def test_what_is_cut_away_depends_on_the_gravity(
    storage: Storage, gravity: ImageGravity, colors: tuple[Any, Any]
) -> None:
    put(storage, "p.png", picture())
    found = seen(storage.get_file_preview("photos", "p", width=50, height=100, gravity=gravity))

    assert found.size == (50, 100)
    assert near(found.getpixel((2, 90)), colors[0])
    assert near(found.getpixel((47, 90)), colors[1])


def test_opacity_background_border_corners_and_rotation(storage: Storage) -> None:
    put(storage, "p.png", picture())
    half = seen(storage.get_file_preview("photos", "p", opacity=0.5))
    on_white = seen(storage.get_file_preview("photos", "p", opacity=0.5, background="ffffff"))
    framed = seen(storage.get_file_preview("photos", "p", border_width=10, border_color="00ff00"))
    rounded = seen(storage.get_file_preview("photos", "p", border_radius=50))
    turned = seen(storage.get_file_preview("photos", "p", rotation=90))

    assert near(half.getpixel((10, 190)), (255, 0, 0, 128))
    assert near(on_white.getpixel((10, 190)), (255, 128, 128, 255))
    assert (framed.size, framed.getpixel((5, 5))) == ((320, 220), (0, 255, 0))
    assert rounded.getpixel((0, 0))[3] == 0
    assert rounded.getpixel((150, 100))[3] == 255
    assert turned.size == (200, 300)
    assert near(turned.convert("RGB").getpixel((195, 100)), GREEN)  # clockwise: the top is on the right


def test_quality_is_a_matter_of_bytes(storage: Storage) -> None:
    noise = Image.effect_noise((300, 300), 80).convert("RGB")
    buffer = BytesIO()
    noise.save(buffer, "JPEG", quality=95)
    put(storage, "p.jpg", buffer.getvalue())
    sizes = [len(storage.get_file_preview("photos", "p", quality=each)) for each in (5, 50, 95)]

    assert sizes == sorted(sizes)


def test_photos_are_shown_the_right_way_up_and_tell_nothing_of_where_they_were_taken(
    storage: Storage,
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it clockwise
    exif[0x010F] = "Zebra cameras"
    put(storage, "p.jpg", picture(format_="JPEG", exif=exif))
    found = storage.get_file_preview("photos", "p")

    assert seen(found).size == (200, 300)
    assert b"Zebra" not in found


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("letter.pdf", b"%PDF-1.7 nothing"),
        ("noext", b"just text"),
        ("broken.png", picture()[:40]),
        ("script.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
    ],
)
def test_what_shows_no_picture_is_a_sheet_of_paper(storage: Storage, name: str, contents: bytes) -> None:
    put(storage, name, contents)
    found = seen(storage.get_file_preview("photos", name.partition(".")[0], width=64))

    assert (found.format, found.size) == ("PNG", (64, 64))


@pytest.mark.parametrize("harm", ["its pixels", "its index"])
def test_an_image_that_its_decoder_gives_up_on_is_a_sheet_of_paper(storage: Storage, harm: str) -> None:
    """AVIF and HEIC have decoders of their own, which raise errors of their own."""
    contents = picture((64, 64), "AVIF")
    before, box, after = contents.partition(b"mdat" if harm == "its pixels" else b"iloc")
    spoilt = before + box + bytes(len(after)) if harm == "its pixels" else before + b"free" + after
    put(storage, "p.avif", spoilt)
    found = seen(storage.get_file_preview("photos", "p", width=64, height=64, output=ImageFormat.PNG))

    assert (found.mode, found.size) == ("RGBA", (64, 64))
    assert found.getpixel((0, 0)) == (0, 0, 0, 0)


def test_the_sheet_of_paper_tells_what_the_file_is_called_now(storage: Storage) -> None:
    put(storage, "letter.pdf", b"%PDF-1.7 nothing")
    pdf = storage.get_file_preview("photos", "letter")
    storage.update_file("photos", "letter", "letter.doc")
    doc = storage.get_file_preview("photos", "letter")

    assert seen(pdf).tobytes() != seen(doc).tobytes()


def test_sixteen_bits_of_grey_are_shown_in_eight(storage: Storage) -> None:
    grey = Image.new("I;16", (4, 1))
    for x, shade in enumerate((0, 0x4000, 0x8000, 0xFFFF)):
        grey.putpixel((x, 0), shade)
    buffer = BytesIO()
    grey.save(buffer, "PNG")
    put(storage, "scan.png", buffer.getvalue())
    found = seen(storage.get_file_preview("photos", "scan"))

    assert [found.getpixel((x, 0)) for x in range(4)] == [(each,) * 3 for each in (0, 0x40, 0x80, 0xFF)]


@pytest.mark.parametrize(("space", "kept"), [(b"RGB ", True), (b"CMYK", False), (b"GRAY", False)])
def test_a_preview_has_a_color_profile_of_its_own_colors_only(
    storage: Storage, space: bytes, kept: bool
) -> None:
    mode = {b"RGB ": "RGB", b"CMYK": "CMYK", b"GRAY": "L"}[space]
    profile = bytes(16) + space + bytes(200)
    buffer = BytesIO()
    Image.new("RGB", (8, 8), RED).convert(mode).save(buffer, "JPEG", icc_profile=profile)
    put(storage, "p.jpg", buffer.getvalue())
    found = seen(storage.get_file_preview("photos", "p"))

    assert (found.mode, "icc_profile" in found.info) == ("RGB", kept)


def test_a_preview_is_made_once_and_goes_with_its_file(project: Project, storage: Storage) -> None:
    put(storage, "p.png", picture())
    before = previews_on_disk(project)
    first = storage.get_file_preview("photos", "p", width=33)
    made = previews_on_disk(project) - before
    again = storage.get_file_preview("photos", "p", width=33)
    still = previews_on_disk(project) - before
    storage.delete_file("photos", "p")

    assert first == again
    assert len(made) == 1
    assert still == made
    until(lambda: previews_on_disk(project) <= before, 30)


def previews_on_disk(project: Project) -> set[Path]:
    return {each for each in contents_on_disk(project.platform) if "previews" in each.parts}


def test_of_a_file_in_ever_other_sizes_so_many_previews_are_kept(project: Project, storage: Storage) -> None:
    put(storage, "p.png", picture((4, 4)))
    before = previews_on_disk(project)
    asked = project.server
    for width in range(1, MOST_KEPT + 6):
        assert asked.get(PREVIEW.format("p"), params={"width": width, "height": 1}).status_code == 200
    kept = previews_on_disk(project) - before
    asked.get(PREVIEW.format("p"), params={"width": MOST_KEPT + 5, "height": 1})

    assert len(kept) == MOST_KEPT
    assert previews_on_disk(project) - before == kept


@pytest.mark.parametrize(
    "params",
    [
        {"width": 4001},
        {"height": -1},
        {"gravity": "up"},
        {"quality": 101},
        {"borderWidth": 101},
        {"borderColor": "red"},
        {"borderRadius": 4001},
        {"opacity": 1.1},
        {"opacity": "nan"},
        {"rotation": 361},
        {"background": "00000"},
        {"output": "bmp"},
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    project: Project, storage: Storage, params: dict[str, Any]
) -> None:
    put(storage, "p.png", picture())

    assert error_of(project.server.get(PREVIEW.format("p"), params=params)) == (
        400, "general_argument_invalid",
    )  # fmt: skip


# -- who may see it


def test_a_preview_is_for_those_who_may_read_the_file(
    project: Project, storage: Storage, jane: User, bob: User
) -> None:
    put(storage, "p.png", picture(), permissions=[f'read("user:{jane.id}")'])
    token = project.server.post("/tokens/buckets/photos/files/p", json={}).json()["secret"]

    def status(client: httpx.Client, **params: str) -> int:
        return client.get(PREVIEW.format("p"), params=params).status_code

    assert status(jane.client) == 200
    assert [status(bob.client), status(project.guest)] == [404, 404]
    assert status(project.guest, token=token) == 200
    assert status(project.guest, token=token[:-4]) == 404
    # It has been made by now: what is kept is not for everybody either.
    assert [status(bob.client), status(project.guest)] == [404, 404]


def test_files_may_be_deleted_while_forgotten_previews_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = PlainFiles(tmp_path)
    made = [blobs.preview(f"{'f' * 32}/{key * 32}", "small.png") for key in "abc"]
    for path in made:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
    stat = Path.stat

    def and_another_is_deleted(path: Path, **how: Any) -> os.stat_result:
        if path in made:
            for each in made:
                if each != path:
                    shutil.rmtree(each.parent, ignore_errors=True)
        return stat(path, **how)

    monkeypatch.setattr(Path, "stat", and_another_is_deleted)
    blobs.forget_previews(-1.0)
    monkeypatch.undo()

    assert not any(path.exists() for path in made)


def test_a_bucket_without_transformations_shows_no_previews(project: Project, storage: Storage) -> None:
    put(storage, "p.png", picture())
    storage.update_bucket("photos", "Photos", transformations=False)

    assert error_of(project.server.get(PREVIEW.format("p"))) == (
        403, "storage_bucket_transformations_disabled",
    )  # fmt: skip
    assert storage.get_bucket("photos").transformations is False


# -- S11: images that are made to do harm


def png_of(width: int, height: int) -> bytes:
    """A small file that says it is an image of any size."""

    def chunk(name: bytes, contents: bytes) -> bytes:
        checked = name + contents
        return struct.pack(">I", len(contents)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(50_000, 50_000), (8_001, 8_000), (2**31 - 1, 2**31 - 1)])
def test_s11_an_image_of_too_many_pixels_is_not_opened(
    project: Project, storage: Storage, size: tuple[int, int]
) -> None:
    put(storage, "bomb.png", png_of(*size))
    refused = project.server.get(PREVIEW.format("bomb"), params={"width": 10})
    put(storage, "p.png", picture())

    assert error_of(refused) == (400, "storage_image_resolution_exceeded")
    assert project.server.get(PREVIEW.format("p")).status_code == 200


def test_s11_of_many_frames_one_is_opened(project: Project, storage: Storage) -> None:
    frames = [Image.new("P", (40, 40), color % 256) for color in range(2000)]
    for number, frame in enumerate(frames):
        frame.putpixel((number % 40, number // 40 % 40), (number * 7) % 256)
    buffer = BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=10)
    put(storage, "many.gif", buffer.getvalue())
    found = project.server.get(PREVIEW.format("many"), params={"output": "gif", "width": 20})

    assert getattr(seen(found.content), "n_frames", 1) == 1


def test_s11_the_process_that_opens_images_has_little_memory_and_comes_back_when_it_is_ended(
    project: Project, storage: Storage
) -> None:
    put(storage, "p.png", picture())
    assert project.server.get(PREVIEW.format("p"), params={"width": 11}).status_code == 200
    little = (image_worker.MEMORY_BYTES, image_worker.MEMORY_BYTES)
    until(lambda: set(image_workers(project).values()) == {little})
    for each in image_workers(project):
        each.kill()
    answers = [
        project.server.get(PREVIEW.format("p"), params={"width": width}).status_code
        for width in range(12, 18)
    ]

    assert answers == [200] * 6


def image_workers(project: Project) -> dict[psutil.Process, tuple[int, int]]:
    """The processes that open images, and how much memory each may have."""
    found = {}
    for each in psutil.Process(project.platform.installation.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            if "freehold.providers.image_worker" in each.cmdline():
                found[each] = each.rlimit(psutil.RLIMIT_AS)
    return found
