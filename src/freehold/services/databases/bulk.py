"""Many rows at once: made, changed, deleted in one statement or one transaction. For keys and the console."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import msgspec

from freehold.access.permissions import Permission
from freehold.db.pool import Queries, Record
from freehold.db.queries import Page, Query, page, parse
from freehold.db.rows import (
    RowTable,
    Statement,
    Upserted,
    choose,
    delete_many,
    insert_many,
    update_many,
    upsert_many,
)
from freehold.errors import InvalidParameter, InvalidQuery
from freehold.ids import UNIQUE
from freehold.services.databases.errors import (
    NotPermitted,
    RelationshipInBulk,
    RowAlreadyExists,
    RowMissingPayload,
    RowUpdateConflict,
)
from freehold.services.databases.relations import asked
from freehold.services.databases.row_statements import Action, note, reached_db, refusals, with_events
from freehold.services.databases.row_values import RowId, changes, new_row, new_row_id
from freehold.services.databases.rows import delete_below, unchanged
from freehold.services.databases.tables import Reach, Table, not_permitted, reach
from freehold.web import misfits
from freehold.web.call import Call
from freehold.web.wire import Json, Object

MAX_ROWS = 1000
"""So many rows can be sent in one call."""
MAX_CHANGED = 5000
"""So many rows can be changed by queries in one call: they are all in its answer."""


async def create(
    call: Call, table: Table, rows: list[Object], *, action: Action = "create"
) -> list[dict[str, Any]]:
    """Make rows: all of them, or none."""
    reached = _reached(call, table, "create")
    news = []
    for row in rows:
        row_id, granted = own(row)
        made = new_row_id(table.rows, row_id)
        news.append(new_row(call, table, reached, made, row, granted))
    async with reached_db(call, reached, transaction=True) as db:
        with refusals(reached.rows):
            if any(news):
                statement = insert_many(reached.rows, alike(reached.rows, news))
                records = await _recorded(call, table, db, statement, action)
            else:
                records = []
                for new in news:
                    records += await _recorded(call, table, db, reached.rows.insert(new), action)
    return _changed(call, table, reached, records)


def fitting(queries: list[str]) -> Page:
    """Which rows a change by queries means. Raises InvalidQuery."""
    wanted = page(parse(queries))
    if wanted.cursor or wanted.select:
        raise InvalidQuery(reason="a bulk change takes filters, orders, limit and offset.")
    if wanted.limited and wanted.limit > MAX_CHANGED:
        raise InvalidQuery(reason=f"a bulk change takes a limit of at most {MAX_CHANGED}.")
    return wanted


async def update(call: Call, table: Table, data: Object, wanted: Page) -> Json:
    """Change all rows that fit the queries in the same way."""
    if not data:
        raise RowMissingPayload()
    reached = await asked(call, table, _reached(call, table, "update"), wanted)
    _must_set_no_relationship(table, data)
    _, granted = own(data, parameter="data")
    assigned = changes(call, table, reached, data, granted)
    async with reached_db(call, reached, transaction=True) as db:
        with refusals(reached.rows):
            wanted = await _held_unchanged(call, db, reached, wanted)
            statement = update_many(reached.rows, assigned, wanted, reached.scope, most=MAX_CHANGED + 1)
            records = _not_too_many(await _recorded(call, table, db, statement, "update"))
    return answer(table, _changed(call, table, reached, records))


async def upsert(call: Call, table: Table, rows: list[Object]) -> list[dict[str, Any]]:
    """Change or make rows: all of them, or none."""
    reached = unchanged(call, _reached(call, table, "update"))
    given: dict[Any, Upserted] = {}
    for row in rows:
        row_id, granted = own(row)
        wanted = new_row_id(table.rows, row_id)
        if wanted is None:  # PostgreSQL numbers it, so it is new
            return await create(call, table, rows, action="upsert")
        if wanted in given:
            raise InvalidParameter(name="rows", reason=f"The row `{row_id}` comes twice.")
        changed = changes(call, table, reached, row, granted)
        made = new_row(call, table, reached, wanted, row, granted, upserted=True, complete=False)
        given[wanted] = Upserted(wanted, changed, made)
    async with reached_db(call, reached, transaction=True) as db:
        with refusals(reached.rows):
            done = await _upserted(call, table, db, reached, given)
            if len(done) < len(given):  # others have made some of them meanwhile
                left = {each: row for each, row in given.items() if each not in done}
                done |= await _upserted(call, table, db, reached, left)
        for wanted in given:
            if wanted not in done:
                await _refuse_upsert(db, reached, wanted)
    return _changed(call, table, reached, [done[wanted] for wanted in given])


async def _upserted(
    call: Call, table: Table, db: Queries, reached: Reach, given: Mapping[Any, Upserted]
) -> dict[Any, Record]:
    """The rows that could be changed or made, by their ids."""
    rows = reached.rows
    statement = upsert_many(rows, list(given.values()), reached.scope)
    records = await _recorded(call, table, db, statement, "upsert")
    return {rows.encode_id(rows.shape.row(record)["$id"]): record for record in records}


async def _refuse_upsert(db: Queries, reached: Reach, wanted: Any) -> NoReturn:
    """Say why a row could be neither changed nor made. Raises RowUpdateConflict, RowAlreadyExists."""
    statement = reached.rows.exists(wanted, reached.scope._replace(unchanged_since=None))
    if await db.row(statement.sql, *statement.values) is not None:
        raise RowUpdateConflict()
    raise RowAlreadyExists()


async def delete(call: Call, table: Table, wanted: Page, *, held: bool = False) -> Json:
    """Delete all rows that fit the queries; gives what they were."""
    reached = await asked(call, table, _reached(call, table, "delete"), wanted)
    async with reached_db(call, reached, transaction=True) as db:
        with refusals(reached.rows):
            if not held:
                wanted = await _held_unchanged(call, db, reached, wanted)
            statement = delete_many(reached.rows, wanted, reached.scope, most=MAX_CHANGED + 1)
            records = _not_too_many(await _recorded(call, table, db, statement, "delete"))
            if records and table.entity.soft_delete:
                ids = [reached.rows.encode_id(reached.rows.shape.row(record)["$id"]) for record in records]
                await delete_below(db, table, ids, reached.scope.tenant)
    return answer(table, _changed(call, table, reached, records))


async def chosen(call: Call, table: Table, wanted: Page) -> list[Any]:
    """The ids of the rows that a bulk change means, kept as they are until it is done.

    Raises RowUpdateConflict.
    """
    reached = await asked(call, table, _reached(call, table, "delete"), wanted)
    return await _held(call, call.db, reached, wanted)


async def _held(call: Call, db: Queries, reached: Reach, wanted: Page) -> list[Any]:
    rows, since = reached.rows, unchanged(call, reached).scope
    statement = choose(rows, wanted, reached.scope, most=MAX_CHANGED + 1)
    ids = [record[0] for record in _not_too_many(await db.rows(statement.sql, *statement.values))]
    if since.unchanged_since is not None:
        statement = rows.versions(ids, since, lock=False)
        if len(await db.rows(statement.sql, *statement.values)) < len(ids):
            raise RowUpdateConflict()
    return ids


async def _held_unchanged(call: Call, db: Queries, reached: Reach, wanted: Page) -> Page:
    """The rows that a change means, held when they must not have changed since. Raises RowUpdateConflict."""
    if unchanged(call, reached).scope.unchanged_since is None:
        return wanted
    return these(await _held(call, db, reached, wanted))


def these(ids: Sequence[Any]) -> Page:
    """Queries that mean the rows with these ids, of which there may be none."""
    if not ids:
        return Page(filters=(Query("isNull", "$id"),))
    return Page(filters=(Query("equal", "$id", tuple(map(str, ids))),))


def _not_too_many(records: list[Record]) -> list[Record]:
    if len(records) > MAX_CHANGED:
        raise InvalidQuery(
            reason=f"more than {MAX_CHANGED} rows fit. Change so many at a time, with `limit`."
        )
    return records


def _reached(call: Call, table: Table, permission: Permission) -> Reach:
    must_be_allowed(call)
    reached = reach(call, table, permission)
    if reached is None:
        raise not_permitted(table, permission)
    return reached


def must_be_allowed(call: Call) -> None:
    """Refuse callers who may write rows only one by one. Raises NotPermitted."""
    if not call.identity.privileged:
        raise NotPermitted(reason="many rows at once are for API keys and the console")


def _must_set_no_relationship(table: Table, data: Object) -> None:
    """Refuse what would tie all rows to the same ones. Raises RelationshipInBulk."""
    if table.relations and not table.follows_schema:
        for key in table.relations.keys() & data.keys():
            raise RelationshipInBulk(key=key)


def own(row: Object, *, parameter: str = "rows") -> tuple[str, list[str] | None]:
    """The id and the permissions that a row of a bulk call names for itself. Raises InvalidParameter."""
    try:
        named = msgspec.convert(row, _Named)
    except msgspec.ValidationError as error:
        raise InvalidParameter(name=parameter, reason=misfits.sentence(str(error))) from error
    return named.id, named.permissions


class _Named(msgspec.Struct):
    id: RowId = msgspec.field(name="$id", default=UNIQUE)
    permissions: list[str] | None = msgspec.field(name="$permissions", default=None)


def alike(rows: RowTable, news: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let all rows set the same columns: what one leaves out is its default, as if it came alone."""
    names = list(dict.fromkeys(name for new in news for name in new))
    defaults = {column.sql: rows.default_of(column.sql) for column in rows.columns.values()}
    return [{name: new.get(name, defaults.get(name)) for name in names} for new in news]


async def _recorded(
    call: Call, table: Table, db: Queries, statement: Statement, action: Action
) -> list[Record]:
    recorded = with_events(call, table, statement, action)
    return await db.rows(recorded.sql, *recorded.values)


def _changed(call: Call, table: Table, reached: Reach, records: list[Record]) -> list[dict[str, Any]]:
    rows = [reached.rows.shape.row(record) for record in records]
    note(call, table, [row["$id"] for row in rows])
    return rows


def answer(table: Table, rows: list[dict[str, Any]]) -> Json:
    """What a call on many rows answers."""
    return Json(msgspec.json.encode({"total": len(rows), table.vocabulary.rows: rows}))
