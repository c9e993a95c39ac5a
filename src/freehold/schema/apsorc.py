"""`.apsorc` files, version 1 and 2, read as they are: entities, fields, associations and relationships."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from freehold.schema import document, names
from freehold.schema.document import Value
from freehold.schema.keys import AUTH_PROVIDERS
from freehold.schema.model import Field
from freehold.schema.problems import Problems, did_you_mean
from freehold.schema.sketch import Imported, Sketch, field_name, member_list
from freehold.schema.types import MAX_LENGTH, TypeSyntaxError, parse_type
from freehold.schema.values import Misfit, fit

SUFFIX = ".apsorc"

FILE_KEYS = {
    "version", "rootFolder", "apiType", "language", "auth", "entities", "relationships", "$schema",
    "_removedEntities",
}  # fmt: skip
ENTITY_KEYS = {
    "name", "created_at", "updated_at", "primaryKeyType", "fields", "indexes", "uniques", "associations",
    "scopeBy", "scopeOptions", "description",
}  # fmt: skip
FIELD_KEYS = {
    "name", "type", "unique", "isUnique", "isIndex", "index", "nullable", "length", "is_email", "default",
    "values", "precision", "scale", "primary", "description",
}  # fmt: skip
RELATION_KEYS = {
    "from", "to", "type", "nullable", "to_name", "bi_directional", "cascadeDelete", "index", "name",
    "reference_name", "joinTableName", "joinColumnName", "inverseJoinColumnName", "unique",
}  # fmt: skip
RELATION_TYPES = ("OneToMany", "ManyToOne", "ManyToMany", "OneToOne")

TYPES = {
    "text": "text", "varchar": "text", "char": "text", "character varying": "text", "string": "text",
    "integer": "int", "int": "int", "smallint": "int", "bigint": "bigint",
    "float": "float", "double": "float", "double precision": "float", "real": "float",
    "decimal": "decimal(18,6)", "numeric": "decimal(18,6)", "money": "decimal(19,2)",
    "boolean": "bool", "bool": "bool",
    "date": "date", "time": "time", "timetz": "time", "timestamptz": "datetime", "timestamp": "datetime",
    "datetime": "datetime", "uuid": "uuid", "bytea": "bytes",
    "json": "json", "jsonb": "json", "json-plain": "json", "array": "text[]",
    "point": "point", "linestring": "line", "polygon": "polygon",
    "interval": "text", "geometry": "json", "geography": "json", "multipoint": "json",
    "multilinestring": "json", "multipolygon": "json", "geometrycollection": "json",
}  # fmt: skip
INEXACT = {
    "money": "money has no currency: it is kept as `decimal(19,2)`",
    "timestamp": "a timestamp without zone is kept as a moment, in UTC",
    "timetz": "a time of day has no zone here",
    "interval": "an interval is kept as a text",
    "array": "an array does not say of what: it is kept as `text[]`",
    **dict.fromkeys(
        ("geometry", "geography", "multipoint", "multilinestring", "multipolygon", "geometrycollection"),
        "it is kept as `json`, in GeoJSON: lists cannot be filtered by place",
    ),
}


class Relation(NamedTuple):
    """One side of a relation, as it was written."""

    start: str
    end: str
    type: str
    name: str | None
    nullable: bool
    cascades: bool
    is_indexed: bool
    has_table: bool
    at: Value


def convert(text: str | bytes, *, file: str, service: str) -> Imported:
    """The file as a `freehold.yaml`, with what its author must decide. Raises a SchemaError."""
    return _Reader(file, service).convert(text)


class _Reader:
    def __init__(self, file: str, service: str) -> None:
        self.file = file
        self.problems = Problems()
        self.sketch = Sketch(service)
        self.names: dict[str, str] = {}
        """Of each entity, what it is called here."""
        self.columns: dict[tuple[str, str], str] = {}
        """Of each field and key of an entity, which field it is here."""
        self.scopes: dict[str, list[str]] = {}

    def convert(self, text: str | bytes) -> Imported:
        decoded = text.decode("utf-8-sig", "replace") if isinstance(text, bytes) else text
        root = document.parse(without_comments(decoded), file=self.file, problems=self.problems)
        if not self._is(root, "map", "an .apsorc is a map with `entities`"):
            self.problems.stop()
        self._known(root, FILE_KEYS)
        version = root.get("version")
        if version is not None and version.data not in (1, 2):
            self.problems.add(version.problem(f"version `{version.raw}` is not known", "there are 1 and 2"))
        bodies = self._list(root, "entities")
        for body in bodies:
            self._name(body)
        self.problems.raise_any()
        for body in bodies:
            self._entity(body)
        relations = [
            *(self._relation(each, None) for each in self._list(root, "relationships")),
            *(self._relation(each, body) for body in bodies for each in self._list(body, "associations")),
        ]
        self.problems.raise_any()
        self._relate([each for each in relations if each is not None])
        for body in bodies:
            self._indexes(body)
        self._tenancy()
        self._auth(root.get("auth"))
        self.problems.raise_any()
        return self.sketch.finished()

    # Entities and fields

    def _name(self, body: Value) -> None:
        if not self._is(body, "map", "an entity with `name` and `fields`"):
            return
        source = self._text(body, "name")
        if source is None:
            self.problems.add(body.problem("has no `name`", "such as `Project`"))
        elif source in self.names:
            self.problems.add(body.problem(f"`{source}` is here a second time", "rename one", key="name"))
        else:
            name = self.names[source] = self.sketch.add_entity(source)
            if name != names.snake_case(source):
                self.sketch.changed(name, f"was called `{source}`")

    def _entity(self, body: Value) -> None:
        self._known(body, ENTITY_KEYS)
        name = self.names[str(self._text(body, "name"))]
        entity = self.sketch.entities[name]
        description = self._text(body, "description")
        if description:
            entity["description"] = description
        entity["id"] = "uuid" if self._text(body, "primaryKeyType") == "uuid" else "serial"
        stamps = [self._flag(body, key) for key in ("created_at", "updated_at")]
        renamed: dict[str, str] = {}
        for each in self._list(body, "fields"):
            if self._is(each, "map", "a field with `name` and `type`"):
                self._field(name, each, stamps, renamed)
        entity["timestamps"] = any(stamps)
        if stamps[0] != stamps[1]:
            self.sketch.changed(name, "has created_at and updated_at, where it had one of them")
        entity["version"] = False
        if renamed:
            told = ", ".join(f"{old} is {new}" for old, new in renamed.items())
            self.sketch.changed(name, f"fields are in snake_case: {told}")
        scopes = body.get("scopeBy")
        if scopes is not None:
            each_scope = scopes.data if scopes.kind == "list" else [scopes]
            self.scopes[name] = [str(scope.data) for scope in each_scope if scope.kind == "text"]

    def _field(self, entity: str, body: Value, stamps: list[bool], renamed: dict[str, str]) -> None:
        self._known(body, FIELD_KEYS)
        source = self._text(body, "name")
        if source is None:
            self.problems.add(body.problem("has no `name`", "such as `title`"))
            return
        plain = names.snake_case(source)
        if plain in ("created_at", "updated_at"):
            stamps[plain == "updated_at"] = True
            return
        if plain == "id" or self._flag(body, "primary"):
            self.sketch.changed(entity, f"`{source}` is the id that every entity has")
            return
        where = f"{entity}.{field_name(source, self.sketch.entities[entity]['fields'])}"
        type_ = self._type(where, body)
        if type_ is None:
            return
        settings: dict[str, Any] = {
            "type": type_,
            "nullable": self._flag(body, "nullable"),
            "unique": self._flag(body, "unique") or self._flag(body, "isUnique"),
            "index": self._flag(body, "isIndex") or self._flag(body, "index"),
            "description": self._text(body, "description"),
        }
        name = self.sketch.add_field(entity, source, settings)
        self.columns[(entity, source)] = name
        if name != source:
            renamed[source] = name
        default = body.get("default")
        if default is not None and default.kind != "null":
            self._default(entity, name, type_, default)

    def _type(self, where: str, body: Value) -> str | None:
        written = self._text(body, "type")
        values = [str(each.raw or each.data) for each in self._list(body, "values")]
        if written == "enum":
            return self._enum(where, values, body)
        found = TYPES.get((written or "").lower())
        if found is None:
            at = body.get("type") or body
            self.problems.add(
                at.problem(f"`{written}` is not a type", did_you_mean(str(written), [*TYPES, "enum"]))
            )
            return None
        if str(written).lower() in INEXACT:
            self.sketch.changed(where, INEXACT[str(written).lower()])
        if values:
            self.sketch.decide(
                where,
                f"has values, but is of the type {written}, which takes any text;"
                f" if no other is meant, make it `{member_list(values[:20])}`",
            )
        if found == "text":
            if self._flag(body, "is_email"):
                return "email"
            length = self._count(body, "length")
            return f"string({min(length, MAX_LENGTH)})" if length else "text"
        if found.startswith("decimal"):
            precision, scale = self._count(body, "precision"), self._count(body, "scale")
            if precision is None:
                if str(written).lower() != "money":
                    self.sketch.decide(where, f"does not say how many digits it has: taken as `{found}`")
                return found
            return f"decimal({min(precision, 1000)},{min(scale or 0, precision, 1000)})"
        return found

    def _enum(self, where: str, values: list[str], body: Value) -> str:
        kept = list(dict.fromkeys(value for value in values if value))
        if len(kept) < len(values):
            self.sketch.changed(where, "a value that was there twice, or empty, is there no more")
        if not kept:
            self.problems.add(body.problem("is an enum without `values`", 'such as `"values": ["draft"]`'))
            return "text"
        type_ = member_list(kept)
        try:
            parse_type(type_)
        except TypeSyntaxError as error:
            longest = max(map(len, kept))
            self.sketch.decide(
                where, f"{error.message}; until one is changed it is a text of {longest} characters, no enum"
            )
            return f"string({longest})"
        return type_

    def _default(self, entity: str, name: str, type_: str, value: Value) -> None:
        """Keep a default that is a value of the type; tell of one that means nothing."""
        field = Field(id="", name=name, type=parse_type(type_), column=name)
        for candidate in _readings(value):
            try:
                self.sketch.entities[entity]["fields"][name]["default"] = fit(
                    field, candidate, _raw(candidate)
                )
                return
            except Misfit:
                continue
        self.sketch.decide(
            f"{entity}.{name}",
            f"the default `{value.raw}` is not a `{type_}`, so there is none: which one is meant?",
        )

    # Relations

    def _relation(self, body: Value, owner: Value | None) -> Relation | None:
        if not self._is(body, "map", "a relation with `type`"):
            return None
        self._known(body, RELATION_KEYS)
        start = self._text(body, "from") if owner is None else self._text(owner, "name")
        end = self._text(body, "to" if owner is None else "name")
        for key, source in (("from", start), ("to" if owner is None else "name", end)):
            if source not in self.names:
                at = body.get(key) or body
                self.problems.add(
                    at.problem(f"there is no entity `{source}`", did_you_mean(str(source), self.names))
                )
        type_ = self._text(body, "type")
        if type_ not in RELATION_TYPES:
            at = body.get("type") or body
            self.problems.add(
                at.problem(f"`{type_}` is not a relation", did_you_mean(str(type_), RELATION_TYPES))
            )
        if start not in self.names or end not in self.names or type_ not in RELATION_TYPES:
            return None
        return Relation(
            start=self.names[str(start)],
            end=self.names[str(end)],
            type=str(type_),
            name=self._text(body, "to_name" if owner is None else "reference_name"),
            nullable=self._flag(body, "nullable"),
            cascades=self._flag(body, "cascadeDelete"),
            is_indexed=self._flag(body, "index"),
            has_table=body.get("joinTableName") is not None,
            at=body,
        )

    def _relate(self, relations: list[Relation]) -> None:
        """Each relation once, though it may be written from both of its sides."""
        waiting = list(relations)
        for each in relations:
            if each.type in ("ManyToOne", "OneToOne") and each in waiting:
                waiting.remove(each)
                other = self._other_side(each, waiting)
                self._refer(each, other)
        for each in relations:
            if each.type == "ManyToMany" and each in waiting:
                waiting.remove(each)
                other = self._other_side(each, waiting)
                if other is not None and other.has_table and not each.has_table:
                    each, other = other, each
                self._link(each, other)
        for each in waiting:
            # Only the side of the many was written: the key is with them all the same.
            turned = each._replace(start=each.end, end=each.start, name=None)
            self._refer(turned, each)

    def _other_side(self, relation: Relation, waiting: list[Relation]) -> Relation | None:
        opposite = {"ManyToOne": "OneToMany"}.get(relation.type, relation.type)
        sides = [
            each
            for each in waiting
            if (each.start, each.end, each.type) == (relation.end, relation.start, opposite)
        ]
        if not sides:
            return None
        if len(sides) > 1:
            self.sketch.decide(
                relation.start,
                f"and `{relation.end}` are related more than once: sides are matched in their order",
            )
        waiting.remove(sides[0])
        return sides[0]

    def _refer(self, relation: Relation, other: Relation | None) -> None:
        unique = relation.type == "OneToOne"
        settings = {
            "type": f"ref({relation.end})",
            "nullable": relation.nullable or (other is not None and other.nullable),
            "unique": unique,
            "on_delete": "cascade"
            if unique or relation.cascades or (other is not None and other.cascades)
            else None,
            "index": relation.is_indexed and not unique,
        }
        source = relation.name or relation.end
        name = self.sketch.add_field(relation.start, source, settings)
        for key in (source, source[:1].lower() + source[1:], _camel(source)):
            self.columns.setdefault((relation.start, f"{key}Id"), name)
            self.columns.setdefault((relation.start, key), name)
        if other is not None:
            self._inverse(relation.start, name, relation.end, other.name)

    def _link(self, relation: Relation, other: Relation | None) -> None:
        source = relation.name or names.plural(relation.end)
        name = self.sketch.add_field(relation.start, source, {"type": f"many({relation.end})"})
        if relation.has_table:
            self.sketch.changed(f"{relation.start}.{name}", "its table of links gets a name of its own")
        if other is not None:
            self._inverse(relation.start, name, relation.end, other.name)

    def _inverse(self, entity: str, name: str, target: str, said: str | None) -> None:
        inverse = names.snake_case(said) if said else names.plural(entity)
        taken = set(self.sketch.entities[target]["fields"]) | {
            str(field.get("inverse"))
            for body in self.sketch.entities.values()
            for field in body["fields"].values()
            if str(field["type"]).endswith(f"({target})")
        }
        if inverse in taken and said is None:
            inverse = f"{name}_of_{names.plural(entity)}"
        if inverse not in taken:
            self.sketch.entities[entity]["fields"][name]["inverse"] = inverse

    # What concerns the whole

    def _indexes(self, body: Value) -> None:
        name = self.names[str(self._text(body, "name"))]
        for key in ("indexes", "uniques"):
            for each in self._list(body, key):
                if not self._is(each, "map", "an index with `fields`"):
                    continue
                sources = [str(part.data) for part in self._list(each, "fields")]
                fields = [self.columns.get((name, source)) or names.snake_case(source) for source in sources]
                into = "unique" if key == "uniques" or self._flag(each, "unique") else "index"
                if fields:
                    self.sketch.entities[name].setdefault(into, []).append(fields)

    def _tenancy(self) -> None:
        entities = self.sketch.entities
        ends = {
            re.sub("_?[Ii]d$", "", scope.rpartition(".")[2])
            for each in self.scopes.values()
            for scope in each
        }
        tenants = {names.snake_case(end) for end in ends}
        tenant = next(iter(tenants)) if len(tenants) == 1 else ""
        if tenant not in entities:
            self.sketch.decide_tenancy()
        else:
            self._scope(tenant)
        self.sketch.decide_access()

    def _scope(self, tenant: str) -> None:
        entities = self.sketch.entities
        scoped = {name for name in self.scopes if name != tenant}
        reached = _reaching(entities, scoped, tenant)
        for name in reached - scoped:
            self.sketch.decide(name, "refers to what belongs to a tenant, so it does too: is that so?")
        self.sketch.head["tenancy"] = {"entity": tenant}
        entities[tenant]["tenant"] = "self"
        for name in reached:
            entities[name]["tenant"] = "scoped"
            fields = entities[name]["fields"]
            for own in [
                each
                for each, field in fields.items()
                if field["type"] == f"ref({tenant})" or each == f"{tenant}_id"
            ]:
                del fields[own]
                self.sketch.changed(f"{name}.{own}", "is its tenant, so it is no field of its own")
            for key in ("index", "unique"):
                listed = [
                    [part for part in parts if part in fields or part in names.SYSTEM_NAMES]
                    for parts in entities[name].get(key, [])
                ]
                kept = [parts for parts in listed if parts]
                entities[name].pop(key, None)
                if kept:
                    entities[name][key] = kept

    def _auth(self, value: Value | None) -> None:
        provider = self._text(value, "provider") if value is not None and value.kind == "map" else None
        if provider is None:
            return
        if provider in AUTH_PROVIDERS:
            self.sketch.head["auth"] = {"provider": provider}
            self.sketch.decide(
                "auth", "only the provider's name is taken: its address is a setting of the service"
            )
        else:
            self.sketch.left_out("auth", f"the provider {provider}: {did_you_mean(provider, AUTH_PROVIDERS)}")

    # Small values

    def _known(self, value: Value, known: Iterable[str]) -> None:
        for key, each in value.items():
            if key not in known:
                self.sketch.left_out(f"{self.file}:{each.line}", f"`{key}` is not known")

    def _is(self, value: Value, kind: str, hint: str) -> bool:
        if value.kind == kind:
            return True
        self.problems.add(value.problem(f"is not a {kind}", hint))
        return False

    def _list(self, holder: Value, key: str) -> list[Value]:
        value = holder.get(key) if holder.kind == "map" else None
        if value is None or value.kind == "null" or not self._is(value, "list", f"`{key}` is a list"):
            return []
        found: list[Value] = value.data
        return found

    def _text(self, holder: Value, key: str) -> str | None:
        value = holder.get(key) if holder.kind == "map" else None
        if value is None or value.kind == "null":
            return None
        if value.kind != "text":
            self.problems.add(value.problem("is not a text"))
            return None
        return str(value.data)

    def _flag(self, holder: Value, key: str) -> bool:
        value = holder.get(key)
        if value is None or value.kind == "null":
            return False
        if value.kind == "bool":
            return bool(value.data)
        if value.data in ("true", "false"):
            return bool(value.data == "true")
        self.problems.add(value.problem("is not `true` or `false`"))
        return False

    def _count(self, holder: Value, key: str) -> int | None:
        value = holder.get(key)
        if value is None or value.kind == "null":
            return None
        if re.fullmatch(r"[0-9]{1,9}", value.raw) and int(value.raw) > 0:
            return int(value.raw)
        if value.raw == "0":
            return 0
        self.problems.add(value.problem(f"`{value.raw}` is not a number from 0"))
        return None


def without_comments(text: str) -> str:
    """JSON without its comments; everything else stays in its place."""
    return re.sub(
        r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*[\s\S]*?\*/',
        lambda found: (
            found.group() if found.group().startswith('"') else re.sub(r"[^\n]", " ", found.group())
        ),
        text,
    )


def _readings(value: Value) -> list[Any]:
    """What a default may mean: `"5"` is a number for a number, `"true"` a truth."""
    found = [value.plain()]
    if value.kind == "text":
        text = str(value.data)
        if text in ("true", "false"):
            found.append(text == "true")
        if re.fullmatch(r"-?[0-9]{1,18}", text):
            found.append(int(text))
        elif re.fullmatch(r"-?[0-9]{1,18}\.[0-9]{1,18}", text):
            found.append(float(text))
        if text in ("[]", "{}"):
            found.append([] if text == "[]" else {})
    return [*found[1:], found[0]] if value.kind == "text" else found


def _raw(value: Any) -> str:
    return "" if isinstance(value, bool) or not isinstance(value, (int, float)) else str(value)


def _camel(source: str) -> str:
    spelled = names.spelled(names.snake_case(source))
    return spelled[:1].lower() + spelled[1:]


def _reaching(entities: dict[str, dict[str, Any]], scoped: set[str], tenant: str) -> set[str]:
    """Those that are scoped, and those that refer to one of them."""
    found = set(scoped)
    while True:
        more = {
            name
            for name, body in entities.items()
            if name not in found and name != tenant and not found.isdisjoint(_targets(body))
        }
        if not more:
            return found
        found |= more


def _targets(body: dict[str, Any]) -> set[str | None]:
    return {parse_type(str(field["type"])).target for field in body["fields"].values()}
