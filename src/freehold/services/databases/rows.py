"""Rows: what may be written, who may reach which, and each change together with its event."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, NoReturn

import asyncpg
import msgspec

from freehold.access.permissions import Permission
from freehold.db.ddl import quote
from freehold.db.pool import Queries, Record, Transaction
from freehold.db.queries import MAX_CHARACTERS, Page, page, parse
from freehold.db.rows import RowTable, Scope, Statement, aggregate
from freehold.db.values import read_datetime
from freehold.errors import CursorNotFound, InvalidParameter, InvalidQuery, UserUnauthorized
from freehold.schema.model import Kind
from freehold.schema.values import Misfit
from freehold.services.databases.errors import (
    ColumnBoundExceeded,
    ColumnNotFound,
    ColumnTypeInvalid,
    RowInvalidStructure,
    RowMissingPayload,
    RowNotFound,
    RowUpdateConflict,
)
from freehold.services.databases.list_cache import remembered
from freehold.services.databases.references import Referring, referring, refused_change, refused_new
from freehold.services.databases.relations import asked, expand, prepare
from freehold.services.databases.row_statements import first, note, reached_db, refusals, with_event
from freehold.services.databases.row_values import changes, new_row, new_row_id, row_id_of
from freehold.services.databases.tables import Reach, Table, not_permitted, reach
from freehold.web import formats
from freehold.web.call import Call
from freehold.web.wire import Json, Object

MAX_BYTES = 16 * 1024**2
"""So long can the answer to a list of more than a hundred rows be."""

_AT_ONCE = 100
"""So many rows are read in one go, however large they are."""

_encode = msgspec.json.Encoder().encode


# -- reading -----------------------------------------------------------------------------------------------


async def get(call: Call, table: Table, row_id: str, queries: list[str]) -> Json:
    """Read a row. What the caller may not read is not found."""
    reached = reach(call, table, "read", row_id)
    if reached is None:
        raise RowNotFound(id=row_id)
    wanted = row_id_of(reached.rows, row_id)
    if not queries and not (table.relations and formats.expects_related(call.request)):
        record = await first(call, reached, reached.rows.get(wanted, reached.scope))
        if record is None:
            raise RowNotFound(id=row_id)
        return Json(_encode(reached.rows.shape.row(record)))
    reached, shape, expansions = await prepare(call, table, reached, page(parse(queries)))
    statement = reached.rows.get(wanted, reached.scope, shape)
    async with call.app.shares.of(call), reached_db(call, reached) as db:
        with refusals(reached.rows):
            record = await db.row(statement.sql, *statement.values)
        if record is None:
            raise RowNotFound(id=row_id)
        row = shape.row(record)
        if expansions:
            await expand(db, reached.rows, [row], expansions)
    return Json(_encode(row))


async def find(
    call: Call, table: Table, queries: list[str], *, counted: bool, ttl_s: int = 0, most: int = MAX_CHARACTERS
) -> Json:
    """Read a page of rows, with how many there are (up to 5,000) when that is asked for.

    The answer may be `ttl_s` old. A query has at most so many characters.
    """
    reached = reach(call, table, "read")
    if reached is None:
        raise not_permitted(table, "read")
    if not ttl_s or isinstance(call.db, Transaction):  # what is staged is nobody else's to see
        return Json(await _found(call, table, reached, queries, counted=counted, most=most))

    def make() -> Awaitable[bytes]:
        return _found(call, table, reached, queries, counted=counted, most=most)

    return Json(await remembered(call, table, reached, queries, make, counted=counted, ttl_s=ttl_s))


async def _found(
    call: Call, table: Table, reached: Reach, queries: list[str], *, counted: bool, most: int
) -> bytes:
    wanted = page(parse(queries, most=most), aggregates=True) if queries else _FIRST_PAGE
    if wanted.aggregates or wanted.groups:
        reached = await asked(call, table, reached, wanted)
        return await _put_together(call, table, reached, wanted, counted=counted)
    reached, shape, expansions = await prepare(call, table, reached, wanted)
    rows, scope = reached.rows, reached.scope
    cursor = _cursor_id(rows, wanted) if wanted.cursor else None
    statement = rows.find(wanted, scope, shape, cursor=cursor, counted=counted)
    reading = None
    async with call.app.shares.of(call), reached_db(call, reached, transaction=wanted.limit > _AT_ONCE) as db:
        with refusals(rows):
            if wanted.limit > _AT_ONCE:
                assert isinstance(db, Transaction)
                reading = await db.read(statement.sql, *statement.values)
                records = await reading.next(_AT_ONCE)
            else:
                records = await db.rows(statement.sql, *statement.values)
        total = 0
        if wanted.cursor and not records:
            await _check_cursor(db, rows, wanted, cursor, scope)
        if counted and records:
            total = records[0][len(records[0]) - 1]
        elif counted and (wanted.offset or wanted.cursor):
            count = rows.count(wanted, scope)
            total = await db.value(count.sql, *count.values)
        found = [shape.row(record) for record in records]
        if expansions and found:
            await expand(db, rows, found, expansions)
        if reading is not None and len(found) == _AT_ONCE:
            parts = _Parts(found, backwards=wanted.backwards)
            with refusals(rows):
                while records := await reading.next(parts.next_size):
                    found = [shape.row(record) for record in records]
                    if expansions:
                        await expand(db, rows, found, expansions)
                    parts.add(found)
            return parts.answer(total, table.vocabulary.rows)
    if wanted.backwards:
        found.reverse()
    return _encode({"total": total, table.vocabulary.rows: found})


class _Parts:
    """A long list of rows, which is encoded part by part so that it never stands in memory as a whole."""

    def __init__(self, found: list[dict[str, Any]], *, backwards: bool) -> None:
        self._backwards = backwards
        self._encoded: list[bytes] = []
        self._size = 0
        self.next_size = _AT_ONCE
        """How many rows about a megabyte is."""
        self.add(found)

    def add(self, found: list[dict[str, Any]]) -> None:
        """Add the rows that follow. Raises InvalidQuery when it becomes too much."""
        if self._backwards:
            found.reverse()
        encoded = _encode(found)[1:-1]
        self._encoded.append(encoded)
        self._size += len(encoded)
        if self._size > MAX_BYTES:
            raise InvalidQuery(
                reason=f"an answer has at most {MAX_BYTES} bytes. Ask for fewer rows or columns at a time."
            )
        self.next_size = max(1, min(1000, len(found) * 1024**2 // len(encoded)))

    def answer(self, total: int, name: str) -> bytes:
        """The list, encoded."""
        listed = b",".join(reversed(self._encoded) if self._backwards else self._encoded)
        return b'{"total":%d,"%b":[%b]}' % (total, name.encode(), listed)


_FIRST_PAGE = Page()


async def _put_together(call: Call, table: Table, reached: Reach, wanted: Page, *, counted: bool) -> bytes:
    """Count, sum and compare the rows that the caller may read."""
    statement, shape = aggregate(reached.rows, wanted, reached.scope, counted=counted)
    async with call.app.shares.of(call), reached_db(call, reached) as db:
        try:
            records = counts = await db.rows(statement.sql, *statement.values)
            if counted and not records and wanted.offset:
                start = msgspec.structs.replace(wanted, offset=0, limit=1)
                statement, _ = aggregate(reached.rows, start, reached.scope, counted=True)
                counts = await db.rows(statement.sql, *statement.values)
        except asyncpg.DataError as error:
            raise InvalidQuery(reason="a result is larger than numbers can be.") from error
    total = counts[0][len(shape.names)] if counted and counts else 0
    return _encode({"total": total, table.vocabulary.rows: [shape.row(record) for record in records]})


def _cursor_id(rows: RowTable, wanted: Page) -> Any:
    try:
        return rows.encode_id(wanted.cursor)
    except Misfit as misfit:
        raise CursorNotFound(id=wanted.cursor) from misfit


async def _check_cursor(db: Queries, rows: RowTable, wanted: Page, cursor: Any, scope: Scope) -> None:
    """Say why nothing comes after a cursor, unless it is at the end. Raises CursorNotFound, OrderHasNull."""
    statement = rows.cursor(wanted, cursor, scope)
    found = await db.row(statement.sql, *statement.values)
    if found is None:
        raise CursorNotFound(id=wanted.cursor)
    rows.check_cursor(wanted, found)


# -- writing -----------------------------------------------------------------------------------------------


async def create(
    call: Call,
    table: Table,
    row_id: str,
    data: Object,
    granted: list[str] | None,
) -> dict[str, Any]:
    """Make a row. A user that says nothing of permissions may read and change what it made."""
    made = new_row_id(table.rows, row_id)
    named = "" if made is None else str(made)
    reached = reach(call, table, "create", named)
    if reached is None:
        raise not_permitted(table, "create")
    assigned = new_row(call, table, reached, made, data, granted)
    to_make = await referring(call, table, reached, data, assigned, made)
    statement = reached.rows.insert(assigned, references=to_make.references)
    record = await _insert(call, to_make.reached, with_event(call, table, statement, named, "create"))
    if record is None:
        raise await refused_new(call, to_make)
    return _changed(call, table, reached, record)


async def _insert(call: Call, reached: Reach, statement: Statement) -> Record | None:
    if reached.scope.grants is None:
        return await first(call, reached, statement)
    return await _first_within(call, reached, statement)


async def _first_within(call: Call, reached: Reach, statement: Statement) -> Record | None:
    """Make a row, and unmake it when it is not one that the caller's conditions allow."""
    with refusals(reached.rows):
        async with reached_db(call, reached, transaction=True) as db:
            record = await db.row(statement.sql, *statement.values)
            if record is None:
                return None
            wanted = reached.rows.encode_id(reached.rows.shape.row(record)["$id"])
            allowed = reached.rows.exists(wanted, reached.scope)
            if await db.row(allowed.sql, *allowed.values) is None:
                raise UserUnauthorized()
            return record


async def update(
    call: Call,
    table: Table,
    row_id: str,
    data: Object | None,
    granted: list[str] | None,
) -> dict[str, Any]:
    """Change what is given of a row, and leave the rest."""
    if data is None and granted is None:
        raise RowMissingPayload()
    reached = _reach_unchanged(call, table, "update", row_id)
    wanted = row_id_of(table.rows, row_id)
    if reached is None:
        await refuse(call, table, wanted, row_id, reached, "update")
    to_change, statement = await _change(call, table, reached, wanted, data or {}, granted)
    record = await first(call, to_change.reached, with_event(call, table, statement, row_id, "update"))
    if record is None:
        if (problem := await refused_change(call, to_change, wanted)) is not None:
            raise problem
        await refuse(call, table, wanted, row_id, reached, "update")
    return _changed(call, table, reached, record)


def _changed(call: Call, table: Table, reached: Reach, record: Record) -> dict[str, Any]:
    row = reached.rows.shape.row(record)
    note(call, table, [row["$id"]])
    return row


async def _change(
    call: Call,
    table: Table,
    reached: Reach,
    wanted: Any,
    data: Object,
    granted: list[str] | None,
) -> tuple[Referring, Statement]:
    assigned = changes(call, table, reached, data, granted)
    to_change = await referring(call, table, reached, data, assigned, wanted)
    return to_change, reached.rows.update(wanted, assigned, reached.scope, to_change.references)


async def upsert(
    call: Call, table: Table, row_id: str, data: Object, granted: list[str] | None
) -> dict[str, Any]:
    """Change what is given of a row, or make it when there is none."""
    wanted = row_id_of(table.rows, row_id)
    may_change = _reach_unchanged(call, table, "update", row_id)
    may_make = reach(call, table, "create", row_id)
    record = to_change = to_make = None
    if may_change is not None:
        to_change, statement = await _change(call, table, may_change, wanted, data, granted)
        change = with_event(call, table, statement, row_id, "upsert")
        record = await first(call, to_change.reached, change)
    if record is None and may_make is not None:
        made = new_row(call, table, may_make, new_row_id(table.rows, row_id), data, granted, upserted=True)
        to_make = await referring(call, table, may_make, data, made, wanted)
        statement = may_make.rows.insert(made, unless_there=True, references=to_make.references)
        record = await _insert(call, to_make.reached, with_event(call, table, statement, row_id, "upsert"))
        if record is None and to_change is not None:  # made by somebody else since we looked
            record = await first(call, to_change.reached, change)
    reached = may_change or may_make
    if record is None or reached is None:
        await _refuse_upsert(call, table, wanted, to_change, to_make)
    return _changed(call, table, reached, record)


async def _refuse_upsert(
    call: Call, table: Table, wanted: Any, to_change: Referring | None, to_make: Referring | None
) -> NoReturn:
    """Say why a row could be neither changed nor made."""
    if to_change is not None:
        problem = await refused_change(call, to_change, wanted)
        if problem is not None:
            raise problem
        whenever = to_change.reached.scope._replace(unchanged_since=None)
        if await _is_there(call, table, wanted, to_change.reached, whenever):
            raise RowUpdateConflict()
    if to_make is not None and to_make.references:
        at_all = Scope(tenant=to_make.reached.scope.tenant, with_deleted=True)
        if not await _is_there(call, table, wanted, to_make.reached, at_all):
            raise await refused_new(call, to_make)
    raise not_permitted(table, "create" if to_change is None else "update")


async def _is_there(call: Call, table: Table, wanted: Any, reached: Reach, scope: Scope) -> bool:
    statement = table.rows.exists(wanted, scope)
    async with reached_db(call, reached) as db:
        return await db.row(statement.sql, *statement.values) is not None


async def increment(
    call: Call, table: Table, row_id: str, key: str, by: int | float, bound: int | float | None
) -> Json:
    """Add to a number of a row, in one step that loses nobody's addition. Raises ColumnLimitExceeded."""
    reached = _reach_unchanged(call, table, "update", row_id)
    wanted = row_id_of(table.rows, row_id)
    if reached is None:
        await refuse(call, table, wanted, row_id, reached, "update")
    column = reached.rows.columns.get(key)
    if column is None:
        raise ColumnNotFound(key=key)
    if key in reached.locked:
        raise RowInvalidStructure(reason=f"`{key}` may not be set by you.")
    if column.field.type.kind not in _COUNTED or column.field.type.array:
        raise ColumnTypeInvalid(key=key, type=str(column.field.type))
    try:
        step = column.encode_filter(by)
        limit = column.encode_filter(bound)
    except Misfit as misfit:
        raise InvalidParameter(name="value", reason=f"It {misfit.message}.") from misfit
    layout = table.entity.layout
    extra: dict[str, Any] = {}
    if layout.updated_by is not None:
        extra[quote(layout.updated_by)] = call.identity.user_id or call.identity.actor
    statement = reached.rows.increment(wanted, column, step, limit, reached.scope, extra=extra)
    record = await first(call, reached, with_event(call, table, statement, row_id, "update"))
    if record is None:
        if bound is not None and await _is_there(call, table, wanted, reached, reached.scope):
            raise ColumnBoundExceeded(key=key, bound=bound)
        await refuse(call, table, wanted, row_id, reached, "update")
    return Json(_encode(_changed(call, table, reached, record)))


_COUNTED = frozenset((Kind.INT, Kind.BIGINT, Kind.FLOAT, Kind.DECIMAL))


async def delete(call: Call, table: Table, row_id: str) -> None:
    """Delete a row."""
    reached = _reach_unchanged(call, table, "delete", row_id)
    wanted = row_id_of(table.rows, row_id)
    if reached is None:
        await refuse(call, table, wanted, row_id, reached, "delete")
    statement = reached.rows.delete(wanted, reached.scope)
    statement = with_event(call, table, statement, row_id, "delete")
    if not table.entity.soft_delete:
        record = await first(call, reached, statement)
    else:
        async with reached_db(call, reached, transaction=True) as db:
            record = await db.row(statement.sql, *statement.values)
            if record is not None:
                await delete_below(db, table, [wanted], reached.scope.tenant)
    if record is None:
        await refuse(call, table, wanted, row_id, reached, "delete")
    note(call, table, [row_id])


async def delete_below(db: Queries, table: Table, ids: list[Any], tenant: Any) -> None:
    """Mark as deleted what belongs to rows that are, however deep; but not within a table itself."""
    pending = [(table.entity, ids, frozenset((table.entity.name,)))]
    while pending:
        entity, parents, above = pending.pop()
        for child, column in table.soft_children(entity):
            if child.entity.name in above:
                continue
            statement = child.delete_softly_with(column, parents, Scope(tenant=tenant))
            if child.entity.sql_events:  # as of rows that PostgreSQL deletes with others, the triggers tell
                await db.script("set local freehold.events = ''")
            marked = [record[0] for record in await db.rows(statement.sql, *statement.values)]
            if child.entity.sql_events:
                await db.script("set local freehold.events = 'written'")
            if marked:
                pending.append((child.entity, marked, above | {child.entity.name}))


async def refuse(
    call: Call, table: Table, wanted: Any, row_id: str, reached: Reach | None, permission: Permission
) -> NoReturn:
    """Say why a change found no row: there is none, somebody was faster, or the caller may not."""
    known = reached or reach(call, table, "read", row_id)
    if table.is_tenant_scoped and (known is None or known.scope.tenant is None):
        raise UserUnauthorized()
    at_all = Scope(tenant=known.scope.tenant if known is not None else None)
    async with reached_db(call, known) as db:
        statement = table.rows.exists(wanted, at_all)
        if await db.row(statement.sql, *statement.values) is None:
            raise RowNotFound(id=row_id)
        if reached is not None and reached.scope.unchanged_since is not None:
            statement = table.rows.exists(wanted, reached.scope._replace(unchanged_since=None))
            if await db.row(statement.sql, *statement.values) is not None:
                raise RowUpdateConflict()
    raise not_permitted(table, permission)


def _reach_unchanged(call: Call, table: Table, permission: Permission, row_id: str) -> Reach | None:
    """What the caller may change: rows that have not changed since its X-Appwrite-Timestamp."""
    reached = reach(call, table, permission, row_id)
    return None if reached is None else unchanged(call, reached)


def unchanged(call: Call, reached: Reach) -> Reach:
    """Of what the caller may do, that to rows which have not changed since its X-Appwrite-Timestamp."""
    header = _timestamp(call)
    if not header:
        return reached
    try:
        since = read_datetime(header)
    except Misfit as misfit:
        raise InvalidParameter(name="X-Appwrite-Timestamp", reason=f"It {misfit.message}.") from misfit
    return reached._replace(scope=reached.scope._replace(unchanged_since=since))


def _timestamp(call: Call) -> str:
    if call.staged is not None:
        return call.staged.unless_newer
    return call.request.header(b"x-appwrite-timestamp")
