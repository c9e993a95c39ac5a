"""The columns of a table of rows: how each is spelled in SQL, filled, compared and read."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

import asyncpg
import msgspec

from freehold.db.ddl.spelling import quote
from freehold.db.sealing import Seal
from freehold.db.values import Decoder, Encoder, decoder, encoder, filter_encoder
from freehold.schema.model import PLACES, Field, IdKind, Kind, Type
from freehold.schema.sql_types import sql_type
from freehold.schema.values import Misfit


class Column(NamedTuple):
    """A column that holds data of the caller's, ready for use."""

    key: str
    """What it is called on the wire."""
    sql: str
    sql_type: str
    field: Field
    encode: Encoder
    encode_filter: Encoder
    decode: Decoder | None
    comparable: bool

    @property
    def required(self) -> bool:
        return not self.field.nullable and self.field.default is None and not self.field.default_me


class Operand(NamedTuple):
    """What a query may compare or order by: a data column or a system column."""

    sql: str
    encode: Encoder
    is_array: bool
    is_text: bool
    nullable: bool = False
    words: tuple[str, ...] = ()
    """What is searched for words, an index's expression first; empty when no index holds them."""
    place: Kind | None = None
    """What kind of place is in the column. Places are asked about, but have no order."""


def column_of(key: str, field: Field, id_kind: IdKind, seal: Seal | None = None) -> Column:
    """A column ready for use. `seal` is of one that is encrypted."""
    if field.type.kind is Kind.REF:
        typed = Type(kind={"uuid": Kind.UUID, "serial": Kind.BIGINT, "text": Kind.STRING}[id_kind], length=36)
        resolved = _replace_type(field, typed)
    else:
        resolved = field
    return Column(
        key=key,
        sql=quote(field.column),
        sql_type=sql_type(resolved.type),
        field=field,
        encode=encoder(resolved) if seal is None else _sealing(encoder(resolved), seal),
        encode_filter=filter_encoder(resolved),
        decode=decoder(resolved) if seal is None else _opening(seal),
        comparable=resolved.type.kind not in _NOT_COMPARED and not field.encrypted,
    )


def _sealing(encode: Encoder, seal: Seal) -> Encoder:
    def sealed(value: Any) -> Any:
        encoded = encode(value)
        if isinstance(encoded, list):
            return [seal.close(each) for each in encoded]
        return None if encoded is None else seal.close(encoded)

    return sealed


def _opening(seal: Seal) -> Decoder:
    def opened(value: Any) -> Any:
        if isinstance(value, list):
            return [seal.open(each) for each in value]
        return None if value is None else seal.open(value)

    return opened


def in_json(value: Any, sql_type: str) -> Any:
    """A driver's value as JSON from which PostgreSQL reads the same value of that type."""
    match value:
        case list():
            return [in_json(each, sql_type) for each in value]
        case bytes():
            return msgspec.Raw(value) if sql_type.startswith("jsonb") else f"\\x{value.hex()}"
        case asyncpg.Path():
            corners = ",".join(f"({x!r},{y!r})" for x, y in value.points)
            return f"({corners})" if value.is_closed else f"[{corners}]"
        case asyncpg.Point():
            return f"({value.x!r},{value.y!r})"
        case _:
            return value


def _replace_type(field: Field, type_: Type) -> Field:
    return Field(
        **{name: getattr(field, name) for name in field.__struct_fields__ if name != "type"}, type=type_
    )


_NOT_COMPARED = frozenset((Kind.JSON, Kind.BYTES))
_TEXTS = frozenset((Kind.STRING, Kind.TEXT, Kind.ENUM, Kind.EMAIL, Kind.URL, Kind.IP))


def operand_of(column: Column, words: tuple[str, ...]) -> Operand:
    field = column.field
    is_text = field.type.kind in _TEXTS
    place = field.type.kind if field.type.kind in PLACES else None
    return Operand(column.sql, column.encode_filter, field.type.array, is_text, field.nullable, words, place)


def _uuid_id(value: Any) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except (ValueError, AttributeError, TypeError) as error:
        raise Misfit("is not a UUID, as the ids of this table are") from error


def sequence_number(value: Any) -> int:
    try:
        number = int(value)
    except (ValueError, TypeError) as error:
        raise Misfit("is not a whole number") from error
    if not 0 <= number < 2**63:
        raise Misfit("is not a sequence number")
    return number


def _text_id(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise Misfit("is not an id")
    return value


ID_ENCODERS: dict[IdKind, Encoder] = {"uuid": _uuid_id, "serial": sequence_number, "text": _text_id}
"""From an id as the wire has it to the driver's, by what kind of ids an entity has."""
