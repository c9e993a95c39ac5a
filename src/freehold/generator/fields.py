"""Fields of bodies: what each takes and shows, and what lists can ask of it."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.generator.limits import DECIMAL_DIGITS
from freehold.generator.permissions import holders
from freehold.generator.plan import ID_KINDS, TEXTS, FieldPlan, PlanError
from freehold.schema.model import Entity, Field, Kind, Schema

_RESERVED_PARAMETERS = frozenset({"limit", "cursor", "offset", "count", "sort", "include", "q", "deleted"})
_ORDERED = frozenset({Kind.INT, Kind.BIGINT, Kind.FLOAT, Kind.DECIMAL, Kind.DATE, Kind.TIME, Kind.DATETIME})
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


def of(schema: Schema, entity: Entity) -> Iterator[FieldPlan]:
    """The fields of an entity: its id, its own in their order, and the other system columns."""
    layout = entity.layout
    yield _system_field(layout.id, "id", ID_KINDS[entity.id_kind])
    for each in entity.columns:
        yield _field(schema, entity, each)
    for column, kind, name in (
        (layout.created_at, Kind.DATETIME, "created_at"),
        (layout.updated_at, Kind.DATETIME, "updated_at"),
        (layout.created_by, Kind.TEXT, "created_by"),
        (layout.updated_by, Kind.TEXT, "updated_by"),
        (layout.version, Kind.BIGINT, "version"),
        (layout.deleted_at, Kind.DATETIME, "deleted_at"),
    ):
        if column is not None:
            yield _system_field(column, name, kind)


def _field(schema: Schema, entity: Entity, each: Field) -> FieldPlan:
    if each.encrypted:
        raise PlanError(
            f"{entity.name}.{each.name} is encrypted with the platform's secret, so that a service of its own"
            " would hand out what is sealed. Copy it into a field that is not encrypted first"
        )
    kind = each.type.kind
    target = each.type.target if kind is Kind.REF else None
    held = ID_KINDS[schema.known_entity(target).id_kind] if target else kind
    operators: tuple[str, ...] = ()
    if each.filterable and not each.type.array and each.in_lists:
        operators = _OPERATORS.get(kind, ())
        if each.name in _RESERVED_PARAMETERS:  # `limit` is taken: ask for `limit.eq`
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
        readers=holders(schema, each.read),
        writers=holders(schema, each.write),
        operators=operators,
        sortable=indexed
        and not each.type.array
        and each.in_lists
        and kind in (_ORDERED | TEXTS | {Kind.ENUM}),
        is_in_unique=each.unique is not None
        or any(part.field == each.name for index in entity.indexes if index.unique for part in index.parts),
        target=target,
    )


def _system_field(column: str, name: str, kind: Kind) -> FieldPlan:
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


def _leads_an_index(entity: Entity, name: str) -> bool:
    return any(index.parts[0].field == name for index in entity.indexes if index.parts)
