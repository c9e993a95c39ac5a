"""Whether a plain value fits a type, and how it is kept: decimals, dates and times as text."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import math
import re
import uuid
from datetime import date, datetime, time
from typing import Any

from freehold.schema.model import PLACES, Field, Kind, Type
from freehold.schema.patterns import is_quick, matches
from freehold.schema.problems import did_you_mean

INT_RANGE = (-(2**31), 2**31 - 1)
BIGINT_RANGE = (-(2**53) + 1, 2**53 - 1)
"""What JavaScript can count: beyond it, numbers on the wire would change."""

NUMBERS = frozenset({Kind.INT, Kind.BIGINT, Kind.FLOAT, Kind.DECIMAL})
TEXTS = frozenset({Kind.STRING, Kind.TEXT})


class Misfit(ValueError):
    """A value that does not fit its type, with how to mend it."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


def fit(field: Field, value: Any, raw: str = "") -> Any:
    """The value as the model keeps it, if it fits the field: its type, its bounds and its pattern."""
    if not field.type.array:
        return _bounded(field, fit_one(field.type, value, raw))
    if not isinstance(value, list):
        raise Misfit("is not a list", f"a `{field.type}` is a list, such as `[]`")
    return [_bounded(field, fit_one(field.type, each, _raw(each))) for each in value]


def fit_one(type_: Type, value: Any, raw: str = "") -> Any:
    """One value (of an array, one element) as the model keeps it."""
    kind = type_.kind
    if value is None:
        raise Misfit("is null", "leave it out")
    if kind is Kind.BOOL:
        if not isinstance(value, bool):
            raise Misfit(f"`{value}` is not `true` or `false`")
        return value
    if kind in NUMBERS:
        return fit_number(type_, value, raw)
    if kind is Kind.JSON:
        return value
    if kind in PLACES:
        return _place(kind, value)
    text = raw if kind is Kind.ENUM and raw and not isinstance(value, str) else value
    if not isinstance(text, str):
        raise Misfit(f"`{value}` is not a text", "put it in quotes")
    if "\0" in text:
        raise Misfit("has a zero character, which PostgreSQL cannot keep")
    _TEXT_CHECKS.get(kind, _any_text)(type_, text)
    return text


def fit_number(type_: Type, value: Any, raw: str = "") -> int | float | str:
    """A number as the model keeps it: of a decimal, the text of its digits."""
    if type_.kind is Kind.DECIMAL:
        return _decimal(type_, raw or str(value))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Misfit(f"`{value}` is not a number")
    if type_.kind is Kind.FLOAT:
        if not math.isfinite(value):
            raise Misfit(f"`{value}` is not a finite number")
        return float(value)
    if not isinstance(value, int):
        raise Misfit(f"`{value}` is not a whole number")
    least, most = INT_RANGE if type_.kind is Kind.INT else BIGINT_RANGE
    if not least <= value <= most:
        raise Misfit(f"`{value}` is beyond {type_.kind}", f"from {least} to {most}")
    return value


def _bounded(field: Field, value: Any) -> Any:
    kind = field.type.kind
    if kind in NUMBERS:
        measure = float(value)
    elif kind in TEXTS:
        measure = float(len(value))
    else:
        return value
    if field.min is not None and measure < float(field.min):
        raise Misfit(f"`{value}` is below `min: {field.min}`")
    if field.max is not None and measure > float(field.max):
        raise Misfit(f"`{value}` is above `max: {field.max}`")
    if field.pattern is not None and is_quick(field.pattern, value) and not matches(field.pattern, value):
        raise Misfit(f"`{value}` does not fit `pattern: {field.pattern}`")
    return value


_DECIMAL = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?")


def _decimal(type_: Type, text: str) -> str:
    found = _DECIMAL.fullmatch(text.strip().lstrip("+"))
    if found is None:
        raise Misfit(f"`{text}` is not a decimal number", 'write it as "12.50"')
    whole, fraction = found.group(1).lstrip("0"), (found.group(2) or "").rstrip("0")
    precision, scale = type_.precision, type_.scale
    if (
        precision is not None
        and scale is not None
        and (len(fraction) > scale or len(whole) > precision - scale)
    ):
        raise Misfit(
            f"`{text}` has too many digits for {type_}",
            f"at most {precision - scale} before the point and {scale} after it",
        )
    return text.strip().lstrip("+")


MAX_POINTS = 10_000
"""Of a place. Each of its edges may be compared with each of a place that is asked for."""


def _place(kind: Kind, value: Any) -> Any:
    depth = PLACES.index(kind)
    if not _is_place(value, depth):
        shape = ("[8.5, 47.4]", "[[8.5, 47.4], [8.6, 47.5]]", "[[[0, 0], [1, 0], [1, 1], [0, 0]]]")[depth]
        raise Misfit(f"is not a {kind}", f"write it as `{shape}`, longitude first")
    if _points(value, depth) > MAX_POINTS:
        raise Misfit(f"has more than {MAX_POINTS:,} points", "simplify it, or keep it in parts")
    _must_be_on_earth(value)
    if kind is Kind.POLYGON:
        _must_be_closed(value)
    return value


def _is_place(value: Any, depth: int) -> bool:
    if not isinstance(value, list):
        return False
    if depth == 0:
        return len(value) == 2 and all(
            isinstance(each, (int, float)) and not isinstance(each, bool) for each in value
        )
    return len(value) >= (2 if depth == 1 else 1) and all(_is_place(each, depth - 1) for each in value)


def _points(value: list[Any], depth: int) -> int:
    return 1 if depth == 0 else sum(_points(each, depth - 1) for each in value)


def _must_be_on_earth(value: list[Any]) -> None:
    if isinstance(value[0], list):
        for each in value:
            _must_be_on_earth(each)
    elif not (-180 <= value[0] <= 180 and -90 <= value[1] <= 90):  # which NaN is not, either
        raise Misfit("is not on earth", "longitudes are -180 to 180, latitudes -90 to 90, longitude first")


def _must_be_closed(rings: list[Any]) -> None:
    for ring in rings:
        if len(ring) < 4 or ring[0] != ring[-1]:
            raise Misfit(
                "is not a polygon: it has a ring that is not closed",
                "each ring has four points or more, the last being the first, longitude first",
            )


def _any_text(type_: Type, text: str) -> None:
    """Any text will do."""


def _string(type_: Type, text: str) -> None:
    if type_.length is not None and len(text) > type_.length:
        raise Misfit(f"`{text[:40]}` is longer than {type_.length} characters")


def _member(type_: Type, text: str) -> None:
    if text not in type_.values:
        raise Misfit(f"`{text}` is not a member of the enum", did_you_mean(text, type_.values))


def _uuid(type_: Type, text: str) -> None:
    try:
        uuid.UUID(text)
    except ValueError:
        raise Misfit(f"`{text}` is not a UUID") from None


def _date(type_: Type, text: str) -> None:
    try:
        if len(text) != 10:
            raise ValueError
        date.fromisoformat(text)
    except ValueError:
        raise Misfit(f"`{text}` is not a date", "write it as `2026-12-31`") from None


def _time(type_: Type, text: str) -> None:
    try:
        if time.fromisoformat(text).tzinfo is not None or ":" not in text:
            raise ValueError
    except ValueError:
        raise Misfit(f"`{text}` is not a time of day", "write it as `14:30:00`") from None


def _datetime(type_: Type, text: str) -> None:
    try:
        if datetime.fromisoformat(text).tzinfo is None:
            raise ValueError
    except ValueError:
        raise Misfit(
            f"`{text}` is not a moment", "write it with its zone, as in `2026-12-31T14:30:00Z`"
        ) from None


def _bytes(type_: Type, text: str) -> None:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Misfit(f"`{text[:40]}` is not base64") from None


def _email(type_: Type, text: str) -> None:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise Misfit(f"`{text}` is not an e-mail address")


def _url(type_: Type, text: str) -> None:
    if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s]+", text):
        raise Misfit(f"`{text}` is not a URL", "with its scheme, as in `https://example.com`")


def _ip(type_: Type, text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise Misfit(f"`{text}` is not an IP address") from None


_TEXT_CHECKS = {
    Kind.STRING: _string,
    Kind.ENUM: _member,
    Kind.UUID: _uuid,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.DATETIME: _datetime,
    Kind.BYTES: _bytes,
    Kind.EMAIL: _email,
    Kind.URL: _url,
    Kind.IP: _ip,
}


def _raw(value: Any) -> str:
    return "" if isinstance(value, bool) or not isinstance(value, (int, float)) else str(value)
