"""Deleting rows together with what goes with them, as their relationships say; each row with its event.

PostgreSQL itself keeps to what foreign keys say. What is done here comes before, so that rows which go are
told of, and covers what no foreign key says: a row that goes with the one which refers to it.
"""

from __future__ import annotations

from typing import NamedTuple

from freehold.db.queries import Page
from freehold.db.rows import Scope, Statement, ties
from freehold.errors import BadRequest
from freehold.services.databases import bulk, rows, tables
from freehold.services.databases.errors import RowDeleteRestricted
from freehold.services.databases.relation import Relation
from freehold.services.databases.relations import link_of
from freehold.services.databases.row_statements import change_many, in_one_transaction, refusals
from freehold.services.databases.row_values import row_id_of
from freehold.services.databases.tables import Table, not_permitted, reach
from freehold.web.call import Call
from freehold.web.wire import Json

MAX_DELETED = 100_000
"""So many rows of a table go with others in one call."""
MAX_LEVELS = 100


class TooManyDeleted(BadRequest, type="general_bad_request"):
    """More than {most} rows of `{table}`, or rows more than {levels} levels below, would be deleted as well.
    Delete some of them first."""


class _Going(NamedTuple):
    """Rows of a table that go with others, in the order in which they have to."""

    table: Table
    ids: list[str]


async def delete(call: Call, table: Table, row_id: str) -> None:
    """Delete a row, and the rows that go with it."""
    reached = reach(call, table, "delete", row_id)
    if not _takes_others(table) or reached is None:
        await rows.delete(call, table, row_id)
        return
    wanted = row_id_of(table.rows, row_id)
    async with in_one_transaction(call):
        statement = reached.rows.versions([wanted], reached.scope, lock=True)
        found = await call.db.rows(statement.sql, *statement.values)
        before, after = await _going(call, table, [wanted]) if found else ([], [])
        await _delete(call, before)
        await rows.delete(call, table, row_id)
        await _delete(call, after)


async def delete_fitting(call: Call, table: Table, wanted: Page) -> Json:
    """Delete all rows that fit the queries, and those that go with them; gives what they were."""
    if not _takes_others(table):
        return await bulk.delete(call, table, wanted)
    async with in_one_transaction(call):
        chosen = await bulk.chosen(call, table, wanted)
        before, after = await _going(call, table, chosen)
        await _delete(call, before)
        answer = await bulk.delete(call, table, bulk.these(chosen), held=True)
        await _delete(call, after)
    return answer


def _takes_others(table: Table) -> bool:
    """Whether something has to be done before PostgreSQL deletes a row of the table."""
    return not table.follows_schema and any(
        (each.on_delete == "cascade" and (each.one_to_one or not each.holds or each.is_link))
        or (each.on_delete == "restrict" and each.one_to_one and each.holds)
        or (each.on_delete == "set_null" and not each.holds and not each.is_link)
        for each in table.all_relations
    )


async def _going(call: Call, table: Table, ids: list[str]) -> tuple[list[_Going], list[_Going]]:
    """What goes before some rows and what goes after them. Raises RowDeleteRestricted, TooManyDeleted."""
    walk = _Walk(call)
    walk.seen[table.id] = set(ids)
    return await walk.around(table, ids) if ids else ([], [])


class _Walk:
    """The way from rows to all that goes with them."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.seen: dict[str, set[str]] = {}
        self.above: dict[str, set[str]] = {}
        """The rows on the way to where the walk is, by table: they go later than what is found."""

    async def around(self, table: Table, ids: list[str], depth: int = 1) -> tuple[list[_Going], list[_Going]]:
        before: list[_Going] = []
        after: list[_Going] = []
        for relation in table.all_relations:
            other = await tables.related(self.call, table, relation.target)
            found = await self._with(table, ids, relation, other)
            seen = self.seen.setdefault(other.id, set())
            fresh = [each for each in dict.fromkeys(found) if each not in seen]
            seen.update(fresh)
            if len(seen) > MAX_DELETED or depth > MAX_LEVELS:
                raise TooManyDeleted(most=MAX_DELETED, levels=MAX_LEVELS, table=other.id)
            if fresh:
                above = self.above.setdefault(table.id, set())
                above.update(ids)
                first, last = await self.around(other, fresh, depth + 1)
                above.difference_update(ids)
                (after if relation.holds else before).extend([*first, _Going(other, fresh), *last])
        return before, after

    async def _with(self, table: Table, ids: list[str], relation: Relation, other: Table) -> list[str]:
        """The rows of another table that go with some rows; those that only let go of them do it here."""
        way = link_of(table, relation, other)
        refers = relation.holds and (relation.one_to_one or relation.is_link)
        match relation.on_delete:
            case "cascade" if refers:
                found = await self._ids(other, ties.referred(table.rows, way, ids, most=MAX_DELETED + 1))
                await self._must_be_deletable(other, found)
                return found
            case "cascade" if not relation.holds and not relation.is_link:
                # Locked: PostgreSQL would delete untold what came to refer to them meanwhile.
                found = await self._ids(
                    other, ties.ids(other.rows, way.far, ids, Scope(), most=MAX_DELETED + 1, lock=True)
                )
                circling = list(self.above.get(other.id, set()).intersection(found))
                if circling:  # PostgreSQL would delete them with the rows found here, and no event would tell
                    cut = ties.cut(other.rows, way.far, ids, circling)
                    await self.call.db.run(cut.sql, *cut.values)
                return found
            case "restrict" if relation.holds and relation.one_to_one:
                if await self._ids(other, ties.referred(table.rows, way, ids, most=1)):
                    raise RowDeleteRestricted()
            case "set_null" if not relation.holds and not relation.is_link:
                await change_many(self.call, other, ties.release(other.rows, way.far, ids), "update")
        return []

    async def _ids(self, other: Table, statement: Statement) -> list[str]:
        with refusals(other.rows):
            return [record[0] for record in await self.call.db.rows(statement.sql, *statement.values)]

    async def _must_be_deletable(self, other: Table, ids: list[str]) -> None:
        """Refuse to delete, by way of a reference that anybody can make, what the caller could not."""
        reached = reach(self.call, other, "delete")
        if ids and reached is None:
            raise not_permitted(other, "delete")
        if reached is not None:
            allowed = ties.ids(other.rows, other.rows.id_sql, ids, reached.scope, most=None, lock=True)
            if len(await self._ids(other, allowed)) < len(set(ids)):
                raise not_permitted(other, "delete")


async def _delete(call: Call, going: list[_Going]) -> None:
    for each in going:
        await change_many(call, each.table, ties.delete(each.table.rows, each.ids), "delete")
