"""The plan: what a service is, as far as it does not depend on its language. `planner` makes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from freehold.generator import names
from freehold.schema.model import IdKind, Kind, SessionTable

IMPLICIT_ROLES = ("public", "authenticated", "service")
TEXTS = frozenset({Kind.STRING, Kind.TEXT, Kind.EMAIL, Kind.URL})
ID_KINDS: dict[IdKind, Kind] = {"uuid": Kind.UUID, "serial": Kind.BIGINT, "text": Kind.TEXT}


class PlanError(ValueError):
    """The schema cannot become a service as it stands."""


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
    keys: tuple[tuple[str, ...], ...] = ()
    """The columns of each unique key, but for the id and keys with system columns."""
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
class Cascade:
    """A reference along which a soft delete goes on: rows of `child` that refer to rows of `parent`."""

    child: str
    parent: str
    table: str
    column: str
    tenant_column: str | None
    system: dict[str, str]


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
class Membership:
    """The table that says who belongs to which tenant, and as what."""

    table: str
    tenant_column: str
    user_column: str
    user_kind: IdKind
    role_column: str = ""
    """Empty where the token says what its user may."""
    deleted_column: str = ""
