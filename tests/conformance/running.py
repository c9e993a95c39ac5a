"""A generated service as its owner would have it: emitted, installed, its database made, and started."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import asyncpg

from freehold.generator.command import run
from freehold.generator.target import Command, Target
from tests.postgres import Database, Server

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache"
SECRET = "only-for-tests-" + "0123456789" * 3


class Running(NamedTuple):
    """A service that answers."""

    url: str
    folder: Path
    database: Database
    log: Path


def emitted(target: Target, schema: Path, folder: Path) -> Path:
    """The service of a schema, written to a folder."""
    file = folder / "freehold.yaml"
    file.write_bytes(schema.read_bytes())
    service = folder / "service"
    assert run(target.name, service, file).exit_code == 0
    return service


def installed(target: Target, service: Path) -> Path:
    """What the service's lock files name, installed once for each version of them. Answers with the cache."""
    digest = hashlib.sha256(sys.version.encode())
    for lock in target.commands.locks:
        # Services differ in their names, and not in what they install.
        digest.update(re.sub(rb'"name": "[^"]*"', b"", (service / lock).read_bytes()))
    cache = CACHE / f"{target.name}-{digest.hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        if not (cache / "ready").exists():
            for command in target.commands.setup:
                do(command, service, cache, timeout_s=600)
            (cache / "ready").touch()
    return cache


def words(command: Command, cache: Path) -> list[str]:
    return [word.format(python=sys.executable, cache=cache) for word in command]


def environment(target: Target, **more: str) -> dict[str, str]:
    kept = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return kept | dict(target.commands.environment) | more


def do(command: Command, folder: Path, cache: Path, *, timeout_s: int = 300, **environ: str) -> str:
    done = subprocess.run(
        words(command, cache),
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | environ,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    return done.stdout


class Prepared(NamedTuple):
    """A service that is built, with a database of its own, and not started."""

    target: Target
    folder: Path
    database: Database
    cache: Path

    def environment(self, **more: str) -> dict[str, str]:
        """What every process of it is told."""
        return environment(
            self.target,
            DATABASE_URL=self.database.admin_url,
            DATABASE_ROLE="app_api",
            MIGRATE_DATABASE_URL=self.database.admin_url,
            MIGRATE_ROLE="app_owner",
            HOST="127.0.0.1",
            LOG_LEVEL="warning",
            **more,
        )


DEVELOPMENT = {"AUTH_PROVIDER": "dev", "AUTH_DEV_SECRET": SECRET}


@contextmanager
def prepared(target: Target, service: Path, postgres: Server) -> Iterator[Prepared]:
    """The service, built, and its tables made in a database that is dropped afterwards."""
    cache = installed(target, service)
    for command in target.commands.build:
        do(command, service, cache, **environment(target))
    made = Prepared(target, service, postgres.create_database(), cache)
    try:
        asyncio.run(
            _roles(made.database.admin_url, (service / "db" / "roles.sql").read_text(encoding="utf-8"))
        )
        do(target.commands.migrate, service, cache, **made.environment())
        yield made
    finally:
        postgres.drop_database(made.database)


@contextmanager
def serving(made: Prepared, **environ: str) -> Iterator[Running]:
    """A process of it that answers, stopped afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = made.folder.parent / f"service-{port}.log"
    told = made.environment(PORT=str(port)) | environ
    with log.open("w") as output:
        process = subprocess.Popen(
            words(made.target.commands.start, made.cache),
            cwd=made.folder,
            env=told,
            stdout=output,
            stderr=output,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, log)
        yield Running(url, made.folder, made.database, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running(target: Target, service: Path, postgres: Server, **environ: str) -> Iterator[Running]:
    """The service, started on a database of its own, and stopped afterwards."""
    with prepared(target, service, postgres) as made, serving(made, **DEVELOPMENT, **environ) as started:
        yield started


def execute(database: Database, sql: str, *values: object, before: str = "") -> list[asyncpg.Record]:
    """What a statement answers, as the superuser, or as whom the one before it in its transaction says."""

    async def answer() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(database.admin_url)
        try:
            async with connection.transaction():
                if before:
                    await connection.execute(before)
                return list(await connection.fetch(sql, *values))
        finally:
            await connection.close()

    return asyncio.run(answer())


async def _roles(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        assert process.poll() is None, log.read_text(encoding="utf-8")[-6000:]
        try:
            with urlopen(f"{url}/readyz", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"the service is not ready after 30 s\n{log.read_text(encoding='utf-8')[-6000:]}")
