"""The Go target: what the plan's decisions are called with net/http and pgx."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from freehold.db.ddl import quote
from freehold.generator import names
from freehold.generator.identity import Preset
from freehold.generator.plan import TEXTS, EntityPlan, FieldPlan, Grants, Rule, ServicePlan
from freehold.generator.render import go_string
from freehold.generator.resources import readers, writers
from freehold.generator.sql import CascadeSql, EntitySql, Insert, RelationSql
from freehold.generator.targets.go.names import distinct, exported, module, packages, type_name
from freehold.generator.targets.go.shape import CELL, pairs
from freehold.schema.model import IdKind, Kind
from freehold.schema.types import member_identifier

FILES = Path(__file__).parent / "files"
"""Emitted as they are, but for the name of the module."""

TEMPLATES = Path(__file__).parent / "templates"

ID_TYPES: dict[IdKind, str] = {"uuid": "uuid.UUID", "serial": "int64", "text": "string"}
ID_READERS: dict[IdKind, str] = {"uuid": "wire.UUID", "serial": "wire.Int53()", "text": "wire.ID"}
ID_PARSERS: dict[IdKind, str] = {
    "uuid": "wire.ParseUUID",
    "serial": "wire.ParseInt53",
    "text": "wire.ParseID",
}

_TYPES = {
    Kind.STRING: "string",
    Kind.TEXT: "string",
    Kind.INT: "int32",
    Kind.BIGINT: "int64",
    Kind.FLOAT: "float64",
    Kind.DECIMAL: "wire.Decimal",
    Kind.BOOL: "bool",
    Kind.DATE: "wire.Date",
    Kind.TIME: "wire.TimeOfDay",
    Kind.DATETIME: "wire.Timestamp",
    Kind.UUID: "uuid.UUID",
    Kind.JSON: "json.RawMessage",
    Kind.BYTES: "[]byte",
    Kind.EMAIL: "string",
    Kind.URL: "string",
    Kind.IP: "string",
    Kind.POINT: "wire.Point",
    Kind.LINE: "wire.Line",
    Kind.POLYGON: "wire.Polygon",
}
_READERS = {
    Kind.STRING: "wire.Text",
    Kind.TEXT: "wire.Text",
    Kind.INT: "wire.Int32",
    Kind.BIGINT: "wire.Int53",
    Kind.FLOAT: "wire.Float",
    Kind.BOOL: "wire.Bool",
    Kind.DATE: "wire.Day",
    Kind.TIME: "wire.Time",
    Kind.DATETIME: "wire.When",
    Kind.UUID: "wire.UUID",
    Kind.JSON: "wire.Document",
    Kind.BYTES: "wire.Bytes",
    Kind.EMAIL: "wire.Email",
    Kind.URL: "wire.URL",
    Kind.IP: "wire.IP",
    Kind.POINT: "wire.Place",
    Kind.LINE: "wire.Path",
    Kind.POLYGON: "wire.Area",
}
_MADE = frozenset({Kind.STRING, Kind.TEXT, Kind.INT, Kind.BIGINT, Kind.FLOAT})
"""Kinds whose reader is made with what bounds it."""

_PARSERS = {
    Kind.INT: "wire.ParseInt32",
    Kind.BIGINT: "wire.ParseInt53",
    Kind.FLOAT: "wire.ParseFloat",
    Kind.BOOL: "wire.ParseBool",
    Kind.DATE: "wire.ParseDate",
    Kind.TIME: "wire.ParseTime",
    Kind.DATETIME: "wire.ParseTimestamp",
    Kind.UUID: "wire.ParseUUID",
}
_COMMAS = frozenset({Kind.ENUM, Kind.UUID, Kind.INT, Kind.BIGINT, Kind.DECIMAL, Kind.DATE})
LOOKUPS = {"unless_all": "api.UnlessAll", "always": "api.Always"}
_SLICES = frozenset({Kind.JSON, Kind.BYTES, Kind.POLYGON})
"""Kinds of which nil is null."""


def pattern_literal(pattern: str) -> str:
    """A regular expression as people write one, where that is safe."""
    raw = pattern.isprintable() and "`" not in pattern and ("\\" in pattern or '"' in pattern)
    return f"`{pattern}`" if raw else go_string(pattern)


class GoField:
    """One field as Go spells it."""

    def __init__(self, entity: EntityPlan, plan: FieldPlan, go_name: str, enum_type: str) -> None:
        self.plan = plan
        self.name = plan.name
        self.go_name = go_name
        self.column = quote(plan.column)
        self.enum_type = enum_type
        self.members: list[str] = []
        self._row = type_name(entity) + ("Summary" if entity.heavy else "")
        self._id_kind = entity.id_kind

    @property
    def one_type(self) -> str:
        return self.enum_type or _TYPES[self.plan.kind]

    @property
    def go_type(self) -> str:
        return f"[]{self.one_type}" if self.plan.array else self.one_type

    @property
    def view_type(self) -> str:
        """The type in a row, of which nil is null."""
        is_slice = self.plan.array or self.plan.kind in _SLICES
        return f"*{self.go_type}" if self.plan.nullable and not is_slice else self.go_type

    @property
    def view_line(self) -> str:
        return CELL.join((self.go_name, self.view_type, f'`json:"{self.name}"`'))

    @property
    def create_line(self) -> str:
        if self.plan.default_me:
            return f"{self.go_name}{CELL}wire.Opt[{self.go_type}]"
        return f"{self.go_name}{CELL}{'*' if self.plan.nullable else ''}{self.go_type}"

    @property
    def update_line(self) -> str:
        return f"{self.go_name}{CELL}wire.Opt[{self.go_type}]"

    @property
    def created(self) -> str:
        """What a create sends of it; nil when that is nothing."""
        sent = f"body.{self.go_name}"
        if self.plan.default_me:
            return f"{sent}.Or(nil)"
        return f"api.Maybe({sent})" if self.plan.nullable else sent

    @property
    def enum_lines(self) -> list[str]:
        return [
            CELL.join((member, self.enum_type, f"= {go_string(value)}"))
            for member, value in zip(self.members, self.plan.values, strict=True)
        ]

    @property
    def parser_name(self) -> str:
        return f"parse{self.go_name}"

    @property
    def reader_name(self) -> str:
        return f"read{self.go_name}"

    @property
    def parser(self) -> str:
        """What reads the field from text, for filters and cursors."""
        if self.enum_type:
            return self.parser_name
        if self.plan.kind is Kind.DECIMAL:
            return f"wire.ParseDecimal({self.plan.precision}, {self.plan.scale})"
        if self.name == "id":
            return ID_PARSERS[self._id_kind]
        return _PARSERS.get(self.plan.kind, "wire.ParseText")

    @property
    def own_reader(self) -> str:
        """What reads the field from JSON, if it is more than a name."""
        plan = self.plan
        if self.enum_type:
            one = f"wire.Quoted({self.parser_name})"
        elif plan.kind is Kind.DECIMAL:
            one = f"wire.Exact({', '.join([str(plan.precision), str(plan.scale), *self._checks()])})"
        elif plan.kind in _MADE:
            one = f"{_READERS[plan.kind]}({', '.join(self._checks())})"
        elif plan.pattern is not None and plan.kind in (Kind.EMAIL, Kind.URL):
            one = f"wire.Also({_READERS[plan.kind]}, wire.Matching({pattern_literal(plan.pattern)}))"
        else:
            return f"wire.List({_READERS[plan.kind]})" if plan.array else ""
        return f"wire.List({one})" if plan.array else one

    @property
    def reader(self) -> str:
        return self.reader_name if self.own_reader else _READERS[self.plan.kind]

    def _checks(self) -> list[str]:
        plan = self.plan
        found = []
        if plan.kind is Kind.DECIMAL:
            found += [f"wire.LeastExact({go_string(str(plan.least))})"] if plan.least is not None else []
            found += [f"wire.MostExact({go_string(str(plan.most))})"] if plan.most is not None else []
        elif plan.kind in (Kind.STRING, Kind.TEXT):
            most = [int(each) for each in (plan.length, plan.most) if each is not None]
            found += [f"wire.AtLeast({int(plan.least)})"] if plan.least is not None else []
            found += [f"wire.AtMost({min(most)})"] if most else []
        else:
            kind = f"[{self.one_type}]"
            found += [f"wire.Least{kind}({plan.least!r})"] if plan.least is not None else []
            found += [f"wire.Most{kind}({plan.most!r})"] if plan.most is not None else []
        if plan.pattern is not None:
            found.append(f"wire.Matching({pattern_literal(plan.pattern)})")
        return found

    @property
    def create_reader(self) -> str:
        plan = self.plan
        start = f"(body, {go_string(self.name)}, {self.reader}"
        if plan.default_me:
            return f"wire.Cleared{start})"
        if plan.has_default:
            kind = "wire.NullableDefault" if plan.nullable else "wire.Default"
            return f"{kind}{start}, {self._default()})"
        return f"wire.Nullable{start})" if plan.nullable else f"wire.Required{start})"

    @property
    def update_reader(self) -> str:
        kind = "wire.Cleared" if self.plan.nullable else "wire.Patched"
        return f"{kind}(body, {go_string(self.name)}, {self.reader})"

    def _default(self) -> str:
        if not self.plan.array:
            return self._literal(self.plan.default)
        return f"{self.go_type}{{{', '.join(map(self._literal, self.plan.default))}}}"

    def _literal(self, value: Any) -> str:
        if self.enum_type:
            return self.members[self.plan.values.index(value)]
        return literal(self.plan.kind, value)

    @property
    def sort_key(self) -> str:
        by = "api.ByNullable" if self.plan.nullable else "api.By"
        start = f"{by}({go_string(self.name)}, {go_string(self.column)}, {self.parser}"
        return f"{start}, func(row *{self._row}) {self.view_type} {{ return row.{self.go_name} }})"

    def filters(self, operators: Collection[str]) -> str:
        """The filters of a list by this field."""
        kind = "api.FilterBy" if self.plan.kind in _COMMAS or "in" not in operators else "api.FilterText"
        told = [self.name, self.column]
        spelled = [*map(go_string, told), self.parser, *(go_string(each or "=") for each in operators)]
        return f"{kind}({', '.join(spelled)})"


def literal(kind: Kind, value: Any) -> str:
    """A JSON value of the kind as Go writes it."""
    match kind:
        case Kind.DATETIME:
            return f"wire.Must(wire.ParseTimestamp, {go_string(str(value))})"
        case Kind.UUID:
            return f"wire.Must(wire.ParseUUID, {go_string(str(value))})"
        case Kind.BYTES:
            data = base64.b64decode(str(value))
            return "[]byte{" + ", ".join(f"{byte:#04x}" for byte in data) + "}"
        case Kind.JSON:
            return f"json.RawMessage({go_string(json.dumps(value, ensure_ascii=False))})"
        case Kind.BOOL:
            return "true" if value else "false"
        case Kind.INT | Kind.BIGINT:
            return str(int(value))
        case Kind.FLOAT:
            return repr(float(value))
        case Kind.POINT:
            return f"wire.Point{{{_numbers(value)}}}"
        case Kind.LINE:
            return f"wire.Line{{{_points(value)}}}"
        case Kind.POLYGON:
            rings = ", ".join(f"{{{_points(ring)}}}" for ring in value)
            return f"wire.Polygon{{{rings}}}"
        case _:
            return go_string(str(value))


def _numbers(point: Any) -> str:
    return ", ".join(repr(each) for each in point)


def _points(line: Any) -> str:
    return ", ".join(f"{{{_numbers(point)}}}" for point in line)


class GoEntity:
    """One entity as Go spells it."""

    def __init__(self, service: ServicePlan, plan: EntityPlan, package: str) -> None:
        self.plan = plan
        self.sql = EntitySql(plan)
        self.name = plan.name
        self.words = names.words(plan.name)
        self.plural_words = names.words(plan.plural)
        self.package = package
        self.path = plan.path
        self.class_name = type_name(plan)
        self.plural_class = names.pascal(plan.plural)
        self.summary_class = f"{self.class_name}Summary" if plan.heavy else self.class_name
        self.id_type = ID_TYPES[plan.id_kind]
        self.id_parser = ID_PARSERS[plan.id_kind]
        self.fields = self._fields()
        self.enums = [each for each in self.fields if each.enum_type]
        self.writable = [each for each in self.fields if not each.plan.system]
        self.summary = [each for each in self.fields if each.plan.in_lists]
        self.heavy = [each for each in self.fields if not each.plan.in_lists]
        self.sort_keys = [each for each in self.fields if each.plan.sortable]
        by_name = {each.name: each for each in self.fields}
        operators: dict[str, list[str]] = {}
        for _, field, operator in plan.filters():
            operators.setdefault(field.name, []).append(operator)
        self.filters = [by_name[name].filters(each) for name, each in operators.items()]
        self.tenant_condition = (
            (self.sql.tenant_column or self.sql.system["id"]) if plan.tenant != "none" else ""
        )
        self.versions = ", versions []int64" if plan.version else ""
        self.new_id = {"uuid": "db.NewID()", "text": "db.NewID().String()", "serial": ""}[plan.id_kind]
        self.inserts = [self._value(each, by_name) for each in self.sql.inserts]
        self.conditional_create = any(
            () not in permissions.get(f"{plan.name}:create", ((),))
            for permissions in service.permissions.values()
        )
        kinds = {each.name: each.id_kind for each in service.entities}
        self.cascades = [GoCascade(each, ID_TYPES[kinds[each.child]]) for each in self.sql.cascades]
        self.id_reader = ID_READERS[plan.id_kind]
        self.texts = [
            each.name
            for each in self.summary
            if each.plan.kind in (*TEXTS, Kind.ENUM) and not each.plan.array
        ]
        self.upserts = bool(plan.natural_key) and plan.batches
        self.natural = by_name.get(plan.natural_key)
        self.natural_in_tenant = self.sql.tenant_column in self.sql.natural.split(", ")

    def connect(self, entities: dict[str, GoEntity]) -> None:
        """What the relations are called, and whether others lead here."""
        self.relations = [GoRelation(each, self, entities[each.plan.target]) for each in self.sql.relations]
        self.links = [each for each in self.relations if each.body]
        fields = distinct((each.field for each in self.links), {each.go_name for each in self.fields})
        for link, field in zip(self.links, fields, strict=True):
            link.field = field
        by_name = {each.name: each for each in self.fields}
        self.looked_up = [
            (each.name, by_name[each.key]) for each in self.plan.relations if each.lookup != "never"
        ]
        arriving = [
            relation.plan
            for entity in entities.values()
            for relation in entity.sql.relations
            if relation.plan.target == self.name
        ]
        self.related = bool(arriving)
        self.linked = any(each.link for each in arriving)

    @property
    def relation_lines(self) -> Iterator[str]:
        return pairs((go_string(each.name), each.literal) for each in self.relations)

    def _fields(self) -> list[GoField]:
        plan = self.plan
        spelled = distinct(exported(each.name) for each in plan.fields)
        taken = {
            self.class_name,
            *(f"{self.class_name}{kind}" for kind in ("Create", "Update", "Summary", "Change")),
            *(
                f"{verb}{self.class_name}"
                for verb in ("Get", "Create", "Update", "Delete", "Restore", "Reach", "Upsert")
            ),
            f"List{self.plural_class}",
            f"Export{self.plural_class}",
            "Related",
            "Routes",
        }
        found = []
        for each, go_name in zip(plan.fields, spelled, strict=True):
            enum_type = ""
            if each.kind is Kind.ENUM:
                (enum_type,) = distinct([self.class_name + names.pascal(each.name)], taken)
                taken.add(enum_type)
            found.append(GoField(plan, each, go_name, enum_type))
        for field in found:
            wanted = (
                field.enum_type + names.pascal(member_identifier(value).lower())
                for value in field.plan.values
            )
            field.members = distinct(wanted, taken) if field.enum_type else []
            taken |= set(field.members)
        return found

    def select_list(self, fields: list[GoField]) -> str:
        """The columns, each under the name that the API gives it."""
        return ",\n\t".join(
            each.column if each.plan.column == each.name else f'{each.column} as "{each.name}"'
            for each in fields
        )

    def _value(self, insert: Insert, by_name: dict[str, GoField]) -> str:
        """The Go expression of what is inserted."""
        match insert.source:
            case "tenant" | "own_id":
                return "tenant"
            case "new_id":
                return self.new_id
            case "actor":
                return "tx.Caller.Actor()"
        assert insert.field is not None
        field = by_name[insert.field.name]
        if field.plan.default_me:
            return f"body.{field.go_name}.Or(tx.Caller.ID)"
        return f"body.{field.go_name}"

    @property
    def uses_tenant(self) -> bool:
        """Whether a create names the tenant."""
        return any(each.source in ("tenant", "own_id") for each in self.sql.inserts)

    @property
    def reader_lines(self) -> list[str]:
        """What the readers of the fields are called, and what they are."""
        found = [
            f"{each.parser_name}{CELL}= wire.ParseEnum({', '.join(each.members)})"
            for each in self.fields
            if each.enum_type
        ]
        found += [f"{each.reader_name}{CELL}= {each.own_reader}" for each in self.writable if each.own_reader]
        return found

    @property
    def create_readers(self) -> Iterator[str]:
        told = [(each.go_name, each.create_reader) for each in self.writable]
        return pairs(told + [(each.field, each.create_reader) for each in self.links])

    @property
    def update_readers(self) -> Iterator[str]:
        told = [(each.go_name, each.update_reader) for each in self.writable]
        return pairs(told + [(each.field, each.update_reader) for each in self.links])

    @property
    def change_lines(self) -> list[str]:
        """What says which row a change of many is about."""
        version = [f"SeenVersion{CELL}*int64"] if self.plan.version else []
        return [f"ID{CELL}{self.id_type}", *version]

    @property
    def change_readers(self) -> Iterator[str]:
        told = [("ID", f'wire.Required(item, "id", {self.id_reader})')]
        if self.plan.version:
            told.append(("SeenVersion", 'wire.Nullable(item, "version", wire.Int53())'))
        return pairs([*told, (f"{self.class_name}Update", "updateFrom(item)")])

    @property
    def list_lines(self) -> Iterator[str]:
        """What a list is told beside its sorts and filters."""
        told = [("Deleted", "true")] if self.plan.soft_delete else []
        if self.plan.search:
            told.append(("Searched", f"[]string{{{', '.join(map(go_string, self.plan.search))}}}"))
        return pairs(told)


class GoRelation:
    """One relation as Go spells it."""

    def __init__(self, sql: RelationSql, here: GoEntity, target: GoEntity) -> None:
        plan = sql.plan
        self.name = plan.name
        self.go_name = exported(plan.name)
        self.target = plan.target
        self.body = plan.body
        self.field = exported(plan.body) if plan.body else ""
        self.words = names.words(plan.name)
        self.path = names.kebab(plan.name)
        self.id_type, self.id_parser = target.id_type, target.id_parser
        self._sql = sql
        self._column = sql.column or target.sql.columns["id"]
        self._package = target.package
        keyed = here if plan.key == "id" else target
        self._parser = keyed.id_parser
        self._list = f"wire.List({target.id_reader})"

    @property
    def literal(self) -> str:
        """What server/relations.go says of it."""
        plan, sql = self._sql.plan, self._sql
        target = f"{go_string(plan.target)}, {self._package}.Related"
        key = f"{go_string(plan.key)}, api.Keys({self._parser}), {go_string(self._column)}"
        found = (
            f"api.{'Many' if plan.many else 'One'}({target}, {key}, {', '.join(map(go_string, plan.guard))})"
        )
        if plan.lookup != "never":
            found += f".LookedUp({LOOKUPS[plan.lookup]})"
        if sql.link:
            link = ", ".join(map(go_string, (sql.link, sql.here, sql.there, sql.tenant)))
            found += f".Linked({link})"
        return found

    @property
    def create_line(self) -> str:
        return f"{self.field}{CELL}[]{self.id_type}"

    @property
    def update_line(self) -> str:
        return f"{self.field}{CELL}wire.Opt[[]{self.id_type}]"

    @property
    def create_reader(self) -> str:
        return f"wire.Default(body, {go_string(self.body)}, {self._list}, []{self.id_type}{{}})"

    @property
    def update_reader(self) -> str:
        return f"wire.Patched(body, {go_string(self.body)}, {self._list})"


class GoCascade:
    """A statement of a soft delete that goes on."""

    def __init__(self, sql: CascadeSql, id_type: str) -> None:
        self.sql = sql
        self.id_type = id_type
        self.into = _ids(sql.child) if sql.assigned else ""
        self.declared = self.into if sql.starts else ""
        self.source = "[]any{id}" if sql.from_root else _ids(sql.parent)


def _ids(entity: str) -> str:
    return f"{names.camel(entity)}IDs"


def rule_text(rule: Rule, id_column: str) -> str:
    """One rule of a grant as permissions.go writes it."""
    if rule.link:
        spelled = (id_column, quote(rule.link), quote(rule.link_row), quote(rule.link_user))
        return f"MemberOf({', '.join(map(go_string, spelled))})"
    values = ["Me"] * rule.me + ["Tenant"] * rule.tenant
    values += [_bound(rule.kind, each) for each in rule.values]
    return f"Is({', '.join([go_string(quote(rule.column)), *values])})"


def _bound(kind: Kind, value: Any) -> str:
    """A value of a rule: text where PostgreSQL reads it as what the column holds."""
    if kind in (Kind.BOOL, Kind.INT, Kind.BIGINT, Kind.FLOAT):
        return literal(kind, value)
    return go_string(str(value))


def _grants(grants: Grants, id_column: str) -> str:
    if grants == ((),):
        return "EveryRow"
    ways = ", ".join(f"{{{', '.join(rule_text(rule, id_column) for rule in grant)}}}" for grant in grants)
    return f"{{{ways}}}"


def permission_lines(plan: ServicePlan) -> Iterator[tuple[str, list[str]]]:
    """Role to the lines of its table."""
    ids = {each.name: quote(each.system["id"]) for each in plan.entities}
    for role, permissions in plan.permissions.items():
        yield (
            role,
            list(
                pairs(
                    (go_string(permission), _grants(grants, ids[permission.partition(":")[0]]))
                    for permission, grants in permissions.items()
                )
            ),
        )


def field_rules(
    plan: ServicePlan, holders: Callable[[EntityPlan], dict[str, list[str]]]
) -> Iterator[tuple[str, list[str]]]:
    """Entity to the lines of its readers or writers."""
    for entity in plan.entities:
        limited = holders(entity)
        if limited:
            told = (
                (go_string(name), f"{{{', '.join(map(go_string, roles))}}}")
                for name, roles in limited.items()
            )
            yield entity.name, list(pairs(told))


_PROVIDER = {
    "name": "Name",
    "issuer": "Issuer",
    "jwks_url": "JWKSURL",
    "algorithms": "Algorithms",
    "audience_claim": "AudienceClaim",
    "audience": "Audience",
    "user_claim": "UserClaim",
    "tenant_claim": "TenantClaim",
    "roles_claim": "RolesClaim",
    "service_claim": "ServiceClaim",
    "service_value": "ServiceValue",
    "require": "Require",
}


def provider_lines(preset: Preset) -> Iterator[str]:
    """The values of a preset."""

    def spelled(value: Any) -> str:
        if isinstance(value, tuple):
            return f"[]string{{{', '.join(map(go_string, value))}}}"
        if isinstance(value, dict):
            told = ", ".join(f"{go_string(key)}: {go_string(each)}" for key, each in value.items())
            return f"map[string]string{{{told}}}"
        return go_string(value)

    told = ((go_name, getattr(preset, name)) for name, go_name in _PROVIDER.items())
    return pairs((go_name, spelled(value)) for go_name, value in told if value)


def context(plan: ServicePlan) -> dict[str, Any]:
    """What the templates print."""
    folders = packages(plan)
    entities = {each.name: GoEntity(plan, each, folders[each.name]) for each in plan.entities}
    for entity in entities.values():
        entity.connect(entities)
    return {
        "plan": plan,
        "module": module(plan),
        "entities": list(entities.values()),
        "tenant_type": ID_TYPES[plan.tenant_kind],
        "tenant_parser": ID_PARSERS[plan.tenant_kind],
        "user_type": ID_TYPES[plan.user_kind],
        "user_parser": ID_PARSERS[plan.user_kind],
        "permission_lines": list(permission_lines(plan)),
        "readable_lines": list(field_rules(plan, readers)),
        "writable_lines": list(field_rules(plan, writers)),
        "provider_lines": provider_lines,
    }
