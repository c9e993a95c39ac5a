"""A statement on rows and its values, and the scope that keeps it to what its caller may reach."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from freehold.schema.model import Condition


class Statement(NamedTuple):
    """A statement and its values, in the order of its placeholders."""

    sql: str
    values: list[Any]
    ahead: str = ""
    """Common table expressions that it builds on, each with a comma after it."""


class Values:
    """The values of a statement that is being written."""

    def __init__(self) -> None:
        self.bound: list[Any] = []
        self.decide_plan = False
        """Whether which plan is good depends on the values, as with what is looked up in a GIN index."""

    def bind(self, value: Any) -> str:
        """Add a value; gives its placeholder."""
        self.bound.append(value)
        return f"${len(self.bound)}"


def planned_anew(values: Values) -> str:
    """A condition that always holds, and lets PostgreSQL plan a statement for its values each time.

    Not knowing the values, it cannot tell a permission that everybody holds from one that is on no row, and a
    plan made for either is up to a hundred times too slow for the other. The second half is never run: as it
    seems to cost much, and goes once the value is known, a plan without values is never preferred.
    See docs/decisions/0013-statements-of-lists.md.
    """
    return f" and ({values.bind(True)} or (select count(*) from generate_series(1, 1000000000)) = 0)"


class Scope(NamedTuple):
    """Which rows a caller may reach at all. An empty scope is every row of the table."""

    asks: list[str] | None = None
    """One of these permissions has to stand on the row."""
    tenant: Any = None
    """The tenant that the row has to be of; for tenant-scoped tables."""
    grants: tuple[tuple[Condition, ...], ...] | None = None
    """One of these conjunctions has to hold of the row, from the schema's access rules."""
    user_id: str = ""
    """Who `me` is in the conditions."""
    unchanged_since: datetime | None = None
    """The row must not have changed since; for tables that keep when it did."""
    with_deleted: bool = False
    """Whether rows that are marked as deleted count as well."""
