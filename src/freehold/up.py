"""`freehold up`: everything in one command. Starts the parts in order, watches them, stops them in order."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, Protocol, TextIO

import msgspec
import structlog

from freehold import app, job_queue, process
from freehold.config import Refusal, Settings, in_url, with_secret
from freehold.db import migrate
from freehold.db.embedded import EmbeddedPostgres
from freehold.services.project import FirstProject
from freehold.web import metrics
from freehold.web.admin import AdminServer, Readiness, ask_database
from freehold.web.server import Control, bind

log = structlog.get_logger("freehold.up")

START_TIMEOUT_S = 60.0
LONGEST_PAUSE_S = 10.0
STEADY_S = 60.0
"""A process that has run so long has earned a restart without a pause."""
WATCH_EVERY_S = 0.25


class StartError(Refusal):
    """We cannot start."""


def up(settings: Settings, *, as_json: bool) -> None:
    """Start everything, say so on stdout, and keep it running until SIGTERM or SIGINT."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until there is a loop that handles it in order
    settings = replace(settings, data=settings.data.resolve())
    lock = lock_directory(settings.data)
    try:
        settings = with_secret(settings)
        listeners = bind(settings.host, settings.port, settings.worker_count)
        settings = replace(settings, port=listeners[0].getsockname()[1])
        with running_postgres(settings) as postgres:
            if postgres is not None:
                settings = replace(settings, database_url=postgres.dsn())
            first = asyncio.run(prepare_database(settings))
            processes = Processes(settings, listeners, postgres)
            processes.fork(lock)
            announcement = Announcement(
                endpoint=settings.endpoint,
                project=first.project,
                key=first.key,
                pid=os.getpid(),
                reference=settings.endpoint.removesuffix("/v1") + "/reference",
                admin="",
                data=str(settings.data),
                psql=postgres.psql_command() if postgres else "",
            )
            asyncio.run(supervise(settings, processes, announcement, as_json=as_json))
    finally:
        os.close(lock)


async def prepare_database(settings: Settings) -> FirstProject:
    """Bring the platform's tables up to date, and see that there is a project to begin with."""
    await migrate.migrate(settings.database_url, report=lambda line: log.info(line))
    return await app.bootstrap(settings)


async def supervise(
    settings: Settings, processes: Processes, announcement: Announcement, *, as_json: bool
) -> None:
    """Say that we are up once we are, watch, and stop in order."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, lambda: hurry_or_stop(stop))
    admin = AdminServer(processes.render_metrics, processes.check_readiness)
    try:
        await admin.start(settings.admin_host, settings.admin_port)
        announcement.admin = f"http://{in_url(settings.admin_host)}:{admin.port}"
        await processes.wait_until_ready(stop)
        if not stop.is_set():
            announcement.print(sys.stdout, as_json=as_json)
        await processes.watch(stop)
    finally:
        await processes.stop()
        await admin.stop()


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
                f"  Project    {self.project or 'none; the first was deleted'}",
                f"  API key    {self.key or 'none that can be shown'}",
                f"  Reference  {self.reference}",
                f"  Metrics    {self.admin}/metrics",
            ]
            lines += [f"  Data       {self.data}", f"  Look at it with  {self.psql}"] if self.psql else []
            text = "\n".join([*lines, "", "Stop it with Ctrl-C.", ""])
        with suppress(BrokenPipeError):  # nobody has to read it
            stream.write(text + "\n")
            stream.flush()


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


@contextmanager
def running_postgres(settings: Settings) -> Iterator[EmbeddedPostgres | None]:
    """The embedded server, for the while of a block; none when DATABASE_URL names one."""
    if settings.database_url:
        yield None
        return
    postgres = EmbeddedPostgres(
        settings.data / "postgresql",
        user=settings.postgres_user or None,
        port=settings.postgres_port or None,
    )
    try:
        # In this thread on purpose: the kernel ends the server when the thread that started it ends.
        postgres.start()
        log.info("postgres_started", port=postgres.port, pid=postgres.pid)
        yield postgres
    finally:
        postgres.stop()
        log.info("postgres_stopped")


class Child(Protocol):
    """What we have to do with a process that we started, whichever way."""

    pid: int

    def poll(self) -> int | None: ...

    def send_signal(self, sig: int) -> None: ...


class Forked:
    """A process that we forked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._exit_code: int | None = None

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        if self._exit_code is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self._exit_code = os.waitstatus_to_exitcode(status)
        return self._exit_code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)


class Process:
    """One process of ours, started again when it dies, each time a little later."""

    def __init__(self, name: str, listener: socket.socket | None) -> None:
        self.name = name
        self.listener = listener
        self.restarts = 0
        self.ready = False
        self._child: Child | None = None
        self._control: socket.socket | None = None
        self._started_at = 0.0
        self._pause_s = 0.0
        self._start_at = 0.0

    def fork(self, settings: Settings, private: Iterable[int]) -> None:
        """Start it as a copy of us, which has read its code already, less the `private` handles."""
        ours, theirs = socket.socketpair()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._be_child(settings, theirs, private)
        self._have(Forked(pid), ours, theirs)

    def _be_child(self, settings: Settings, control: socket.socket, private: Iterable[int]) -> NoReturn:
        code = 1
        try:
            os.setsid()  # a Ctrl-C in the terminal is for our parent, who stops things in order
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            for handle in private:
                os.close(handle)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(2, 1)  # stdout is for the announcement
            if self.listener is not None:
                process.answer_requests(settings, self.listener, line=Control(control), name=self.name)
            else:
                process.run_jobs(settings, line=Control(control), name=self.name)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            log.exception("process_failed", name=self.name)
        finally:
            sys.stderr.flush()
            os._exit(code)  # what stands above us on the stack is our parent's to do

    def spawn(self, settings: Settings) -> None:
        """Start it from nothing: by now we have a loop and perhaps threads, which a fork would tear apart."""
        ours, theirs = socket.socketpair()
        arguments = ["--control", str(theirs.fileno())]
        handles = [theirs.fileno()]
        if self.listener is not None:
            arguments += ["--fd", str(self.listener.fileno())]
            handles.append(self.listener.fileno())
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("FREEHOLD_") and name not in ("DATABASE_URL", "PORT")
        }
        command = "worker" if self.listener is None else "serve"
        child = subprocess.Popen(
            [sys.executable, "-m", "freehold", command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            pass_fds=handles,
            env={**inherited, **replace(settings, database_url="", secret="").environment()},
            start_new_session=True,
        )
        self._have(child, ours, theirs)
        told = {"database_url": settings.database_url, "secret": settings.secret}
        with suppress(OSError):  # it is gone already, which is seen elsewhere
            ours.send(msgspec.json.encode(told) + b"\n")

    def _have(self, child: Child, ours: socket.socket, theirs: socket.socket) -> None:
        theirs.close()
        ours.setblocking(False)
        self._child, self._control = child, ours
        self._started_at = time.monotonic()

    @property
    def control(self) -> socket.socket | None:
        return self._control

    def look(self) -> int | None:
        """See whether it has become ready, or has ended and how."""
        if self._control is not None and not self.ready:
            with suppress(OSError):
                self.ready = self._control.recv(64) == b"ready\n"
        return self._child.poll() if self._child is not None else None

    def tend(self, settings: Settings) -> None:
        """Start it again if it has died and its pause is over."""
        code = self.look()
        if self._child is not None and code is not None:
            log.error("process_died", name=self.name, died=self._child.pid, exit_code=code)
            if time.monotonic() - self._started_at > STEADY_S:
                self._pause_s = 0.0
            self._start_at = time.monotonic() + self._pause_s
            self._pause_s = min(LONGEST_PAUSE_S, max(0.25, self._pause_s * 2))
            self._forget()
        if self._child is None and time.monotonic() >= self._start_at:
            self.restarts += 1
            self.spawn(settings)
            log.info("process_restarted", name=self.name)

    async def stop(self, patience_s: float) -> None:
        """Ask it to stop; end it when it takes too long."""
        if self._child is None:
            return
        self._child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + patience_s
        while self._child.poll() is None:
            if time.monotonic() > deadline:
                log.error("process_killed", name=self.name, killed=self._child.pid, after_s=patience_s)
                self.kill()
                deadline = float("inf")
            await asyncio.sleep(0.02)
        self._forget()

    def kill(self) -> None:
        if self._child is not None:
            self._child.send_signal(signal.SIGKILL)

    def _forget(self) -> None:
        self.ready = False
        if self._control is not None:
            self._control.close()
        self._child = self._control = None


class Processes:
    """The API processes, the job worker and the embedded server, as far as they have to be watched."""

    def __init__(
        self, settings: Settings, listeners: list[socket.socket], postgres: EmbeddedPostgres | None
    ) -> None:
        self._settings = settings
        self._listeners = listeners
        self._postgres = postgres
        self._postgres_restarts = 0
        self._stopping = False
        self._metrics = settings.data / "metrics"
        self._all = [Process(f"api-{number}", one) for number, one in enumerate(listeners, start=1)]
        self._all.append(Process("worker", None))

    def fork(self, *private: int) -> None:
        """Start all as copies of us: the code is read once, and lies in memory once.

        Only while we have no loop and no threads. `private` are handles that are ours alone.
        """
        metrics.prepare_directory(self._metrics)
        if threading.active_count() > 1 or not sys.platform.startswith("linux"):
            for one in self._all:
                one.spawn(self._settings)
            return
        gc.collect()
        gc.freeze()  # else the first collection of each copy would write to every page
        for one in self._all:
            others = [each.fileno() for each in set(self._listeners) if each is not one.listener]
            controls = [each.control.fileno() for each in self._all if each.control is not None]
            one.fork(self._settings, [*private, *others, *controls])

    async def wait_until_ready(self, stop: asyncio.Event) -> None:
        """Return when each says that it is ready. Raises StartError when one does not come up."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not stop.is_set():
            for one in self._all:
                code = one.look()
                if code is not None:
                    raise StartError(
                        f"The process {one.name} did not come up (exit code {code}). Its log is above."
                    )
            late = [one.name for one in self._all if not one.ready]
            if not late:
                return
            if time.monotonic() > deadline:
                raise StartError(f"Not ready after {START_TIMEOUT_S:.0f} s: {', '.join(late)}.")
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
            for one in self._all:
                one.tend(self._settings)

    async def stop(self) -> None:
        """Take no more connections, let requests and jobs end, and only then return."""
        if not self._stopping:
            log.info("stopping")
        self._stopping = True
        for listener in self._listeners:
            listener.close()  # the workers close theirs; with ours open, callers would wait for nobody
        patience_s = self._settings.shutdown_timeout_s + 5
        try:
            await asyncio.gather(*(one.stop(patience_s) for one in self._all))
        except asyncio.CancelledError:
            for one in self._all:
                one.kill()
            raise

    async def render_metrics(self) -> bytes:
        """All numbers of this machine."""
        ready = sum(one.ready for one in self._all if one.name != "worker")
        return metrics.render(
            metrics.read_directory(self._metrics),
            {
                "freehold_api_processes_ready": ("API processes that answer.", ready),
                "freehold_process_restarts": (
                    "Processes that died and were started again.",
                    sum(one.restarts for one in self._all),
                ),
                "freehold_postgres_restarts": (
                    "How often the embedded PostgreSQL died and was started again.",
                    self._postgres_restarts,
                ),
                **await job_queue.gauges(self._settings.database_url),
            },
        )

    async def check_readiness(self) -> Readiness:
        """Ready when an API process answers, the database does, and we are not about to stop."""
        parts = {one.name: "ready" if one.ready else "not ready" for one in self._all}
        parts["database"] = await ask_database(self._settings.database_url)
        serving = any(one.ready for one in self._all if one.name != "worker")
        if self._stopping:
            parts["stopping"] = "yes"
        return Readiness(serving and not self._stopping and parts["database"] == "ready", parts)
