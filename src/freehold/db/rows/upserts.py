"""Many rows changed or made in one statement, each in its own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from freehold.db.ddl.spelling import quote
from freehold.db.rows.columns import in_json
from freehold.db.rows.operators import Change
from freehold.db.rows.reach import within
from freehold.db.rows.statement import Scope, Statement, Values
from freehold.db.rows.table import RowTable
from freehold.schema.table_names import primary_key_name

Assigned = Mapping[str, Any]
"""What columns are set to, by their SQL names: the driver's values, and operators."""


class Upserted(NamedTuple):
    """A row as it is to be: its id, what changes when it is there, and what it is made of when it is not."""

    id: Any
    changed: Assigned
    made: Assigned = MappingProxyType({})


def upsert_many(rows: RowTable, given: Sequence[Upserted], scope: Scope) -> Statement:
    """Change the rows that are there, within the scope, and make the others. No id may come twice.

    Rows that are there but not within the scope, or that somebody else makes at this moment, are left out of
    what it returns.
    """
    values = Values()
    columns = _columns(rows, given)
    source = _given(rows, given, columns, values)
    inserted = [each for each in columns if each.is_made]
    ahead = f"""
        {source}, {_held(rows, scope, values)}, updated as ({_update(rows, columns, values)}),
        made as (
            insert into {rows.relation} ({", ".join(each.sql for each in inserted)})
            select {", ".join(each.first_value(values) for each in inserted)} from given
            where not exists (select from updated where updated.{rows.id_sql} = "#id") order by "#at"
            on conflict on constraint {quote(primary_key_name(rows.entity.table))} do nothing
            returning {rows.returned}
        ),"""
    return Statement("select * from updated union all select * from made", values.bound, ahead)


def change_each(rows: RowTable, given: Sequence[Upserted], scope: Scope) -> Statement:
    """Change the rows that are there, within the scope, each in its own way. No id may come twice."""
    values = Values()
    columns = _columns(rows, given)
    ahead = f"{_given(rows, given, columns, values)}, {_held(rows, scope, values)},"
    return Statement(_update(rows, columns, values), values.bound, ahead)


def _columns(rows: RowTable, given: Sequence[Upserted]) -> list[_Column]:
    names = dict.fromkeys(name for each in given for name in (*each.changed, *each.made))
    return [_Column(rows, name, at, given) for at, name in enumerate(names)]


def _given(rows: RowTable, given: Sequence[Upserted], columns: Sequence[_Column], values: Values) -> str:
    """The table expression of what is said of the rows, in their order."""
    document = [
        {"#id": row.id, "#at": at} | {key: value for each in columns for key, value in each.sent(row)}
        for at, row in enumerate(given)
    ]
    typed = [f'"#id" {rows.type_of(rows.id_sql)}', '"#at" integer', *(each.typed for each in columns)]
    source = f"jsonb_to_recordset({values.bind(msgspec.json.encode(document))})"
    return f"given as materialized (select * from {source} as given({', '.join(typed)}))"


def _held(rows: RowTable, scope: Scope, values: Values) -> str:
    """The table expression of the rows that are there, within the scope.

    They are locked in the order of their ids, and so by everybody: an update alone takes them in the order in
    which it comes upon them, and two that come upon the same ones differently wait for each other.
    """
    return f"""
        held as materialized (
            select {rows.id_sql} as "#held" from {rows.relation} join given on {rows.id_sql} = "#id"
            where true{within(rows, scope, values)}
            order by {rows.id_sql} for no key update of {quote(rows.entity.table)}
        )"""


def _update(rows: RowTable, columns: Sequence[_Column], values: Values) -> str:
    changed = [each for each in columns if each.is_changed]
    sets = [f"{each.sql} = {each.next_value(values)}" for each in changed]
    sets += rows.touched({each.sql: None for each in changed})
    return f"""
        update {rows.relation} set {", ".join(sets) or f"{rows.id_sql} = {rows.id_sql}"}
        from held join given on "#held" = "#id"
        where {rows.id_sql} = "#held"
        returning {rows.returned}
    """


_SET, _LEFT = 0, -1
"""What a row does to a column, next to its value; from 1 on it is an operator."""


class _Column:
    """A column that some of the rows say something of.

    Of what comes from the caller, `#` cannot be in a name, so that names with it never mean the table's own.
    """

    def __init__(self, rows: RowTable, sql: str, at: int, given: Sequence[Upserted]) -> None:
        self.sql = sql
        self.is_changed = any(sql in row.changed for row in given)
        self.is_made = any(sql in row.made for row in given)
        self._type = rows.type_of(sql)
        self._default = rows.default_of(sql)
        made_at, changed_at = rows.layout.created_at, rows.layout.updated_at
        self._is_made_at = made_at is not None and sql == quote(made_at)
        self._is_changed_at = changed_at is not None and sql == quote(changed_at)
        self._value, self._act = f"#{at}", f"#{at}?"
        self._operators: dict[str, tuple[int, Change]] = {}
        self.typed = f'"{self._value}" {self._type}, "{self._act}" integer'

    def sent(self, row: Upserted) -> list[tuple[str, Any]]:
        """What is sent of a row: its value, and what is done with it."""
        value = row.changed.get(self.sql, row.made.get(self.sql, self._default))
        if isinstance(value, Change):
            same = repr((value.sql, value.arguments))
            number, _ = self._operators.setdefault(same, (len(self._operators) + 1, value))
            return [(self._act, number)]
        act = _SET if self.sql in row.changed else _LEFT
        return [(self._value, in_json(value, self._type)), (self._act, act)]

    def next_value(self, values: Values) -> str:
        """The column's next value in a row that is there."""
        left = "now()" if self._is_changed_at else self.sql
        changes = [(number, each.of_present(values)) for number, each in self._operators.values()]
        return self._chosen([(_LEFT, left), *changes])

    def first_value(self, values: Values) -> str:
        """Its value in a row that is made."""
        if self._is_made_at or self._is_changed_at:
            return f'coalesce("{self._value}", now())'
        return self._chosen([(number, each.of_default(values)) for number, each in self._operators.values()])

    def _chosen(self, cases: list[tuple[int, str]]) -> str:
        if not cases:
            return f'"{self._value}"'
        written = " ".join(f"when {number} then {sql}" for number, sql in cases)
        return f'case "{self._act}" {written} else "{self._value}" end'
