"""Rows: what may be written, who may reach which, and each change together with its event."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any, Literal, NoReturn

import asyncpg
import msgspec
from msgspec import Meta

from freehold import events
from freehold.access import permissions
from freehold.access.permissions import InvalidPermission
from freehold.db.ddl import primary_key_name, quote
from freehold.db.pool import Queries, Record
from freehold.db.queries import Page, page, parse
from freehold.db.rows import RowTable, Scope, Statement
from freehold.db.values import Encoder, read_datetime
from freehold.errors import CursorNotFound, InvalidParameter, UserUnauthorized
from freehold.ids import CUSTOM_ID_PATTERN, UNIQUE, new_id, uuid7
from freehold.schema.model import Kind
from freehold.schema.values import Misfit
from freehold.services.databases.errors import (
    ColumnBoundExceeded,
    ColumnNotFound,
    ColumnTypeInvalid,
    RowAlreadyExists,
    RowDeleteRestricted,
    RowInvalidStructure,
    RowMissingPayload,
    RowNotFound,
    RowNotUnique,
    RowUpdateConflict,
)
from freehold.services.databases.tables import Reach, Table, reach
from freehold.web.call import Call
from freehold.web.wire import Json, Object

RowId = Annotated[str, Meta(pattern=CUSTOM_ID_PATTERN)]
Action = Literal["create", "update", "upsert", "delete"]

_encode = msgspec.json.Encoder().encode


@asynccontextmanager
async def reached_db(call: Call, reached: Reach, *, transaction: bool = False) -> AsyncIterator[Queries]:
    """The pool, or a transaction: when it is asked for, or when PostgreSQL has to be told the tenant."""
    if not reached.setting and not transaction:
        yield call.app.db
        return
    async with call.app.db.transaction() as begun:
        if reached.setting:
            begun.begin_with(reached.setting)
        yield begun


# -- reading -----------------------------------------------------------------------------------------------


async def get(call: Call, table: Table, row_id: str, queries: list[str]) -> Json:
    """Read a row. What the caller may not read is not found."""
    reached = reach(call, table, "read", row_id)
    if reached is None:
        raise RowNotFound(id=row_id)
    shape = reached.rows.selected(page(parse(queries)).select) if queries else None
    statement = reached.rows.get(_row_id(reached.rows, row_id), reached.scope, shape)
    record = await _first(call, reached, statement)
    if record is None:
        raise RowNotFound(id=row_id)
    return Json(_encode((shape or reached.rows.shape).row(record)))


async def find(call: Call, table: Table, queries: list[str], *, counted: bool) -> Json:
    """Read a page of rows, with how many there are (up to 5,000) when that is asked for."""
    reached = reach(call, table, "read")
    if reached is None:
        raise UserUnauthorized()
    wanted = page(parse(queries)) if queries else _FIRST_PAGE
    rows, scope = reached.rows, reached.scope
    shape = rows.selected(wanted.select)
    async with reached_db(call, reached) as db:
        after = None
        if wanted.cursor:
            after = await _cursor(db, rows, wanted, scope)
        statement = rows.find(wanted, scope, shape, after=after, counted=counted)
        records = await db.rows(statement.sql, *statement.values)
        total = 0
        if counted and records:
            total = records[0][len(records[0]) - 1]
        elif counted and (wanted.offset or wanted.cursor):
            count = rows.count(wanted, scope)
            total = await db.value(count.sql, *count.values)
    if wanted.backwards:
        records.reverse()
    return Json(_encode({"total": total, "rows": [shape.row(record) for record in records]}))


_FIRST_PAGE = Page()


async def _cursor(db: Queries, rows: RowTable, wanted: Page, scope: Scope) -> Record:
    try:
        row_id = rows.encode_id(wanted.cursor)
    except Misfit as misfit:
        raise CursorNotFound(id=wanted.cursor) from misfit
    statement = rows.cursor(wanted, row_id, scope)
    found = await db.row(statement.sql, *statement.values)
    if found is None:
        raise CursorNotFound(id=wanted.cursor)
    rows.check_cursor(wanted, found)
    return found


# -- writing -----------------------------------------------------------------------------------------------


async def create(
    call: Call,
    table: Table,
    row_id: str,
    data: Object,
    granted: list[str] | None,
    *,
    action: Action = "create",
) -> Json:
    """Make a row. A user that says nothing of permissions may read and change what it made."""
    made = new_row_id(table.rows, row_id)
    reached = reach(call, table, "create", "" if made is None else str(made))
    if reached is None:
        raise UserUnauthorized()
    statement = reached.rows.insert(new_row(call, table, reached, made, data, granted))
    statement = _with_event(call, table, statement, "" if made is None else str(made), action)
    if reached.scope.grants is None:
        record = await _first(call, reached, statement)
    else:
        record = await _first_within(call, reached, statement)
    assert record is not None
    return Json(_encode(reached.rows.shape.row(record)))


async def _first_within(call: Call, reached: Reach, statement: Statement) -> Record | None:
    """Make a row, and unmake it when it is not one that the caller's conditions allow."""
    with refusals(reached.rows):
        async with call.app.db.transaction() as db:
            if reached.setting:
                db.begin_with(reached.setting)
            record = await db.row(statement.sql, *statement.values)
            assert record is not None
            wanted = reached.rows.encode_id(reached.rows.shape.row(record)["$id"])
            allowed = reached.rows.exists(wanted, reached.scope)
            if await db.row(allowed.sql, *allowed.values) is None:
                raise UserUnauthorized()
            return record


def new_row(
    call: Call, table: Table, reached: Reach, made: Any, data: Object, granted: list[str] | None
) -> dict[str, Any]:
    """All that a new row is made of, by SQL names. Raises RowInvalidStructure and the like."""
    layout = table.entity.layout
    assigned = _assigned(call, table, reached, data)
    for column in reached.rows.columns.values():
        if column.required and assigned.get(column.sql) is None:
            raise RowInvalidStructure(reason=f"`{column.key}` is required.")
        if column.field.default_me and column.sql not in assigned and call.identity.user_id:
            assigned[column.sql] = _encoded_me(column.encode, call.identity.user_id)
    if made is not None:
        assigned[quote(layout.id)] = made
    if layout.permissions is not None:
        if granted is None and call.identity.kind == "user":
            granted = permissions.own(call.identity.user_id)
        assigned[quote(layout.permissions)] = row_permissions(call, granted or [])
    if layout.tenant is not None:
        assigned[quote(layout.tenant)] = reached.scope.tenant
    for name in (layout.created_by, layout.updated_by):
        if name is not None:
            assigned[quote(name)] = call.identity.user_id or call.identity.actor
    return assigned


async def update(
    call: Call,
    table: Table,
    row_id: str,
    data: Object | None,
    granted: list[str] | None,
    *,
    action: Action = "update",
) -> Json:
    """Change what is given of a row, and leave the rest."""
    if data is None and granted is None:
        raise RowMissingPayload()
    reached = reach(call, table, "update", row_id)
    wanted = _row_id(table.rows, row_id)
    if reached is None:
        await _refuse(call, table, wanted, row_id, reached)
    assigned = changes(call, table, reached, data or {}, granted)
    statement = reached.rows.update(wanted, assigned, reached.scope)
    statement = _unless_newer(call, table.entity.layout.updated_at, statement)
    record = await _first(call, reached, _with_event(call, table, statement, row_id, action))
    if record is None:
        await _refuse(call, table, wanted, row_id, reached)
    return Json(_encode(reached.rows.shape.row(record)))


def changes(
    call: Call, table: Table, reached: Reach, data: Object, granted: list[str] | None
) -> dict[str, Any]:
    """What a change of a row sets, by SQL names. Raises RowInvalidStructure and the like."""
    layout = table.entity.layout
    assigned = _assigned(call, table, reached, data)
    for column in reached.rows.columns.values():
        if column.required and column.sql in assigned and assigned[column.sql] is None:
            raise RowInvalidStructure(reason=f"`{column.key}` is required, and cannot be null.")
    if granted is not None and layout.permissions is not None:
        assigned[quote(layout.permissions)] = row_permissions(call, granted)
    if layout.updated_by is not None:
        assigned[quote(layout.updated_by)] = call.identity.user_id or call.identity.actor
    return assigned


async def upsert(call: Call, table: Table, row_id: str, data: Object, granted: list[str] | None) -> Json:
    """Change what is given of a row, or make it when there is none."""
    wanted = _row_id(table.rows, row_id)
    to_change = reach(call, table, "update", row_id)
    to_create = reach(call, table, "create", row_id)
    if to_change is None and to_create is None:
        raise UserUnauthorized()
    if await _is_there(call, table, wanted, to_change or to_create):
        return await update(call, table, row_id, data, granted, action="upsert")
    try:
        return await create(call, table, row_id, data, granted, action="upsert")
    except RowAlreadyExists:  # made by somebody else since we looked
        return await update(call, table, row_id, data, granted, action="upsert")


async def _is_there(call: Call, table: Table, wanted: Any, reached: Reach | None) -> bool:
    assert reached is not None
    statement = table.rows.exists(wanted, Scope(tenant=reached.scope.tenant))
    async with reached_db(call, reached) as db:
        return await db.row(statement.sql, *statement.values) is not None


async def increment(
    call: Call, table: Table, row_id: str, key: str, by: int | float, bound: int | float | None
) -> Json:
    """Add to a number of a row, in one step that loses nobody's addition. Raises ColumnLimitExceeded."""
    reached = reach(call, table, "update", row_id)
    wanted = _row_id(table.rows, row_id)
    if reached is None:
        await _refuse(call, table, wanted, row_id, reached)
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
    record = await _first(call, reached, _with_event(call, table, statement, row_id, "update"))
    if record is None:
        if bound is not None and await _is_within(call, reached, wanted):
            raise ColumnBoundExceeded(key=key, bound=bound)
        await _refuse(call, table, wanted, row_id, reached)
    return Json(_encode(reached.rows.shape.row(record)))


_COUNTED = frozenset((Kind.INT, Kind.BIGINT, Kind.FLOAT, Kind.DECIMAL))


async def _is_within(call: Call, reached: Reach, wanted: Any) -> bool:
    statement = reached.rows.exists(wanted, reached.scope)
    async with reached_db(call, reached) as db:
        return await db.row(statement.sql, *statement.values) is not None


async def delete(call: Call, table: Table, row_id: str) -> None:
    """Delete a row."""
    reached = reach(call, table, "delete", row_id)
    wanted = _row_id(table.rows, row_id)
    if reached is None:
        await _refuse(call, table, wanted, row_id, reached)
    statement = _unless_newer(
        call, table.entity.layout.updated_at, reached.rows.delete(wanted, reached.scope)
    )
    statement = _with_event(call, table, statement, row_id, "delete")
    if not table.entity.soft_delete:
        record = await _first(call, reached, statement)
    else:
        async with call.app.db.transaction() as db:
            if reached.setting:
                db.begin_with(reached.setting)
            record = await db.row(statement.sql, *statement.values)
            if record is not None:
                await delete_below(db, table, [wanted], reached.scope.tenant)
    if record is None:
        await _refuse(call, table, wanted, row_id, reached)


async def delete_below(db: Queries, table: Table, ids: list[Any], tenant: Any) -> None:
    """Mark as deleted what belongs to rows that are, however deep; but not within a table itself."""
    pending = [(table.entity, ids, frozenset((table.entity.name,)))]
    while pending:
        entity, parents, above = pending.pop()
        for child, column in table.soft_children(entity):
            if child.entity.name in above:
                continue
            statement = child.delete_softly_with(column, parents, Scope(tenant=tenant))
            marked = [record[0] for record in await db.rows(statement.sql, *statement.values)]
            if marked:
                pending.append((child.entity, marked, above | {child.entity.name}))


async def _refuse(call: Call, table: Table, wanted: Any, row_id: str, reached: Reach | None) -> NoReturn:
    """Say why a change found no row: there is none, somebody was faster, or the caller may not."""
    known = reached or reach(call, table, "read", row_id)
    if table.is_tenant_scoped and (known is None or known.scope.tenant is None):
        raise UserUnauthorized()
    setting = known.setting if known is not None else ""
    at_all = Scope(tenant=known.scope.tenant if known is not None else None)
    async with call.app.db.transaction() as db:
        if setting:
            db.begin_with(setting)
        statement = table.rows.exists(wanted, at_all)
        if await db.row(statement.sql, *statement.values) is None:
            raise RowNotFound(id=row_id)
        if reached is not None and call.request.header(b"x-appwrite-timestamp"):
            statement = table.rows.exists(wanted, reached.scope)
            if await db.row(statement.sql, *statement.values) is not None:
                raise RowUpdateConflict()
    raise UserUnauthorized()


def _unless_newer(call: Call, updated_at: str | None, statement: Statement) -> Statement:
    """Let a change happen only when the row has not changed since X-Appwrite-Timestamp."""
    header = call.request.header(b"x-appwrite-timestamp")
    if not header or updated_at is None:
        return statement
    try:
        moment = read_datetime(header)
    except Misfit as misfit:
        raise InvalidParameter(name="X-Appwrite-Timestamp", reason=f"It {misfit.message}.") from misfit
    condition = f"{quote(updated_at)} <= ${len(statement.values) + 1}"
    head, returning, tail = statement.sql.rpartition(" returning ")
    return Statement(f"{head} and {condition}{returning}{tail}", [*statement.values, moment])


def _assigned(call: Call, table: Table, reached: Reach, data: Object) -> dict[str, Any]:
    """The columns that the data sets, by their SQL names. Raises RowInvalidStructure."""
    columns = reached.rows.columns
    layout = table.entity.layout
    assigned: dict[str, Any] = {}
    for key, value in data.items():
        column = columns.get(key)
        if column is None:
            if key.startswith("$"):
                if key in ("$createdAt", "$updatedAt") and call.identity.privileged and value is not None:
                    name = layout.created_at if key == "$createdAt" else layout.updated_at
                    if name is not None:
                        assigned[quote(name)] = _moment(key, value)
                continue
            raise RowInvalidStructure(reason=f"`{key[:100]}` is not a column of this table.")
        if key in reached.locked:
            raise RowInvalidStructure(reason=f"`{key}` may not be set by you.")
        try:
            assigned[column.sql] = column.encode(value)
        except Misfit as misfit:
            raise RowInvalidStructure(reason=f"`{key}` {misfit.message}.") from misfit
    return assigned


def _moment(key: str, value: Any) -> Any:
    try:
        return read_datetime(value)
    except Misfit as misfit:
        raise RowInvalidStructure(reason=f"`{key}` {misfit.message}.") from misfit


def _encoded_me(encode: Encoder, user_id: str) -> Any:
    try:
        return encode(user_id)
    except Misfit:
        return None


def row_permissions(call: Call, granted: list[str]) -> list[str]:
    """Check the permissions that a caller gives on a row. Raises InvalidParameter, UserUnauthorized."""
    try:
        spelled = permissions.parse(granted, permissions.ROW_PERMISSIONS)
    except InvalidPermission as error:
        raise InvalidParameter(name="permissions", reason=str(error)) from error
    if not call.identity.privileged:
        foreign = permissions.foreign_role(spelled, call.identity.roles)
        if foreign is not None:
            raise UserUnauthorized()
    return spelled


def new_row_id(rows: RowTable, requested: str) -> Any:
    kind = rows.entity.id_kind
    if requested != UNIQUE:
        if kind == "serial":
            raise InvalidParameter(
                name="rowId", reason="This table numbers its rows itself. Send `unique()`."
            )
        return _row_id(rows, requested)
    match kind:
        case "uuid":
            return uuid7()
        case "serial":
            return None
        case _:
            return new_id()


def _row_id(rows: RowTable, text: str) -> Any:
    try:
        return rows.encode_id(text)
    except Misfit as misfit:
        raise InvalidParameter(name="rowId", reason=f"`{text}` {misfit.message}.") from misfit


# -- running -----------------------------------------------------------------------------------------------


def _with_event(call: Call, table: Table, statement: Statement, row_id: str, action: Action) -> Statement:
    """The statement with its event. Without an id it is one that PostgreSQL is about to choose."""
    if not row_id:
        return with_events(call, table, statement, action)
    values = list(statement.values)
    name = f"databases.{table.database_id}.tables.{table.id}.rows.{row_id}.{action}"
    sql = events.recorded(statement.sql, values, call.project.id, name, call.identity.actor, call.request.id)
    return Statement(sql, values)


def with_events(call: Call, table: Table, statement: Statement, action: Action) -> Statement:
    """A statement on many rows, with an event of each."""
    values = list(statement.values)
    sql = events.recorded_each(
        statement.sql,
        values,
        call.project.id,
        f"databases.{table.database_id}.tables.{table.id}.rows.",
        quote(table.entity.layout.id),
        f".{action}",
        call.identity.actor,
        call.request.id,
    )
    return Statement(sql, values)


async def _first(call: Call, reached: Reach, statement: Statement) -> Record | None:
    """Run a statement on rows."""
    with refusals(reached.rows):
        if not reached.setting:
            return await call.app.db.row(statement.sql, *statement.values)
        async with reached_db(call, reached) as db:
            return await db.row(statement.sql, *statement.values)


@contextmanager
def refusals(rows: RowTable) -> Iterator[None]:
    """Tell what PostgreSQL refuses in the caller's words."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name == primary_key_name(rows.entity.table):
            raise RowAlreadyExists() from error
        raise RowNotUnique(columns=_columns_of(rows, error.detail) or "its columns") from error
    except asyncpg.ForeignKeyViolationError as error:
        if error.detail is not None and "still referenced" in error.detail:
            raise RowDeleteRestricted() from error
        key = _columns_of(rows, error.detail) or "a reference"
        raise RowInvalidStructure(reason=f"{key} names a row that is not there.") from error
    except asyncpg.NotNullViolationError as error:
        raise RowInvalidStructure(reason=f"`{_key_of(rows, error.column_name)}` is required.") from error
    except asyncpg.CheckViolationError as error:
        raise RowInvalidStructure(reason="a value breaks one of the table's rules.") from error
    except asyncpg.DataError as error:
        raise RowInvalidStructure(reason="a value does not fit its column.") from error


def _key_of(rows: RowTable, column_name: str | None) -> str:
    for key, column in rows.columns.items():
        if column.field.column == column_name:
            return key
    return column_name or "a column"


def _columns_of(rows: RowTable, detail: str | None) -> str:
    """The columns in an error's detail, `Key (a, b)=(1, 2) already exists.`, less the values."""
    inside = (detail or "").partition("(")[2].partition(")")[0]
    names = [part.strip().strip('"') for part in inside.split(",")]
    keys = [_key_of(rows, name) for name in names if name != rows.layout.tenant and name]
    return ", ".join(f"`{key}`" for key in keys)
