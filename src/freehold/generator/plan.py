"""The plan: every decision about a service that does not depend on its language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from freehold.generator import names
from freehold.schema.model import (
    ACTIONS,
    Action,
    Comparison,
    Entity,
    Field,
    Grant,
    IdKind,
    Kind,
    Schema,
    SessionTable,
)
from freehold.schema.table_names import AUDIT_LOG, link_columns, link_name, search_column

IMPLICIT_ROLES = ("public", "authenticated", "service")
ERRORS: dict[str, int] = {
    "malformed_json": 400,
    "invalid_parameter": 400,
    "unknown_parameter": 400,
    "cursor_mismatch": 400,
    "ambiguous_credentials": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "forbidden_field": 403,
    "bad_origin": 403,
    "no_tenant": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "unique_violation": 409,
    "still_referenced": 409,
    "version_conflict": 412,
    "content_too_large": 413,
    "unsupported_media_type": 415,
    "validation_failed": 422,
    "unknown_reference": 422,
    "check_violation": 422,
    "idempotency_key_reused": 422,
    "rate_limited": 429,
    "internal": 500,
    "unavailable": 503,
}
"""The `code` of every refusal, and its status: the same in every language."""

FAULTS = ("required", "unknown_field", "too_long", "too_short", "invalid", "taken", "unknown_reference")
"""The codes of what is wrong with a single field."""

MAX_INCLUDES = 5
MAX_INCLUDED = 2000
"""The rows that one relation of `include` may reach in one answer."""
MAX_LINKS = 1000
MAX_BATCH = 500
MAX_EXPORTED = 100_000
"""The rows of one CSV."""
IDEMPOTENCY_HOURS = 24
RESERVED_PARAMETERS = frozenset({"limit", "cursor", "offset", "count", "sort", "include", "q", "deleted"})
MAX_ARRAY = 1000
MAX_TEXT = 1_000_000
DECIMAL_DIGITS = 30
"""Digits before and after the point of a decimal that says neither."""

EMAIL_PATTERN = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
URL_PATTERN = r"^[A-Za-z][A-Za-z0-9+.-]*://[^\s]+$"

_ORDERED = frozenset({Kind.INT, Kind.BIGINT, Kind.FLOAT, Kind.DECIMAL, Kind.DATE, Kind.TIME, Kind.DATETIME})
TEXTS = frozenset({Kind.STRING, Kind.TEXT, Kind.EMAIL, Kind.URL})
_OPERATORS: dict[Kind, tuple[str, ...]] = {
    **dict.fromkeys(_ORDERED, ("", "in", "gt", "gte", "lt", "lte")),
    **dict.fromkeys(TEXTS, ("", "in", "contains", "starts_with")),
    Kind.ENUM: ("", "ne", "in"),
    Kind.BOOL: ("",),
    Kind.UUID: ("", "in"),
    Kind.REF: ("", "in"),
    Kind.IP: ("", "in"),
}
"""What a filter can ask of a field of the kind. Kinds that are not here cannot be filtered by."""


CLASSES = (
    "",
    "BatchCreate",
    "BatchDelete",
    "BatchUpdate",
    "Change",
    "Create",
    "Include",
    "Page",
    "Query",
    "Rows",
    "Sort",
    "Summary",
    "Update",
)
"""What follows the name of an entity in the names of its classes."""

_OWN_CLASSES = ("CountMode", "DeletedMode", "JsonValue", "OnConflict", "PageInfo", "Problem", "ProblemError")
"""Schemas of the contract that belong to no entity."""


class PlanError(ValueError):
    """The schema cannot become a service as it stands."""


@dataclass(frozen=True)
class FieldPlan:
    """One key of a body. `kind` is never REF: a reference has the kind of the id it holds."""

    name: str
    column: str
    kind: Kind
    nullable: bool = False
    array: bool = False
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    values: tuple[str, ...] = ()
    default: Any = None
    has_default: bool = False
    default_me: bool = False
    least: int | float | str | None = None
    most: int | float | str | None = None
    pattern: str | None = None
    description: str = ""
    in_lists: bool = True
    readers: tuple[str, ...] | None = None
    writers: tuple[str, ...] | None = None
    operators: tuple[str, ...] = ()
    sortable: bool = False
    is_in_unique: bool = False
    """Whether rows are told apart by it, alone or with others."""
    target: str | None = None
    """The entity that a reference points at."""
    system: bool = False

    @property
    def required(self) -> bool:
        """Whether a create has to name it."""
        return not (self.nullable or self.has_default or self.default_me)


@dataclass(frozen=True)
class Rule:
    """One condition of a grant: the column holds one of the values, or the caller is linked to the row."""

    column: str = ""
    kind: Kind = Kind.TEXT
    values: tuple[Any, ...] = ()
    me: bool = False
    tenant: bool = False
    link: str = ""
    link_row: str = ""
    link_user: str = ""


Grants = tuple[tuple[Rule, ...], ...]
"""Any grant allows; all of a grant's rules must hold; a grant without rules reaches every row."""

Permissions = dict[str, dict[str, Grants]]
"""Role to permission to grants, with inheritance resolved."""


@dataclass(frozen=True)
class Cascade:
    """A reference along which a soft delete goes on: rows of `child` that refer to rows of `parent`."""

    child: str
    parent: str
    table: str
    column: str
    tenant_column: str | None
    system: dict[str, str]


Lookup = Literal["never", "unless_all", "always"]
"""Whether a reference that a body sends is looked up under the caller's read rule of its target: not where it
implies nothing that the writer may not read, not for who reads all rows of the target, or always."""


@dataclass(frozen=True)
class Relation:
    """How to get from rows of an entity to the rows that belong to them, by the name that `include` takes."""

    name: str
    target: str
    """The entity at its end."""
    many: bool
    """Whether a list is shown, or one row and null."""
    key: str
    """The field of a row that holds what is looked up: `owner_id`, or `id`."""
    column: str
    """The column of the target that is compared with the keys; empty when links are between the two."""
    guard: tuple[str, str]
    """Entity and field: only who may read it may follow the relation."""
    description: str = ""
    link: str = ""
    """The table of links, its columns of both ends, and its tenant column, if it has one."""
    link_here: str = ""
    link_there: str = ""
    link_tenant: str = ""
    body: str = ""
    """The key of a body that holds the ids of all that is linked; empty when this side has no say in them."""
    id_kind: IdKind = "uuid"
    """Of the target."""
    readers: tuple[str, ...] | None = None
    writers: tuple[str, ...] | None = None
    lookup: Lookup = "never"


@dataclass(frozen=True)
class EntityPlan:
    """One resource of the API and its table."""

    name: str
    plural: str
    description: str
    table: str
    tenant: str
    id_kind: IdKind
    fields: tuple[FieldPlan, ...]
    version: bool
    updated_at: bool
    soft_delete: bool
    tenant_column: str | None
    created_by: str | None
    updated_by: str | None
    relations: tuple[Relation, ...] = ()
    search: tuple[str, ...] = ()
    """The fields that `q` looks into."""
    search_column: str = ""
    natural_key: str = ""
    """The field by which people know a row; `on_conflict` is about it."""
    natural_columns: tuple[str, ...] = ()
    """The columns in which it is unique."""
    audit: bool = False
    read_only: bool = False
    """Whether the service itself writes it, and nobody over HTTP."""
    cascades: tuple[Cascade, ...] = ()
    system: dict[str, str] = field(default_factory=dict)

    @cached_property
    def class_name(self) -> str:
        return names.pascal(self.name)

    @property
    def path(self) -> str:
        return names.kebab(self.plural)

    @cached_property
    def summary(self) -> tuple[FieldPlan, ...]:
        """The fields in lists."""
        return tuple(each for each in self.fields if each.in_lists)

    @cached_property
    def heavy(self) -> tuple[FieldPlan, ...]:
        """The fields that only a single row shows."""
        return tuple(each for each in self.fields if not each.in_lists)

    @cached_property
    def writable(self) -> tuple[FieldPlan, ...]:
        return tuple(each for each in self.fields if not each.system)

    @cached_property
    def links(self) -> tuple[Relation, ...]:
        """The relations that this entity's bodies and routes set."""
        return tuple(each for each in self.relations if each.body)

    @cached_property
    def looks_up(self) -> bool:
        """Whether some of its references are looked up before they are written."""
        return any(each.lookup != "never" for each in self.relations)

    @property
    def batches(self) -> bool:
        """Whether many rows can be written at once. Of a tenant itself, a caller only has one."""
        return self.tenant != "self" and not self.read_only

    @cached_property
    def sort_keys(self) -> tuple[FieldPlan, ...]:
        return tuple(each for each in self.fields if each.sortable)

    def filters(self) -> Iterator[tuple[str, FieldPlan, str]]:
        """Parameter, field and operator of each filter."""
        for each in self.fields:
            for operator in each.operators:
                yield (f"{each.name}.{operator}" if operator else each.name), each, operator


@dataclass(frozen=True)
class Membership:
    """The table that says who belongs to which tenant, and as what."""

    table: str
    tenant_column: str
    user_column: str
    user_kind: IdKind
    role_column: str = ""
    """Empty where the token says what its user may."""
    deleted_column: str = ""


@dataclass(frozen=True)
class ServicePlan:
    """A whole service."""

    name: str
    title: str
    description: str
    provider: str
    overrides: dict[str, Any]
    roles: tuple[str, ...]
    tenant_kind: IdKind
    user_entity: str | None
    """The entity whose rows are the callers."""
    user_kind: IdKind
    rls: bool
    entities: tuple[EntityPlan, ...]
    permissions: Permissions
    api_keys: bool = False
    sessions: bool = False
    """Whether sessions of a live Freehold project are credentials."""
    session: SessionTable | None = None
    """The sessions of another login, whose cookies are credentials."""
    gateway: bool = False
    """Whether a gateway that knows a secret may say in headers who calls."""
    membership: Membership | None = None
    deploy: tuple[str, ...] = ()

    @cached_property
    def _by_name(self) -> dict[str, EntityPlan]:
        return {each.name: each for each in self.entities}

    @property
    def cookies(self) -> bool:
        """Whether browsers hold credentials in cookies."""
        return self.sessions or self.session is not None

    @property
    def browsers(self) -> bool:
        """Whether a browser may send a credential that its page does not know of."""
        return self.cookies or self.gateway

    def entity(self, name: str) -> EntityPlan:
        return self._by_name[name]

    def includes(self, entity: EntityPlan) -> Iterator[str]:
        """What `include` takes: relations, and the relations of those."""
        for first in entity.relations:
            yield first.name
            for second in self.entity(first.target).relations:
                yield f"{first.name}.{second.name}"


def plan(schema: Schema) -> ServicePlan:
    """Decide everything about the service, and refuse names that could not stand in code."""
    _check_names(schema)
    user = _user_entity(schema)
    tenancy = schema.entity(schema.tenancy.entity) if schema.tenancy else None
    if tenancy is not None and tenancy.id_kind == "serial":
        raise PlanError(
            f"{tenancy.name}: the ids of tenants should be uuid or text, since a new one is named first"
        )
    permissions = _permissions(schema)
    entities = tuple(_entity(schema, entity, permissions) for entity in schema.entities)
    audited = tuple(entity for entity in entities if entity.audit)
    if audited:
        entities = (*entities, _audit_log(schema))
        for role, found in permissions.items():
            shown = tuple(entity.name for entity in audited if _sees_history(entity, role, found))
            if shown:
                rule = Rule(column="entity", values=shown)
                found[f"{AUDIT_ENTRY}:read"] = ((),) if len(shown) == len(audited) else ((rule,),)
    return ServicePlan(
        name=names.slug(schema.service),
        title=schema.service,
        description=schema.description,
        provider=schema.auth.provider if schema.auth else "custom",
        overrides=dict(schema.auth.overrides) if schema.auth else {},
        roles=tuple(schema.roles),
        tenant_kind=tenancy.id_kind if tenancy else "uuid",
        user_entity=user,
        user_kind=_kind_of(schema, user) if user else "text",
        rls=schema.tenancy is None or schema.tenancy.isolation == "rls",
        entities=entities,
        permissions=permissions,
        api_keys=schema.auth is not None and schema.auth.api_keys,
        sessions=_takes_sessions(schema),
        session=schema.auth.session if schema.auth else None,
        gateway=schema.auth is not None and schema.auth.gateway,
        membership=membership(schema),
        deploy=schema.deploy,
    )


def _takes_sessions(schema: Schema) -> bool:
    if schema.auth is None or not schema.auth.sessions:
        return False
    if schema.auth.tenant:
        raise PlanError(
            "auth: say `sessions` or `tenant`, not both: the teams of the live project are the tenants of its"
            " sessions"
        )
    return True


def membership(schema: Schema) -> Membership | None:
    """Where the service looks up the tenants of a user, if the schema says that it does."""
    name = schema.auth.tenant if schema.auth else ""
    if not name:
        return None
    entity = _found(schema, name)
    user = _user_entity(schema)
    assert entity.layout.tenant is not None  # the checker has seen that it is scoped
    return Membership(
        table=entity.table,
        tenant_column=entity.layout.tenant,
        user_column=entity.layout.id if entity.name == user else _member_column(entity, user),
        user_kind=_kind_of(schema, user) if user else "text",
        role_column=next((each.column for each in entity.fields if _says_the_role(each)), ""),
        deleted_column=entity.layout.deleted_at or "",
    )


def _says_the_role(each: Field) -> bool:
    return each.name == "role" and each.type.kind in (Kind.ENUM, Kind.STRING) and not each.type.array


def _member_column(entity: Entity, user: str | None) -> str:
    """The column of a membership that holds its user."""
    if user is None:
        own = [
            each
            for each in entity.fields
            if each.name == "user" and each.type.kind in (Kind.STRING, Kind.TEXT) and not each.type.array
        ]
    else:
        own = [each for each in entity.fields if each.type.kind is Kind.REF and each.type.target == user]
    if len(own) != 1:
        wanted = (
            f"one field of `ref({user})`" if user else "a field `user: string(255)`, the `sub` of tokens,"
        )
        raise PlanError(f"auth.tenant: {entity.name} should have {wanted} that says whose membership it is")
    return own[0].column


AUDIT_ENTRY = "audit_entry"


def _audit_log(schema: Schema) -> EntityPlan:
    """Who changed what, as a resource that can only be read."""
    if schema.entity(AUDIT_ENTRY) is not None:
        raise PlanError(
            f"{AUDIT_ENTRY}: so are the entries of the audit log called; call the entity something else"
        )

    def field(name: str, kind: Kind, *operators: str, nullable: bool = False, **more: Any) -> FieldPlan:
        return FieldPlan(
            name=name, column=name, kind=kind, operators=operators, nullable=nullable, system=True, **more
        )

    return EntityPlan(
        name=AUDIT_ENTRY,
        plural="audit_log",
        description="Who changed what, and when.",
        table=AUDIT_LOG,
        tenant="scoped" if schema.tenancy else "none",
        id_kind="serial",
        fields=(
            field("id", Kind.BIGINT, "in", sortable=True),
            field("at", Kind.DATETIME, "gt", "gte", "lt", "lte"),
            field("actor_id", Kind.TEXT, "", "in", "is_null", nullable=True),
            field("request_id", Kind.TEXT, "", "in", nullable=True),
            field("entity", Kind.TEXT, "", "in"),
            field("entity_id", Kind.TEXT, "", "in"),
            field("action", Kind.ENUM, "", "ne", "in", values=("create", "update", "delete")),
            field("before", Kind.JSON, nullable=True, description="The row of the table, as it was."),
            field(
                "after", Kind.JSON, nullable=True, description="The row of the table, as it is since then."
            ),
        ),
        version=False,
        updated_at=False,
        soft_delete=False,
        tenant_column="tenant_id" if schema.tenancy else None,
        created_by=None,
        updated_by=None,
        read_only=True,
        system={"id": "id"},
    )


def _sees_history(entity: EntityPlan, role: str, permissions: dict[str, Grants]) -> bool:
    """Whether old rows tell the role nothing that it could not see or do: it has every row and field."""
    actions = all(
        permissions.get(f"{entity.name}:{action}") == ((),) for action in ("read", "update", "delete")
    )
    guards = [each.readers for each in entity.fields] + [each.readers for each in entity.relations]
    return actions and all(role in readers for readers in guards if readers is not None)


def _check_names(schema: Schema) -> None:
    seen = dict.fromkeys(_OWN_CLASSES, "the service itself")
    for name, inherited in schema.roles.items():
        for role in (name, *inherited):
            names.role(role, "roles")
    for entity in schema.entities:
        names.identifier(entity.name, "entities")
        names.identifier(entity.table, f"{entity.name}.table")
        names.identifier(_plural(entity), f"{entity.name}.plural")
        _check_class_names(seen, entity)
        for column in entity.layout.columns():
            names.identifier(column, f"{entity.name}: system column")
        wire: set[str] = set()
        for each in entity.fields:
            names.identifier(each.name, f"{entity.name}.{each.name}")
            if each.is_column:
                names.identifier(each.column, f"{entity.name}.{each.name}.column")
                if each.wire_name in wire or each.wire_name in _system_names(entity).values():
                    raise names.UnsafeName(f"{entity.name}: two fields are called {each.wire_name}")
                wire.add(each.wire_name)
            else:
                wire.add(names.singular(each.name) + "_ids")
            for holder in (each.read, each.write):
                if holder is not None:
                    names.role(holder, f"{entity.name}.{each.name}")
        for action in ACTIONS:
            for grant in entity.access.grants(action):
                names.role(grant.role, f"{entity.name}.access.{action}")


def _check_class_names(seen: dict[str, str], entity: Entity) -> None:
    """The class of an entity, the classes beside it, and its package: each belongs to one entity only."""
    name = names.pascal(entity.name)
    package = names.python_package(_plural(entity))
    enums = [name + names.pascal(each.name) for each in entity.fields if each.type.kind is Kind.ENUM]
    for spelled in dict.fromkeys((package, *(name + each for each in CLASSES), *enums)):
        owner = seen.setdefault(spelled, entity.name)
        if owner != entity.name:
            raise names.UnsafeName(
                f"{entity.name}: {spelled} is also what {owner} has in code: "
                f"call the entity otherwise, such as {entity.name}_entry"
            )


def _plural(entity: Entity) -> str:
    return (entity.plural or entity.name + "s").replace("-", "_")


def _user_entity(schema: Schema) -> str | None:
    """The entity whose ids `me` stands for, if the schema says so anywhere."""
    for entity in schema.entities:
        for each in entity.fields:
            if each.default_me and each.type.target:
                return each.type.target
        for action in ACTIONS:
            for grant in entity.access.grants(action):
                for condition in grant.where:
                    if isinstance(condition, Comparison) and condition.me:
                        compared = entity.field(condition.field)
                        return compared.type.target if compared else entity.name
    return None


def _kind_of(schema: Schema, name: str) -> IdKind:
    return _found(schema, name).id_kind


ID_KINDS: dict[IdKind, Kind] = {"uuid": Kind.UUID, "serial": Kind.BIGINT, "text": Kind.TEXT}


def _system_names(entity: Entity) -> dict[str, str]:
    """The system columns that are shown, and what the API calls them."""
    layout = entity.layout
    shown = {
        layout.id: "id",
        layout.created_at: "created_at",
        layout.updated_at: "updated_at",
        layout.version: "version",
        layout.deleted_at: "deleted_at",
        layout.created_by: "created_by",
        layout.updated_by: "updated_by",
    }
    return {column: name for column, name in shown.items() if column is not None}


def _entity(schema: Schema, entity: Entity, permissions: Permissions) -> EntityPlan:
    layout = entity.layout
    fields = [_system_field(entity, layout.id, "id", ID_KINDS[entity.id_kind])]
    fields += [_field(schema, entity, each) for each in entity.columns]
    for column, kind, name in (
        (layout.created_at, Kind.DATETIME, "created_at"),
        (layout.updated_at, Kind.DATETIME, "updated_at"),
        (layout.created_by, Kind.TEXT, "created_by"),
        (layout.updated_by, Kind.TEXT, "updated_by"),
        (layout.version, Kind.BIGINT, "version"),
        (layout.deleted_at, Kind.DATETIME, "deleted_at"),
    ):
        if column is not None:
            fields.append(_system_field(entity, column, name, kind))
    return EntityPlan(
        name=entity.name,
        plural=_plural(entity),
        description=entity.description,
        table=entity.table,
        tenant=entity.tenant,
        id_kind=entity.id_kind,
        fields=tuple(fields),
        version=layout.version is not None,
        updated_at=layout.updated_at is not None,
        soft_delete=entity.soft_delete,
        tenant_column=layout.tenant,
        created_by=layout.created_by,
        updated_by=layout.updated_by,
        relations=tuple(_relations(schema, entity, permissions)),
        search=tuple(each.wire_name for each in entity.fields if each.search),
        search_column=search_column(entity) if any(each.search for each in entity.fields) else "",
        natural_key=next((each.wire_name for each in entity.fields if each.natural_key), ""),
        natural_columns=_natural_columns(entity),
        audit=entity.audit,
        cascades=tuple(_cascades(schema, entity)) if entity.soft_delete else (),
        system={name: column for column, name in _system_names(entity).items()},
    )


def _system_field(entity: Entity, column: str, name: str, kind: Kind) -> FieldPlan:
    by_time = name in ("created_at", "updated_at")
    return FieldPlan(
        name=name,
        column=column,
        kind=kind,
        nullable=name in ("deleted_at", "created_by", "updated_by"),
        operators=("in",) if name == "id" else ("gt", "gte", "lt", "lte") if by_time else (),
        sortable=name == "id" or by_time,
        system=True,
    )


def _field(schema: Schema, entity: Entity, each: Field) -> FieldPlan:
    if each.encrypted:
        raise PlanError(
            f"{entity.name}.{each.name} is encrypted with the platform's secret, so that a service of its own"
            " would hand out what is sealed. Copy it into a field that is not encrypted first"
        )
    kind = each.type.kind
    target = each.type.target if kind is Kind.REF else None
    held = ID_KINDS[_kind_of(schema, target)] if target else kind
    operators: tuple[str, ...] = ()
    if each.filterable and not each.type.array and each.in_lists:
        operators = _OPERATORS.get(kind, ())
        if each.name in RESERVED_PARAMETERS:  # `limit` is taken: ask for `limit.eq`
            operators = tuple(operator or "eq" for operator in operators)
        if operators and each.nullable:
            operators = (*operators, "is_null")
    indexed = each.sortable or each.index or each.unique is not None or _leads_an_index(entity, each.name)
    precise = each.type.precision is not None and each.type.scale is not None
    return FieldPlan(
        name=each.wire_name,
        column=each.column,
        kind=held,
        nullable=each.nullable,
        array=each.type.array,
        length=each.type.length,
        precision=each.type.precision if precise or kind is not Kind.DECIMAL else 2 * DECIMAL_DIGITS,
        scale=each.type.scale if precise or kind is not Kind.DECIMAL else DECIMAL_DIGITS,
        values=each.type.values,
        default=each.default,
        has_default=each.default is not None,
        default_me=each.default_me,
        least=each.min,
        most=each.max,
        pattern=each.pattern,
        description=each.description,
        in_lists=each.in_lists,
        readers=_holders(schema, each.read),
        writers=_holders(schema, each.write),
        operators=operators,
        sortable=indexed
        and not each.type.array
        and each.in_lists
        and kind in (_ORDERED | TEXTS | {Kind.ENUM}),
        is_in_unique=each.unique is not None
        or any(part.field == each.name for index in entity.indexes if index.unique for part in index.parts),
        target=target,
    )


def _natural_columns(entity: Entity) -> tuple[str, ...]:
    for each in entity.fields:
        if each.natural_key:
            tenant = entity.layout.tenant if each.unique == "tenant" else None
            return (*([tenant] if tenant else []), each.column)
    return ()


def _relations(schema: Schema, entity: Entity, permissions: Permissions) -> Iterator[Relation]:
    """Relations of the entity's own fields, in their order, and then those that come from the other side."""
    for each in entity.fields:
        if each.type.kind is Kind.REF:
            target = _found(schema, each.type.target)
            yield Relation(
                name=each.name,
                target=target.name,
                many=False,
                key=each.wire_name,
                column=target.layout.id,
                guard=(entity.name, each.wire_name),
                description=each.description,
                lookup=_lookup(schema, entity, each, target, permissions),
            )
        elif each.type.kind is Kind.MANY:
            here, there = link_columns(entity, each)
            yield Relation(
                name=each.name,
                target=_found(schema, each.type.target).name,
                many=True,
                key="id",
                column="",
                guard=(entity.name, each.name),
                description=each.description,
                link=link_name(entity, each),
                link_here=here,
                link_there=there,
                link_tenant=entity.layout.tenant or "",
                body=f"{names.singular(each.name)}_ids",
                id_kind=_kind_of(schema, each.type.target or ""),
                readers=_holders(schema, each.read),
                writers=_holders(schema, each.write),
            )
    for other in schema.entities:
        for each in other.fields:
            if each.inverse is None or each.type.target != entity.name:
                continue
            if each.type.kind is Kind.REF:
                yield Relation(
                    name=each.inverse,
                    target=other.name,
                    many=each.unique is None,
                    key="id",
                    column=each.column,
                    guard=(other.name, each.wire_name),
                )
            elif each.type.kind is Kind.MANY:
                there, here = link_columns(other, each)
                yield Relation(
                    name=each.inverse,
                    target=other.name,
                    many=True,
                    key="id",
                    column="",
                    guard=(other.name, each.name),
                    link=link_name(other, each),
                    link_here=here,
                    link_there=there,
                    link_tenant=other.layout.tenant or "",
                )


def _lookup(
    schema: Schema, entity: Entity, reference: Field, target: Entity, permissions: Permissions
) -> Lookup:
    if target.tenant == "self":  # a foreign key lets each tenant through, not the caller's own alone
        return "always"
    if schema.auth is not None and schema.auth.api_keys:  # the scopes of a key can leave reading out
        return "unless_all"
    writing = [
        role
        for role, held in permissions.items()
        if f"{entity.name}:create" in held or f"{entity.name}:update" in held
    ]
    holders = _holders(schema, reference.write)
    if _all_read(writing, target, permissions):
        return "never"
    return "never" if holders is not None and _all_read(holders, target, permissions) else "unless_all"


def _all_read(roles: Iterable[str], target: Entity, permissions: Permissions) -> bool:
    """Whether whoever has one of the roles, and what everybody has, may read all rows of the target."""

    def reads(role: str) -> bool:
        return permissions.get(role, {}).get(f"{target.name}:read") == ((),)

    return all(
        reads(role) or reads("public") or (role != "public" and reads("authenticated")) for role in roles
    )


def _found(schema: Schema, name: str | None) -> Entity:
    found = schema.entity(name or "")
    if found is None:
        raise PlanError(f"there is no entity {name}")
    return found


def _leads_an_index(entity: Entity, name: str) -> bool:
    return any(index.parts[0].field == name for index in entity.indexes if index.parts)


def _holders(schema: Schema, role: str | None) -> tuple[str, ...] | None:
    """The roles that have the role, by name or by inheritance."""
    if role is None:
        return None
    return tuple(each for each in (*schema.roles, *IMPLICIT_ROLES) if role in closure(schema.roles, each))


def closure(roles: dict[str, tuple[str, ...]], role: str) -> set[str]:
    """A role and all that it inherits from."""
    found: set[str] = set()
    waiting = [role]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting.extend(roles.get(each, ()))
    return found


def _permissions(schema: Schema) -> Permissions:
    table: Permissions = {}
    for role in (*schema.roles, *IMPLICIT_ROLES):
        held = closure(schema.roles, role)
        found: dict[str, Grants] = {}
        for entity in schema.entities:
            for action in ACTIONS:
                grants = [grant for grant in entity.access.grants(action) if grant.role in held]
                if grants:
                    found[f"{entity.name}:{action}"] = _grants(schema, entity, action, grants)
            if entity.soft_delete and f"{entity.name}:delete" in found:
                deleting = found[f"{entity.name}:delete"]
                found[f"{entity.name}:read_deleted"] = deleting
                found[f"{entity.name}:restore"] = deleting
        if found:
            table[role] = found
    return table


def _grants(schema: Schema, entity: Entity, action: Action, grants: list[Grant]) -> Grants:
    found = tuple(
        dict.fromkeys(tuple(_rule(schema, entity, each) for each in grant.where) for grant in grants)
    )
    return ((),) if () in found else found


def _rule(schema: Schema, entity: Entity, condition: Any) -> Rule:
    if isinstance(condition, Comparison):
        compared = entity.field(condition.field)
        if compared is not None:
            target = compared.type.target
            kind = ID_KINDS[_kind_of(schema, target)] if target else compared.type.kind
            column = compared.column
        else:
            column = condition.field
            kind = ID_KINDS[entity.id_kind]
        return Rule(
            column=names.identifier(column, f"{entity.name}.access"),
            kind=kind,
            values=condition.values,
            me=condition.me,
            tenant=condition.tenant,
        )
    link = entity.field(condition.relation)
    if link is None or link.type.target is None:
        raise PlanError(f"{entity.name}.access: there is no relation {condition.relation}")
    if link.is_column:
        return Rule(column=link.column, kind=ID_KINDS[_kind_of(schema, link.type.target)], me=True)
    row_column, user_column = link_columns(entity, link)
    return Rule(link=link_name(entity, link), link_row=row_column, link_user=user_column)


def _cascades(schema: Schema, root: Entity) -> Iterator[Cascade]:
    """Where a soft delete goes on, parents before their children. Rows that refer to themselves stay."""
    below: dict[str, list[tuple[Entity, Field]]] = {}
    for entity in schema.entities:
        for each in entity.fields:
            if each.type.kind is Kind.REF and each.on_delete == "cascade" and entity.soft_delete:
                below.setdefault(each.type.target or "", []).append((entity, each))
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        for child, _ in below.get(name, ()):
            if child.name not in path and child.name not in order:
                visit(child.name, (*path, child.name))
        order.insert(0, name)

    visit(root.name, (root.name,))
    for position, name in enumerate(order):
        for parent in order[:position]:
            for child, each in below.get(parent, ()):
                if child.name == name:
                    yield Cascade(
                        child=child.name,
                        parent=parent,
                        table=child.table,
                        column=each.column,
                        tenant_column=child.layout.tenant,
                        system={wire: column for column, wire in _system_names(child).items()},
                    )


def decimal_pattern(each: FieldPlan) -> str:
    """A decimal on the wire: digits as a string, since a number of JSON would lose some."""
    assert each.precision is not None
    assert each.scale is not None
    whole = max(each.precision - each.scale, 1)
    fraction = rf"(\.[0-9]{{1,{each.scale}}})?" if each.scale else ""
    return rf"^-?[0-9]{{1,{whole}}}{fraction}$"
