"""References that a write sets, each to a row that the writer has to know of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from freehold.db.rows.reach import within
from freehold.db.rows.statement import Scope, Statement, Values

if TYPE_CHECKING:
    from freehold.db.rows.table import RowTable


class Reference(NamedTuple):
    """A column that a write sets to the id of another table's row."""

    key: str
    """What the column is called on the wire."""
    column: str
    """What it is called in SQL."""
    to: Any
    """The id, as the driver takes it."""
    rows: RowTable
    """The other table."""
    scope: Scope
    """The rows of it that the writer may know of."""


def known(references: Sequence[Reference], values: Values) -> list[str]:
    """Of each reference, the condition that there is such a row which may be known of."""
    return [_known(each, values) for each in references]


def known_or_kept(references: Sequence[Reference], values: Values) -> list[str]:
    """The same for a row that is there: it keeps what it refers to."""
    return [
        f"({each.column} is not distinct from {values.bind(each.to)} or {_known(each, values)})"
        for each in references
    ]


def _known(reference: Reference, values: Values) -> str:
    rows = reference.rows
    where = f"{rows.id_sql} = {values.bind(reference.to)}{within(rows, reference.scope, values)}"
    return f"exists (select from {rows.relation} where {where})"


def which_known(references: Sequence[Reference]) -> Statement:
    """Tell of each reference whether a new row may have it."""
    values = Values()
    return Statement(f"select {', '.join(known(references, values))}", values.bound)


def which_known_or_kept(
    rows: RowTable, row_id: Any, scope: Scope, references: Sequence[Reference]
) -> Statement:
    """Tell of each reference whether a row may be given it; nothing of a row that is not within the scope."""
    values = Values()
    told = ", ".join(known_or_kept(references, values))
    where = f"{rows.id_sql} = {values.bind(row_id)}{within(rows, scope, values)}"
    return Statement(f"select {told} from {rows.relation} where {where}", values.bound)
