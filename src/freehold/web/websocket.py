"""WebSockets as uvicorn serves them, with a way past ASGI, which encodes each message for each socket."""

from __future__ import annotations

from typing import Any, Protocol

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

from freehold.web.http import refusal

WIRE = "freehold.wire"
"""The extension of a WebSocket's scope that is its `Wire`."""

MAX_WAITING_BYTES = 8 * 1024**2
"""What may wait to be sent to a client that reads slower than it is told."""
MAX_FRAGMENTS = 1024
"""In so many frames a message may come."""
MAX_CONTROLS = 128
CONTROLS_S = 60.0

_UNREADABLE = (
    "431 Request Header Fields Too Large",
    b"This cannot become a WebSocket: it has more than 128 headers, a body, or a URL or header of more than"
    b" 8,190 bytes. Subscribe by messages, which may be longer.",
)


class Wire(Protocol):
    """Where the frames of a WebSocket go that was accepted."""

    def write(self, frames: bytes) -> int:
        """Send frames that are encoded already. Gives how many bytes wait for the other end to take them."""

    @property
    def waiting(self) -> int:
        """How many bytes wait for the other end to take them."""

    async def taken(self) -> None:
        """Wait until the other end has taken what waits, or is gone."""

    def abort(self) -> None:
        """Close, whatever waits."""


class WebSocket(WebSocketsSansIOProtocol):
    """A WebSocket that is its own `Wire`."""

    _controls = 0
    """Pings and pongs that have come lately."""
    _counted_since = 0.0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # The first data are all of the head. What websockets does not take of it, uvicorn leaves unanswered.
        if not self.handshake_initiated:
            self.transport.write(refusal(*_UNREADABLE))
            self.transport.close()

    async def run_asgi(self) -> None:
        """Let the application serve it."""
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[WIRE] = self
        await super().run_asgi()

    def write(self, frames: bytes) -> int:
        if self.close_sent or self.transport.is_closing():
            return 0
        self.transport.write(frames)
        return self.waiting

    @property
    def waiting(self) -> int:
        size: int = self.transport.get_write_buffer_size()
        return size

    async def taken(self) -> None:
        await self.writable.wait()

    def abort(self) -> None:
        self.transport.abort()

    def handle_ping(self) -> None:
        """Answer, unless it is one of too many."""
        if self._bears_one_more():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Take it for what it is, unless it is one of too many: nobody has to ask for one."""
        if self._bears_one_more():
            super().handle_pong(event)

    def _bears_one_more(self) -> bool:
        now = self.loop.time()
        if now - self._counted_since > CONTROLS_S:
            self._counted_since, self._controls = now, 0
        self._controls += 1
        if self._controls > MAX_CONTROLS:
            says = f"At most {MAX_CONTROLS} pings and pongs a minute can be sent on a socket."
            self._refuse(CloseCode.POLICY_VIOLATION, says)
        return not self.close_sent

    def handle_cont(self, event: Frame) -> None:
        """Take one more part of a message, unless it has too many: each takes memory, and be it empty."""
        if len(self.frames) >= MAX_FRAGMENTS:
            self._refuse(CloseCode.MESSAGE_TOO_BIG, f"A message comes in at most {MAX_FRAGMENTS} frames.")
        if not self.close_sent:
            super().handle_cont(event)

    def _refuse(self, code: CloseCode, reason: str) -> None:
        """Close for what the other end does. What else it sends is not looked at."""
        if self.close_sent:
            return
        self.conn.fail(code, reason)
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        # Closed with input unread, the connection would be reset before the other end is told why.
        self.transport.write_eof()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
