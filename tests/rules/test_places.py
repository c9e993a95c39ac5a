"""How any two places lie to each other, and how far apart: PostgreSQL says the same as shapely does.

Coordinates are small whole numbers, halves or any fractions, so that edges meet and run along each other.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
from random import Random
from typing import Any

import asyncpg
import pytest
from shapely.geometry import LineString, Polygon

from tests.platform import Platform
from tests.rules.model import geometry

PAIRS = int(os.environ.get("RULES_CASES", 20_000)) // 20
RADIUS = 6_371_008.8


class Drawer:
    """Draws places by chance, from coordinates of one kind."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.coordinate = chance.choice(
            (lambda: chance.randint(0, 6), lambda: chance.randint(0, 12) / 2, lambda: chance.uniform(0, 6))
        )

    def point(self) -> list[float]:
        return [self.coordinate(), self.coordinate()]

    def line(self) -> list[Any]:
        """A line, now and then closed or crossing itself."""
        points = [self.point() for _ in range(self.chance.randint(2, 5))]
        if self.chance.random() < 0.2:
            points.append(points[0])
        return points if LineString(points).length > 0 else self.line()

    def polygon(self) -> list[Any]:
        """An area that is one, perhaps with a hole in it."""
        ring = _closed([self.point() for _ in range(self.chance.randint(3, 6))])
        if self.chance.random() < 0.3:
            ring = [[0, 0], [6, 0], [6, 6], [0, 6], [0, 0]]
        hole = _closed([self.point() for _ in range(3)])
        whole, pierced = Polygon(ring), Polygon(ring, [hole])
        if not whole.is_valid or whole.area == 0:
            return self.polygon()
        # Of a hole that touches its shell, GEOS 3.14 is wrong when the other area has that very shell.
        if self.chance.random() < 0.5 and pierced.is_valid and not whole.exterior.intersects(Polygon(hole)):
            return [ring, hole]
        return [ring]

    def place(self) -> list[Any]:
        return self.chance.choice((self.point, self.line, self.polygon))()

    def of(self, place: Any) -> list[Any]:
        """A line through corners of a place, and some other points."""
        corners = place if isinstance(place[0], list) else [place]
        corners = corners if not isinstance(corners[0][0], list) else corners[0]
        points = [
            self.chance.choice(corners) if self.chance.random() < 0.7 else self.point() for _ in range(3)
        ]
        return points if LineString(points).length > 0 else self.line()


def _closed(points: list[Any]) -> list[Any]:
    return [*points, points[0]]


def answers(platform: Platform, sql: str, pairs: list[tuple[Any, Any]]) -> list[Any]:
    """What an expression over `a` and `b` is of each pair of places."""

    async def ask() -> list[Any]:
        connection = await asyncpg.connect(platform.admin_url)
        try:
            texts = [
                [json.dumps(place, separators=(",", ":")) for place in side]
                for side in zip(*pairs, strict=True)
            ]
            rows = await connection.fetch(
                f"select {sql} as found from unnest($1::text[], $2::text[]) with ordinality as p (a, b, at)"
                " order by at",
                *texts,
            )
        finally:
            await connection.close()
        return [row["found"] for row in rows]

    return asyncio.run(ask())


@pytest.mark.parametrize("seed", range(2))
def test_two_places_lie_as_shapely_says(platform: Platform, seed: int) -> None:
    chance = Random(seed)
    pairs = []
    for _ in range(PAIRS):
        drawer = Drawer(chance)
        place = drawer.place()
        pairs.append((place, drawer.of(place) if chance.random() < 0.3 else drawer.place()))
    found = answers(platform, "freehold.relate(a, b)", pairs)
    away = answers(platform, "freehold.distance(a, b, false)", pairs)

    for (one, other), matrix, distance in zip(pairs, found, away, strict=True):
        assert matrix == geometry(one).relate(geometry(other)), (one, other)
        assert distance == pytest.approx(geometry(one).distance(geometry(other)), abs=1e-9), (one, other)
    assert len(set(found)) > 40


def haversine(one: tuple[float, float], other: tuple[float, float]) -> float:
    (x1, y1), (x2, y2) = ([math.radians(each) for each in point] for point in (one, other))
    half = math.sin((y2 - y1) / 2) ** 2 + math.cos(y1) * math.cos(y2) * math.sin((x2 - x1) / 2) ** 2
    return 2 * RADIUS * math.asin(math.sqrt(min(1, half)))


def on_the_way(line: list[Any]) -> list[tuple[float, float]]:
    """Points along a line, close together."""
    path = LineString(line)
    return [path.interpolate(at / 2000, normalized=True).coords[0] for at in range(2001)]


def test_metres_are_those_to_the_nearest_point_of_a_line(platform: Platform) -> None:
    chance = Random(3)
    pairs = []
    for _ in range(100):
        x, y = chance.uniform(-179, 179), chance.uniform(-75, 75)
        line = [[x, y], [max(-180, min(180, x + chance.uniform(-5, 5))), y + chance.uniform(-5, 5)]]
        aside = (x + chance.uniform(-6, 6) + 180) % 360 - 180
        pairs.append(([aside, y + chance.uniform(-6, 6)], line))
    found = answers(platform, "freehold.distance(a, b, true)", pairs)

    for (point, line), metres in zip(pairs, found, strict=True):
        nearest = min(haversine(tuple(point), other) for other in on_the_way(line))
        assert metres == pytest.approx(nearest, rel=1e-3, abs=500), (point, line)


def test_metres_between_points_are_those_of_the_haversine(platform: Platform) -> None:
    chance = Random(4)
    pairs = [
        tuple([chance.uniform(-180, 180), chance.uniform(-90, 90)] for _ in range(2)) for _ in range(300)
    ]
    found = answers(platform, "freehold.distance(a, b, true)", pairs)

    assert found == pytest.approx([haversine(one, other) for one, other in pairs], rel=1e-9)
