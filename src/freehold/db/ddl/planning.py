"""From changes to steps: the statements for each, with or without others at work on its table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from freehold.db.ddl import spelling
from freehold.db.ddl.spelling import literal, names, qualified, quote, text_literal
from freehold.db.ddl.step import (
    ACCESS_EXCLUSIVE,
    NOTHING,
    SHARE,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
    Step,
)
from freehold.schema import changes as changes_of
from freehold.schema.changes import Change
from freehold.schema.comparison import compare
from freehold.schema.conversions import conversion
from freehold.schema.model import Schema
from freehold.schema.table_names import AUDIT_LOG
from freehold.schema.tables import Check, Column, Constraint, ForeignKey, PrimaryKey, Unique


def create(schema: Schema, namespace: str | None = None) -> list[Step]:
    """The statements that make a schema's tables from nothing."""
    return steps(compare(Schema(service=schema.service), schema), namespace=namespace)


def create_namespace(namespace: str) -> Step:
    return Step(
        summary=f"Create the namespace {namespace}",
        sql=f"CREATE SCHEMA {quote(namespace)}",
        table="",
        lock=None,
        inverse=f"DROP SCHEMA {quote(namespace)}",
    )


def steps(changes: Iterable[Change], *, namespace: str | None = None, online: bool = False) -> list[Step]:
    """The statements for some changes, in order.

    With `online`, tables with rows are changed in the forms that hold strong locks only for moments. They
    keep that promise when each statement is committed on its own.
    """
    planner = _Planner(namespace, online)
    return [step for change in changes for step in planner.steps(change)]


class _Planner:
    def __init__(self, namespace: str | None, online: bool) -> None:
        self.namespace = namespace
        self.online = online
        self.new_tables: set[str] = set()
        self.new_columns: dict[tuple[str, str], Column] = {}
        self.dropped: list[tuple[str, Constraint]] = []

    def steps(self, change: Change) -> Iterator[Step]:
        return _PLANNED[type(change)](self, change)

    def at(self, table: str) -> str:
        return qualified(self.namespace, table)

    def alter(self, table: str, action: str) -> str:
        return f"ALTER TABLE {self.at(table)} {action}"

    def is_careful(self, table: str) -> bool:
        """Whether others may be using the table."""
        return self.online and table not in self.new_tables

    def lock(self, table: str, lock: str) -> str | None:
        return None if table in self.new_tables else lock

    # Tables

    def create_table(self, change: changes_of.CreateTable) -> Iterator[Step]:
        self.new_tables.add(change.table)
        yield Step(
            summary=f"Create the table {change.table}",
            sql=spelling.create_table_sql(change.definition, self.namespace),
            table=change.table,
            lock=None,
            inverse=f"DROP TABLE {self.at(change.table)}",
            makes_table=True,
        )

    def drop_table(self, change: changes_of.DropTable) -> Iterator[Step]:
        yield Step(
            summary=f"Drop the table {change.table}",
            sql=f"DROP TABLE {self.at(change.table)}",
            table=change.table,
            loses=f"all rows of {change.table}",
        )

    def rename_table(self, change: changes_of.RenameTable) -> Iterator[Step]:
        yield Step(
            summary=f"Rename the table {change.table} to {change.to}",
            sql=self.alter(change.table, f"RENAME TO {quote(change.to)}"),
            table=change.to,
            inverse=self.alter(change.to, f"RENAME TO {quote(change.table)}"),
        )

    # Columns

    def add_column(self, change: changes_of.AddColumn) -> Iterator[Step]:
        column = change.column
        self.new_columns[change.table, column.name] = column
        yield Step(
            summary=f"Add the column {change.table}.{column.name}",
            sql=self.alter(change.table, f"ADD COLUMN {spelling.column_sql(column)}"),
            table=change.table,
            lock=self.lock(change.table, ACCESS_EXCLUSIVE),
            rewrites=column.identity or column.generated,
            needs=None
            if column.nullable or column.default is not None or column.identity or column.generated
            else _value_of(change.table, column.name),
            inverse=self.alter(change.table, f"DROP COLUMN {quote(column.name)}"),
        )

    def drop_column(self, change: changes_of.DropColumn) -> Iterator[Step]:
        column = change.column
        yield Step(
            summary=f"Drop the column {change.table}.{column.name}",
            sql=self.alter(change.table, f"DROP COLUMN {quote(column.name)}"),
            table=change.table,
            loses=None if column.generated else f"all values of {change.table}.{column.name}",
            inverse=self.alter(change.table, f"ADD COLUMN {spelling.column_sql(column)}")
            if column.generated
            else None,
        )

    def rename_column(self, change: changes_of.RenameColumn) -> Iterator[Step]:
        old, new = quote(change.column), quote(change.to)
        yield Step(
            summary=f"Rename the column {change.table}.{change.column} to {change.to}",
            sql=self.alter(change.table, f"RENAME COLUMN {old} TO {new}"),
            table=change.table,
            inverse=self.alter(change.table, f"RENAME COLUMN {new} TO {old}"),
        )

    def change_type(self, change: changes_of.ChangeType) -> Iterator[Step]:
        forth = conversion(change.old, change.new)
        back = conversion(change.new, change.old)
        assert forth is not None, "compare replaces columns whose values cannot be converted"
        loses = f"{forth.loses} in {change.table}.{change.column}" if forth.loses else None
        yield Step(
            summary=f"Change the type of {change.table}.{change.column} from {change.old} to {change.new}",
            sql=self.retype(change.table, change.column, change.new, forth.using),
            table=change.table,
            rewrites=not _is_wider_numeric(change.old, change.new),
            loses=loses,
            inverse=self.retype(change.table, change.column, change.old, back.using)
            if back is not None
            else None,
        )

    def retype(self, table: str, column: str, type_: str, using: str) -> str:
        expression = using.replace("{}", quote(column))
        suffix = "" if using == "{}" else f" USING {expression}"
        return self.alter(table, f"ALTER COLUMN {quote(column)} TYPE {type_}{suffix}")

    def change_nullability(self, change: changes_of.ChangeNullability) -> Iterator[Step]:
        table, column = change.table, quote(change.column)
        forbid = self.alter(table, f"ALTER COLUMN {column} SET NOT NULL")
        allow = self.alter(table, f"ALTER COLUMN {column} DROP NOT NULL")
        if change.nullable:
            yield Step(summary=f"Let {table}.{change.column} be null", sql=allow, table=table, inverse=forbid)
            return
        needs = _value_of(table, change.column)
        refuse = Step(
            summary=f"Refuse nulls in {table}.{change.column}",
            sql=forbid,
            table=table,
            needs=needs,
            inverse=allow,
        )
        if not self.is_careful(table):
            yield refuse
            return
        # A validated check spares SET NOT NULL its scan under the strongest lock.
        name = quote(f"{change.column[:40]}_is_not_null")
        drop = self.alter(table, f"DROP CONSTRAINT {name}")
        add = self.alter(table, f"ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID")
        yield Step(summary=f"Refuse new nulls in {table}.{change.column}", sql=add, table=table, inverse=drop)
        yield self.validate(table, name, f"Check that {table}.{change.column} has no nulls")
        yield refuse
        yield Step(
            summary=f"Drop the check that is now a property of {table}.{change.column}",
            sql=drop,
            table=table,
            inverse=add,
        )

    def validate(self, table: str, name: str, summary: str) -> Step:
        return Step(
            summary=summary,
            sql=self.alter(table, f"VALIDATE CONSTRAINT {name}"),
            table=table,
            lock=SHARE_UPDATE_EXCLUSIVE,
            inverse=NOTHING,
        )

    def change_default(self, change: changes_of.ChangeDefault) -> Iterator[Step]:
        def spelled(value: Any) -> str:
            action = "DROP DEFAULT" if value is None else f"SET DEFAULT {literal(value, change.type)}"
            return self.alter(change.table, f"ALTER COLUMN {quote(change.column)} {action}")

        verb = "Drop" if change.new is None else "Set"
        yield Step(
            summary=f"{verb} the default of {change.table}.{change.column}",
            sql=spelled(change.new),
            table=change.table,
            inverse=spelled(change.old),
        )

    # Constraints

    def add_constraint(self, change: changes_of.AddConstraint) -> Iterator[Step]:
        table, constraint = change.table, change.constraint
        add = self.alter(table, f"ADD {spelling.constraint_sql(constraint, self.namespace)}")
        drop = self.alter(table, f"DROP CONSTRAINT {quote(constraint.name)}")
        summary = f"Add {_described(constraint)} to {table}"
        lock = SHARE_ROW_EXCLUSIVE if isinstance(constraint, ForeignKey) else ACCESS_EXCLUSIVE
        needs = self.asked_of_rows(table, constraint)
        if isinstance(constraint, Check) and constraint.rule == "present":
            summary, add = f"{summary}, for rows that are written from now on", f"{add} NOT VALID"
            yield Step(summary=summary, sql=add, table=table, lock=lock, inverse=drop)
            return
        if not self.is_careful(table):
            is_new = table in self.new_tables and not isinstance(constraint, ForeignKey)
            yield Step(
                summary=summary,
                sql=add,
                table=table,
                lock=None if is_new else lock,
                needs=needs,
                inverse=drop,
            )
        elif isinstance(constraint, (PrimaryKey, Unique)):
            first, second = self.unique_online(table, constraint, summary, drop)
            yield from (replace(first, needs=needs), second)
        else:
            yield Step(
                summary=f"{summary}, for new rows",
                sql=f"{add} NOT VALID",
                table=table,
                lock=lock,
                inverse=drop,
            )
            step = self.validate(
                table, quote(constraint.name), f"Check the rows of {table} for {constraint.name}"
            )
            yield replace(step, needs=needs)

    def asked_of_rows(self, table: str, constraint: Constraint) -> str | None:
        """What the rows that are there may not have yet, as far as the changes tell."""
        if table in self.new_tables:
            return None
        before = [each for where, each in self.dropped if where == table]
        if isinstance(constraint, Check):
            old = [each for each in before if isinstance(each, Check) and each.column == constraint.column]
            known = any(each.rule == constraint.rule and _is_wider_check(each, constraint) for each in old)
            is_new = (table, constraint.column) in self.new_columns
            return None if known or is_new else _fitting(table, constraint)
        columns = constraint.columns
        added = [self.new_columns[table, each] for each in columns if (table, each) in self.new_columns]
        if any(each.nullable and each.default is None for each in added):
            return None
        if isinstance(constraint, ForeignKey):
            known = any(isinstance(each, ForeignKey) and each.columns == columns for each in before)
            return None if known or added else f"a row of {constraint.target} for each {table}.{columns[-1]}"
        known = any(isinstance(each, PrimaryKey | Unique) and each.columns == columns for each in before)
        return None if known else _different(table, columns)

    def unique_online(
        self, table: str, constraint: PrimaryKey | Unique, summary: str, drop: str
    ) -> Iterator[Step]:
        kind = "PRIMARY KEY" if isinstance(constraint, PrimaryKey) else "UNIQUE"
        name = quote(constraint.name)
        yield Step(
            summary=f"Build the index for {constraint.name} on {table}",
            sql=f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {self.at(table)} ({names(constraint.columns)})",
            table=table,
            lock=SHARE_UPDATE_EXCLUSIVE,
            # With the constraint, which is undone first, the index is gone already.
            inverse=f"DROP INDEX CONCURRENTLY IF EXISTS {self.at(constraint.name)}",
            transactional=False,
            builds=self.at(constraint.name),
        )
        add = self.alter(table, f"ADD CONSTRAINT {name} {kind} USING INDEX {name}")
        yield Step(summary=summary, sql=add, table=table, inverse=drop)

    def drop_constraint(self, change: changes_of.DropConstraint) -> Iterator[Step]:
        self.dropped.append((change.table, change.constraint))
        yield Step(
            summary=f"Drop {_described(change.constraint)} of {change.table}",
            sql=self.alter(change.table, f"DROP CONSTRAINT {quote(change.constraint.name)}"),
            table=change.table,
            inverse=self.alter(
                change.table, f"ADD {spelling.constraint_sql(change.constraint, self.namespace)}"
            ),
        )

    def change_check(self, change: changes_of.ChangeCheck) -> Iterator[Step]:
        table = change.table
        is_wider = _is_wider_check(change.old, change.new)
        careful = self.is_careful(table) or is_wider
        needs = None if is_wider else _fitting(table, change.new)

        def exchange(check: Check) -> str:
            added = f"ADD {spelling.constraint_sql(check, self.namespace)}"
            return self.alter(table, f"DROP CONSTRAINT {quote(check.name)}, {added}{' NOT VALID' * careful}")

        yield Step(
            summary=f"Change {_described(change.new)} of {table}",
            sql=exchange(change.new),
            table=table,
            needs=None if careful else needs,
            # Undone without a scan, the check would stay unvalidated; so the rows are read again.
            inverse=exchange(change.old).removesuffix(" NOT VALID"),
        )
        if careful:
            step = self.validate(
                table, quote(change.new.name), f"Check the rows of {table} for {change.new.name}"
            )
            yield replace(step, afterwards=is_wider, needs=needs)

    def rename_constraint(self, change: changes_of.RenameConstraint) -> Iterator[Step]:
        old, new = quote(change.constraint), quote(change.to)
        yield Step(
            summary=f"Rename the constraint {change.constraint} of {change.table} to {change.to}",
            sql=self.alter(change.table, f"RENAME CONSTRAINT {old} TO {new}"),
            table=change.table,
            inverse=self.alter(change.table, f"RENAME CONSTRAINT {new} TO {old}"),
        )

    # Indexes

    def add_index(self, change: changes_of.AddIndex) -> Iterator[Step]:
        careful = self.is_careful(change.table)
        online = "CONCURRENTLY " if careful else ""
        unique = "unique index" if change.index.unique else "index"
        unique_key = Unique(name=change.index.name, columns=change.index.columns)
        yield Step(
            summary=f"Build the {unique} {change.index.name} on {change.table}",
            sql=spelling.create_index_sql(change.table, change.index, self.namespace, concurrently=careful),
            table=change.table,
            lock=SHARE_UPDATE_EXCLUSIVE if careful else self.lock(change.table, SHARE),
            inverse=f"DROP INDEX {online}{self.at(change.index.name)}",
            needs=self.asked_of_rows(change.table, unique_key) if change.index.unique else None,
            transactional=not careful,
            goes_with_table=True,
            builds=self.at(change.index.name) if careful else None,
        )

    def drop_index(self, change: changes_of.DropIndex) -> Iterator[Step]:
        careful = self.is_careful(change.table)
        online = "CONCURRENTLY " if careful else ""
        yield Step(
            summary=f"Drop the index {change.index.name} of {change.table}",
            sql=f"DROP INDEX {online}{self.at(change.index.name)}",
            table=change.table,
            lock=SHARE_UPDATE_EXCLUSIVE if careful else ACCESS_EXCLUSIVE,
            inverse=spelling.create_index_sql(
                change.table, change.index, self.namespace, concurrently=careful
            ),
            transactional=not careful,
        )

    def rename_index(self, change: changes_of.RenameIndex) -> Iterator[Step]:
        yield Step(
            summary=f"Rename the index {change.index} to {change.to}",
            sql=f"ALTER INDEX {self.at(change.index)} RENAME TO {quote(change.to)}",
            table=change.table,
            lock=SHARE_UPDATE_EXCLUSIVE,
            inverse=f"ALTER INDEX {self.at(change.to)} RENAME TO {quote(change.index)}",
        )

    # Tenancy and audit

    def enable_row_security(self, change: changes_of.EnableRowSecurity) -> Iterator[Step]:
        yield Step(
            summary=f"Enforce row security on {change.table}",
            sql=self.alter(change.table, _ROW_SECURITY_ON),
            table=change.table,
            lock=self.lock(change.table, ACCESS_EXCLUSIVE),
            inverse=self.alter(change.table, _ROW_SECURITY_OFF),
            goes_with_table=True,
        )

    def disable_row_security(self, change: changes_of.DisableRowSecurity) -> Iterator[Step]:
        yield Step(
            summary=f"Stop enforcing row security on {change.table}",
            sql=self.alter(change.table, _ROW_SECURITY_OFF),
            table=change.table,
            inverse=self.alter(change.table, _ROW_SECURITY_ON),
        )

    def add_policy(self, change: changes_of.AddPolicy) -> Iterator[Step]:
        yield Step(
            summary=f"Show the rows of {change.table} only to their tenant",
            sql=spelling.create_policy_sql(change.table, change.policy, self.namespace),
            table=change.table,
            lock=self.lock(change.table, ACCESS_EXCLUSIVE),
            inverse=f"DROP POLICY {spelling.POLICY} ON {self.at(change.table)}",
            goes_with_table=True,
        )

    def drop_policy(self, change: changes_of.DropPolicy) -> Iterator[Step]:
        yield Step(
            summary=f"Drop the tenant policy of {change.table}",
            sql=f"DROP POLICY {spelling.POLICY} ON {self.at(change.table)}",
            table=change.table,
            inverse=spelling.create_policy_sql(change.table, change.policy, self.namespace),
        )

    def create_audit_function(self, change: changes_of.CreateAuditFunction) -> Iterator[Step]:
        yield Step(
            summary="Create the function that writes the audit log",
            sql=spelling.create_audit_function_sql(self.namespace),
            table=AUDIT_LOG,
            lock=None,
            inverse=f"DROP FUNCTION {self.at(spelling.AUDIT_FUNCTION)}()",
        )

    def drop_audit_function(self, change: changes_of.DropAuditFunction) -> Iterator[Step]:
        yield Step(
            summary="Drop the function that wrote the audit log",
            sql=f"DROP FUNCTION {self.at(spelling.AUDIT_FUNCTION)}()",
            table=AUDIT_LOG,
            lock=None,
            inverse=spelling.create_audit_function_sql(self.namespace),
        )

    def add_audit_trigger(self, change: changes_of.AddAuditTrigger) -> Iterator[Step]:
        yield Step(
            summary=f"Write changes of {change.table} to the audit log",
            sql=spelling.create_trigger_sql(change.table, change.trigger, self.namespace),
            table=change.table,
            lock=self.lock(change.table, SHARE_ROW_EXCLUSIVE),
            inverse=f"DROP TRIGGER {spelling.TRIGGER} ON {self.at(change.table)}",
        )

    def drop_audit_trigger(self, change: changes_of.DropAuditTrigger) -> Iterator[Step]:
        yield Step(
            summary=f"Stop writing changes of {change.table} to the audit log",
            sql=f"DROP TRIGGER {spelling.TRIGGER} ON {self.at(change.table)}",
            table=change.table,
            inverse=spelling.create_trigger_sql(change.table, change.trigger, self.namespace),
        )

    # Events

    def add_event_triggers(self, change: changes_of.AddEventTriggers) -> Iterator[Step]:
        if self.namespace is None:
            return  # the tables of a service, which has no platform beside it that could tell anybody
        yield Step(
            summary=f"Tell what is written to {change.table} with SQL as events",
            sql=spelling.create_event_triggers_sql(change.table, change.triggers, self.namespace),
            table=change.table,
            lock=self.lock(change.table, SHARE_ROW_EXCLUSIVE),
            inverse=spelling.drop_event_triggers_sql(change.table, self.namespace),
        )

    def drop_event_triggers(self, change: changes_of.DropEventTriggers) -> Iterator[Step]:
        if self.namespace is None:
            return
        yield Step(
            summary=f"Stop telling what is written to {change.table} with SQL",
            sql=spelling.drop_event_triggers_sql(change.table, self.namespace),
            table=change.table,
            inverse=spelling.create_event_triggers_sql(change.table, change.triggers, self.namespace),
        )

    # Comments

    def comment_table(self, change: changes_of.CommentTable) -> Iterator[Step]:
        yield self.comment(
            change.table, f"TABLE {self.at(change.table)}", change.table, change.old, change.new
        )

    def comment_column(self, change: changes_of.CommentColumn) -> Iterator[Step]:
        column = f"{self.at(change.table)}.{quote(change.column)}"
        yield self.comment(
            change.table, f"COLUMN {column}", f"{change.table}.{change.column}", change.old, change.new
        )

    def comment(self, table: str, on: str, what: str, old: str, new: str) -> Step:
        return Step(
            summary=f"{'Describe' if new else 'Stop describing'} {what}",
            sql=f"COMMENT ON {on} IS {text_literal(new) if new else 'NULL'}",
            table=table,
            lock=self.lock(table, SHARE_UPDATE_EXCLUSIVE),
            inverse=f"COMMENT ON {on} IS {text_literal(old) if old else 'NULL'}",
        )


_ROW_SECURITY_ON = "ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
_ROW_SECURITY_OFF = "NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY"

_PLANNED: dict[type[Change], Callable[[_Planner, Any], Iterator[Step]]] = {
    changes_of.CreateTable: _Planner.create_table,
    changes_of.DropTable: _Planner.drop_table,
    changes_of.RenameTable: _Planner.rename_table,
    changes_of.AddColumn: _Planner.add_column,
    changes_of.DropColumn: _Planner.drop_column,
    changes_of.RenameColumn: _Planner.rename_column,
    changes_of.ChangeType: _Planner.change_type,
    changes_of.ChangeNullability: _Planner.change_nullability,
    changes_of.ChangeDefault: _Planner.change_default,
    changes_of.AddConstraint: _Planner.add_constraint,
    changes_of.DropConstraint: _Planner.drop_constraint,
    changes_of.ChangeCheck: _Planner.change_check,
    changes_of.RenameConstraint: _Planner.rename_constraint,
    changes_of.AddIndex: _Planner.add_index,
    changes_of.DropIndex: _Planner.drop_index,
    changes_of.RenameIndex: _Planner.rename_index,
    changes_of.EnableRowSecurity: _Planner.enable_row_security,
    changes_of.DisableRowSecurity: _Planner.disable_row_security,
    changes_of.AddPolicy: _Planner.add_policy,
    changes_of.DropPolicy: _Planner.drop_policy,
    changes_of.CreateAuditFunction: _Planner.create_audit_function,
    changes_of.DropAuditFunction: _Planner.drop_audit_function,
    changes_of.AddAuditTrigger: _Planner.add_audit_trigger,
    changes_of.DropAuditTrigger: _Planner.drop_audit_trigger,
    changes_of.AddEventTriggers: _Planner.add_event_triggers,
    changes_of.DropEventTriggers: _Planner.drop_event_triggers,
    changes_of.CommentTable: _Planner.comment_table,
    changes_of.CommentColumn: _Planner.comment_column,
}


def _described(constraint: Constraint) -> str:
    if isinstance(constraint, PrimaryKey):
        return f"the primary key ({', '.join(constraint.columns)})"
    if isinstance(constraint, Unique):
        return f"the uniqueness of ({', '.join(constraint.columns)})"
    if isinstance(constraint, ForeignKey):
        return f"the key {constraint.name} into {constraint.target}"
    return f"the check {constraint.name}"


def _is_wider_check(old: Check, new: Check) -> bool:
    """Whether each row that passed the old check passes the new one, so that none has to be read."""
    if old.rule == "values":
        return set(old.values) <= set(new.values)
    if old.rule not in ("length", "range"):
        return False
    lower = new.least is None or (
        old.least is not None and Decimal(str(new.least)) <= Decimal(str(old.least))
    )
    higher = new.most is None or (old.most is not None and Decimal(str(new.most)) >= Decimal(str(old.most)))
    return lower and higher


def _is_wider_numeric(old: str, new: str) -> bool:
    """PostgreSQL rewrites no row when only the digits before the point become more."""
    if not all(each.startswith("numeric(") and each.endswith(")") for each in (old, new)):
        return False
    old_digits, old_scale = _digits(old)
    new_digits, new_scale = _digits(new)
    return old_scale == new_scale and new_digits >= old_digits


def _digits(type_: str) -> tuple[int, int]:
    precision, _, scale = type_.removeprefix("numeric(").removesuffix(")").partition(",")
    return int(precision), int(scale or 0)


def _fitting(table: str, check: Check) -> str:
    return f"values of {table}.{check.column} that pass {check.name} in each row that is there"


def _different(table: str, columns: tuple[str, ...]) -> str:
    return f"different values of ({', '.join(columns)}) in the rows of {table} that are there"


def _value_of(table: str, column: str) -> str:
    return f"a value of {table}.{column} in each row that is there"
