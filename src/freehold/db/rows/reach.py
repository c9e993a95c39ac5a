"""Which rows a caller may reach, as predicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freehold.db.ddl.spelling import quote
from freehold.db.rows.statement import Scope, Values
from freehold.schema.model import Comparison, Condition
from freehold.schema.values import Misfit

if TYPE_CHECKING:
    from freehold.db.rows.table import RowTable


def within(rows: RowTable, scope: Scope, values: Values) -> str:
    """The predicates that keep a statement on rows which it names to those that the caller may reach."""
    sql = own(rows, scope, values)
    if scope.asks is not None:
        assert rows.layout.permissions is not None
        sql += f" and {quote(rows.layout.permissions)} && {values.bind(scope.asks)}"
    return sql


def among(rows: RowTable, scope: Scope, values: Values) -> str:
    """The same of a statement that looks for rows to read, in a form that indexes can answer."""
    return either(readable(rows, scope, values)) + own(rows, scope, values)


def readable(rows: RowTable, scope: Scope, values: Values) -> list[str]:
    """The predicates of the rows whose permissions let the caller read them; none fits two of them."""
    if scope.asks is None:
        return []
    assert rows.layout.permissions is not None
    values.decide_plan = True
    asks, permissions = values.bind(scope.asks), quote(rows.layout.permissions)
    if rows.layout.reads is None:
        return [f" and {permissions} && {asks}"]
    reads = quote(rows.layout.reads)
    return [f" and {reads} && {asks}", f" and {reads} is null and {permissions} && {asks}"]


def own(rows: RowTable, scope: Scope, values: Values) -> str:
    """The predicates of the rows that are there for the caller, whatever their own permissions say."""
    sql = ""
    if rows.layout.tenant is not None:
        sql += f" and {quote(rows.layout.tenant)} = {values.bind(scope.tenant)}"
    elif rows.entity.tenant == "self" and scope.tenant is not None:
        sql += f" and {quote(rows.layout.id)} = {values.bind(scope.tenant)}"
    if rows.layout.deleted_at is not None and not scope.with_deleted:
        sql += f" and {quote(rows.layout.deleted_at)} is null"
    if scope.unchanged_since is not None and rows.layout.updated_at is not None:
        sql += f" and {quote(rows.layout.updated_at)} <= {values.bind(scope.unchanged_since)}"
    if scope.grants is not None:
        alternatives = [
            " and ".join(_condition(rows, condition, scope, values) for condition in grant)
            for grant in scope.grants
        ]
        sql += f" and ({' or '.join(f'({each})' for each in alternatives) or 'false'})"
    return sql


def either(predicates: list[str]) -> str:
    """The predicate that one of them holds."""
    if len(predicates) < 2:
        return "".join(predicates)
    return f" and ({' or '.join(each.removeprefix(' and ') for each in predicates)})"


def _condition(rows: RowTable, condition: Condition, scope: Scope, values: Values) -> str:
    if not isinstance(condition, Comparison):
        return "false"  # member_of is not offered here; see services.databases.schemas
    if condition.field == rows.layout.id:
        name, encode = quote(rows.layout.id), rows.encode_id
    else:
        field = rows.entity.field(condition.field)
        column = rows.columns.get(rows.entity.wire_name(field)) if field is not None else None
        if column is None:
            return "false"
        name, encode = column.sql, column.encode_filter
    wanted = [scope.user_id] if condition.me else [scope.tenant] if condition.tenant else condition.values
    try:
        encoded = [encode(value) for value in wanted]
    except Misfit:  # such as a user whose id cannot stand in the column: nothing is theirs
        return "false"
    return f"{name} = any({values.bind(encoded)})"
