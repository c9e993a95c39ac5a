"""Sample values for the tests of a service: valid, and different each time where they must be."""

from __future__ import annotations

from decimal import Decimal
from math import ceil, floor, prod
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from freehold.generator.limits import DECIMAL_DIGITS
from freehold.generator.plan import EntityPlan, FieldPlan
from freehold.schema.model import Kind

LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
ANY = LETTERS + LETTERS.upper() + DIGITS
WORDS = "brass gate"
MANY = 90
"""How many values are enough for the rows of a test."""
_CATEGORIES = {"CATEGORY_DIGIT": DIGITS, "CATEGORY_WORD": ANY + "_", "CATEGORY_SPACE": " "}


def sample(entity: EntityPlan) -> dict[str, Any]:
    """How to make a value for each field that a sample row names, less its references."""
    return {
        each.name: _recipe(each)
        for each in (entity.fields if entity.read_only else entity.writable)
        if each.target is None
        and not (entity.read_only and each.name in ("id", "at"))
        and (not each.nullable or each.writers is None)
    }


def choices(each: FieldPlan) -> int:
    """How many values sample rows have in the field; MANY is as good as any number."""
    if each.target is not None or (each.nullable and each.writers is not None):
        return MANY  # each row gets another row to refer to; null is equal to nothing
    match _one(each):
        case {"value": _}:
            return 1
        case {"number": [int(least), int(most)]}:
            return min(most - least + 1, MANY)
        case {"spelled": alphabets}:
            return min(_choices(alphabets), MANY)
        case {"text": int(length)}:
            return min(_choices([LETTERS + DIGITS] * length), MANY)
        case _:
            return MANY


def holds_words(each: FieldPlan) -> bool:
    """Whether the field takes the words that tests of searches write into rows."""
    if (
        each.array
        or each.kind not in (Kind.STRING, Kind.TEXT)
        or each.pattern is not None
        or each.is_in_unique
    ):
        return False
    most = min(int(bound) for bound in (each.length, each.most, len(WORDS)) if bound is not None)
    return int(each.least or 0) <= len(WORDS) - 1 and most == len(WORDS)


def filter_values(entity: EntityPlan) -> dict[str, str]:
    """Parameter and a value of each filter."""
    return {parameter: filter_value(each, operator) for parameter, each, operator in entity.filters()}


def _recipe(each: FieldPlan) -> dict[str, Any]:
    """Data that any language can follow.

    `value`, `uuid`, `text` (so long), `spelled` (a character of each), or `number` (from, to).
    A text may have something `before` and `after` it; `list` holds one value.
    """
    one = _one(each)
    return {"list": one} if each.array else one


def _one(each: FieldPlan) -> dict[str, Any]:
    if each.is_in_unique and each.kind in _VARYING:
        return {"spelled": _VARYING[each.kind]}
    if each.is_in_unique and each.kind is Kind.DECIMAL and (digits := _digits(each)):
        return {"spelled": digits}
    if each.pattern is not None:
        return {"spelled": alphabets_of(each.pattern, _least_length(each), each.length)}
    match each.kind:
        case Kind.STRING | Kind.TEXT:
            most = min(int(limit) for limit in (each.length, each.most, 24) if limit is not None)
            return {"text": max(most, int(each.least or 0))}
        case Kind.EMAIL:
            return {"text": 12, "after": "@example.com"}
        case Kind.URL:
            return {"text": 12, "before": "https://example.com/"}
        case Kind.IP:
            return {"number": [1, 254], "before": "192.0.2."}
        case Kind.INT | Kind.BIGINT:
            least = int(each.least) if each.least is not None else 1
            most = int(each.most) if each.most is not None else max(least, 0) + 1_000_000
            return {"number": [min(least, most), most]}
        case Kind.FLOAT:
            bounds = [float(bound) for bound in (each.least, each.most) if bound is not None]
            least, most = _whole_bounds(each, 1_000_000)
            if each.is_in_unique and most - least >= MANY:
                return {"number": [least, most]}
            return {"value": bounds[0] if bounds else 1.5}
        case Kind.DECIMAL:
            return {"value": _decimal(each)}
        case Kind.ENUM:
            return {"value": each.default if each.default in each.values else each.values[0]}
        case Kind.UUID:
            return {"uuid": True}
        case _:
            return {"value": _FIXED[each.kind]}


_FIXED: dict[Kind, Any] = {
    Kind.BOOL: True,
    Kind.DATE: "2026-01-31",
    Kind.TIME: "09:30:00",
    Kind.DATETIME: "2026-01-31T09:30:00.000Z",
    Kind.JSON: {"key": "value"},
    Kind.BYTES: "aGVsbG8=",
    Kind.POINT: [8.5, 47.4],
    Kind.LINE: [[8.5, 47.4], [8.6, 47.5]],
    Kind.POLYGON: [[[0, 0], [1, 0], [1, 1], [0, 0]]],
}


_DAY = ["2", "0", DIGITS, DIGITS, "-", "0", DIGITS[1:], "-", "1", DIGITS]
_CLOCK = ["1", DIGITS, ":", DIGITS[:6], DIGITS, ":", DIGITS[:6], DIGITS]
_VARYING: dict[Kind, list[str]] = {
    Kind.DATE: _DAY,
    Kind.TIME: _CLOCK,
    Kind.DATETIME: [*_DAY, "T", *_CLOCK, *".000Z"],
    Kind.BYTES: [ANY] * 8,
}
"""Of kinds that have one value elsewhere, the characters of many."""


def _digits(each: FieldPlan) -> list[str]:
    """The digits of many decimals within the bounds; none where there are not so many."""
    assert each.scale is not None
    scale = min(each.scale, 4) if each.scale == DECIMAL_DIGITS else each.scale
    least, most = _whole_bounds(each, 10 ** (each.precision or 0) - 1)
    ways = [
        [DIGITS[1:], *[DIGITS] * (places - 1), *(["."] if scale else []), *["0"] * scale]
        for places in range(1, (each.precision or 0) - each.scale + 1)
        if least <= 10 ** (places - 1) and 10**places - 1 <= most
    ]
    if scale and max(least, 0) < most:
        ways.append([*str(max(least, 0)), ".", *[DIGITS] * scale])
    best = max(ways, key=_choices, default=[])
    return best if _choices(best) >= MANY else []


def _choices(alphabets: list[str]) -> int:
    return prod(map(len, alphabets))


def _whole_bounds(each: FieldPlan, most: int) -> tuple[int, int]:
    """The least and the greatest whole number that the field takes, of those up to `most`."""
    least = ceil(Decimal(str(each.least))) if each.least is not None else 0
    return least, min(floor(Decimal(str(each.most))), most) if each.most is not None else most


def _decimal(each: FieldPlan) -> str:
    """A decimal as it comes back: with every digit that the column keeps after the point."""
    assert each.precision is not None
    assert each.scale is not None
    bound = each.least if each.least is not None else each.most
    value = Decimal(str(bound)) if bound is not None else Decimal(1 if each.precision > each.scale else 0)
    return f"{value:.{min(each.scale, 4) if each.scale == DECIMAL_DIGITS else each.scale}f}"


def _least_length(each: FieldPlan) -> int:
    return int(each.least or 0) if each.kind in (Kind.STRING, Kind.TEXT) else 0


def alphabets_of(pattern: str, least: int, most: int | None) -> list[str]:
    """The characters to choose from at each place of a text that the pattern fits."""
    shortest = _places(parser.parse(pattern), 0)
    if len(shortest) >= max(least, 6):
        return shortest
    for repeats in range(1, 65):
        longer = _places(parser.parse(pattern), repeats)
        if most is not None and len(longer) > most:
            return shortest
        shortest = longer
        if len(longer) >= max(least, 6):
            break
    return shortest


def _places(parsed: Any, repeats: int) -> list[str]:
    found: list[str] = []
    for operation, argument in parsed:
        if operation is sre.LITERAL:
            found.append(chr(argument))
        elif operation is sre.IN:
            found.append(_class(argument))
        elif operation is sre.ANY:
            found.append(ANY)
        elif operation is sre.NOT_LITERAL:
            found.append("".join(each for each in ANY if each != chr(argument)))
        elif operation in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            low, high, inner = argument
            for _ in range(min(max(low, repeats), int(high))):
                found += _places(inner, repeats)
        elif operation is sre.SUBPATTERN:
            found += _places(argument[3], repeats)
        elif operation is sre.BRANCH:
            found += _places(argument[1][0], repeats)
    return found


def _class(members: Any) -> str:
    negated = False
    found = ""
    for operation, argument in members:
        if operation is sre.NEGATE:
            negated = True
        elif operation is sre.LITERAL:
            found += chr(argument)
        elif operation is sre.RANGE:
            low, high = argument
            found += "".join(chr(code) for code in range(low, min(high, low + 255) + 1))
        elif operation is sre.CATEGORY:
            found += _CATEGORIES.get(str(argument), "")
    if negated:
        return "".join(each for each in ANY if each not in found) or "~"
    return found or "a"


def filter_value(each: FieldPlan, operator: str) -> str:
    """A value that the filter takes, as it stands in a query string."""
    if operator == "is_null" or each.kind is Kind.BOOL:
        return "true"
    if operator in ("contains", "starts_with"):
        return "a"
    match each.kind:
        case Kind.ENUM:
            return each.values[0]
        case Kind.INT | Kind.BIGINT | Kind.FLOAT:
            return "1"
        case Kind.DECIMAL:
            return _decimal(each)
        case Kind.UUID:
            return "01930000-0000-7000-8000-000000000000"
        case Kind.DATE | Kind.TIME | Kind.DATETIME:
            return str(_FIXED[each.kind])
        case _:
            return "a"
