"""Filters of queries as SQL: one small function for each method, in one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from freehold.db.queries import GROUPS, Query, escaped_like
from freehold.db.rows import patterns, places
from freehold.db.rows.columns import Operand
from freehold.db.rows.statement import Values
from freehold.db.rows.words import tsquery
from freehold.errors import InvalidQuery
from freehold.schema.values import Misfit

_Compiler = Callable[[Operand, Query, Values], str]


def _encoded(operand: Operand, query: Query, count: int | None = None) -> list[Any]:
    """The query's values as the driver takes them, none of them null."""
    if count is not None and len(query.values) != count:
        raise Misfit(f"is missing or too many: it takes {count}")
    if not query.values:
        raise Misfit("is missing")
    if None in query.values:
        raise Misfit("is null; ask with isNull or isNotNull")
    return [operand.encode(value) for value in query.values]


def _scalar(operand: Operand, query: Query) -> None:
    if operand.is_array:
        raise Misfit(f"cannot be compared: `{query.attribute}` is an array, which only contains* can ask")


def _equal(operand: Operand, query: Query, values: Values) -> str:
    _scalar(operand, query)
    encoded = _encoded(operand, query)
    if len(encoded) == 1:
        return f"{operand.sql} = {values.bind(encoded[0])}"
    return f"{operand.sql} = any({values.bind(encoded)})"


def _compare(operator: str) -> _Compiler:
    def compile_(operand: Operand, query: Query, values: Values) -> str:
        _scalar(operand, query)
        return f"{operand.sql} {operator} {values.bind(_encoded(operand, query, 1)[0])}"

    return compile_


def _between(negated: str) -> _Compiler:
    def compile_(operand: Operand, query: Query, values: Values) -> str:
        _scalar(operand, query)
        least, most = _encoded(operand, query, 2)
        return f"{operand.sql} {negated}between {values.bind(least)} and {values.bind(most)}"

    return compile_


def _null(test: str) -> _Compiler:
    return lambda operand, query, values: f"{operand.sql} {test}"


def _like(before: str, after: str, *, negated: bool = False) -> _Compiler:
    def compile_(operand: Operand, query: Query, values: Values) -> str:
        _scalar(operand, query)
        if not operand.is_text:
            raise Misfit("cannot be looked for: the column is not of text")
        likes = []
        for value in query.values or (None,):
            if not isinstance(value, str) or "\0" in value:
                raise Misfit("is not a text")
            likes.append(f"{before}{escaped_like(value)}{after}")
        if negated:
            return f"not {operand.sql} ilike any({values.bind(likes)}::text[])"
        return f"{operand.sql} ilike any({values.bind(likes)}::text[])"

    return compile_


def _contains(operator: str, *, negated: bool = False) -> _Compiler:
    in_text = _like("%", "%", negated=negated)

    def compile_(operand: Operand, query: Query, values: Values) -> str:
        if not operand.is_array:
            if operator == "@>":
                raise Misfit(f"cannot be asked: `{query.attribute}` is not an array")
            return in_text(operand, query, values)
        values.decide_plan = True
        overlap = f"{operand.sql} {operator} {values.bind(_encoded(operand, query))}"
        return f"not {overlap}" if negated else overlap

    return compile_


def rank(operand: Operand, query: Query, values: Values) -> str:
    """How well a row fits a search."""
    return f"ts_rank({operand.words[-1]}, {_searched(operand, query, values)})"


def _search(operand: Operand, query: Query, values: Values) -> str:
    wanted = _searched(operand, query, values)
    return "(" + " and ".join(f"{words} @@ {wanted}" for words in operand.words) + ")"


def _not_search(operand: Operand, query: Query, values: Values) -> str:
    wanted = _searched(operand, query, values)
    return f"({operand.sql} is not null and not {operand.words[-1]} @@ {wanted})"


def _searched(operand: Operand, query: Query, values: Values) -> str:
    """What is searched for, as a tsquery."""
    if not operand.words:
        raise Misfit(f"cannot be searched for: `{query.attribute}` has no fulltext index")
    text = query.values[0] if len(query.values) == 1 else None
    if not isinstance(text, str) or "\0" in text:
        raise Misfit("is not a text")
    values.decide_plan = True
    return f"to_tsquery('simple'::regconfig, {values.bind(tsquery(text))})"


def _regex(operand: Operand, query: Query, values: Values) -> str:
    _scalar(operand, query)
    if not operand.is_text:
        raise Misfit("cannot be looked for: the column is not of text")
    pattern = query.values[0] if len(query.values) == 1 else None
    if not isinstance(pattern, str) or "\0" in pattern:
        raise Misfit("is not a pattern")
    patterns.check(pattern)
    return f"{operand.sql} ~ {values.bind(pattern)}"


COMPILERS: dict[str, _Compiler] = {
    "equal": _equal,
    "notEqual": _compare("<>"),
    "lessThan": _compare("<"),
    "lessThanEqual": _compare("<="),
    "greaterThan": _compare(">"),
    "greaterThanEqual": _compare(">="),
    "between": _between(""),
    "notBetween": _between("not "),
    "isNull": _null("is null"),
    "isNotNull": _null("is not null"),
    "startsWith": _like("", "%"),
    "notStartsWith": _like("", "%", negated=True),
    "endsWith": _like("%", ""),
    "notEndsWith": _like("%", "", negated=True),
    "search": _search,
    "notSearch": _not_search,
    "regex": _regex,
    "contains": _contains("&&"),
    "containsAny": _contains("&&"),
    "containsAll": _contains("@>"),
    "notContains": _contains("&&", negated=True),
}

PLACE_COMPILERS: dict[str, _Compiler] = {
    "isNull": COMPILERS["isNull"],
    "isNotNull": COMPILERS["isNotNull"],
    **places.COMPILERS,
}


_PRESENCE = {"exists": "is not null", "notExists": "is null"}


def condition(query: Query, find: Callable[[str], Operand], values: Values) -> str:
    """A filter as SQL. `find` knows what attributes are, or raises InvalidQuery."""
    if query.method in GROUPS:
        joined = f" {query.method} ".join(condition(each, find, values) for each in query.values)
        return f"({joined})"
    if query.method in _PRESENCE:
        return _presence(query, find)
    operand = find(query.attribute)
    compilers = COMPILERS if operand.place is None else PLACE_COMPILERS
    if query.method not in compilers:
        is_what = "no place" if operand.place is None else f"a {operand.place}"
        raise InvalidQuery(
            reason=f"`{query.method}` cannot be asked of `{query.attribute}`, which is {is_what}."
        )
    try:
        return compilers[query.method](operand, query, values)
    except Misfit as misfit:
        raise InvalidQuery(
            reason=f"a value of `{query.method}` on `{query.attribute}` {misfit.message}."
        ) from misfit


def _presence(query: Query, find: Callable[[str], Operand]) -> str:
    """All of the columns that the query names have a value, or none of them has."""
    if not query.values or not all(isinstance(name, str) for name in query.values):
        raise InvalidQuery(reason=f"`{query.method}` takes the names of columns.")
    test = _PRESENCE[query.method]
    return "(" + " and ".join(f"{find(name).sql} {test}" for name in query.values) + ")"
