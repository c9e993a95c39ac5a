"""What can change about the tables of a schema, as values.

A change holds the names that are valid when its turn comes: those of the old schema until the renames,
those of the new one after them.
"""

from __future__ import annotations

from typing import Any

from freehold.schema.model import Value
from freehold.schema.tables import (
    AuditTrigger,
    Check,
    Column,
    Constraint,
    EventTriggers,
    Index,
    Policy,
    Table,
)


class Change(Value, frozen=True, kw_only=True):
    table: str
    """The table that changes, by the name it has at that moment."""


class CreateTable(Change, frozen=True, kw_only=True):
    """With its columns, primary key, uniques and checks; the rest follows as changes of their own."""

    definition: Table


class DropTable(Change, frozen=True, kw_only=True):
    pass


class RenameTable(Change, frozen=True, kw_only=True):
    to: str


class AddColumn(Change, frozen=True, kw_only=True):
    column: Column


class DropColumn(Change, frozen=True, kw_only=True):
    column: Column


class RenameColumn(Change, frozen=True, kw_only=True):
    column: str
    to: str


class ChangeType(Change, frozen=True, kw_only=True):
    column: str
    old: str
    new: str


class ChangeNullability(Change, frozen=True, kw_only=True):
    column: str
    nullable: bool


class ChangeDefault(Change, frozen=True, kw_only=True):
    column: str
    type: str
    old: Any
    new: Any


class AddConstraint(Change, frozen=True, kw_only=True):
    constraint: Constraint


class DropConstraint(Change, frozen=True, kw_only=True):
    constraint: Constraint


class ChangeCheck(Change, frozen=True, kw_only=True):
    """The members of an enum, a length, a bound or a pattern."""

    old: Check
    new: Check


class RenameConstraint(Change, frozen=True, kw_only=True):
    constraint: str
    to: str


class AddIndex(Change, frozen=True, kw_only=True):
    index: Index


class DropIndex(Change, frozen=True, kw_only=True):
    index: Index


class RenameIndex(Change, frozen=True, kw_only=True):
    """Of an index, or of the constraint that it serves."""

    index: str
    to: str


class EnableRowSecurity(Change, frozen=True, kw_only=True):
    """Also for the table's owner."""


class DisableRowSecurity(Change, frozen=True, kw_only=True):
    pass


class AddPolicy(Change, frozen=True, kw_only=True):
    policy: Policy


class DropPolicy(Change, frozen=True, kw_only=True):
    policy: Policy


class CreateAuditFunction(Change, frozen=True, kw_only=True):
    """The one function that all audit triggers call."""


class DropAuditFunction(Change, frozen=True, kw_only=True):
    pass


class AddAuditTrigger(Change, frozen=True, kw_only=True):
    trigger: AuditTrigger


class DropAuditTrigger(Change, frozen=True, kw_only=True):
    trigger: AuditTrigger


class AddEventTriggers(Change, frozen=True, kw_only=True):
    triggers: EventTriggers


class DropEventTriggers(Change, frozen=True, kw_only=True):
    triggers: EventTriggers


class CommentTable(Change, frozen=True, kw_only=True):
    old: str
    new: str


class CommentColumn(Change, frozen=True, kw_only=True):
    column: str
    old: str
    new: str
