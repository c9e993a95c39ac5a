"""Rows that a call writes, and what their data says of the rows that they are related to: ids, and rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from freehold.db.rows.operators import PREFIX
from freehold.errors import BadRequest, Problem
from freehold.ids import UNIQUE
from freehold.services.databases.bulk import own
from freehold.services.databases.relation import Relation
from freehold.services.databases.relations import MAX_DEPTH
from freehold.services.databases.row_values import new_row_id
from freehold.services.databases.tables import Table
from freehold.web.wire import Object

MAX_ITEMS = 1000
"""So many rows can be named by one relationship of a row, and be written inside of one."""

Row = dict[str, Any]


class RelationshipInvalid(BadRequest, type="relationship_value_invalid"):
    """The relationship `{key}` cannot be so: {reason}"""


class WrittenRow(msgspec.Struct, kw_only=True):
    """A row that is made, changed, or only connected: what is said of it, and what becomes of it."""

    row_id: str
    data: Object
    """What is said of its columns, and of those that it is related to."""
    granted: list[str] | None = None
    place: str = ""
    """Where it stands in the call, as `author.books[2]`; empty for a row that the call itself is about."""
    is_new: bool = False
    extra: dict[str, Any] = {}
    """What ties it to the row that it stands in, by SQL names."""
    values: Object = {}
    """The data of its own columns, with the ids of those that it refers to."""
    alone: Row = {}
    """What it is once it is written."""
    shown: Row = {}
    """The same with those that it is related to, as they are answered."""

    @property
    def is_only_connected(self) -> bool:
        """Whether it is there, and is sent with nothing but its id."""
        return not self.is_new and self.granted is None and all(key.startswith("$") for key in self.data)


class NamedRows(msgspec.Struct):
    """What one relationship of a row is to be: ids of rows that are connected, and rows that are written."""

    row: WrittenRow
    items: list[str | WrittenRow]

    @property
    def connected(self) -> list[str]:
        """The ids that stand for themselves."""
        return [item for item in self.items if isinstance(item, str)]

    @property
    def written(self) -> list[WrittenRow]:
        """The rows that stand inside."""
        return [item for item in self.items if not isinstance(item, str)]

    @property
    def ids(self) -> list[str]:
        """The ids of all, once each."""
        return list(dict.fromkeys(_id_of(item) for item in self.items))

    @property
    def standing(self) -> list[str]:
        """The ids of those that are there already."""
        return [_id_of(item) for item in self.items if isinstance(item, str) or not item.is_new]

    @property
    def only_connected(self) -> list[str]:
        """The ids of those that are not written, however they are sent."""
        return [_id_of(item) for item in self.items if isinstance(item, str) or item.is_only_connected]

    def shown(self, seen: set[str]) -> list[str | Row]:
        """How they are answered. What a row is related to stands only where it is seen first."""
        shown: list[str | Row] = []
        for item in self.items:
            if isinstance(item, str):
                shown.append(item)
            else:
                shown.append(item.alone if item.row_id in seen else item.shown)
                seen.add(item.row_id)
        return shown


def _id_of(item: str | WrittenRow) -> str:
    return item if isinstance(item, str) else item.row_id


def relations_of(table: Table, rows: Iterable[WrittenRow]) -> list[Relation]:
    """The relationships that rows say something of, in the order in which they do."""
    keys = dict.fromkeys(key for row in rows for key in row.data if key in table.relations)
    return [table.relations[key] for key in keys]


class Reading:
    """Reads what rows of a call name: each row of a relationship once, however often it is named."""

    def __init__(self, most: int) -> None:
        """A call writes so many related rows at most."""
        self._most = most
        self._counted = 0

    def read(
        self, other: Table, relation: Relation, rows: Sequence[WrittenRow], depth: int
    ) -> list[NamedRows]:
        """What a relationship of these rows is to be. Raises RelationshipInvalid and the like."""
        written: dict[str, WrittenRow] = {}
        return [self._named(other, relation, row, written, depth) for row in rows]

    def _named(
        self, other: Table, relation: Relation, row: WrittenRow, written: dict[str, WrittenRow], depth: int
    ) -> NamedRows:
        within = f"{row.place}.{relation.key}" if row.place else relation.key
        with told_of(row.place):
            sent = _listed(relation, row)
        items: list[str | WrittenRow] = []
        for at, item in enumerate(sent):
            if isinstance(item, str):
                items.append(item)
                continue
            place = f"{within}[{at}]" if relation.to_many else within
            with told_of(place):
                items.append(self._written(other, relation, item, written, place, depth))
        return NamedRows(row, items)

    def _written(
        self,
        other: Table,
        relation: Relation,
        item: Object,
        written: dict[str, WrittenRow],
        place: str,
        depth: int,
    ) -> WrittenRow:
        self._count(relation, depth)
        named, granted = own(item, parameter="data")
        row_id = str(new_row_id(other.rows, named))
        data = {key: value for key, value in item.items() if key not in ("$id", "$permissions")}
        known = written.get(row_id)
        if known is None:
            row = WrittenRow(row_id=row_id, data=data, granted=granted, place=place, is_new=named == UNIQUE)
            return written.setdefault(row_id, row)
        for key in known.data.keys() & data.keys():
            if _is_operator(known.data[key]) or _is_operator(data[key]):
                raise RelationshipInvalid(
                    key=relation.key,
                    reason=f"`{key[:100]}` of the row `{row_id}` is changed twice. An operator acts alone.",
                )
        known.data = known.data | data
        known.granted = known.granted if granted is None else granted
        return known

    def _count(self, relation: Relation, depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise RelationshipInvalid(
                key=relation.key, reason=f"rows can be nested {MAX_DEPTH} levels deep. Write it by itself."
            )
        self._counted += 1
        if self._counted > self._most:
            raise RelationshipInvalid(
                key=relation.key, reason=f"a call can write {self._most} related rows at most."
            )


def _listed(relation: Relation, row: WrittenRow) -> list[Any]:
    """The ids and rows that a relationship names, each id once. Raises RelationshipInvalid."""
    value = row.data[relation.key]
    if not relation.to_many:
        value = [] if value is None else [value]
    elif not isinstance(value, list):
        raise RelationshipInvalid(key=relation.key, reason="it takes a list of ids or rows.")
    if len(value) > MAX_ITEMS:
        raise RelationshipInvalid(key=relation.key, reason=f"it takes at most {MAX_ITEMS} rows.")
    for item in value:
        if not isinstance(item, str | dict) or (isinstance(item, str) and "\0" in item):
            raise RelationshipInvalid(key=relation.key, reason="a related row is an id or an object.")
    named = {item if isinstance(item, str) else at: item for at, item in enumerate(value)}
    return list(named.values())


def _is_operator(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(PREFIX)


@contextmanager
def told_of(place: str) -> Iterator[None]:
    """Let a problem say which row it is about, as `author.books[2]: `."""
    try:
        yield
    except Problem as problem:
        if place:
            problem.place = f"{place}: {problem.place}"
        raise


def place_of(rows: Sequence[WrittenRow]) -> str:
    """Where rows stand that are written together."""
    return rows[0].place if len(rows) == 1 else re.sub(r"\[\d+\]", "", rows[0].place)
