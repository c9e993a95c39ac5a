"""Queries as SDKs send them, `{"method": "equal", "attribute": "a", "values": ["x"]}`: read and bounded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from freehold.errors import CursorNotFound, InvalidQuery

MAX_QUERIES = 100
MAX_CHARACTERS = 4096
MAX_BODY_CHARACTERS = 524_288
"""Of a query that comes in a body rather than in a URL."""
MAX_VALUES = 500
MAX_NESTING = 5
DEFAULT_LIMIT = 25
MAX_LIMIT = 100_000
MAX_OFFSET = 10_000_000
MAX_TOTAL = 5000
"""Nobody counts further: a total of 5000 means that many or more."""

FILTERS = frozenset(
    (
        "equal", "notEqual", "lessThan", "lessThanEqual", "greaterThan", "greaterThanEqual", "between",
        "notBetween", "isNull", "isNotNull", "contains", "containsAny", "containsAll", "notContains",
        "startsWith", "notStartsWith", "endsWith", "notEndsWith", "search", "notSearch", "regex",
        "exists", "notExists",
        "intersects", "notIntersects", "crosses", "notCrosses", "overlaps", "notOverlaps", "touches",
        "notTouches", "covers", "notCovers", "spatialEquals", "notSpatialEquals", "distanceEqual",
        "distanceNotEqual", "distanceGreaterThan", "distanceLessThan",
    )
)  # fmt: skip
GROUPS = frozenset(("and", "or"))
ORDERS = frozenset(("orderAsc", "orderDesc", "orderRandom"))
CURSORS = frozenset(("cursorAfter", "cursorBefore"))
PAGES = frozenset(("limit", "offset"))

AGGREGATES = frozenset(
    (
        "count", "countDistinct", "sum", "avg", "min", "max", "stddev", "stddevPop", "stddevSamp", "variance",
        "varPop", "varSamp", "bitAnd", "bitOr", "bitXor",
    )
)  # fmt: skip
GROUPING = frozenset(("groupBy", "having", "distinct"))

METHODS = FILTERS | GROUPS | ORDERS | CURSORS | PAGES | AGGREGATES | GROUPING | {"select"}

_NO_JOINS = "tables are not joined here. Follow a relationship, or ask each table"
_NO_VECTORS = "tables have no columns of vectors"
REFUSED = {
    "elemMatch": "the elements of a column's lists are single values. Ask with `contains`",
    "relationship": "related rows are chosen by `select`, and filtered by dotted attributes",
    "join": _NO_JOINS,
    "leftJoin": _NO_JOINS,
    "rightJoin": _NO_JOINS,
    "fullOuterJoin": _NO_JOINS,
    "crossJoin": _NO_JOINS,
    "on": _NO_JOINS,
    "vectorDot": _NO_VECTORS,
    "vectorCosine": _NO_VECTORS,
    "vectorEuclidean": _NO_VECTORS,
}
"""What SDKs can send and tables cannot answer, and why."""


def escaped_like(text: str) -> str:
    """Text with the wildcards of LIKE taken literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


class Query(msgspec.Struct, frozen=True):
    """One query. The values of `and` and `or` are queries themselves."""

    method: str
    attribute: str = ""
    values: tuple[Any, ...] = ()


class _Raw(msgspec.Struct):
    method: str
    attribute: str | list[str] | None = None
    values: list[Any] | None = None


_decoder = msgspec.json.Decoder(_Raw)


def parse(texts: Sequence[str], *, most: int = MAX_CHARACTERS) -> list[Query]:
    """Read the `queries` parameter, each of at most so many characters. Raises InvalidQuery."""
    if len(texts) > MAX_QUERIES:
        raise InvalidQuery(reason=f"at most {MAX_QUERIES} queries can be sent, these are {len(texts)}.")
    return [_parse(text, most) for text in texts]


def _parse(text: str, most: int) -> Query:
    if len(text) > most:
        raise InvalidQuery(reason=f"a query has at most {most} characters.")
    try:
        raw = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidQuery(
            reason=f"`{text[:100]}` is not a JSON object with `method`, `attribute` and `values`."
        ) from error
    return _checked(raw, 1)


def _checked(raw: _Raw, depth: int) -> Query:
    if raw.method in REFUSED:
        raise InvalidQuery(reason=f"`{raw.method}` cannot be asked: {REFUSED[raw.method]}.")
    if raw.method not in METHODS:
        raise InvalidQuery(reason=f"the method `{raw.method[:100]}` is not known.")
    if raw.attribute is not None and not isinstance(raw.attribute, str):
        raise InvalidQuery(reason=f"`{raw.method}` takes one attribute.")
    values = raw.values or []
    if len(values) > MAX_VALUES:
        raise InvalidQuery(
            reason=f"a query has at most {MAX_VALUES} values, `{raw.method}` has {len(values)}."
        )
    if raw.method in GROUPS or raw.method == "having":
        if depth >= MAX_NESTING:
            raise InvalidQuery(reason=f"queries can be nested {MAX_NESTING} levels deep.")
        if not values:
            raise InvalidQuery(reason=f"`{raw.method}` needs at least one query.")
        return Query(raw.method, "", tuple(_nested(value, depth) for value in values))
    return Query(raw.method, raw.attribute or "", tuple(values))


def _nested(value: Any, depth: int) -> Query:
    try:
        raw = _decoder.decode(value) if isinstance(value, str) else msgspec.convert(value, _Raw)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError, RecursionError) as error:
        raise InvalidQuery(reason="`and`, `or` and `having` take queries.") from error
    query = _checked(raw, depth + 1)
    if query.method not in FILTERS and query.method not in GROUPS:
        raise InvalidQuery(reason=f"`{query.method}` cannot stand inside another query.")
    return query


class HasKey(Protocol):
    """A thing that is known by a key."""

    @property
    def key(self) -> str: ...


Keyed = TypeVar("Keyed", bound=HasKey)


class Page(msgspec.Struct, frozen=True):
    """What a list of queries asks for, sorted by kind."""

    filters: tuple[Query, ...] = ()
    orders: tuple[Query, ...] = ()
    select: tuple[str, ...] = ()
    limit: int = DEFAULT_LIMIT
    limited: bool = False
    """The limit was asked for."""
    offset: int = 0
    cursor: str = ""
    backwards: bool = False
    """The page ends before the cursor, rather than beginning after it."""
    aggregates: tuple[Query, ...] = ()
    """What is worked out of the rows, rather than the rows."""
    groups: tuple[str, ...] = ()
    having: tuple[Query, ...] = ()


def page(queries: Sequence[Query], *, aggregates: bool = False, most: int = MAX_LIMIT) -> Page:
    """Sort queries by kind; of two limits, offsets or cursors the first counts. Raises InvalidQuery.

    `aggregates` lets rows be put together, which only lists of rows can do. At most `most` can be asked for.
    """
    filters: list[Query] = []
    orders: list[Query] = []
    select: list[str] = []
    found: dict[str, Query] = {}
    put_together = [query for query in queries if query.method in AGGREGATES or query.method in GROUPING]
    if put_together and not aggregates:
        raise InvalidQuery(reason=f"`{put_together[0].method}` can be asked of lists of rows only.")
    for query in queries:
        if query.method in FILTERS or query.method in GROUPS:
            filters.append(query)
        elif query.method in ORDERS:
            orders.append(query)
        elif query.method == "select":
            if not query.values or not all(isinstance(value, str) for value in query.values):
                raise InvalidQuery(reason="`select` takes the names of columns.")
            select += query.values
        elif query.method not in AGGREGATES and query.method not in GROUPING:
            found.setdefault("cursor" if query.method in CURSORS else query.method, query)
    cursor = found.get("cursor")
    return Page(
        filters=tuple(filters),
        orders=tuple(orders),
        select=tuple(dict.fromkeys(select)),
        limit=_number(found["limit"], 1, most) if "limit" in found else DEFAULT_LIMIT,
        limited="limit" in found,
        offset=_number(found["offset"], 0, MAX_OFFSET) if "offset" in found else 0,
        cursor=_cursor(cursor) if cursor is not None else "",
        backwards=cursor is not None and cursor.method == "cursorBefore",
        aggregates=tuple(query for query in put_together if query.method in AGGREGATES),
        groups=_groups(put_together, select),
        having=tuple(each for query in put_together if query.method == "having" for each in query.values),
    )


def _groups(put_together: Sequence[Query], select: Sequence[str]) -> tuple[str, ...]:
    """What rows are grouped by. The distinct values of the selected columns are groups by these."""
    groups: list[str] = []
    for query in put_together:
        if query.method == "groupBy":
            if not query.values or not all(isinstance(value, str) for value in query.values):
                raise InvalidQuery(reason="`groupBy` takes the names of columns.")
            groups += query.values
    methods = {query.method for query in put_together}
    if "distinct" in methods:
        if methods != {"distinct"} or not select or "*" in select:
            raise InvalidQuery(reason="`distinct` goes with a `select` of columns, and nothing to work out.")
        groups += select
    elif put_together and not groups and methods == {"having"}:
        raise InvalidQuery(reason="`having` filters groups. Without any, use filters alone.")
    return tuple(dict.fromkeys(groups))


def of_keyed(listed: Sequence[Keyed], wanted: Page) -> list[Keyed]:
    """A page of things that are known by a key and come in an order of their own.

    Raises CursorNotFound, InvalidQuery.
    """
    if wanted.orders:
        raise InvalidQuery(reason="this list comes in the order in which its entries were made.")
    start, end = 0, len(listed)
    if wanted.cursor:
        at = next((at for at, each in enumerate(listed) if each.key == wanted.cursor), None)
        if at is None:
            raise CursorNotFound(id=wanted.cursor)
        start, end = (0, at) if wanted.backwards else (at + 1, end)
    if wanted.backwards:
        end = max(0, end - wanted.offset)
        return list(listed[max(start, end - wanted.limit) : end])
    start += wanted.offset
    return list(listed[start : start + wanted.limit])


def _number(query: Query, least: int, most: int) -> int:
    value = query.values[0] if len(query.values) == 1 else None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidQuery(reason=f"`{query.method}` takes a whole number from {least} to {most}.")
    return value


def _cursor(query: Query) -> str:
    value = query.values[0] if len(query.values) == 1 else None
    if isinstance(value, dict):  # SDKs may send the whole row
        value = value.get("$id")
    if not isinstance(value, str) or not 1 <= len(value) <= 36:
        raise InvalidQuery(reason=f"`{query.method}` takes the id of a row.")
    return value
