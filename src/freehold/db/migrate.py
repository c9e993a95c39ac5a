"""The platform's own tables brought up to date: numbered SQL files, each applied once and whole."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Sequence
from importlib import resources
from typing import NamedTuple

import asyncpg

from freehold.config import Refusal

LOCK = 0x6672656568  # one number for all runners of an installation
LOCK_PATIENCE_S = 120.0
LOCK_POLL_S = 0.1

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")

_TABLE = """
create schema if not exists freehold;
create table if not exists freehold.migrations (
    number      int primary key,
    name        text not null,
    sha256      text not null,
    duration_ms int not null,
    applied_at  timestamptz(3) not null default now()
);
"""


class MigrationError(Refusal):
    """The database cannot be brought up to date."""


class Migration(NamedTuple):
    """One numbered file."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.replace("\r\n", "\n").encode()).hexdigest()


def _say_nothing(line: str) -> None:
    pass


async def migrate(
    dsn: str, *, migrations: Sequence[Migration] | None = None, report: Callable[[str], None] = _say_nothing
) -> list[str]:
    """Apply what is missing, and return the names of what was applied. Any number of runners may race.

    Each migration is one transaction that also holds the lock, so the lock cannot outlive its holder, and a
    migration that fails leaves nothing behind.
    """
    known = list_migrations() if migrations is None else _in_order(migrations)
    connection = await _connect(dsn)
    try:
        applied: list[str] = []
        while (name := await _apply_next(connection, known, report)) is not None:
            applied.append(name)
        return applied
    finally:
        await connection.close(timeout=5)


async def pending(dsn: str, *, migrations: Sequence[Migration] | None = None) -> list[Migration]:
    """What a database still misses. Raises MigrationError when it and this code can never fit."""
    known = list_migrations() if migrations is None else _in_order(migrations)
    connection = await _connect(dsn)
    try:
        if not await connection.fetchval("select to_regclass('freehold.migrations') is not null"):
            return list(known)
        return _missing(known, await _read_applied(connection))
    finally:
        await connection.close(timeout=5)


def list_migrations() -> list[Migration]:
    """The migrations that this release brings."""
    found: list[Migration] = []
    for file in resources.files("freehold.db").joinpath("migrations").iterdir():
        if file.name.endswith(".sql"):
            match = _NAME.fullmatch(file.name)
            if match is None:
                raise MigrationError(f"{file.name}: a migration is named 0001_what_it_does.sql.")
            found.append(Migration(int(match[1]), file.name.removesuffix(".sql"), file.read_text("utf-8")))
    return _in_order(found)


def _in_order(migrations: Sequence[Migration]) -> list[Migration]:
    ordered = sorted(migrations)
    for expected, migration in enumerate(ordered, start=1):
        if migration.number != expected:
            raise MigrationError(
                f"Migration {expected:04} is missing or there twice: {migration.name} stands in its place."
                " Numbers follow one another; renumber the files."
            )
    return ordered


async def _connect(dsn: str) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(
            dsn,
            timeout=10,
            statement_cache_size=0,
            server_settings={"application_name": "freehold migrate", "statement_timeout": "0"},
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        # The cause may quote the address with its password, so only its kind is repeated.
        raise MigrationError(
            f"The database cannot be reached ({type(error).__name__}). See that PostgreSQL runs, and that"
            " DATABASE_URL"
            " names its host, port, database, user and password."
        ) from None


async def _apply_next(
    connection: asyncpg.Connection, known: Sequence[Migration], report: Callable[[str], None]
) -> str | None:
    """Apply the first migration that is missing; None when there is none."""
    deadline = time.monotonic() + LOCK_PATIENCE_S
    told = False
    while True:
        async with connection.transaction():
            # Polled, not waited for: a transaction that waits holds back vacuum and concurrent index builds.
            if await connection.fetchval("select pg_try_advisory_xact_lock($1)", LOCK):
                await connection.execute(_TABLE)
                missing = _missing(known, await _read_applied(connection))
                if missing:
                    await _apply(connection, missing[0])
                    report(f"Migration {missing[0].name} applied ({len(missing) - 1} to go).")
                    return missing[0].name
                return None
        if not told:
            report("Another process migrates this database. Waiting for it.")
            told = True
        if time.monotonic() > deadline:
            raise MigrationError(
                f"Another process has been migrating this database for {LOCK_PATIENCE_S:.0f} s. Wait for it"
                " to end, or end it (it holds the advisory lock in pg_locks)."
            )
        await asyncio.sleep(LOCK_POLL_S)


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    began = time.monotonic()
    # A migration that waits for a lock makes everything behind it wait too.
    await connection.execute("set local lock_timeout = '10s'")
    before = await connection.fetchval("select pg_current_xact_id()::text")
    try:
        await connection.execute(migration.sql)
    except asyncpg.PostgresError as error:
        raise MigrationError(
            f"Migration {migration.name} failed, and nothing of it was kept: {error.message or error}"
        ) from error
    if await connection.fetchval("select pg_current_xact_id()::text") != before:
        raise MigrationError(
            f"Migration {migration.name} ends its own transaction. Take commit and begin out of it."
        )
    await connection.execute(
        "insert into freehold.migrations (number, name, sha256, duration_ms) values ($1, $2, $3, $4)",
        migration.number,
        migration.name,
        migration.sha256,
        round((time.monotonic() - began) * 1000),
    )


async def _read_applied(connection: asyncpg.Connection) -> list[tuple[int, str, str]]:
    rows = await connection.fetch("select number, name, sha256 from freehold.migrations order by number")
    return [tuple(row) for row in rows]


def _missing(known: Sequence[Migration], applied: Sequence[tuple[int, str, str]]) -> list[Migration]:
    """What has not been applied yet. Raises MigrationError when what was applied is not what is known."""
    newest = applied[-1] if applied else (0, "", "")
    if newest[0] > len(known):
        ours = known[-1].name if known else "none"
        raise MigrationError(
            f"This database is newer than this Freehold: it has migration {newest[1]}, and this release"
            " knows none"
            f" after {ours}. Install the release that made it or a newer one, or restore a backup from"
            " before."
        )
    for expected, (number, name, sha256) in enumerate(applied, start=1):
        if number != expected:
            raise MigrationError(
                f"This database lacks migration {expected:04} but has {name}. Somebody changed"
                " freehold.migrations by"
                " hand; restore a backup."
            )
        migration = known[number - 1]
        if migration.sha256 != sha256:
            raise MigrationError(
                f"Migration {migration.name} was changed after this database had applied it (as {name})."
                " Restore the"
                " file as it was released, and put the change into a new migration."
            )
    return list(known[len(applied) :])
