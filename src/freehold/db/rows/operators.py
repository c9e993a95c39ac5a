"""Operators in row data, `{"method": "increment", "values": [1]}`: changes that PostgreSQL works out itself.

Each is an expression over what the column holds at that moment, so of two changes at once none is lost.
What goes beyond the column's own bounds is refused by PostgreSQL; a bound of the operator itself is kept to.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from freehold.db.rows.columns import Column
from freehold.db.rows.statement import Values
from freehold.schema.model import Kind
from freehold.schema.values import Misfit

PREFIX = '{"method"'
"""What a text has to begin with to be taken for an operator, as every SDK writes them."""


class Change(NamedTuple):
    """A column's next value as an expression over its present one."""

    column: Column
    sql: str
    arguments: list[Any]
    now: datetime | None

    def of_present(self, values: Values) -> str:
        """The expression for a row that is there."""
        return self._written(self.column.sql, values)

    def of_default(self, values: Values) -> str:
        """The expression for a row that is being made: over the column's default."""
        default = self.column.field.default
        encoded = None if default is None else self.column.encode(default)
        return self._written(f"{values.bind(encoded)}::{self.column.sql_type}", values)

    def _written(self, current: str, values: Values) -> str:
        type_ = self.column.sql_type
        # Numbers are reckoned in a wider type, so that only the result has to fit.
        wide = "double precision" if self.column.field.type.kind is Kind.FLOAT else "numeric"
        now = "now()"
        if self.now is not None and "{now}" in self.sql:
            now = f"{values.bind(self.now)}::timestamptz"
        return self.sql.format(
            *[values.bind(argument) for argument in self.arguments],
            current=current,
            number=f"coalesce({current}, 0)::{wide}",
            wide=wide,
            list=f"coalesce({current}, array[]::{type_})",
            type=type_,
            element=type_.removesuffix("[]"),
            now=now,
        )


class _Call(msgspec.Struct, forbid_unknown_fields=True):
    method: str
    values: list[Any]


_decode = msgspec.json.Decoder(_Call).decode


def read(text: str) -> _Call | None:
    """The operator that a text is; None when it is just a text."""
    try:
        call = _decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return call if call.method in OPERATORS else None


def change(column: Column, call: _Call, now: datetime | None) -> Change:
    """What the operator makes of the column; `now` is its now when that is past. Raises Misfit."""
    operator, given = OPERATORS[call.method], call.values
    if call.method == "arrayFilter":
        condition = given[0] if given else None
        if not isinstance(condition, str) or condition not in _FILTERS:
            raise Misfit(f"has a condition that is not one of {', '.join(_FILTERS)}")
        operator, given = _FILTERS[condition], given[1:]
    if column.field.encrypted:
        raise Misfit(f"is encrypted, so `{call.method}` cannot change it")
    if not operator.group.takes(column):
        raise Misfit(f"cannot be changed by `{call.method}`, which is for {operator.group.name}")
    try:
        arguments = operator.arguments(column, given)
    except Misfit as misfit:
        raise Misfit(f"cannot be changed: what `{call.method}` is given {misfit.message}") from misfit
    sql = operator.sql
    if len(arguments) == 2 and operator.bound:
        sql = f"{operator.bound}({sql}, {{1}}::{{wide}})"
    if operator.group is _NUMBERS:
        sql = f"({sql})::{{type}}"
    return Change(column, sql, arguments, now)


# What operators are for, and what they are given


class _Group(NamedTuple):
    name: str
    takes: Callable[[Column], bool]


def _single(*kinds: Kind) -> Callable[[Column], bool]:
    return lambda column: not column.field.type.array and column.field.type.kind in kinds


_NUMBERS = _Group("numbers", _single(Kind.INT, Kind.BIGINT, Kind.FLOAT, Kind.DECIMAL))
_TEXTS = _Group("texts", _single(Kind.STRING, Kind.TEXT))
_FLAGS = _Group("true or false", _single(Kind.BOOL))
_MOMENTS = _Group("moments", _single(Kind.DATETIME, Kind.DATE))
_LISTS = _Group("lists", lambda column: column.field.type.array)
_COMPARED = _Group(
    "lists of what can be compared", lambda column: column.field.type.array and column.comparable
)
_LISTS_OF_TEXTS = _Group(
    "lists of texts",
    lambda column: column.field.type.array and column.field.type.kind in (Kind.STRING, Kind.TEXT),
)

_Arguments = Callable[[Column, list[Any]], list[Any]]


def _counted(given: list[Any], count: int) -> None:
    if len(given) != count:
        raise Misfit(f"is missing or too much: it takes {count}")


def _nothing(_: Column, given: list[Any]) -> list[Any]:
    _counted(given, 0)
    return []


def _numbers(*, whole: bool = False, divides: bool = False, most: int | None = None) -> _Arguments:
    """A number and perhaps a bound of the result."""

    def arguments(column: Column, given: list[Any]) -> list[Any]:
        if len(given) == 2 and given[1] is None:
            given = given[:1]
        if not 1 <= len(given) <= 2:
            raise Misfit("is not a number, and perhaps a bound")
        numbers = [_number(column, value) for value in given]
        if whole and column.field.type.kind in (Kind.INT, Kind.BIGINT) and numbers[0] % 1:
            raise Misfit("is not a whole number, as the column is of")
        if divides and numbers[0] == 0:
            raise Misfit("is zero, which nothing can be divided by")
        if most is not None and abs(numbers[0]) > most:
            raise Misfit(f"is not between {-most} and {most}")
        return numbers

    return arguments


def _number(column: Column, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Misfit("is not a number")
    if abs(value) > 1e300:
        raise Misfit("is too large")
    return float(value) if column.field.type.kind is Kind.FLOAT else Decimal(str(value))


def _texts(count: int) -> _Arguments:
    def arguments(_: Column, given: list[Any]) -> list[Any]:
        _counted(given, count)
        if not all(isinstance(value, str) and "\0" not in value for value in given):
            raise Misfit("is not a text")
        return given

    return arguments


def _days(_: Column, given: list[Any]) -> list[Any]:
    _counted(given, 1)
    days = given[0]
    if not isinstance(days, int) or isinstance(days, bool) or not -(2**31) < days < 2**31:
        raise Misfit("is not a whole number of days")
    return [days]


def _elements(column: Column, given: list[Any]) -> list[Any]:
    nested = len(given) == 1 and isinstance(given[0], list)
    return [column.encode(given[0] if nested else given)]


def _compared(column: Column, given: list[Any]) -> list[Any]:
    nested = len(given) == 1 and isinstance(given[0], list)
    return [[_one(column, value) for value in (given[0] if nested else given)]]


def _element(column: Column, given: list[Any]) -> list[Any]:
    _counted(given, 1)
    return [_one(column, given[0])]


def _one(column: Column, value: Any) -> Any:
    if value is None:
        raise Misfit("is null")
    return column.encode_filter(value)


def _unasked(_: Column, given: list[Any]) -> list[Any]:
    if given not in ([], [None]):  # SDKs send the value that is not there as null
        raise Misfit("is too much: it takes no value")
    return []


def _place(column: Column, given: list[Any]) -> list[Any]:
    _counted(given, 2)
    at = given[0]
    if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at < 2**31 - 1:
        raise Misfit("is not a position, counted from 0")
    return [at, column.encode([given[1]])]


# The operators


class _Operator(NamedTuple):
    group: _Group
    arguments: _Arguments
    """From what the operator is given to the driver's values. Raises Misfit."""
    sql: str
    """With `{0}` and `{1}` for them and `{current}` for the column; `{number}`, `{list}` are never null."""
    bound: str = ""
    """How the second argument keeps the result within bounds."""


def _kept(condition: str) -> str:
    return f"array(select e from unnest({{list}}) with ordinality as u(e, n) where {condition} order by n)"


MAX_ADDED = 16 * 1024**2
"""So many characters one replacement may add to a text: a short request must not make a gigabyte."""

# PostgreSQL refuses a negative length, and so the change.
_REPLACE = f"""
    case when (length({{current}}) - length(replace({{current}}, {{0}}::text, '')))::bigint
              / greatest(length({{0}}::text), 1) * length({{1}}::text) <= {MAX_ADDED}
         then replace({{current}}, {{0}}::text, {{1}}::text)
         else substring({{current}} for -1) end
"""

OPERATORS: dict[str, _Operator] = {
    "increment": _Operator(_NUMBERS, _numbers(whole=True), "{number} + {0}::{wide}", "least"),
    "decrement": _Operator(_NUMBERS, _numbers(whole=True), "{number} - {0}::{wide}", "greatest"),
    "multiply": _Operator(_NUMBERS, _numbers(), "{number} * {0}::{wide}", "least"),
    "divide": _Operator(_NUMBERS, _numbers(divides=True), "{number} / {0}::{wide}", "greatest"),
    "modulo": _Operator(
        _NUMBERS, _numbers(whole=True, divides=True), "mod(({number})::numeric, ({0}::{wide})::numeric)"
    ),
    # A power beyond this fits no column, and would take long to reckon.
    "power": _Operator(_NUMBERS, _numbers(most=1000), "power({number}, {0}::{wide})", "least"),
    "arrayAppend": _Operator(_LISTS, _elements, "{list} || {0}::{type}"),
    "arrayPrepend": _Operator(_LISTS, _elements, "{0}::{type} || {list}"),
    "arrayInsert": _Operator(
        _LISTS, _place, "({list})[:{0}::integer] || {1}::{type} || ({list})[{0}::integer + 1:]"
    ),
    "arrayRemove": _Operator(_COMPARED, _element, "array_remove({list}, {0}::{element})"),
    "arrayUnique": _Operator(
        _COMPARED,
        _nothing,
        "array(select e from unnest({list}) with ordinality as u(e, n) group by e order by min(n))",
    ),
    "arrayIntersect": _Operator(_COMPARED, _compared, _kept("e = any({0}::{type})")),
    "arrayDiff": _Operator(_COMPARED, _compared, _kept("e <> all({0}::{type})")),
    "arrayFilter": _Operator(_COMPARED, _element, ""),  # one of _FILTERS
    "stringConcat": _Operator(_TEXTS, _texts(1), "coalesce({current}, '') || {0}::text"),
    "stringReplace": _Operator(_TEXTS, _texts(2), _REPLACE),
    "toggle": _Operator(_FLAGS, _nothing, "not coalesce({current}, false)"),
    "dateAddDays": _Operator(_MOMENTS, _days, "({current} + make_interval(days => {0}::integer))::{type}"),
    "dateSubDays": _Operator(_MOMENTS, _days, "({current} - make_interval(days => {0}::integer))::{type}"),
    "dateSetNow": _Operator(_MOMENTS, _nothing, "({now})::{type}"),
}

_FILTERS: dict[str, _Operator] = {
    "equal": _Operator(_COMPARED, _element, _kept("e = {0}::{element}")),
    "notEqual": _Operator(_COMPARED, _element, _kept("e <> {0}::{element}")),
    "lessThan": _Operator(_COMPARED, _element, _kept("e < {0}::{element}")),
    "lessThanEqual": _Operator(_COMPARED, _element, _kept("e <= {0}::{element}")),
    "greaterThan": _Operator(_COMPARED, _element, _kept("e > {0}::{element}")),
    "greaterThanEqual": _Operator(_COMPARED, _element, _kept("e >= {0}::{element}")),
    "contains": _Operator(_LISTS_OF_TEXTS, _element, _kept("position({0}::text in e) > 0")),
    "isNull": _Operator(_LISTS, _unasked, _kept("e is null")),
    "isNotNull": _Operator(_LISTS, _unasked, _kept("e is not null")),
}
"""Of `arrayFilter`, by its condition: which elements stay."""
