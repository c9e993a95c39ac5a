"""Which tables, columns, keys, constraints and indexes a schema becomes, and what each is called.

Between the model (what people mean) and SQL (how it is spelled): `compare` tells two designs apart,
`db.ddl` spells them. Things are tied by their names; `key` is what stays when a name changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2s
from typing import Any, Literal

from msgspec.structs import replace

from freehold.schema.model import PLACES, Entity, Field, IdKind, Kind, Schema, Type, Value
from freehold.schema.model import Index as ModelIndex

MAX_NAME_BYTES = 63

SQL_TYPES = {
    Kind.STRING: "text",
    Kind.TEXT: "text",
    Kind.INT: "integer",
    Kind.BIGINT: "bigint",
    Kind.FLOAT: "double precision",
    Kind.BOOL: "boolean",
    Kind.DATE: "date",
    Kind.TIME: "time(3)",
    Kind.DATETIME: "timestamptz(3)",
    Kind.UUID: "uuid",
    Kind.JSON: "jsonb",
    Kind.BYTES: "bytea",
    Kind.ENUM: "text",
    Kind.EMAIL: "text",
    Kind.URL: "text",
    Kind.IP: "text",
    Kind.POINT: "point",
    Kind.LINE: "path",
    Kind.POLYGON: "polygon[]",
}
"""How each kind is kept. A polygon is the list of its rings, the outer one first."""

ID_TYPES: dict[IdKind, str] = {"uuid": "uuid", "serial": "bigint", "text": "text"}

LONGEST = {Kind.EMAIL: 320, Kind.URL: 2048, Kind.IP: 45}
"""Characters, of texts whose form already bounds them."""

LONGEST_ELEMENT = 10_485_760
"""Beyond this PostgreSQL has no way to say the length of an array's elements."""


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


AUDIT_LOG = "audit_log"


def design(schema: Schema) -> tuple[Table, ...]:
    """Every table of a schema: its entities' in order, each followed by its links, the audit log last."""
    tables: list[Table] = []
    for entity in schema.entities:
        tables.append(entity_table(schema, entity))
        tables.extend(
            link_table(schema, entity, field) for field in entity.fields if field.type.kind is Kind.MANY
        )
    if any(entity.audit for entity in schema.entities):
        tables.append(_audit_log(schema))
    return tuple(tables)


def sql_type(type_: Type, schema: Schema | None = None) -> str:
    """The SQL type of a column. That of a `ref` is the type of the other entity's id."""
    kind = type_.kind
    if kind is Kind.DECIMAL:
        name = f"numeric({type_.precision},{type_.scale})" if type_.precision is not None else "numeric"
    elif kind is Kind.REF:
        name = ID_TYPES[_target(schema, type_).id_kind]
    elif kind is Kind.MANY:
        raise ValueError(f"a {type_} is a table of links, not a column")
    else:
        name = SQL_TYPES[kind]
    return name + "[]" if type_.array else name


def primary_key_name(table: str) -> str:
    return _name(table, (), "pkey")


def unique_name(table: str, columns: Iterable[str]) -> str:
    return _name(table, columns, "key")


def foreign_key_name(table: str, column: str) -> str:
    return _name(table, (column,), "fkey")


def index_name(table: str, columns: Iterable[str]) -> str:
    return _name(table, columns, "idx")


def keyed_index_name(table: str, key: str, number: int = 1) -> str:
    """Of an index that has a key of its own: `books_by_year`, or where that is taken `books_by_year_2`."""
    return _cut(f"{table}_{key}", "" if number == 1 else f"_{number}")


def check_name(table: str, column: str, rule: str) -> str:
    return _name(table, (column, rule), "check")


def link_name(entity: Entity, field: Field) -> str:
    """The table that holds the links of a `many`: `project_tags`."""
    return _cut(f"{entity.table}_{field.name}", "")


def link_columns(entity: Entity, field: Field) -> tuple[str, str]:
    """The columns of a link table that hold this row's id and the other row's."""
    target = field.type.target or ""
    return f"{entity.name}_id", f"{target}_id" if target != entity.name else f"other_{target}_id"


def search_column(entity: Entity) -> str:
    """The generated column that holds the words of an entity's searched fields."""
    return "_search" if entity.layout.id.startswith("_") else "search_vector"


def relation_names(table: Table) -> Iterator[tuple[str, str]]:
    """The names that a table takes from the one space in which PostgreSQL keeps tables and indexes."""
    yield table.name, f"the table `{table.name}`"
    yield table.primary_key.name, f"the primary key of `{table.name}`"
    parts: tuple[Unique | Index, ...] = (*table.uniques, *table.indexes)
    for part in parts:
        yield part.name, f"the index of `{table.name}` over {', '.join(part.columns)}"


def entity_table(schema: Schema, entity: Entity) -> Table:
    """The table of one entity."""
    layout = entity.layout
    fields = entity.columns
    tenant_type = _tenant_type(schema) if layout.tenant is not None or _is_tenant(schema, entity) else ""
    columns = [*_system_columns(entity, tenant_type), *(_field_column(schema, field) for field in fields)]
    searched = tuple(field.column for field in fields if field.search)
    if searched:
        columns.append(
            Column(
                key="@search", name=search_column(entity), type="tsvector", nullable=True, searched=searched
            )
        )
    uniques, indexes = _indexes(entity, searched)
    return Table(
        key=entity.id,
        name=entity.table,
        columns=tuple(columns),
        primary_key=PrimaryKey(name=primary_key_name(entity.table), columns=_key_columns(entity)),
        uniques=uniques,
        foreign_keys=tuple(
            _foreign_key(schema, entity, field) for field in fields if field.type.kind is Kind.REF
        ),
        checks=tuple(check for field in fields for check in _checks(schema, entity.table, field)),
        indexes=indexes,
        policy=_policy(schema, _tenant_column(schema, entity), tenant_type),
        audit=AuditTrigger(entity=entity.name, tenant=_tenant_column(schema, entity), id=layout.id)
        if entity.audit
        else None,
        events=EventTriggers(
            entity=entity.name,
            id=layout.id,
            search=search_column(entity),
            deleted_at=layout.deleted_at or "",
        )
        if entity.sql_events
        else None,
        comment=entity.description,
    )


def link_table(schema: Schema, entity: Entity, field: Field) -> Table:
    """The table of one `many`: a row for each pair that is linked."""
    target = _target(schema, field.type)
    on_delete: Literal["cascade", "restrict"] = "restrict" if field.on_delete == "restrict" else "cascade"
    name = link_name(entity, field)
    own, other = link_columns(entity, field)
    columns = [
        Column(key="@own", name=own, type=ID_TYPES[entity.id_kind]),
        Column(key="@other", name=other, type=ID_TYPES[target.id_kind]),
    ]
    tenant = entity.layout.tenant
    if tenant is not None:
        columns.insert(0, Column(key="@tenant", name=tenant, type=_tenant_type(schema)))
    elif _is_tenant(schema, entity):
        tenant = own
    prefix = (tenant,) if tenant is not None and tenant != own else ()
    other_prefix = (tenant,) if tenant is not None and target.layout.tenant is not None else ()
    return Table(
        key=f"{entity.id}.{field.id}",
        name=name,
        columns=tuple(columns),
        primary_key=PrimaryKey(name=primary_key_name(name), columns=(*prefix, own, other)),
        foreign_keys=(
            ForeignKey(
                name=foreign_key_name(name, own),
                columns=(*prefix, own),
                target=entity.table,
                target_columns=_key_columns(entity),
                on_delete=on_delete,
            ),
            ForeignKey(
                name=foreign_key_name(name, other),
                columns=(*other_prefix, other),
                target=target.table,
                target_columns=_key_columns(target),
                on_delete=on_delete,
            ),
        ),
        indexes=(Index(name=index_name(name, (*other_prefix, other)), columns=(*other_prefix, other)),),
        policy=_policy(schema, tenant or "", _tenant_type(schema) if tenant is not None else ""),
        comment=field.description,
    )


# Columns


def _system_columns(entity: Entity, tenant_type: str) -> Iterator[Column]:
    layout = entity.layout
    if layout.tenant is not None:
        yield Column(key="@tenant", name=layout.tenant, type=tenant_type)
    yield Column(
        key="@id", name=layout.id, type=ID_TYPES[entity.id_kind], identity=entity.id_kind == "serial"
    )
    if layout.sequence is not None:
        yield Column(key="@sequence", name=layout.sequence, type="bigint", identity=True)
    if layout.created_at is not None:
        yield Column(key="@created_at", name=layout.created_at, type="timestamptz(3)", default=Now())
    if layout.updated_at is not None:
        yield Column(key="@updated_at", name=layout.updated_at, type="timestamptz(3)", default=Now())
    if layout.created_by is not None:
        yield Column(key="@created_by", name=layout.created_by, type="text", nullable=True)
    if layout.updated_by is not None:
        yield Column(key="@updated_by", name=layout.updated_by, type="text", nullable=True)
    if layout.version is not None:
        yield Column(key="@version", name=layout.version, type="integer", default=1)
    if layout.deleted_at is not None:
        yield Column(key="@deleted_at", name=layout.deleted_at, type="timestamptz(3)", nullable=True)
    if layout.permissions is not None:
        yield Column(key="@permissions", name=layout.permissions, type="text[]", default=())
        if layout.reads is not None:
            yield Column(
                key="@reads", name=layout.reads, type="text[]", nullable=True, reads_of=layout.permissions
            )


def _field_column(schema: Schema, field: Field) -> Column:
    # The default of an encrypted column is sealed with each row, like everything in it.
    default = None if field.encrypted else field.default
    return Column(
        key=field.id,
        name=field.column,
        type=sql_type(field.type, schema),
        nullable=field.nullable or field.awaited,
        default=tuple(default) if field.type.array and isinstance(default, list) else default,
        comment=field.description,
    )


# Constraints


def _foreign_key(schema: Schema, entity: Entity, field: Field) -> ForeignKey:
    """The composite key that lets no row point into another tenant."""
    target = _target(schema, field.type)
    columns: tuple[str, ...] = (field.column,)
    if target.layout.tenant is not None:
        tenant = _tenant_column(schema, entity)
        if not tenant:
            raise ValueError(
                f"{entity.name}.{field.name} belongs to no tenant, so it cannot refer to {target.name}"
            )
        columns = (tenant, field.column)
    return ForeignKey(
        name=foreign_key_name(entity.table, field.column),
        columns=columns,
        target=target.table,
        target_columns=_key_columns(target),
        on_delete=field.on_delete,
        clears=(field.column,) if field.on_delete == "set_null" else (),
    )


def _checks(schema: Schema, table: str, field: Field) -> Iterator[Check]:
    kind, array, column = field.type.kind, field.type.array, field.column
    type_ = sql_type(field.type, schema)
    if field.awaited:
        yield Check(name=check_name(table, column, "present"), column=column, rule="present", type=type_)
    if array:
        yield Check(
            name=check_name(table, column, "items"), column=column, rule="items", type=type_, array=True
        )
    if kind is Kind.ENUM:
        yield Check(
            name=check_name(table, column, "values"),
            column=column,
            rule="values",
            type=type_,
            array=array,
            values=field.type.values,
        )
    elif field.encrypted:
        return  # what is sealed has another length and other characters
    elif kind in (Kind.STRING, Kind.TEXT, Kind.EMAIL, Kind.URL, Kind.IP):
        bounds = [each for each in (field.type.length, LONGEST.get(kind), field.max) if each is not None]
        most = min(int(each) for each in bounds) if bounds else None
        least = int(field.min) if field.min is not None and not array and int(field.min) > 0 else None
        if array and most is not None and most > LONGEST_ELEMENT:
            most = None
        if least is not None or most is not None:
            yield Check(
                name=check_name(table, column, "length"),
                column=column,
                rule="length",
                type=type_,
                array=array,
                least=least,
                most=most,
            )
    elif field.min is not None or field.max is not None:
        yield Check(
            name=check_name(table, column, "range"),
            column=column,
            rule="range",
            type=type_,
            array=array,
            least=field.min,
            most=field.max,
        )
    if field.pattern is not None and not array:
        yield Check(
            name=check_name(table, column, "pattern"),
            column=column,
            rule="pattern",
            type=type_,
            pattern=field.pattern,
        )


# Indexes


def _indexes(entity: Entity, searched: tuple[str, ...]) -> tuple[tuple[Unique, ...], tuple[Index, ...]]:
    """The uniques and the indexes of an entity; a unique that spares deleted rows is an index."""
    layout, table = entity.layout, entity.table
    tenant = (layout.tenant,) if layout.tenant is not None else ()
    live = layout.deleted_at or ""
    taken: set[str] = {primary_key_name(table)}
    uniques: list[Unique] = []
    indexes: list[Index] = []

    def unique(columns: tuple[str, ...], name: str = "") -> None:
        taking: tuple[Unique | Index, ...] = (*uniques, *(each for each in indexes if each.unique))
        if not name and any(columns == each.columns for each in taking):
            return
        name = _untaken(name or unique_name(table, columns), columns, taken)
        if live:
            indexes.append(Index(name=name, columns=columns, unique=True, live=live))
        else:
            uniques.append(Unique(name=name, columns=columns))

    def index(found: Index, name: str = "", spelled: tuple[str, ...] = ()) -> None:
        """Keep an index, unless one that has no name of its own is there already."""
        if layout.reads is not None and found.method == "btree":
            found = replace(found, include=(layout.reads,))
        if not name and any(replace(each, name="") == found for each in indexes):
            return
        name = _untaken(name or index_name(table, spelled or found.columns), spelled or found.columns, taken)
        indexes.append(replace(found, name=name))

    if layout.sequence is not None:
        unique((layout.sequence,))
    if layout.permissions is not None:
        if layout.reads is not None:
            index(Index(name="", columns=(layout.reads,), method="gin"))
        index(Index(name="", columns=(layout.permissions,), method="gin", live=layout.reads or ""))
    covered = {
        _column(entity, each.parts[0].field) for each in entity.indexes if each.method == "key" and each.parts
    }
    for field in entity.columns:
        if field.unique is not None:
            unique((field.column,) if field.unique == "global" else (*tenant, field.column))
        if field.unique == "tenant":
            continue
        if field.index and field.type.kind in PLACES:
            index(_by_place(field))
        elif field.index and field.type.array:
            index(Index(name="", columns=(field.column,), method="gin"))
        elif field.index or field.sortable or (field.type.kind is Kind.REF and field.column not in covered):
            columns = (*tenant, field.column)
            index(Index(name="", columns=(*columns, _tie_break(entity))), spelled=columns)
    for each in entity.indexes:
        if each.unique:
            unique((*tenant, *(_column(entity, part.field) for part in each.parts)), each.name)
        else:
            found, spelled = _composite(entity, each, tenant)
            index(found, each.name, spelled)
    if searched:
        index(Index(name="", columns=(search_column(entity),), method="gin"))
    return tuple(uniques), tuple(indexes)


def _composite(entity: Entity, index: ModelIndex, tenant: tuple[str, ...]) -> tuple[Index, tuple[str, ...]]:
    """An index without its name yet, and the columns after which it is named."""
    parts = tuple(_column(entity, part.field) for part in index.parts)
    if index.method == "fulltext":
        return Index(name="", columns=parts, method="words"), parts
    first = entity.field(index.parts[0].field)
    if first is not None and first.type.kind in PLACES:
        return _by_place(first), parts
    if len(parts) == 1 and _is_array(entity, index.parts[0].field):
        return Index(name="", columns=parts, method="gin"), parts
    columns = (*tenant, *parts)
    spelled = columns
    descending = (*(False for _ in tenant), *(part.descending for part in index.parts))
    tie_break = _tie_break(entity)
    if tie_break not in columns:
        columns, descending = (*columns, tie_break), (*descending, descending[-1])
    return Index(name="", columns=columns, descending=descending if any(descending) else ()), spelled


def _by_place(field: Field) -> Index:
    return Index(name="", columns=(field.column,), method="gist", place=SQL_TYPES[field.type.kind])


def _tie_break(entity: Entity) -> str:
    """The column that puts rows in one order when all else is equal, so that pages never overlap."""
    return entity.layout.sequence or entity.layout.id


# Tenancy


def _policy(schema: Schema, tenant: str, type_: str) -> Policy | None:
    if not tenant or schema.tenancy is None or schema.tenancy.isolation != "rls":
        return None
    return Policy(column=tenant, type=type_)


def _is_tenant(schema: Schema, entity: Entity) -> bool:
    return entity.tenant == "self" and schema.tenancy is not None and schema.tenancy.entity == entity.name


def _tenant_column(schema: Schema, entity: Entity) -> str:
    """The column that says to which tenant a row belongs; of the tenant itself, its id."""
    return entity.layout.tenant or (entity.layout.id if _is_tenant(schema, entity) else "")


def _tenant_type(schema: Schema) -> str:
    tenant = schema.entity(schema.tenancy.entity) if schema.tenancy is not None else None
    if tenant is None:
        raise ValueError("an entity is scoped to a tenant, but the schema has no tenancy")
    return ID_TYPES[tenant.id_kind]


def _audit_log(schema: Schema) -> Table:
    """Who changed what, and when; written by a trigger, so that SQL written by hand is in it too."""
    tenant_type = _tenant_type(schema) if schema.tenancy is not None else "text"
    names = ("tenant_id", "entity", "entity_id", "id")
    rls = schema.tenancy is not None and schema.tenancy.isolation == "rls"
    return Table(
        key="@audit_log",
        name=AUDIT_LOG,
        columns=(
            Column(key="@id", name="id", type="bigint", identity=True),
            Column(key="@tenant", name="tenant_id", type=tenant_type, nullable=True),
            Column(key="@actor_id", name="actor_id", type="text", nullable=True),
            Column(key="@request_id", name="request_id", type="text", nullable=True),
            Column(key="@entity", name="entity", type="text"),
            Column(key="@entity_id", name="entity_id", type="text"),
            Column(key="@action", name="action", type="text"),
            Column(key="@before", name="before", type="jsonb", nullable=True),
            Column(key="@after", name="after", type="jsonb", nullable=True),
            Column(key="@at", name="at", type="timestamptz(3)", default=Now()),
        ),
        primary_key=PrimaryKey(name=primary_key_name(AUDIT_LOG), columns=("id",)),
        indexes=(Index(name=index_name(AUDIT_LOG, names), columns=names),),
        policy=Policy(column="tenant_id", type=tenant_type, writes_without_tenant=True) if rls else None,
    )


# Names


def _key_columns(entity: Entity) -> tuple[str, ...]:
    layout = entity.layout
    return (layout.id,) if layout.tenant is None else (layout.tenant, layout.id)


def _column(entity: Entity, name: str) -> str:
    """The column of a field, or the system column of that name."""
    field = entity.field(name)
    return field.column if field is not None else name


def _is_array(entity: Entity, name: str) -> bool:
    field = entity.field(name)
    return field is not None and field.type.array


def _target(schema: Schema | None, type_: Type) -> Entity:
    found = schema.entity(type_.target or "") if schema is not None else None
    if found is None:
        raise ValueError(f"{type_} points at an entity that the schema does not have")
    return found


def _untaken(name: str, parts: tuple[str, ...], taken: set[str]) -> str:
    """The name, or where another index of the table has it, one that also says the exact parts."""
    plain, number = name, 1
    while name in taken:
        digest = blake2s(f"{number}|{'|'.join(parts)}".encode(), digest_size=4).hexdigest()
        name, number = _cut(plain, f"_{digest}"), number + 1
    taken.add(name)
    return name


def _name(table: str, columns: Iterable[str], suffix: str) -> str:
    return _cut("_".join((table, *columns)), f"_{suffix}")


def _cut(base: str, suffix: str) -> str:
    """The name within PostgreSQL's limit; what is cut off is told apart by a digest."""
    full = base + suffix
    if len(full) <= MAX_NAME_BYTES and (full.isascii() or len(full.encode()) <= MAX_NAME_BYTES):
        return full
    digest = blake2s(base.encode(), digest_size=4).hexdigest()
    room = MAX_NAME_BYTES - len(suffix) - len(digest) - 1
    return f"{base.encode()[:room].decode(errors='ignore')}_{digest}{suffix}"
