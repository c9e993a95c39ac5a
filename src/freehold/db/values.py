"""Values of rows between JSON and PostgreSQL: checked on their way in, spelled for the wire coming out."""

from __future__ import annotations

import base64
import math
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from freehold.schema.model import Field, Kind, Type
from freehold.schema.values import Misfit, fit_one

Encoder = Callable[[Any], Any]
Decoder = Callable[[Any], Any]

_INT64 = 2**63


def encoder(field: Field) -> Encoder:
    """Make the function that turns a JSON value of the field into the driver's, or raises Misfit.

    None passes through: whether a value may be missing is the caller's to know.
    """
    one = _bounded(field, _one(field.type))
    if not field.type.array:
        return one

    def each(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, list):
            raise Misfit("is not a list")
        if None in value:
            raise Misfit("has a null among its elements")
        return [one(element) for element in value]

    return each


def filter_encoder(field: Field) -> Encoder:
    """Make the function that turns a value to compare the field (or its elements) with into the driver's.

    Texts may be any: what cannot stand in the column is not found, and has its place in an order.
    """
    make = _COMPARED.get(field.type.kind)
    return make if make is not None else _one(field.type)


def decoder(field: Field) -> Decoder | None:
    """Make the function that turns the driver's value into the wire's; None when they are the same."""
    one = _DECODERS.get(field.type.kind)
    if one is None or not field.type.array:
        return one if one is None else _unless_none(one)
    return _unless_none(lambda values: [one(value) for value in values])


def _unless_none(decode: Decoder) -> Decoder:
    return lambda value: None if value is None else decode(value)


def _one(type_: Type) -> Encoder:
    make = _ENCODERS.get(type_.kind)
    if make is None:
        raise ValueError(f"{type_} is not kept in a column")
    return make(type_)


def _text(type_: Type) -> Encoder:
    most = type_.length if type_.length is not None else math.inf

    def encode(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, str):
            raise Misfit("is not a text")
        if len(value) > most:
            raise Misfit(f"is longer than {most} characters")
        if "\0" in value:
            raise Misfit("has a zero character, which PostgreSQL cannot keep")
        return value

    return encode


def _integer(least: int, most: int) -> Callable[[Type], Encoder]:
    def make(_: Type) -> Encoder:
        def encode(value: Any) -> Any:
            if value is None:
                return None
            if not isinstance(value, int) or isinstance(value, bool):
                raise Misfit("is not a whole number")
            if not least <= value <= most:
                raise Misfit(f"is not between {least} and {most}")
            return value

        return encode

    return make


def _float(_: Type) -> Encoder:
    def encode(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise Misfit("is not a number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise Misfit("is not a finite number")
        return number

    return encode


def _boolean(_: Type) -> Encoder:
    def encode(value: Any) -> Any:
        if value is not None and not isinstance(value, bool):
            raise Misfit("is not true or false")
        return value

    return encode


def _enum(type_: Type) -> Encoder:
    members = frozenset(type_.values)

    def encode(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, str) or value not in members:
            raise Misfit(f"is not one of {', '.join(type_.values)}")
        return value

    return encode


def read_datetime(value: Any) -> datetime:
    """Read an ISO 8601 moment to the millisecond; without a zone it is UTC. Raises Misfit."""
    if not isinstance(value, str):
        raise Misfit("is not a moment such as 2026-12-31T14:30:00.000+00:00")
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Misfit("is not a moment such as 2026-12-31T14:30:00.000+00:00") from error
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _datetime(_: Type) -> Encoder:
    return lambda value: None if value is None else read_datetime(value)


def _json(_: Type) -> Encoder:
    return lambda value: None if value is None else msgspec.json.encode(value)


def _fitted(convert: Callable[[str], Any]) -> Callable[[Type], Encoder]:
    """For kinds that are texts on the wire and something else in PostgreSQL."""

    def make(type_: Type) -> Encoder:
        def encode(value: Any) -> Any:
            return None if value is None else convert(fit_one(type_, value))

        return encode

    return make


def _decimal(type_: Type) -> Encoder:
    def encode(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise Misfit("is not a decimal number")
        return Decimal(fit_one(type_, value, str(value)))

    return encode


def _point(type_: Type) -> Encoder:
    return lambda value: None if value is None else asyncpg.Point(*fit_one(type_, value))


def _line(type_: Type) -> Encoder:
    return lambda value: None if value is None else asyncpg.Path(*fit_one(type_, value), is_closed=False)


def _polygon(type_: Type) -> Encoder:
    # The list of its rings, the outer one first; each of PostgreSQL's own polygons is one ring.
    return lambda value: None if value is None else [_Ring(*ring) for ring in fit_one(type_, value)]


class _Ring(asyncpg.Polygon):  # type: ignore[misc]
    """A polygon of PostgreSQL's that can be an element of an array."""


# The driver takes what can be iterated for one more dimension of an array, unless it is a mapping.
Mapping.register(_Ring)


_ENCODERS: dict[Kind, Callable[[Type], Encoder]] = {
    Kind.STRING: _text,
    Kind.TEXT: _text,
    Kind.INT: _integer(-(2**31), 2**31 - 1),
    Kind.BIGINT: _integer(-_INT64, _INT64 - 1),
    Kind.FLOAT: _float,
    Kind.DECIMAL: _decimal,
    Kind.BOOL: _boolean,
    Kind.DATE: _fitted(date.fromisoformat),
    Kind.TIME: _fitted(time.fromisoformat),
    Kind.DATETIME: _datetime,
    Kind.UUID: _fitted(uuid.UUID),
    Kind.JSON: _json,
    Kind.BYTES: _fitted(base64.b64decode),
    Kind.ENUM: _enum,
    Kind.EMAIL: _fitted(str),
    Kind.URL: _fitted(str),
    Kind.IP: _fitted(str),
    Kind.POINT: _point,
    Kind.LINE: _line,
    Kind.POLYGON: _polygon,
    Kind.REF: lambda type_: _fitted(str)(type_),
}


def _any_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise Misfit("is not a text")
    if "\0" in value:
        raise Misfit("has a zero character, which PostgreSQL cannot keep")
    return value


def _whole(encode: Encoder) -> Encoder:
    """Let 3.0 be 3, as languages with one kind of number write it."""
    return lambda value: encode(int(value) if isinstance(value, float) and value.is_integer() else value)


_COMPARED: dict[Kind, Encoder] = {
    **dict.fromkeys((Kind.STRING, Kind.TEXT, Kind.ENUM, Kind.EMAIL, Kind.URL, Kind.IP), _any_text),
    Kind.INT: _whole(_integer(-(2**31), 2**31 - 1)(Type(kind=Kind.INT))),
    Kind.BIGINT: _whole(_integer(-_INT64, _INT64 - 1)(Type(kind=Kind.BIGINT))),
}


_encode = msgspec.json.Encoder().encode


def wire_moment(value: datetime) -> str:
    """A moment as the wire writes it: in UTC, which is the zone that the driver gives, with milliseconds."""
    # The driver has no zone for the first moment of the year 1, which other languages send for "never".
    if value.tzinfo is not UTC:
        value = value.replace(tzinfo=UTC)
    # Rows hold two of them, and `isoformat` takes four times as long as this.
    text = _encode(value).decode()
    return f"{text[1:24]}+00:00" if value.microsecond else f"{text[1:20]}.000+00:00"


def _wire_points(value: Any) -> list[list[float]]:
    return [[point.x, point.y] for point in value]


_DECODERS: dict[Kind, Decoder] = {
    Kind.DATETIME: wire_moment,
    Kind.DECIMAL: str,
    Kind.DATE: date.isoformat,
    Kind.TIME: time.isoformat,
    Kind.UUID: str,
    Kind.BYTES: lambda value: base64.b64encode(value).decode(),
    Kind.POINT: lambda value: [value.x, value.y],
    Kind.LINE: _wire_points,
    Kind.POLYGON: lambda rings: [_wire_points(ring) for ring in rings],
}


def _bounded(field: Field, encode: Encoder) -> Encoder:
    """Add the field's own bounds: of numbers their value, of texts their length."""
    if field.min is None and field.max is None:
        return encode
    exact = field.type.kind in (Kind.INT, Kind.BIGINT)
    least = -math.inf if field.min is None else (int(field.min) if exact else float(field.min))
    most = math.inf if field.max is None else (int(field.max) if exact else float(field.max))
    is_text = field.type.kind in (Kind.STRING, Kind.TEXT)

    def bounded(value: Any) -> Any:
        encoded = encode(value)
        if encoded is None:
            return None
        if is_text:
            if not least <= len(encoded) <= most:
                raise Misfit(f"has {len(encoded)} characters, which is not between {least} and {most}")
        elif not least <= encoded <= most:
            raise Misfit(f"is not between {least} and {most}")
        return encoded

    return bounded
