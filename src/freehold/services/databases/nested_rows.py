"""Rows that are written together with those that they are related to: all of it happens, or nothing.

A level is a relationship of the rows that are being written. What it names is read, changed, made and tied
for all of them at once, so that a call takes as many statements for fifty rows as for one. Nobody can do to a
related row what they could not do to it by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from freehold.access.permissions import Permission
from freehold.db.pool import Record
from freehold.db.rows import Link, Statement, Upserted, change_each, insert_many
from freehold.errors import UserUnauthorized
from freehold.ids import UNIQUE, new_id
from freehold.services.databases import bulk, rows, tables
from freehold.services.databases.bulk import alike, own
from freehold.services.databases.relation import Relation
from freehold.services.databases.relations import link_of
from freehold.services.databases.row_statements import (
    Action,
    in_one_transaction,
    note,
    refusals,
    with_events,
)
from freehold.services.databases.row_ties import Ties, scope_of
from freehold.services.databases.row_values import changes, new_row, new_row_id
from freehold.services.databases.tables import Table, not_permitted, reach
from freehold.services.databases.written_rows import (
    MAX_ITEMS,
    NamedRows,
    Reading,
    RelationshipInvalid,
    Row,
    WrittenRow,
    place_of,
    relations_of,
    told_of,
)
from freehold.web.call import Call
from freehold.web.wire import Json, Object

MAX_IN_BULK = 10_000
"""So many related rows can be written in one call that writes many rows."""

_encode = msgspec.json.Encoder().encode

Act = Callable[[list[WrittenRow]], Awaitable[list[Row]]]
"""Writes what rows say of themselves; gives them as they are then."""


async def create(call: Call, table: Table, row_id: str, data: Object, granted: list[str] | None) -> Json:
    """Make a row, and what its data says of the rows that it is related to."""
    must_be_named_well(data)
    if not _names_related(table, data):
        return Json(_encode(await rows.create(call, table, row_id, data, granted)))
    if reach(call, table, "create") is None:  # before anything is done for its sake
        raise not_permitted(table, "create")

    async def make(alone: list[WrittenRow]) -> list[Row]:
        return [await rows.create(call, table, row_id, alone[0].values, granted)]

    return await _alone(call, table, WrittenRow(row_id=row_id, data=data, is_new=True), make)


async def update(
    call: Call, table: Table, row_id: str, data: Object | None, granted: list[str] | None
) -> Json:
    """Change what is given of a row, and of the rows that it is related to."""
    must_be_named_well(data)
    if data is None or not _names_related(table, data):
        return Json(_encode(await rows.update(call, table, row_id, data, granted)))
    if reach(call, table, "update") is None:
        return Json(_encode(await rows.update(call, table, row_id, {}, granted)))  # which tells why not

    async def change(alone: list[WrittenRow]) -> list[Row]:
        return [await rows.update(call, table, row_id, alone[0].values, granted)]

    return await _alone(call, table, WrittenRow(row_id=row_id, data=data), change)


async def upsert(call: Call, table: Table, row_id: str, data: Object, granted: list[str] | None) -> Json:
    """Change what is given of a row, or make it, and so the rows that it is related to."""
    must_be_named_well(data)
    if not _names_related(table, data):
        return Json(_encode(await rows.upsert(call, table, row_id, data, granted)))

    async def put(alone: list[WrittenRow]) -> list[Row]:
        return [await rows.upsert(call, table, row_id, alone[0].values, granted)]

    return await _alone(call, table, WrittenRow(row_id=row_id, data=data), put)


async def _alone(call: Call, table: Table, row: WrittenRow, act: Act) -> Json:
    async with in_one_transaction(call):
        await _Writer(call, MAX_ITEMS).write(table, [row], act, depth=0)
    return Json(_encode(row.shown))


async def create_many(call: Call, table: Table, sent: list[Object]) -> Json:
    """Make rows, and what they say of the rows that they are related to."""
    return await _many(call, table, sent, bulk.create, is_new=True)


async def upsert_many(call: Call, table: Table, sent: list[Object]) -> Json:
    """Change or make rows, and so the rows that they are related to."""
    return await _many(call, table, sent, bulk.upsert, is_new=False)


async def _many(
    call: Call,
    table: Table,
    sent: list[Object],
    act: Callable[[Call, Table, list[Object]], Awaitable[list[Row]]],
    *,
    is_new: bool,
) -> Json:
    if not any(_names_related(table, each) for each in sent):
        return bulk.answer(table, await act(call, table, sent))
    bulk.must_be_allowed(call)
    many = []
    for at, each in enumerate(sent):
        row_id = str(new_row_id(table.rows, own(each)[0]))
        many.append(WrittenRow(row_id=row_id, data=each, place=f"rows[{at}]", is_new=is_new))
    writer = _Writer(call, MAX_IN_BULK)

    async def put(written: list[WrittenRow]) -> list[Row]:
        if not is_new:
            await writer.vacate(table, written)
        done = await act(call, table, [each.values | {"$id": each.row_id} for each in written])
        found = {row["$id"]: row for row in done}
        return [found[each.row_id] for each in written]

    async with in_one_transaction(call):
        await writer.write(table, many, put, depth=0)
    return bulk.answer(table, [each.shown for each in many])


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


class _Writer:
    """One call's writing."""

    def __init__(self, call: Call, most: int) -> None:
        """It writes so many related rows at most."""
        self._call = call
        self._reading = Reading(most)
        self._ties = Ties(call)

    async def write(self, table: Table, written: list[WrittenRow], act: Act, *, depth: int) -> None:
        """Write rows by `act`: after those that they refer to, and before those that refer to them."""
        relations = relations_of(table, written)
        for row in written:
            row.values = {key: value for key, value in row.data.items() if key not in table.relations}
        for relation in relations:
            if relation.column_key:
                await self._relate(table, relation, written, depth)
        for row, done in zip(written, await act(written), strict=True):
            row.row_id = done["$id"]
            row.alone = done
            row.shown = done | row.shown
        self._ties.made(table, [row.row_id for row in written if row.is_new])
        for relation in relations:
            if not relation.column_key:
                await self._relate(table, relation, written, depth)

    async def _relate(self, table: Table, relation: Relation, written: list[WrittenRow], depth: int) -> None:
        """Let rows be related to exactly those that they name, of those that the caller knows."""
        key = relation.key
        naming = [row for row in written if key in row.data]
        if relation.column_key:
            for row in naming:
                row.values[key] = row.shown[key] = None
            naming = [row for row in naming if row.data[key] is not None]
            if not naming:
                return
        other = await self._other(table, relation)
        named = self._reading.read(other, relation, naming, depth)
        inside = list({row.row_id: row for each in named for row in each.written}.values())
        await self._look(other, relation, named, inside)
        way = link_of(table, relation, other)
        if not relation.column_key:
            kept = {each.row.row_id: each.ids for each in named if not each.row.is_new}
            if kept:
                with told_of(place_of(naming)):
                    await self._ties.undo(table, other, relation, way, kept)
            if not way.table:
                for each in named:
                    for row in each.written:
                        row.extra = {way.far: each.row.row_id}
            if relation.one_to_one:
                there = {row_id: each.row.row_id for each in named for row_id in each.standing}
                await self._ties.vacate(other, way.far, there)
        nested = [row for row in inside if not row.is_only_connected]
        if nested:
            await self.write(other, nested, partial(self._put, other), depth=depth + 1)
        if relation.column_key:
            for each in named:
                each.row.values[key] = each.ids[0]
        else:
            with told_of(place_of(naming)):
                await self._tie(table, other, relation, way, named)
        await self._read(other, relation, [row for row in inside if row.is_only_connected])
        seen: set[str] = set()
        for each in named:
            shown = each.shown(seen)
            each.row.shown[key] = shown if relation.to_many else next(iter(shown), None)

    async def _other(self, table: Table, relation: Relation) -> Table:
        other = await tables.related(self._call, table, relation.target)
        if not tables.is_open(self._call, other):
            raise UserUnauthorized()
        return other

    async def _look(
        self, other: Table, relation: Relation, named: list[NamedRows], inside: list[WrittenRow]
    ) -> None:
        """Look up which of the rows are there, and refuse what the caller may not do to them.

        To connect what is not there, or what the caller may not read, is refused in the same words.
        """
        sought = dict.fromkeys(row_id for each in named for row_id in each.connected)
        sought |= dict.fromkeys(row.row_id for row in inside if not row.is_new)
        standing = await self._ties.standing(other, sought)
        for each in named:
            with told_of(each.row.place):
                for row_id in each.connected:
                    _must_be_known(relation, row_id, standing)
        for row in inside:
            row.is_new = row.row_id not in standing
            with told_of(row.place):
                if row.is_only_connected:
                    _must_be_known(relation, row.row_id, standing)
                    continue
                action: Permission = "create" if row.is_new else "update"
                if reach(self._call, other, action) is None:  # before anything is done for its sake
                    raise not_permitted(other, action)

    async def _tie(
        self, table: Table, other: Table, relation: Relation, way: Link, named: list[NamedRows]
    ) -> None:
        """Tie rows to those that they name, as far as that is not done with the rows themselves."""
        if way.table:
            pairs = [(each.row.row_id, row_id) for each in named for row_id in each.ids]
            await self._ties.link(table, other, relation, way, pairs)
            return
        tied = {row_id: each.row.row_id for each in named for row_id in each.only_connected}
        await self._ties.refer(other, way.far, tied)

    async def _put(self, table: Table, written: list[WrittenRow]) -> list[Row]:
        """Change the rows that are there, and make the others."""
        done: dict[str, Row] = {}
        there = [row for row in written if not row.is_new]
        if there:
            done |= await self._change(table, there)
        made = [row for row in written if row.is_new]
        if made:
            done |= await self._make(table, made)
        return [done[row.row_id] for row in written]

    async def _change(self, table: Table, written: list[WrittenRow]) -> dict[str, Row]:
        """Change rows, each in its own way; gives them by their ids."""
        reached = reach(self._call, table, "update")
        assert reached is not None  # it was looked up with the rows
        reached = rows.unchanged(self._call, reached)
        given = []
        for row in written:
            with told_of(row.place):
                changed = changes(self._call, table, reached, row.values, row.granted)
            given.append(Upserted(row.row_id, changed | row.extra))
        await self.vacate(table, written)
        done = await self._do(table, written, change_each(table.rows, given, reached.scope), "update")
        for row in written:
            if row.row_id not in done:
                with told_of(row.place):
                    await rows.refuse(self._call, table, row.row_id, row.row_id, reached, "update")
        return done

    async def _make(self, table: Table, written: list[WrittenRow]) -> dict[str, Row]:
        """Make rows; gives them by their ids."""
        reached = reach(self._call, table, "create")
        assert reached is not None  # it was looked up with the rows
        news = []
        for row in written:
            with told_of(row.place):
                new = new_row(self._call, table, reached, row.row_id, row.values, row.granted)
            news.append(new | row.extra)
        return await self._do(table, written, insert_many(table.rows, alike(table.rows, news)), "create")

    async def _do(
        self, table: Table, written: list[WrittenRow], statement: Statement, action: Action
    ) -> dict[str, Row]:
        with told_of(place_of(written)):
            records = await self._run(table, with_events(self._call, table, statement, action))
        done = [table.rows.shape.row(record) for record in records]
        note(self._call, table, [row["$id"] for row in done])
        return {row["$id"]: row for row in done}

    async def vacate(self, table: Table, written: list[WrittenRow]) -> None:
        """Let rows that are about to change take each other's places in what only one can refer to."""
        for relation in table.relations.values():
            if not relation.one_to_one or not relation.column_key:
                continue
            key = relation.column_key
            pairs = {row.row_id: row.values[key] for row in written if key in row.values}
            await self._ties.vacate(table, table.rows.columns[key].sql, pairs)

    async def _read(self, other: Table, relation: Relation, connected: list[WrittenRow]) -> None:
        """Read rows that were sent with nothing but their ids."""
        if not connected:
            return
        ids = [row.row_id for row in connected]
        statement = other.rows.get_each(ids, scope_of(self._call, other, "read"))
        found = {row["$id"]: row for row in map(other.rows.shape.row, await self._run(other, statement))}
        for row in connected:
            with told_of(row.place):
                _must_be_known(relation, row.row_id, found)
            row.alone = row.shown = found[row.row_id]

    async def _run(self, table: Table, statement: Statement) -> list[Record]:
        with refusals(table.rows):
            return await self._call.db.rows(statement.sql, *statement.values)


def _must_be_known(relation: Relation, row_id: str, known: Mapping[str, object]) -> None:
    if not known.get(row_id):
        raise RelationshipInvalid(key=relation.key, reason=f"the row `{row_id[:50]}` was not found.")
