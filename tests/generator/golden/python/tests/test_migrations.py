"""Migrations: forwards, backwards, twice at once, and onto tables that are there already."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from app import migrate
from app.core.ids import new_id
from tests.conftest import ADMIN_URL, ROOT

Work = Callable[[Any], Awaitable[None]]


@pytest.fixture
def empty_url(runner: asyncio.Runner) -> Iterator[str]:
    name = "test_" + new_id().hex

    async def run(statement: str) -> None:
        admin = await asyncpg.connect(ADMIN_URL)
        await admin.execute(statement)
        await admin.close()

    runner.run(run(f"create database {name}"))
    yield urlunsplit(urlsplit(ADMIN_URL)._replace(path=f"/{name}"))
    runner.run(run(f"drop database {name} with (force)"))


async def prepare(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute((ROOT / "db" / "roles.sql").read_text())
    await connection.close()


async def during(url: str, *work: Work, schema: str = "public", role: str = "app_owner") -> None:
    async with migrate.session(url, schema, role) as connection:
        for each in work:
            await each(connection)


async def tables(connection: Any) -> set[str]:
    rows = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    return {row["tablename"] for row in rows} - {"schema_migrations"}


def test_every_migration_can_be_undone_and_done_again(runner: asyncio.Runner, empty_url: str) -> None:
    async def walk() -> tuple[set[str], set[str], set[str]]:
        await prepare(empty_url)
        async with migrate.session(empty_url, "public", "app_owner") as connection:
            await migrate.up(connection)
            first = await tables(connection)
            for _ in migrate.versions():
                await migrate.down(connection)
            between = await tables(connection)
            await migrate.up(connection)
            return first, between, await tables(connection)

    first, between, last = runner.run(walk())
    assert first == last != set()
    assert between == set()


def test_ten_replicas_that_start_at_once_do_not_collide(runner: asyncio.Runner, empty_url: str) -> None:
    async def walk() -> set[str]:
        await prepare(empty_url)
        await asyncio.gather(*(during(empty_url, migrate.up) for _ in range(10)))
        async with migrate.session(empty_url, "public", "app_owner") as connection:
            return set(await migrate.applied(connection))

    assert runner.run(walk()) == set(migrate.versions())


def test_an_edited_migration_is_refused(
    runner: asyncio.Runner, empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in migrate.files().values():
        (tmp_path / path.name).write_text(path.read_text())
    monkeypatch.setattr(migrate, "FOLDER", tmp_path)
    runner.run(prepare(empty_url))
    runner.run(during(empty_url, migrate.up))
    edited = next(iter(migrate.files().values()))
    edited.write_text(edited.read_text() + "\n-- edited\n")

    with pytest.raises(migrate.MigrationError, match="edited after it was applied"):
        runner.run(during(empty_url, migrate.up))


def test_baseline_takes_the_right_tables_and_refuses_others(runner: asyncio.Runner, empty_url: str) -> None:
    async def make(connection: Any) -> None:
        await connection.execute("create schema elsewhere; set search_path = elsewhere")
        for path in migrate.files().values():
            await connection.execute(migrate.block(path, "up")[0])

    async def forget(connection: Any) -> None:
        await connection.execute("delete from schema_migrations; alter table {} drop column {} cascade".format(*victim))

    async def check(connection: Any) -> set[str]:
        return set(await migrate.applied(connection))

    from tests.resources import RESOURCES

    victim = (RESOURCES[-1].table, RESOURCES[-1].columns["id"])

    async def walk() -> None:
        connection = await asyncpg.connect(empty_url)
        await make(connection)
        await connection.close()
        async with migrate.session(empty_url, "elsewhere", "") as session:
            await migrate.baseline(session)
            assert await check(session) == set(migrate.versions())
            await migrate.up(session)
            await forget(session)
            with pytest.raises(migrate.MigrationError, match="is missing"):
                await migrate.baseline(session)
            assert await check(session) == set()

    runner.run(walk())
