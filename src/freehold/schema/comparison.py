"""The changes that make the tables of one schema those of another, in the order in which they can be made.

Things are the same when their stable ids are, so a new name is a rename.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from freehold.schema.changes import (
    AddAuditTrigger,
    AddColumn,
    AddConstraint,
    AddEventTriggers,
    AddIndex,
    AddPolicy,
    Change,
    ChangeCheck,
    ChangeDefault,
    ChangeNullability,
    ChangeType,
    CommentColumn,
    CommentTable,
    CreateAuditFunction,
    CreateTable,
    DisableRowSecurity,
    DropAuditFunction,
    DropAuditTrigger,
    DropColumn,
    DropConstraint,
    DropEventTriggers,
    DropIndex,
    DropPolicy,
    DropTable,
    EnableRowSecurity,
    RenameColumn,
    RenameConstraint,
    RenameIndex,
    RenameTable,
)
from freehold.schema.conversions import conversion
from freehold.schema.design import design
from freehold.schema.model import Schema
from freehold.schema.tables import (
    Check,
    Column,
    Constraint,
    ForeignKey,
    Index,
    PrimaryKey,
    Table,
    Unique,
)


def compare(old: Schema, new: Schema) -> list[Change]:
    """The changes that lead from one schema to another, in the order in which they can be made."""
    before, after = design(old), design(new)
    if before == after:
        return []
    return list(_Comparison(before, after).changes())


class _Pair:
    """A table as it was and as it will be, and which of its columns stay."""

    def __init__(self, old: Table, new: Table) -> None:
        self.old = old
        self.new = new
        olds = {column.key: column for column in old.columns}
        news = {column.key: column for column in new.columns}
        self.kept: list[tuple[Column, Column]] = []
        self.dropped: list[Column] = []
        self.added: list[Column] = []
        self.touched: set[str] = set()
        """Keys of columns that other things must let go of while they change."""
        for key, column in olds.items():
            other = news.get(key)
            if other is not None and not _must_be_replaced(column, other):
                self.kept.append((column, other))
                if column.type != other.type:
                    self.touched.add(key)
            else:
                self.dropped.append(column)
                self.touched.add(key)
        kept = {column.key for column, _ in self.kept}
        self.added = [column for column in new.columns if column.key not in kept]
        self._search(olds, news)

    def _search(self, olds: dict[str, Column], news: dict[str, Column]) -> None:
        """The search column is made anew when the columns are not the same ones, or change their type."""
        for column, other in list(self.kept):
            if not column.searched and not other.searched:
                continue
            keys = [_key_of(self.old, name) for name in column.searched]
            same = keys == [_key_of(self.new, name) for name in other.searched]
            if not same or any(key in self.touched for key in keys):
                self.kept.remove((column, other))
                self.dropped.append(column)
                self.added.append(other)
                self.touched.add(column.key)

    @property
    def lost(self) -> set[str]:
        """The names of columns that go with all they hold; constraints and indexes over them go too."""
        return {column.name for column in self.dropped if not column.generated}


class _Comparison:
    def __init__(self, before: tuple[Table, ...], after: tuple[Table, ...]) -> None:
        self.before = {table.name: table for table in before}
        self.after = {table.name: table for table in after}
        olds = {table.key: table for table in before}
        news = {table.key: table for table in after}
        self.pairs = [_Pair(olds[table.key], table) for table in after if table.key in olds]
        self.dropped = [table for table in before if table.key not in news]
        self.created = [table for table in after if table.key not in olds]
        self.touched = {pair.old.key: pair.touched for pair in self.pairs if pair.touched}
        # What leaves and what arrives, beside what stays under another name.
        self.leaving: list[tuple[_Pair, Constraint | Index]] = []
        self.arriving: list[tuple[_Pair, Constraint | Index]] = []
        self.changing: list[tuple[_Pair, Check, Check]] = []
        self.renaming: list[tuple[_Pair, Constraint | Index, str]] = []
        for pair in self.pairs:
            self._match(pair)

    def changes(self) -> Iterator[Change]:
        yield from self._let_go()
        yield from self._drop()
        yield from self._rename()
        yield from self._alter()
        for table in self.created:
            yield CreateTable(table=table.name, definition=table)
        yield from self._add_columns()
        yield from self._tie()
        yield from self._secure()
        yield from self._comment()

    # Matching

    def _match(self, pair: _Pair) -> None:
        """Pair off the constraints and indexes that mean the same before and after."""
        if pair.old == pair.new and not self.touched:
            return
        waiting: dict[Any, list[Constraint | Index]] = {}
        for part in _parts(pair.old):
            waiting.setdefault(self._meaning(part, pair.old, self.before), []).append(part)
        arriving: list[Constraint | Index] = []
        for part in _parts(pair.new):
            candidates = waiting.get(self._meaning(part, pair.new, self.after), [])
            match = next(
                (each for each in candidates if each.name == part.name), candidates[0] if candidates else None
            )
            if match is None or self._is_touched(match, pair):
                arriving.append(part)
                continue
            candidates.remove(match)
            if match.name != part.name:
                self.renaming.append((pair, match, part.name))
        leaving = [part for parts in waiting.values() for part in parts]
        for part in arriving:
            old = self._check_before(part, leaving, pair)
            if old is None or not isinstance(part, Check):
                self.arriving.append((pair, part))
                continue
            leaving.remove(old)
            if old.name != part.name:
                self.renaming.append((pair, old, part.name))
            self.changing.append((pair, replace(old, name=part.name, column=part.column), part))
        order = {id(part): position for position, part in enumerate(_parts(pair.old))}
        self.leaving.extend((pair, part) for part in sorted(leaving, key=lambda each: order[id(each)]))

    def _meaning(self, part: Constraint | Index, table: Table, tables: dict[str, Table]) -> Any:
        """What a constraint or an index is, by keys instead of names."""

        def keys(names: tuple[str, ...], of: Table) -> tuple[str, ...]:
            return tuple(_key_of(of, name) for name in names)

        if isinstance(part, Check):
            rule = (part.rule, part.type, part.array, part.values, part.least, part.most, part.pattern)
            return ("check", _key_of(table, part.column), rule)
        if isinstance(part, ForeignKey):
            target = tables[part.target]
            aims = (target.key, keys(part.target_columns, target))
            return ("foreign key", keys(part.columns, table), aims, part.on_delete, keys(part.clears, table))
        if isinstance(part, Index):
            live = _key_of(table, part.live) if part.live else ""
            of = (keys(part.columns, table), keys(part.include, table), live)
            return ("index", of, part.descending, part.unique, part.method)
        return (type(part).__name__, keys(part.columns, table))

    def _is_touched(self, part: Constraint | Index, pair: _Pair) -> bool:
        own = self.touched.get(pair.old.key, set())
        names = (part.column,) if isinstance(part, Check) else part.columns
        if isinstance(part, Index) and part.live:
            names = (*names, part.live)
        if own and any(_key_of(pair.old, name) in own for name in names):
            return True
        if not isinstance(part, ForeignKey):
            return False
        target = self.before[part.target]
        aimed = self.touched.get(target.key, set())
        return bool(aimed) and any(_key_of(target, name) in aimed for name in part.target_columns)

    def _check_before(
        self, part: Constraint | Index, leaving: list[Constraint | Index], pair: _Pair
    ) -> Check | None:
        if not isinstance(part, Check):
            return None
        key = _key_of(pair.new, part.column)
        if key in pair.touched:
            return None
        for old in leaving:
            if isinstance(old, Check) and old.rule == part.rule and _key_of(pair.old, old.column) == key:
                return old
        return None

    # Phases

    def _let_go(self) -> Iterator[Change]:
        """Undo what ties columns and tables that will change; old names."""
        for pair in self.pairs:
            old, new = pair.old, pair.new
            if old.audit is not None and old.audit != new.audit:
                yield DropAuditTrigger(table=old.name, trigger=old.audit)
            if old.events is not None and old.events != new.events:
                yield DropEventTriggers(table=old.name, triggers=old.events)
            if old.policy is not None and not self._keeps_policy(pair):
                yield DropPolicy(table=old.name, policy=old.policy)
                if new.policy is None:
                    yield DisableRowSecurity(table=old.name)
        for table in self.dropped:
            if table.audit is not None:
                yield DropAuditTrigger(table=table.name, trigger=table.audit)
        # What cannot go while keys of other tables still aim at it.
        aims = {table.name for table in self.dropped}
        aims |= {pair.old.name for pair, part in self.leaving if isinstance(part, PrimaryKey)}
        for table in self.dropped:
            for key in table.foreign_keys:
                if key.target in aims and key.target != table.name:
                    yield DropConstraint(table=table.name, constraint=key)
        for first in (True, False):
            for pair, part in self.leaving:
                if isinstance(part, ForeignKey) is not first:
                    continue
                aimed = isinstance(part, ForeignKey) and part.target in aims
                if aimed or not self._goes_with_a_column(pair, part):
                    if isinstance(part, Index):
                        yield DropIndex(table=pair.old.name, index=part)
                    else:
                        yield DropConstraint(table=pair.old.name, constraint=part)

    def _goes_with_a_column(self, pair: _Pair, part: Constraint | Index) -> bool:
        names = (part.column,) if isinstance(part, Check) else part.columns
        return not pair.lost.isdisjoint(names) or (isinstance(part, Index) and part.live in pair.lost)

    def _keeps_policy(self, pair: _Pair) -> bool:
        old, new = pair.old.policy, pair.new.policy
        if old is None or new is None or _key_of(pair.old, old.column) in pair.touched:
            return False
        same_column = _key_of(pair.old, old.column) == _key_of(pair.new, new.column)
        return same_column and replace(old, column=new.column) == new

    def _drop(self) -> Iterator[Change]:
        for pair in self.pairs:
            for column in sorted(pair.dropped, key=lambda each: not each.generated):
                yield DropColumn(table=pair.old.name, column=column)
        for table in self.dropped:
            yield DropTable(table=table.name)
            if table.key == "@audit_log":
                yield DropAuditFunction(table=table.name)

    def _rename(self) -> Iterator[Change]:
        relations: list[tuple[str, str]] = []
        tables = {pair.old.name for pair in self.pairs}
        owner: dict[str, str] = {}
        for pair in self.pairs:
            if pair.old.name != pair.new.name:
                relations.append((pair.old.name, pair.new.name))
        for pair, part, name in self.renaming:
            if isinstance(part, (PrimaryKey, Unique, Index)):
                relations.append((part.name, name))
                owner[part.name] = pair.old.name
        now = {pair.old.name: pair.old.name for pair in self.pairs}
        for origin, old, new in _in_order(relations):
            if origin in tables and origin not in owner:
                yield RenameTable(table=old, to=new)
                now[origin] = new
            else:
                yield RenameIndex(table=now[owner[origin]], index=old, to=new)
        for pair in self.pairs:
            columns = [(column.name, other.name) for column, other in pair.kept if column.name != other.name]
            for _, old, new in _in_order(columns):
                yield RenameColumn(table=pair.new.name, column=old, to=new)
            constraints = [
                (part.name, name)
                for owner_pair, part, name in self.renaming
                if owner_pair is pair and isinstance(part, (ForeignKey, Check))
            ]
            for _, old, new in _in_order(constraints):
                yield RenameConstraint(table=pair.new.name, constraint=old, to=new)

    def _alter(self) -> Iterator[Change]:
        for pair in self.pairs:
            table = pair.new.name
            for old, new in pair.kept:
                retyped = old.type != new.type
                if new.nullable and not old.nullable:
                    yield ChangeNullability(table=table, column=new.name, nullable=True)
                if retyped:
                    if old.default is not None:
                        yield ChangeDefault(
                            table=table, column=new.name, type=old.type, old=old.default, new=None
                        )
                    yield ChangeType(table=table, column=new.name, old=old.type, new=new.type)
                    if new.default is not None:
                        yield ChangeDefault(
                            table=table, column=new.name, type=new.type, old=None, new=new.default
                        )
                elif not _same_value(old.default, new.default):
                    yield ChangeDefault(
                        table=table, column=new.name, type=new.type, old=old.default, new=new.default
                    )

    def _add_columns(self) -> Iterator[Change]:
        for pair in self.pairs:
            for column in sorted(pair.added, key=lambda each: each.generated):
                yield AddColumn(table=pair.new.name, column=column)
            for old, new in pair.kept:
                if old.nullable and not new.nullable:
                    yield ChangeNullability(table=pair.new.name, column=new.name, nullable=False)

    def _tie(self) -> Iterator[Change]:
        """Constraints and indexes; keys into other tables last, when what they aim at is unique."""
        for pair, old, new in self.changing:
            yield ChangeCheck(table=pair.new.name, old=old, new=new)
        for kinds in ((PrimaryKey, Unique, Check), (Index,)):
            for pair, part in self.arriving:
                if isinstance(part, kinds):
                    yield _addition(pair.new.name, part)
        for table in self.created:
            for index in table.indexes:
                yield AddIndex(table=table.name, index=index)
        for pair, part in self.arriving:
            if isinstance(part, ForeignKey):
                yield AddConstraint(table=pair.new.name, constraint=part)
        for table in self.created:
            for key in table.foreign_keys:
                yield AddConstraint(table=table.name, constraint=key)

    def _secure(self) -> Iterator[Change]:
        for table in self.created:
            if table.key == "@audit_log":
                yield CreateAuditFunction(table=table.name)
        for pair in self.pairs:
            yield from _secured(pair.new, was=pair.old, keeps_policy=self._keeps_policy(pair))
        for table in self.created:
            yield from _secured(table, was=None, keeps_policy=False)

    def _comment(self) -> Iterator[Change]:
        for pair in self.pairs:
            table = pair.new.name
            if pair.old.comment != pair.new.comment:
                yield CommentTable(table=table, old=pair.old.comment, new=pair.new.comment)
            for old, new in pair.kept:
                if old.comment != new.comment:
                    yield CommentColumn(table=table, column=new.name, old=old.comment, new=new.comment)
            for column in pair.added:
                if column.comment:
                    yield CommentColumn(table=table, column=column.name, old="", new=column.comment)
        for definition in self.created:
            if definition.comment:
                yield CommentTable(table=definition.name, old="", new=definition.comment)
            for column in definition.columns:
                if column.comment:
                    yield CommentColumn(table=definition.name, column=column.name, old="", new=column.comment)


def _secured(table: Table, *, was: Table | None, keeps_policy: bool) -> Iterator[Change]:
    if table.policy is not None and not keeps_policy:
        if was is None or was.policy is None:
            yield EnableRowSecurity(table=table.name)
        yield AddPolicy(table=table.name, policy=table.policy)
    if table.audit is not None and (was is None or was.audit != table.audit):
        yield AddAuditTrigger(table=table.name, trigger=table.audit)
    if table.events is not None and (was is None or was.events != table.events):
        yield AddEventTriggers(table=table.name, triggers=table.events)


def _addition(table: str, part: Constraint | Index) -> Change:
    if isinstance(part, Index):
        return AddIndex(table=table, index=part)
    return AddConstraint(table=table, constraint=part)


def _parts(table: Table) -> tuple[Constraint | Index, ...]:
    return (table.primary_key, *table.uniques, *table.checks, *table.indexes, *table.foreign_keys)


def _key_of(table: Table, name: str) -> str:
    return next((column.key for column in table.columns if column.name == name), name)


def _must_be_replaced(old: Column, new: Column) -> bool:
    return old.identity != new.identity or conversion(old.type, new.type) is None


def _same_value(one: Any, other: Any) -> bool:
    """Equal as JSON: `1` is not `true`."""
    return type(one) is type(other) and bool(one == other)


def _in_order(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Renames in an order in which no name is taken: (what it was at first, its name now, its next name)."""
    waiting = {old: (old, new) for old, new in pairs}
    while waiting:
        ready = [old for old, (_, new) in waiting.items() if new not in waiting]
        if not ready:
            # A circle of names: one of them steps aside.
            old, (origin, new) = next(iter(waiting.items()))
            aside = f"{old[:50]}_stepping_aside"
            del waiting[old]
            yield origin, old, aside
            waiting[aside] = (origin, new)
            continue
        for old in ready:
            origin, new = waiting.pop(old)
            yield origin, old, new
