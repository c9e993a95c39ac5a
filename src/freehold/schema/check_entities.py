"""What entities must mean: their fields fit together, relations lead somewhere, indexes can be built."""

from __future__ import annotations

from freehold.schema.checker import Checker, reaches
from freehold.schema.document import Value
from freehold.schema.model import PLACES, Entity, Field, Kind, Type
from freehold.schema.problems import did_you_mean

MAX_INDEX_BYTES = 2_600
_NO_INDEX = frozenset({Kind.JSON, Kind.TEXT, Kind.BYTES, Kind.MANY})


class EntityChecker(Checker):
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
        for entity, field in self.relations():
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

    def first_rows(self) -> None:
        """Relations that are required in a circle would let nobody write the first row."""
        needs: dict[str, list[tuple[str, str]]] = {entity.name: [] for entity in self.schema.entities}
        for entity, field in self.relations():
            if field.type.kind is Kind.REF and not field.nullable:
                needs[entity.name].append((field.type.target or "", field.name))
        ways = {name: [target for target, _ in direct] for name, direct in needs.items()}
        for start, direct in needs.items():
            for target, field_name in direct:
                if reaches(ways, [target], start):
                    self.wrong(
                        self.drafts.at(start, field_name, "type"),
                        f"nobody could write the first row: it needs a `{target}`, which needs a `{start}`",
                        "add `nullable: true` to one of them",
                    )


def _most_bytes(type_: Type) -> int:
    if type_.kind is Kind.STRING and type_.length is not None:
        return 4 * type_.length
    if type_.kind is Kind.ENUM:
        return max(len(member.encode()) for member in type_.values)
    return {Kind.EMAIL: 320, Kind.URL: 2048}.get(type_.kind, 16)
