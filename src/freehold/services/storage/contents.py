"""Contents of files on their way into the store and out of it: scanned, cleaned, compressed, encrypted."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import structlog

from freehold.config import Settings
from freehold.db.pool import Record
from freehold.providers import frames
from freehold.providers.antivirus import Scan, ScannerProblem, Verdict
from freehold.providers.blobs import Blobs, Source, as_file
from freehold.providers.frames import Compression, Contents, Layout
from freehold.providers.images import ImageError, Order, Output
from freehold.providers.vault import KeyMissing, SealedKey, Vault
from freehold.services.storage.errors import (
    FileInfected,
    FileKeyMissing,
    FileNotFound,
    FileUnscannable,
    ImageNotCleaned,
    PartsLost,
    ScannerUnreachable,
)
from freehold.services.storage.names import type_of
from freehold.services.storage.parts import checked

if TYPE_CHECKING:
    from freehold.web.application import Application

COMPRESSED_UP_TO = 20_000_000
CLEANED_UP_TO = 20_000_000
CLEANED: dict[str, Output] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/heic": "heic",
    "image/heif": "heic",
    "image/gif": "gif",
}
_HEAD_BYTES = 8192

_log = structlog.get_logger("freehold.storage")


class Stored(NamedTuple):
    """What is known of contents when they are in the store."""

    size: int
    md5: str
    mime_type: str
    stored_size: int
    compression: Compression
    frames: tuple[int, ...]
    key: SealedKey


class _Kept(NamedTuple):
    """How contents lie in the store: what `Stored` ends with."""

    stored_size: int
    compression: Compression
    frames: tuple[int, ...]
    key: SealedKey


class _Digest(NamedTuple):
    md5: str
    head: bytes


async def store_draft(
    app: Application,
    bucket: Record,
    place: str,
    *,
    name: str,
    size: int,
    checksums: Sequence[int | None] | None = None,
) -> Stored:
    """Let a draft be whole, as its bucket wants files kept. The draft stays.

    With checksums its parts are seen to be what they were. Raises PartsLost, FileInfected, FileUnscannable,
    ScannerUnreachable, ImageNotCleaned.
    """
    blobs, settings = app.blobs, app.settings
    scanner = settings.clamav if bucket["antivirus"] else ""
    digesting = asyncio.to_thread(_digest, blobs.draft(place), scanner, size, checksums)
    if not (scanner or bucket["strip_metadata"]):  # nobody has a say in what is kept: both at once
        keeping = asyncio.to_thread(_keep, blobs, settings, bucket, place, size)
        digest, kept = await _both(digesting, keeping)
        return Stored(size, digest.md5, type_of(digest.head, name), *kept)
    digest = await digesting
    mime_type = type_of(digest.head, name)
    cleaned: bytes | None = None
    if bucket["strip_metadata"] and mime_type in CLEANED:
        cleaned = await _cleaned(app, place, mime_type, size)
        size = len(cleaned)
        digest = _digest([cleaned], "", size)
    kept = await asyncio.to_thread(_keep, blobs, settings, bucket, place, size, cleaned)
    return Stored(size, digest.md5, mime_type, *kept)


async def _both(digesting: Awaitable[_Digest], keeping: Awaitable[_Kept]) -> tuple[_Digest, _Kept]:
    """What both give, when both have ended. Of two that fail the first says why."""
    digest, kept = await asyncio.gather(digesting, keeping, return_exceptions=True)
    if isinstance(digest, BaseException):
        raise digest
    if isinstance(kept, BaseException):
        raise kept
    return digest, kept


def _digest(
    parts: Iterable[bytes], scanner: str, size: int, checksums: Sequence[int | None] | None = None
) -> _Digest:
    scan = _begin_scan(scanner) if scanner else None
    try:
        md5 = hashlib.md5(usedforsecurity=False)
        head = b""
        missing = size
        for part in _read_ahead(parts if checksums is None else checked(parts, checksums)):
            md5.update(part)
            head += part[: _HEAD_BYTES - len(head)]
            missing -= len(part)
            if scan is not None:
                scan.take(part)
        if scan is not None:
            _judge(scan.verdict())
        if missing:
            raise PartsLost()
        return _Digest(md5.hexdigest(), head)
    except ScannerProblem as error:
        _log.warning("not_scanned", says=str(error))
        raise ScannerUnreachable() from error
    finally:
        if scan is not None:
            scan.close()


def _read_ahead(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same parts, of which one is read while that before it is worked on."""
    left = iter(parts)
    with ThreadPoolExecutor(1, "reader") as reader:
        coming = reader.submit(next, left, None)
        while (part := coming.result()) is not None:
            coming = reader.submit(next, left, None)
            yield part


def _begin_scan(scanner: str) -> Scan:
    try:
        return Scan(scanner)
    except ScannerProblem as error:
        _log.warning("not_scanned", says=str(error))
        raise ScannerUnreachable() from error


def _judge(verdict: Verdict) -> None:
    if verdict.too_large:
        raise FileUnscannable()
    if verdict.infected_with:
        _log.warning("infected", found=verdict.infected_with)
        raise FileInfected()


def _keep(
    blobs: Blobs, settings: Settings, bucket: Record, place: str, size: int, cleaned: bytes | None = None
) -> _Kept:
    def parts() -> Iterator[bytes]:
        return frames.in_frames(blobs.draft(place) if cleaned is None else [cleaned])

    compression: Compression = bucket["compression"] if size <= COMPRESSED_UP_TO else "none"
    squeezed: list[bytes] = []
    if compression != "none":
        squeezed = [frames.compress(each, compression) for each in parts()]
        if sum(map(len, squeezed)) >= size:  # as of photos, which are compressed already
            compression, squeezed = "none", []
    key, sealed = b"", SealedKey("", b"")
    if bucket["encryption"]:
        key, sealed = Vault(settings).new_key(place)
    layout = Layout(place, size, compression, key)
    going: Iterable[bytes] | None = squeezed or parts()
    if key:
        going = frames.encrypt(going, layout)  # type: ignore[arg-type]
    elif not squeezed and cleaned is None:
        going = None  # as it lies there already
    lengths: list[int] = []
    blobs.keep(place, _counted(going, lengths) if going is not None else None)
    if compression == "none":
        lengths = []
    layout = layout._replace(lengths=tuple(lengths))
    return _Kept(layout.stored_size(), compression, layout.lengths, sealed)


def _counted(parts: Iterable[bytes], lengths: list[int]) -> Iterator[bytes]:
    for part in parts:
        lengths.append(len(part))
        yield part


async def _cleaned(app: Application, place: str, mime_type: str, size: int) -> bytes:
    """An image without what is told in it of who took it, where, and with what. Raises ImageNotCleaned."""
    if size > CLEANED_UP_TO:
        raise ImageNotCleaned(most=CLEANED_UP_TO)
    with tempfile.TemporaryDirectory(dir=app.blobs.incoming) as folder:
        source, target = Path(folder, "image"), Path(folder, "cleaned")
        await asyncio.to_thread(_write, source, app.blobs.draft(place))
        try:
            await app.images.make(Order(str(source), str(target), CLEANED[mime_type], cleaned=True))
        except ImageError as error:
            raise ImageNotCleaned(most=CLEANED_UP_TO) from error
        return await asyncio.to_thread(target.read_bytes)


def _write(path: Path, parts: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(parts)


async def opened(app: Application, file: Record) -> Contents:
    """The contents of a file, to be read from anywhere. Raises FileNotFound, FileKeyMissing."""
    layout = _layout(app.settings, file)
    try:
        return Contents(await asyncio.to_thread(app.blobs.open, file["place"]), layout)
    except FileNotFoundError as error:  # deleted since we looked
        raise FileNotFound(id=file["id"]) from error


def _layout(settings: Settings, file: Record) -> Layout:
    key = b""
    if file["key_id"]:
        try:
            key = Vault(settings).open(SealedKey(file["key_id"], file["sealed_key"]), file["place"])
        except KeyMissing as error:
            _log.error("file_key_missing", key=error.key_id)
            raise FileKeyMissing(key=error.key_id) from error
    return Layout(file["place"], file["size"], file["compression"], key, tuple(file["frames"]))


@asynccontextmanager
async def as_path(app: Application, file: Record) -> AsyncIterator[Path]:
    """A file of this machine that holds the contents, for another process to read meanwhile."""
    path = app.blobs.path(file["place"])
    if path is not None and _layout(app.settings, file).is_plain:
        yield path
        return
    contents = await opened(app, file)
    copy = app.blobs.incoming / f"read.{secrets.token_hex(16)}"
    try:
        await asyncio.to_thread(_copy, contents, copy)
        yield copy
    finally:
        contents.close()
        await asyncio.to_thread(copy.unlink, missing_ok=True)


def _copy(contents: Contents, path: Path) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for part in iter(lambda: contents.read(frames.FRAME_BYTES), b""):
            file.write(part)


def agrees(contents: Contents, offset: int, source: Source) -> bool:
    """Whether a part of the contents is as this one. Blocks."""
    part = as_file(source)
    reader = io.BufferedReader(contents, frames.FRAME_BYTES)
    reader.seek(offset)
    while wanted := part.read(frames.FRAME_BYTES):
        if reader.read(len(wanted)) != wanted:
            return False
    return True
