"""Uploads: parts that come in any order, some of them twice, until the file is whole."""

from __future__ import annotations

import asyncio
import re
from typing import NamedTuple

import msgspec

from freehold import events, ids
from freehold.db.pool import Queries, Record
from freehold.errors import UserUnauthorized
from freehold.ids import UNIQUE
from freehold.providers.blobs import new_place
from freehold.services.storage import store
from freehold.services.storage.access import bucket_of, checked_permissions, may
from freehold.services.storage.errors import (
    FileAlreadyExists,
    FileTooLarge,
    InvalidContentRange,
    InvalidUploadId,
)
from freehold.services.storage.files import as_file
from freehold.services.storage.models import CreateFile
from freehold.services.storage.names import checked_folder, checked_name, must_be_allowed, type_of
from freehold.web.call import Call

PART_BYTES = 5 * 1024 * 1024
"""What SDKs cut files into."""

_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")
_is_id = re.compile(ids.ID_PATTERN).match


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
    async with call.app.db.transaction() as db:
        # Two in one turn: it was there, and is gone when we look, for an upload that died is collected.
        for _ in range(2):
            if part.number == 1 or part.is_alone or body.file_id != UNIQUE:
                await store.begin_file(
                    db,
                    call.project.id,
                    bucket_id,
                    file_id,
                    name=name,
                    folder=folder,
                    permissions=granted,
                    size=part.size,
                    part_count=part.of,
                    uploader=_uploader(call),
                    place=new_place(bucket["folder"]),
                )
            file = await store.lock_file(db, call.project.id, bucket_id, file_id)
            if file is not None:
                break
        else:
            raise InvalidUploadId()
        return await _take(call, db, file, part, body)


async def _take(call: Call, db: Queries, file: Record, part: Part, body: CreateFile) -> Record:
    blobs = call.app.blobs
    is_same = file["size"] == part.size and file["part_count"] == part.of
    if file["uploader"] != _uploader(call) or not is_same:
        raise FileAlreadyExists(id=file["id"])
    if part.number in file["parts"]:
        if file["whole"] and part.is_alone:
            raise FileAlreadyExists(id=file["id"])
        agrees = await asyncio.to_thread(blobs.agrees, file["place"], part.offset, body.file.file)
        if file["whole"] and not agrees:
            raise FileAlreadyExists(id=file["id"])
        if agrees:
            return file
    await asyncio.to_thread(blobs.write, file["place"], part.offset, body.file.file)
    file = await store.add_part(db, file["place"], part.number)
    if len(file["parts"]) < file["part_count"]:
        return file
    digest = await asyncio.to_thread(blobs.finish, file["place"])
    file = await store.finish_file(
        db,
        file["place"],
        size=digest.size,
        md5=digest.md5,
        mime_type=type_of(digest.head, file["name"]),
    )
    await record(call, db, file, "create")
    return file


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
