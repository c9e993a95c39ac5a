"""What a backend is: entities, fields, relations, indexes, tenancy and access rules.

Plain immutable values. The platform builds them from API calls, `read` builds them from
`freehold.yaml`, `compare` tells two of them apart, and `db.ddl` turns the difference into SQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Literal

import msgspec


class Kind(StrEnum):
    """The types of the schema language, less their parameters."""

    STRING = "string"
    TEXT = "text"
    INT = "int"
    BIGINT = "bigint"
    FLOAT = "float"
    DECIMAL = "decimal"
    BOOL = "bool"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    UUID = "uuid"
    JSON = "json"
    BYTES = "bytes"
    ENUM = "enum"
    EMAIL = "email"
    URL = "url"
    IP = "ip"
    POINT = "point"
    LINE = "line"
    POLYGON = "polygon"
    REF = "ref"
    MANY = "many"


PLACES = (Kind.POINT, Kind.LINE, Kind.POLYGON)
"""The kinds of places, by their dimensions."""


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of everything in the model: immutable, comparable, storable as JSON."""


class Type(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A type with its parameters: `string(120)`, `decimal(12,2)`, `enum(a, b)[]`, `ref(user)`."""

    kind: Kind
    length: int | None = None
    """Characters, of `string(n)`."""
    precision: int | None = None
    scale: int | None = None
    values: tuple[str, ...] = ()
    """The members of an enum, in the order in which they were written."""
    target: str | None = None
    """The name of the entity that a `ref` or a `many` points at."""
    array: bool = False

    def __str__(self) -> str:
        match self.kind:
            case Kind.STRING if self.length is not None:
                text = f"string({self.length})"
            case Kind.DECIMAL:
                text = f"decimal({self.precision},{self.scale})"
            case Kind.ENUM:
                text = f"enum({', '.join(map(_member_text, self.values))})"
            case Kind.REF | Kind.MANY:
                text = f"{self.kind}({self.target})"
            case _:
                text = str(self.kind)
        return text + "[]" * self.array


def _member_text(member: str) -> str:
    """An enum's member as the schema writes it, quoted where it would be read as something else."""
    if member == " ".join(member.split()) and not set(member) & set(",\"'()\\"):
        return member
    return '"' + member.replace("\\", "\\\\").replace('"', '\\"') + '"'


OnDelete = Literal["cascade", "restrict", "set_null"]
Uniqueness = Literal["tenant", "global"]
Tenant = Literal["self", "scoped", "none"]
Isolation = Literal["rls", "where"]
SessionHash = Literal["plain", "sha256"]
IdKind = Literal["uuid", "serial", "text"]
IndexMethod = Literal["key", "fulltext", "spatial"]
Action = Literal["read", "create", "update", "delete"]

ACTIONS: tuple[Action, ...] = ("read", "create", "update", "delete")


class Field(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One field of an entity. Of a `ref` this is the relation; its column holds the other row's id."""

    id: str
    """Stable: survives renames and reordering."""
    name: str
    """As the schema says it: of `owner: ref(user)` this is `owner`."""
    type: Type
    column: str
    """The column's name in PostgreSQL: of `owner: ref(user)` this is `owner_id`. Empty for `many`."""
    nullable: bool = False
    awaited: bool = False
    """Required of each row that is written; those that are older than the field may be without it."""
    default: Any = None
    """A JSON value of the field's type; None when there is no default."""
    default_me: bool = False
    """The default is the caller's own id (`default: me`)."""
    unique: Uniqueness | None = None
    natural_key: bool = False
    index: bool = False
    min: int | float | str | None = None
    """The least value (numbers, decimals as text), or the least length (strings)."""
    max: int | float | str | None = None
    pattern: str | None = None
    search: bool = False
    encrypted: bool = False
    """The column holds what only the platform can open, so that nothing can be asked about it."""
    in_lists: bool = True
    read: str | None = None
    """The role that may read the field; None is whoever may read the row."""
    write: str | None = None
    filterable: bool = True
    sortable: bool = False
    description: str = ""
    on_delete: OnDelete = "restrict"
    """What becomes of the row when the one it refers to is deleted. Links of a `many` go, or forbid it."""
    inverse: str | None = None
    owned: bool = False

    @property
    def is_column(self) -> bool:
        """Whether the field is a column of its own table; a `many` is a table of links."""
        return self.type.kind is not Kind.MANY

    @property
    def wire_name(self) -> str:
        """What the field is called in a body: `owner_id` for the ref `owner`, else its name."""
        return f"{self.name}_id" if self.type.kind is Kind.REF else self.name


class IndexPart(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One field of an index, and its direction. System columns are named by their column."""

    field: str
    descending: bool = False


class Index(Value, frozen=True, kw_only=True, omit_defaults=True):
    """An index over several fields. `name` is empty when it should be derived from the fields."""

    parts: tuple[IndexPart, ...]
    unique: bool = False
    name: str = ""
    key: str = ""
    """What the API calls it; `name` is PostgreSQL's."""
    method: IndexMethod = "key"
    """`fulltext` is over the words of texts, `spatial` over places."""


class Comparison(Value, frozen=True, kw_only=True, omit_defaults=True, tag="is"):
    """`field = me`, `field = tenant`, `field = constant`, `field in (a, b)`."""

    field: str
    me: bool = False
    tenant: bool = False
    values: tuple[Any, ...] = ()


class MemberOf(Value, frozen=True, kw_only=True, omit_defaults=True, tag="member_of"):
    """`member_of(relation)`: the caller is linked to the row through the relation."""

    relation: str


Condition = Comparison | MemberOf


class Grant(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an access rule: a role, and what must hold of the row (all of it)."""

    role: str
    where: tuple[Condition, ...] = ()


class Access(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Who may do what to an entity's rows. Any grant of an action allows; none refuses."""

    read: tuple[Grant, ...] = ()
    create: tuple[Grant, ...] = ()
    update: tuple[Grant, ...] = ()
    delete: tuple[Grant, ...] = ()

    def grants(self, action: Action) -> tuple[Grant, ...]:
        found: tuple[Grant, ...] = getattr(self, action)
        return found


class Layout(Value, frozen=True, kw_only=True):
    """The names of a table's system columns; None where the table has no such column."""

    id: str
    created_at: str | None
    updated_at: str | None
    version: str | None = None
    tenant: str | None = None
    deleted_at: str | None = None
    created_by: str | None = None
    updated_by: str | None = None
    permissions: str | None = None
    """A `text[]` of row permissions."""
    reads: str | None = None
    """Those of them that let somebody read the row, where they are short: what its indexes hold beside it."""
    sequence: str | None = None
    """A `bigint` identity, unique: the order of insertion."""

    def columns(self) -> Iterator[str]:
        """The system columns that the table has, in the order in which they are created."""
        for name in (
            self.tenant,
            self.id,
            self.sequence,
            self.created_at,
            self.updated_at,
            self.created_by,
            self.updated_by,
            self.version,
            self.deleted_at,
            self.permissions,
            self.reads,
        ):
            if name is not None:
                yield name


API_LAYOUT = Layout(
    id="_id",
    created_at="_created_at",
    updated_at="_updated_at",
    permissions="_permissions",
    reads="_reads",
    sequence="_seq",
)
"""Of tables made over the API. Keys cannot start with `_`, so nothing collides."""


class Entity(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One kind of thing that the backend keeps: a table, its rules and its place in the API."""

    id: str
    name: str
    table: str
    layout: Layout
    plural: str = ""
    description: str = ""
    tenant: Tenant = "none"
    id_kind: IdKind = "uuid"
    fields: tuple[Field, ...] = ()
    indexes: tuple[Index, ...] = ()
    access: Access = Access()
    audit: bool = False
    sql_events: bool = False
    """Whether what others than the platform write to the table is told as events, too."""

    @property
    def soft_delete(self) -> bool:
        return self.layout.deleted_at is not None

    @property
    def columns(self) -> tuple[Field, ...]:
        """The fields that are columns of the table, in order."""
        return tuple(field for field in self.fields if field.is_column)

    def wire_name(self, field: Field) -> str:
        """What a field is called in a body. Over the API a ref is called as it was named."""
        return field.name if self.layout == API_LAYOUT else field.wire_name

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)


class Tenancy(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Which entity is the tenant, and how its rows are kept apart."""

    entity: str
    isolation: Isolation = "rls"


class SessionTable(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Where a login on the same database keeps its sessions, and what browsers hold of one."""

    table: str
    """Its name, with that of its schema of PostgreSQL where the login has one: `login.session`."""
    token_column: str
    user: str
    expires: str
    hash: SessionHash = "plain"
    """How the column spells the token of the cookie: as it is, or its SHA-256 in hexadecimal digits."""
    cookie: str = "session"


class Auth(Value, frozen=True, kw_only=True, omit_defaults=True):
    """How callers prove who they are. `overrides` replace values of the provider's preset."""

    provider: str = "custom"
    api_keys: bool = False
    sessions: bool = False
    """Whether sessions of a live Freehold project are credentials; its teams are the tenants then."""
    session: SessionTable | None = None
    """The sessions of another login, whose cookies are credentials."""
    gateway: bool = False
    """Whether a gateway that knows a secret may say in headers who calls."""
    tenant: str = ""
    """The entity of memberships, which say who belongs to which tenant; empty where tokens say so."""
    overrides: dict[str, Any] = {}


class Schema(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A whole backend, as one file (or one live database) describes it."""

    service: str
    description: str = ""
    tenancy: Tenancy | None = None
    auth: Auth | None = None
    roles: dict[str, tuple[str, ...]] = {}
    """Role to the roles that it inherits from."""
    entities: tuple[Entity, ...] = ()
    platform: dict[str, Any] = {}
    deploy: tuple[str, ...] = ()

    def entity(self, name: str) -> Entity | None:
        return next((entity for entity in self.entities if entity.name == name), None)

    def known_entity(self, name: str | None) -> Entity:
        """The entity of a name that a checked schema points at. Raises LookupError."""
        found = self.entity(name or "")
        if found is None:
            raise LookupError(f"there is no entity {name}")
        return found
