"""Images in other sizes and formats, made by a process of its own (`image_worker.py`)."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from collections.abc import Callable
from typing import Literal

import msgspec

MAX_PIXELS = 64_000_000
"""An image of more pixels is not opened."""
MAX_SIDE = 4000
"""The longest side that an image can be asked for with."""
TIMEOUT_S = 15.0
MAX_WAITING = 16
"""So many requests of a process wait for an image at most."""

Output = Literal["jpg", "jpeg", "png", "webp", "heic", "avif", "gif"]
Gravity = Literal[
    "center", "top-left", "top", "top-right", "left", "right", "bottom-left", "bottom", "bottom-right"
]
Answer = Literal["done", "too large", "unreadable", "disk full"]


class Transform(msgspec.Struct, frozen=True):
    """What becomes of an image, in this order: its size, opacity, background, border, corners, rotation."""

    width: int = 0
    height: int = 0
    """0 is as the other side has it; both, as the image has it."""
    gravity: Gravity = "center"
    """What of the image stays when it has to be cut."""
    quality: int = -1
    border_width: int = 0
    border_color: str = ""
    border_radius: int = 0
    opacity: float = 1.0
    rotation: int = 0
    """In degrees, clockwise."""
    background: str = ""


class Drawing(msgspec.Struct, frozen=True):
    """A picture that is drawn (`drawings.py`), rather than opened."""

    kind: Literal["paper", "initials", "flag", "browser", "card", "qr", "logo"]
    text: str
    """What it shows, or stands for: letters, the code of a country, what a QR code says, a theme."""
    color: str = ""
    """Of its ground, in six hex digits; one that goes with the text when it is not told."""
    margin: int = 0
    """Of a QR code, in modules."""


class Order(msgspec.Struct, frozen=True):
    """What the process is told."""

    source: str | Drawing
    """The path of an image file, or what to draw."""
    target: str
    output: Output
    transform: Transform = Transform()
    cleaned: bool = False
    """Leave the image as it is, but without its metadata."""
    vector: bool = False
    """The image may be an SVG, too."""


class ImageError(Exception):
    """No image could be made."""


class ImageTooLarge(ImageError):
    """It has too many pixels, or takes too much memory or time."""


class ImageUnreadable(ImageError):
    """It is no image, or one that is broken."""


class Busy(ImageError):
    """Too many are waiting."""


_answer: Callable[[bytes], Answer] = msgspec.json.Decoder(Answer).decode


class Images:
    """Makes images one after the other. The process is started when it is first needed."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._process: asyncio.subprocess.Process | None = None

    async def make(self, order: Order) -> None:
        """Write the image that is ordered. Raises ImageTooLarge, ImageUnreadable, Busy, OSError (ENOSPC)."""
        if self._waiting >= MAX_WAITING:
            raise Busy()
        self._waiting += 1
        try:
            async with self._turn:
                # Once more when the process ended: that may have been for a reason that was not this image.
                answer = await self._ask(order) or await self._ask(order) or "too large"
        finally:
            self._waiting -= 1
        if answer == "too large":
            raise ImageTooLarge()
        if answer == "unreadable":
            raise ImageUnreadable()
        if answer == "disk full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), order.target)

    async def _ask(self, order: Order) -> Answer | None:
        """What the process answers; None when it ends instead, as it does for want of memory."""
        process = await self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(msgspec.json.encode(order) + b"\n")
            async with asyncio.timeout(TIMEOUT_S):
                await process.stdin.drain()
                line = await process.stdout.readline()
        except TimeoutError:
            await self.close()
            return "too large"
        except ConnectionError:
            line = b""
        except BaseException:  # nobody may read what belongs to somebody who has gone
            await self.close()
            raise
        if not line:
            await self.close()
            return None
        return _answer(line)

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-I", "-m", "freehold.providers.image_worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={},
            )
        return self._process

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
