"""What a new or a changed row is made of: the values that the caller may set, as columns take them."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from freehold.access import permissions
from freehold.access.permissions import InvalidPermission
from freehold.db.ddl import quote
from freehold.db.rows import RowTable
from freehold.db.rows.operators import PREFIX, change, read
from freehold.db.values import Encoder, read_datetime
from freehold.errors import InvalidParameter, RoleNotHeld
from freehold.ids import CUSTOM_ID_PATTERN, UNIQUE, new_id, uuid7
from freehold.schema.values import Misfit
from freehold.services.databases.errors import RowInvalidStructure
from freehold.services.databases.tables import Reach, Table
from freehold.web.call import Call
from freehold.web.wire import Object

RowId = Annotated[str, Meta(pattern=CUSTOM_ID_PATTERN)]


def new_row(
    call: Call,
    table: Table,
    reached: Reach,
    made: Any,
    data: Object,
    granted: list[str] | None,
    *,
    upserted: bool = False,
    complete: bool = True,
) -> dict[str, Any]:
    """All that a new row is made of, by SQL names. Raises RowInvalidStructure and the like.

    Operators act on the defaults of a row that is upserted; of one that is just made they are refused. If one
    is not `complete` it may be there already: what it lacks is left to PostgreSQL to tell.
    """
    layout = table.entity.layout
    assigned = _assigned(call, table, reached, data, operators=upserted)
    for column in reached.rows.columns.values():
        if complete and column.required and assigned.get(column.sql) is None:
            raise RowInvalidStructure(reason=f"`{column.key}` is required.")
        if column.sql in assigned:
            continue
        if column.field.default_me and call.identity.user_id:
            assigned[column.sql] = _encoded_me(column.encode, call.identity.user_id)
        elif column.field.encrypted and column.field.default is not None:
            assigned[column.sql] = column.encode(column.field.default)
    if made is not None:
        assigned[quote(layout.id)] = made
    if layout.permissions is not None:
        assigned[quote(layout.permissions)] = (
            permissions.own(call.identity.user_id)
            if granted is None and call.identity.kind == "user"
            else row_permissions(call, granted or [])
        )
    if layout.tenant is not None:
        assigned[quote(layout.tenant)] = reached.scope.tenant
    if call.staged is not None and layout.created_at is not None:
        assigned.setdefault(quote(layout.created_at), call.staged.at)
    for name in (layout.created_by, layout.updated_by):
        if name is not None:
            assigned[quote(name)] = call.identity.user_id or call.identity.actor
    return assigned


def changes(
    call: Call, table: Table, reached: Reach, data: Object, granted: list[str] | None
) -> dict[str, Any]:
    """What a change of a row sets, by SQL names. Raises RowInvalidStructure and the like."""
    layout = table.entity.layout
    assigned = _assigned(call, table, reached, data, operators=True)
    for column in reached.rows.columns.values():
        if column.required and column.sql in assigned and assigned[column.sql] is None:
            raise RowInvalidStructure(reason=f"`{column.key}` is required, and cannot be null.")
    if granted is not None and layout.permissions is not None:
        assigned[quote(layout.permissions)] = row_permissions(call, granted)
    if layout.updated_by is not None:
        assigned[quote(layout.updated_by)] = call.identity.user_id or call.identity.actor
    return assigned


def _assigned(call: Call, table: Table, reached: Reach, data: Object, *, operators: bool) -> dict[str, Any]:
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
            if type(value) is str and value.startswith(PREFIX) and (operator := read(value)) is not None:
                if not operators:
                    raise Misfit(f"has nothing yet that `{operator.method}` could change")
                assigned[column.sql] = change(column, operator, call.staged and call.staged.at)
                continue
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
    """Check the permissions that a caller gives on a row. Raises InvalidParameter, RoleNotHeld."""
    try:
        spelled = permissions.parse(granted, permissions.ROW_PERMISSIONS)
    except InvalidPermission as error:
        raise InvalidParameter(name="permissions", reason=str(error)) from error
    if not call.identity.privileged:
        foreign = permissions.foreign_role(spelled, call.identity.roles)
        if foreign is not None:
            raise RoleNotHeld(role=foreign)
    return spelled


def new_row_id(rows: RowTable, requested: str) -> Any:
    kind = rows.entity.id_kind
    if requested != UNIQUE:
        if kind == "serial":
            raise InvalidParameter(
                name="rowId", reason="This table numbers its rows itself. Send `unique()`."
            )
        return row_id_of(rows, requested)
    match kind:
        case "uuid":
            return uuid7()
        case "serial":
            return None
        case _:
            return new_id()


def row_id_of(rows: RowTable, text: str) -> Any:
    try:
        return rows.encode_id(text)
    except Misfit as misfit:
        raise InvalidParameter(name="rowId", reason=f"`{text}` {misfit.message}.") from misfit
