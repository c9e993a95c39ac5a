"""An HTTP request as it arrives: headers, cookies, query and body, each decoded only when asked for."""

from __future__ import annotations

import re
import shutil
from collections.abc import Awaitable, Callable, MutableMapping
from copy import copy
from mmap import mmap
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import msgspec

from freehold.errors import BodyTooLarge, InvalidBody, InvalidParameter
from freehold.web.hosts import unmapped
from freehold.web.multipart import Form, Room, Upload

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Params = dict[str, Any]

MAX_PARAMETERS = 1000

_KEYED = re.compile(r"([^\[\]]+)\[([^\[\]]*)\]")


class ClientGone(Exception):
    """The client hung up before it had sent its request."""


async def until_gone(receive: Receive) -> None:
    """Wait until the client hangs up. Ask when all of the body has come."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Request:
    """One request. Header names are lower case; a header that came twice holds its last value."""

    __slots__ = (
        "_form",
        "_memory",
        "_raw_query",
        "_room",
        "_spool",
        "body",
        "client",
        "headers",
        "id",
        "method",
        "path",
        "received",
        "scheme",
        "uploads",
    )

    def __init__(self, scope: MutableMapping[str, Any], request_id: str) -> None:
        self.id = request_id
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.scheme: str = scope.get("scheme", "http")
        self.client: str = unmapped(scope["client"][0]) if scope.get("client") else ""
        self._raw_query: bytes = scope["query_string"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.body = b""
        self.received = 0
        """Bytes of the body that have come."""
        self._form: Params | None = None
        self.uploads: list[Upload] = []
        self._spool: Path | None = None
        """Where files of the body lie that found no room in memory."""
        self._room: Room | None = None
        self._memory: mmap | None = None
        """Where they lie otherwise, and the room that it is of."""

    def within(self, method: str) -> Request:
        """A request as part of this one: by the same caller, with nothing said yet."""
        part = copy(self)
        part.method = method
        part.body = b""
        part._raw_query = b""
        return part

    def header(self, name: bytes) -> str:
        """A header's value, or ``""``."""
        value = self.headers.get(name)
        return value.decode("latin-1") if value is not None else ""

    async def read(self, receive: Receive, limit: int) -> None:
        """Read the body. Raises BodyTooLarge past `limit` bytes, ClientGone when the client hangs up."""
        self._check_announced(limit)
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone()
        self.body = message.get("body", b"")
        if message.get("more_body"):
            parts = [self.body]
            size = len(self.body)
            while message.get("more_body"):
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone()
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limit:
                    raise BodyTooLarge(limit=limit)
            self.body = b"".join(parts)
        self.received = len(self.body)
        if self.received > limit:
            raise BodyTooLarge(limit=limit)

    def _check_announced(self, limit: int) -> None:
        announced = self.headers.get(b"content-length")
        if announced is not None and announced.isdigit() and int(announced) > limit:
            raise BodyTooLarge(limit=limit)

    async def read_files(self, receive: Receive, limit: int, directory: Path, room: Room) -> None:
        """Read the body; files of a multipart form go to the directory as they come, if there is no room."""
        if self._content_type() != "multipart/form-data":
            await self.read(receive, limit)
            return
        self._check_announced(limit)
        collected = _Collected()
        size = 0
        announced = self.headers.get(b"content-length", b"")
        if announced.isdigit():
            self._memory = room.take(int(announced))
        if self._memory is not None:
            self._room = room
        else:
            self._spool = directory / f"body.{self.id}"
            self._spool.mkdir(mode=0o700)

        def tell(name: str, value: str | Upload) -> None:
            if isinstance(value, Upload):
                self.uploads.append(value)
            collected.add(name, value)

        try:
            form = Form(self._form_type(), tell, memory=self._memory, directory=self._spool)
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone()
                part = message.get("body", b"")
                more = message.get("more_body", False)
                size += len(part)
                self.received = size
                if size > limit:
                    raise BodyTooLarge(limit=limit)
                form.write(part)
        except ValueError as error:
            raise InvalidBody(reason="the multipart form is not well formed.") from error
        self._form = collected.result()

    def close(self) -> None:
        """Let go of what was uploaded, be it half a file."""
        for upload in self.uploads:
            if not isinstance(upload.file, memoryview):
                upload.file.close()
        if self._spool is not None:
            shutil.rmtree(self._spool, ignore_errors=True)
        if self._room is not None and self._memory is not None:
            self._room.give_back(self._memory)
            self._room = self._memory = None

    def cookies(self) -> dict[str, str]:
        """All cookies; of two with one name the first, which belongs to the nearer path.

        Other programs on the host set cookies too, in any spelling: each is read by itself, so that none of
        them hides ours, as one would from Python's own reader.
        """
        found: dict[str, str] = {}
        for pair in self.header(b"cookie").split(";"):
            name, equals, value = pair.partition("=")
            if equals:
                found.setdefault(name.strip(), value.strip().strip('"'))
        return found

    @property
    def raw_query(self) -> str:
        """The query string as it came."""
        return self._raw_query.decode("latin-1")

    def query(self) -> Params:
        """The query string, with `a[0]=x&a[1]=y` and `a[]=x` as lists and `a[k]=x` as an object."""
        return _parse_pairs(self._raw_query.decode("latin-1"))

    def query_value(self, name: str) -> str:
        """One parameter of the query string, or ``""``."""
        if not self._raw_query:
            return ""
        value = self.query().get(name, "")
        return value if isinstance(value, str) else ""

    def form(self) -> Params | None:
        """The body of a form, or None when the body is JSON or there is none."""
        if self._form is not None:
            return self._form
        content_type = self._content_type()
        if content_type == "application/x-www-form-urlencoded":
            return _parse_pairs(self.body.decode("utf-8", "replace"))
        if content_type == "multipart/form-data":
            return self._multipart()
        return None

    def _content_type(self) -> str:
        return self.header(b"content-type").partition(";")[0].strip().lower()

    def _form_type(self) -> bytes:
        return self.headers.get(b"content-type", b"")

    def _multipart(self) -> Params:
        collected = _Collected()
        try:
            Form(self._form_type(), collected.add).write(self.body)
        except ValueError as error:
            raise InvalidBody(reason="the multipart form is not well formed.") from error
        return collected.result()


class _Collected:
    """Name and value pairs on their way to becoming parameters."""

    def __init__(self) -> None:
        self._plain: Params = {}
        self._keyed: dict[str, dict[str, Any]] = {}
        self._count = 0

    def add(self, name: str, value: Any) -> None:
        self._count += 1
        if self._count > MAX_PARAMETERS:
            raise InvalidParameter(name=name, reason=f"More than {MAX_PARAMETERS} parameters were sent.")
        match = _KEYED.fullmatch(name) if "[" in name else None
        if match is None:
            self._plain[name] = value
        else:
            entries = self._keyed.setdefault(match[1], {})
            entries[match[2] or str(len(entries))] = value

    def result(self) -> Params:
        for name, entries in self._keyed.items():
            is_list = all(key.isdecimal() for key in entries)
            self._plain[name] = list(entries.values()) if is_list else entries
        return self._plain


def _parse_pairs(text: str) -> Params:
    if not text:
        return {}
    collected = _Collected()
    for pair in text.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            collected.add(_unquoted(name), _unquoted(value))
    return collected.result()


def _unquoted(text: str) -> str:
    text = text.replace("+", " ")
    if "%" not in text:
        return text
    # As `unquote` does it, which first looks for the stretches of ASCII: mostly there is but one.
    return unquote_to_bytes(text).decode("utf-8", "replace") if text.isascii() else unquote(text)


def decode_json(body: bytes) -> Any:
    """Decode a JSON body. Raises InvalidBody."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidBody(reason=f"it is not valid JSON ({error}).") from error
    except RecursionError as error:
        raise InvalidBody(reason="it is nested too deeply.") from error
