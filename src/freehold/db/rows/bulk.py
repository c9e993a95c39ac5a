"""Many rows made alike, or changed and deleted by what fits, in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from freehold.db.ddl.spelling import quote
from freehold.db.queries import Page
from freehold.db.rows.columns import in_json
from freehold.db.rows.order import order_by
from freehold.db.rows.statement import Scope, Statement, Values
from freehold.db.rows.table import RowTable, assignments


def insert_many(rows: RowTable, made: Sequence[Mapping[str, Any]]) -> Statement:
    """Insert rows that all set the same columns, by SQL names and the driver's values.

    The rows travel as one JSON document, so that one statement serves any number of them. One that does
    not say when it was made or changed was so now.
    """
    values = Values()
    names = list(made[0])
    types = [rows.type_of(name) for name in names]
    document = [{f"c{at}": in_json(row[name], types[at]) for at, name in enumerate(names)} for row in made]
    typed = ", ".join(f"c{at} {type_}" for at, type_ in enumerate(types))
    moments = [quote(name) for name in (rows.layout.created_at, rows.layout.updated_at) if name is not None]
    columns = ", ".join(
        f"coalesce(c{at}, now())" if name in moments else f"c{at}" for at, name in enumerate(names)
    )
    source = f"jsonb_to_recordset({values.bind(msgspec.json.encode(document))}) as made({typed})"
    return Statement(
        f"insert into {rows.relation} ({', '.join(names)}) select {columns} from {source}"
        f" returning {rows.returned}",
        values.bound,
    )


def update_many(
    rows: RowTable, assigned: Mapping[str, Any], page: Page, scope: Scope, *, most: int
) -> Statement:
    """Change the rows that fit, and so many at most."""
    values = Values()
    sets = assignments(assigned, values)
    sets += rows.touched(assigned)
    where = _fitting(rows, page, scope, values, most)
    return Statement(
        f"update {rows.relation} set {', '.join(sets)} where {where} returning {rows.returned}",
        values.bound,
    )


def delete_many(rows: RowTable, page: Page, scope: Scope, *, most: int) -> Statement:
    """Delete the rows that fit, and so many at most."""
    values = Values()
    where = _fitting(rows, page, scope, values, most)
    return Statement(f"{rows.deletion()} where {where} returning {rows.returned}", values.bound)


def choose(rows: RowTable, page: Page, scope: Scope, *, most: int) -> Statement:
    """The ids of the rows that a bulk change means, which nobody else changes meanwhile."""
    values = Values()
    chosen = _chosen(rows, page, rows.where(page, scope, values), values, most)
    return Statement(f"{chosen} for update", values.bound)


def _fitting(rows: RowTable, page: Page, scope: Scope, values: Values, most: int) -> str:
    """The predicate of a bulk change: filters, and so many at most, the first of an order."""
    where = rows.where(page, scope, values)
    # Said twice, because what somebody changes while we wait for a row may let it fit no more.
    return f"{rows.id_sql} in ({_chosen(rows, page, where, values, most)}) and {where}"


def _chosen(rows: RowTable, page: Page, where: str, values: Values, most: int) -> str:
    ordered = ""
    if page.orders or page.limited or page.offset:
        ordered = f" {order_by(rows.order(page, values))}"
    limit = values.bind(min(page.limit, most) if page.limited else most)
    offset = f" offset {values.bind(page.offset)}" if page.offset else ""
    return f"select {rows.id_sql} from {rows.relation} where {where}{ordered} limit {limit}{offset}"
