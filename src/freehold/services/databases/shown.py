"""Rows as a caller may see them in events: under the same rules as those that are asked for."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

import msgspec
import structlog

from freehold.db.ddl import quote
from freehold.db.pool import Record
from freehold.db.rows import RowTable, Scope, Values, within
from freehold.services.databases import tables
from freehold.services.databases.errors import NoTenant
from freehold.services.databases.tables import CHANGED, UNREADABLE, Table, database_tag, reach
from freehold.web.call import Call, Staged
from freehold.web.wire import Object

_log = structlog.get_logger("freehold.databases")


async def of_event(
    call: Call,
    remembered: MutableMapping[Any, Object | None],
    ids: tuple[str, str, str],
    kept: Mapping[str, Any],
    *,
    is_gone: bool,
) -> Object | None:
    """A row as the caller may see it, from what the outbox has kept of it; None when it may not.

    `ids` are of the database, the table and the row. What was worked out is `remembered` for other callers.
    """
    for _ in range(2):
        table = await tables.known(call, *ids[:2])
        if table is None or not tables.is_open(call, table):
            return None
        found = _reached(call, table, ids[2], kept)
        if found is None:
            return None
        rows, scope = found
        # Without conditions it does not matter who it is.
        key = (rows, scope.tenant if scope.grants is None else repr(scope))
        if key in remembered:
            return remembered[key]
        shown = None
        try:
            record = await _read(call, rows, scope, kept, is_gone=is_gone)
            if record is not None:
                shown = rows.shape.row(record) | {"$tableId": table.id, "$collectionId": table.id}
        except CHANGED:
            call.app.stamps.touch(database_tag(call.project.id, ids[0]))
            continue
        except UNREADABLE as error:  # others are told what else has happened
            _log.warning("row_not_told", table=table.id, row=ids[2], error=type(error).__name__)
        remembered[key] = shown
        return shown
    return None


def _reached(call: Call, table: Table, row_id: str, kept: Mapping[str, Any]) -> tuple[RowTable, Scope] | None:
    if table.is_tenant_scoped:
        layout = table.rows.layout
        tenant = kept.get(layout.id if table.entity.tenant == "self" else layout.tenant or "")
        # An event tells which tenant it is of, so nobody has to name it.
        call.staged = Staged(table.made_at, str(tenant), "")
    try:
        reached = reach(call, table, "read", row_id)
    except NoTenant:
        return None
    finally:
        call.staged = None
    if reached is None:
        return None
    asks = reached.scope.asks
    if asks is not None:
        granted = kept.get(table.rows.layout.permissions or "") or ()
        # SQL can put lists within lists there, which grant nothing.
        if not any(each in asks for each in granted):
            return None
        return reached.rows, reached.scope._replace(asks=None)
    return reached.rows, reached.scope


async def _read(
    call: Call, rows: RowTable, scope: Scope, kept: Mapping[str, Any], *, is_gone: bool
) -> Record | None:
    deleted_at = rows.layout.deleted_at
    if is_gone and deleted_at is not None:
        kept = {name: value for name, value in kept.items() if name != deleted_at}  # it was there until now
    values = Values()
    source = f"jsonb_populate_record(null::{rows.relation}, {values.bind(msgspec.json.encode(kept))}::jsonb)"
    where = within(rows, scope, values)
    return await call.db.row(
        f"select {rows.shape.select} from {source} as {quote(rows.entity.table)} where true{where}",
        *values.bound,
    )
