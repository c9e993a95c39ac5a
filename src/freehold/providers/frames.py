"""Contents as they lie in a store: in frames, each compressed and encrypted by itself.

So any range is read by opening the frames that it touches, and no others. A frame says which of how many it
is, and of what: none can be exchanged, left out or put elsewhere without being found out.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple, Protocol

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FRAME_BYTES = 1 << 20
KEY_BYTES = 32
_TAG_BYTES = 16

Compression = Literal["none", "gzip", "zstd"]


class Damaged(Exception):
    """What lies in the store is not what was put there."""


class Layout(NamedTuple):
    """How contents lie in the store."""

    place: str
    size: int
    """Of the contents themselves."""
    compression: Compression = "none"
    key: bytes = b""
    """What they are encrypted with; empty when they are not. No two contents have the same."""
    lengths: tuple[int, ...] = ()
    """How long each frame is in the store; of what is not compressed that goes without saying."""

    @property
    def is_plain(self) -> bool:
        """Whether the contents lie there as they are."""
        return self.compression == "none" and not self.key

    @property
    def frame_count(self) -> int:
        """How many frames there are."""
        return -(-self.size // FRAME_BYTES)

    def stored_size(self) -> int:
        """How many bytes lie in the store."""
        if self.lengths:
            return sum(self.lengths)
        return self.size + (_TAG_BYTES * self.frame_count if self.key else 0)

    def span(self, index: int) -> tuple[int, int]:
        """Where a frame begins in the store, and how long it is there."""
        if self.lengths:
            return sum(self.lengths[:index]), self.lengths[index]
        extra = _TAG_BYTES if self.key else 0
        plain = min(FRAME_BYTES, self.size - index * FRAME_BYTES)
        return index * (FRAME_BYTES + extra), plain + extra


class Stored(Protocol):
    """What lies in a store, read from anywhere."""

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes from there on."""

    def close(self) -> None:
        """Let go of it."""


def in_frames(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of FRAME_BYTES, but for the last."""
    pending = bytearray()
    for part in parts:
        if not pending and len(part) == FRAME_BYTES:
            yield part
            continue
        pending += part
        while len(pending) >= FRAME_BYTES:
            yield bytes(pending[:FRAME_BYTES])
            del pending[:FRAME_BYTES]
    if pending:
        yield bytes(pending)


def compress(frame: bytes, compression: Compression) -> bytes:
    if compression == "gzip":
        return gzip.compress(frame, 6, mtime=0)
    return zstandard.ZstdCompressor(level=3).compress(frame) if compression == "zstd" else frame


def _decompress(frame: bytes, compression: Compression) -> bytes:
    if compression == "gzip":
        return gzip.decompress(frame)
    if compression == "zstd":
        return zstandard.ZstdDecompressor().decompress(frame, max_output_size=FRAME_BYTES)
    return frame


def encrypt(frames: Iterable[bytes], layout: Layout) -> Iterator[bytes]:
    """The frames as they go to the store."""
    cipher = AESGCM(layout.key)
    for index, frame in enumerate(frames):
        yield cipher.encrypt(_nonce(index), frame, _belongs(layout, index))


def _nonce(index: int) -> bytes:
    # A key is of one file only and written with once, so that its frames can be counted.
    return index.to_bytes(12, "big")


def _belongs(layout: Layout, index: int) -> bytes:
    return f"{layout.place}:{index}:{layout.frame_count}".encode()


class Contents(io.RawIOBase):
    """Contents as they were before they went to the store, read from wherever one seeks."""

    def __init__(self, stored: Stored, layout: Layout) -> None:
        self._stored = stored
        self._layout = layout
        self._cipher = AESGCM(layout.key) if layout.key else None
        self._at = 0
        self._opened: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._layout.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer, with what is left of a frame at most. Raises Damaged."""
        view = memoryview(buffer).cast("B")
        length = min(len(view), self._layout.size - self._at)
        if length <= 0:
            return 0
        if self._layout.is_plain:
            part = self._stored.read(self._at, length)
        else:
            index, start = divmod(self._at, FRAME_BYTES)
            part = self._frame(index)[start : start + length]
        if not part:
            raise Damaged("it is shorter than what is known of it")
        view[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _frame(self, index: int) -> bytes:
        if self._opened[0] != index:
            self._opened = (index, self._open(index))
        return self._opened[1]

    def _open(self, index: int) -> bytes:
        layout = self._layout
        frame = self._stored.read(*layout.span(index))
        try:
            if self._cipher is not None:
                frame = self._cipher.decrypt(_nonce(index), frame, _belongs(layout, index))
            frame = _decompress(frame, layout.compression)
        except (InvalidTag, zstandard.ZstdError, OSError, EOFError, ValueError) as error:
            raise Damaged(f"its frame {index} cannot be opened") from error
        if len(frame) != min(FRAME_BYTES, layout.size - index * FRAME_BYTES):
            raise Damaged(f"its frame {index} is not as long as it was")
        return frame

    def close(self) -> None:
        if not self.closed:
            self._stored.close()
        super().close()
