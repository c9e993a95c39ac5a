"""The type that PostgreSQL keeps each type of the schema language as."""

from __future__ import annotations

from freehold.schema.model import Entity, IdKind, Kind, Schema, Type

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


def sql_type(type_: Type, schema: Schema | None = None) -> str:
    """The SQL type of a column. That of a `ref` is the type of the other entity's id."""
    kind = type_.kind
    if kind is Kind.DECIMAL:
        name = f"numeric({type_.precision},{type_.scale})" if type_.precision is not None else "numeric"
    elif kind is Kind.REF:
        name = ID_TYPES[target_of(schema, type_).id_kind]
    elif kind is Kind.MANY:
        raise ValueError(f"a {type_} is a table of links, not a column")
    else:
        name = SQL_TYPES[kind]
    return name + "[]" if type_.array else name


def target_of(schema: Schema | None, type_: Type) -> Entity:
    """The entity that a `ref` or a `many` points at."""
    found = schema.entity(type_.target or "") if schema is not None else None
    if found is None:
        raise ValueError(f"{type_} points at an entity that the schema does not have")
    return found
