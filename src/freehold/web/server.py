"""One API process: serves the application on a socket until it is told to stop, and finishes what runs."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import structlog
import uvicorn
import uvloop

from freehold.config import ConfigError, Settings
from freehold.web import metrics
from freehold.web.http import patient

log = structlog.get_logger("freehold.server")

KEEP_ALIVE_S = 30
BACKLOG = 2048
MESSAGE_BYTES = 256 * 1024
"""The longest message that is taken from a WebSocket; a longer one ends it."""

Application = Callable[[Any, Any, Any], Awaitable[None]]


class _Server(uvicorn.Server):
    """uvicorn, except that we say when it stops."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._on_start()


async def serve_until(
    stop: asyncio.Event,
    app: Application,
    settings: Settings,
    listener: socket.socket,
    *,
    on_start: Callable[[], None],
) -> None:
    """Serve until `stop` is set; then take no more connections, and give running requests their time."""
    server = _Server(
        uvicorn.Config(
            app,
            loop="none",  # the caller's loop
            http=patient(settings.body_timeout_s),
            ws="freehold.web.websocket:WebSocket",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the application believes them only from trusted proxies
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=round(settings.shutdown_timeout_s),
            ws_per_message_deflate=False,
            ws_max_size=MESSAGE_BYTES,
        ),
        on_start,
    )

    async def stop_it() -> None:
        await stop.wait()
        server.should_exit = True

    stopper = asyncio.create_task(stop_it())
    try:
        await server.serve(sockets=[listener])
    finally:
        stopper.cancel()


def run(
    process: Callable[[asyncio.Event], Awaitable[None]], *, metrics_directory: Path | None = None
) -> None:
    """Run a process of ours on uvloop. The event it is given is set by SIGTERM and SIGINT."""

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, stop.set)
        writer = asyncio.create_task(metrics.keep_writing(metrics_directory)) if metrics_directory else None
        try:
            await process(stop)
        finally:
            if writer is not None:
                writer.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await writer

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


class Control:
    """The line to the process that started us: it tells us to begin, and its end is ours.

    A process that it forks knows all settings; one that it starts anew is told them by this line.
    """

    def __init__(self, line: socket.socket) -> None:
        self._socket = line

    def wait_for_settings(self, settings: Settings) -> Settings:
        """Wait for what is secret, which comes by this line because an environment can be read."""
        line = b""
        while not line.endswith(b"\n"):
            part = self._socket.recv(65536)
            if not part:
                raise SystemExit(0)  # there is nothing to begin any more
            line += part
        told = msgspec.json.decode(line, type=dict[str, str])
        return replace(settings, **told)  # type: ignore[arg-type]

    def stop_when_parent_ends(self, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        self._socket.setblocking(False)

        def on_input() -> None:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                if self._socket.recv(64):
                    return
            loop.remove_reader(self._socket)
            log.warning("parent_gone")
            stop.set()

        loop.add_reader(self._socket, on_input)

    def say_ready(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.send(b"ready\n")


def bind(host: str, port: int, count: int = 1) -> list[socket.socket]:
    """Take a port, once for each process: the kernel then spreads connections evenly over them.

    Where the kernel does not, all get the same socket. Raises ConfigError when the port cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ConfigError(
            [f"FREEHOLD_HOST is {host!r}, which is no address of this machine ({error.strerror})."]
        ) from error
    first = socket.socket(family, kind, protocol)
    sockets = [first]
    try:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Bound alone at first: with SO_REUSEPORT we would share a port that is taken, and never know.
        first.bind(address)
        taken = first.getsockname()
        if count > 1 and sys.platform.startswith("linux"):
            first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            for _ in range(count - 1):
                another = socket.socket(family, kind, protocol)
                sockets.append(another)
                another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                another.bind(taken)
        elif count > 1:
            sockets *= count
    except OSError as error:
        for one in sockets:
            one.close()
        raise ConfigError([_say_why_not(host, port, error)]) from error
    return sockets


def _say_why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program. Stop that, or take another port with --port"
            " (0 takes a free one)."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} may only be taken by root. Take one from 1024 on with --port."
    return f"Port {port} on {host} cannot be taken: {error.strerror}. See FREEHOLD_HOST and FREEHOLD_PORT."
