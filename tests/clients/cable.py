"""The network between a browser and the platform, which a test may pull."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Cable:
    """Leads from a port of its own to that of the platform, until it is pulled."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self._to = port
        self._is_pulled = False
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.StreamWriter] = set()

    def pull(self) -> None:
        """End what goes on, and let nothing through any more."""
        asyncio.run_coroutine_threadsafe(self._pull(), self._loop).result(10)

    def plug_in(self) -> None:
        """Let everything through again."""
        self._is_pulled = False

    async def _pull(self) -> None:
        self._is_pulled = True
        for each in self._connections:
            each.transport.abort()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_pulled:
            writer.transport.abort()
            return
        there, to_there = await asyncio.open_connection("127.0.0.1", self._to)
        ends = {writer, to_there}
        self._connections |= ends
        with suppress(OSError):
            await asyncio.gather(_pump(reader, to_there), _pump(there, writer))
        self._connections -= ends
        for each in ends:
            each.transport.abort()

    async def listen(self) -> None:
        server = await asyncio.start_server(self._lead, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    @contextmanager
    def laid(self) -> Iterator[Cable]:
        """It is there, in a thread of its own."""
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        asyncio.run_coroutine_threadsafe(self.listen(), self._loop).result(10)
        try:
            yield self
        finally:
            self.pull()
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while part := await source.read(65536):
        target.write(part)
        await target.drain()
    target.write_eof()
