"""Files that move from the disk to a bucket or back, while the platform reads them wherever they are.

Nothing is noted of how far it came: what is still where it was is what is left to do. So whoever is killed
goes on when told again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Literal

import msgspec

from freehold.config import Refusal, Settings
from freehold.db.pool import Database, Record
from freehold.providers.blobs import Blobs, StoreUnreachable
from freehold.providers.both_stores import BothStores
from freehold.providers.frames import Stored
from freehold.services.storage import store

Where = Literal["disk", "s3"]

_LOOKED_UP_AT_ONCE = 500
_COPIED_AT_ONCE = 1 << 20


class NotMoved(msgspec.Struct, frozen=True):
    """A file that stays where it is, and why."""

    place: str
    reason: str


class Moving(msgspec.Struct):
    """How far it came."""

    to: Where
    found: int = 0
    """How many lay where they are moved from, when it began."""
    moved: int = 0
    moved_bytes: int = 0
    unowned: int = 0
    """Of no file, such as what is left of one that was deleted: they are swept away within two days."""
    failed: list[NotMoved] = []
    done: bool = False


class _Unlike(Exception):
    """What lies there is not what should. The message says how."""


async def move(
    db: Database, settings: Settings, to: Where, *, at_once: int, report: Callable[[Moving], None]
) -> Moving:
    """Move the contents of all files. Tells every so often how far it came.

    What cannot be copied as it is stays, and is told of. Raises Refusal when a store cannot be reached, or
    the settings say that new files go to the other one.
    """
    _check(settings, to)
    stores = BothStores(settings)
    stores.prepare()
    source, target = (stores.disk, stores.s3) if to == "s3" else (stores.s3, stores.disk)
    progress = Moving(to)
    try:
        progress.found = await asyncio.to_thread(lambda: sum(1 for _ in source.places()))
        left = source.places()
        while places := await asyncio.to_thread(lambda: list(islice(left, _LOOKED_UP_AT_ONCE))):
            files = await store.of_places(db, places)
            progress.unowned += len(places) - len(files)
            waiting = iter(files)
            await asyncio.gather(
                *(_move_each(db, source, target, waiting, progress, report) for _ in range(at_once))
            )
    except StoreUnreachable as error:
        raise Refusal(f"The store of files cannot be reached ({error}). {_AGAIN}") from error
    except OSError as error:
        raise Refusal(f"The disk does not take or give a file ({error.strerror}). {_AGAIN}") from error
    progress.done = True
    report(progress)
    return progress


_AGAIN = "What was moved is moved; say the same command again to go on."


def _check(settings: Settings, to: Where) -> None:
    """Raises Refusal when the settings do not fit."""
    if not settings.s3_bucket:
        raise Refusal(
            "No bucket is named that files could be moved to or from. Set FREEHOLD_S3_BUCKET and the like for"
            " the platform and for this command, see docs/storage.md."
        )
    if to != (settings.storage or "s3"):
        raise Refusal(
            f"New files go to {'the disk' if to == 's3' else 'the bucket'}. Set FREEHOLD_STORAGE={to} for the"
            " platform and for this command, and restart the platform first."
        )


async def _move_each(
    db: Database,
    source: Blobs,
    target: Blobs,
    files: Iterator[Record],
    progress: Moving,
    report: Callable[[Moving], None],
) -> None:
    for file in files:
        place, size = file["place"], file["stored_size"]
        try:
            await asyncio.to_thread(_copy, source, target, place, size)
        except FileNotFoundError:
            continue  # it was deleted, or somebody else moved it
        except StoreUnreachable:
            if await store.is_kept(db, place):
                raise
            # It was deleted while it was read.
        except _Unlike as error:
            progress.failed.append(NotMoved(place, str(error)))
            continue
        if await store.is_kept(db, place):
            await asyncio.to_thread(source.drop_whole, place)
            progress.moved += 1
            progress.moved_bytes += size
        else:
            await asyncio.to_thread(target.drop_whole, place)
        report(progress)


def _copy(source: Blobs, target: Blobs, place: str, size: int) -> None:
    """Copy what lies at a place, and see that it arrived. Raises _Unlike, FileNotFoundError."""
    sent = hashlib.sha256()
    stored = source.open(place)
    try:
        target.keep(place, _hashed(_pieces(stored, size), sent))
    finally:
        stored.close()
    arrived = hashlib.sha256()
    there = target.open(place)
    try:
        for _ in _hashed(_pieces(there, size), arrived):
            pass
    except _Unlike:
        target.drop_whole(place)
        raise
    finally:
        there.close()
    if arrived.digest() != sent.digest():
        target.drop_whole(place)
        raise _Unlike("it arrived otherwise than it was sent")


def _pieces(stored: Stored, size: int) -> Iterator[bytes]:
    """All that is stored, which has to be of this size. Raises _Unlike."""
    at = 0
    while piece := stored.read(at, _COPIED_AT_ONCE):
        yield piece
        at += len(piece)
    if at != size:
        raise _Unlike(f"it has {at} bytes, and {size} are known of")


def _hashed(pieces: Iterator[bytes], into: hashlib._Hash) -> Iterator[bytes]:
    for piece in pieces:
        into.update(piece)
        yield piece
