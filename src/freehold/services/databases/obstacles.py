"""What stands in the way of a change of a table: PostgreSQL's refusal, in words that count the rows."""

from __future__ import annotations

import asyncpg

from freehold.db.ddl import check_sql, qualified, quote
from freehold.db.pool import Queries
from freehold.errors import Problem
from freehold.schema.design import design
from freehold.schema.model import Schema
from freehold.schema.tables import Check, Index, Table, Unique
from freehold.services.databases.errors import ColumnSpaceExceeded, ColumnValueInvalid, IndexInvalid

REFUSALS = (asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)
"""What PostgreSQL says when the rows that are there, or its own limits, forbid a change."""


async def told(
    db: Queries, namespace: str, old: Schema, new: Schema, error: asyncpg.PostgresError
) -> Problem:
    """The refusal as the caller is told it. The tables are as they were before."""
    before = {table.key: table for table in design(old)}
    after = next((table for table in design(new) if table.name == error.table_name), None)
    if isinstance(error, asyncpg.TooManyColumnsError):
        return ColumnSpaceExceeded() if "tables" in error.args[0] else IndexInvalid(reason=error.args[0])
    if isinstance(error, asyncpg.ProgramLimitExceededError):
        return IndexInvalid(reason=f"a value is too long for it ({error.args[0]})")
    if after is None or after.key not in before:
        return IndexInvalid(reason=error.args[0])
    table = before[after.key]
    where = qualified(namespace, table.name)
    if isinstance(error, asyncpg.UniqueViolationError):
        return await told_of_duplicates(db, where, after, error.constraint_name or "")
    if isinstance(error, asyncpg.NotNullViolationError):
        name = _name_before(table, after, error.column_name or "")
        count = await db.value(f"select count(*) from {where} where {quote(name)} is null")
        return ColumnValueInvalid(
            key=error.column_name, reason=f"{_rows(count)} no value. Give them one, then make it required"
        )
    check = next((each for each in after.checks if each.name == error.constraint_name), None)
    if check is None:
        return IndexInvalid(reason=error.args[0])
    rule = check_sql(_renamed(check, _name_before(table, after, check.column)))
    count = await db.value(f"select count(*) from {where} where not ({rule})")
    return ColumnValueInvalid(key=check.column, reason=f"{_rows(count)} {_OFFENCES[check.rule]}")


async def told_of_duplicates(db: Queries, where: str, table: Table, name: str) -> IndexInvalid:
    """A unique index that rows forbid, with how many values stand in several of them."""
    parts: tuple[Unique | Index, ...] = (*table.uniques, *table.indexes)
    columns = next((part.columns for part in parts if part.name == name), ())
    if not columns:
        return IndexInvalid(reason="rows that are there have the same values")
    spelled = ", ".join(quote(column) for column in columns)
    present = " and ".join(f"{quote(column)} is not null" for column in columns)
    count = await db.value(
        f"select count(*) from (select 1 from {where} where {present}"
        f" group by {spelled} having count(*) > 1) as twice"
    )
    keys = ", ".join(f"`{column}`" for column in columns)
    values = "1 value" if count == 1 else f"{count} values"
    return IndexInvalid(reason=f"{values} of {keys} {'stands' if count == 1 else 'stand'} in several rows")


_OFFENCES = {
    "length": "a longer value, or a shorter one",
    "values": "a value that would be none of its elements",
    "range": "a value beyond its bounds",
    "items": "a list with nothing in one of its places",
    "pattern": "a value of another form",
    "present": "no value",
}


def _rows(count: int) -> str:
    return "1 row has" if count == 1 else f"{count} rows have"


def _name_before(table: Table, after: Table, column: str) -> str:
    """What a column was called before the change."""
    key = next((each.key for each in after.columns if each.name == column), "")
    return next((each.name for each in table.columns if each.key == key), column)


def _renamed(check: Check, column: str) -> Check:
    return Check(
        **{name: getattr(check, name) for name in check.__struct_fields__ if name != "column"}, column=column
    )
