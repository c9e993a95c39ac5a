"""Jobs: they come with the transaction or not at all, are run at least once, and by turns."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest
from structlog.testing import capture_logs

from freehold import housekeeping, jobs
from freehold.config import Settings
from freehold.db.migrate import migrate
from freehold.db.pool import Database, connect
from freehold.jobs import Context, Job, Kind, Worker, enqueue, worker_name

SETTINGS = Settings(jobs_at_once=4, shutdown_timeout_s=0.5)


class Greeting(msgspec.Struct):
    to: str


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url)
    database = Database(database_url, size=8, statement_timeout_s=15)
    yield database
    await database.close()


@asynccontextmanager
async def working(
    url: str, db: Database, *kinds: Kind, settings: Settings = SETTINGS, lease_s: float = 60
) -> AsyncIterator[Worker]:
    worker = Worker(url, Context(db, settings), kinds, lease_s=lease_s, poll_s=0.2)
    task = asyncio.create_task(worker.run())
    try:
        await asyncio.wait_for(worker.ready.wait(), 10)
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(task, 10)


async def until(holds: Callable[[], object], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def until_database_says(db: Database, question: str) -> None:
    async with asyncio.timeout(10):
        while not await db.value(question):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def until_none_are_left(db: Database) -> None:
    await until_database_says(db, "select count(*) = 0 from freehold.jobs")


def greeter(said: list[str]) -> Kind:
    async def greet(context: Context, job: Job) -> None:
        said.append(job.read(Greeting).to)

    return Kind("greet", greet)


async def test_a_job_comes_with_its_transaction_and_is_gone_when_done(
    database_url: str, db: Database
) -> None:
    said: list[str] = []
    undone = db.transaction()
    await enqueue(undone, "greet", Greeting("nobody"), project_id="p")
    await undone.rollback()
    async with db.transaction() as transaction:
        await enqueue(transaction, "greet", Greeting("Jane"), project_id="p")

    async with working(database_url, db, greeter(said)):
        await until(lambda: said)
        await until_none_are_left(db)
    assert said == ["Jane"]


async def test_a_worker_is_woken_and_need_not_poll(database_url: str, db: Database) -> None:
    said: list[str] = []
    worker = Worker(database_url, Context(db, SETTINGS), [greeter(said)], poll_s=60)
    task = asyncio.create_task(worker.run())
    await worker.ready.wait()
    await asyncio.sleep(0.3)
    await enqueue(db, "greet", Greeting("Jane"), project_id="p")

    await until(lambda: said, seconds=3)
    worker.stop()
    await asyncio.wait_for(task, 5)


async def test_a_job_waits_for_its_time(database_url: str, db: Database) -> None:
    said: list[str] = []
    soon = datetime.now(UTC) + timedelta(seconds=0.7)
    await enqueue(db, "greet", Greeting("later"), project_id="p", run_at=soon)
    await enqueue(db, "greet", Greeting("now"), project_id="p")

    async with working(database_url, db, greeter(said)):
        await until(lambda: said)
        assert said == ["now"]
        await until(lambda: len(said) == 2)
        assert datetime.now(UTC) >= soon


async def test_a_living_job_with_the_same_key_is_not_enqueued_twice(db: Database) -> None:
    first = await enqueue(db, "greet", Greeting("a"), project_id="p", unique_key="k")

    assert first is not None
    assert await enqueue(db, "greet", Greeting("b"), project_id="p", unique_key="k") is None
    assert await enqueue(db, "greet", Greeting("b"), project_id="q", unique_key="k") is not None
    assert await enqueue(db, "greet", Greeting("b"), project_id="p", unique_key="other") is not None


async def test_what_fails_is_tried_again_and_kept_as_dead_with_its_error(
    database_url: str, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "backoff_s", lambda attempts: 0.0)
    tried: list[int] = []

    async def fail(context: Context, job: Job) -> None:
        tried.append(job.attempts)
        raise RuntimeError("no bird today")

    await enqueue(db, "fail", {}, project_id="p")
    async with working(database_url, db, Kind("fail", fail, most_attempts=3)):
        await until(lambda: len(tried) == 3)
        await asyncio.sleep(0.5)

    row = await db.row("select state, attempts, error from freehold.jobs")
    assert tried == [1, 2, 3]
    assert row is not None
    assert tuple(row) == ("dead", 3, "RuntimeError: no bird today")


async def test_failures_are_spaced_wider_each_time_and_at_most_an_hour() -> None:
    assert jobs.backoff_s(1) < jobs.backoff_s(4) < jobs.backoff_s(8)
    assert 2000 < jobs.backoff_s(1000) <= 3600 * 1.2


async def test_a_job_that_takes_too_long_is_ended(database_url: str, db: Database) -> None:
    async def dawdle(context: Context, job: Job) -> None:
        await asyncio.sleep(60)

    await enqueue(db, "dawdle", {}, project_id="p")
    async with working(database_url, db, Kind("dawdle", dawdle, timeout_s=0.1, most_attempts=1)):
        await until_database_says(db, "select state = 'dead' from freehold.jobs")


async def test_many_jobs_of_one_project_do_not_hold_up_another(database_url: str, db: Database) -> None:
    order: list[str] = []

    async def note(context: Context, job: Job) -> None:
        order.append(job.project_id)

    for number in range(40):
        await enqueue(db, "note", number, project_id="many")
    await enqueue(db, "note", 0, project_id="one")
    async with working(database_url, db, Kind("note", note)):
        await until(lambda: len(order) == 41)

    assert order.index("one") < SETTINGS.jobs_at_once


async def test_long_jobs_of_one_project_hold_up_neither_another_nor_the_platform(
    database_url: str, db: Database
) -> None:
    began: list[str] = []
    over = asyncio.Event()

    async def dawdle(context: Context, job: Job) -> None:
        began.append(job.project_id)
        await over.wait()

    async def tick(context: Context, job: Job) -> None:
        began.append("tick")

    for _ in range(SETTINGS.jobs_at_once * 2):
        await enqueue(db, "dawdle", {}, project_id="long")
    async with working(database_url, db, Kind("dawdle", dawdle), Kind("tick", tick, every_s=0.1)):
        await until(lambda: began.count("long") == SETTINGS.jobs_at_once - 1)
        await enqueue(db, "dawdle", {}, project_id="other")
        await until(lambda: "other" in began)
        before = began.count("tick")
        await until(lambda: began.count("tick") > before)  # every slot is taken now
        assert began.count("long") == SETTINGS.jobs_at_once - 1
        over.set()
        await until(lambda: began.count("long") == SETTINGS.jobs_at_once * 2)


async def test_two_workers_share_the_jobs_and_run_each_once(database_url: str, db: Database) -> None:
    said: list[str] = []
    for number in range(60):
        await enqueue(db, "greet", Greeting(str(number)), project_id=f"p{number % 7}")
    async with working(database_url, db, greeter(said)), working(database_url, db, greeter(said)):
        await until_none_are_left(db)

    assert sorted(said, key=int) == [str(number) for number in range(60)]


async def test_jobs_of_a_kind_that_a_worker_does_not_know_are_left_to_others(
    database_url: str, db: Database
) -> None:
    said: list[str] = []
    await enqueue(db, "from_the_future", {}, project_id="p")
    await enqueue(db, "greet", Greeting("Jane"), project_id="p")
    async with working(database_url, db, greeter(said)):
        await until(lambda: said)

    assert await db.value("select state || attempts from freehold.jobs") == "waiting0"


async def test_a_worker_that_stops_gives_its_leases_back_unspent(database_url: str, db: Database) -> None:
    began = asyncio.Event()

    async def dawdle(context: Context, job: Job) -> None:
        began.set()
        await asyncio.sleep(60)

    await enqueue(db, "dawdle", {}, project_id="p")
    async with working(database_url, db, Kind("dawdle", dawdle)):
        await began.wait()
        assert await db.value("select state || attempts from freehold.jobs") == "running1"

    row = await db.row("select state, attempts, leased_by, run_at <= now() from freehold.jobs")
    assert row is not None
    assert tuple(row) == ("waiting", 0, None, True)


async def test_a_worker_that_stops_lets_what_runs_end(database_url: str, db: Database) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def brief(context: Context, job: Job) -> None:
        began.set()
        await asyncio.sleep(0.3)
        ended.set()

    await enqueue(db, "brief", {}, project_id="p")
    async with working(
        database_url, db, Kind("brief", brief), settings=replace(SETTINGS, shutdown_timeout_s=5)
    ):
        await began.wait()

    assert ended.is_set()
    assert await db.value("select count(*) from freehold.jobs") == 0


async def test_the_lease_of_a_worker_that_died_runs_out_and_that_of_one_that_lives_does_not(
    database_url: str, db: Database
) -> None:
    runs: list[int] = []

    async def slow(context: Context, job: Job) -> None:
        runs.append(job.attempts)
        await asyncio.sleep(1.5)

    await enqueue(db, "slow", {}, project_id="p")
    await db.run(
        "update freehold.jobs set state = 'running', leased_by = 'a worker that died', attempts = 1,"
        " leased_until = now() + interval '0.3 s'"
    )
    settings = replace(SETTINGS, shutdown_timeout_s=5)
    async with (
        working(database_url, db, Kind("slow", slow), settings=settings, lease_s=0.6),
        working(database_url, db, Kind("slow", slow), settings=settings, lease_s=0.6),
    ):
        await until_none_are_left(db)

    assert runs == [2]


async def test_what_a_killed_worker_ran_is_taken_over_though_its_lease_is_long(
    database_url: str, db: Database
) -> None:
    runs: list[tuple[int, bool]] = []
    killed = await connect(database_url, name=worker_name())

    async def note(context: Context, job: Job) -> None:
        runs.append((job.attempts, killed.is_closed()))

    await enqueue(db, "note", {}, project_id="p")
    await leased_by(db, await killed.fetchval("show application_name"))
    async with working(database_url, db, Kind("note", note)):
        await asyncio.sleep(1.5)  # more looks than it takes for one that is not there
        killed.terminate()
        await until_none_are_left(db)

    assert runs == [(2, True)]


async def test_a_worker_that_comes_back_in_time_keeps_what_it_runs(database_url: str, db: Database) -> None:
    """As when PostgreSQL was restarted, or a connection was lost."""
    observer = Worker(database_url, Context(db, SETTINGS), [greeter([])])
    me = await connect(database_url, name=observer.name)
    other = worker_name()
    await enqueue(db, "greet", Greeting("Jane"), project_id="p")
    await leased_by(db, other)

    for _ in range(3):
        for _ in range(jobs.LOOKS - 1):
            await observer.free_what_others_left()
        there = await connect(database_url, name=other)
        await observer.free_what_others_left()
        assert await db.value("select leased_by from freehold.jobs") == other
        await ended(db, there)
    for _ in range(jobs.LOOKS):
        assert await db.value("select leased_by from freehold.jobs") == other
        await observer.free_what_others_left()
    assert await db.value("select state from freehold.jobs") == "waiting"
    me.terminate()


async def test_a_worker_that_cannot_be_seen_itself_says_of_nobody_that_it_is_gone(
    database_url: str, db: Database
) -> None:
    """As behind a pooler whose sessions have names of its own; and workers of before have none."""
    observer = Worker(database_url, Context(db, SETTINGS), [greeter([])])
    await enqueue(db, "greet", Greeting("Jane"), project_id="p")
    await leased_by(db, worker_name())
    for _ in range(jobs.LOOKS * 2):
        await observer.free_what_others_left()
    unseen = await db.value("select state from freehold.jobs")
    me = await connect(database_url, name=observer.name)
    await leased_by(db, "host:4711:a1b2c3")
    for _ in range(jobs.LOOKS * 2):
        await observer.free_what_others_left()

    assert (unseen, await db.value("select state from freehold.jobs")) == ("running", "running")
    me.terminate()


async def leased_by(db: Database, name: str) -> None:
    """Have the one job run by somebody, who has an hour for it."""
    await db.run(
        "update freehold.jobs set state = 'running', leased_by = $1, attempts = 1,"
        " leased_until = now() + interval '1 h'",
        name,
    )


async def ended(db: Database, connection: asyncpg.Connection) -> None:
    """End a session, and wait until PostgreSQL has seen that."""
    pid = connection.get_server_pid()
    connection.terminate()
    await until_database_says(db, f"select count(*) = 0 from pg_stat_activity where pid = {pid}")


async def test_a_worker_outlives_its_connections(database_url: str, admin_url: str, db: Database) -> None:
    said: list[str] = []
    async with working(database_url, db, greeter(said)):
        admin = Database(admin_url, size=1, statement_timeout_s=5)
        await admin.run(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        await admin.run(
            "insert into freehold.jobs (project_id, kind, payload)"
            " values ('p', 'greet', '{\"to\": \"Jane\"}')"
        )
        await admin.close()
        await until(lambda: said)


async def test_what_ends_while_the_database_is_away_is_settled_when_it_is_back(
    database_url: str, admin_url: str, db: Database
) -> None:
    """And neither done again nor left until its lease has run out."""
    admin = Database(admin_url, size=1, statement_timeout_s=5)
    here = await db.value("select current_database()")
    ran: list[int] = []

    async def outlive(context: Context, job: Job) -> None:
        ran.append(job.attempts)
        await admin.script(f"alter database {here} connection limit 0")
        await admin.run(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )

    await enqueue(db, "outlive", {}, project_id="p")
    try:
        with capture_logs() as logs:
            async with working(database_url, db, Kind("outlive", outlive)):
                await until(lambda: [each for each in logs if each["event"] == "job_not_settled"])
                assert await admin.value("select state from freehold.jobs") == "running"
                await admin.script(f"alter database {here} connection limit -1")
                await until_none_are_left(admin)
    finally:
        await admin.close()
    assert ran == [1]


async def test_periodic_jobs_stand_once_however_many_workers_there_are(
    database_url: str, db: Database
) -> None:
    ticks: list[datetime] = []

    async def tick(context: Context, job: Job) -> None:
        ticks.append(datetime.now(UTC))

    kind = Kind("tick", tick, every_s=0.5)
    async with working(database_url, db, kind), working(database_url, db, kind):
        await until(lambda: len(ticks) == 3)

    assert await db.value("select count(*) from freehold.jobs") == 1
    assert all(later - earlier >= timedelta(seconds=0.4) for earlier, later in itertools.pairwise(ticks))


async def test_pruning_deletes_what_had_its_time_and_nothing_else(database_url: str, db: Database) -> None:
    await db.script(
        """
        insert into freehold.users (project_id, id) values ('console', 'jane');
        insert into freehold.sessions (project_id, id, user_id, secret_digest, provider, factors, ip,
                                       user_agent, expires_at)
        select 'console', 's' || n, 'jane', n::text::bytea, 'email', '{password}', '', '',
               now() + (case when n > 2 then 1 else -1 end) * interval '1 h' from generate_series(1, 5) n;
        insert into freehold.outbox (project_id, event, actor, request_id, created_at, audited)
        select 'console', 'e', '', '', now() - n * interval '1 day', n <> 9 from generate_series(0, 9) n;
        insert into freehold.rate_limits (key, window_start, hits, expires_at)
        select n::text::bytea, now(), 1, now() + (case when n > 1 then 1 else -1 end) * interval '1 h'
          from generate_series(1, 3) n;
        insert into freehold.transactions (project_id, id, owner, expires_at)
        select 'console', 't' || n, '', now() + n * interval '45 min' from generate_series(-2, 1) n;
        insert into freehold.signing_keys (project_id, id, public_key, private_sealed, ends_at)
        select 'console', 'k' || n, '{}', '', ends_at
        from (values (1, now() - interval '1 s'), (2, now() + interval '1 h'), (3, 'infinity'))
             k (n, ends_at);
        insert into freehold.transaction_operations
        select 'console', id, 1, '{}', now(), '', null, '{}' from freehold.transactions;
        """
    )
    job = Job(1, jobs.PLATFORM, "platform.prune", b"{}", 1)
    await housekeeping.prune(Context(db, replace(SETTINGS, outbox_days=5.5)), job)

    assert await db.value("select string_agg(id, ',' order by id) from freehold.sessions") == "s3,s4,s5"
    assert await db.value("select count(*) from freehold.outbox where audited") == 6
    assert await db.value("select count(*) from freehold.outbox where not audited") == 1
    assert await db.value("select count(*) from freehold.rate_limits") == 2
    assert await db.value("select string_agg(id, ',' order by id) from freehold.signing_keys") == "k2,k3"
    kept = (
        "select string_agg(transaction_id, ',' order by transaction_id) from freehold.transaction_operations"
    )
    assert await db.value(kept) == "t-1,t0,t1"


async def test_the_tables_of_a_deleted_project_are_dropped_and_no_others(
    database_url: str, db: Database
) -> None:
    await db.script(
        """
        create schema shop;
        create table shop.a (id int primary key);
        create table shop.b (id int references shop.a);
        create schema "kept"; create table kept.a (id int);
        insert into freehold.databases (project_id, id, name, namespace) values ('console', 'k', 'k', 'kept');
        """
    )
    await enqueue(db, "greet", Greeting("never"), project_id="gone")
    await enqueue(
        db, housekeeping.DROP_PROJECT, housekeeping.DroppedProject(["shop", "never_made"]), project_id="gone"
    )
    async with working(database_url, db, *housekeeping.KINDS):
        await until_database_says(db, "select count(*) = 0 from freehold.jobs where project_id = 'gone'")

    assert await db.value("select to_regnamespace('shop') is null and to_regclass('kept.a') is not null")


@pytest.mark.parametrize("namespace", ["freehold", "public", "pg_catalog", "kept"])
async def test_a_schema_that_is_in_use_is_never_dropped(db: Database, namespace: str) -> None:
    await db.script(
        "create schema kept;"
        "insert into freehold.databases (project_id, id, name, namespace)"
        " values ('console', 'k', 'k', 'kept')"
    )
    payload = msgspec.json.encode(housekeeping.DroppedProject([namespace]))

    with pytest.raises(ValueError, match=namespace):
        await housekeeping.drop_project(
            Context(db, SETTINGS), Job(1, "gone", housekeeping.DROP_PROJECT, payload, 1)
        )
    assert await db.value("select count(*) from freehold.projects") == 1
