"""A request and the answer that it is getting: the headers of every answer, and how its body is sent."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

import msgspec

from freehold import __version__
from freehold.errors import Problem
from freehold.web.endpoint import Endpoint
from freehold.web.projects import Project
from freehold.web.request import Receive, Request
from freehold.web.wire import Stream

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_GZIP_FROM_BYTES = 1024

_FIXED_HEADERS: Headers = [
    (b"server", b"Freehold"),
    (b"x-content-type-options", b"nosniff"),
]
_BASE_HEADERS: Headers = [*_FIXED_HEADERS, (b"content-security-policy", b"frame-ancestors 'none'")]
_NOT_KEPT = b"private, no-store"
_ONLY_HTTPS = (b"strict-transport-security", b"max-age=31536000")
"""Browsers that came over HTTPS come over nothing else for a year. Other hosts of the domain are not ours."""
_JSON = (b"content-type", b"application/json; charset=UTF-8")
_NOTHING = (b"content-type", b"text/plain; charset=UTF-8")

_encode = msgspec.json.Encoder().encode


class Exchange:
    """A request and the answer that it is getting."""

    __slots__ = (
        "_cors",
        "_kept",
        "body",
        "content_type",
        "endpoint",
        "headers",
        "own_headers",
        "project",
        "request",
        "sent",
        "status",
        "stream",
    )

    def __init__(self, request: Request, *, is_https: bool) -> None:
        self.request = request
        self.own_headers: Headers = [(b"x-request-id", request.id.encode())]
        """Of every answer to the request."""
        if is_https:
            self.own_headers.append(_ONLY_HTTPS)
        self.status = 500
        self.body = b""
        self.sent = 0
        """Bytes of the answer's body."""
        self.content_type = _JSON
        self.headers: Headers = []
        self._cors: Headers = []
        self._kept = _NOT_KEPT
        self.endpoint: Endpoint | None = None
        self.project: Project | None = None
        self.stream: Stream | None = None

    def cors(self, origin: str) -> None:
        """Let this origin's pages read the answer."""
        self._cors = [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", b"X-Appwrite-Session, X-Fallback-Cookies"),
            (b"vary", b"Origin"),
        ]

    def no_cors(self) -> None:
        """Keep the answer from the page that asks."""
        self._cors = []

    def publish(self, seconds: int) -> None:
        """Let pages of every origin read the answer, and everybody keep it for a while."""
        self._cors = [(b"access-control-allow-origin", b"*")]
        self._kept = b"public, max-age=%d" % seconds

    def fail(self, problem: Problem) -> None:
        """Answer with an error."""
        self.status = problem.status
        self._kept = _NOT_KEPT
        self.body = _encode(
            {"message": problem.message, "code": problem.status, "type": problem.type, "version": __version__}
        )

    def page(self, content_type: str, body: bytes) -> None:
        """Answer with something that is not of the API, such as the reference page."""
        self.status = 200
        self.content_type = (b"content-type", content_type.encode())
        self.body = body
        if content_type.startswith("text/html"):
            self.headers += (
                (b"x-frame-options", b"DENY"),
                (b"referrer-policy", b"no-referrer"),
                (b"cross-origin-opener-policy", b"same-origin"),
            )

    async def send(self, send: Send) -> None:
        body = self.body
        kept = (b"cache-control", self._kept)
        headers = [*_BASE_HEADERS, kept, *self.own_headers, *self._cors, *self.headers]
        # SDKs look at the type even of an empty answer, and read it as JSON when it says so.
        headers.append(self.content_type if body else _NOTHING)
        if len(body) > _GZIP_FROM_BYTES and b"gzip" in self.request.headers.get(b"accept-encoding", b""):
            body = gzip.compress(body, 1, mtime=0)
            headers += ((b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding"))
        headers.append((b"content-length", b"%d" % len(body)))
        self.sent = len(body)
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if self.request.method == "HEAD" else body})

    async def send_stream(self, send: Send, receive: Receive, stream: Stream) -> None:
        """Send what is read elsewhere, for as long as somebody takes it."""
        self.status = stream.status
        headers = [
            *_FIXED_HEADERS,
            *self.own_headers,
            *self._cors,
            *self.headers,
            *stream.headers,
        ]
        if stream.status != HTTPStatus.NOT_MODIFIED:  # which has no body that these could tell of
            headers.append((b"content-type", stream.content_type.encode("latin-1")))
            headers.append((b"content-length", b"%d" % stream.size))
        gone = asyncio.ensure_future(receive())  # all that can still come is that the client hangs up
        try:
            await send({"type": "http.response.start", "status": stream.status, "headers": headers})
            if self.request.method != "HEAD":
                async for part in stream.parts:
                    if gone.done():
                        return
                    await send({"type": "http.response.body", "body": part, "more_body": True})
                    self.sent += len(part)
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            stream.close()
