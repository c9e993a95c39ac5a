"""Files as images of another size and format: made once, kept for as long as somebody asks for them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import time
from pathlib import Path

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
from freehold.services.storage.errors import ImageNotShown, TooManyPreviews
from freehold.services.storage.files import SANDBOX, read
from freehold.services.storage.models import PreviewQuery
from freehold.web.call import Call
from freehold.web.wire import Stream

MAX_BYTES = 20_000_000
"""A larger file is shown as a sheet of paper, as one that is no image."""
KEPT_S = 30 * 86400.0
"""For so long a preview is kept that nobody asks for."""
_TOUCHED_S = 86400.0

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
    """Send a file as an image. Raises ImageNotShown, TooManyPreviews."""
    is_image = file["mime_type"] in _OUTPUT_OF and file["size"] <= MAX_BYTES
    output = query.output or _OUTPUT_OF.get(file["mime_type"] if is_image else "", "png")
    transform = _transform(query)
    instead = _drawing(file["name"])
    path = call.app.blobs.preview(file["place"], _name(transform, output, instead))
    if not await asyncio.to_thread(_is_kept, path):
        if is_image:
            async with as_path(call.app, file) as source:
                await _make(call, path, Order(str(source), "", output, transform), instead)
        else:
            await _make(call, path, Order(instead, "", output, transform), instead)
    contents = await asyncio.to_thread(path.open, "rb")
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
        await asyncio.to_thread(draft.replace, path)
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


def _is_kept(path: Path) -> bool:
    """Whether the preview has been made before; notes, once a day, that it is still asked for."""
    try:
        if path.stat().st_mtime < time.time() - _TOUCHED_S:
            os.utime(path)
    except FileNotFoundError:
        return False
    return True
