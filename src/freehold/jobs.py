"""Work that is done after the request: enqueued in the caller's transaction, run at least once by a worker.

A job is a row of `freehold.jobs`. A worker leases it, runs the function of its kind, and deletes it; what
fails is tried again later and later, and in the end kept as dead with its error. A job may run twice (a
worker can die after the work and before it said so), so every kind has to bear that.

The sessions of a worker in PostgreSQL bear its name, which says of whom a lease is. When none of them is
left the worker is gone, and others take what it ran; a worker whose machine is gone keeps its sessions for
a while, and what it ran until its lease has run out.

However long jobs take, others are not kept waiting: those of one project get no more than three quarters of a
worker at a time, and what is run again and again comes besides.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import secrets
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, TypeVar

import asyncpg
import msgspec
import structlog

from freehold.config import Settings
from freehold.db.pool import Database, Queries, Record, connect
from freehold.errors import Unavailable

PLATFORM = "console"
"""The project of jobs that belong to no project."""

CHANNEL = "freehold_jobs"
LEASE_S = 60.0
POLL_S = 1.0
"""How often a worker looks by itself; a notification usually comes first."""
LOOKS = 5
"""So many times in a row, a poll apart, a worker has to be missed to be gone. By then it has its connections
again if they were lost, or if the database was away."""

log = structlog.get_logger("freehold.jobs")
Shape = TypeVar("Shape")


class Job(msgspec.Struct, frozen=True):
    """One job, as the function of its kind is given it."""

    id: int
    project_id: str
    kind: str
    payload: bytes
    attempts: int

    def read(self, shape: type[Shape]) -> Shape:
        """The payload in its shape."""
        return msgspec.json.decode(self.payload, type=shape)


class Hopeless(Exception):
    """A job cannot succeed by being tried again. The message says why, and what to do, to the operator."""


class Context(NamedTuple):
    """What every job may use."""

    db: Database
    settings: Settings


class Kind(NamedTuple):
    """A kind of job: its name, what it does, and how patient we are with it."""

    name: str
    run: Callable[[Context, Job], Awaitable[None]]
    every_s: float | None = None
    """Run it again and again, so long after it has ended."""
    most_attempts: int = 8
    timeout_s: float = 900.0


async def enqueue(
    db: Queries,
    kind: str,
    payload: object,
    *,
    project_id: str,
    run_at: datetime | None = None,
    unique_key: str | None = None,
) -> int | None:
    """Enqueue a job as part of the caller's transaction: no commit, no job.

    Returns its id, or None when a living job of this kind already has the `unique_key`.
    """
    return await db.value(  # type: ignore[no-any-return]
        """
        with job as (
            insert into freehold.jobs (project_id, kind, payload, run_at, unique_key)
            values ($1, $2, $3, coalesce($4, date_trunc('milliseconds', now())), $5)
            on conflict (project_id, kind, unique_key) where state <> 'dead' do nothing
            returning id, run_at
        )
        select id, case when run_at <= now() then pg_notify($6, '') end from job
        """,
        project_id,
        kind,
        msgspec.Raw(msgspec.json.encode(payload)),
        run_at,
        unique_key,
        CHANNEL,
    )


def backoff_s(attempts: int) -> float:
    """How long to wait after so many failures: seconds first, at most an hour, never in step with others."""
    return min(3600.0, 2.0 ** min(attempts, 12)) * random.uniform(0.8, 1.2)  # noqa: S311


_NAMED = "freehold jobs "


def worker_name() -> str:
    """A name for a worker, which its sessions in PostgreSQL are to bear."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:30]  # PostgreSQL keeps 63 bytes of ASCII
    return f"{_NAMED}{host}:{os.getpid()}:{secrets.token_hex(3)}"


def _as_job(row: Record) -> Job:
    return Job(row["id"], row["project_id"], row["kind"], bytes(row["payload"]), row["attempts"])


def _observe_nothing(kind: str, outcome: str, seconds: float) -> None:
    pass


class Worker:
    """Takes jobs while there are any and runs some at the same time, until it is told to stop."""

    def __init__(
        self,
        dsn: str,
        context: Context,
        kinds: Iterable[Kind],
        *,
        name: str = "",
        lease_s: float = LEASE_S,
        poll_s: float = POLL_S,
        observe: Callable[[str, str, float], None] = _observe_nothing,
    ) -> None:
        self.name = name or worker_name()
        self._dsn = dsn
        self._context = context
        self._db = context.db
        self._kinds = {kind.name: kind for kind in kinds}
        self._periodic = [kind.name for kind in self._kinds.values() if kind.every_s is not None]
        self._asked_for = [kind.name for kind in self._kinds.values() if kind.every_s is None]
        self._slots = context.settings.jobs_at_once
        self._most_of_project = self._slots - self._slots // 4
        self._lease_s = lease_s
        self._poll_s = poll_s
        self._observe = observe
        self._running: dict[int, asyncio.Task[None]] = {}
        self._taken: Counter[str] = Counter()
        """How many of those that run were asked for, by their projects."""
        self._missed: Counter[str] = Counter()
        """How often in a row other workers were seen without a session."""
        self._is_listening = False
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()
        """Set once it has reached the database and takes jobs."""

    def stop(self) -> None:
        """Take no more jobs; `run` returns when those that run have ended, or had their time."""
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Work until `stop` is called."""
        companions = [
            asyncio.create_task(each)
            for each in (self._listen(), self._keep_leases(), self._look_after_others())
        ]
        try:
            await self._work()
        finally:
            self.stop()
            await self._finish()
            for companion in companions:
                companion.cancel()
            await asyncio.gather(*companions, return_exceptions=True)

    async def _work(self) -> None:
        pause_s = 0.5
        seen_to = False
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                # Others must be able to see that we are there before we have anything that they could take.
                if self._is_listening:
                    if not seen_to:
                        await self._see_to_periodic_jobs()
                        seen_to = True
                        self.ready.set()
                    await self._take_jobs()
                pause_s = 0.5
                wait_s = self._poll_s
            except (Unavailable, asyncpg.PostgresError, OSError) as error:
                log.warning("jobs_database_unavailable", error=type(error).__name__, retry_s=pause_s)
                wait_s = pause_s
                pause_s = min(pause_s * 2, 2.0)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)

    async def _see_to_periodic_jobs(self) -> None:
        for name in self._periodic:
            await enqueue(self._db, name, {}, project_id=PLATFORM, unique_key=_PERIODIC)

    async def _take_jobs(self) -> None:
        if self._stopping.is_set():
            return
        due = (PLATFORM, self.name, self._lease_s, self._periodic, _PERIODIC)
        for job in map(_as_job, await self._db.rows(_TAKE_PERIODIC, *due)):
            self._running[job.id] = asyncio.create_task(self._run_job(job))
        while not self._stopping.is_set() and (free := self._slots - self._taken.total()) > 0:
            own = [*self._taken], [*self._taken.values()]
            asked = (free, self.name, self._lease_s, self._asked_for, self._most_of_project, *own)
            taken = [_as_job(row) for row in await self._db.rows(_TAKE, *asked)]
            for job in taken:
                self._taken[job.project_id] += 1
                self._running[job.id] = asyncio.create_task(self._run_one_asked_for(job))
            if len(taken) < free:
                return

    async def _run_one_asked_for(self, job: Job) -> None:
        try:
            await self._run_job(job)
        finally:
            self._taken[job.project_id] -= 1
            self._taken += Counter()  # without those of which none are left
            self._wake.set()

    async def _run_job(self, job: Job) -> None:
        kind = self._kinds[job.kind]
        began = time.monotonic()
        outcome = "done"
        try:
            async with asyncio.timeout(kind.timeout_s):
                await kind.run(self._context, job)
        except asyncio.CancelledError:
            outcome = "given_back"
            raise
        except Exception as error:
            # Whatever a job does wrong is its own failure: it is kept with the job, and the worker goes on.
            is_last = job.attempts >= kind.most_attempts or isinstance(error, Hopeless)
            dead = kind.every_s is None and is_last
            outcome = "dead" if dead else "failed"
            log.warning(
                "job_failed",
                job=job.id,
                kind=job.kind,
                project=job.project_id,
                attempts=job.attempts,
                dead=dead,
                exc_info=error,
            )
            await self._settle_failed(job, error, dead=dead)
        else:
            await self._settle_done(job, kind)
        finally:
            self._observe(job.kind, outcome, time.monotonic() - began)
            self._running.pop(job.id, None)
            self._wake.set()

    async def _settle_done(self, job: Job, kind: Kind) -> None:
        if kind.every_s is None:
            settled = await self._settle(job, _DONE, job.id, self.name)
        else:
            settled = await self._settle(job, _AGAIN, job.id, self.name, kind.every_s)
        if settled is None:
            log.warning("job_lease_lost", job=job.id, kind=job.kind)

    async def _settle_failed(self, job: Job, error: Exception, *, dead: bool) -> None:
        text = f"{type(error).__name__}: {error}"[:2000].replace("\0", "")
        state = "dead" if dead else "waiting"
        await self._settle(job, _FAILED, job.id, self.name, state, backoff_s(job.attempts), text)

    async def _settle(self, job: Job, sql: str, *values: object) -> object:
        """Note how a job ended; once more while the database is away or full, for as long as a lease lasts.

        Else what ran when it went away would lie still until the lease has run out.
        """
        until, pause_s = time.monotonic() + self._lease_s, 0.25
        while True:
            try:
                return await self._db.value(sql, *values)
            except (Unavailable, asyncpg.PostgresError) as problem:
                log.warning("job_not_settled", job=job.id, kind=job.kind, error=type(problem).__name__)
                if self._stopping.is_set() or time.monotonic() > until:
                    return None  # its lease runs out, and it is taken again
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 2.0)

    async def _keep_leases(self) -> None:
        """Renew the leases of what runs, and free what was leased for a time that is over."""
        while True:
            await asyncio.sleep(self._lease_s / 3)
            with suppress(Unavailable, asyncpg.PostgresError):
                await self._renew()
                if await self._db.rows(_RECLAIM):
                    self._wake.set()

    async def _renew(self) -> None:
        mine = list(self._running)
        if mine:
            kept = await self._db.rows(_RENEW, mine, self.name, self._lease_s)
            for lost in set(mine) - {row["id"] for row in kept}:
                if task := self._running.get(lost):
                    task.cancel()

    async def _look_after_others(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            with suppress(Unavailable, asyncpg.PostgresError):
                await self.free_what_others_left()

    async def free_what_others_left(self) -> None:
        """Look who of those that run something is there. Who was missed LOOKS times runs it no more."""
        missing = [row["leased_by"] for row in await self._db.rows(_WITHOUT_SESSION, self.name, _NAMED)]
        self._missed = Counter({name: self._missed[name] + 1 for name in missing})
        gone = [name for name, times in self._missed.items() if times >= LOOKS]
        if gone and await self._db.rows(_FREE, gone):
            self._wake.set()

    async def _listen(self) -> None:
        """Wake up when a job is enqueued. When the connection is lost, polling bridges the while."""
        pause_s = 0.25
        while True:
            try:
                connection = await connect(self._dsn, name=self.name)
                gone = asyncio.Event()
                connection.add_termination_listener(lambda _, gone=gone: gone.set())
                try:
                    await connection.add_listener(CHANNEL, lambda *_: self._wake.set())
                    await self._renew()  # what others took while we were not to be seen is not ours any more
                    self._is_listening = True
                    self._wake.set()
                    pause_s = 0.25
                    await gone.wait()
                finally:
                    self._is_listening = False
                    connection.terminate()
            except (
                Unavailable,
                OSError,
                TimeoutError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
            ) as error:
                log.warning("jobs_database_unavailable", error=type(error).__name__, retry_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 2.0)

    async def _finish(self) -> None:
        """Let what runs end in time, then cancel it, and give all leases back."""
        if tasks := list(self._running.values()):
            _, late = await asyncio.wait(tasks, timeout=self._context.settings.shutdown_timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(Unavailable, asyncpg.PostgresError):
            await self._db.run(_GIVE_BACK, self.name, CHANNEL)


_PERIODIC = "periodic"
"""The unique key of what is run again and again."""

_TAKE_PERIODIC = """
update freehold.jobs set state = 'running', attempts = attempts + 1, leased_by = $2,
       leased_until = now() + make_interval(secs => $3), updated_at = now()
 where id in (select id from freehold.jobs
               where project_id = $1 and kind = any($4) and unique_key = $5 and state = 'waiting'
                 and run_at <= now() for update skip locked)
returning id, project_id, kind, payload, attempts
"""

_TAKE = """
with recursive projects(id) as (
    -- each project that has something due, found by skipping through the index
    (select project_id from freehold.jobs
      where state = 'waiting' and run_at <= now() order by project_id limit 1)
    union all
    select (select project_id from freehold.jobs
             where state = 'waiting' and run_at <= now() and project_id > projects.id
             order by project_id limit 1)
      from projects where projects.id is not null
), due as (
    -- by turns: the first of each project, then the second of each, so nobody waits behind one who has many
    select job.id, job.run_at, row_number() over (partition by projects.id order by job.run_at, job.id) turn
      from projects cross join lateral (
        select id, run_at from freehold.jobs
         where state = 'waiting' and project_id = projects.id and run_at <= now() and kind = any($4)
         order by run_at, id
         limit greatest(0, least($1, $5 - coalesce(
            (select own.running from unnest($6::text[], $7::int[]) own (project_id, running)
              where own.project_id = projects.id), 0)))
           for update skip locked
      ) job
     where projects.id is not null
     order by turn, job.run_at, job.id limit $1
)
update freehold.jobs set state = 'running', attempts = attempts + 1, leased_by = $2,
       leased_until = now() + make_interval(secs => $3), updated_at = now()
  from due where jobs.id = due.id and jobs.state = 'waiting'
returning jobs.id, jobs.project_id, jobs.kind, jobs.payload, jobs.attempts
"""

_DONE = "delete from freehold.jobs where id = $1 and leased_by = $2 returning 1"

_AGAIN = """
update freehold.jobs set state = 'waiting', attempts = 0, error = null, leased_by = null, leased_until = null,
       run_at = now() + make_interval(secs => $3), updated_at = now()
 where id = $1 and leased_by = $2 returning 1
"""

_FAILED = """
update freehold.jobs set state = $3, error = $5, leased_by = null, leased_until = null,
       run_at = now() + make_interval(secs => $4), updated_at = now()
 where id = $1 and leased_by = $2
"""

_RENEW = """
update freehold.jobs set leased_until = now() + make_interval(secs => $3)
 where id = any($1) and leased_by = $2 returning id
"""

_RECLAIM = """
update freehold.jobs set state = 'waiting', leased_by = null, leased_until = null, updated_at = now(),
       error = 'The worker that ran it is gone.'
 where id in (select id from freehold.jobs where state = 'running' and leased_until < now()
               order by leased_until limit 100 for update skip locked)
returning id
"""

# Who cannot see itself, as behind a pooler that gives sessions names of its own, can tell nothing of others.
_WITHOUT_SESSION = """
select distinct leased_by from freehold.jobs
 where state = 'running' and leased_by <> $1 and starts_with(leased_by, $2)
   and not exists (select from pg_stat_activity where application_name = leased_by)
   and exists (select from pg_stat_activity where application_name = $1)
"""

_FREE = """
update freehold.jobs set state = 'waiting', leased_by = null, leased_until = null, updated_at = now(),
       error = 'The worker that ran it is gone.'
 where id in (select id from freehold.jobs
               where state = 'running' and leased_by = any($1)
                 and not exists (select from pg_stat_activity where application_name = leased_by)
               limit 100 for update skip locked)
returning id
"""

_GIVE_BACK = """
with given as (
    update freehold.jobs set state = 'waiting', attempts = attempts - 1, updated_at = now(),
           leased_by = null, leased_until = null
     where leased_by = $1 and state = 'running' returning 1
)
select pg_notify($2, '') from given limit 1
"""
