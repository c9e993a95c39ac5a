"""Statements on rows: where they run, the events they write, and refusals in the caller's words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Literal

import asyncpg

from freehold import events
from freehold.db.ddl import quote
from freehold.db.pool import Queries, Record, Transaction
from freehold.db.rows import RowTable, Statement
from freehold.errors import InvalidQuery, Problem
from freehold.schema.table_names import check_name, primary_key_name
from freehold.services.databases.errors import (
    RowAlreadyExists,
    RowDeleteRestricted,
    RowInvalidStructure,
    RowNotUnique,
)
from freehold.services.databases.tables import Reach, Table
from freehold.web.call import Call

Action = Literal["create", "update", "upsert", "delete"]


@asynccontextmanager
async def reached_db(
    call: Call, reached: Reach | None, *, transaction: bool = False
) -> AsyncIterator[Queries]:
    """Where statements on these rows run: in the call's transaction, in one of their own, or in none.

    They have one of their own when that is asked for, or when PostgreSQL has to be told the tenant.
    """
    setting = reached.setting if reached is not None else ""
    if isinstance(call.db, Transaction):
        if setting:
            await call.db.script(setting)
        yield call.db
    elif setting or transaction:
        async with call.app.db.transaction() as begun:
            if setting:
                begun.begin_with(setting)
            yield begun
    else:
        yield call.db


@asynccontextmanager
async def in_one_transaction(call: Call) -> AsyncIterator[None]:
    """Let all that the call does happen together or not at all."""
    before = call.db
    async with reached_db(call, None, transaction=True) as db:
        call.db = db
        try:
            yield
        finally:
            call.db = before


def with_event(call: Call, table: Table, statement: Statement, row_id: str, action: Action) -> Statement:
    """The statement with its event. Without an id it is one that PostgreSQL is about to choose."""
    if not row_id:
        return with_events(call, table, statement, action)
    values = list(statement.values)
    name = f"databases.{table.database_id}.tables.{table.id}.rows.{row_id}.{action}"
    sql = events.recorded(statement.sql, values, call.project.id, name, call.cause)
    return Statement(sql, values)


def with_events(
    call: Call, table: Table, statement: Statement, action: Action, *, answer: str = "*"
) -> Statement:
    """A statement on many rows, with an event of each. Gives the rows, or what `answer` makes of them."""
    values = list(statement.values)
    sql = events.recorded_each(
        statement.sql,
        values,
        call.project.id,
        f"databases.{table.database_id}.tables.{table.id}.rows.",
        quote(table.entity.layout.id),
        f".{action}",
        call.cause,
        answer=answer,
        ahead=statement.ahead,
    )
    return Statement(sql, values)


async def change_many(call: Call, table: Table, statement: Statement, action: Action) -> int:
    """Change many rows, each with its event, in the call's transaction; gives how many."""
    row_id = quote(table.entity.layout.id)
    answer = "count(*)" if call.changed_rows is None else f"count(*), array_agg({row_id}::text)"
    recorded = with_events(call, table, statement, action, answer=answer)
    with refusals(table.rows):
        (record,) = await call.db.rows(recorded.sql, *recorded.values)
    if call.changed_rows is not None:
        note(call, table, record[1] or ())
    return int(record[0])


def note(call: Call, table: Table, row_ids: Iterable[Any]) -> None:
    """Tell whoever wants to know that these rows have been changed."""
    if call.changed_rows is not None:
        ids = call.changed_rows.setdefault(table.id, set())
        ids.update(str(table.rows.encode_id(each)) for each in row_ids)


async def first(call: Call, reached: Reach, statement: Statement) -> Record | None:
    """Run a statement on rows."""
    with refusals(reached.rows):
        if not reached.setting:
            return await call.db.row(statement.sql, *statement.values)
        async with reached_db(call, reached) as db:
            return await db.row(statement.sql, *statement.values)


class refusals:  # noqa: N801 - called like a function, and a class because it surrounds every statement
    """Tell what PostgreSQL refuses in the caller's words."""

    __slots__ = ("_rows",)

    def __init__(self, rows: RowTable) -> None:
        self._rows = rows

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        problem = _problem_of(self._rows, error) if error is not None else None
        if problem is not None:
            raise problem from error


def _problem_of(rows: RowTable, error: BaseException) -> Problem | None:
    match error:
        case asyncpg.UniqueViolationError():
            if error.constraint_name == primary_key_name(rows.entity.table):
                return RowAlreadyExists()
            return RowNotUnique(columns=_columns_of(rows, error.detail) or "its columns")
        case asyncpg.RestrictViolationError():
            return RowDeleteRestricted()
        case asyncpg.ForeignKeyViolationError():
            if error.detail is not None and "still referenced" in error.detail:
                return RowDeleteRestricted()
            return not_there(_columns_of(rows, error.detail) or "a reference")
        case asyncpg.NotNullViolationError():
            return RowInvalidStructure(reason=f"{_spelled(rows, error.column_name)} is required.")
        case asyncpg.CheckViolationError():
            return RowInvalidStructure(reason=_broken_rule(rows, error.constraint_name))
        case asyncpg.ProgramLimitExceededError():
            return RowInvalidStructure(
                reason=f"a value is too long for an index, or the row for PostgreSQL: {error.args[0]}."
            )
        case asyncpg.InvalidRegularExpressionError():
            return InvalidQuery(reason=f"the pattern of `regex` cannot be used: {error}.")
        case asyncpg.DataError():
            return RowInvalidStructure(reason="a value does not fit its column.")
        case _:
            return None


def not_there(spelled: str) -> RowInvalidStructure:
    """What to tell of a reference to a row that is not there, or that the caller may not know of."""
    return RowInvalidStructure(reason=f"{spelled} names a row that is not there.")


_RULES = {
    "present": "is required",
    "length": "is too long or too short",
    "range": "is not within its bounds",
    "values": "is not one of its values",
    "pattern": "has not its form",
    "items": "is not a plain list",
}


def _broken_rule(rows: RowTable, constraint: str | None) -> str:
    for key, column in rows.columns.items():
        for rule, reason in _RULES.items():
            if check_name(rows.entity.table, column.field.column, rule) == constraint:
                return f"`{key}` {reason}."
    return "a value breaks one of the table's rules."


def _spelled(rows: RowTable, column_name: str | None) -> str:
    """A column by its key; without it when it is one that the caller may not know of."""
    for key, column in rows.columns.items():
        if column.field.column == column_name:
            return f"`{key}`"
    return "a column"


def _columns_of(rows: RowTable, detail: str | None) -> str:
    """The columns in an error's detail, `Key (a, b)=(1, 2) already exists.`, less the values."""
    inside = (detail or "").partition("(")[2].partition(")")[0]
    names = [part.strip().strip('"') for part in inside.split(",")]
    return ", ".join(_spelled(rows, name) for name in names if name and name != rows.layout.tenant)
