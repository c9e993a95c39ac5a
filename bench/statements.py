"""What a server asks PostgreSQL: read from PostgreSQL's own log, so that another can do exactly the same."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import asyncpg
import uvloop

from freehold.db.embedded import SUPERUSER, EmbeddedPostgres

NOTICE_S = 0.3
"""How long it takes at most until all sessions have read the new settings, and the log is written."""

_STATEMENT = re.compile(r"\[(?P<session>\d+)\] .*?LOG:  (?:statement|execute [^:]*): (?P<sql>.*)", re.DOTALL)
_PARAMETERS = re.compile(r"\[(?P<session>\d+)\] .*?DETAIL:  [Pp]arameters: (?P<values>.*)", re.DOTALL)
_VALUE = re.compile(r"\$\d+ = (NULL|'(?:[^']|'')*')", re.DOTALL)
_LINE_START = re.compile(r"^(?=\d{4}-\d\d-\d\d )", re.MULTILINE)


class Seen(NamedTuple):
    """One statement, and the values it had, as PostgreSQL writes them."""

    session: str
    sql: str
    values: tuple[str | None, ...] = ()


def seen_while(postgres: EmbeddedPostgres, act: Callable[[], object]) -> list[Seen]:
    """The statements that the platform's role runs while something is done."""
    log = postgres.directory / "postgresql.log"
    uvloop.run(_set_logging(postgres, on=True))
    try:
        time.sleep(NOTICE_S)
        start = log.stat().st_size
        act()
        time.sleep(NOTICE_S)
        said = _from(log, start)
    finally:
        uvloop.run(_set_logging(postgres, on=False))
    return parse(said)


def parse(log: str) -> list[Seen]:
    """Read the statements out of a piece of PostgreSQL's log."""
    found: list[Seen] = []
    for entry in _LINE_START.split(log):
        if statement := _STATEMENT.search(entry):
            found.append(Seen(statement["session"], statement["sql"].replace("\n\t", "\n").strip()))
        elif (parameters := _PARAMETERS.search(entry)) and found:
            values = tuple(
                _unquoted(value) for value in _VALUE.findall(parameters["values"].replace("\n\t", "\n"))
            )
            found[-1] = found[-1]._replace(values=values)
    return found


def _unquoted(value: str) -> str | None:
    return None if value == "NULL" else value[1:-1].replace("''", "'")


def _from(file: Path, start: int) -> str:
    with file.open("rb") as log:
        log.seek(start)
        return log.read().decode()


async def _set_logging(postgres: EmbeddedPostgres, *, on: bool) -> None:
    connection = await asyncpg.connect(postgres.dsn(role=SUPERUSER))
    try:
        for name, value in (("log_statement", "'all'"), ("log_parameter_max_length", "-1")):
            await connection.execute(f"ALTER SYSTEM {f'SET {name} = {value}' if on else f'RESET {name}'}")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()
