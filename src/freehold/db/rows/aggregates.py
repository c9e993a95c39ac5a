"""Rows put together: counted, summed, compared, as a whole or in groups."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from freehold.db.queries import MAX_TOTAL, Page, Query
from freehold.db.rows.columns import Operand
from freehold.db.rows.filters import condition
from freehold.db.rows.statement import Scope, Statement, Values
from freehold.db.rows.table import RowTable, Shape
from freehold.db.values import Decoder, Encoder, filter_encoder, wire_moment
from freehold.errors import InvalidQuery
from freehold.schema.model import Field, IdKind, Kind, Type
from freehold.schema.values import Misfit

MAX_OUTPUTS = 100

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")

_WHOLE = frozenset((Kind.INT, Kind.BIGINT))
_NUMBERS = _WHOLE | {Kind.FLOAT, Kind.DECIMAL}
_ORDERED = _NUMBERS | {
    *(Kind.STRING, Kind.TEXT, Kind.ENUM, Kind.EMAIL, Kind.URL, Kind.IP),
    *(Kind.DATE, Kind.TIME, Kind.DATETIME),
}


class _Source(NamedTuple):
    """A column that is grouped by or put together."""

    operand: Operand
    kind: Kind
    decode: Decoder | None


class _Output(NamedTuple):
    """One value of each answered row."""

    name: str
    operand: Operand
    decode: Decoder | None


class _Result(NamedTuple):
    encode: Encoder
    decode: Decoder | None = None
    cast: str = ""


class _Measure(NamedTuple):
    """What is worked out of a column."""

    sql: str
    kinds: frozenset[Kind] | None = None
    """Of columns that it can be worked out of; None is all."""
    result: Callable[[_Source], _Result] | None = None
    """How the result is compared and spelled; None is as a value of the column."""


def aggregate(table: RowTable, page: Page, scope: Scope, *, counted: bool) -> tuple[Statement, Shape]:
    """The groups of the rows that fit, and how each is spelled; `counted` as in `RowTable.find`."""
    _check(page)
    groups = [_group(table, name) for name in page.groups]
    outputs = groups + [_measured(table, query) for query in page.aggregates]
    named = {output.name: output for output in outputs}
    if len(named) < len(outputs) or len(outputs) > MAX_OUTPUTS:
        raise InvalidQuery(
            reason=f"of each group up to {MAX_OUTPUTS} values can be told, each by another name."
        )

    def find(name: str) -> Operand:
        if name not in named:
            raise InvalidQuery(reason=f"`{name[:100]}` is neither grouped by nor worked out.")
        return named[name].operand

    values = Values()
    select = ", ".join(f"{output.operand.sql} as c{at}" for at, output in enumerate(outputs))
    if counted:
        select += f", least(count(*) over (), {MAX_TOTAL})"
    sql = f"select {select} from {table.relation} where {table.where(page, scope, values)}"
    if groups:
        sql += f" group by {', '.join(group.operand.sql for group in groups)}"
    if page.having:
        sql += " having " + " and ".join(condition(query, find, values) for query in page.having)
    sql += _order_by(page, list(named), len(groups), find)
    sql += f" limit {values.bind(page.limit)} offset {values.bind(page.offset)}"
    decoders = tuple((output.name, output.decode) for output in outputs if output.decode is not None)
    return Statement(sql, values.bound), Shape("", tuple(named), decoders, {})


def _check(page: Page) -> None:
    if page.cursor:
        raise InvalidQuery(reason="groups have no ids to be cursors. Page them with `limit` and `offset`.")
    if page.limit > MAX_TOTAL:
        raise InvalidQuery(reason=f"a page has at most {MAX_TOTAL} groups.")
    ungrouped = [name for name in page.select if name not in page.groups]
    if ungrouped:
        raise InvalidQuery(reason=f"`{ungrouped[0][:100]}` is selected, but not grouped by.")


def _order_by(page: Page, names: list[str], groups: int, find: Callable[[str], Operand]) -> str:
    """The order by outputs, ending with the groups, so that pages never overlap."""
    terms = []
    for query in page.orders:
        if query.method == "orderRandom":
            return " order by random()"
        find(query.attribute)
        terms.append(f"c{names.index(query.attribute)} {'asc' if query.method == 'orderAsc' else 'desc'}")
    terms += [f"c{at}" for at in range(groups)]
    return f" order by {', '.join(terms)}" if terms else ""


def _source(table: RowTable, attribute: str) -> _Source:
    operand = table.operand(attribute)
    column = table.columns.get(attribute)
    if column is not None:
        return _Source(operand, column.field.type.kind, column.decode)
    match attribute:
        case "$id":
            return _Source(operand, _ID_KINDS[table.entity.id_kind], str)
        case "$sequence":
            return _Source(operand, Kind.BIGINT, str)
        case "$createdAt" | "$updatedAt":
            return _Source(operand, Kind.DATETIME, wire_moment)
    raise InvalidQuery(reason=f"`{attribute[:100]}` cannot be grouped by or put together.")


_ID_KINDS: dict[IdKind, Kind] = {"uuid": Kind.UUID, "serial": Kind.BIGINT, "text": Kind.STRING}


def _group(table: RowTable, attribute: str) -> _Output:
    source = _source(table, attribute)
    return _Output(attribute, source.operand, _unless_none(source.decode))


def _measured(table: RowTable, query: Query) -> _Output:
    measure = MEASURES[query.method]
    name = query.values[0] if query.values else _default_name(query)
    if len(query.values) > 1 or not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise InvalidQuery(
            reason=f"the alias of `{query.method}` has to be one text of up to 64 letters, digits, "
            "periods, hyphens and underscores."
        )
    if query.method == "count" and query.attribute in ("", "*"):
        return _Output(name, Operand("count(*)", _whole, False, False), None)
    source = _source(table, query.attribute)
    operand = source.operand
    if measure.kinds is not None and (operand.is_array or source.kind not in measure.kinds):
        raise InvalidQuery(reason=f"`{query.method}` cannot be worked out of `{query.attribute[:100]}`.")
    if measure.result is None:
        result, is_text = _Result(operand.encode, source.decode), operand.is_text
    else:
        result, is_text = measure.result(source), False
    sql = measure.sql.format(operand.sql) + result.cast
    return _Output(name, Operand(sql, result.encode, False, is_text), _unless_none(result.decode))


def _default_name(query: Query) -> str:
    attribute = query.attribute.lstrip("$")
    return query.method if attribute in ("", "*") else f"{query.method}_{attribute}"


def _unless_none(decode: Decoder | None) -> Decoder | None:
    return None if decode is None else lambda value: None if value is None else decode(value)


_whole = filter_encoder(Field(id="", name="", type=Type(kind=Kind.BIGINT), column=""))
_fraction = filter_encoder(Field(id="", name="", type=Type(kind=Kind.FLOAT), column=""))


def _exact(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Misfit("is not a number")
    return Decimal(str(value))


def _count(source: _Source) -> _Result:
    return _Result(_whole)


def _sum(source: _Source) -> _Result:
    if source.kind is Kind.FLOAT:
        return _Result(_fraction)
    return _Result(_exact, int if source.kind in _WHOLE else source.decode, "::numeric")


def _mean(source: _Source) -> _Result:
    return _Result(_fraction, cast="::float8")


MEASURES: Mapping[str, _Measure] = {
    "count": _Measure("count({})", result=_count),
    "countDistinct": _Measure("count(distinct {})", result=_count),
    "sum": _Measure("sum({})", _NUMBERS, _sum),
    "avg": _Measure("avg({})", _NUMBERS, _mean),
    "min": _Measure("min({})", _ORDERED),
    "max": _Measure("max({})", _ORDERED),
    "stddev": _Measure("stddev_pop({})", _NUMBERS, _mean),
    "stddevPop": _Measure("stddev_pop({})", _NUMBERS, _mean),
    "stddevSamp": _Measure("stddev_samp({})", _NUMBERS, _mean),
    "variance": _Measure("var_pop({})", _NUMBERS, _mean),
    "varPop": _Measure("var_pop({})", _NUMBERS, _mean),
    "varSamp": _Measure("var_samp({})", _NUMBERS, _mean),
    "bitAnd": _Measure("bit_and({})", _WHOLE),
    "bitOr": _Measure("bit_or({})", _WHOLE),
    "bitXor": _Measure("bit_xor({})", _WHOLE),
}
