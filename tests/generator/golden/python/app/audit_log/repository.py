"""The SQL of audit log. Each statement names the tenant, and row-level security names it again."""

from __future__ import annotations

from collections.abc import AsyncIterator

from app.audit_log.schemas import AuditEntry, AuditEntryQuery
from app.core.db import Row, Tx
from app.core.errors import not_found
from app.core.export import MAX_EXPORTED
from app.core.paging import Page, after_cursor, order_by, page
from app.core.sql import Statement, select_list

# What the API calls a field, and its column.
COLUMNS = {
    "id": "id",
    "at": "at",
    "actor_id": "actor_id",
    "request_id": "request_id",
    "entity": "entity",
    "entity_id": "entity_id",
    "action": "action",
    "before": "before",
    "after": "after",
}


async def list_audit_log(tx: Tx, query: AuditEntryQuery) -> Page[AuditEntry]:
    """One page of the audit log that the caller may read, in the order that the query asks for."""
    statement = _listed(tx, query)
    total = None
    if query.count == "exact":
        total = await tx.value(
            f"""select count(*) from audit_log where {statement.conditions}""",
            *statement.values,
        )
    after_cursor(statement, query, COLUMNS)
    rows = await tx.all(
        f"""
        select {select_list(COLUMNS)}
        from audit_log
        where {statement.conditions}
        order by {order_by(query, COLUMNS)}
        limit {statement.bind(query.limit + 1)} offset {statement.bind(query.offset or 0)}
        """,
        *statement.values,
    )
    return page(query, rows, total, AuditEntry)


def export_audit_log(tx: Tx, query: AuditEntryQuery) -> AsyncIterator[list[Row]]:
    """All of the audit log of a list, some at a time."""
    statement = _listed(tx, query)
    return tx.parts(
        "export_audit_log",
        f"""
        declare export_audit_log no scroll cursor for
        select {select_list(COLUMNS)}
        from audit_log
        where {statement.conditions}
        order by {order_by(query, COLUMNS)}
        limit {MAX_EXPORTED}
        """,
        *statement.values,
    )


async def get_audit_entry(tx: Tx, id: int) -> AuditEntry:
    """The audit entry, if the caller may read it."""
    statement = _reachable(tx, "audit_entry:read")
    statement.where(f"id = {statement.bind(id)}")
    row = await tx.one(
        f"""
        select {select_list(COLUMNS)}
        from audit_log
        where {statement.conditions}
        """,
        *statement.values,
    )
    if row is None:
        raise not_found()
    return AuditEntry.model_construct(**row)


def _listed(tx: Tx, query: AuditEntryQuery) -> Statement:
    """The rows that a list is about."""
    statement = _reachable(tx, "audit_entry:read")
    statement.filter(COLUMNS, query.filters())
    return statement


def _reachable(tx: Tx, permission: str) -> Statement:
    """The rows of the caller's tenant on which it has the permission."""
    statement = Statement()
    statement.where(f"tenant_id = {statement.bind(tx.principal.require_tenant())}")
    statement.allow(tx.principal, permission)
    return statement
