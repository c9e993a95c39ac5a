"""Statements on what ties rows to each other: made, undone, and followed to what goes with a row."""

from __future__ import annotations

from typing import Any

from freehold.db.rows.relations import Link, Related, reachable
from freehold.db.rows.statement import Scope, Statement, Values
from freehold.db.rows.table import RowTable


def tie(rows: RowTable, column: str, to: Any, row_ids: list[Any], scope: Scope) -> Statement:
    """Let rows refer to another one by a column, those that do not yet."""
    values = Values()
    other = values.bind(to)
    where = f"{rows.id_sql} = any({values.bind(row_ids)}) and {column} is distinct from {other}"
    return _changed(rows, f"{column} = {other}", where + rows.within(scope, values), values)


def release(rows: RowTable, column: str, others: list[Any]) -> Statement:
    """Let all rows that refer to some others refer to none."""
    values = Values()
    return _changed(rows, f"{column} = null", f"{column} = any({values.bind(others)})", values)


def cut(rows: RowTable, column: str, others: list[Any], row_ids: list[Any]) -> Statement:
    """Let rows that are about to be deleted refer to some others no more."""
    where = f"{rows.id_sql} = any($1) and {column} = any($2)"
    return Statement(f"update {rows.relation} set {column} = null where {where}", [row_ids, others])


def _changed(rows: RowTable, change: str, where: str, values: Values) -> Statement:
    sets = ", ".join([change, *rows.touched({})])
    returning = f"returning {rows.returned}"
    return Statement(f"update {rows.relation} set {sets} where {where} {returning}", values.bound)


def untie(rows: RowTable, column: str, other: Any, leaving: list[Any], scope: Scope) -> Statement:
    """Let rows refer to another one no more."""
    values = Values()
    where = f"{rows.id_sql} = any({values.bind(leaving)}) and {column} = {values.bind(other)}"
    return _changed(rows, f"{column} = null", where + rows.within(scope, values), values)


def link(way: Link, near: Any, fars: list[Any]) -> Statement:
    """Link a row with others, those that it is not linked with yet; gives their ids."""
    columns = f"({way.table_near}, {way.table_far})"
    return Statement(
        f"insert into {way.table} {columns} select $1, unnest($2::text[]) on conflict do nothing"
        f" returning {way.table_far}",
        [near, fars],
    )


def unlink(related: Related, near: Any, but: list[Any]) -> Statement:
    """Undo the links of a row with those that may be known of, except for some; gives their ids."""
    values = Values()
    way = related.link
    where = f"{way.table_near} = {values.bind(near)} and {way.table_far} <> all({values.bind(but)})"
    known = f"{way.table_far} in ({reachable(related, '', values)})"
    return Statement(
        f"delete from {way.table} where {where} and {known} returning {way.table_far}", values.bound
    )


def ids(rows: RowTable, column: str, among: list[Any], scope: Scope, *, most: int | None) -> Statement:
    """The ids of the rows with one of these values in a column, and so many at most; None is all."""
    values = Values()
    where = f"{column} = any({values.bind(among)}){rows.within(scope, values)}"
    limit = values.bind(most)
    return Statement(f"select {rows.id_sql} from {rows.relation} where {where} limit {limit}", values.bound)


def tied(rows: RowTable, column: str, to: Any, among: list[Any]) -> Statement:
    """Those of some rows that refer to another one, by their ids."""
    return Statement(
        f"select {rows.id_sql} from {rows.relation} where {rows.id_sql} = any($1) and {column} = $2",
        [among, to],
    )


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
