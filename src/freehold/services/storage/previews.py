"""Files as images of another size and format: made once, kept for as long as somebody asks for them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import time
from pathlib import Path
from typing import BinaryIO

import msgspec

from freehold.db.pool import Record
from freehold.providers.images import (
    MAX_PIXELS,
    Busy,
    Drawing,
    ImageTooLarge,
    ImageUnreadable,
    Order,
    Output,
    Transform,
)
from freehold.services.storage.contents import as_path
from freehold.services.storage.errors import FileNotFound, ImageNotShown, TooManyPreviews
from freehold.services.storage.files import SANDBOX, read
from freehold.services.storage.models import PreviewQuery
from freehold.web.call import Call
from freehold.web.wire import Stream

MAX_BYTES = 20_000_000
"""A larger file is shown as a sheet of paper, as one that is no image."""
KEPT_S = 30 * 86400.0
"""For so long a preview is kept that nobody asks for."""
_TOUCHED_S = 86400.0
MOST_KEPT = 200
MOST_KEPT_BYTES = 100_000_000
"""So many previews of a file are kept at most, whatever sizes it is asked for in."""

TYPES: dict[Output, str] = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "heic": "image/heic",
    "avif": "image/avif",
    "gif": "image/gif",
}
_OUTPUT_OF: dict[str, Output] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/heic": "heic",
    "image/heif": "heic",
    "image/avif": "avif",
    "image/gif": "gif",
}
"""The images that can be opened, and what they are shown as when the caller does not say."""


async def preview(call: Call, file: Record, query: PreviewQuery) -> Stream:
    """Send a file as an image. Raises FileNotFound, ImageNotShown, TooManyPreviews."""
    is_image = file["mime_type"] in _OUTPUT_OF and file["size"] <= MAX_BYTES
    output = query.output or _OUTPUT_OF.get(file["mime_type"] if is_image else "", "png")
    transform = _transform(query)
    instead = _drawing(file["name"])
    path = call.app.blobs.preview(file["place"], _name(transform, output, instead))
    contents = await asyncio.to_thread(_kept, path)
    if contents is None:
        if is_image:
            async with as_path(call.app, file) as source:
                await _make(call, path, Order(str(source), "", output, transform), instead)
        else:
            await _make(call, path, Order(instead, "", output, transform), instead)
        contents = await asyncio.to_thread(_kept, path)
    if contents is None:  # the file was deleted meanwhile, and its previews with it
        raise FileNotFound(id=file["id"])
    size = os.fstat(contents.fileno()).st_size
    return Stream(
        content_type=TYPES[output],
        size=size,
        parts=read(contents, 0, size),
        close=contents.close,
        headers=[(b"cache-control", b"private, max-age=2592000"), SANDBOX],
    )


async def _make(call: Call, path: Path, order: Order, instead: Drawing) -> None:
    """Make a preview; what turns out to be no image is drawn instead."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        try:
            await call.app.images.make(msgspec.structs.replace(order, target=str(draft)))
        except ImageUnreadable:
            drawn = msgspec.structs.replace(order, source=instead, target=str(draft))
            await call.app.images.make(drawn)
    except ImageTooLarge as error:
        raise ImageNotShown(most=MAX_PIXELS) from error
    except Busy as error:
        raise TooManyPreviews() from error
    else:
        await asyncio.to_thread(_keep, draft, path)
    finally:
        await asyncio.to_thread(draft.unlink, missing_ok=True)


def _transform(query: PreviewQuery) -> Transform:
    return Transform(
        width=query.width,
        height=query.height,
        gravity=query.gravity,
        quality=query.quality,
        border_width=query.border_width,
        border_color=query.border_color.removeprefix("#").lower(),
        border_radius=query.border_radius,
        opacity=query.opacity,
        rotation=query.rotation % 360,
        background=query.background.removeprefix("#").lower(),
    )


def _drawing(name: str) -> Drawing:
    extension = name.rpartition(".")[2].upper() if "." in name else ""
    is_short = extension.isascii() and extension.isalnum() and len(extension) < 6
    return Drawing("paper", extension if is_short else "?")


def _name(transform: Transform, output: Output, instead: Drawing) -> str:
    told = hashlib.sha256(msgspec.json.encode([transform, instead.text])).hexdigest()[:32]
    return f"{told}.{output}"


def _kept(path: Path) -> BinaryIO | None:
    """The preview, if it has been made before; notes, once a day, that it is still asked for."""
    try:
        contents = path.open("rb")
        if os.fstat(contents.fileno()).st_mtime < time.time() - _TOUCHED_S:
            os.utime(contents.fileno())
    except FileNotFoundError:
        return None
    return contents


def _keep(draft: Path, path: Path) -> None:
    """Let a preview lie where it is looked for, and forget older ones where there are too many by now."""
    with contextlib.suppress(FileNotFoundError):  # of a file that is deleted; or somebody else forgets them
        draft.replace(path)
        with os.scandir(path.parent) as found:
            newest = sorted(((each.stat(), each.path) for each in found), key=lambda told: -told[0].st_mtime)
        size = 0
        for number, (stat, each) in enumerate(newest):
            size += stat.st_size
            if number and (number >= MOST_KEPT or size > MOST_KEPT_BYTES):
                Path(each).unlink()
