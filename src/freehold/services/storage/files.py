"""Files as they are told of, and as they are sent: whole, or the range that was asked for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from http import HTTPStatus
from io import BytesIO
from typing import BinaryIO

from freehold.db.pool import Record
from freehold.providers.frames import FRAME_BYTES, Contents
from freehold.services.storage import contents as kept_contents
from freehold.services.storage import names
from freehold.services.storage.errors import RangeNotSatisfiable
from freehold.services.storage.models import File
from freehold.web.call import Call
from freehold.web.wire import Stream, wire_time

_READ_AT_ONCE = FRAME_BYTES
_RANGE = re.compile(r"bytes=(\d{0,40})-(\d{0,40})", re.IGNORECASE | re.ASCII)
SANDBOX = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox")
"""Whatever a file is, as a page of its own it can neither run scripts nor reach this origin."""
_HEADERS = [
    (b"cache-control", b"private, max-age=3888000"),
    (b"accept-ranges", b"bytes"),
    SANDBOX,
]


def as_file(row: Record) -> File:
    return File(
        id=row["id"],
        bucket_id=row["bucket_id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        permissions=row["permissions"],
        name=row["name"],
        folder=row["folder"],
        key=row["folder"] + row["name"],
        signature=row["md5"],
        mime_type=row["mime_type"],
        size_original=row["size"],
        size_actual=row["stored_size"] or (row["size"] if row["whole"] else 0),
        chunks_total=row["part_count"],
        chunks_uploaded=row["part_count"] if row["whole"] else len(row["parts"]),
        encryption=bool(row["key_id"]),
        compression=row["compression"],
    )


async def sent(call: Call, file: Record, *, inline: bool) -> Stream:
    """Send a file to be saved; with `inline` to be shown, if it is of a kind that does no harm there.
    Who has its contents already, by their `ETag`, is told so.

    Raises FileNotFound, FileKeyMissing, RangeNotSatisfiable.
    """
    size = file["size"]
    start, end = 0, size - 1
    tag = f'"{file["md5"]}"'
    headers = [*_HEADERS, (b"etag", tag.encode())]
    if _is_among(tag, call.request.header(b"if-none-match")):
        nothing = BytesIO()
        return Stream("", 0, read(nothing, 0, 0), nothing.close, headers, HTTPStatus.NOT_MODIFIED)
    asked = call.request.header(b"range")
    if asked and call.request.header(b"if-range") not in ("", tag):
        asked = ""  # the part that the client has is of other contents
    if asked:
        wanted = _range(asked, size)
        if wanted is None:
            call.headers.append((b"content-range", b"bytes */%d" % size))
            raise RangeNotSatisfiable(size=size)
        start, end = wanted
        headers.append((b"content-range", b"bytes %d-%d/%d" % (start, end, size)))
    shown = inline and names.is_safe_inline(file["mime_type"])
    headers.append(
        (b"content-disposition", names.disposition("inline" if shown else "attachment", file["name"]))
    )
    contents = await kept_contents.opened(call.app, file)
    is_text = file["mime_type"].startswith("text/")
    return Stream(
        content_type=file["mime_type"] + ("; charset=utf-8" if is_text else ""),
        size=end - start + 1,
        parts=read(contents, start, end - start + 1),
        close=contents.close,
        headers=headers,
        status=206 if asked else 200,
    )


def _is_among(tag: str, header: str) -> bool:
    """Whether an If-None-Match names the contents; proxies make weak tags of strong ones."""
    return header.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in header.split(","))


def _range(header: str, size: int) -> tuple[int, int] | None:
    """The first and the last byte of a range; None when it cannot be had."""
    match = _RANGE.fullmatch(header.replace(" ", ""))
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        start, end = max(0, size - int(match[2])), size - 1
    else:
        start, end = int(match[1]), min(int(match[2]), size - 1) if match[2] else size - 1
    return (start, end) if start <= end else None


async def read(contents: BinaryIO | Contents, start: int, length: int) -> AsyncIterator[bytes]:
    """So many bytes of contents, from some place on, piece by piece."""
    await asyncio.to_thread(contents.seek, start)
    while length > 0:
        part = await asyncio.to_thread(contents.read, min(length, _READ_AT_ONCE))
        if not part:
            raise EOFError("a file is shorter than what is known of it")
        length -= len(part)
        yield part
