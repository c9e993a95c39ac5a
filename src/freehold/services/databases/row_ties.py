"""Rows tied to each other and untied, all that a relationship says in one go, by who may change them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from freehold.access.permissions import Permission
from freehold.db.rows import MAX_RELATED, Link, Related, Scope, Statement, ties
from freehold.services.databases.relation import Relation
from freehold.services.databases.relations import NO_ROWS
from freehold.services.databases.row_statements import change_many, refusals
from freehold.services.databases.tables import Table, not_permitted, reach
from freehold.services.databases.written_rows import RelationshipInvalid
from freehold.web.call import Call


class Ties:
    """What one call does to ties."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._made: set[tuple[str, str]] = set()

    def made(self, table: Table, row_ids: Iterable[str]) -> None:
        """Say that rows are new: it takes no right to change them."""
        self._made.update((table.id, row_id) for row_id in row_ids)

    async def standing(self, other: Table, row_ids: Iterable[str]) -> dict[str, bool]:
        """Which of some rows are there, and whether the caller may read each."""
        wanted = list(row_ids)
        if not wanted:
            return {}
        statement = ties.standing(other.rows, wanted, scope_of(self._call, other, "read"))
        return {record[0]: record[1] for record in await self._run(other, statement)}

    async def refer(self, other: Table, column: str, pairs: Mapping[str, str]) -> None:
        """Let rows refer to others, each to its own, which changes them. Raises UserUnauthorized."""
        if not pairs:
            return
        statement = ties.tie(other.rows, column, pairs, scope_of(self._call, other, "update"))
        if await change_many(self._call, other, statement, "update") < len(pairs):
            tied = await self._run(other, ties.tied(other.rows, column, pairs))
            if len(tied) < len(pairs):
                raise not_permitted(other, "update")

    async def vacate(self, table: Table, column: str, pairs: Mapping[str, Any]) -> None:
        """Let rows that come to refer to others, each to one of its own, take each other's places.

        PostgreSQL looks at each row that a statement changes, and would find the place taken.
        """
        if len(pairs) > 1:
            await self._run(table, ties.vacate(table.rows, column, pairs))

    async def link(
        self, table: Table, other: Table, relation: Relation, way: Link, pairs: Sequence[tuple[str, str]]
    ) -> None:
        """Link rows with others. Raises UserUnauthorized."""
        if pairs:
            linked = await self._run(other, ties.link(way, pairs))
            await self._must_let_tie(table, other, relation, {record[0] for record in linked})

    async def undo(
        self, table: Table, other: Table, relation: Relation, way: Link, kept: Mapping[str, Sequence[str]]
    ) -> None:
        """Undo what ties rows to others that the caller knows of, except for those that are kept of each.

        Raises RelationshipInvalid, UserUnauthorized.
        """
        known, nears = scope_of(self._call, other, "read"), list(kept)
        if way.table:
            but = [(near, far) for near, fars in kept.items() for far in fars]
            undone = await self._run(other, ties.unlink(Related(way, other.rows, known, True), nears, but))
            await self._must_let_tie(table, other, relation, {record[0] for record in undone})
            return
        staying = list({far for fars in kept.values() for far in fars})
        statement = ties.leaving(other.rows, way.far, nears, staying, known, most=MAX_RELATED + 1)
        leaving = [record[0] for record in await self._run(other, statement)]
        if len(leaving) > MAX_RELATED:
            raise RelationshipInvalid(
                key=relation.key,
                reason=f"it would let go of more than {MAX_RELATED} rows. Change these themselves.",
            )
        if leaving:
            scope = scope_of(self._call, other, "update")
            statement = ties.untie(other.rows, way.far, nears, leaving, scope)
            if await change_many(self._call, other, statement, "update") < len(leaving):
                raise not_permitted(other, "update")

    async def _must_let_tie(
        self, table: Table, other: Table, relation: Relation, row_ids: Iterable[str]
    ) -> None:
        """Refuse to change what rows show of their ties when the caller may not change these rows.

        Rows that are linked one-way show nothing of it.
        """
        touched = [each for each in row_ids if (other.id, each) not in self._made]
        if not touched or not _is_shown_by(other, table, relation):
            return
        scope = scope_of(self._call, other, "update")
        allowed = ties.ids(other.rows, other.rows.id_sql, touched, scope, most=None)
        if len(await self._run(other, allowed)) < len(touched):
            raise not_permitted(other, "update")

    async def _run(self, other: Table, statement: Statement) -> list[Any]:
        with refusals(other.rows):
            return list(await self._call.db.rows(statement.sql, *statement.values))


def _is_shown_by(other: Table, table: Table, relation: Relation) -> bool:
    """Whether rows of the other table show the relation too."""
    return any(
        back.field_id == relation.field_id and (other.id != table.id or back.key != relation.key)
        for back in other.relations.values()
    )


def scope_of(call: Call, table: Table, permission: Permission) -> Scope:
    """Which rows of a table that is made over the API the caller may reach so."""
    reached = reach(call, table, permission)
    return NO_ROWS if reached is None else reached.scope
