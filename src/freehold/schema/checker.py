"""What every check of a schema has at hand, and how it tells what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from freehold.schema.document import Value
from freehold.schema.drafts import Drafts
from freehold.schema.model import Entity, Field, Kind, Schema
from freehold.schema.problems import Problems


class Checker:
    def __init__(self, schema: Schema, drafts: Drafts, problems: Problems) -> None:
        self.schema = schema
        self.drafts = drafts
        self.problems = problems
        self.by_name = {entity.name: entity for entity in schema.entities}

    def wrong(self, value: Value, message: str, hint: str = "", *, key: str | None = None) -> None:
        self.problems.add(value.problem(message, hint, key=key))

    def relations(self) -> Iterator[tuple[Entity, Field]]:
        """Every field that leads to an entity, and whose it is."""
        for entity in self.schema.entities:
            for field in entity.fields:
                if field.type.kind in (Kind.REF, Kind.MANY):
                    yield entity, field


def reaches(ways: Mapping[str, Iterable[str]], starts: Iterable[str], goal: str) -> bool:
    """Whether the ways lead from one of the names to another, in any number of steps."""
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        each = waiting.pop()
        if each == goal:
            return True
        if each not in seen:
            seen.add(each)
            waiting.extend(ways.get(each, ()))
    return False
