"""The order of a list of rows, and where its pages begin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Ordered(NamedTuple):
    """One expression that a list is ordered by. Without a value, rows come last; downwards, first."""

    sql: str
    descending: bool
    attribute: str
    nullable: bool = False

    def reversed(self) -> Ordered:
        return self._replace(descending=not self.descending)


def order_by(order: Sequence[Ordered] | None) -> str:
    """The ORDER BY clause; None is a random order."""
    if order is None:
        return "order by random()"
    return "order by " + ", ".join(f"{each.sql} {'desc' if each.descending else 'asc'}" for each in order)


def place(order: Sequence[Ordered], source: str) -> str:
    """The common table expression that knows where a cursor stands; it is empty when it stands nowhere."""
    columns = ", ".join(f"{each.sql} as c{at}" for at, each in enumerate(order))
    valued = "".join(f" and {each.sql} is not null" for each in order if each.nullable)
    return f"with place as materialized (select {columns} from {source}{valued}) "


def beyond(order: Sequence[Ordered]) -> Iterator[str]:
    """The conditions of which one holds for every row after the place: each is one range of an index.

    A row comparison covers all columns that go one way, except for rows without a value, which no comparison
    finds: these come after the place where the order goes upwards.
    """
    bound = [f"(select c{at} from place)" for at in range(len(order))]
    same = [f"{each.sql} = {value}" for each, value in zip(order, bound, strict=True)]
    if len({each.descending for each in order}) == 1:
        columns = ", ".join(each.sql for each in order)
        yield f"({columns}) {'<' if order[0].descending else '>'} ({', '.join(bound)})"
    else:
        for at, each in enumerate(order):
            yield " and ".join([*same[:at], f"{each.sql} {'<' if each.descending else '>'} {bound[at]}"])
    for at, each in enumerate(order):
        if each.nullable and not each.descending:
            yield " and ".join([*same[:at], f"{each.sql} is null", "exists (select from place)"])
