"""The closed grammar of row rules: what app/permissions.py is written in, and its translation to SQL."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Caller(Enum):
    """Values that are only known when someone calls."""

    ME = "me"
    TENANT = "tenant"


ME = Caller.ME
TENANT = Caller.TENANT


@dataclass(frozen=True, slots=True)
class Is:
    """The column holds one of the values."""

    column: str
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class MemberOf:
    """The caller is linked to the row."""

    link: str
    row_column: str
    user_column: str


Condition = Is | MemberOf
Grant = tuple[Condition, ...]
"""All of the conditions must hold of a row; an empty grant reaches every row."""

EVERY_ROW: tuple[Grant, ...] = ((),)
