"""What chance asks for: values that often meet, permissions, and queries of every kind."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from tests.rules.model import Query, Row

TEXTS = ["", "a", "A", "ab", "b", "a%", "a_", "%", "é", "Zz top", "top, ZZ", "b zz top", "z\\", "'; --"]
SEARCHES = [
    "a",
    "A",
    "ab",
    "zz top",
    "top zz",
    '"zz top"',
    '"zz to"',
    "zz to",
    "z* b",
    "é",
    "b a",
    "%",
    "",
    '"',
]
NUMBERS = [-3, -1, 0, 1, 2, 2**53 + 1, -(2**63), 2**63 - 1]
FLOATS = [-2.5, -0.5, 0.0, 1.5, 2.0, 1e300, 5e-324]
MOMENTS = [
    "1969-12-31T23:59:59.999+00:00",
    "2024-02-29T00:00:00.000+00:00",
    "2024-02-29T00:00:00.001+00:00",
    "2026-11-23T12:00:00.000+00:00",
]
KINDS = ["red", "green", "blue"]

COLUMNS: list[dict[str, Any]] = [
    {"key": "text", "type": "varchar", "size": 40, "required": False},
    {"key": "number", "type": "integer", "required": False},
    {"key": "ratio", "type": "float", "required": False},
    {"key": "flag", "type": "boolean", "required": False},
    {"key": "moment", "type": "datetime", "required": False},
    {"key": "kind", "type": "enum", "elements": KINDS, "required": False},
    {"key": "words", "type": "varchar", "size": 40, "required": False, "array": True},
    {"key": "numbers", "type": "integer", "required": False, "array": True},
    {"key": "spot", "type": "point", "required": False},
    {"key": "way", "type": "linestring", "required": False},
    {"key": "area", "type": "polygon", "required": False},
]

SPOTS = [[0, 0], [2, 2], [4, 2], [5, 5], [-1.5, 0.25], [179.5, -80]]
WAYS = [
    [[0, 0], [4, 4]],
    [[2, 2], [0, 0]],
    [[0, 4], [4, 0], [6, 0]],
    [[4, -1], [4, 7]],
    [[1, 1], [3, 1], [2, 3], [1, 1]],
    [[-20, 10.5], [-30, 10.25]],
]
AREAS = [
    [[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]],
    [[[0, 0], [0, 4], [4, 4], [4, 0], [0, 0]], [[1, 1], [3, 1], [2, 3], [1, 1]]],
    [[[4, 0], [8, 0], [8, 4], [4, 4], [4, 0]]],
    [[[2, 2], [6, 2], [6, 6], [2, 2]]],
    [[[1.5, 1.5], [2.5, 1.5], [2, 2.5], [1.5, 1.5]]],
]

DOMAINS: dict[str, list[Any]] = {
    "text": TEXTS,
    "number": NUMBERS,
    "ratio": FLOATS,
    "flag": [True, False],
    "moment": MOMENTS,
    "kind": KINDS,
    "words": TEXTS,
    "numbers": NUMBERS,
    "spot": SPOTS,
    "way": WAYS,
    "area": AREAS,
}
ARRAYS = ("words", "numbers")
PLACES = ("spot", "way", "area")
SCALARS = tuple(name for name in DOMAINS if name not in ARRAYS and name not in PLACES)
LOOKED_FOR = ("text", "kind")
PATTERNS = ["^a", "b$", "e", "^.$", "[a-z]+%", "r(e|x)d", "^$", "a_?b?", r"\\$"]

COMPARISONS = ("lessThan", "lessThanEqual", "greaterThan", "greaterThanEqual", "notEqual")
LIKENESSES = ("contains", "notContains", "startsWith", "notStartsWith", "endsWith", "notEndsWith")
RELATIONS = ("intersects", "crosses", "overlaps", "touches", "covers", "contains", "spatialEquals")
DISTANCES = ("distanceLessThan", "distanceGreaterThan", "distanceEqual", "distanceNotEqual")
OVERLAPS = ("contains", "containsAny", "containsAll", "notContains")


def values(chance: Random, names: list[str]) -> dict[str, Any]:
    """Values of these columns; each may be missing."""
    return {name: value(chance, name) for name in names}


def value(chance: Random, name: str) -> Any:
    if chance.random() < 0.25:
        return None
    if name in ARRAYS:
        return chance.choices(DOMAINS[name], k=chance.randint(0, 3))
    return chance.choice(DOMAINS[name])


OPERATORS: dict[str, tuple[str, list[list[Any]]]] = {
    "number": ("increment", [[1], [3], [2**53]]),
    "ratio": ("multiply", [[2], [-2]]),
    "flag": ("toggle", [[]]),
    "words": ("arrayAppend", [[["a", "z\\"]], [[]]]),
    "text": ("stringConcat", [["x"], ["%\\"], [""]]),
}
"""What can be done to columns instead of setting them: the method, and what it may be given."""


def operators(chance: Random, data: dict[str, Any]) -> dict[str, Any]:
    """The same data with some of the values left to operators."""
    sent = dict(data)
    for name in data.keys() & OPERATORS.keys():
        if chance.random() < 0.15:
            method, given = OPERATORS[name]
            sent[name] = json.dumps({"method": method, "values": chance.choice(given)})
    return sent


NESTED = ("text", "number", "flag", "words")
"""The columns of rows that are written inside others."""


def nested_values(chance: Random) -> dict[str, Any]:
    """Values for some of these columns, or for none."""
    return values(chance, chance.sample(NESTED, chance.randint(0, 2)))


def some_columns(chance: Random) -> list[str]:
    return chance.sample(list(DOMAINS), chance.randint(1, len(DOMAINS)))


def permissions(chance: Random, roles: list[str]) -> list[str] | None:
    """Permissions for a row, or nothing said of them."""
    if chance.random() < 0.3:
        return None
    actions = ("read", "read", "update", "delete", "write")
    return [
        f'{chance.choice(actions)}("{chance.choice(roles)}")'
        for _ in range(chance.choice((0, 1, 2, 3, 4, 9)))
    ]


Ways = Mapping[str, Sequence[str]]
"""The relations of rows, with ids that rows behind them may have."""


def queries(chance: Random, rows: list[Row], relations: Ways) -> list[Query]:
    """Queries of a list: filters, orders, a page, a cursor; also on the rows behind the relations."""
    asked = [a_filter(chance, relations, depth=0) for _ in range(chance.choice((0, 1, 1, 2, 3)))]
    names = ["$id", "$sequence", "$createdAt", *SCALARS]
    for name in chance.sample(names, chance.choice((0, 0, 1, 1, 2, 3))):
        asked.append({"method": chance.choice(("orderAsc", "orderDesc")), "attribute": name})
    if chance.random() < 0.04:
        asked.append({"method": "orderRandom"})
    elif any(each["method"] == "search" for each in asked):  # or else what fits best comes first
        asked.append({"method": chance.choice(("orderAsc", "orderDesc")), "attribute": "$sequence"})
    if chance.random() < 0.5:
        asked.append({"method": "limit", "values": [chance.choice((1, 2, 5, 100))]})
    if chance.random() < 0.25:
        asked.append({"method": "offset", "values": [chance.choice((0, 1, 3, 50))]})
    if rows and chance.random() < 0.3:
        at = chance.choice(rows)["$id"] if chance.random() < 0.9 else "nobody"
        asked.append({"method": chance.choice(("cursorAfter", "cursorBefore")), "values": [at]})
    if chance.random() < 0.2:
        expanded = [f"{key}.{chance.choice(('*', 'text', 'words'))}" for key in relations]
        asked.append({"method": "select", "values": some_columns(chance) + expanded})
    chance.shuffle(asked)
    return asked


def aggregates(chance: Random) -> list[Query]:
    """Queries that put rows together."""
    asked = [a_filter(chance, {}, depth=2) for _ in range(chance.choice((0, 0, 1)))]
    groups = chance.sample(("kind", "flag"), chance.randint(0, 2))
    asked += [{"method": "groupBy", "values": [name]} for name in groups]
    for name in chance.sample(("number", "text", "moment", "flag"), chance.randint(1, 3)):
        methods = ("count", "countDistinct") if name == "flag" else ("count", "countDistinct", "min", "max")
        asked.append({"method": chance.choice(methods), "attribute": name, "values": [f"of_{name}"]})
    asked.append({"method": "limit", "values": [100]})
    return asked


def a_filter(chance: Random, relations: Ways, depth: int) -> Query:
    if depth < 3 and chance.random() < 0.25:
        inner = [a_filter(chance, relations, depth + 1) for _ in range(chance.randint(1, 3))]
        return {"method": chance.choice(("and", "or")), "values": inner}
    if relations and chance.random() < 0.3:
        key = chance.choice(list(relations))
        if chance.random() < 0.3:
            return {"method": chance.choice(("isNull", "isNotNull")), "attribute": key}
        if relations[key] and chance.random() < 0.2:
            return {"method": "equal", "attribute": key, "values": chance.choices(relations[key], k=2)}
        asked = a_filter(chance, {}, depth=3)
        if "exists" in asked["method"].lower():  # it names columns rather than a way to them
            return asked
        return {**asked, "attribute": f"{key}.{asked['attribute']}"}
    if chance.random() < 0.1:
        return _by_place(chance)
    roll = chance.random()
    if roll < 0.03:
        names = chance.sample(list(DOMAINS), chance.randint(1, 3))
        return {"method": chance.choice(("exists", "notExists")), "attribute": "", "values": names}
    if roll < 0.045:
        words = chance.choice(SEARCHES)
        return {"method": chance.choice(("search", "notSearch")), "attribute": "text", "values": [words]}
    if roll < 0.06:
        name = chance.choice(LOOKED_FOR)
        return {"method": "regex", "attribute": name, "values": [chance.choice(PATTERNS)]}
    if roll < 0.15:
        name = chance.choice(list(DOMAINS))
        return {"method": chance.choice(("isNull", "isNotNull")), "attribute": name}
    if roll < 0.3:
        name = chance.choice(ARRAYS)
        return {"method": chance.choice(OVERLAPS), "attribute": name, "values": _some(chance, name)}
    if roll < 0.5:
        name = chance.choice(LOOKED_FOR)
        return {"method": chance.choice(LIKENESSES), "attribute": name, "values": _some(chance, "text")}
    name = chance.choice(SCALARS)
    if roll < 0.65:
        return {"method": "equal", "attribute": name, "values": _some(chance, name)}
    if roll < 0.75 and name != "flag":
        bounds = sorted(chance.choices(DOMAINS[name], k=2))
        return {"method": chance.choice(("between", "notBetween")), "attribute": name, "values": bounds}
    return {
        "method": chance.choice(COMPARISONS),
        "attribute": name,
        "values": [chance.choice(DOMAINS[name])],
    }


def _by_place(chance: Random) -> Query:
    name, place = chance.choice(PLACES), chance.choice([*SPOTS, *WAYS, *AREAS])
    if chance.random() < 0.3:
        asked = [place, chance.choice([0, 0.5, 2, 5, 40.5]), False]
        return {"method": chance.choice(DISTANCES), "attribute": name, "values": [asked]}
    method = chance.choice(RELATIONS)
    if chance.random() < 0.4:
        method = f"not{method[0].upper()}{method[1:]}"
    return {"method": method, "attribute": name, "values": [place]}


def _some(chance: Random, name: str) -> list[Any]:
    return chance.choices(DOMAINS[name], k=chance.randint(1, 3))
