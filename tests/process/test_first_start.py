"""What a first start makes, and what a start with other settings finds."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from freehold.db.migrate import migrate
from freehold.db.pool import Database
from freehold.services.project import first_start
from freehold.up import Announcement

SECRET, ANOTHER = "a" * 64, "b" * 64


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url)
    database = Database(database_url, size=2, statement_timeout_s=15)
    yield database
    await database.close()


async def test_a_second_start_finds_what_the_first_made(db: Database) -> None:
    with capture_logs() as logged:
        first, second = await first_start(db, SECRET), await first_start(db, SECRET)

    assert first == second
    assert first.key.startswith("standard_")
    assert logged == []


async def test_a_machine_with_another_secret_is_told(db: Database) -> None:
    first = await first_start(db, SECRET)
    with capture_logs() as logged:
        second = await first_start(db, ANOTHER)

    assert (second.project, second.key) == (first.project, "")
    assert [(line["event"], line["log_level"]) for line in logged] == [("another_secret", "warning")]
    assert "FREEHOLD_SECRET" in logged[0]["advice"]
    assert SECRET not in str(logged)
    assert ANOTHER not in str(logged)


def test_a_key_that_is_not_known_leaves_no_blank_behind_its_name() -> None:
    told = Announcement("http://127.0.0.1:8080/v1", "default", "", 1, "", "http://127.0.0.1:9090", "data", "")
    printed = io.StringIO()
    told.print(printed, as_json=False)

    assert "  API key    none that can be shown\n" in printed.getvalue()
