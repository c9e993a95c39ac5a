"""What access must mean: roles are declared, and conditions speak of what an entity has."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from freehold.schema.checker import Checker, reaches
from freehold.schema.conditions import Word
from freehold.schema.document import Value
from freehold.schema.model import (
    PLACES,
    Access,
    Condition,
    Entity,
    Grant,
    Kind,
    MemberOf,
    Schema,
    Type,
)
from freehold.schema.problems import did_you_mean
from freehold.schema.values import Misfit, fit_one

EVERYONE = ("public", "authenticated", "service")
"""Roles that are there without being declared."""

_ME = frozenset({Kind.REF, Kind.UUID, Kind.STRING, Kind.TEXT})
"""Kinds of fields that can hold the id of a caller, or of a tenant."""


class AccessChecker(Checker):
    def roles(self) -> None:
        value = self.drafts.roles
        known = set(self.schema.roles)
        for role, inherited in self.schema.roles.items():
            assert value is not None
            if role in EVERYONE:
                self.wrong(value, f"`{role}` is there without being declared", "leave it out", key=role)
            for at, name in enumerate(inherited):
                if name not in known:
                    self.wrong(
                        value.data[role].data[at], f"there is no role `{name}`", did_you_mean(name, known)
                    )
        for role, inherited in self.schema.roles.items():
            if reaches(self.schema.roles, inherited, role):
                assert value is not None
                self.wrong(value, f"`{role}` inherits from itself", "break the circle", key=role)
        for role, at_word in self.drafts.role_words:
            self._role(role, at_word)
        for _, grant, line in self.drafts.grants:
            self._role(grant.role, line.get("role") or line if line.kind == "map" else line)

    def _role(self, role: str, at: Value) -> None:
        known = (*self.schema.roles, *EVERYONE)
        if role not in known:
            self.wrong(at, f"there is no role `{role}`", did_you_mean(role, known))

    def conditions(self) -> Schema:
        """The schema with its conditions resolved."""
        resolved: dict[tuple[str, int], Grant] = {}
        for entity_name, grant, line in self.drafts.grants:
            entity = self.by_name.get(entity_name)
            if entity is not None and grant.where:
                at = line.get("where") or line if line.kind == "map" else line
                where = tuple(self._condition(entity, each, at) for each in grant.where)
                resolved[(entity_name, id(grant))] = replace(grant, where=where)

        def settled(entity: Entity, grants: tuple[Grant, ...]) -> tuple[Grant, ...]:
            return tuple(resolved.get((entity.name, id(grant)), grant) for grant in grants)

        entities = tuple(
            replace(
                entity,
                access=Access(
                    read=settled(entity, entity.access.read),
                    create=settled(entity, entity.access.create),
                    update=settled(entity, entity.access.update),
                    delete=settled(entity, entity.access.delete),
                ),
            )
            for entity in self.schema.entities
        )
        return replace(self.schema, entities=entities)

    def _condition(self, entity: Entity, condition: Condition, at: Value) -> Condition:
        if isinstance(condition, MemberOf):
            known = {field.name for field in entity.fields if field.type.kind in (Kind.REF, Kind.MANY)}
            known |= {
                field.inverse
                for _, field in self.relations()
                if field.type.target == entity.name and field.inverse
            }
            if condition.relation not in known:
                self.wrong(
                    at,
                    f"`{entity.name}` has no relation `{condition.relation}`",
                    did_you_mean(condition.relation, known),
                )
            return condition
        type_ = self._type_of(entity, condition.field)
        if type_ is None and condition.field == entity.layout.tenant:
            self.wrong(
                at,
                f"`{condition.field}` is the caller's own tenant in every row that it reaches",
                "leave the condition out",
            )
            return condition
        if type_ is None:
            known = {field.name for field in entity.fields if field.is_column} | set(entity.layout.columns())
            self.wrong(
                at, f"`{entity.name}` has no field `{condition.field}`", did_you_mean(condition.field, known)
            )
            return condition
        if condition.me or condition.tenant:
            word = "me" if condition.me else "tenant"
            if type_.kind not in _ME or type_.array:
                self.wrong(
                    at,
                    f"`{condition.field}` is a `{type_}`, and `{word}` is an id",
                    "compare a relation, such as `owner = me`",
                )
            return condition
        return replace(
            condition,
            values=tuple(self._constant(type_, condition.field, word, at) for word in condition.values),
        )

    def _type_of(self, entity: Entity, name: str) -> Type | None:
        field = entity.field(name)
        if field is not None:
            return field.type if field.is_column else None
        layout = entity.layout
        if name == layout.id:
            return Type(kind={"uuid": Kind.UUID, "serial": Kind.BIGINT, "text": Kind.TEXT}[entity.id_kind])
        if name in (layout.created_by, layout.updated_by):
            return Type(kind=Kind.TEXT)
        if name in (layout.created_at, layout.updated_at, layout.deleted_at):
            return Type(kind=Kind.DATETIME)
        return Type(kind=Kind.INT) if name == layout.version and name else None

    def _constant(self, type_: Type, field: str, word: Word, at: Value) -> Any:
        if type_.array or type_.kind in (Kind.JSON, Kind.BYTES, *PLACES):
            self.wrong(at, f"`{field}` is a `{type_}`, which cannot be compared", "richer rules are a hook")
            return word.text
        if type_.kind is Kind.REF:
            return word.text
        value: Any = word.text
        if not word.quoted and type_.kind is Kind.BOOL:
            value = {"true": True, "false": False}.get(word.text, word.text)
        elif not word.quoted and type_.kind in (Kind.INT, Kind.BIGINT, Kind.FLOAT):
            value = _number(word.text)
        try:
            return fit_one(type_, value, word.text)
        except Misfit as error:
            self.wrong(at, f"of `{field}`, {error.message}", error.hint)
            return word.text


def _number(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text
