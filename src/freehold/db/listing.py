"""Lists of the platform's own resources: queries turned into SQL over a fixed set of attributes.

    TEAMS = Listing(
        columns="t.id, t.name",
        source="freehold.teams t",
        id="t.id",
        attributes={"name": text("t.name"), "$createdAt": moment("t.created_at")},
        search=("t.id", "t.name"),
    )
    found = await listing.fetch(db, TEAMS, queries, where={"t.project_id = {}": project_id})

What a caller sends becomes a bound value, always; only what stands in a `Listing` becomes SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from freehold.db.pool import Queries, Record
from freehold.db.queries import MAX_TOTAL, Query, escaped_like, page, parse
from freehold.errors import CursorNotFound, InvalidQuery

MAX_LIMIT = 5000

Kind = Literal["text", "moment", "flag", "number", "list"]


class Attribute(NamedTuple):
    """What an attribute is in SQL. The expression is never null, so that cursors work on it."""

    sql: str
    kind: Kind


def text(sql: str) -> Attribute:
    return Attribute(sql, "text")


def moment(sql: str) -> Attribute:
    return Attribute(f"coalesce({sql}, '-infinity')", "moment")


def flag(sql: str) -> Attribute:
    return Attribute(sql, "flag")


def number(sql: str) -> Attribute:
    return Attribute(sql, "number")


def texts(sql: str) -> Attribute:
    """An array of text."""
    return Attribute(sql, "list")


@dataclass(frozen=True)
class Listing:
    """What can be listed, and what can be asked of it."""

    columns: str
    source: str
    """The FROM clause."""
    id: str
    attributes: Mapping[str, Attribute]
    search: Sequence[str] = ()
    """The expressions in which `search` looks for its words."""
    created_at: str = ""
    """The moment by which the list is in order when nothing else is asked for."""


class Found(NamedTuple):
    """A page of a list, and how many there are in all."""

    total: int
    rows: list[Record]


async def fetch(
    db: Queries,
    listing: Listing,
    queries: Sequence[str],
    *,
    where: Mapping[str, Any],
    search: str = "",
    total: bool = True,
) -> Found:
    """Find a page. `where` holds conditions that always hold, with `{}` for their value.

    Raises InvalidQuery, CursorNotFound.
    """
    asked = page(parse(queries))
    if asked.select:
        raise InvalidQuery(reason="`select` cannot be used in this list.")
    if asked.limit > MAX_LIMIT:
        raise InvalidQuery(reason=f"a page of this list has at most {MAX_LIMIT} entries.")
    statement = _Statement(listing)
    for condition, value in where.items():
        statement.always(condition, value)
    for query in asked.filters:
        statement.conditions.append(statement.filter(query))
    for word in search.split()[:20]:
        statement.search(word)
    counted = 0
    if total:
        counted = await db.value(statement.count(), *statement.values)
    orders = statement.orders(asked.orders)
    if asked.cursor:
        await statement.start_at(db, asked.cursor, orders, backwards=asked.backwards)
    sql = statement.select(orders, asked.limit, asked.offset, backwards=asked.backwards)
    rows = await db.rows(sql, *statement.values)
    if asked.backwards:
        rows.reverse()
    return Found(counted, rows)


_SEQUENCE = "$sequence"
"""What resources are numbered by as they are made: an order of every list, and not a value to filter by."""


class _Order(NamedTuple):
    sql: str
    descending: bool
    kind: Kind


class _Statement:
    """The statement as it grows."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.conditions: list[str] = []
        self.values: list[Any] = []
        self._always = 0

    def bind(self, value: Any, cast: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{cast}"

    def always(self, condition: str, value: Any) -> None:
        self.values.append(value)
        self.conditions.append(condition.replace("{}", f"${len(self.values)}"))
        self._always += 1

    def search(self, word: str) -> None:
        value = self.bind(f"%{escaped_like(word)}%", "text")
        self.conditions.append(
            "(" + " or ".join(f"{each} ilike {value}" for each in self.listing.search) + ")"
            if self.listing.search
            else "false"
        )

    def filter(self, query: Query) -> str:
        if query.method in ("and", "or"):
            return "(" + f" {query.method} ".join(self.filter(each) for each in query.values) + ")"
        attribute = self._attribute(query.attribute)
        if attribute.kind == "list":
            return self._filter_list(query, attribute)
        build = _FILTERS.get(query.method)
        if build is None or (query.method in _ON_TEXT and attribute.kind != "text"):
            raise InvalidQuery(reason=f"`{query.method}` cannot be used on `{query.attribute}`.")
        return build(self, attribute, self._read(query, attribute))

    def _attribute(self, name: str) -> Attribute:
        attribute = self.listing.attributes.get(name)
        if attribute is None:
            known = ", ".join(self.listing.attributes)
            raise InvalidQuery(reason=f"the attribute `{name[:100]}` is not one of {known}.")
        return attribute

    def _read(self, query: Query, attribute: Attribute) -> list[Any]:
        count = _COUNTS.get(query.method)
        if len(query.values) != count if count is not None else not query.values:
            expected = {0: "no value", 1: "one value", 2: "two values", None: "a value"}[count]
            raise InvalidQuery(reason=f"`{query.method}` takes {expected}.")
        return [_typed(value, attribute.kind, query) for value in query.values]

    def _filter_list(self, query: Query, attribute: Attribute) -> str:
        operator = _LIST_OPERATORS.get(query.method)
        if query.method == "notContains":
            return f"not ({self._filter_list(Query('contains', query.attribute, query.values), attribute)})"
        if operator is None or not query.values:
            raise InvalidQuery(reason=f"`{query.method}` cannot be used on `{query.attribute}`.")
        values = [_typed(value, "text", query) for value in query.values]
        return f"{attribute.sql} {operator} {self.bind(values, 'text[]')}"

    def count(self) -> str:
        return (
            f"select count(*) from (select 1 from {self.listing.source} where {self._where()} "
            f"limit {MAX_TOTAL}) counted"
        )

    def orders(self, asked: Sequence[Query]) -> list[_Order]:
        orders: list[_Order] = []
        for query in asked:
            if query.method == "orderRandom":
                raise InvalidQuery(reason="`orderRandom` cannot be used in this list.")
            if not query.attribute:
                continue  # the order of creation, which comes last anyhow
            if query.attribute == _SEQUENCE and self.listing.created_at:
                orders.append(_Order(self.listing.created_at, query.method == "orderDesc", "moment"))
                continue
            attribute = self._attribute(query.attribute)
            if attribute.kind == "list":
                raise InvalidQuery(reason=f"a list cannot be in the order of `{query.attribute}`.")
            orders.append(_Order(attribute.sql, query.method == "orderDesc", attribute.kind))
        last = bool(orders) and orders[-1].descending
        if not orders:
            last = bool(asked) and asked[-1].method == "orderDesc"
            if self.listing.created_at:
                orders.append(_Order(self.listing.created_at, last, "moment"))
        return [*orders, _Order(self.listing.id, last, "text")]

    async def start_at(self, db: Queries, cursor: str, orders: list[_Order], *, backwards: bool) -> None:
        """Begin after the row that the cursor names, or end before it. Raises CursorNotFound."""
        wanted = ", ".join(order.sql for order in orders)
        seen = " and ".join(self.conditions[: self._always]) or "true"
        values = [*self.values[: self._always], cursor]
        row = await db.row(
            f"select {wanted} from {self.listing.source} where {seen} and {self.listing.id} = ${len(values)}",
            *values,
        )
        if row is None:
            raise CursorNotFound(id=cursor)
        bound = [self.bind(row[at], _CASTS[order.kind]) for at, order in enumerate(orders)]
        ways: list[str] = []
        for at, order in enumerate(orders):
            equal = [f"{orders[before].sql} = {bound[before]}" for before in range(at)]
            beyond = "<" if order.descending != backwards else ">"
            ways.append("(" + " and ".join([*equal, f"{order.sql} {beyond} {bound[at]}"]) + ")")
        self.conditions.append("(" + " or ".join(ways) + ")")

    def select(self, orders: list[_Order], limit: int, offset: int, *, backwards: bool) -> str:
        by = ", ".join(
            f"{order.sql} {'desc' if order.descending != backwards else 'asc'}" for order in orders
        )
        page_of = f"limit {self.bind(limit, 'bigint')} offset {self.bind(offset, 'bigint')}"
        return (
            f"select {self.listing.columns} from {self.listing.source} "
            f"where {self._where()} order by {by} {page_of}"
        )

    def _where(self) -> str:
        return " and ".join(self.conditions) or "true"


_CASTS: dict[Kind, str] = {
    "text": "text",
    "moment": "timestamptz",
    "flag": "boolean",
    "number": "bigint",
    "list": "text[]",
}

_Build = Callable[[_Statement, Attribute, list[Any]], str]


def _compare(operator: str) -> _Build:
    return lambda statement, attribute, values: (
        f"{attribute.sql} {operator} {statement.bind(values[0], _CASTS[attribute.kind])}"
    )


def _among(negated: bool) -> _Build:
    operator = "<> all" if negated else "= any"
    return lambda statement, attribute, values: (
        f"{attribute.sql} {operator}({statement.bind(values, _CASTS[attribute.kind] + '[]')})"
    )


def _between(negated: bool) -> _Build:
    word = "not between" if negated else "between"

    def build(statement: _Statement, attribute: Attribute, values: list[Any]) -> str:
        low, high = (statement.bind(value, _CASTS[attribute.kind]) for value in values)
        return f"{attribute.sql} {word} {low} and {high}"

    return build


def _like(before: str, after: str, *, negated: bool = False) -> _Build:
    word = "not like all" if negated else "like any"
    return lambda statement, attribute, values: (
        f"{attribute.sql} {word}"
        f"({statement.bind([f'{before}{escaped_like(value)}{after}' for value in values], 'text[]')})"
    )


def _empty(negated: bool) -> _Build:
    # Attributes are never null; an absent text is an empty one, an absent moment the beginning of time.
    operator = "<>" if negated else "="
    nothing = {"text": "''", "moment": "'-infinity'"}

    def build(statement: _Statement, attribute: Attribute, values: list[Any]) -> str:
        if attribute.kind not in nothing:
            return "true" if negated else "false"
        return f"{attribute.sql} {operator} {nothing[attribute.kind]}"

    return build


_FILTERS: dict[str, _Build] = {
    "equal": _among(negated=False),
    "notEqual": _among(negated=True),
    "lessThan": _compare("<"),
    "lessThanEqual": _compare("<="),
    "greaterThan": _compare(">"),
    "greaterThanEqual": _compare(">="),
    "between": _between(negated=False),
    "notBetween": _between(negated=True),
    "isNull": _empty(negated=False),
    "isNotNull": _empty(negated=True),
    "contains": _like("%", "%"),
    "containsAny": _like("%", "%"),
    "notContains": _like("%", "%", negated=True),
    "startsWith": _like("", "%"),
    "notStartsWith": _like("", "%", negated=True),
    "endsWith": _like("%", ""),
    "notEndsWith": _like("%", "", negated=True),
}
_ON_TEXT = frozenset(
    ("contains", "containsAny", "notContains", "startsWith", "notStartsWith", "endsWith", "notEndsWith")
)
_LIST_OPERATORS = {"contains": "&&", "containsAny": "&&", "containsAll": "@>", "equal": "="}
_COUNTS = {
    "lessThan": 1,
    "lessThanEqual": 1,
    "greaterThan": 1,
    "greaterThanEqual": 1,
    "between": 2,
    "notBetween": 2,
    "isNull": 0,
    "isNotNull": 0,
}


_SAYS: dict[Kind, str] = {
    "text": "text",
    "moment": "a time such as 2026-08-21T12:00:00.000+00:00",
    "flag": "true or false",
    "number": "a whole number",
    "list": "texts",
}


def _typed(value: Any, kind: Kind, query: Query) -> Any:
    """The value as the driver wants it. Raises InvalidQuery when it is of another kind."""
    if kind == "text" and isinstance(value, str) and "\0" not in value:
        return value
    if kind == "flag" and isinstance(value, bool):
        return value
    if (
        kind == "number"
        and isinstance(value, int)
        and not isinstance(value, bool)
        and -(2**63) <= value < 2**63
    ):
        return value
    if kind == "moment" and isinstance(value, str):
        try:
            read = datetime.fromisoformat(value)
            return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise InvalidQuery(reason=f"`{query.method}` on `{query.attribute}` takes {_SAYS[kind]}.")
