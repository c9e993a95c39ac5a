"""Statements on what ties rows to each other: made, undone, and followed to what goes with a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from freehold.db.rows.reach import within
from freehold.db.rows.relations import Link, Related, reachable
from freehold.db.rows.statement import Scope, Statement, Values
from freehold.db.rows.table import RowTable


def standing(rows: RowTable, row_ids: list[Any], scope: Scope) -> Statement:
    """Which of some rows are there, by their ids, and whether each is within the scope."""
    values = Values()
    where = f"{rows.id_sql} = any({values.bind(row_ids)})"
    reached = f"true{within(rows, scope, values)}"
    return Statement(f"select {rows.id_sql}, {reached} from {rows.relation} where {where}", values.bound)


def tie(rows: RowTable, column: str, pairs: Mapping[str, str], scope: Scope) -> Statement:
    """Let rows refer to others by a column, each id to its own, those that do not yet."""
    values = Values()
    source = _given(pairs, values)
    where = f'{rows.id_sql} = "#id" and {column} is distinct from "#to"{within(rows, scope, values)}'
    return _changed(rows, f'{column} = "#to"', where, values, source=f" from {source}")


def tied(rows: RowTable, column: str, pairs: Mapping[str, str]) -> Statement:
    """Those rows that refer to the others that are theirs, by their ids."""
    values = Values()
    where = f'{rows.id_sql} = "#id" and {column} = "#to"'
    source = f"{rows.relation}, {_given(pairs, values)}"
    return Statement(f"select {rows.id_sql} from {source} where {where}", values.bound)


def vacate(rows: RowTable, column: str, pairs: Mapping[str, str | None]) -> Statement:
    """Let rows that are about to refer to others refer to none, so that they can take each other's places."""
    values = Values()
    where = f'{rows.id_sql} = "#id" and {column} is not null and {column} is distinct from "#to"'
    change = f"set {column} = null from {_given(pairs, values)}"
    return Statement(f"update {rows.relation} {change} where {where}", values.bound)


def _given(pairs: Mapping[str, str | None], values: Values) -> str:
    """Pairs of ids as a source of rows, in names that no column can have."""
    ids, tos = values.bind(list(pairs)), values.bind(list(pairs.values()))
    return f'unnest({ids}::text[], {tos}::text[]) as given("#id", "#to")'


def release(rows: RowTable, column: str, others: list[Any]) -> Statement:
    """Let all rows that refer to some others refer to none."""
    values = Values()
    return _changed(rows, f"{column} = null", f"{column} = any({values.bind(others)})", values)


def cut(rows: RowTable, column: str, others: list[Any], row_ids: list[Any]) -> Statement:
    """Let rows that are about to be deleted refer to some others no more."""
    where = f"{rows.id_sql} = any($1) and {column} = any($2)"
    return Statement(f"update {rows.relation} set {column} = null where {where}", [row_ids, others])


def _changed(rows: RowTable, change: str, where: str, values: Values, *, source: str = "") -> Statement:
    sets = ", ".join([change, *rows.touched({})])
    returning = f"returning {rows.returned}"
    return Statement(f"update {rows.relation} set {sets}{source} where {where} {returning}", values.bound)


def leaving(
    rows: RowTable, column: str, others: list[str], kept: list[str], scope: Scope, *, most: int
) -> Statement:
    """The ids of the rows that refer to some others and are not to be kept, and so many at most."""
    values = Values()
    refer = f"{column} = any({values.bind(others)})"
    where = f"{refer} and {rows.id_sql} <> all({values.bind(kept)}){within(rows, scope, values)}"
    limit = values.bind(most)
    return Statement(f"select {rows.id_sql} from {rows.relation} where {where} limit {limit}", values.bound)


def untie(rows: RowTable, column: str, others: list[str], row_ids: list[str], scope: Scope) -> Statement:
    """Let rows refer to some others no more."""
    values = Values()
    where = f"{rows.id_sql} = any({values.bind(row_ids)}) and {column} = any({values.bind(others)})"
    return _changed(rows, f"{column} = null", where + within(rows, scope, values), values)


def link(way: Link, pairs: Sequence[tuple[str, str]]) -> Statement:
    """Link rows with others, those that are not linked yet; gives the ids of the others."""
    columns = f"({way.table_near}, {way.table_far})"
    return Statement(
        f"insert into {way.table} {columns} select * from unnest($1::text[], $2::text[])"
        f" on conflict do nothing returning {way.table_far}",
        _apart(pairs),
    )


def unlink(related: Related, nears: list[str], but: Sequence[tuple[str, str]]) -> Statement:
    """Undo the links of rows with those that may be known of, except for some; gives the others' ids."""
    values = Values()
    way = related.link
    near, far = f"_links.{way.table_near}", f"_links.{way.table_far}"
    source = f"{way.table} as _links where {near} = any({values.bind(nears)})"
    kept_near, kept_far = map(values.bind, _apart(but))
    kept = f"unnest({kept_near}::text[], {kept_far}::text[]) as _kept(_near, _far)"
    source += f" and not exists (select from {kept} where _near = {near} and _far = {far})"
    known = f"{far} in ({reachable(related, '', values)})"
    return Statement(f"delete from {source} and {known} returning {far}", values.bound)


def _apart(pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
    return [[near for near, _ in pairs], [far for _, far in pairs]]


def ids(
    rows: RowTable, column: str, among: list[Any], scope: Scope, *, most: int | None, lock: bool = False
) -> Statement:
    """The ids of the rows with one of these values in a column, and so many at most; None is all.

    With `lock` nobody changes them meanwhile, nor lets others refer to them.
    """
    values = Values()
    where = f"{column} = any({values.bind(among)}){within(rows, scope, values)}"
    limit = values.bind(most)
    locked = f" order by {rows.id_sql} limit {limit} for update" if lock else f" limit {limit}"
    return Statement(f"select {rows.id_sql} from {rows.relation} where {where}{locked}", values.bound)


def delete(rows: RowTable, row_ids: list[Any]) -> Statement:
    """Delete rows by their ids."""
    where = f"{rows.id_sql} = any($1)"
    return Statement(f"delete from {rows.relation} where {where} returning {rows.returned}", [row_ids])


def referred(rows: RowTable, way: Link, row_ids: list[Any], *, most: int) -> Statement:
    """The ids of the rows that rows refer to, by a column of their own or a table of links."""
    if way.table:
        return Statement(
            f"select {way.table_far} from {way.table} where {way.table_near} = any($1) limit $2",
            [row_ids, most],
        )
    where = f"{rows.id_sql} = any($1) and {way.near} is not null"
    return Statement(f"select {way.near} from {rows.relation} where {where} limit $2", [row_ids, most])
