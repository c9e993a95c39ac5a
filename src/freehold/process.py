"""The processes of an installation: one that answers requests, one that runs jobs, one that migrates.

`freehold up` starts them with a control line (see `Control`); each is a command of its own too, and then
serves the operator's port itself.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import structlog

from freehold import audit, job_queue, jobs
from freehold.config import Refusal, Settings, with_secret
from freehold.db import migrate as migrations
from freehold.db.pool import Database
from freehold.errors import Unavailable
from freehold.web import logs, metrics
from freehold.web.admin import AdminServer, Readiness, ask_database
from freehold.web.server import Control, bind, run, serve_until

log = structlog.get_logger("freehold.process")
Answer = TypeVar("Answer")


def serve(settings: Settings, *, listener: int | None, control: int | None) -> None:
    """The command: on a socket that `freehold up` hands us, or on a port of our own."""
    line, settings = _begin(settings, control)
    own = listener is None
    listening = bind(settings.host, settings.port)[0] if own else socket.socket(fileno=listener)
    settings = replace(settings, port=listening.getsockname()[1])
    answer_requests(settings, listening, line=line, name="api")


def work(settings: Settings, *, control: int | None) -> None:
    """The command: for `freehold up`, or by itself."""
    line, settings = _begin(settings, control)
    run_jobs(settings, line=line, name="worker")


def answer_requests(settings: Settings, listening: socket.socket, *, line: Control | None, name: str) -> None:
    """Answer requests on a socket until we are stopped."""
    from freehold import app  # the job worker does without all that

    _be_called(name, settings)

    async def process(stop: asyncio.Event) -> None:
        async with _started(settings, line, stop) as say_ready:
            application = app.create_app(settings)
            await serve_until(stop, application, settings, listening, on_start=say_ready)

    run(process, metrics_directory=settings.data / "metrics" if line else None)


def run_jobs(settings: Settings, *, line: Control | None, name: str) -> None:
    """Run jobs until we are stopped."""
    from freehold.services import KINDS, mail  # commands that only look at the database do without all that

    _be_called(name, settings)

    async def process(stop: asyncio.Event) -> None:
        async with _started(settings, line, stop) as say_ready:
            # Each job may hold a connection, and the worker needs one beside them.
            called = jobs.worker_name()
            db = Database(
                settings.database_url,
                size=max(settings.pool_size, settings.jobs_at_once) + 1,
                statement_timeout_s=settings.statement_timeout_s,
                name=called,
            )
            worker = jobs.Worker(
                settings.database_url,
                jobs.Context(db, settings),
                KINDS,
                name=called,
                observe=metrics.observe_job,
            )
            working = asyncio.create_task(worker.run())
            stopping = asyncio.create_task(stop.wait())
            starting = asyncio.create_task(worker.ready.wait())
            try:
                await asyncio.wait({working, stopping, starting}, return_when=asyncio.FIRST_COMPLETED)
                if worker.ready.is_set():
                    say_ready()
                    for lack in mail.lacks(settings):
                        log.warning("not_set_up", says=lack)
                await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
                worker.stop()
                await working
            finally:
                stopping.cancel()
                starting.cancel()
                await db.close()

    run(process, metrics_directory=settings.data / "metrics" if line else None)


def migrate(settings: Settings, *, check: bool, say: Callable[[str], None]) -> bool:
    """Bring the platform's tables up to date, or say what is missing. Whether they are up to date now."""
    if check:
        missing = asyncio.run(migrations.pending(settings.database_url))
        for migration in missing:
            say(f"Migration {migration.name} is missing.")
        return not missing
    applied = asyncio.run(migrations.migrate(settings.database_url, report=say))
    say(f"Applied {len(applied)}." if applied else "Everything is up to date.")
    return True


def ask(settings: Settings, question: Callable[[Database], Awaitable[Answer]]) -> Answer:
    """Ask the database something, from a command. Raises Refusal when it cannot be reached."""

    async def asked() -> Answer:
        db = Database(settings.database_url, size=1, statement_timeout_s=settings.statement_timeout_s)
        try:
            return await question(db)
        finally:
            await db.close()

    try:
        return asyncio.run(asked())
    except Unavailable:
        # Without its cause, which may quote the address with its password.
        raise Refusal(
            "The database cannot be reached. See that `freehold up` or PostgreSQL runs, and that DATABASE_URL"
            " names its host, port, database, user and password, if it is set."
        ) from None


def verify_audit(settings: Settings, *, say: Callable[[str], None]) -> bool:
    """Walk the audit log, and say of each project where it ends, or where it breaks. Whether none does.

    Raises Refusal when the database cannot be reached.
    """
    chains = ask(settings, audit.verify)
    for chain in chains:
        state = f"BROKEN. {chain.broken}" if chain.broken else f"whole, {chain.entries} entries, {chain.head}"
        say(f"{chain.project_id}: {state}")
    return not any(chain.broken for chain in chains)


def rewrap_files(settings: Settings, *, say: Callable[[str], None]) -> bool:
    """Seal the keys of all files with the first of FREEHOLD_STORAGE_KEYS, and say of each key what it opens.

    Whether all files can be opened. Raises Refusal when the database cannot be reached.
    """
    from freehold.services import storage

    done = ask(settings, lambda db: storage.rewrap(db, settings))
    for each in done:
        say(f"{each.key_id}: {each.says}")
    return all(each.is_known for each in done)


def _begin(settings: Settings, control: int | None) -> tuple[Control | None, Settings]:
    """Wait until we may begin, and have all settings."""
    if control is None:
        return None, with_secret(settings)
    line = Control(socket.socket(fileno=control))
    return line, line.wait_for_settings(settings)


def _be_called(name: str, settings: Settings) -> None:
    """Take a name, in the log (which now knows the secrets that it must not write) and in `ps`."""
    logs.configure(settings, process=name)
    if sys.platform.startswith("linux"):
        Path("/proc/self/comm").write_text(f"freehold-{name}"[:15])


@asynccontextmanager
async def _started(
    settings: Settings, line: Control | None, stop: asyncio.Event
) -> AsyncIterator[Callable[[], None]]:
    """What surrounds a process: whom to tell that it is ready, and whose end is ours."""
    if line is not None:
        line.stop_when_parent_ends(stop)
        yield line.say_ready
        return
    if missing := await migrations.pending(settings.database_url):
        raise Refusal(
            f"The database lacks migration {missing[0].name}. Run `freehold migrate`, then start again."
        )
    ready = asyncio.Event()

    async def check_readiness() -> Readiness:
        database = await ask_database(settings.database_url)
        parts = {"process": "ready" if ready.is_set() else "not ready", "database": database}
        if stop.is_set():
            parts["stopping"] = "yes"
        return Readiness(ready.is_set() and not stop.is_set() and database == "ready", parts)

    def say_ready() -> None:
        ready.set()
        log.info("ready", pid=os.getpid(), admin_port=admin.port)

    async def render_metrics() -> bytes:
        return metrics.render(gauges=await job_queue.gauges(settings.database_url))

    admin = AdminServer(render_metrics, check_readiness)
    await admin.start(settings.admin_host, settings.admin_port)
    try:
        yield say_ready
    finally:
        await admin.stop()
