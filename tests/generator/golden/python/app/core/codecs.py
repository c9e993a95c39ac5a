"""Types that asyncpg has no plain Python value for: JSON and places, as they are on the wire."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

NUMBER = re.compile(r"-?(?:[0-9.]+(?:e[+-]?[0-9]+)?|Infinity)|NaN", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ring:
    """One ring of a polygon. Not a list, since asyncpg would take a list of lists for an array of arrays."""

    points: list[tuple[float, float]]


async def install(connection: Any) -> None:
    """Teach a new connection."""
    for name, encoder, decoder in (
        ("jsonb", json.dumps, json.loads),
        ("point", _point, lambda text: _points(text)[0]),
        ("path", lambda points: f"[{','.join(map(_point, points))}]", _points),
        ("polygon", lambda ring: f"({','.join(map(_point, ring.points))})", _points),
    ):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=encoder, decoder=decoder)


def _point(point: Any) -> str:
    return f"({point[0]!r},{point[1]!r})"


def _points(text: str) -> list[tuple[float, float]]:
    numbers = [float(number) for number in NUMBER.findall(text)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))
