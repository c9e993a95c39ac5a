"""The TypeScript target: what the plan's decisions are called in Fastify, TypeBox and pg."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from freehold.db.ddl import quote
from freehold.generator import names
from freehold.generator.plan import TEXTS, EntityPlan, FieldPlan, Rule, ServicePlan
from freehold.generator.resources import readers, writers
from freehold.generator.sql import CascadeSql, EntitySql, Insert, RelationSql
from freehold.schema.model import IdKind, Kind

FILES = Path(__file__).parent / "files"
"""Emitted as they are."""

TEMPLATES = Path(__file__).parent / "templates"

ID_TYPES: dict[IdKind, str] = {"uuid": "string", "serial": "number", "text": "string"}
ID_READERS: dict[IdKind, str] = {"uuid": "asUuid", "serial": "asNumber", "text": "asText"}
_PATH_IDS: dict[IdKind, str] = {"uuid": "f.Uuid", "serial": "f.Int53", "text": "f.TextId"}
"""Ids as they come in a path, bounded by what the database can hold."""

_SCHEMAS = {
    Kind.STRING: "f.Text",
    Kind.TEXT: "f.Text",
    Kind.INT: "f.Int32",
    Kind.BIGINT: "f.Int53",
    Kind.FLOAT: "f.Float",
    Kind.BOOL: "f.Bool",
    Kind.DATE: "f.DateOnly",
    Kind.TIME: "f.Time",
    Kind.DATETIME: "f.Timestamp",
    Kind.UUID: "f.Uuid",
    Kind.JSON: "f.Json",
    Kind.BYTES: "f.Bytes",
    Kind.EMAIL: "f.Email",
    Kind.URL: "f.Url",
    Kind.IP: "f.Ip",
    Kind.POINT: "f.Point",
    Kind.LINE: "f.Line",
    Kind.POLYGON: "f.Polygon",
}
_PARAMETERS = _SCHEMAS | {Kind.EMAIL: "f.Text", Kind.URL: "f.Text", Kind.IP: "f.Text"}
_VIEWS = _SCHEMAS | {Kind.JSON: "f.AnyJson"}
_BOUNDED = {Kind.INT: "f.int32", Kind.BIGINT: "f.int53", Kind.FLOAT: "f.float"}
_ENCODERS = {
    Kind.JSON: "toJson",
    Kind.BYTES: "toBytes",
    Kind.IP: "toAddress",
    Kind.POINT: "toPoint",
    Kind.LINE: "toLine",
    Kind.POLYGON: "toRings",
}
"""What writes a value for the database that pg would not write rightly, or that has several spellings."""

_COMMAS = frozenset({Kind.ENUM, Kind.UUID, Kind.INT, Kind.BIGINT, Kind.DECIMAL, Kind.DATE})
_TEXT_OPERATORS = ("contains", "starts_with")
_OWN_TYPES = frozenset(
    [
        "Create",
        "Update",
        "Summary",
        "Query",
        "Page",
        "Id",
        "Rows",
        "BatchCreate",
        "BatchUpdate",
        "BatchDelete",
    ]
)
_TAKEN = frozenset(
    [
        "AsyncIterable",
        "Error",
        "Feature",
        "Hooks",
        "Number",
        "Object",
        "Page",
        "Promise",
        "Relation",
        "Row",
        "Set",
        "Statement",
        "Tx",
    ]
)
"""What the emitted modules import or use beside an entity's own types."""


def ts(value: Any) -> str:
    """A value as TypeScript writes it. JSON in ASCII makes any text inert."""
    return json.dumps(value, ensure_ascii=True)


def sql_text(text: str) -> str:
    """SQL with quoted names as a literal that reads well."""
    return f"'{text}'" if '"' in text and "'" not in text and "\\" not in text else ts(text)


class TypeScriptField:
    """One field as TypeScript spells it."""

    def __init__(self, entity: EntityPlan, type_name: str, field: FieldPlan) -> None:
        self.plan = field
        self.name = field.name
        self._entity = entity
        self._type_name = type_name

    @property
    def own_type(self) -> str:
        """The name of the schema that the module defines for the field; empty when a common one will do."""
        if not self.definition:
            return ""
        spelled = names.pascal(self.name)
        return self._type_name + spelled + ("Value" if spelled in _OWN_TYPES else "")

    @property
    def definition(self) -> str:
        """What the field's own schema is."""
        plan = self.plan
        if plan.kind is Kind.ENUM:
            return f"f.oneOf({', '.join(map(ts, plan.values))})"
        if plan.kind is Kind.DECIMAL:
            bounds = _object({"least": _decimal(plan.least), "most": _decimal(plan.most)})
            return f"f.decimal({plan.precision}, {plan.scale}{', ' + bounds if bounds else ''})"
        if plan.kind in _BOUNDED:
            bounds = _object({"minimum": plan.least, "maximum": plan.most})
            return f"{_BOUNDED[plan.kind]}({bounds})" if bounds else ""
        if plan.kind in (Kind.STRING, Kind.TEXT):
            most = [int(each) for each in (plan.length, plan.most) if each is not None]
            least = int(plan.least) if plan.least is not None else None
            bounds = _object(
                {"minLength": least, "maxLength": min(most) if most else None, "pattern": plan.pattern}
            )
            return f"f.text({bounds})" if bounds else ""
        return ""

    @property
    def _one(self) -> str:
        return self.own_type or _SCHEMAS[self.plan.kind]

    @property
    def _body(self) -> str:
        return f"f.list({self._one})" if self.plan.array else self._one

    @property
    def create(self) -> str:
        """The field in the body of a create."""
        schema = f"f.nullable({self._body})" if self.plan.nullable or self.plan.default_me else self._body
        return schema if self.plan.required else f"f.optional({schema})"

    @property
    def update(self) -> str:
        """The field in a merge patch: it may be absent, and is null only where the column can be."""
        return f"f.optional({f'f.nullable({self._body})' if self.plan.nullable else self._body})"

    @property
    def view(self) -> str:
        """The field as it is shown; one that not every role sees may be absent."""
        one = self.own_type or _VIEWS[self.plan.kind]
        schema = f"f.list({one})" if self.plan.array else one
        schema = f"f.nullable({schema})" if self.plan.nullable else schema
        return schema if self.plan.readers is None else f"f.optional({schema})"

    def parameter(self, operator: str) -> str:
        """The schema of a filter."""
        if operator == "is_null":
            return "f.Bool"
        if operator in _TEXT_OPERATORS:
            return "f.Search"
        one = self._parameter
        if operator == "in":
            return f"f.many({one}{', { commas: true }' if self.plan.kind in _COMMAS else ''})"
        return one

    @property
    def _parameter(self) -> str:
        if self.plan.kind in (Kind.ENUM, Kind.DECIMAL):
            return self.own_type
        return _PARAMETERS[self.plan.kind]

    @property
    def sort_key(self) -> str:
        return f"sortKey({self._parameter}{', { nullable: true }' if self.plan.nullable else ''})"

    @property
    def encoder(self) -> str:
        encoder = _ENCODERS.get(self.plan.kind, "")
        return f"each({encoder})" if encoder and self.plan.array else encoder

    @property
    def value(self) -> str:
        """What a create writes into the column."""
        plan = self.plan
        sent = f"body.{self.name}"
        if plan.default_me:
            return f"{sent} === undefined ? tx.caller.id : {sent}"
        if plan.required:
            return f"{self.encoder}({sent})" if self.encoder else sent
        default = ts(plan.default) if plan.has_default else "null"
        if plan.nullable and plan.has_default:
            value = f"{sent} === undefined ? {default} : {sent}"
        else:
            value = f"{sent} ?? {default}"
        if not self.encoder:
            return value
        return f"orNull({self.encoder}, {value})" if plan.nullable else f"{self.encoder}({value})"


def _decimal(bound: float | str | None) -> str | None:
    return None if bound is None else f"{Decimal(str(bound)):f}"


def _object(values: dict[str, Any]) -> str:
    """The values that there are, as an object; empty when there are none."""
    parts = [f"{name}: {ts(value)}" for name, value in values.items() if value is not None]
    return f"{{ {', '.join(parts)} }}" if parts else ""


class TypeScriptEntity:
    """One entity as TypeScript spells it."""

    def __init__(self, service: ServicePlan, plan: EntityPlan) -> None:
        self.plan = plan
        self.name = plan.name
        self.words = names.words(plan.name)
        self.plural_words = names.words(plan.plural)
        self.folder = names.typescript_folder(plan.plural)
        self.path = plan.path
        self.type = plan.class_name + ("Resource" if plan.class_name in _TAKEN else "")
        self.summary_type = f"{self.type}Summary" if plan.heavy else self.type
        self.routes = names.camel(f"{plan.plural}_routes")
        self.list = names.camel(f"list_{plan.plural}")
        self.create, self.get, self.update, self.delete, self.restore = (
            names.camel(f"{action}_{plan.name}")
            for action in ("create", "get", "update", "delete", "restore")
        )
        self.id_type = ID_TYPES[plan.id_kind]
        self.path_id = _PATH_IDS[plan.id_kind]
        self.fields = [TypeScriptField(plan, self.type, each) for each in plan.fields]
        self.writable = [each for each in self.fields if not each.plan.system]
        self.types = [each for each in (self.fields if plan.read_only else self.writable) if each.own_type]
        self.summary = [each for each in self.fields if each.plan.in_lists]
        self.heavy = [each for each in self.fields if not each.plan.in_lists]
        self.sort_keys = [each for each in self.fields if each.plan.sortable]
        self.sorts = [sign + each.name for each in self.sort_keys for sign in ("", "-")]
        by_name = {each.name: each for each in self.fields}
        self.filters = [
            (parameter, by_name[field.name].parameter(operator))
            for parameter, field, operator in plan.filters()
        ]
        self.encoders = [(each.name, each.encoder) for each in self.writable if each.encoder]
        self.sql = EntitySql(plan)
        self.export = names.camel(f"export_{plan.plural}")
        self.upsert = names.camel(f"upsert_{plan.name}")
        self.reach = names.camel(f"reach_{plan.name}")
        self.related_name = names.camel(f"related_{plan.plural}")
        self.natural_column = self.sql.columns.get(plan.natural_key, "")
        self.readable_by = readers(plan)
        self.writable_by = writers(plan)
        self.texts = [
            each.name
            for each in self.summary
            if each.plan.kind in (*TEXTS, Kind.ENUM) and not each.plan.array
        ]
        self.inserts = [self._value(by_name, each) for each in self.sql.inserts]
        self.conditional_create = any(
            () not in permissions.get(f"{plan.name}:create", ((),))
            for permissions in service.permissions.values()
        )
        self.cascades = [(each, *_collected(each), _source(each)) for each in self.sql.cascades]

    def connect(self, entities: dict[str, TypeScriptEntity]) -> None:
        """What the relations are called, and whether others lead here."""
        self.relations = [TypeScriptRelation(each, entities[each.plan.target]) for each in self.sql.relations]
        self.links = [each for each in self.relations if each.body]
        arriving = [
            relation.plan
            for entity in entities.values()
            for relation in entity.sql.relations
            if relation.plan.target == self.name
        ]
        self.related = bool(arriving)
        self.linked = any(each.link for each in arriving)

    def _value(self, fields: dict[str, TypeScriptField], insert: Insert) -> str:
        """The expression of what is inserted."""
        match insert.source:
            case "tenant":
                return "tx.caller.requireTenant()"
            case "own_id":
                return "tx.tenantId"
            case "new_id":
                return "newId()"
            case "actor":
                return "tx.actor"
        assert insert.field is not None
        return fields[insert.field.name].value


class TypeScriptRelation:
    """One relation as TypeScript spells it."""

    def __init__(self, sql: RelationSql, target: TypeScriptEntity) -> None:
        plan = sql.plan
        self.name = plan.name
        self.type = names.pascal(plan.name)
        self.target = plan.target
        self.many = plan.many
        self.key = plan.key
        self.column = sql.column or target.sql.columns["id"]
        self.guard = plan.guard
        self.lookup = plan.lookup
        self.link, self.here, self.there, self.tenant = sql.link, sql.here, sql.there, sql.tenant
        self.load = target.related_name
        self.body = plan.body
        self.words = names.words(plan.name)
        self.path = names.kebab(plan.name)
        self.id = target.path_id


def _collected(each: CascadeSql) -> tuple[str, str]:
    """What stands before and after a statement so that the ids it answers with are kept."""
    if not each.assigned:
        return "", ""
    ids = names.camel(each.assigned)
    return (f"const {ids} = ", "") if each.starts else (f"{ids}.push(...(", "))")


def _source(each: CascadeSql) -> str:
    return "[id]" if each.from_root else names.camel(f"{each.parent}_ids")


def rule_text(rule: Rule) -> str:
    """One rule of a grant as src/permissions.ts writes it."""
    if rule.link:
        return f"memberOf({', '.join(map(ts, map(quote, (rule.link, rule.link_row, rule.link_user))))})"
    values = ["ME"] * rule.me + ["TENANT"] * rule.tenant + [ts(each) for each in rule.values]
    return f"is({', '.join([ts(quote(rule.column)), *values])})"


def context(plan: ServicePlan) -> dict[str, Any]:
    """What the templates print."""
    entities = {each.name: TypeScriptEntity(plan, each) for each in plan.entities}
    for entity in entities.values():
        entity.connect(entities)
    return {
        "entities": list(entities.values()),
        "tenant_type": ID_TYPES[plan.tenant_kind],
        "tenant_reader": ID_READERS[plan.tenant_kind],
        "user_type": ID_TYPES[plan.user_kind],
        "user_reader": ID_READERS[plan.user_kind],
        "rule_text": rule_text,
        "sql_text": sql_text,
    }
