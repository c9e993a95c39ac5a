"""A proxy for a browser that shows pages which anybody may name: it leads outside, and nowhere else.

It resolves names itself and connects to the address that it judged, for every request and every redirect,
whatever the page is up to.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from freehold.providers.outside import ForbiddenTarget, Outside, OutsideProblem

MAX_BYTES = 64 * 1024 * 1024
"""So much comes through it, of all that a page is made of."""
MAX_CONNECTIONS = 64
_HEAD_BYTES = 64 * 1024
_HEAD_S = 15.0
_AT_ONCE = 64 * 1024
_END = b"\r\n\r\n"
_LENGTH = b"content-length"
_OF_THE_HOP = (b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization")


class GuardedProxy:
    """Listens on a port of the loopback, for as long as one browser needs it."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._left_bytes = MAX_BYTES
        self.refused: dict[str, str] = {}
        """The hosts that it did not lead to because they are inside, and what was wrong with them."""

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_HEAD_BYTES)

    async def close(self) -> None:
        """Stop listening, and end all connections."""
        if self._server is not None:
            self._server.close()
        for each in self._connections:
            each.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if len(self._connections) <= MAX_CONNECTIONS:
                await self._serve(reader, writer)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the browser went away, or did not speak HTTP
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lead one connection to where it wants, or close it when that is not outside."""
        async with asyncio.timeout(_HEAD_S):
            head = await reader.readuntil(_END)
        line, *fields = head.removesuffix(_END).split(b"\r\n")
        method, target, _ = line.decode("ascii").split(" ")
        is_tunnel = method == "CONNECT"
        url = f"https://{target}/" if is_tunnel else target
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
        try:
            self._outside.check(url)
            there = await self._outside.connect(host, port)
        except OutsideProblem as error:
            if isinstance(error, ForbiddenTarget) and len(self.refused) < MAX_CONNECTIONS:
                self.refused[host] = str(error)
            return
        try:
            async with asyncio.TaskGroup() as both:
                if is_tunnel:
                    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                    both.create_task(_pass_on(reader, there[1]))
                    both.create_task(self._take(there[0], writer))
                else:
                    place = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
                    there[1].write(_closing([f"{method} {place} HTTP/1.1".encode(), *fields]))
                    # No more than its body: what comes behind it may be meant for another host.
                    both.create_task(_pass_on(reader, there[1], most_bytes=_length(fields)))
                    both.create_task(self._answer(there[0], writer))
        except* (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # one side hung up on the other
        finally:
            there[1].close()

    async def _answer(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Pass an answer on, as the last one of its connection."""
        is_interim = True
        while is_interim:
            head = await source.readuntil(_END)
            target.write(_closing(head.removesuffix(_END).split(b"\r\n")))
            is_interim = head.partition(b" ")[2].startswith(b"1")
        await self._take(source, target)

    async def _take(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Pass on what comes from outside, as long as it is not too much in all."""
        while part := await source.read(_AT_ONCE):
            self._left_bytes -= len(part)
            if self._left_bytes < 0:
                raise ConnectionAbortedError("the page is larger than may be")
            target.write(part)
            await target.drain()
        target.write_eof()


async def _pass_on(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, *, most_bytes: int | None = None
) -> None:
    while part := await source.read(_AT_ONCE if most_bytes is None else min(_AT_ONCE, most_bytes)):
        if most_bytes is not None:
            most_bytes -= len(part)
        target.write(part)
        await target.drain()
    if most_bytes is None:
        target.write_eof()


def _closing(head: list[bytes]) -> bytes:
    """The head of a message, as the last one of its connection."""
    first, *fields = head
    kept = [each for each in fields if each.partition(b":")[0].strip().lower() not in _OF_THE_HOP]
    return b"\r\n".join([first, *kept, b"Connection: close"]) + _END


def _length(fields: list[bytes]) -> int:
    """How long the body of a request is."""
    told = [value for name, _, value in (each.partition(b":") for each in fields) if name.lower() == _LENGTH]
    return max(0, int(told[0])) if told else 0
