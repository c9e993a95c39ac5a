"""Uploads: parts that come in any order, some of them twice, until the file is whole."""

from __future__ import annotations

import asyncio
import re
from typing import NamedTuple

import asyncpg
import msgspec

from freehold import events, ids
from freehold.db.pool import Queries, Record
from freehold.errors import ResourceLocked, Unavailable, UserUnauthorized
from freehold.ids import UNIQUE
from freehold.providers.blobs import Source, new_place
from freehold.services.storage import store
from freehold.services.storage.access import bucket_of, checked_permissions, may
from freehold.services.storage.contents import agrees, opened, store_draft
from freehold.services.storage.errors import (
    BucketNotFound,
    FileAlreadyExists,
    FileInfected,
    FileTooLarge,
    FileUnscannable,
    ImageNotCleaned,
    InvalidContentRange,
    InvalidUploadId,
    PartsLost,
)
from freehold.services.storage.files import as_file
from freehold.services.storage.models import CreateFile
from freehold.services.storage.names import checked_folder, checked_name, must_be_allowed
from freehold.services.storage.parts import PART_BYTES, checksum
from freehold.web.call import Call

_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")
_is_id = re.compile(ids.ID_PATTERN).match


class _Begun(NamedTuple):
    """A file of which nothing has come yet, if it is not there already."""

    file_id: str
    name: str
    folder: str
    permissions: list[str]
    place: str


class Part(NamedTuple):
    """A part of a file."""

    number: int
    """Counted from 1."""
    of: int
    """How many parts there are."""
    offset: int
    size: int
    """Of the whole file."""
    is_alone: bool
    """The file is sent in one request, without a Content-Range."""


async def receive(call: Call, bucket_id: str, body: CreateFile) -> Record:
    """Take a part of a file, or all of it. Gives the file as it is now."""
    bucket = await bucket_of(call, bucket_id)
    if not may(call, bucket, "create"):
        raise UserUnauthorized()
    part = _read_part(call.request.header(b"content-range"), body.file.size)
    name = checked_name(body.file.name, parameter="file")
    must_be_allowed(name, bucket["allowed_extensions"])
    if part.size > bucket["maximum_file_size"]:
        raise FileTooLarge(size=part.size, limit=bucket["maximum_file_size"])
    granted = checked_permissions(call, body.permissions)
    folder = checked_folder(body.folder)
    file_id = _file_id(call, body, part)
    begun = _Begun(file_id, name, folder, granted, new_place(bucket["folder"]))
    try:
        async with call.app.db.transaction() as db:
            file = await _hold(call, db, bucket, body, part, begun)
            file = await _take(call, db, file, part, body)
            if part.of == 1 and not file["whole"]:
                file = await _finish(call, db, bucket, file)
    except asyncpg.ForeignKeyViolationError as error:
        raise BucketNotFound(id=bucket_id) from error  # it was deleted meanwhile
    except BaseException:
        await _forget(call, begun.place)
        raise
    if not file["whole"] and len(file["parts"]) == file["part_count"]:
        file = await _finish_together(call, bucket, file["place"])
    if file["whole"]:
        await asyncio.to_thread(call.app.blobs.drop_draft, file["place"])
    return file


async def _hold(
    call: Call, db: Queries, bucket: Record, body: CreateFile, part: Part, begun: _Begun
) -> Record:
    """The file that a part is of, begun by its first part. Raises InvalidUploadId."""
    # Two in one turn: it was there, and is gone when we look, for an upload that died is collected.
    for _ in range(2):
        if part.number == 1 or part.is_alone or body.file_id != UNIQUE:
            await store.begin_file(
                db,
                call.project.id,
                bucket["id"],
                begun.file_id,
                name=begun.name,
                folder=begun.folder,
                permissions=begun.permissions,
                size=part.size,
                part_count=part.of,
                uploader=_uploader(call),
                place=begun.place,
            )
        file = await store.hold_part(db, call.project.id, bucket["id"], begun.file_id, part.number)
        if file is not None:
            return file
    raise InvalidUploadId()


async def _forget(call: Call, place: str) -> None:
    """Forget what came of a file that is not to be, unless it has become one after all."""
    try:
        await store.delete_unfinished(call.app.db, place)
        is_kept = await store.is_kept(call.app.db, place)
    except Unavailable:
        return  # what nothing refers to is swept away another day
    if not is_kept:
        await asyncio.to_thread(call.app.blobs.delete, place)


async def _take(call: Call, db: Queries, file: Record, part: Part, body: CreateFile) -> Record:
    is_same = file["sent_size"] == part.size and file["part_count"] == part.of
    if file["uploader"] != _uploader(call) or not is_same:
        raise FileAlreadyExists(id=file["id"])
    if file["whole"]:
        if part.is_alone or not await _agrees(call, file, part, body.file.file):
            raise FileAlreadyExists(id=file["id"])
        call.was_done_before = True
        return file
    noted = await store.add_part(db, file["place"], part.number, await _written(call, file, part, body))
    if noted is None:  # its bucket was deleted meanwhile, or it was collected
        raise ResourceLocked()
    return noted


async def _written(call: Call, file: Record, part: Part, body: CreateFile) -> int:
    """Put a part into the draft. Gives its checksum."""

    def write() -> int:
        call.app.blobs.write(file["place"], part.offset, body.file.file)
        return checksum(body.file.file)

    return await asyncio.to_thread(write)


async def _finish_together(call: Call, bucket: Record, place: str) -> Record:
    """Let the file be whole, of which all parts have come. Of several that see so one does it."""
    try:
        async with call.app.db.transaction() as db:
            file = await store.hold_file(db, place)
            if file is None:
                raise ResourceLocked()
            # Another upload under its id may have begun meanwhile, with which these parts do not count.
            if file["whole"] or len(file["parts"]) < file["part_count"]:
                return file
            return await _finish(call, db, bucket, file)
    except (FileInfected, FileUnscannable, ImageNotCleaned, PartsLost):
        await _forget(call, place)
        raise


async def _finish(call: Call, db: Queries, bucket: Record, file: Record) -> Record:
    stored = await store_draft(
        call.app,
        bucket,
        file["place"],
        name=file["name"],
        size=file["size"],
        checksums=file["part_checksums"],
    )
    file = await store.finish_file(db, file["place"], stored)
    await record(call, db, file, "create")
    return file


async def _agrees(call: Call, file: Record, part: Part, sent: Source) -> bool:
    """Whether a part of a whole file is as this one. Of images that were cleaned nobody can say any more."""
    if file["size"] != file["sent_size"]:
        return True
    contents = await opened(call.app, file)
    try:
        return await asyncio.to_thread(agrees, contents, part.offset, sent)
    finally:
        contents.close()


async def record(call: Call, db: Queries, file: Record, action: str) -> None:
    """Write down what has happened to a file."""
    name = f"buckets.{file['bucket_id']}.files.{file['id']}.{action}"
    payload = msgspec.json.encode(as_file(file))
    await events.record(db, events.Event(call.project.id, name, payload, call.cause))


def _read_part(content_range: str, sent: int) -> Part:
    """What part of the file has come. Raises InvalidContentRange."""
    if not content_range:
        return Part(1, 1, 0, sent, True)
    match = _CONTENT_RANGE.fullmatch(content_range.strip())
    if match is None:
        raise InvalidContentRange(reason="it is written as `bytes 0-5242879/20000000`.")
    start, end, size = (int(each) for each in match.groups())
    if not start <= end < size or end - start + 1 != sent:
        raise InvalidContentRange(reason=f"it does not fit the {sent} bytes that were sent.")
    if start % PART_BYTES or end != min(start + PART_BYTES, size) - 1:
        raise InvalidContentRange(reason=f"parts have {PART_BYTES} bytes each, but for the last.")
    return Part(start // PART_BYTES + 1, -(-size // PART_BYTES), start, size, False)


def _file_id(call: Call, body: CreateFile, part: Part) -> str:
    """The file that a part is of: the one named in the header, else the one of the form."""
    named = call.request.header(b"x-appwrite-id")
    if named in ("", UNIQUE):
        if part.number > 1 and body.file_id == UNIQUE:
            raise InvalidUploadId()
        return ids.resolve(body.file_id)
    if not _is_id(named) or body.file_id not in (UNIQUE, named):
        raise InvalidUploadId()
    return named


def _uploader(call: Call) -> str:
    """Who may go on with an upload: whoever began it. Guests are told apart by where they are."""
    return f"guest:{call.ip}" if call.identity.kind == "guest" else call.identity.actor
