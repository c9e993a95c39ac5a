"""The Python target: what the plan's decisions are called in FastAPI, Pydantic and asyncpg."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from freehold.db.ddl import quote
from freehold.generator import names
from freehold.generator.limits import MAX_ARRAY, MAX_LINKS
from freehold.generator.plan import TEXTS, EntityPlan, FieldPlan, Rule, ServicePlan
from freehold.generator.resources import readers, writers
from freehold.generator.sql import CascadeSql, EntitySql, Insert, RelationSql
from freehold.schema.model import Kind

FILES = Path(__file__).parent / "files"
"""Emitted as they are."""

TEMPLATES = Path(__file__).parent / "templates"

ID_TYPES = {"uuid": "UUID", "serial": "int", "text": "str"}

_PATH_IDS = {"uuid": "Uuid", "serial": "Int53Parameter", "text": "TextId"}
"""Ids as they come in a path, bounded by what the database can hold."""

_BODY = {
    Kind.STRING: "Text",
    Kind.TEXT: "Text",
    Kind.INT: "Int32",
    Kind.BIGINT: "Int53",
    Kind.FLOAT: "Float",
    Kind.BOOL: "Bool",
    Kind.DATE: "Date",
    Kind.TIME: "Time",
    Kind.DATETIME: "Timestamp",
    Kind.UUID: "Uuid",
    Kind.JSON: "Json",
    Kind.BYTES: "Bytes",
    Kind.EMAIL: "Email",
    Kind.URL: "Url",
    Kind.IP: "Ip",
    Kind.POINT: "Point",
    Kind.LINE: "Line",
    Kind.POLYGON: "Polygon",
    Kind.DECIMAL: "DecimalText",
}
_PARAMETER = _BODY | {
    Kind.INT: "Int32Parameter",
    Kind.BIGINT: "Int53Parameter",
    Kind.FLOAT: "FloatParameter",
    Kind.BOOL: "BoolParameter",
    Kind.EMAIL: "Text",
    Kind.URL: "Text",
}
_VIEW = _BODY | {
    Kind.STRING: "str",
    Kind.TEXT: "str",
    Kind.INT: "int",
    Kind.BIGINT: "int",
    Kind.FLOAT: "float",
    Kind.BOOL: "bool",
    Kind.DATE: "date",
    Kind.UUID: "UUID",
    Kind.EMAIL: "str",
    Kind.URL: "str",
    Kind.IP: "str",
    Kind.POINT: "tuple[float, float]",
    Kind.LINE: "list[tuple[float, float]]",
    Kind.POLYGON: "list[list[tuple[float, float]]]",
}
_IMPORTED = frozenset({"ClassVar", "OneOf", "SortKey", "Uuid"})
"""What modules of resources use after they have said what their own class is."""


def _class_name(entity: EntityPlan) -> str:
    """The class of an entity's rows; one that its modules know otherwise gets a word more."""
    return f"{entity.class_name}Entity" if entity.class_name in _IMPORTED else entity.class_name


_OWN_CLASSES = frozenset({"Create", "Update", "Summary", "Query", "BatchCreate", "Change"})


class PythonField:
    """One field as Python spells it."""

    def __init__(self, entity: EntityPlan, field: FieldPlan) -> None:
        self.plan = field
        self.name = field.name
        self.attribute = names.python_attribute(field.name)
        self.alias = "" if self.attribute == field.name else f"alias={field.name!r}"
        self._entity = entity

    @property
    def own_type(self) -> str:
        """The name of the type that the module defines for the field; empty when a common one will do."""
        constraints = self._constraints()
        if self.plan.kind is not Kind.ENUM and not constraints:
            return ""
        spelled = names.pascal(self.name) or "Field"
        return self._entity.class_name + spelled + ("Value" if spelled in _OWN_CLASSES else "")

    @property
    def definition(self) -> str:
        """What the field's own type is."""
        if self.plan.kind is Kind.ENUM:
            return f"Literal[{', '.join(map(repr, self.plan.values))},]"
        return f"Annotated[{_BODY[self.plan.kind]}, {self._constraints()}]"

    def _constraints(self) -> str:
        plan = self.plan
        parts: list[str] = []
        extra = ""
        if plan.kind is Kind.DECIMAL:
            extra = f"decimal_digits({plan.precision}, {plan.scale})"
            parts += [f"ge=Decimal({str(plan.least)!r})"] if plan.least is not None else []
            parts += [f"le=Decimal({str(plan.most)!r})"] if plan.most is not None else []
        elif plan.kind in (Kind.INT, Kind.BIGINT, Kind.FLOAT):
            parts += [f"ge={plan.least!r}"] if plan.least is not None else []
            parts += [f"le={plan.most!r}"] if plan.most is not None else []
        elif plan.kind in (Kind.STRING, Kind.TEXT):
            most = [each for each in (plan.length, plan.most) if each is not None]
            parts += [f"min_length={int(plan.least)}"] if plan.least is not None else []
            parts += [f"max_length={min(int(each) for each in most)}"] if most else []
        if plan.pattern is not None:
            parts.append(f"pattern={pattern_literal(plan.pattern)}")
        constraints = [extra] if extra else []
        if parts:
            constraints.append(f"Field({', '.join(parts)})")
        return ", ".join(constraints)

    def _one(self) -> str:
        return self.own_type or _BODY[self.plan.kind]

    @property
    def body_type(self) -> str:
        return (
            f"Annotated[list[{self._one()}], Field(max_length={MAX_ARRAY})]"
            if self.plan.array
            else self._one()
        )

    @property
    def create_line(self) -> str:
        """The field in the body of a create."""
        plan = self.plan
        kind = self.body_type + (" | None" if plan.nullable or plan.default_me else "")
        default = "" if plan.required else self.literal(plan.default) if plan.has_default else "None"
        return self._line(kind, default)

    @property
    def update_line(self) -> str:
        """The field in a merge patch: it may be absent, and is null only where the column can be."""
        kind = self.body_type + " | None"
        return self._line(kind if self.plan.nullable else f"Annotated[{kind}, NotNull]", "None")

    @property
    def view_line(self) -> str:
        kind = self.own_type if self.plan.kind is Kind.ENUM else _VIEW[self.plan.kind]
        kind = f"list[{kind}]" if self.plan.array else kind
        return self._line(kind + (" | None" if self.plan.nullable else ""), "")

    def _line(self, kind: str, default: str) -> str:
        if self.alias:
            arguments = ", ".join(
                each for each in (f"default={default}" if default else "", self.alias) if each
            )
            return f"{self.attribute}: {kind} = Field({arguments})"
        return f"{self.attribute}: {kind}" + (f" = {default}" if default else "")

    def parameter_line(self, parameter: str, operator: str) -> str:
        """One filter of a list."""
        kind = (
            "BoolParameter"
            if operator == "is_null"
            else self.parameter_type(as_text=operator in _TEXT_OPERATORS)
        )
        if operator == "in":
            commas = self.plan.kind in (Kind.ENUM, Kind.UUID, Kind.INT, Kind.BIGINT, Kind.DECIMAL, Kind.DATE)
            kind = f"{'OneOf' if commas else 'OneOfTexts'}[{kind}]"
        attribute = names.python_attribute(self.name, in_query=True) + (f"__{operator}" if operator else "")
        if attribute.replace("__", ".") == parameter:
            return f"{attribute}: {kind} | None = None"
        return f"{attribute}: {kind} | None = Field(default=None, alias={parameter!r})"

    def parameter_type(self, *, as_text: bool = False) -> str:
        if self.plan.kind is Kind.ENUM and not as_text:
            return self.own_type
        if self.plan.kind is Kind.DECIMAL:
            if not self.plan.system and (self.plan.least, self.plan.most, self.plan.pattern) == (
                None,
                None,
                None,
            ):
                return self.own_type
            return f"Annotated[DecimalText, decimal_digits({self.plan.precision}, {self.plan.scale})]"
        return _PARAMETER[self.plan.kind] if self.plan.kind is not Kind.IP else "Text"

    @property
    def sort_key(self) -> str:
        nullable = ", nullable=True" if self.plan.nullable else ""
        return f"SortKey({self.parameter_type()}{nullable})"

    def literal(self, value: Any) -> str:
        """A value of the field as Python writes it."""
        if self.plan.array:
            return f"[{', '.join(literal(self.plan.kind, each) for each in value)}]"
        return literal(self.plan.kind, value)


_TEXT_OPERATORS = ("contains", "starts_with")


def pattern_literal(pattern: str) -> str:
    """A regular expression as people write one, where that is safe."""
    raw = pattern.isprintable() and pattern.isascii() and '"' not in pattern and not pattern.endswith("\\")
    return f'r"{pattern}"' if raw and "\\" in pattern else repr(pattern)


def literal(kind: Kind, value: Any) -> str:
    """A JSON value of the kind as Python writes it. `repr` makes any text inert."""
    match kind:
        case Kind.DECIMAL:
            return f"Decimal({str(value)!r})"
        case Kind.DATE:
            return f"date.fromisoformat({str(value)!r})"
        case Kind.TIME:
            return f"time.fromisoformat({str(value)!r})"
        case Kind.DATETIME:
            return f"datetime.fromisoformat({str(value)!r})"
        case Kind.UUID:
            return f"UUID({str(value)!r})"
        case Kind.BYTES:
            return f"base64.b64decode({str(value)!r})"
        case Kind.FLOAT:
            return repr(float(value))
        case Kind.POINT:
            return repr(tuple(value))
        case _:
            return repr(value)


class PythonEntity:
    """One entity as Python spells it."""

    def __init__(self, service: ServicePlan, plan: EntityPlan) -> None:
        self.plan = plan
        self.name = plan.name
        self.words = names.words(plan.name)
        self.plural_words = names.words(plan.plural)
        self.package = names.python_package(plan.plural)
        self.class_name = _class_name(plan)
        self.summary_class = f"{self.class_name}Summary" if plan.heavy else self.class_name
        self.plural = plan.plural
        self.path = plan.path
        self.id_type = ID_TYPES[plan.id_kind]
        self.path_id = _PATH_IDS[plan.id_kind]
        self.fields = [PythonField(plan, each) for each in plan.fields]
        self.writable = [each for each in self.fields if not each.plan.system]
        self.types = [each for each in (self.fields if plan.read_only else self.writable) if each.own_type]
        self.summary = [each for each in self.fields if each.plan.in_lists]
        self.heavy = [each for each in self.fields if not each.plan.in_lists]
        self.sort_keys = [each for each in self.fields if each.plan.sortable]
        self.sorts = [sign + each.name for each in self.sort_keys for sign in ("", "-")]
        by_name = {each.name: each for each in self.fields}
        self.filters = [
            by_name[field.name].parameter_line(parameter, operator)
            for parameter, field, operator in plan.filters()
        ]
        self.sql = EntitySql(plan)
        self.new_id = {"uuid": "new_id()", "text": "str(new_id())", "serial": ""}[plan.id_kind]
        natural = next((each for each in self.fields if each.name == plan.natural_key), None)
        self.natural_attribute = natural.attribute if natural else ""
        self.natural_column = self.sql.columns[natural.name] if natural else ""
        self.body_id = {"uuid": "Uuid", "serial": "Int53", "text": "TextId"}[plan.id_kind]
        self.batch_create = (
            f"{self.class_name}BatchCreate" if plan.natural_key else f"Items[{self.class_name}Create]"
        )
        self.texts = [
            each.name
            for each in self.summary
            if each.plan.kind in (*TEXTS, Kind.ENUM) and not each.plan.array
        ]
        self.inserts = [self._value(each) for each in self.sql.inserts]
        self.conditional_create = any(
            () not in permissions.get(f"{plan.name}:create", ((),))
            for permissions in service.permissions.values()
        )
        self.cascades = [(each, _assigned(each), _source(each)) for each in self.sql.cascades]

    def connect(self, entities: dict[str, PythonEntity]) -> None:
        """What the relations are called, and whether others lead here."""
        self.readable_by = readers(self.plan)
        self.writable_by = writers(self.plan)
        self.relations = [PythonRelation(each, entities[each.plan.target]) for each in self.sql.relations]
        self.links = [each for each in self.relations if each.body]
        arriving = [
            relation.plan
            for entity in entities.values()
            for relation in entity.sql.relations
            if relation.plan.target == self.name
        ]
        self.related = bool(arriving)
        self.linked = any(each.link for each in arriving)

    def _value(self, insert: Insert) -> str:
        """The Python expression of what is inserted."""
        match insert.source:
            case "tenant":
                return "tx.principal.require_tenant()"
            case "own_id":
                return "tx.tenant_id"
            case "new_id":
                return self.new_id
            case "actor":
                return "tx.actor"
        assert insert.field is not None
        attribute = names.python_attribute(insert.field.name)
        if insert.field.default_me:
            return f"body.{attribute} if {attribute!r} in body.model_fields_set else tx.principal.id"
        return f"body.{attribute}"


class PythonRelation:
    """One relation as Python spells it."""

    def __init__(self, sql: RelationSql, target: PythonEntity) -> None:
        plan = sql.plan
        self.name = plan.name
        self.target = plan.target
        self.many = plan.many
        self.key = plan.key
        self.column = sql.column or target.sql.columns["id"]
        self.guard = plan.guard
        self.lookup = plan.lookup
        self.link, self.here, self.there, self.tenant = sql.link, sql.here, sql.there, sql.tenant
        self.shape = target.summary_class
        self.package, self.plural = target.package, target.plural
        self.body = plan.body
        self.words = names.words(plan.name)
        self.path = names.kebab(plan.name)
        self.path_id = target.path_id
        one = {"uuid": "Uuid", "serial": "Int53", "text": "TextId"}[plan.id_kind]
        self.ids = f"Annotated[list[{one}], Field(max_length={MAX_LINKS})]"


def _assigned(each: CascadeSql) -> str:
    return f"{each.assigned} {'=' if each.starts else '+='} " if each.assigned else ""


def _source(each: CascadeSql) -> str:
    return "[id]" if each.from_root else f"{each.parent}_ids"


def rule_text(rule: Rule) -> str:
    """One rule of a grant as app/permissions.py writes it."""
    if rule.link:
        return f"MemberOf({quote(rule.link)!r}, {quote(rule.link_row)!r}, {quote(rule.link_user)!r})"
    values = ["ME"] * rule.me + ["TENANT"] * rule.tenant + [literal(rule.kind, each) for each in rule.values]
    return f"Is({quote(rule.column)!r}, ({', '.join(values)},))"


def context(plan: ServicePlan) -> dict[str, Any]:
    """What the templates print."""
    entities = {each.name: PythonEntity(plan, each) for each in plan.entities}
    for entity in entities.values():
        entity.connect(entities)
    return {
        "plan": plan,
        "entities": list(entities.values()),
        "tenant_type": ID_TYPES[plan.tenant_kind],
        "user_type": ID_TYPES[plan.user_kind],
        "rule_text": rule_text,
    }
