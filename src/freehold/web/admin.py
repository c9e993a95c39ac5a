"""The operator's port: /metrics for Prometheus, /healthz (the process lives) and /readyz (it can answer)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

import asyncpg
import msgspec

from freehold.config import ConfigError

_MOST_BYTES = 8192
_PATIENCE_S = 5.0


class Readiness(NamedTuple):
    """Whether requests can be answered, and how each part is."""

    ready: bool
    parts: dict[str, str]


async def ask_database(dsn: str) -> str:
    """`ready` when the database answers, else why not."""
    try:
        connection = await asyncpg.connect(dsn, timeout=2)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return f"not ready ({type(error).__name__})"
    try:
        await connection.fetchval("select 1", timeout=2)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return f"not ready ({type(error).__name__})"
    finally:
        connection.terminate()
    return "ready"


class AdminServer:
    """Answers those three questions, one a connection. Meant for loopback or a private network."""

    def __init__(
        self,
        render_metrics: Callable[[], Awaitable[bytes]],
        check_readiness: Callable[[], Awaitable[Readiness]],
    ) -> None:
        self._render_metrics = render_metrics
        self._check_readiness = check_readiness
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises ConfigError when the port cannot be had."""
        try:
            self._server = await asyncio.start_server(self._serve, host, port, limit=_MOST_BYTES)
        except OSError as error:
            raise ConfigError(
                [
                    f"The admin port {port} on {host} cannot be taken: {error.strerror}. Take another with"
                    " FREEHOLD_ADMIN_PORT (0 takes a free one)."
                ]
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(_PATIENCE_S):
                head = await reader.readuntil(b"\r\n\r\n")
                status, kind, body = await self._answer(head)
                writer.write(
                    f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
                    "cache-control: no-store\r\nconnection: close\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        with suppress(OSError):
            writer.close()

    async def _answer(self, head: bytes) -> tuple[str, str, bytes]:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method != b"GET":
            return "405 Method Not Allowed", "text/plain", b"Only GET.\n"
        if path == b"/metrics":
            return "200 OK", "text/plain; version=0.0.4; charset=utf-8", await self._render_metrics()
        if path == b"/healthz":
            return "200 OK", "application/json", b'{"status":"ok"}'
        if path == b"/readyz":
            readiness = await self._check_readiness()
            status = "200 OK" if readiness.ready else "503 Service Unavailable"
            answer = {"status": "ready" if readiness.ready else "not ready", **readiness.parts}
            return status, "application/json", msgspec.json.encode(answer)
        return "404 Not Found", "text/plain", b"There are /metrics, /healthz and /readyz.\n"
