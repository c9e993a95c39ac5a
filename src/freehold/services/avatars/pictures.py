"""Pictures as they are made and sent."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from freehold.providers.images import Busy, Drawing, ImageError, Order, Output, Transform
from freehold.services.avatars.errors import ImageNotFound, TooManyPictures
from freehold.web.call import Call
from freehold.web.wire import Stream

KEPT_S = 3_888_000
"""For so long browsers keep a picture that does not change."""
TYPES: dict[Output, str] = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "heic": "image/heic",
    "avif": "image/avif",
    "gif": "image/gif",
}


async def picture(
    call: Call, source: Drawing | bytes, output: Output, transform: Transform, *, vector: bool = False
) -> bytes:
    """Draw a picture, or bring an image to its form; with `vector` an SVG as well. Raises ImageNotFound,
    TooManyPictures."""
    place = call.app.blobs.incoming / f"picture.{secrets.token_hex(16)}"
    target = place.with_suffix(".made")
    try:
        if isinstance(source, bytes):
            await asyncio.to_thread(place.write_bytes, source)
        told = str(place) if isinstance(source, bytes) else source
        await call.app.images.make(Order(told, str(target), output, transform, vector=vector))
        return await asyncio.to_thread(target.read_bytes)
    except Busy as error:
        raise TooManyPictures() from error
    except ImageError as error:
        raise ImageNotFound() from error
    finally:
        await asyncio.to_thread(_remove, place, target)


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def sent(
    contents: bytes, output: Output, *, kept_s: int = KEPT_S, saved_as: str = "", is_public: bool = False
) -> Stream:
    """Send a picture, to be shown, or to be saved under a name. A public one may be kept for everybody."""
    scope = "public" if is_public else "private"
    disposition = f'attachment; filename="{saved_as}"' if saved_as else "inline"

    async def parts() -> AsyncIterator[bytes]:
        yield contents

    return Stream(
        content_type=TYPES[output],
        size=len(contents),
        parts=parts(),
        close=lambda: None,
        headers=[
            (b"cache-control", f"{scope}, max-age={kept_s}".encode()),
            (b"content-disposition", disposition.encode()),
            (b"content-security-policy", b"default-src 'none'; sandbox"),
        ],
    )
