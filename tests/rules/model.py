"""The rules of rows, as plainly as they can be told: a list of rows, a loop over it, an if for each rule.

It shares no code with the platform. `None` is SQL's unknown: a filter on a missing value is neither true nor
false, and only rows for which the filters are true are answered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import Any, Literal

from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

Row = dict[str, Any]
Query = dict[str, Any]

COUNTED = 5000

DATABASE = "db"


@dataclass(frozen=True)
class Caller:
    """Who asks, and which roles it holds. One that is privileged is asked for no permission."""

    name: str
    roles: frozenset[str]
    user_id: str = ""
    privileged: bool = False


class Refused(Exception):
    """The rules refuse: a status, and the type of the error."""

    def __init__(self, status: int, type_: str) -> None:
        super().__init__(status, type_)
        self.answer = (status, type_)


NOT_FOUND = (404, "row_not_found")
UNAUTHORIZED = (401, "user_unauthorized")
RESTRICTED = (403, "row_delete_restricted")
NO_SUCH_RELATED = (400, "relationship_value_invalid")
NOT_UNIQUE = (409, "row_unique_constraint_violation")
STRUCTURE = (400, "row_invalid_structure")
BOUND = (400, "column_limit_exceeded")


@dataclass(frozen=True)
class Links:
    """The ties of many rows with many, seen from one side: pairs of this table's ids and the other's."""

    pairs: set[tuple[str, str]]
    is_far: bool = False
    """Whether the pairs name the other table's row first."""

    def tie(self, row_id: str, other_id: str) -> bool:
        """Whether the two rows are tied."""
        return self._pair(row_id, other_id) in self.pairs

    def add(self, row_id: str, other_id: str) -> None:
        self.pairs.add(self._pair(row_id, other_id))

    def remove(self, row_id: str, other_id: str) -> None:
        self.pairs.remove(self._pair(row_id, other_id))

    def forget(self, row_id: str) -> None:
        """Undo all ties of this table's row."""
        self.pairs.difference_update([pair for pair in self.pairs if pair[self.is_far] == row_id])

    def _pair(self, row_id: str, other_id: str) -> tuple[str, str]:
        return (other_id, row_id) if self.is_far else (row_id, other_id)


@dataclass(frozen=True)
class Relation:
    """A relationship of a table's rows: with the row whose id stands in `key`, with those that name them by
    `key`, or by links."""

    table: Table
    key: str
    back: str
    """What the other table calls the relationship."""
    to_many: bool
    on_delete: Literal["cascade", "setNull", "restrict"]
    holds: bool = False
    """Whether `key` is a column of this table."""
    is_unique: bool = False
    """Whether no two rows name the same one."""
    links: Links | None = None


@dataclass
class Table:
    """A table, with its rows in the order in which they were made."""

    id: str
    permissions: frozenset[str]
    row_security: bool
    columns: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)
    relations: dict[str, Relation] = field(default_factory=dict)

    def own_relations(self) -> list[str]:
        """The relationships that stand in the table's own rows."""
        return [key for key, relation in self.relations.items() if relation.holds]

    def row(self, row_id: str) -> Row | None:
        return next((row for row in self.rows if row["$id"] == row_id), None)

    def lets(self, caller: Caller, action: str, row: Row | None = None) -> bool:
        """Whether the caller may: by the table's own permissions, or by the row's where those count."""
        if caller.privileged:
            return True
        listed = set(self.permissions)
        if row is not None and self.row_security:
            listed |= set(row["$permissions"])
        return any(f'{action}("{role}")' in listed for role in caller.roles)

    def related(self, caller: Caller, row: Row, key: str) -> list[Row]:
        """The related rows, of which the caller knows only those that it may read."""
        relation = self.relations[key]
        if relation.links is not None:
            found = [other for other in relation.table.rows if relation.links.tie(row["$id"], other["$id"])]
        elif relation.holds:
            found = [other for other in relation.table.rows if other["$id"] == row[relation.key]]
        else:
            found = [other for other in relation.table.rows if other[relation.key] == row["$id"]]
        return [other for other in found if relation.table.lets(caller, "read", other)]

    def holds(self, caller: Caller, query: Query, row: Row) -> bool | None:
        """Whether a filter holds of a row: True, False, or None for unknown."""
        method, values = query["method"], query.get("values", [])
        if method == "and":
            return _all([self.holds(caller, each, row) for each in values])
        if method == "or":
            return _not(_all([_not(self.holds(caller, each, row)) for each in values]))
        if method in ("exists", "notExists"):
            return holds(query, row)
        key, _, further = query["attribute"].partition(".")
        if key not in self.relations or (not further and self.relations[key].holds):
            return holds(query, row)  # the id of a related row is a value like others
        related = self.related(caller, row, key)
        if not further and method in ("isNull", "isNotNull"):
            return (method == "isNotNull") == bool(related)
        asked = {**query, "attribute": further or "$id"}
        if not further and method == "contains":
            asked["method"] = "equal"  # which of the related rows, by their ids
        table = self.relations[key].table
        return any(table.holds(caller, asked, other) is True for other in related)

    # -- reading

    def get(self, caller: Caller, row_id: str) -> Row:
        row = self.row(row_id)
        if row is None or not self.lets(caller, "read", row):
            raise Refused(*NOT_FOUND)
        return row

    def find(self, caller: Caller, queries: Sequence[Query]) -> tuple[int, list[Row]]:
        """The total and the page."""
        if not self.row_security and not self.lets(caller, "read"):
            raise Refused(*UNAUTHORIZED)
        readable = [row for row in self.rows if self.lets(caller, "read", row)]
        filters = [query for query in queries if query["method"] not in NOT_FILTERS]
        fitting = [row for row in readable if all(self.holds(caller, each, row) is True for each in filters)]
        cursor = next((query for query in queries if query["method"].startswith("cursor")), None)
        if cursor is not None and is_random(queries):
            raise Refused(400, "general_query_invalid")
        orders = [
            (query.get("attribute") or "$sequence", query["method"] == "orderDesc")
            for query in queries
            if query["method"] in ("orderAsc", "orderDesc")
        ]
        orders = [*orders, ("$sequence", orders[-1][1] if orders else False)]
        unique = next(at for at, (name, _) in enumerate(orders) if name in ("$id", "$sequence"))
        orders = orders[: unique + 1]  # what is beyond it never decides
        fitting.sort(key=cmp_to_key(lambda one, other: _compare(one, other, orders)))
        limit = next((query["values"][0] for query in queries if query["method"] == "limit"), 25)
        offset = next((query["values"][0] for query in queries if query["method"] == "offset"), 0)
        total = min(len(fitting), COUNTED)
        if cursor is None:
            return total, fitting[offset : offset + limit]
        at = next((row for row in readable if row["$id"] == cursor["values"][0]), None)
        if at is None:
            raise Refused(400, "general_cursor_not_found")
        if any(at[name] is None for name, _ in orders):
            raise Refused(400, "database_query_order_null")
        if cursor["method"] == "cursorAfter":
            beyond = [row for row in fitting if _compare(row, at, orders) > 0]
            return total, beyond[offset : offset + limit]
        before = [row for row in fitting if _compare(row, at, orders) < 0]
        before = before[: max(0, len(before) - offset)]
        return total, before[max(0, len(before) - limit) :]

    # -- writing

    def create(self, caller: Caller, data: Row, permissions: list[str] | None) -> list[str]:
        """The permissions that the new row is given."""
        if not self.lets(caller, "create"):
            raise Refused(*UNAUTHORIZED)
        self.may_link(caller, data)
        if permissions is None:
            actions = ("read", "update", "delete") if caller.user_id else ()
            return [f'{action}("user:{caller.user_id}")' for action in actions]
        return may_grant(caller, permissions)

    def changeable(
        self,
        caller: Caller,
        action: str,
        row_id: str,
        data: Row | None = None,
        permissions: list[str] | None = None,
    ) -> tuple[Row, list[str] | None]:
        """The row, and the permissions that it is given, when any are.

        What is sent is looked at before the row is, but only of a caller that may change some row at all.
        """
        granted = None
        if self.row_security or self.lets(caller, action):
            self.may_link(caller, data or {})
            granted = None if permissions is None else may_grant(caller, permissions)
        row = self.row(row_id)
        if row is None:
            raise Refused(*NOT_FOUND)
        if not self.lets(caller, action, row):
            raise Refused(*UNAUTHORIZED)
        return row, granted

    def upsertable(
        self, caller: Caller, row_id: str, data: Row, permissions: list[str] | None
    ) -> tuple[Row | None, list[str] | None]:
        """The row that is changed, or none when it is made; and the permissions that it is given, if any."""
        self.may_link(caller, data)
        granted = None
        makes = self.lets(caller, "create")
        if makes or self.row_security or self.lets(caller, "update"):
            granted = None if permissions is None else may_grant(caller, permissions)
        row = self.row(row_id)
        if row is not None and self.lets(caller, "update", row):
            return row, granted
        if row is not None or not makes:
            raise Refused(*UNAUTHORIZED)
        return None, self.create(caller, data, permissions)

    def aggregate(self, caller: Caller, queries: Sequence[Query]) -> list[Row]:
        """Groups of the rows that fit, with what is worked out of them, in no order."""
        self.find(caller, [])  # which refuses what a list would
        filters = [each for each in queries if each["method"] not in (*NOT_FILTERS, *AGGREGATES, "groupBy")]
        rows = [row for row in self.rows if self.lets(caller, "read", row)]
        rows = [row for row in rows if all(self.holds(caller, each, row) is True for each in filters)]
        keys = [each["values"][0] for each in queries if each["method"] == "groupBy"]
        groups: dict[tuple[Any, ...], list[Row]] = {} if keys else {(): []}
        for row in rows:
            groups.setdefault(tuple(row[key] for key in keys), []).append(row)
        worked_out = [each for each in queries if each["method"] in AGGREGATES]
        return [
            dict(zip(keys, group, strict=True))
            | {
                each["values"][0]: AGGREGATES[each["method"]](
                    [row[each["attribute"]] for row in members if row[each["attribute"]] is not None]
                )
                for each in worked_out
            }
            for group, members in groups.items()
        ]

    def must_be_the_only_one(self, row: Row) -> None:
        """Of one-to-one relationships, no two rows name the same row."""
        for key, relation in self.relations.items():
            if relation.holds and relation.is_unique and row[key] is not None:
                for other in self.rows:
                    if other[key] == row[key] and other["$id"] != row["$id"]:
                        raise Refused(*NOT_UNIQUE)

    def may_link(self, caller: Caller, data: Row) -> None:
        """A row can be tied only to one that is there and that the caller may read."""
        for key, relation in self.relations.items():
            if relation.holds and data.get(key) is not None:
                other = relation.table.row(data[key])
                if other is None or not relation.table.lets(caller, "read", other):
                    raise Refused(*NO_SUCH_RELATED)

    def delete(self, *rows: Row) -> list[tuple[Table, Row]]:
        """Delete rows, with what becomes of those that are tied to them: all of that, or nothing.

        Gives the rows that are changed by it.
        """
        deleted: list[tuple[Table, Row]] = [(self, row) for row in rows]
        cleared: list[tuple[Table, Row, str]] = []
        for table, one in deleted:  # it grows meanwhile
            for relation, other in table.dependents(one):
                if relation.on_delete == "restrict":
                    raise Refused(*RESTRICTED)
                if relation.on_delete == "setNull":
                    cleared.append((relation.table, other, relation.key))
                elif (relation.table, other) not in deleted:
                    deleted.append((relation.table, other))
        for table, one in deleted:
            table.rows.remove(one)
            for relation in table.relations.values():
                if relation.links is not None:
                    relation.links.forget(one["$id"])
        for _, other, key in cleared:
            other[key] = None
        return [(table, other) for table, other, _ in cleared]

    def dependents(self, row: Row) -> list[tuple[Relation, Row]]:
        """The rows that name this one."""
        return [
            (relation, other)
            for relation in self.relations.values()
            if not relation.holds and relation.links is None
            for other in relation.table.rows
            if other[relation.key] == row["$id"]
        ]


def empty_row(table: Table, row_id: str) -> Row:
    """A row of which nothing is said but its id."""
    row: Row = dict.fromkeys([*table.columns, *table.own_relations()])
    known = {"$databaseId": DATABASE, "$tableId": table.id, "$sequence": NOT_YET}
    return row | {"$id": row_id, "$permissions": []} | known


NOT_YET = 2**63
"""The `$sequence` of a row that the platform has not told of: beyond those of all others."""


def is_random(queries: Sequence[Query]) -> bool:
    """Whether the rows are to come in no order."""
    return any(query["method"] == "orderRandom" for query in queries)


def may_grant(caller: Caller, permissions: list[str]) -> list[str]:
    """A client grants only what it holds itself; `write` is update and delete; nothing counts twice."""
    spelled: list[str] = []
    for each in permissions:
        action, role = each[:-2].split('("')
        if not caller.privileged and role not in caller.roles:
            raise Refused(*UNAUTHORIZED)
        for one in ("update", "delete") if action == "write" else (action,):
            if f'{one}("{role}")' not in spelled:
                spelled.append(f'{one}("{role}")')
    return spelled


# -- filters -----------------------------------------------------------------------------------------------

NOT_FILTERS = frozenset(
    (
        "select",
        "limit",
        "offset",
        "orderAsc",
        "orderDesc",
        "orderRandom",
        "cursorAfter",
        "cursorBefore",
    )
)


def holds(query: Query, row: Row) -> bool | None:
    """The same of a filter on one of the row's own columns."""
    method, values = query["method"], query.get("values", [])
    if method in ("exists", "notExists"):
        return all((row[name] is not None) == (method == "exists") for name in values)
    value = row[query["attribute"]]
    if method == "isNull":
        return value is None
    if method == "isNotNull":
        return value is not None
    if value is None:
        return None
    if query["attribute"] in PLACES:
        return by_place(method, value, values[0])
    return FILTERS[method](value, values)


def _all(found: list[bool | None]) -> bool | None:
    if False in found:
        return False
    return None if None in found else True


def _not(found: bool | None) -> bool | None:
    return None if found is None else not found


def _contains(value: Any, values: list[Any]) -> bool:
    if isinstance(value, list):
        return any(each in value for each in values)
    return any(each.lower() in value.lower() for each in values)


def _starts(value: str, values: list[str]) -> bool:
    return any(value.lower().startswith(each.lower()) for each in values)


def _ends(value: str, values: list[str]) -> bool:
    return any(value.lower().endswith(each.lower()) for each in values)


TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def _finds(value: str, values: list[str]) -> bool:
    """Whether all words and phrases are there; the last word may go on, and one with an asterisk."""
    there = _words(value)
    terms = TERM.findall(values[0])
    asked = [
        (_words(phrase or word), bool(word) and (at == len(terms) - 1 or word.endswith("*")))
        for at, (phrase, word) in enumerate(terms)
    ]
    asked = [(words, begins) for words, begins in asked if words]
    return bool(asked) and all(
        any(_stands_at(there[at : at + len(words)], words, begins=begins) for at in range(len(there)))
        for words, begins in asked
    )


def _stands_at(there: list[str], words: list[str], *, begins: bool) -> bool:
    return len(there) == len(words) and all(
        found.startswith(word) if begins else found == word for found, word in zip(there, words, strict=True)
    )


FILTERS: dict[str, Callable[[Any, list[Any]], bool]] = {
    "search": _finds,
    "notSearch": lambda value, values: not _finds(value, values),
    "equal": lambda value, values: value in values,
    "notEqual": lambda value, values: value != values[0],
    "lessThan": lambda value, values: value < values[0],
    "lessThanEqual": lambda value, values: value <= values[0],
    "greaterThan": lambda value, values: value > values[0],
    "greaterThanEqual": lambda value, values: value >= values[0],
    "between": lambda value, values: values[0] <= value <= values[1],
    "notBetween": lambda value, values: not values[0] <= value <= values[1],
    "contains": _contains,
    "containsAny": _contains,
    "containsAll": lambda value, values: all(each in value for each in values),
    "notContains": lambda value, values: not _contains(value, values),
    "regex": lambda value, values: re.search(values[0], value) is not None,
    "startsWith": _starts,
    "notStartsWith": lambda value, values: not _starts(value, values),
    "endsWith": _ends,
    "notEndsWith": lambda value, values: not _ends(value, values),
}


AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "countDistinct": lambda values: len(set(values)),
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
}


# -- changes -----------------------------------------------------------------------------------------------


def after(row: Row, sent: Row) -> Row:
    """What a row is once these values are set, and operators have worked on those that it has."""
    changed = dict(row)
    for name, value in sent.items():
        changed[name] = value
        if isinstance(value, str) and value.startswith('{"method"'):
            operator = json.loads(value)
            changed[name] = OPERATORS[operator["method"]](row[name], *operator["values"])
    if not -(2**63) <= (changed["number"] or 0) < 2**63 or len(changed["text"] or "") > 40:
        raise Refused(*STRUCTURE)
    if abs(changed["ratio"] or 0) == float("inf"):
        raise Refused(*STRUCTURE)
    return changed


OPERATORS: dict[str, Callable[..., Any]] = {
    "increment": lambda value, by: (value or 0) + by,
    "multiply": lambda value, by: (value or 0) * by,
    "toggle": lambda value: not value,
    "arrayAppend": lambda value, more: (value or []) + more,
    "stringConcat": lambda value, more: (value or "") + more,
}


# -- places ------------------------------------------------------------------------------------------------

PLACES = ("spot", "way", "area")


def geometry(place: Any) -> BaseGeometry:
    """A place as shapely knows it."""
    if not isinstance(place[0], list):
        return Point(place)
    if not isinstance(place[0][0], list):
        return LineString(place)
    return Polygon(place[0], place[1:])


def by_place(method: str, place: Any, asked: Any) -> bool:
    """A filter by place, as shapely answers it; distances are in degrees."""
    if method in DISTANCES:
        other, distance, _ = asked
        return DISTANCES[method](float(geometry(place).distance(geometry(other))), distance)
    if method.startswith("not"):
        return not by_place(method[3].lower() + method[4:], place, asked)
    relation = {"spatialEquals": "equals"}.get(method, method)
    return bool(getattr(geometry(place), relation)(geometry(asked)))


DISTANCES: dict[str, Callable[[float, float], bool]] = {
    "distanceEqual": lambda found, asked: found == asked,
    "distanceNotEqual": lambda found, asked: found != asked,
    "distanceLessThan": lambda found, asked: found < asked,
    "distanceGreaterThan": lambda found, asked: found > asked,
}


# -- order -------------------------------------------------------------------------------------------------


def _compare(one: Row, other: Row, orders: list[tuple[str, bool]]) -> int:
    """Below zero when the one row comes first. A missing value comes last, or first when going down."""
    for name, descending in orders:
        a, b = one[name], other[name]
        if a == b:
            continue
        first = b is None if a is None or b is None else a < b
        return -1 if first != descending else 1
    return 0
