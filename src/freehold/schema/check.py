"""What a schema must mean: names resolve, tenancy holds together, rules can be kept by the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from freehold.schema.conditions import Word
from freehold.schema.design import design
from freehold.schema.document import Value
from freehold.schema.drafts import Drafts
from freehold.schema.model import (
    PLACES,
    Access,
    Condition,
    Entity,
    Field,
    Grant,
    Kind,
    MemberOf,
    Schema,
    Type,
)
from freehold.schema.names import spelled
from freehold.schema.problems import Problems, did_you_mean
from freehold.schema.table_names import relation_names
from freehold.schema.values import Misfit, fit_one

EVERYONE = ("public", "authenticated", "service")
"""Roles that are there without being declared."""

MAX_INDEX_BYTES = 2_600
_ME = frozenset({Kind.REF, Kind.UUID, Kind.STRING, Kind.TEXT})
_NO_INDEX = frozenset({Kind.JSON, Kind.TEXT, Kind.BYTES, Kind.MANY})


def check(schema: Schema, drafts: Drafts, problems: Problems) -> Schema:
    """The schema with its conditions resolved; what is wrong with it is added to the problems."""
    checker = _Checker(schema, drafts, problems)
    checker.tenancy()
    checker.memberships()
    checker.session()
    checker.roles()
    for entity in schema.entities:
        checker.entity(entity)
    checker.inverses()
    checker.first_rows()
    checker.shared_names()
    resolved = checker.conditions()
    if not problems.found:
        checker.relations(resolved)
    return resolved


class _Checker:
    def __init__(self, schema: Schema, drafts: Drafts, problems: Problems) -> None:
        self.schema = schema
        self.drafts = drafts
        self.problems = problems
        self.by_name = {entity.name: entity for entity in schema.entities}

    def wrong(self, value: Value, message: str, hint: str = "", *, key: str | None = None) -> None:
        self.problems.add(value.problem(message, hint, key=key))

    def tenancy(self) -> None:
        tenancy, at = self.schema.tenancy, self.drafts.tenancy
        selves = [entity.name for entity in self.schema.entities if entity.tenant == "self"]
        if self.drafts.has_tenancy and tenancy is None:
            return
        if tenancy is None or at is None:
            for entity in self.schema.entities:
                if entity.tenant != "none":
                    self.wrong(
                        self.drafts.entities[entity.name].get("tenant") or self.drafts.entities[entity.name],
                        f"is `{entity.tenant}`, but the schema has no `tenancy:`",
                        "add `tenancy: { entity: organization }`, or say `tenant: none`",
                    )
            return
        named = self.by_name.get(tenancy.entity)
        if named is None and tenancy.entity in self.drafts.seen:
            return
        if named is None:
            self.wrong(
                at, f"there is no entity `{tenancy.entity}`", did_you_mean(tenancy.entity, self.by_name)
            )
        elif named.tenant != "self":
            self.wrong(at, f"`{named.name}` is not `tenant: self`", f"say so in `entities.{named.name}`")
        for name in selves:
            if name != tenancy.entity:
                body = self.drafts.entities[name]
                self.wrong(
                    body.get("tenant") or body,
                    f"is `self`, but the tenant is `{tenancy.entity}`",
                    "say `scoped` or `none`",
                )

    def memberships(self) -> None:
        name, at = self.schema.auth.tenant if self.schema.auth else "", self.drafts.memberships
        if not name or at is None:
            return
        named = self.by_name.get(name)
        if named is None and name not in self.drafts.seen:
            self.wrong(at, f"there is no entity `{name}`", did_you_mean(name, self.by_name))
        elif named is not None and named.tenant != "scoped":
            self.wrong(
                at,
                f"`{name}` is not `tenant: scoped`: its rows should say who belongs to which tenant",
                f"say so in `entities.{name}`",
            )

    def session(self) -> None:
        auth, at = self.schema.auth, self.drafts.session
        if auth is None or at is None:
            return
        if auth.sessions:
            self.wrong(
                at, "excludes `sessions`: there is one login", "leave out the one that callers do not use"
            )
        if self.schema.tenancy is not None and self.drafts.memberships is None:
            self.wrong(
                at,
                "says who calls, and not in which tenant",
                "add `auth.tenant`, the entity of memberships",
            )

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
        for role in self.schema.roles:
            if self._inherits_itself(role):
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

    def _inherits_itself(self, role: str) -> bool:
        seen: set[str] = set()
        waiting = list(self.schema.roles.get(role, ()))
        while waiting:
            each = waiting.pop()
            if each == role:
                return True
            if each not in seen:
                seen.add(each)
                waiting.extend(self.schema.roles.get(each, ()))
        return False

    def entity(self, entity: Entity) -> None:
        body = self.drafts.entities[entity.name]
        if not entity.fields and not any(name == entity.name for name, _ in self.drafts.unread):
            self.wrong(body, "has no fields", "add `fields:`")
        for field in entity.fields:
            self._field(entity, field)
        keys = [field.name for field in entity.fields if field.natural_key]
        if len(keys) > 1:
            self.wrong(
                self.drafts.at(entity.name, keys[1], "natural_key"),
                f"`{keys[0]}` is the natural key already",
                "there is one at most",
            )
        self._columns(entity)
        for index in entity.indexes:
            self._index(
                entity,
                [part.field for part in index.parts],
                self.drafts.indexes.get((entity.name, index), body),
                index.unique,
            )

    def _field(self, entity: Entity, field: Field) -> None:
        def at(key: str) -> Value:
            return self.drafts.at(entity.name, field.name, key)

        if field.natural_key and field.unique is None:
            self.wrong(at("natural_key"), "a natural key must be unique", "add `unique: true`")
        if field.min is not None and field.max is not None and float(field.min) > float(field.max):
            self.wrong(at("min"), f"`min: {field.min}` is above `max: {field.max}`", "exchange them")
        if field.type.kind is Kind.STRING and field.type.length is not None:
            for key, bound in (("min", field.min), ("max", field.max)):
                if bound is not None and float(bound) > field.type.length:
                    self.wrong(
                        at(key), f"`{key}: {bound}` is beyond {field.type}", f"at most {field.type.length}"
                    )
        if field.type.kind not in _NO_INDEX and (field.unique or field.index or field.sortable):
            self._index(
                entity, [field.name], at("unique" if field.unique else "index"), field.unique is not None
            )
        if field.type.kind in (Kind.REF, Kind.MANY):
            self._relation(entity, field)

    def _relation(self, entity: Entity, field: Field) -> None:
        written = self.drafts.at(entity.name, field.name, "type")
        target = self.by_name.get(field.type.target or "")
        if target is None and field.type.target in self.drafts.seen:
            return
        if target is None:
            self.wrong(
                written,
                f"there is no entity `{field.type.target}`",
                did_you_mean(field.type.target or "", self.by_name),
            )
            return
        if entity.tenant == "none" and target.tenant == "scoped":
            self.wrong(
                written,
                f"`{entity.name}` belongs to no tenant, so it cannot refer to `{target.name}`, which does",
                f"make `{entity.name}` scoped, or turn the relation around",
            )
        if field.type.kind is Kind.MANY:
            if field.on_delete == "set_null":
                self.wrong(
                    self.drafts.at(entity.name, field.name, "on_delete"),
                    "a link is there or not, so that it cannot be set to null",
                    "`cascade` lets links go with either row, `restrict` keeps rows that are linked",
                )
            return
        if field.on_delete == "set_null" and not field.nullable:
            self.wrong(
                self.drafts.at(entity.name, field.name, "on_delete"),
                "`set_null` needs a field that may be null",
                "add `nullable: true`",
            )
        if field.owned and (field.on_delete != "cascade" or field.inverse is None):
            self.wrong(
                self.drafts.at(entity.name, field.name, "owned"),
                "what is owned goes with its owner, and is named from there",
                f"add `on_delete: cascade, inverse: {entity.plural}`",
            )

    def _columns(self, entity: Entity) -> None:
        columns: dict[str, str] = {name: name for name in entity.layout.columns()}
        wires: dict[str, str] = {}
        for field in entity.fields:
            at = self.drafts.field_maps[entity.name]
            if field.wire_name in wires:
                self.wrong(
                    at,
                    f"`{wires[field.wire_name]}` is called `{field.wire_name}` too",
                    "rename one of them",
                    key=field.name,
                )
            elif field.is_column and field.column in columns and field.name != columns[field.column]:
                self.wrong(
                    at,
                    f"the column `{field.column}` is there already, of `{columns[field.column]}`",
                    "name another with `column:`",
                    key=field.name,
                )
            wires[field.wire_name] = field.name
            if field.is_column:
                columns[field.column] = field.name
        if any(field.search for field in entity.fields) and "search_vector" in columns:
            self.wrong(
                self.drafts.entities[entity.name],
                "the column `search_vector` is needed for searching",
                "name another with `column:`",
            )

    def _index(self, entity: Entity, parts: list[str], at: Value, unique: bool) -> None:
        system = set(entity.layout.columns())
        known = {field.name: field for field in entity.fields if field.is_column}
        size = 0
        for position, name in enumerate(parts):
            here = at.data[position] if at.kind == "list" and position < len(at.data) else at
            field = known.get(name)
            if field is None and name not in system:
                if (entity.name, name) not in self.drafts.unread:
                    self.wrong(
                        here,
                        f"`{entity.name}` has no column field `{name}`",
                        did_you_mean(name, {*known, *system}),
                    )
                continue
            if name in parts[:position]:
                self.wrong(here, f"`{name}` is named twice", "leave one out")
            if field is None:
                continue
            kind = field.type.kind
            alone = len(parts) == 1 and not unique
            if kind in _NO_INDEX or ((kind in PLACES or field.type.array) and not alone):
                self.wrong(
                    here,
                    f"a `{field.type}` cannot be part of such an index",
                    "leave it out, or make it a `string(n)`",
                )
            elif field.type.array or kind in PLACES:
                continue
            size += _most_bytes(field.type)
        if size > MAX_INDEX_BYTES:
            self.wrong(
                at,
                f"an entry of this index could have {size} bytes, and PostgreSQL allows 2,700",
                "shorten the strings: 4 bytes a character",
            )

    def inverses(self) -> None:
        """A relation's name from the other side is unique there."""
        taken: dict[tuple[str, str], str] = {}
        for entity, field in self._relations():
            target = self.by_name.get(field.type.target or "")
            if target is None or field.inverse is None:
                continue
            at = self.drafts.at(entity.name, field.name, "inverse")
            key = (target.name, field.inverse)
            if key in taken:
                self.wrong(
                    at,
                    f"`{target.name}` has `{field.inverse}` already, from `{taken[key]}`",
                    "call one of them something else",
                )
            elif field.inverse in {
                *(each.name for each in target.fields),
                *(each.wire_name for each in target.fields),
                *target.layout.columns(),
            }:
                self.wrong(
                    at,
                    f"`{target.name}` has a field `{field.inverse}` already",
                    "call the relation something else",
                )
            taken[key] = f"{entity.name}.{field.name}"

    def _relations(self) -> Iterator[tuple[Entity, Field]]:
        for entity in self.schema.entities:
            for field in entity.fields:
                if field.type.kind in (Kind.REF, Kind.MANY):
                    yield entity, field

    def first_rows(self) -> None:
        """Relations that are required in a circle would let nobody write the first row."""
        needs: dict[str, list[tuple[str, str]]] = {entity.name: [] for entity in self.schema.entities}
        for entity, field in self._relations():
            if field.type.kind is Kind.REF and not field.nullable:
                needs[entity.name].append((field.type.target or "", field.name))
        for start, direct in needs.items():
            for target, field_name in direct:
                if self._reaches(needs, target, start):
                    self.wrong(
                        self.drafts.at(start, field_name, "type"),
                        f"nobody could write the first row: it needs a `{target}`, which needs a `{start}`",
                        "add `nullable: true` to one of them",
                    )

    def _reaches(self, needs: dict[str, list[tuple[str, str]]], start: str, goal: str) -> bool:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            each = waiting.pop()
            if each == goal:
                return True
            if each not in seen:
                seen.add(each)
                waiting.extend(target for target, _ in needs.get(each, ()))
        return False

    def shared_names(self) -> None:
        plurals: dict[str, str] = {}
        classes: dict[str, str] = {}
        for entity in self.schema.entities:
            body = self.drafts.entities[entity.name]
            self._spelled_alike(entity.name, classes, self.drafts.named[entity.name])
            members: dict[str, str] = {}
            for field in entity.fields:
                self._spelled_alike(field.name, members, self.drafts.field_maps[entity.name])
            if entity.plural in plurals:
                self.wrong(
                    body.get("plural") or body,
                    f"`{plurals[entity.plural]}` has the plural `{entity.plural}` too",
                    "set `plural:`",
                )
            plurals[entity.plural] = entity.name

    def _spelled_alike(self, name: str, taken: dict[str, str], at: Value) -> None:
        """`line_1` and `line1` are both `Line1` where names are spelled without underscores."""
        other = taken.setdefault(spelled(name), name)
        if other != name:
            self.wrong(
                at,
                f"in code, `{other}` and `{name}` would both be called `{spelled(name)}`",
                "rename one of them",
                key=name,
            )

    def relations(self, schema: Schema) -> None:
        """Tables and indexes share one space of names in PostgreSQL."""
        taken: dict[str, str] = {}
        named = replace(
            schema,
            entities=tuple(
                replace(
                    each, id=each.name, fields=tuple(replace(field, id=field.name) for field in each.fields)
                )
                for each in schema.entities
            ),
        )
        for table in design(named):
            at = self.drafts.entities.get(table.key.split(".")[0], self.drafts.root)
            for name, what in relation_names(table):
                if name in taken:
                    self.wrong(
                        at,
                        f"{what} would be called `{name}`, as is {taken[name]}",
                        "set `table:` or `column:` of one of them",
                    )
                else:
                    taken[name] = what

    # Conditions

    def conditions(self) -> Schema:
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
                for _, field in self._relations()
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


def _most_bytes(type_: Type) -> int:
    if type_.kind is Kind.STRING and type_.length is not None:
        return 4 * type_.length
    if type_.kind is Kind.ENUM:
        return max(len(member.encode()) for member in type_.values)
    return {Kind.EMAIL: 320, Kind.URL: 2048}.get(type_.kind, 16)
