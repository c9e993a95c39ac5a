"""HTTP as uvicorn serves it, with bounds for those who take their time to say what they want or never end."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from freehold import __version__

HEAD_S = 20.0
"""So long the first line and the headers of a request may take to come, a WebSocket's as well."""
MAX_HEAD_BYTES = 2 * 1024**2
"""So long they may be. Lists are asked for with queries in the URL, which may be long."""
BODY_BYTES_A_SECOND = 240
"""So fast a body has to come at least, over `FREEHOLD_BODY_TIMEOUT_S` each."""

LINGER_S = 2.0
"""So long somebody who was hung up on may take to read why."""

_BODY = b'{"message":"%%s","code":%%d,"type":"general_bad_request","version":"%s"}' % __version__.encode()
_TOO_LATE = "408 Request Timeout", b"The headers did not come in time. Send them at once."
_TOO_SLOW = (
    "408 Request Timeout",
    b"The body came at less than %d bytes a second. Send it again when the network is better."
    % BODY_BYTES_A_SECOND,
)
_TOO_LONG = (
    "431 Request Header Fields Too Large",
    b"The URL and the headers are longer than %d bytes. Ask for less." % MAX_HEAD_BYTES,
)


class Http(HttpToolsProtocol):
    """A connection that requests come on, one after the other."""

    body_s = 60.0
    """How long a body is watched before its rate is looked at, again and again."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _is_in_head = True
    _body_bytes = 0
    """Those that came while it was watched."""
    _is_in_body = False
    _is_hung_up = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_S, self._too_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_hung_up:
            return
        super().data_received(data)
        # Nearly always the request has come as a whole, and is no matter any more.
        if self.transport.is_closing():
            return
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._hang_up(*_TOO_LONG)
            elif self._deadline is None:
                self._deadline = self.loop.call_later(HEAD_S, self._too_late)
        elif self._is_in_body:
            self._body_bytes += len(data)
            if self._deadline is None:
                self._deadline = self.loop.call_later(self.body_s, self._look_at_the_rate)

    def on_message_begin(self) -> None:
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head, self._is_in_body = False, True
        self._head_bytes = self._body_bytes = 0
        self._forget_deadline()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_body = False
        self._forget_deadline()
        super().on_message_complete()

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

    def _look_at_the_rate(self) -> None:
        self._deadline = None
        # When we do not read, for what came has not been worked on yet, it is not for the client to hurry.
        if self.flow.read_paused or self._body_bytes >= self.body_s * BODY_BYTES_A_SECOND:
            self._body_bytes = 0
            self._deadline = self.loop.call_later(self.body_s, self._look_at_the_rate)
        else:
            self._hang_up(*_TOO_SLOW)

    def _hang_up(self, status: str, says: bytes) -> None:
        cycle = self.cycle
        if cycle is not None and cycle.response_started and (self._is_in_body or not cycle.response_complete):
            self.transport.close()  # it has its answer, or a part of it
            return
        self._is_hung_up = True
        self._forget_deadline()
        self.transport.write(refusal(status, says))
        # Closed with input unread, the connection would be reset before the other end is told why.
        self.transport.write_eof()
        self._deadline = self.loop.call_later(LINGER_S, self.transport.close)
        if cycle is not None:
            cycle.disconnected = True
            cycle.message_event.set()


def patient(body_s: float) -> type[Http]:
    """Such connections, whose bodies are watched for so many seconds before their rate is looked at."""

    class Patient(Http):
        pass

    Patient.body_s = body_s
    return Patient


def refusal(status: str, says: bytes) -> bytes:
    """The whole answer to a request that never became one."""
    body = _BODY % (says, int(status[:3]))
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: application/json; charset=UTF-8\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
