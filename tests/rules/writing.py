"""Rows that are written with those that they are related to, as the rules tell it: a level after the other.

A level is a relationship of the rows that are being written. What the rules refuse is refused as a whole;
whoever calls this takes the tables back to what they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.rules.model import Caller, Refused, Relation, Row, Table, after, empty_row, may_grant

REFUSED = Refused(400, "refused, in whichever words")

MAX_DEPTH = 3


@dataclass(eq=False)
class Written:
    """A row that is written: what is said of it, and what ties it to the row that it stands in."""

    row_id: str
    data: Row
    granted: list[str] | None
    is_new: bool = False
    extra: Row = field(default_factory=dict)
    own: Row = field(default_factory=dict)

    @property
    def says_nothing(self) -> bool:
        """Whether it is only connected when it is there."""
        return self.granted is None and not self.data


Named = tuple[Written, list[str | Written]]
"""A row, and what one of its relationships names."""

Act = Callable[[list[Written]], None]
"""Writes the rows' own values."""


class Writing:
    """One call's writing."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.made: set[tuple[str, str]] = set()

    def create(self, table: Table, *rows: Written) -> None:
        """Make rows."""
        if not table.lets(self.caller, "create"):
            raise REFUSED
        for row in rows:
            row.is_new = True
        self.write(table, list(rows), lambda _: self._make(table, rows), 0)

    def update(self, table: Table, row: Written) -> None:
        """Change a row that is there."""
        self.write(table, [row], lambda _: self._change(table, [row]), 0)

    def upsert(self, table: Table, *rows: Written) -> None:
        """Change rows, or make those that are not there."""

        def act(_: list[Written]) -> None:
            self._change(table, [row for row in rows if table.row(row.row_id) is not None])
            self._make(table, [row for row in rows if table.row(row.row_id) is None])

        self.write(table, list(rows), act, 0)

    def write(self, table: Table, rows: list[Written], act: Act, depth: int) -> None:
        """First the rows that these name, then themselves, then those that name them."""
        keys = dict.fromkeys(key for row in rows for key in row.data if key in table.relations)
        for row in rows:
            row.own = {key: value for key, value in row.data.items() if key not in table.relations}
        for key in keys:
            if table.relations[key].holds:
                self._relate(table, key, rows, depth)
        act(rows)
        self.made |= {(table.id, row.row_id) for row in rows if row.is_new}
        for key in keys:
            if not table.relations[key].holds:
                self._relate(table, key, rows, depth)

    def _relate(self, table: Table, key: str, rows: list[Written], depth: int) -> None:
        relation, inside = table.relations[key], dict[str, Written]()
        other = relation.table
        named = [
            (row, self._named(relation, row.data[key], inside, depth)) for row in rows if key in row.data
        ]
        self._must_be_known(other, (item for _, items in named for item in items if isinstance(item, str)))
        for row in inside.values():
            self._look(other, row)
        if not relation.holds:
            self._undo(relation, [each for each in named if not each[0].is_new])
            if relation.links is None:
                for row, items in named:
                    for item in items:
                        if not isinstance(item, str):
                            item.extra = {relation.key: row.row_id}
            if not relation.to_many:
                self._vacate(relation, named)
        nested = [row for row in inside.values() if row.is_new or not row.says_nothing]
        self.write(other, nested, lambda _: self._put(other, nested), depth + 1)
        if relation.holds:
            for row, items in named:
                row.own[key] = _id(items[0]) if items else None
        elif relation.links is None:
            self._tie(
                relation, [(row, [each for each in items if each not in nested]) for row, items in named]
            )
        else:
            pairs = [(row.row_id, _id(item)) for row, items in named for item in items]
            new = [pair for pair in pairs if not relation.links.tie(*pair)]
            for pair in new:
                relation.links.add(*pair)
            self._must_let_tie(other, (far for _, far in new))

    def _named(
        self, relation: Relation, value: Any, inside: dict[str, Written], depth: int
    ) -> list[str | Written]:
        """What is named; a row that is named again is one row, of which the last that is said counts."""
        items: list[str | Written] = []
        for item in value if relation.to_many else [] if value is None else [value]:
            if isinstance(item, str):
                items.append(item)
                continue
            if depth >= MAX_DEPTH:
                raise REFUSED
            row = inside.setdefault(item["$id"], Written(item["$id"], {}, None))
            row.data |= {name: each for name, each in item.items() if name[0] != "$"}
            row.granted = item.get("$permissions", row.granted)
            items.append(row)
        return items

    def _look(self, other: Table, row: Written) -> None:
        row.is_new = other.row(row.row_id) is None
        if row.is_new:
            allowed = other.lets(self.caller, "create")
        elif row.says_nothing:
            self._must_be_known(other, [row.row_id])
            return
        else:
            allowed = other.row_security or other.lets(self.caller, "update")
        if not allowed:
            raise REFUSED

    def _put(self, table: Table, rows: list[Written]) -> None:
        self._change(table, [row for row in rows if not row.is_new])
        self._make(table, [row for row in rows if row.is_new])

    def _make(self, table: Table, rows: Iterable[Written]) -> None:
        for new in rows:
            if not table.lets(self.caller, "create") or table.row(new.row_id) is not None:
                raise REFUSED
            if new.granted is None:
                actions = ("read", "update", "delete") if self.caller.user_id else ()
                permissions = [f'{action}("user:{self.caller.user_id}")' for action in actions]
            else:
                permissions = may_grant(self.caller, new.granted)
            row = empty_row(table, new.row_id) | new.own | new.extra | {"$permissions": permissions}
            table.must_be_the_only_one(row)
            table.rows.append(row)

    def _change(self, table: Table, rows: list[Written]) -> None:
        changed = []
        for each in rows:
            row = table.row(each.row_id)
            permissions = None if each.granted is None else may_grant(self.caller, each.granted)
            if row is None:
                raise REFUSED
            self._must_let_update(table, row)
            row |= after(row, each.own | each.extra)
            row |= {} if permissions is None else {"$permissions": permissions}
            changed.append(row)
        for row in changed:
            table.must_be_the_only_one(row)

    def _undo(self, relation: Relation, named: list[Named]) -> None:
        """Untie what is named no more, of what the caller knows."""
        other = relation.table
        known = [row for row in other.rows if other.lets(self.caller, "read", row)]
        if relation.links is not None:
            undone = []
            for row, items in named:
                kept = set(map(_id, items))
                for one in known:
                    if one["$id"] not in kept and relation.links.tie(row.row_id, one["$id"]):
                        relation.links.remove(row.row_id, one["$id"])
                        undone.append(one["$id"])
            self._must_let_tie(other, undone)
            return
        kept = {_id(item) for _, items in named for item in items}
        for one in known:
            if one["$id"] not in kept and one[relation.key] in [row.row_id for row, _ in named]:
                self._must_let_update(other, one)
                one[relation.key] = None

    def _vacate(self, relation: Relation, named: list[Named]) -> None:
        """Rows that come to name others, of which each is one's only one, can take each other's places."""
        to = {_id(item): row.row_id for row, items in named for item in items}
        there = [row for row in relation.table.rows if row["$id"] in to]
        for one in there if len(there) > 1 else []:
            if one[relation.key] != to[one["$id"]]:
                one[relation.key] = None

    def _tie(self, relation: Relation, named: list[Named]) -> None:
        tied = {_id(item): row.row_id for row, items in named for item in items}
        for row_id, to in tied.items():
            one = relation.table.row(row_id)
            assert one is not None
            if one[relation.key] != to:
                self._must_let_update(relation.table, one)
                one[relation.key] = to
        for row_id in tied:
            one = relation.table.row(row_id)
            assert one is not None
            relation.table.must_be_the_only_one(one)

    def _must_let_tie(self, other: Table, row_ids: Iterable[str]) -> None:
        """Both rows show the tie, so it takes the right to change both."""
        for row_id in row_ids:
            row = other.row(row_id)
            if row is not None and (other.id, row_id) not in self.made:
                self._must_let_update(other, row)

    def _must_let_update(self, table: Table, row: Row) -> None:
        if not table.lets(self.caller, "update", row):
            raise REFUSED

    def _must_be_known(self, other: Table, row_ids: Iterable[str]) -> None:
        for row_id in row_ids:
            row = other.row(row_id)
            if row is None or not other.lets(self.caller, "read", row):
                raise REFUSED


def _id(item: str | Written) -> str:
    return item if isinstance(item, str) else item.row_id
