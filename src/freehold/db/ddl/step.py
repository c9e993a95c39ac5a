"""A step of a change to a database: what it locks, rewrites and can lose, and how it is undone."""

from __future__ import annotations

from freehold.schema.model import Value

ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"
SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
SHARE = "SHARE"

NOTHING = ""
"""The inverse of a step that leaves nothing behind."""


class Step(Value, frozen=True, kw_only=True):
    """One statement, and what the one who runs it should know."""

    summary: str
    sql: str
    table: str
    lock: str | None = ACCESS_EXCLUSIVE
    """The strongest lock on a table that was there before, by PostgreSQL's name; None when there is none."""
    rewrites: bool = False
    """Whether every row is written anew while the lock is held."""
    loses: str | None = None
    """What data can be lost."""
    needs: str | None = None
    """What the rows that are there have to have; it fails where they do not."""
    inverse: str | None = None
    """The statement that undoes it; empty when nothing is to be undone, None when it cannot be undone."""
    transactional: bool = True
    afterwards: bool = False
    """Whether it can wait until the others are committed, because it can only succeed."""
    makes_table: bool = False
    goes_with_table: bool = False
    """Whether dropping the table undoes it as well: an index, a policy."""
    builds: str | None = None
    """The index that is built beside the traffic; a build that fails leaves an invalid one behind."""
