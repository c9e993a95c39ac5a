"""Rows that are written with those that they are related to, as the rules tell it: one after the other.

What the rules refuse is refused as a whole; whoever calls this takes the tables back to what they were.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.rules.model import Caller, Refused, Relation, Row, Table, after, empty_row, may_grant

REFUSED = Refused(400, "refused, in whichever words")

MAX_DEPTH = 3

Act = Callable[[Row], str]
"""Writes a row's own values; gives its id."""


class Writing:
    """One call's writing."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.made: set[tuple[str, str]] = set()

    def create(
        self, table: Table, row_id: str, data: Row, granted: list[str] | None, extra: Row, depth: int = 0
    ) -> None:
        """Make a row."""
        if not table.lets(self.caller, "create"):
            raise REFUSED
        self.write(
            table, data, lambda own: self._make(table, row_id, own | extra, granted), depth, is_new=True
        )

    def update(
        self, table: Table, row_id: str, data: Row, granted: list[str] | None, extra: Row, depth: int = 0
    ) -> None:
        """Change a row that is there."""
        self.write(
            table, data, lambda own: self._change(table, row_id, own | extra, granted), depth, is_new=False
        )

    def upsert(self, table: Table, row_id: str, data: Row, granted: list[str] | None) -> None:
        """Change a row, or make it when there is none."""
        act = self._make if table.row(row_id) is None else self._change
        self.write(table, data, lambda own: act(table, row_id, own, granted), 0, is_new=False)

    def write(self, table: Table, data: Row, act: Act, depth: int, *, is_new: bool) -> None:
        """First the rows that this one names, then itself, then those that name it."""
        own: Row = {}
        others: list[tuple[Relation, Any]] = []
        for key, value in data.items():
            relation = table.relations.get(key)
            if relation is None:
                own[key] = value
            elif relation.holds:
                own[key] = self._one(relation, value, depth)
            else:
                others.append((relation, value))
        row_id = act(own)
        for relation, value in others:
            self._others(row_id, relation, value, depth, is_new=is_new)

    def _make(self, table: Table, row_id: str, own: Row, granted: list[str] | None) -> str:
        if not table.lets(self.caller, "create") or table.row(row_id) is not None:
            raise REFUSED
        if granted is None:
            actions = ("read", "update", "delete") if self.caller.user_id else ()
            permissions = [f'{action}("user:{self.caller.user_id}")' for action in actions]
        else:
            permissions = may_grant(self.caller, granted)
        row = empty_row(table, row_id) | own | {"$permissions": permissions}
        table.must_be_the_only_one(row)
        table.rows.append(row)
        self.made.add((table.id, row_id))
        return row_id

    def _change(self, table: Table, row_id: str, own: Row, granted: list[str] | None) -> str:
        row = table.row(row_id)
        permissions = None if granted is None else may_grant(self.caller, granted)
        if row is None:
            raise REFUSED
        self._must_let_update(table, row)
        changed = after(row, own)
        table.must_be_the_only_one(changed)
        row |= changed | ({} if permissions is None else {"$permissions": permissions})
        return row_id

    def _one(self, relation: Relation, value: Any, depth: int) -> str | None:
        if value is None or isinstance(value, str):
            self._must_be_known(relation.table, [value] if value is not None else [])
            return value
        return self._nested(relation.table, value, {}, depth)

    def _others(self, row_id: str, relation: Relation, value: Any, depth: int, *, is_new: bool) -> None:
        """Let exactly these be related to a row, of those that the caller knows."""
        items = value if relation.to_many else [] if value is None else [value]
        other = relation.table
        connected = [item for item in items if isinstance(item, str)]
        self._must_be_known(other, connected)
        if not is_new:
            self._undo(row_id, relation, {item if isinstance(item, str) else item["$id"] for item in items})
        extra = {} if relation.links is not None else {relation.key: row_id}
        made = self._made_together(other, items, extra, depth) if relation.to_many else set()
        for item in items:
            if not isinstance(item, str) and item["$id"] not in made:
                self._nested(other, item, extra, depth)
        if relation.links is None:
            self._tie(other, relation.key, row_id, connected)
            return
        linked = [item if isinstance(item, str) else item["$id"] for item in items]
        new = [each for each in linked if not relation.links.tie(row_id, each)]
        for each in new:
            relation.links.add(row_id, each)
        self._must_let_tie(other, new)

    def _made_together(self, other: Table, items: list[Any], extra: Row, depth: int) -> set[str]:
        """New rows that name no others come first, when there are several."""
        alone = [item for item in items if isinstance(item, dict) and other.relations.keys().isdisjoint(item)]
        if len(alone) < 2 or not other.lets(self.caller, "create"):
            return set()
        new = [item for item in alone if other.row(item["$id"]) is None]
        for item in new:
            self._nested(other, item, extra, depth)
        return {item["$id"] for item in new}

    def _nested(self, other: Table, item: Row, extra: Row, depth: int) -> str:
        if depth >= MAX_DEPTH:
            raise REFUSED
        row_id: str = item["$id"]
        granted = item.get("$permissions")
        data = {key: value for key, value in item.items() if key[0] != "$"}
        row = other.row(row_id)
        if row is None:
            self.create(other, row_id, data, granted, extra, depth + 1)
        elif granted is not None or data:
            if not other.row_security and not other.lets(self.caller, "update"):
                raise REFUSED
            self.update(other, row_id, data, granted, extra, depth + 1)
        else:
            self._must_be_known(other, [row_id])
            for key, to in extra.items():
                self._tie(other, key, to, [row_id])
        return row_id

    def _undo(self, row_id: str, relation: Relation, kept: set[str]) -> None:
        other = relation.table
        known = [row for row in other.rows if other.lets(self.caller, "read", row) and row["$id"] not in kept]
        if relation.links is not None:
            tied = [row["$id"] for row in known if relation.links.tie(row_id, row["$id"])]
            for each in tied:
                relation.links.remove(row_id, each)
            self._must_let_tie(other, tied)
            return
        for row in known:
            if row[relation.key] == row_id:
                self._must_let_update(other, row)
                row[relation.key] = None

    def _tie(self, other: Table, key: str, to: str, row_ids: list[str]) -> None:
        for row_id in row_ids:
            row = other.row(row_id)
            assert row is not None
            if row[key] != to:
                self._must_let_update(other, row)
                row[key] = to
                other.must_be_the_only_one(row)

    def _must_let_tie(self, other: Table, row_ids: list[str]) -> None:
        """Both rows show the tie, so it takes the right to change both."""
        for row_id in row_ids:
            row = other.row(row_id)
            if row is not None and (other.id, row_id) not in self.made:
                self._must_let_update(other, row)

    def _must_let_update(self, table: Table, row: Row) -> None:
        if not table.lets(self.caller, "update", row):
            raise REFUSED

    def _must_be_known(self, other: Table, row_ids: list[str]) -> None:
        for row_id in row_ids:
            row = other.row(row_id)
            if row is None or not other.lets(self.caller, "read", row):
                raise REFUSED
