"""Rows that are written together with those that they are related to: all of it happens, or nothing.

Each row is made or changed by the same function as when it comes alone, so that nobody can do to a related
row what they could not do to it by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from freehold.db.rows import MAX_RELATED, Link, Related, Scope, Statement, ties
from freehold.errors import BadRequest, Problem, UserUnauthorized
from freehold.ids import UNIQUE, new_id
from freehold.services.databases import rows, tables
from freehold.services.databases.bulk import alike, own
from freehold.services.databases.relation import Relation
from freehold.services.databases.relations import MAX_DEPTH, NO_ROWS, link_of
from freehold.services.databases.row_statements import (
    change_many,
    in_one_transaction,
    note,
    refusals,
    with_events,
)
from freehold.services.databases.row_values import new_row, new_row_id
from freehold.services.databases.rows import Extra
from freehold.services.databases.tables import Table, not_permitted, reach
from freehold.web.call import Call
from freehold.web.wire import Json, Object

MAX_ITEMS = 1000
"""So many rows can be named by one relationship of a row, and be written in one call."""

_encode = msgspec.json.Encoder().encode

Row = dict[str, Any]


class RelationshipInvalid(BadRequest, type="relationship_value_invalid"):
    """The relationship `{key}` cannot be so: {reason}"""


async def create(call: Call, table: Table, row_id: str, data: Object, granted: list[str] | None) -> Json:
    """Make a row, and what its data says of the rows that it is related to."""
    must_be_named_well(data)
    if not _names_related(table, data):
        return Json(_encode(await rows.create(call, table, row_id, data, granted)))
    async with in_one_transaction(call):
        return Json(_encode(await _Writer(call).create(table, row_id, data, granted)))


async def update(
    call: Call, table: Table, row_id: str, data: Object | None, granted: list[str] | None
) -> Json:
    """Change what is given of a row, and of the rows that it is related to."""
    must_be_named_well(data)
    if data is None or not _names_related(table, data):
        return Json(_encode(await rows.update(call, table, row_id, data, granted)))
    async with in_one_transaction(call):
        return Json(_encode(await _Writer(call).update(table, row_id, data, granted)))


async def upsert(call: Call, table: Table, row_id: str, data: Object, granted: list[str] | None) -> Json:
    """Change what is given of a row, or make it, and so the rows that it is related to."""
    must_be_named_well(data)
    if not _names_related(table, data):
        return Json(_encode(await rows.upsert(call, table, row_id, data, granted)))

    async def put(plain: Object) -> Row:
        return await rows.upsert(call, table, row_id, plain, granted)

    async with in_one_transaction(call):
        return Json(_encode(await _Writer(call).write(table, data, put, depth=0, is_new=False)))


def must_be_named_well(data: Object | None) -> None:
    """Refuse an id and permissions in a row's data that can be none, though others stand beside the data."""
    if data and ("$id" in data or "$permissions" in data):
        own(data, parameter="data")


def with_ids(data: Object) -> Object:
    """The data with the ids that nested rows will have, whenever they are made."""
    return {key: _with_ids(value) for key, value in data.items()}


def _with_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_ids(each) for each in value]
    if not isinstance(value, dict):
        return value
    named = with_ids(value)
    return named if named.get("$id", UNIQUE) != UNIQUE else named | {"$id": new_id()}


def _names_related(table: Table, data: Object) -> bool:
    return bool(table.relations) and not table.follows_schema and not table.relations.keys().isdisjoint(data)


class _Sent(NamedTuple):
    """What a relationship of a row is to be: rows by their ids, and rows that are written with it."""

    items: list[Any]
    connected: list[str]
    known: list[str]
    """The ids of all that have one already."""


class _Writer:
    """One call's writing."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.written = 0
        self.made: set[tuple[str, str]] = set()
        """The tables and ids of the rows that are new."""

    async def create(
        self,
        table: Table,
        row_id: str,
        data: Object,
        granted: list[str] | None,
        *,
        extra: Extra | None = None,
        depth: int = 0,
    ) -> Row:
        async def make(plain: Object) -> Row:
            row = await rows.create(self.call, table, row_id, plain, granted, extra=extra or {})
            self.made.add((table.id, row["$id"]))
            return row

        if reach(self.call, table, "create") is None:  # before anything is done for its sake
            raise not_permitted(table, "create")
        return await self.write(table, data, make, depth=depth, is_new=True)

    async def update(
        self,
        table: Table,
        row_id: str,
        data: Object,
        granted: list[str] | None,
        *,
        extra: Extra | None = None,
        depth: int = 0,
    ) -> Row:
        async def change(plain: Object) -> Row:
            return await rows.update(self.call, table, row_id, plain, granted, extra=extra or {})

        if reach(self.call, table, "update") is None:
            return await change({})  # which tells whether there is such a row
        return await self.write(table, data, change, depth=depth, is_new=False)

    async def write(
        self, table: Table, data: Object, act: Callable[[Object], Awaitable[Row]], *, depth: int, is_new: bool
    ) -> Row:
        """Write a row by `act`: after those that it refers to, and before those that refer to it."""
        plain: Object = {}
        shown: Row = {}
        after: list[tuple[Relation, Any]] = []
        for key, value in data.items():
            relation = table.relations.get(key)
            if relation is None:
                plain[key] = value
            elif relation.column_key:
                plain[key], shown[key] = await self._one(table, relation, value, depth)
            else:
                after.append((relation, value))
        row = await act(plain)
        for relation, value in after:
            shown[relation.key] = await self._others(table, row["$id"], relation, value, depth, is_new=is_new)
        return row | shown

    async def _one(self, table: Table, relation: Relation, value: Any, depth: int) -> tuple[Any, Any]:
        """The id of the row that is to be referred to, and how that is answered."""
        if value is None:
            return None, None
        other = await self._other(table, relation)
        sent = _read(relation, [value])
        await self._must_be_known(other, relation, sent.connected)
        if sent.connected:
            return value, value
        with _told_of(relation.key):
            row = await self._nested(other, relation, value, depth, {})
        return row["$id"], row

    async def _others(
        self, table: Table, row_id: str, relation: Relation, value: Any, depth: int, *, is_new: bool
    ) -> Any:
        """Let exactly these rows be related to a row, of those that the caller knows; gives the answer."""
        if relation.to_many and not isinstance(value, list):
            raise RelationshipInvalid(key=relation.key, reason="it takes a list of ids or rows.")
        other = await self._other(table, relation)
        sent = _read(relation, value if relation.to_many else [] if value is None else [value])
        await self._must_be_known(other, relation, sent.connected)
        way = link_of(table, relation, other)
        if not is_new:
            await self._undo(table, other, relation, way, row_id, sent.known)
        extra = {} if way.table else {way.far: row_id}
        made = (
            await self._made_together(other, relation, sent.items, depth, extra) if relation.to_many else {}
        )
        shown: list[Any] = []
        for at, item in enumerate(sent.items):
            if at in made:
                item = made[at]
            elif not isinstance(item, str):
                with _told_of(f"{relation.key}[{at}]" if relation.to_many else relation.key):
                    item = await self._nested(other, relation, item, depth, extra)
            shown.append(item)
        if way.table:
            fars = [item if isinstance(item, str) else item["$id"] for item in shown]
            linked = await self._run(other, ties.link(way, row_id, fars))
            await self._must_let_tie(table, other, relation, [record[0] for record in linked])
        elif sent.connected:
            await self._tie(other, way.far, row_id, sent.connected)
        if relation.to_many:
            return shown
        return shown[0] if shown else None

    async def _made_together(
        self, other: Table, relation: Relation, items: list[Any], depth: int, extra: Extra
    ) -> dict[int, Row]:
        """Make the items that are new and name no further rows, in one statement; gives them by place."""
        reached = reach(self.call, other, "create")
        alone = {
            at: item for at, item in enumerate(items) if isinstance(item, dict) and _is_plain(other, item)
        }
        if reached is None or len(alone) < 2:
            return {}
        ids = {at: own(item, parameter="data")[0] for at, item in alone.items()}
        named = [each for each in ids.values() if each != UNIQUE]
        there = await self._there(other, named) if named else set()
        news: dict[str, tuple[int, Row]] = {}
        for at, item in alone.items():
            if ids[at] in there or ids[at] in news:
                continue
            self._count(relation, depth)
            with _told_of(f"{relation.key}[{at}]"):
                must_be_named_well(item)
                row_id = new_row_id(other.rows, ids[at])
                granted = own(item, parameter="data")[1]
                news[row_id] = at, new_row(self.call, other, reached, row_id, item, granted) | extra
        if not news:
            return {}
        statement = other.rows.insert_many(alike(other.rows, [row for _, row in news.values()]))
        with _told_of(relation.key):
            records = await self._run(other, with_events(self.call, other, statement, "create"))
        made = [other.rows.shape.row(record) for record in records]
        note(self.call, other, [row["$id"] for row in made])
        self.made.update((other.id, row["$id"]) for row in made)
        return {news[row["$id"]][0]: row for row in made}

    async def _there(self, other: Table, row_ids: list[str]) -> set[str]:
        statement = ties.ids(other.rows, other.rows.id_sql, row_ids, Scope(), most=None)
        return {record[0] for record in await self._run(other, statement)}

    def _count(self, relation: Relation, depth: int) -> None:
        """Count a row that is written inside another. Raises RelationshipInvalid."""
        if depth >= MAX_DEPTH:
            raise RelationshipInvalid(
                key=relation.key, reason=f"rows can be nested {MAX_DEPTH} levels deep. Write it by itself."
            )
        self.written += 1
        if self.written > MAX_ITEMS:
            raise RelationshipInvalid(
                key=relation.key, reason=f"a call can write {MAX_ITEMS} related rows at most."
            )

    async def _nested(self, other: Table, relation: Relation, item: Object, depth: int, extra: Extra) -> Row:
        """Make a row that stands inside another, or change it when it is there."""
        self._count(relation, depth)
        row_id, granted = own(item, parameter="data")
        data = {key: value for key, value in item.items() if key not in ("$id", "$permissions")}
        if row_id == UNIQUE or not await self._there(other, [row_id]):
            return await self.create(other, row_id, data, granted, extra=extra, depth=depth + 1)
        if granted is not None or any(not key.startswith("$") for key in data):
            return await self.update(other, row_id, data, granted, extra=extra, depth=depth + 1)
        return await self._connected(other, relation, row_id, extra)

    async def _connected(self, other: Table, relation: Relation, row_id: str, extra: Extra) -> Row:
        """A row that is sent with nothing but its id: it is only connected."""
        await self._must_be_known(other, relation, [row_id])
        for column, to in extra.items():
            await self._tie(other, column, to, [row_id])
        statement = other.rows.get(row_id, _scope(self.call, other, "read"))
        (record,) = await self._run(other, statement)
        return other.rows.shape.row(record)

    async def _other(self, table: Table, relation: Relation) -> Table:
        other = await tables.related(self.call, table, relation.target)
        if not tables.is_open(self.call, other):
            raise UserUnauthorized()
        return other

    async def _must_be_known(self, other: Table, relation: Relation, wanted: list[str]) -> None:
        """Refuse to connect what is not there, or what the caller may not read: both in the same words."""
        if not wanted:
            return
        scope = _scope(self.call, other, "read")
        found = await self._run(other, ties.ids(other.rows, other.rows.id_sql, wanted, scope, most=None))
        known = {record[0] for record in found}
        missing = next((each for each in wanted if each not in known), None)
        if missing is not None:
            raise RelationshipInvalid(key=relation.key, reason=f"the row `{missing[:50]}` was not found.")

    async def _must_let_tie(self, table: Table, other: Table, relation: Relation, row_ids: list[str]) -> None:
        """Refuse to change what rows show of their ties when the caller may not change these rows.

        Rows that are linked one-way show nothing of it.
        """
        touched = [each for each in row_ids if (other.id, each) not in self.made]
        if not touched or not _is_shown_by(other, table, relation):
            return
        scope = _scope(self.call, other, "update")
        allowed = ties.ids(other.rows, other.rows.id_sql, touched, scope, most=None)
        if len(await self._run(other, allowed)) < len(touched):
            raise not_permitted(other, "update")

    async def _undo(
        self, table: Table, other: Table, relation: Relation, way: Link, row_id: str, kept: list[str]
    ) -> None:
        """Undo what ties the row to others that the caller knows of."""
        known = _scope(self.call, other, "read")
        if way.table:
            undone = await self._run(other, ties.unlink(Related(way, other.rows, known, True), row_id, kept))
            await self._must_let_tie(table, other, relation, [record[0] for record in undone])
            return
        found = ties.ids(other.rows, way.far, [row_id], known, most=MAX_RELATED + 1)
        tied = {record[0] for record in await self._run(other, found)}
        if len(tied) > MAX_RELATED:
            raise RelationshipInvalid(
                key=relation.key,
                reason=f"more than {MAX_RELATED} rows are related. Change these themselves.",
            )
        leaving = sorted(tied.difference(kept))
        if leaving:
            scope = _scope(self.call, other, "update")
            statement = ties.untie(other.rows, way.far, row_id, leaving, scope)
            if await change_many(self.call, other, statement, "update") < len(leaving):
                raise not_permitted(other, "update")

    async def _tie(self, other: Table, column: str, to: str, wanted: list[str]) -> None:
        """Let rows refer to another, which changes them. Raises UserUnauthorized."""
        scope = _scope(self.call, other, "update")
        await change_many(self.call, other, ties.tie(other.rows, column, to, wanted, scope), "update")
        if len(await self._run(other, ties.tied(other.rows, column, to, wanted))) < len(wanted):
            raise not_permitted(other, "update")

    async def _run(self, other: Table, statement: Statement) -> list[Any]:
        with refusals(other.rows):
            return list(await self.call.db.rows(statement.sql, *statement.values))


@contextmanager
def _told_of(step: str) -> Iterator[None]:
    """Let a problem say which of the nested rows it is about, as `author.books[2]: `."""
    try:
        yield
    except Problem as problem:
        problem.place = f"{step}.{problem.place}" if problem.place else f"{step}: "
        raise


def _is_plain(other: Table, item: Object) -> bool:
    """Whether a row can be made with others: it names no rows, and does not say when it was made."""
    return other.relations.keys().isdisjoint(item) and not {"$createdAt", "$updatedAt"} & item.keys()


def _is_shown_by(other: Table, table: Table, relation: Relation) -> bool:
    """Whether rows of the other table show the relation too."""
    return any(
        back.field_id == relation.field_id and (other.id != table.id or back.key != relation.key)
        for back in other.relations.values()
    )


def _scope(call: Call, table: Table, permission: Any) -> Scope:
    reached = reach(call, table, permission)
    return NO_ROWS if reached is None else reached.scope


def _read(relation: Relation, items: list[Any]) -> _Sent:
    """Tell apart ids and rows. Raises RelationshipInvalid."""
    if len(items) > MAX_ITEMS:
        raise RelationshipInvalid(key=relation.key, reason=f"it takes at most {MAX_ITEMS} rows.")
    connected: dict[str, None] = {}
    known: list[str] = []
    distinct: list[Any] = []
    for item in items:
        if isinstance(item, str) and item in connected:
            continue
        distinct.append(item)
        if isinstance(item, str) and "\0" not in item:
            connected[item] = None
            known.append(item)
        elif isinstance(item, dict):
            row_id, _ = own(item, parameter="data")
            if row_id != UNIQUE:
                known.append(row_id)
        else:
            raise RelationshipInvalid(key=relation.key, reason="a related row is an id or an object.")
    return _Sent(distinct, list(connected), known)
