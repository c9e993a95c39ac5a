"""Which tables a schema becomes, with their columns, keys, constraints, indexes and policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec.structs import replace

from freehold.schema.model import PLACES, Entity, Field, Kind, Schema
from freehold.schema.model import Index as ModelIndex
from freehold.schema.sql_types import ID_TYPES, LONGEST, LONGEST_ELEMENT, SQL_TYPES, sql_type, target_of
from freehold.schema.table_names import (
    AUDIT_LOG,
    check_name,
    foreign_key_name,
    index_name,
    link_columns,
    link_name,
    primary_key_name,
    search_column,
    unique_name,
    untaken,
)
from freehold.schema.tables import (
    AuditTrigger,
    Check,
    Column,
    EventTriggers,
    ForeignKey,
    Index,
    Now,
    Policy,
    PrimaryKey,
    Table,
    Unique,
)


def design(schema: Schema) -> tuple[Table, ...]:
    """Every table of a schema: its entities' in order, each followed by its links, the audit log last."""
    tables: list[Table] = []
    for entity in schema.entities:
        tables.append(_entity_table(schema, entity))
        tables.extend(
            _link_table(schema, entity, field) for field in entity.fields if field.type.kind is Kind.MANY
        )
    if any(entity.audit for entity in schema.entities):
        tables.append(_audit_log(schema))
    return tuple(tables)


def _entity_table(schema: Schema, entity: Entity) -> Table:
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


def _link_table(schema: Schema, entity: Entity, field: Field) -> Table:
    """The table of one `many`: a row for each pair that is linked."""
    target = target_of(schema, field.type)
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
    target = target_of(schema, field.type)
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
        name = untaken(name or unique_name(table, columns), columns, taken)
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
        name = untaken(name or index_name(table, spelled or found.columns), spelled or found.columns, taken)
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


# Tenancy and the audit log


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


# Fields and their columns


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
