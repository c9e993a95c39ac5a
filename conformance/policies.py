"""Who may do what, worked out slowly from a freehold.yaml: what the answers of services are compared with.

It knows the words of the schema language and nothing of what is generated from them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ME = object()
"""Whoever calls."""

ACTIONS = ("read", "create", "update", "delete")
EVERYBODY = ("public", "authenticated", "service")


@dataclass(frozen=True)
class Condition:
    """What has to hold of a row: a field that has one of the values, or a link from it to the caller."""

    field: str
    values: tuple[Any, ...] = ()
    is_link: bool = False


@dataclass(frozen=True)
class Line:
    """A line of `access`: a role, and what it needs of a row."""

    role: str
    where: tuple[Condition, ...]


Row = dict[str, Any]
"""The keys of a row, as JSON has them; a `many` has the ids that are linked."""


class Entity:
    """An entity of the file."""

    def __init__(self, name: str, told: dict[str, Any]) -> None:
        self.name = name
        self.tenant = told["tenant"]
        self.soft_delete = told.get("soft_delete", False)
        self.audit = told.get("audit", False)
        self.fields: dict[str, dict[str, Any]] = {
            field: {"type": body} if isinstance(body, str) else body for field, body in told["fields"].items()
        }
        self.lines = {action: self._lines(told.get("access", {}).get(action, ())) for action in ACTIONS}

    @property
    def is_plain(self) -> bool:
        """Whether no row and no field differs from the others in who reaches it."""
        conditions = [line for action in ACTIONS for line in self.lines[action] if line.where]
        return not conditions and not self.restricted("read") and not self.restricted("write")

    def key(self, field: str) -> str:
        """What the field is called in JSON."""
        return f"{field}_id" if self.type_of(field).startswith("ref(") else field

    def type_of(self, field: str) -> str:
        return str(self.fields[field]["type"]) if field in self.fields else "uuid"

    def members(self, field: str) -> list[Any]:
        """The values that a field of a condition can have."""
        if self.type_of(field) == "bool":
            return [True, False]
        return [each.strip() for each in re.findall(r"^enum\((.*)\)$", self.type_of(field))[0].split(",")]

    def restricted(self, rule: str) -> dict[str, str]:
        """The keys that only some may read, or write, and the role that it takes."""
        return {self.key(field): body[rule] for field, body in self.fields.items() if rule in body}

    def _lines(self, told: Any) -> tuple[Line, ...]:
        each = [told] if isinstance(told, (str, dict)) else told
        return tuple(
            Line(line, ())
            if isinstance(line, str)
            else Line(line["role"], tuple(self._conditions(line["where"])))
            for line in each
        )

    def _conditions(self, where: str) -> list[Condition]:
        return [self._condition(each.strip()) for each in where.split(" and ")]

    def _condition(self, text: str) -> Condition:
        if link := re.fullmatch(r"member_of\((\w+)\)", text):
            return Condition(link[1], is_link=True)
        if several := re.fullmatch(r"(\w+) in \((.*)\)", text):
            return Condition(several[1], tuple(self._value(each.strip()) for each in several[2].split(",")))
        field, _, value = text.partition(" = ")
        return Condition(field, (self._value(value.strip()),))

    def _value(self, word: str) -> Any:
        return {"me": ME, "true": True, "false": False}.get(word, word)


class Policies:
    """What a schema lets whom do."""

    def __init__(self, file: Path) -> None:
        told = yaml.safe_load(file.read_text(encoding="utf-8"))
        self._inherits: dict[str, list[str]] = told["roles"]
        self.roles = tuple(told["roles"])
        self.entities = {name: Entity(name, body) for name, body in told["entities"].items()}

    def held(self, role: str) -> frozenset[str]:
        """The roles that somebody has who was given one."""
        if role == "public":
            return frozenset({"public"})
        found = {role, "authenticated", "public"}
        waiting = [role]
        while waiting:
            inherited = self._inherits.get(waiting.pop(), [])
            waiting += [each for each in inherited if each not in found]
            found |= set(inherited)
        return frozenset(found)

    def lines(self, entity: Entity, action: str, role: str) -> list[Line]:
        """What the role may do: the lines that speak of it."""
        return [line for line in entity.lines[action] if line.role in self.held(role)]

    def reaches(self, entity: Entity, action: str, role: str, me: Any, row: Row) -> bool:
        """Whether one of the lines lets somebody do it to the row."""
        return any(
            all(self._holds(entity, condition, me, row) for condition in line.where)
            for line in self.lines(entity, action, role)
        )

    def reaches_all(self, entity: Entity, action: str, role: str) -> bool:
        return any(not line.where for line in self.lines(entity, action, role))

    def may(self, rule: str, entity: Entity, key: str, role: str) -> bool:
        """Whether the role may read, or write, the key."""
        needed = entity.restricted(rule).get(key)
        return needed is None or needed in self.held(role)

    def may_read_log(self, entity: Entity, role: str) -> bool:
        """Whether old rows tell the role nothing that it could not have read."""
        return all(self.reaches_all(entity, action, role) for action in ("read", "update", "delete")) and all(
            self.may("read", entity, key, role) for key in entity.restricted("read")
        )

    def _holds(self, entity: Entity, condition: Condition, me: Any, row: Row) -> bool:
        if condition.is_link:
            return me is not None and me in row.get(condition.field, ())
        value = row.get(entity.key(condition.field))
        return value is not None and value in [me if each is ME else each for each in condition.values]

    def rows(self, entity: Entity, me: Any, other: Any) -> list[Row]:
        """For each line a row for which it holds, and for each of its conditions one that fails it alone."""
        found: list[Row] = [{}]
        for line in (line for action in ACTIONS for line in entity.lines[action]):
            held = {self._key(entity, each): self._passing(each, me) for each in line.where}
            found.append(held)
            found += [
                held | {self._key(entity, each): self._failing(entity, each, other)} for each in line.where
            ]
        return [row for place, row in enumerate(found) if row not in found[:place]]

    @staticmethod
    def _key(entity: Entity, condition: Condition) -> str:
        return condition.field if condition.is_link else entity.key(condition.field)

    @staticmethod
    def _passing(condition: Condition, me: Any) -> Any:
        if condition.is_link:
            return [me]
        return me if condition.values[0] is ME else condition.values[0]

    @staticmethod
    def _failing(entity: Entity, condition: Condition, other: Any) -> Any:
        if condition.is_link:
            return [other]
        if ME in condition.values:
            return other
        return next(each for each in entity.members(condition.field) if each not in condition.values)
