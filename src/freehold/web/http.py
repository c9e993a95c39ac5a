"""HTTP as uvicorn serves it, with bounds for those who take their time to say what they want or never end."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from freehold import __version__

HEAD_S = 20.0
"""So long the first line and the headers of a request may take to come, a WebSocket's as well."""
MAX_HEAD_BYTES = 2 * 1024**2
"""So long they may be. Lists are asked for with queries in the URL, which may be long."""

_BODY = b'{"message":"%%s","code":%%d,"type":"general_bad_request","version":"%s"}' % __version__.encode()
_TOO_LATE = "408 Request Timeout", b"The headers did not come in time. Send them at once."
_TOO_LONG = (
    "431 Request Header Fields Too Large",
    b"The URL and the headers are longer than %d bytes. Ask for less." % MAX_HEAD_BYTES,
)


class Http(HttpToolsProtocol):
    """A connection that requests come on, one after the other."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _is_in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_S, self._too_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # Nearly always the head has come as a whole, and is no matter any more.
        if self._is_in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._hang_up(*_TOO_LONG)
            elif self._deadline is None:
                self._deadline = self.loop.call_later(HEAD_S, self._too_late)

    def on_message_begin(self) -> None:
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._head_bytes = 0
        self._forget_deadline()
        super().on_headers_complete()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        if self._head_bytes:
            self._hang_up(*_TOO_LATE)
        else:
            self.transport.close()

    def _hang_up(self, status: str, says: bytes) -> None:
        self.transport.write(refusal(status, says))
        self.transport.close()


def refusal(status: str, says: bytes) -> bytes:
    """The whole answer to a request that never became one."""
    body = _BODY % (says, int(status[:3]))
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: application/json; charset=UTF-8\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
