"""All rows of a table, page by page as they were at one moment; and which of some rows are there."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from freehold.db.pool import Transaction
from freehold.db.queries import Page, Query, page, parse
from freehold.db.rows import Shape, Statement
from freehold.errors import InvalidQuery, UserUnauthorized
from freehold.schema.values import Misfit
from freehold.services.databases.row_statements import reached_db, refusals
from freehold.services.databases.tables import Reach, Table, reach
from freehold.web.call import Call
from freehold.web.wire import Object

_ROWS_AT_ONCE = 250
_ALL = 2**31 - 1


class Selection(NamedTuple):
    """Rows that are going to be read."""

    reached: Reach
    shape: Shape
    statement: Statement


def select(call: Call, table: Table, columns: Sequence[str], queries: list[str]) -> Selection:
    """Decide which rows are read: all that fit, unless there is a limit.

    Raises InvalidQuery, UserUnauthorized.
    """
    reached = reach(call, table, "read")
    if reached is None:
        raise UserUnauthorized()
    wanted = page(parse(queries), most=_ALL)
    if wanted.cursor or wanted.select:
        raise InvalidQuery(reason="an export takes filters, orders, limit and offset.")
    if not wanted.limited:
        wanted = replace(wanted, limit=_ALL)
    shape = reached.rows.selected(columns)
    return Selection(
        reached, shape, reached.rows.find(wanted, reached.scope, shape, cursor=None, counted=False)
    )


async def pages(call: Call, selection: Selection) -> AsyncGenerator[list[Object], None]:
    """Read the rows through a cursor of PostgreSQL's, so that memory does not grow with them."""
    reached, shape, statement = selection
    async with reached_db(call, reached, transaction=True) as db:
        with refusals(reached.rows):
            assert isinstance(db, Transaction)
            reading = await db.read(statement.sql, *statement.values)
            while records := await reading.next(_ROWS_AT_ONCE):
                yield [shape.row(record) for record in records]


async def known_ids(call: Call, table: Table, ids: Sequence[str]) -> set[str]:
    """Which of these ids rows of the table have already, within the caller's reach."""
    reached = reach(call, table, "read")
    if reached is None:
        raise UserUnauthorized()
    rows = reached.rows
    possible = tuple(each for each in ids if _is_id(rows.encode_id, each))
    if not possible:
        return set()
    wanted = Page(filters=(Query("equal", "$id", possible),), limit=len(possible))
    shape = rows.selected(["$id"])
    statement = rows.find(wanted, reached.scope, shape, cursor=None, counted=False)
    async with reached_db(call, reached) as db:
        return {shape.row(record)["$id"] for record in await db.rows(statement.sql, *statement.values)}


def _is_id(encode: Any, text: str) -> bool:
    try:
        encode(text)
    except Misfit:
        return False
    return True
