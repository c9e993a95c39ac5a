"""Stable ids of entities and fields, kept in `schema.lock.json` beside the schema.

An id is given at first sight and never again. It is how a rename differs from a drop and an add: the
schema says `was:` once, and where it does not say, the one who runs the change is asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from freehold.config import Refusal
from freehold.schema.model import Kind, Schema, Type, Value
from freehold.schema.problems import Problem, SchemaError
from freehold.schema.types import TypeSyntaxError, parse_type

FILE = "schema.lock.json"


class LockedField(Value, frozen=True, kw_only=True):
    name: str
    type: str


class LockedEntity(Value, frozen=True, kw_only=True):
    name: str
    fields: dict[str, LockedField]
    """By id."""


class Lock(Value, frozen=True, kw_only=True):
    """The ids that were given so far. `next` only ever grows, so that no id has two lives."""

    next: int = 1
    entities: dict[str, LockedEntity] = msgspec.field(default_factory=dict)
    """By id."""


class Decisions(Value, frozen=True, kw_only=True):
    """Answers to questions about renames: `project.budget` to `amount`, or `project.budget` dropped."""

    renames: Mapping[str, str] = {}
    drops: frozenset[str] = frozenset()

    @classmethod
    def told(cls, rename: Iterable[str], drop: Iterable[str]) -> Decisions:
        """As the command line says them: `project.budget=amount`, and `project.budget`. Raises Refusal."""
        renames: dict[str, str] = {}
        for each in rename:
            old, sign, new = each.partition("=")
            if not (old and sign and new) or "." in new:
                raise Refusal(f"--rename {each} is not a rename. Say it as --rename project.budget=amount.")
            renames[old] = new
        return cls(renames=renames, drops=frozenset(drop))


class Question(Value, frozen=True, kw_only=True):
    """Something is gone and something like it is new: was it renamed, to one of these, or dropped?"""

    path: str
    """`project`, or `project.budget`."""
    candidates: tuple[str, ...]


class AmbiguousChange(SchemaError):
    """The schema does not say what was renamed and what dropped. The questions can be put to a person."""

    def __init__(self, problems: list[Problem], questions: list[Question]) -> None:
        self.questions = questions
        super().__init__(problems)


def read_lock(folder: Path) -> Lock | None:
    """The lock of the schema in a folder, None when there is none yet."""
    path = folder / FILE
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(text, type=Lock)
    except msgspec.DecodeError as error:
        raise SchemaError(
            [
                Problem(
                    file=str(path),
                    line=1,
                    column=1,
                    path="",
                    message=f"cannot be read: {error}",
                    hint="restore it from version control; it is not written by hand",
                )
            ]
        ) from error


def write_lock(folder: Path, lock: Lock) -> bool:
    """Write the lock beside the schema, whole or not at all. Says whether anything changed."""
    path = folder / FILE
    text = lock_text(lock)
    try:
        if path.read_text(encoding="utf-8") == text:
            return False
    except FileNotFoundError:
        pass
    beside = path.with_name(f".{FILE}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
    return True


def lock_text(lock: Lock) -> str:
    """A lock as its file holds it: one thing a line, so that branches merge."""
    return msgspec.json.format(msgspec.json.encode(lock), indent=2).decode() + "\n"


def lock_of(schema: Schema, previous: Lock | None = None) -> Lock:
    """The lock that remembers a schema's ids."""
    entities = {
        entity.id: LockedEntity(
            name=entity.name,
            fields={field.id: LockedField(name=field.name, type=str(field.type)) for field in entity.fields},
        )
        for entity in schema.entities
    }
    used = [_count(id_) for id_ in entities] + [
        _count(id_) for each in entities.values() for id_ in each.fields
    ]
    return Lock(next=max([(previous or Lock()).next, *(number + 1 for number in used)]), entities=entities)


def exchangeable(one: str, other: str) -> bool:
    """Whether a field of one type could have become one of the other by a rename (and a change of type)."""
    try:
        return _family(parse_type(one)) == _family(parse_type(other))
    except TypeSyntaxError:
        return False


def alike(old: LockedEntity, names: Iterable[str]) -> bool:
    """Whether a new entity's fields are those of an old one, by more than half."""
    new = set(names)
    before = {field.name for field in old.fields.values()}
    return bool(before) and 2 * len(before & new) > len(before)


_FAMILIES = (
    {Kind.STRING, Kind.TEXT, Kind.ENUM, Kind.EMAIL, Kind.URL, Kind.IP},
    {Kind.INT, Kind.BIGINT, Kind.FLOAT, Kind.DECIMAL},
    {Kind.DATE, Kind.DATETIME},
)


def _family(type_: Type) -> tuple[str, bool, str | None]:
    for family in _FAMILIES:
        if type_.kind in family:
            return min(family), type_.array, None
    return str(type_.kind), type_.array, type_.target


def _count(id_: str) -> int:
    digits = id_[1:]
    return int(digits) if digits.isdigit() and digits.isascii() else 0
