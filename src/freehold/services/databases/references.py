"""References in tables that follow a schema: a row can only be given one that its writer may read.

Otherwise a write would tell a row that is hidden from one that is not there. So both are looked for in the
same way, and told in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from freehold.db.pool import Record
from freehold.db.rows import Reference, Statement
from freehold.db.rows.references import which_known, which_known_or_kept
from freehold.services.databases import tables
from freehold.services.databases.errors import RowInvalidStructure
from freehold.services.databases.relations import NO_ROWS
from freehold.services.databases.row_statements import not_there, reached_db
from freehold.services.databases.tables import Reach, Table, reach
from freehold.web.call import Call
from freehold.web.wire import Object


class Referring(NamedTuple):
    """What a caller may do to rows, and what they are given references to."""

    reached: Reach
    references: Sequence[Reference]


async def referring(
    call: Call, table: Table, reached: Reach, data: Object, assigned: Mapping[str, Any], row_id: Any
) -> Referring:
    """Find the references that the data sets, to rows that not everybody may read who may write it.

    A row can always refer to itself. A row that is deleted softly can be referred to by who could read it.
    """
    if call.identity.privileged or table.references.keys().isdisjoint(data):
        return Referring(reached, ())
    found = []
    for key, relation in table.references.items():
        if key not in data:
            continue
        column = reached.rows.columns[key].sql
        to = assigned[column]
        if to is None or (relation.target == table.id and to == row_id):
            continue
        other = await tables.related(call, table, relation.target)
        known = reach(call, other, "read") if tables.is_open(call, other) else None
        if known is None:
            found.append(Reference(key, column, to, other.rows, NO_ROWS))
        elif not _is_open_to_writers(table, other, known):
            scope = known.scope._replace(with_deleted=True)
            found.append(Reference(key, column, to, known.rows, scope))
            if not table.is_tenant_scoped:
                reached = reached._replace(setting=known.setting or reached.setting)
    return Referring(reached, found)


def _is_open_to_writers(table: Table, other: Table, known: Reach) -> bool:
    """Whether all rows that a foreign key lets through may be read: it keeps to the tenant by itself."""
    tenant = other.entity.tenant
    return known.scope.grants is None and (tenant == "none" or tenant == table.entity.tenant == "scoped")


async def refused_new(call: Call, to_make: Referring) -> RowInvalidStructure:
    """What to tell of a row that was not made for what it refers to."""
    references = to_make.references
    known = await _ask(call, to_make.reached, which_known(references))
    assert known is not None
    return _first_unknown(references, known) or _unknown(references[0])


async def refused_change(call: Call, to_change: Referring, row_id: Any) -> RowInvalidStructure | None:
    """What to tell of a row that the caller may change, and has not, when that is for what it refers to."""
    reached, references = to_change
    if not references:
        return None
    known = await _ask(call, reached, which_known_or_kept(reached.rows, row_id, reached.scope, references))
    return None if known is None else _first_unknown(references, known)


async def _ask(call: Call, reached: Reach, statement: Statement) -> Record | None:
    async with reached_db(call, reached) as db:
        return await db.row(statement.sql, *statement.values)


def _first_unknown(references: Sequence[Reference], known: Record) -> RowInvalidStructure | None:
    return next(
        (_unknown(each) for each, is_known in zip(references, known, strict=True) if not is_known), None
    )


def _unknown(reference: Reference) -> RowInvalidStructure:
    return not_there(f"`{reference.key}`")
