"""A PostgreSQL for tests: one server for a test process, one fresh database for a test."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg

from freehold.db.embedded import ROLE, SUPERUSER, EmbeddedPostgres


class Database(NamedTuple):
    """One fresh, empty database."""

    url: str
    """As its owner, an ordinary role: no superuser, and row-level security holds for it."""
    admin_url: str
    """As the superuser, for what a test has to arrange behind the back of the code."""
    name: str


class Server:
    """A running server that makes databases."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.embedded = server
        self._numbers = itertools.count(1)

    def create_database(self) -> Database:
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} OWNER {ROLE} STRATEGY file_copy")
        return Database(
            url=self.embedded.dsn(database=name, tcp=True),
            admin_url=self.embedded.dsn(role=SUPERUSER, database=name, tcp=True),
            name=name,
        )

    def drop_database(self, database: Database) -> None:
        self._execute(f"DROP DATABASE IF EXISTS {database.name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(self.embedded.dsn(role=SUPERUSER, database="postgres"))
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(run())


@contextmanager
def running_server() -> Iterator[Server]:
    """A server that forgets everything: nothing is synced to disk, and its directory goes with it."""
    directory = Path(tempfile.mkdtemp(prefix="fh-test-", dir="/tmp"))
    directory.chmod(0o711)
    embedded = EmbeddedPostgres(
        directory,
        durable=False,
        settings={
            "shared_buffers": "64MB",
            "autovacuum": "off",
            "max_connections": "400",
            "scram_iterations": "1",
            "log_min_duration_statement": "-1",
        },
    )
    try:
        embedded.start()
        yield Server(embedded)
    finally:
        embedded.stop()
        shutil.rmtree(directory, ignore_errors=True)
