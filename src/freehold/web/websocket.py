"""WebSockets as uvicorn serves them, with a way past ASGI, which encodes each message for each socket."""

from __future__ import annotations

from typing import Any, Protocol

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

WIRE = "freehold.wire"
"""The extension of a WebSocket's scope that is its `Wire`."""

MAX_WAITING_BYTES = 8 * 1024**2
"""What may wait to be sent to a client that reads slower than it is told."""


class Wire(Protocol):
    """Where the frames of a WebSocket go that was accepted."""

    def write(self, frames: bytes) -> int:
        """Send frames that are encoded already. Gives how many bytes wait for the other end to take them."""

    def abort(self) -> None:
        """Close, whatever waits."""


class WebSocket(WebSocketsSansIOProtocol):
    """A WebSocket that is its own `Wire`."""

    async def run_asgi(self) -> None:
        """Let the application serve it."""
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[WIRE] = self
        await super().run_asgi()

    def write(self, frames: bytes) -> int:
        if self.close_sent or self.transport.is_closing():
            return 0
        self.transport.write(frames)
        return self.transport.get_write_buffer_size()

    def abort(self) -> None:
        self.transport.abort()

    def handle_ping(self) -> None:
        """Answer, unless the other end asks without taking the answers: these would pile up here."""
        super().handle_ping()
        if self.transport.get_write_buffer_size() > MAX_WAITING_BYTES:
            self.abort()
