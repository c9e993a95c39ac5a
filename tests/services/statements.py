"""The statements that a request runs on rows, as PostgreSQL itself has logged them."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from tests.platform import Project


@contextmanager
def logged(project: Project, *others: str) -> Iterator[Callable[[Callable[[], Any]], list[str]]]:
    """Let PostgreSQL log all statements; gives a function that says which ones a call has run on rows, and on
    other tables of these names."""
    namespace, log = asyncio.run(_arrange(project, "all"))
    marks = iter(range(1_000_000))

    def statements_of(act: Callable[[], Any]) -> list[str]:
        start, mark = log.stat().st_size, f"mark {next(marks)} of {project.id}"
        act()
        asyncio.run(_execute(project, f"select '{mark}'"))
        deadline = time.monotonic() + 20
        while mark not in (text := log.read_bytes()[start:].decode(errors="replace")):
            assert time.monotonic() < deadline, "PostgreSQL does not log"
        ran = re.findall(
            r"LOG:  execute [^:]*: (.*?)(?=\n\d{4}-\d\d-\d\d )", text + "\n0000-00-00 ", re.DOTALL
        )
        wanted = (f'"{namespace}".', f"{namespace}.", *others)
        return [sql for sql in ran if any(each in sql for each in wanted)]

    try:
        yield statements_of
    finally:
        asyncio.run(_arrange(project, "none"))


async def _arrange(project: Project, logs: str) -> tuple[str, Path]:
    connection = await asyncpg.connect(project.platform.admin_url)
    try:
        await connection.execute(f"alter system set log_statement = '{logs}'")
        await connection.execute("select pg_reload_conf()")
        await _wait_for(project, logs)
        namespace = await connection.fetchval(
            "select namespace from freehold.databases where project_id = $1", project.id
        )
        directory = await connection.fetchval("show data_directory")
        return namespace, Path(directory).parent / "postgresql.log"
    finally:
        await connection.close()


async def _wait_for(project: Project, logs: str) -> None:
    """Wait until PostgreSQL has read its configuration again.

    It tells the connections that are open before it accepts a new one, so none of them logs as before once a
    new one does not.
    """
    deadline = time.monotonic() + 20
    while True:
        newcomer = await asyncpg.connect(project.platform.admin_url)
        try:
            if await newcomer.fetchval("show log_statement") == logs:
                return
        finally:
            await newcomer.close()
        assert time.monotonic() < deadline, "PostgreSQL does not read its configuration"


async def _execute(project: Project, sql: str) -> None:
    connection = await asyncpg.connect(project.platform.admin_url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
