"""Which SQL types can become which, how, and what is lost on the way."""

from __future__ import annotations

from freehold.schema.model import Value


class Conversion(Value, frozen=True, kw_only=True):
    using: str
    """The expression of the new value, where `{}` is the column."""
    loses: str | None = None


_NUMBERS = {"integer": 0, "bigint": 1, "numeric": 2, "double precision": 3}
_FROM_TEXT = frozenset({*_NUMBERS, "boolean", "date", "time", "timestamptz", "uuid"})
_TO_TEXT = frozenset({*_FROM_TEXT, "jsonb"})
_TO_JSON = frozenset({*_NUMBERS, "text", "boolean", "date", "time", "timestamptz", "uuid"})
_PLACES = frozenset({"point", "path", "polygon[]", "tsvector"})

_MOMENTS = {
    ("date", "timestamptz"): ("({}::timestamp AT TIME ZONE 'UTC')", None),
    ("timestamptz", "date"): ("({} AT TIME ZONE 'UTC')::date", "the time of day"),
    ("timestamptz", "time"): ("({} AT TIME ZONE 'UTC')::time(3)", "the date"),
}


def conversion(old: str, new: str) -> Conversion | None:
    """How values of one type become values of another; None when they cannot."""
    if old == new:
        return Conversion(using="{}")
    if old in _PLACES or new in _PLACES:
        return None
    old_is_array, new_is_array = old.endswith("[]"), new.endswith("[]")
    if new == "jsonb" and old_is_array:
        return Conversion(using="to_jsonb({})")
    element = _scalar(old.removesuffix("[]"), new.removesuffix("[]"))
    if element is None or old_is_array == new_is_array is False:
        return element
    if old_is_array and new_is_array:
        return Conversion(using="{}::" + new, loses=element.loses) if "::" in element.using[:4] else None
    if new_is_array:
        inner = element.using
        return Conversion(
            using="CASE WHEN {} IS NULL THEN NULL ELSE ARRAY[" + inner + "] END::" + new, loses=element.loses
        )
    if element.using != "{}":
        return None
    return Conversion(using="{}[1]", loses="all elements but the first")


def _scalar(old: str, new: str) -> Conversion | None:
    if old == new:
        return Conversion(using="{}")
    before, after = _base(old), _base(new)
    if (before, after) in _MOMENTS:
        using, loses = _MOMENTS[(before, after)]
        return Conversion(using=using, loses=loses)
    if before in _NUMBERS and after in _NUMBERS:
        return Conversion(using="{}::" + new, loses=_lost_digits(old, new))
    if (before == "text" and after in _FROM_TEXT) or (after == "text" and before in _TO_TEXT):
        return Conversion(using="{}::" + new)
    if after == "jsonb" and before in _TO_JSON:
        return Conversion(using="to_jsonb({})")
    return None


def _lost_digits(old: str, new: str) -> str | None:
    before, after = _base(old), _base(new)
    if before == after == "numeric":
        old_scale, new_scale = _scale(old), _scale(new)
        return None if new_scale >= old_scale else f"digits after the {new_scale}th behind the point"
    if after == "double precision" and before != "integer":
        return "digits beyond the 15th"
    if _NUMBERS[before] <= _NUMBERS[after] and before != "double precision":
        return None
    return None if before == "bigint" else "digits after the point"


def _scale(type_: str) -> int:
    _, _, scale = type_.rstrip(")").partition(",")
    return int(scale) if scale.isdigit() else 1000


def _base(type_: str) -> str:
    return type_.partition("(")[0]
