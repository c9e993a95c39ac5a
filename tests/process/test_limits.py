"""Rate limits: what processes count apart is counted together, and never lost to anybody's disadvantage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from freehold.db.migrate import migrate
from freehold.db.pool import Database
from freehold.web.endpoint import limit
from freehold.web.limits import MAX_WINDOWS, Hits

OFTEN = limit("120/60s")
SELDOM = limit("10/3600s")
START = 1_800_000_000.0
COUNTED = "select coalesce(sum(hits), 0) from freehold.rate_limits"


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url)
    database = Database(database_url, size=8, statement_timeout_s=15)
    yield database
    await database.close()


async def test_a_process_learns_what_others_have_counted(db: Database) -> None:
    here, there = Hits(db), Hits(db)
    for _ in range(30):
        await here.count(b"jane", OFTEN, START)
        await there.count(b"jane", OFTEN, START)
    await here.settle()
    await there.settle()

    assert await there.count(b"jane", OFTEN, START) == 61
    assert await db.value(COUNTED) == 60


async def test_hits_that_nobody_settles_by_hand_are_settled_all_the_same(db: Database) -> None:
    hits = Hits(db)
    await hits.count(b"jane", OFTEN, START)
    assert await db.value(COUNTED) == 0

    async with asyncio.timeout(10):
        while await db.value(COUNTED) != 1:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_two_processes_together_pass_a_limit_by_less_than_a_tenth(db: Database) -> None:
    processes = Hits(db), Hits(db)
    let_in = 0
    for at in range(300):
        let_in += await processes[at % 2].count(b"jane", OFTEN, START) <= OFTEN.hits

    assert OFTEN.hits <= let_in < OFTEN.hits * 1.1


async def test_many_hits_at_once_are_each_counted_once(db: Database) -> None:
    hits = Hits(db)
    await asyncio.gather(*(hits.count(b"jane", OFTEN, START) for _ in range(100)))
    await hits.settle()

    assert await db.value(COUNTED) == 100
    assert await hits.count(b"jane", OFTEN, START) == 101


async def test_a_small_limit_is_exact_and_can_be_forgiven(db: Database) -> None:
    here, there = Hits(db), Hits(db)
    counted = [await each.count(b"jane", SELDOM, START) for _ in range(6) for each in (here, there)]
    assert counted == list(range(1, 13))

    await db.run("delete from freehold.rate_limits")
    assert await here.count(b"jane", SELDOM, START) == 1


async def test_windows_and_callers_are_counted_apart(db: Database) -> None:
    hits = Hits(db)
    for _ in range(200):
        await hits.count(b"jane", OFTEN, START)

    assert await hits.count(b"jane", OFTEN, START) > OFTEN.hits
    assert await hits.count(b"bob", OFTEN, START) == 1
    assert await hits.count(b"jane", OFTEN, START + 60) == 1


async def test_what_is_remembered_is_bounded_and_what_was_counted_is_not_forgotten(db: Database) -> None:
    hits = Hits(db)
    for at in range(MAX_WINDOWS + 10):
        await hits.count(at.to_bytes(16), OFTEN, START)
    await hits.settle()

    assert len(hits._windows) <= MAX_WINDOWS
    assert await db.value(COUNTED) == MAX_WINDOWS + 10


async def test_a_database_that_is_away_refuses_nobody_and_what_was_counted_is_settled_later(
    db: Database,
) -> None:
    hits = Hits(db)
    await hits.count(b"jane", OFTEN, START)
    await db.run("alter table freehold.rate_limits rename to away")
    await hits.settle()
    assert await hits.count(b"jane", OFTEN, START) == 2

    await db.run("alter table freehold.away rename to rate_limits")
    await hits.settle()
    assert await db.value(COUNTED) == 2
