"""`freehold up`: everything in one command. Starts the parts in order, watches them, stops them in order."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import msgspec
import structlog

from freehold.config import Refusal, Settings, with_secret
from freehold.db import migrate
from freehold.db.embedded import EmbeddedPostgres
from freehold.web import metrics
from freehold.web.admin import AdminServer, Readiness, ask_database
from freehold.web.server import bind

if TYPE_CHECKING:
    from freehold.app import Bootstrapped

log = structlog.get_logger("freehold.up")

START_TIMEOUT_S = 60.0
LONGEST_PAUSE_S = 10.0
STEADY_S = 60.0
"""A process that has run so long has earned a restart without a pause."""
WATCH_EVERY_S = 0.25


class StartError(Refusal):
    """We cannot start."""


async def up(settings: Settings, *, as_json: bool) -> None:
    """Start everything, say so on stdout, and keep it running until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, lambda: hurry_or_stop(stop))
    settings = replace(settings, data=settings.data.resolve())
    with_lock = lock_directory(settings.data)
    try:
        settings = with_secret(settings)
        listeners = bind(settings.host, settings.port, settings.worker_count)
        settings = replace(settings, port=listeners[0].getsockname()[1])
        processes = Processes(settings, listeners)
        admin = AdminServer(processes.render_metrics, processes.check_readiness)
        await admin.start(settings.admin_host, settings.admin_port)
        await processes.spawn()
        try:
            async with running_postgres(settings) as postgres:
                try:
                    settings, bootstrapped = await prepare_database(settings, postgres)
                    await processes.begin(settings, postgres, stop)
                    announcement = Announcement(
                        endpoint=endpoint_of(settings),
                        project=bootstrapped.project,
                        key=bootstrapped.key,
                        pid=os.getpid(),
                        reference=endpoint_of(settings).removesuffix("/v1") + "/reference",
                        admin=f"http://{_in_url(settings.admin_host)}:{admin.port}",
                        data=str(settings.data),
                        psql=postgres.psql_command() if postgres else "",
                    )
                    if not stop.is_set():
                        announcement.print(sys.stdout, as_json=as_json)
                    await processes.watch(stop)
                finally:
                    await processes.stop()  # before the database that they use
        finally:
            await processes.stop()
            await admin.stop()
    finally:
        os.close(with_lock)


async def prepare_database(
    settings: Settings, postgres: EmbeddedPostgres | None
) -> tuple[Settings, Bootstrapped]:
    """Bring the platform's tables up to date, and see that there is a project to begin with."""
    if postgres is not None:
        settings = replace(settings, database_url=postgres.dsn())
    await migrate.migrate(settings.database_url, report=lambda line: log.info(line))

    from freehold import app  # only now, while the other processes read it too

    return settings, await app.bootstrap(settings, settings.database_url)


def hurry_or_stop(stop: asyncio.Event) -> None:
    """The first Ctrl-C stops us in order; who types a second one does not want to wait for requests."""
    if stop.is_set():
        raise KeyboardInterrupt
    stop.set()


class Announcement(msgspec.Struct):
    """What whoever started us needs to know."""

    endpoint: str
    project: str
    key: str
    pid: int
    reference: str
    admin: str
    data: str
    psql: str

    def print(self, stream: TextIO, *, as_json: bool) -> None:
        """One line of JSON for programs, a few lines for people."""
        if as_json:
            text = msgspec.json.encode(self).decode()
        else:
            lines = [
                "",
                "Freehold is up.",
                "",
                f"  Endpoint   {self.endpoint}",
                f"  Project    {self.project}",
                f"  API key    {self.key}",
                f"  Reference  {self.reference}",
                f"  Metrics    {self.admin}/metrics",
            ]
            lines += [f"  Data       {self.data}", f"  Look at it with  {self.psql}"] if self.psql else []
            text = "\n".join([*lines, "", "Stop it with Ctrl-C.", ""])
        with suppress(BrokenPipeError):  # nobody has to read it
            stream.write(text + "\n")
            stream.flush()


def endpoint_of(settings: Settings) -> str:
    """The endpoint as clients reach it."""
    if settings.public_endpoint:
        return settings.public_endpoint
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(settings.host)  # noqa: S104
    return f"http://{host or _in_url(settings.host)}:{settings.port}/v1"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def lock_directory(directory: Path) -> int:
    """Take the data directory for us alone. The kernel lets go of it when we end, however we end."""
    try:
        # Root's PostgreSQL runs as another user, who has to walk through; what is secret is closed by itself.
        directory.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartError(
            f"The data directory {directory} cannot be used: {error.strerror}. Name another with --data,"
            " or make it"
            " writable for you."
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(handle, 32).decode(errors="replace").strip()
        os.close(handle)
        raise StartError(
            f"Freehold already runs on {directory}{f' (process {holder})' if holder.isdigit() else ''}."
            " Stop that one first, or name another directory with --data."
        ) from None
    os.ftruncate(handle, 0)
    os.write(handle, f"{os.getpid()}\n".encode())
    return handle


@asynccontextmanager
async def running_postgres(settings: Settings) -> AsyncIterator[EmbeddedPostgres | None]:
    """The embedded server, for the while of a block; none when DATABASE_URL names one."""
    if settings.database_url:
        yield None
        return
    postgres = EmbeddedPostgres(
        settings.data / "postgresql",
        user=settings.postgres_user or None,
        port=settings.postgres_port or None,
    )
    # In this thread on purpose: the kernel ends the server when the thread that started it ends.
    postgres.start()
    log.info("postgres_started", port=postgres.port, pid=postgres.pid)
    try:
        yield postgres
    finally:
        postgres.stop()
        log.info("postgres_stopped")


class Process:
    """One process of ours, started again when it dies, each time a little later."""

    def __init__(self, name: str, command: str, listener: socket.socket | None) -> None:
        self.name = name
        self.restarts = 0
        self.ready = False
        self._command = command
        self._listener = listener
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._started_at = 0.0
        self._pause_s = 0.0
        self._start_at = 0.0

    async def spawn(self, settings: Settings) -> None:
        """Start it. It reads its code, and then waits for `begin`."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        arguments = ["--control", str(theirs.fileno())]
        handles = [theirs.fileno()]
        if self._listener is not None:
            arguments += ["--fd", str(self._listener.fileno())]
            handles.append(self._listener.fileno())
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("FREEHOLD_") and name not in ("DATABASE_URL", "PORT")
        }
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "freehold", self._command, *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sys.stderr.fileno(),  # stdout is for the announcement
                pass_fds=handles,
                env={**inherited, **replace(settings, database_url="", secret="").environment()},
                start_new_session=True,  # a Ctrl-C in the terminal is for us, who stop things in order
            )  # fmt: skip
        finally:
            theirs.close()
        self._control = ours
        self._started_at = time.monotonic()
        self._hearing = asyncio.create_task(self._hear(ours))

    def begin(self, settings: Settings) -> None:
        """Tell it where the database is, and what is secret."""
        if self._control is not None:
            told = {"database_url": settings.database_url, "secret": settings.secret}
            with suppress(OSError):  # it is gone already, which is seen elsewhere
                self._control.send(msgspec.json.encode(told) + b"\n")

    async def _hear(self, control: socket.socket) -> None:
        with suppress(OSError):
            if await asyncio.get_running_loop().sock_recv(control, 64) == b"ready\n":
                self.ready = True

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.returncode if self._process else None

    async def tend(self, settings: Settings) -> None:
        """Start it again if it has died and its pause is over."""
        if self._process is not None and self._process.returncode is not None:
            self.ready = False
            log.error(
                "process_died", name=self.name, died=self._process.pid, exit_code=self._process.returncode
            )
            if time.monotonic() - self._started_at > STEADY_S:
                self._pause_s = 0.0
            self._start_at = time.monotonic() + self._pause_s
            self._pause_s = min(LONGEST_PAUSE_S, max(0.25, self._pause_s * 2))
            await self._forget()
        if self._process is None and time.monotonic() >= self._start_at:
            self.restarts += 1
            await self.spawn(settings)
            self.begin(settings)
            log.info("process_restarted", name=self.name, started=self.pid)

    async def stop(self, patience_s: float) -> None:
        """Ask it to stop; end it when it takes too long."""
        if self._process is None:
            return
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), patience_s)
            except TimeoutError:
                log.error("process_killed", name=self.name, killed=self._process.pid, after_s=patience_s)
                with suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()
        await self._forget()

    def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _forget(self) -> None:
        self.ready = False
        if self._hearing is not None:
            self._hearing.cancel()
            with suppress(asyncio.CancelledError):
                await self._hearing
        if self._control is not None:
            self._control.close()
        self._process = self._control = self._hearing = None


class Processes:
    """The API processes, the job worker and the embedded server, as far as they have to be watched."""

    def __init__(self, settings: Settings, listeners: list[socket.socket]) -> None:
        self._settings = settings
        self._listeners = listeners
        self._postgres: EmbeddedPostgres | None = None
        self._postgres_restarts = 0
        self._stopping = False
        self._metrics = settings.data / "metrics"
        self._all = [
            Process(f"api-{number}", "serve", listener) for number, listener in enumerate(listeners, start=1)
        ]
        self._all.append(Process("worker", "worker", None))

    async def spawn(self) -> None:
        """Start all; none does anything before `begin`."""
        metrics.prepare_directory(self._metrics)
        await asyncio.gather(*(process.spawn(self._settings) for process in self._all))

    async def begin(self, settings: Settings, postgres: EmbeddedPostgres | None, stop: asyncio.Event) -> None:
        """Let all begin with a database that is prepared, and return when each says that it is ready."""
        self._settings, self._postgres = settings, postgres
        for process in self._all:
            process.begin(settings)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not stop.is_set() and not all(process.ready for process in self._all):
            for process in self._all:
                if process.exit_code is not None:
                    raise StartError(
                        f"The process {process.name} did not come up (exit code {process.exit_code}). Its"
                        " log is"
                        " above."
                    )
            if time.monotonic() > deadline:
                late = ", ".join(process.name for process in self._all if not process.ready)
                raise StartError(f"Not ready after {START_TIMEOUT_S:.0f} s: {late}. Its log is above.")
            await asyncio.sleep(0.01)

    async def watch(self, stop: asyncio.Event) -> None:
        """Keep everything running until we are told to stop."""
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), WATCH_EVERY_S)
                return
            if self._postgres is not None and not self._postgres.is_running:
                log.error("postgres_died")
                self._postgres_restarts += 1
                self._postgres.start()
                log.info("postgres_restarted", port=self._postgres.port, pid=self._postgres.pid)
            for process in self._all:
                await process.tend(self._settings)

    async def stop(self) -> None:
        """Take no more connections, let requests and jobs end, and only then return."""
        if not self._stopping:
            log.info("stopping")
        self._stopping = True
        for listener in self._listeners:
            listener.close()  # the workers close theirs; with ours open, callers would wait for nobody
        patience_s = self._settings.shutdown_timeout_s + 5
        try:
            await asyncio.gather(*(process.stop(patience_s) for process in self._all))
        except asyncio.CancelledError:
            for process in self._all:
                process.kill()
            raise

    def render_metrics(self) -> bytes:
        """All numbers of this machine."""
        ready = sum(process.ready for process in self._all if process.name != "worker")
        return metrics.render(
            metrics.read_directory(self._metrics),
            {
                "freehold_api_processes_ready": ("API processes that answer.", ready),
                "freehold_process_restarts": (
                    "Processes that died and were started again.",
                    sum(process.restarts for process in self._all),
                ),
                "freehold_postgres_restarts": (
                    "How often the embedded PostgreSQL died and was started again.",
                    self._postgres_restarts,
                ),
            },
        )

    async def check_readiness(self) -> Readiness:
        """Ready when an API process answers, the database does, and we are not about to stop."""
        parts = {process.name: "ready" if process.ready else "not ready" for process in self._all}
        parts["database"] = await ask_database(self._settings.database_url)
        serving = any(process.ready for process in self._all if process.name != "worker")
        if self._stopping:
            parts["stopping"] = "yes"
        return Readiness(serving and not self._stopping and parts["database"] == "ready", parts)
