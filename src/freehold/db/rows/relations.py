"""Rows that are tied to rows of other tables: loaded in one statement a level, and asked about in queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from freehold.db.ddl.spelling import quote
from freehold.db.queries import Query
from freehold.db.rows.reach import among, within
from freehold.db.rows.statement import Scope, Statement, Values
from freehold.errors import InvalidQuery

if TYPE_CHECKING:
    from freehold.db.rows.table import RowTable, Shape

MAX_RELATED = 5000
"""Rows of one relation in one answer."""


class Link(NamedTuple):
    """How rows of a table are tied to those of another: by columns that are equal, or a table of links."""

    near: str
    """The column of the table itself, in SQL."""
    far: str
    """The column of the other table."""
    table: str = ""
    """The table of links, with its columns that equal the near and the far one."""
    table_near: str = ""
    table_far: str = ""


class Related(NamedTuple):
    """Another table whose rows can be asked about, and those of them that may be known of."""

    link: Link
    rows: RowTable
    scope: Scope
    to_many: bool


class Load(NamedTuple):
    """Rows to load: those that are tied to rows with these values in the link's near column."""

    related: Related
    shape: Shape
    keys: list[Any]


def load(loads: Sequence[Load]) -> Statement:
    """Load related rows, each as (position in `loads`, the near value as text, the row)."""
    values = Values()
    arrays = sorted(_array_types(loads))
    # The driver learns how to read a type of array from a column of it; within a record it does not look.
    typed = "".join(f", null::{type_}" for type_ in arrays)
    untyped = ", null" * len(arrays)
    parts: list[str] = []
    for at, each in enumerate(loads):
        link, rows, scope, _ = each.related
        keys = values.bind(each.keys)
        source, near = f"{rows.relation} where {link.far} = any({keys})", link.far
        if link.table:
            links = f"select {link.table_near} as _near, {link.table_far} as _far from {link.table}"
            source = (
                f"({links} where {link.table_near} = any({keys})) as _links"
                f" join {rows.relation} on {link.far} = _far where true"
            )
            near = "_near"
        source += within(rows, scope, values)
        parts.append(
            f"(select {at}, {near}::text, row({each.shape.select}){untyped if parts else typed}"
            f" from {source} order by {rows.tie} limit {MAX_RELATED + 1})"
        )
    return Statement(" union all ".join(parts), values.bound)


def _array_types(loads: Sequence[Load]) -> set[str]:
    return {
        column.sql_type
        for each in loads
        for key, column in each.related.rows.columns.items()
        if column.field.type.array and key in each.shape.names
    }


def matching(rows: RowTable, key: str, related: Related, query: Query, values: Values) -> str:
    """The rows some of whose related rows fit the query. Its attribute begins with the relation's key."""
    attribute = query.attribute[len(key) + 1 :]
    if not attribute and query.method == "isNull":
        return _without(rows, related, values)
    condition = ""
    if attribute or query.method != "isNotNull":
        method = "equal" if not attribute and query.method in _ANY else query.method
        asked = replace(query, method=method, attribute=attribute or "$id")
        condition = f" and {related.rows.filter(asked, values)}"
    link = related.link
    found = reachable(related, condition, values)
    if link.table:
        found = f"select {link.table_near} from {link.table} where {link.table_far} in ({found})"
    return f"{link.near} in ({found})"


_ANY = frozenset(("contains", "containsAny"))


def reachable(related: Related, condition: str, values: Values) -> str:
    """The subquery for what ties the rows that may be known of, and fit a condition."""
    rows, far = related.rows, related.link.far
    return f"select {far} from {rows.relation} where true{among(rows, related.scope, values)}{condition}"


def _without(rows: RowTable, related: Related, values: Values) -> str:
    """The rows that have no related one which may be known of."""
    link = related.link
    own = f"{quote(rows.entity.table)}.{link.near}"
    if link.table:
        ties = f"{link.table} as _links where _links.{link.table_near} = {own}"
        known = reachable(related, "", values)
        return f"not exists (select 1 from {ties} and _links.{link.table_far} in ({known}))"
    # Under another name, as a table may be related to itself.
    ties = f"{related.rows.relation} as _related where _related.{link.far} = {own}"
    return f"not exists (select 1 from {ties}{within(related.rows, related.scope, values)})"


def ordered_by(rows: RowTable, attribute: str, values: Values, *, depth: int = 0) -> str:
    """The expression for a value of a row, or of the one row that it is related to. Raises InvalidQuery.

    `depth` counts how many tables away the rows are from those that are listed.
    """
    key, related = rows.relation_in(attribute)
    if related is None:
        return rows.operand(attribute).sql
    if related.to_many:
        raise InvalidQuery(reason=f"a list cannot be in the order of `{attribute[:100]}`, which are many.")
    inner = ordered_by(related.rows, attribute[len(key) + 1 :] or "$id", values, depth=depth + 1)
    link, alias = related.link, f"_related{depth + 1}"
    own = quote(rows.entity.table) if depth == 0 else f"_related{depth}"
    found = f"{related.rows.relation} as {alias} where {alias}.{link.far} = {own}.{link.near}"
    return f"(select {inner} from {found}{within(related.rows, related.scope, values)})"
