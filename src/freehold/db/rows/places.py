"""Filters by place: how the place in a column lies to one that is asked for, and how far away it is.

The SQL functions are those of the migration `places`. What can be true only near the place that is asked for
is first looked up by its bounds, which is what a spatial index holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import asyncpg
import msgspec

from freehold.db.ddl.spelling import bounds_of
from freehold.db.queries import Query
from freehold.db.rows.columns import Operand
from freehold.db.rows.statement import Values
from freehold.schema.model import PLACES, Kind, Type
from freehold.schema.sql_types import SQL_TYPES
from freehold.schema.values import Misfit, fit_one

MAX_POINTS = 500
"""Of a place that is asked for. Each of its edges may be compared with each of a row's."""

METRES_A_DEGREE = 6_371_008.8 * math.pi / 180
"""Of latitude, on a sphere with the mean radius of the earth, as in the migration."""

_Compiler = Callable[[Operand, Query, Values], str]


class Asked(NamedTuple):
    """A place that is asked for."""

    dimension: int
    coordinates: str
    """As the SQL functions take them."""
    west: float
    south: float
    east: float
    north: float

    @property
    def box(self) -> asyncpg.Box:
        return asyncpg.Box((self.east, self.north), (self.west, self.south))

    def boxes_within(self, distance: float, *, in_metres: bool) -> list[asyncpg.Box]:
        """Boxes, one or two, outside of which everything is farther away than this."""
        degrees = distance / METRES_A_DEGREE if in_metres else distance
        degrees = min(360.0, degrees * (1 + 1e-9) + 1e-9)  # a box may be too large, but not too small
        south, north = self.south - degrees, self.north + degrees
        if not in_metres:
            return [asyncpg.Box((self.east + degrees, north), (self.west - degrees, south))]
        if north >= 90 or south <= -90:  # around a pole is every longitude
            return [asyncpg.Box((180, north), (-180, south))]
        farthest = max(abs(self.south), abs(self.north))
        aside = math.degrees(math.asin(math.sin(math.radians(degrees)) / math.cos(math.radians(farthest))))
        west, east = self.west - aside - 1e-9, self.east + aside + 1e-9
        boxes = [asyncpg.Box((east, north), (west, south))]
        if west < -180:
            boxes.append(asyncpg.Box((180, north), (west + 360, south)))
        if east > 180:
            boxes.append(asyncpg.Box((east - 360, north), (-180, south)))
        return boxes


def asked_place(value: Any) -> Asked:
    """Read a place as queries have it: how deep its lists are tells what kind it is. Raises Misfit."""
    kind = _kind(value)
    fit_one(Type(kind=kind), value)
    dimension = PLACES.index(kind)
    points = list(_points(value, dimension))
    if len(points) > MAX_POINTS:
        raise Misfit(f"has {len(points)} points; a place that is asked for has at most {MAX_POINTS}")
    longitudes, latitudes = zip(*points, strict=True)
    return Asked(
        dimension,
        msgspec.json.encode(value).decode(),
        min(longitudes),
        min(latitudes),
        max(longitudes),
        max(latitudes),
    )


def _kind(value: Any) -> Kind:
    """What a place can only be."""
    for kind in PLACES:
        if not isinstance(value, list) or not value:
            break
        value = value[0]
        if not isinstance(value, list):
            return kind
    raise Misfit(
        "is not a place such as `[8.5, 47.4]`, a line `[[8.5, 47.4], [8.6, 47.5]]` or a list of rings"
    )


def _points(value: list[Any], depth: int) -> Iterator[tuple[float, float]]:
    if depth == 0:
        yield value[0], value[1]
        return
    for each in value:
        yield from _points(each, depth - 1)


def _only(query: Query) -> Any:
    if len(query.values) != 1:
        raise Misfit("is missing or too many: it takes one place, in a list such as `[[8.5, 47.4]]`")
    return query.values[0]


def _coordinates(operand: Operand) -> str:
    return f"freehold.coordinates({operand.sql})"


def _near(operand: Operand, boxes: list[asyncpg.Box], values: Values) -> str:
    bounds = bounds_of(operand.sql, _sql_type(operand))
    return "(" + " or ".join(f"{bounds} && {values.bind(box)}" for box in boxes) + ")"


def _sql_type(operand: Operand) -> str:
    assert operand.place is not None
    return SQL_TYPES[operand.place]


class Relation(NamedTuple):
    """How two places may lie to each other: what their DE-9IM matrix looks like, as a regular expression.

    `lower`, `level` and `higher` are of a column with fewer dimensions than the place that is asked for, with
    as many, and with more; `lines` is of two lines. None is never.
    """

    lower: str | None
    level: str | None
    higher: str | None
    lines: str | None

    def pattern(self, dimension: int, other: int) -> str | None:
        if dimension != other:
            return self.lower if dimension < other else self.higher
        return self.lines if dimension == 1 else self.level


def _alike(pattern: str) -> Relation:
    """A relation that is told in the same way of all places."""
    return Relation(pattern, pattern, pattern, pattern)


RELATIONS = {
    "intersects": _alike("^(?!FF.FF)"),
    "touches": _alike("^F(?!F.FF)"),
    "crosses": Relation("^[012].[012]", None, "^[012].....[012]", "^0"),
    "overlaps": Relation(None, "^[012].[012]...[012]", None, "^1.[012]...[012]"),
    "contains": _alike("^[012].....FF"),
    "covers": _alike("^(?!FF.FF)......FF"),
    "equals": _alike("^[012].F..FFF"),
}


def _related(name: str, *, negated: bool = False) -> _Compiler:
    relation = RELATIONS[name]

    def compile_(operand: Operand, query: Query, values: Values) -> str:
        found = _lies(relation, operand, asked_place(_only(query)), values)
        return f"not {found}" if negated else found

    return compile_


def _equal(operand: Operand, query: Query, values: Values) -> str:
    if not query.values:
        raise Misfit("is missing")
    asked = [asked_place(value) for value in query.values]
    return "(" + " or ".join(_lies(RELATIONS["equals"], operand, each, values) for each in asked) + ")"


def _lies(relation: Relation, operand: Operand, asked: Asked, values: Values) -> str:
    assert operand.place is not None
    pattern = relation.pattern(PLACES.index(operand.place), asked.dimension)
    if pattern is None:
        return f"({operand.sql} is null and null)"
    near = _near(operand, [asked.box], values)
    matrix = f"freehold.relate({_coordinates(operand)}, {values.bind(asked.coordinates)})"
    return f"({near} and {matrix} ~ '{pattern}')"


def _distant(operator: str, *, nearby: bool) -> _Compiler:
    """Of `nearby`, only what is near the place can be found."""

    def compile_(operand: Operand, query: Query, values: Values) -> str:
        asked, distance, in_metres = _asked_distance(query)
        far = (
            f"freehold.distance({_coordinates(operand)}, {values.bind(asked.coordinates)},"
            f" {str(in_metres).lower()}) {operator} {values.bind(distance)}"
        )
        if not nearby:
            return far
        return f"({_near(operand, asked.boxes_within(distance, in_metres=in_metres), values)} and {far})"

    return compile_


def _asked_distance(query: Query) -> tuple[Asked, float, bool]:
    value = query.values[0] if len(query.values) == 1 else None
    if not isinstance(value, list) or len(value) not in (2, 3):
        raise Misfit("is not one list of a place, a distance and whether that is in metres")
    place, distance, in_metres = value if len(value) == 3 else (*value, True)
    if isinstance(distance, bool) or not isinstance(distance, int | float) or not 0 <= distance <= 1e9:
        raise Misfit("has a distance that is not a number from 0 to 1,000,000,000")
    if not isinstance(in_metres, bool):
        raise Misfit("does not say by true or false whether the distance is in metres")
    return asked_place(place), float(distance), in_metres


COMPILERS: dict[str, _Compiler] = {
    **{
        name: _related(name)
        for name in ("intersects", "touches", "crosses", "overlaps", "contains", "covers")
    },
    "notIntersects": _related("intersects", negated=True),
    "notTouches": _related("touches", negated=True),
    "notCrosses": _related("crosses", negated=True),
    "notOverlaps": _related("overlaps", negated=True),
    "notContains": _related("contains", negated=True),
    "notCovers": _related("covers", negated=True),
    "spatialEquals": _related("equals"),
    "notSpatialEquals": _related("equals", negated=True),
    "equal": _equal,
    "notEqual": _related("equals", negated=True),
    "distanceEqual": _distant("=", nearby=True),
    "distanceNotEqual": _distant("<>", nearby=False),
    "distanceLessThan": _distant("<", nearby=True),
    "distanceGreaterThan": _distant(">", nearby=False),
}
