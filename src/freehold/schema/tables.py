"""What tables are made of: columns, keys, constraints, indexes, policies and triggers, as values.

Between the model (what people mean) and SQL (how it is spelled): `design` makes them of a schema, `compare`
tells two designs apart, `db.ddl` spells them. Things are tied by their names; `key` is what stays when a name
changes.
"""

from __future__ import annotations

from typing import Any, Literal

from freehold.schema.model import Value


class Now(Value, frozen=True):
    """The default of a column that keeps when its row was written."""


class Column(Value, frozen=True, kw_only=True, omit_defaults=True):
    key: str
    """The field's id, or `@` and the part that a system column plays."""
    name: str
    type: str
    """As PostgreSQL spells it: `text`, `numeric(12,2)`, `timestamptz(3)`, `text[]`."""
    nullable: bool = False
    default: Any = None
    """A JSON value, or Now; None is no default."""
    identity: bool = False
    searched: tuple[str, ...] = ()
    """Of the search column: the columns whose words it holds."""
    reads_of: str = ""
    """Of the column of permissions to read: the column of all permissions."""
    comment: str = ""

    @property
    def generated(self) -> bool:
        return bool(self.searched or self.reads_of)


class PrimaryKey(Value, frozen=True, kw_only=True):
    name: str
    columns: tuple[str, ...]


class Unique(Value, frozen=True, kw_only=True):
    name: str
    columns: tuple[str, ...]


class ForeignKey(Value, frozen=True, kw_only=True):
    name: str
    columns: tuple[str, ...]
    target: str
    """The name of the other table."""
    target_columns: tuple[str, ...]
    on_delete: Literal["cascade", "restrict", "set_null"]
    clears: tuple[str, ...] = ()
    """Of `set_null`: the columns to clear; never the tenant's."""


class Check(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One rule about one column. Nulls pass, but for `present`, from which rows that are there are spared."""

    name: str
    column: str
    rule: Literal["values", "length", "range", "pattern", "items", "present"]
    type: str
    array: bool = False
    values: tuple[str, ...] = ()
    least: Any = None
    most: Any = None
    pattern: str = ""


Constraint = PrimaryKey | Unique | ForeignKey | Check


class Index(Value, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    columns: tuple[str, ...]
    descending: tuple[bool, ...] = ()
    """Beside the columns; empty when all go upwards."""
    unique: bool = False
    live: str = ""
    """The column that is null in the rows which are in the index, when these are not all."""
    include: tuple[str, ...] = ()
    """Columns that it holds and is not in the order of."""
    method: Literal["btree", "gin", "gist", "words"] = "btree"
    """`words` is a GIN index over the words of texts."""
    place: str = ""
    """Of `gist`: the SQL type of the places in its column, whose bounds it holds."""


class Policy(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Rows are seen and written only by the tenant in whose name the transaction runs."""

    column: str
    type: str
    writes_without_tenant: bool = False


class AuditTrigger(Value, frozen=True, kw_only=True):
    entity: str
    tenant: str
    """The column that holds the tenant; empty when the entity has none."""
    id: str


class EventTriggers(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What others than the platform write to the table is told as its own writes are."""

    entity: str
    id: str
    search: str
    """The column that holds words of others, if there is one: nobody is told those."""
    deleted_at: str = ""
    """The column by which rows are deleted softly; empty when they are not."""


class Table(Value, frozen=True, kw_only=True, omit_defaults=True):
    key: str
    """The entity's id; of a link table, the ids of entity and field."""
    name: str
    columns: tuple[Column, ...]
    primary_key: PrimaryKey
    uniques: tuple[Unique, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    indexes: tuple[Index, ...] = ()
    policy: Policy | None = None
    audit: AuditTrigger | None = None
    events: EventTriggers | None = None
    comment: str = ""
