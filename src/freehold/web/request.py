"""An HTTP request as it arrives: headers, cookies, query and body, each decoded only when asked for."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote_plus

import msgspec
import python_multipart
from python_multipart.exceptions import FormParserError

from freehold.errors import BodyTooLarge, InvalidBody, InvalidParameter

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Params = dict[str, Any]

MAX_PARAMETERS = 1000

_KEYED = re.compile(r"([^\[\]]+)\[([^\[\]]*)\]")


class ClientGone(Exception):
    """The client hung up before it had sent its request."""


class Request:
    """One request. Header names are lower case; a header that came twice holds its last value."""

    __slots__ = ("_raw_query", "body", "client", "headers", "id", "method", "path", "scheme")

    def __init__(self, scope: MutableMapping[str, Any], request_id: str) -> None:
        self.id = request_id
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.scheme: str = scope.get("scheme", "http")
        self.client: str = scope["client"][0] if scope.get("client") else ""
        self._raw_query: bytes = scope["query_string"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.body = b""

    def header(self, name: bytes) -> str:
        """A header's value, or ``""``."""
        value = self.headers.get(name)
        return value.decode("latin-1") if value is not None else ""

    async def read(self, receive: Receive, limit: int) -> None:
        """Read the body. Raises BodyTooLarge past `limit` bytes, ClientGone when the client hangs up."""
        announced = self.headers.get(b"content-length")
        if announced is not None and announced.isdigit() and int(announced) > limit:
            raise BodyTooLarge(limit=limit)
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
        if len(self.body) > limit:
            raise BodyTooLarge(limit=limit)

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
        content_type = self.header(b"content-type").partition(";")[0].strip().lower()
        if content_type == "application/x-www-form-urlencoded":
            return _parse_pairs(self.body.decode("utf-8", "replace"))
        if content_type == "multipart/form-data":
            return self._multipart()
        return None

    def _multipart(self) -> Params:
        collected = _Collected()

        def on_field(field: python_multipart.multipart.Field) -> None:
            name = (field.field_name or b"").decode("utf-8", "replace")
            collected.add(name, (field.value or b"").decode("utf-8", "replace"))

        headers = {"Content-Type": self.headers.get(b"content-type", b"")}
        try:
            parser = python_multipart.create_form_parser(headers, on_field, None)
            parser.write(self.body)
            parser.finalize()
        except (FormParserError, ValueError) as error:
            raise InvalidBody(reason="the multipart form is not well formed.") from error
        return collected.result()


class _Collected:
    """Name and value pairs on their way to becoming parameters."""

    def __init__(self) -> None:
        self._plain: Params = {}
        self._keyed: dict[str, dict[str, str]] = {}
        self._count = 0

    def add(self, name: str, value: str) -> None:
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
            collected.add(unquote_plus(name), unquote_plus(value))
    return collected.result()


def decode_json(body: bytes) -> Any:
    """Decode a JSON body. Raises InvalidBody."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidBody(reason=f"it is not valid JSON ({error}).") from error
    except RecursionError as error:
        raise InvalidBody(reason="it is nested too deeply.") from error
