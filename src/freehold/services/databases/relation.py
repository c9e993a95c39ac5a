"""How a table is related to others, seen from its side."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from freehold.schema.model import Entity, Kind, OnDelete, Schema


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """One relationship of a table, seen from that table."""

    key: str
    """What it is called in the table's rows."""
    field_id: str
    target: str
    """The id of the other table; it may be the same one."""
    holds: bool
    """Whether the field is this table's; else it is the other's."""
    to_many: bool
    is_hidden: bool = False
    """One-way, from the other side: rows do not show it."""
    on_delete: OnDelete = "restrict"
    is_link: bool = False
    """Many-to-many: kept in a table of links."""
    one_to_one: bool = False
    column_key: str = ""
    """What the column is called that holds the other row's id, when this table holds it."""


class _Row(msgspec.Struct):
    """One side of a relationship, as the API knows it."""

    table_id: str
    key: str
    field_id: str
    related_table_id: str
    relation_type: str
    side: str
    two_way: bool
    two_way_key: str
    on_delete: OnDelete


_decode = msgspec.json.Decoder(list[_Row]).decode


def holds(relation_type: str, side: str) -> bool:
    """Whether the field of a relationship of this type lies in the table on this side."""
    return (side == "parent") == (relation_type != "oneToMany")


def made_over_api(table_id: str, rows: bytes) -> Iterator[Relation]:
    """The relationships of a table that was made over the API, those included that it does not show."""
    for row in _decode(rows):
        if row.table_id == table_id:
            yield _seen(row, row.side, row.key, row.related_table_id, is_hidden=False)
        if row.related_table_id == table_id and not row.two_way:
            yield _seen(row, "child", row.two_way_key, row.table_id, is_hidden=True)


def _seen(row: _Row, side: str, key: str, target: str, *, is_hidden: bool) -> Relation:
    one = ("oneToOne", "manyToOne") if side == "parent" else ("oneToOne", "oneToMany")
    holds_field = holds(row.relation_type, side)
    return Relation(
        key=key,
        field_id=row.field_id,
        target=target,
        holds=holds_field,
        to_many=row.relation_type not in one,
        is_hidden=is_hidden,
        on_delete=row.on_delete,
        is_link=row.relation_type == "manyToMany",
        one_to_one=row.relation_type == "oneToOne",
        column_key=key if holds_field and row.relation_type != "manyToMany" else "",
    )


def of_schema(schema: Schema, entity: Entity) -> Iterator[Relation]:
    """The relations that a schema file gives an entity: its own fields, and the inverses of others."""
    for each in schema.entities:
        for field in each.fields:
            kind = field.type.kind
            if kind not in (Kind.REF, Kind.MANY):
                continue
            if each.name == entity.name:
                yield Relation(
                    key=field.name,
                    field_id=field.id,
                    target=field.type.target or "",
                    holds=True,
                    to_many=kind is Kind.MANY,
                    is_link=kind is Kind.MANY,
                    column_key=field.wire_name if kind is Kind.REF else "",
                )
            if field.type.target == entity.name and field.inverse is not None:
                yield Relation(
                    key=field.inverse,
                    field_id=field.id,
                    target=each.name,
                    holds=False,
                    to_many=kind is Kind.MANY or field.unique is None,
                    is_link=kind is Kind.MANY,
                )
