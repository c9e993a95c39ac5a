"""The SQL of organizations. Each statement names the tenant, and row-level security names it again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from app.core.db import Row, Tx
from app.core.errors import forbidden, not_found, version_conflict
from app.core.export import MAX_EXPORTED
from app.core.paging import Page, after_cursor, order_by, page
from app.core.sql import Statement, select_list
from app.organizations.schemas import Organization, OrganizationCreate, OrganizationQuery, OrganizationUpdate

# What the API calls a field, and its column.
COLUMNS = {
    "id": "id",
    "name": "name",
    "slug": "slug",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "version": "version",
}


async def list_organizations(tx: Tx, query: OrganizationQuery) -> Page[Organization]:
    """One page of the organizations that the caller may read, in the order that the query asks for."""
    statement = _listed(tx, query)
    total = None
    if query.count == "exact":
        total = await tx.value(
            f"""select count(*) from organization where {statement.conditions}""",
            *statement.values,
        )
    after_cursor(statement, query, COLUMNS)
    rows = await tx.all(
        f"""
        select {select_list(COLUMNS)}
        from organization
        where {statement.conditions}
        order by {order_by(query, COLUMNS)}
        limit {statement.bind(query.limit + 1)} offset {statement.bind(query.offset or 0)}
        """,
        *statement.values,
    )
    return page(query, rows, total, Organization)


def export_organizations(tx: Tx, query: OrganizationQuery) -> AsyncIterator[list[Row]]:
    """All of the organizations of a list, some at a time."""
    statement = _listed(tx, query)
    return tx.parts(
        "export_organizations",
        f"""
        declare export_organizations no scroll cursor for
        select {select_list(COLUMNS)}
        from organization
        where {statement.conditions}
        order by {order_by(query, COLUMNS)}
        limit {MAX_EXPORTED}
        """,
        *statement.values,
    )


async def get_organization(tx: Tx, id: UUID) -> Organization:
    """The organization, if the caller may read it."""
    statement = _reachable(tx, "organization:read")
    statement.where(f"id = {statement.bind(id)}")
    row = await tx.one(
        f"""
        select {select_list(COLUMNS)}
        from organization
        where {statement.conditions}
        """,
        *statement.values,
    )
    if row is None:
        raise not_found()
    return Organization.model_construct(**row)


async def create_organization(tx: Tx, body: OrganizationCreate) -> Organization:
    """A new organization, if the caller may make such a one."""
    row = await tx.one(
        f"""
        insert into organization (
            id,
            name,
            slug
        )
        values ($1, $2, $3)
        returning {select_list(COLUMNS)}
        """,
        tx.tenant_id,
        body.name,
        body.slug,
    )
    assert row is not None
    return Organization.model_construct(**row)


async def update_organization(
    tx: Tx,
    id: UUID,
    patch: OrganizationUpdate,
    versions: list[int] | None,
) -> Organization:
    """The organization after the change, unless it has changed since the caller saw it."""
    return await _change(tx, id, patch.sent(), versions)


async def _change(tx: Tx, id: UUID, sent: dict[str, Any], versions: list[int] | None) -> Organization:
    statement = _reachable(tx, "organization:update")
    statement.where(f"id = {statement.bind(id)}")
    statement.version(versions)
    assignments = statement.assignments(COLUMNS, sent)
    row = await tx.one(
        f"""
        update organization
        set {assignments}updated_at = now(),
            version = version + 1
        where {statement.conditions}
        returning {select_list(COLUMNS)}
        """,
        *statement.values,
    )
    if row is None:
        raise await _refusal(tx, id, versions)
    return Organization.model_construct(**row)


async def delete_organization(tx: Tx, id: UUID, versions: list[int] | None) -> None:
    """Delete the organization for good."""
    statement = _reachable(tx, "organization:delete")
    statement.where(f"id = {statement.bind(id)}")
    statement.version(versions)
    row = await tx.one(
        f"""
        delete from organization
        where {statement.conditions}
        returning id
        """,
        *statement.values,
    )
    if row is None:
        raise await _refusal(tx, id, versions)


def _listed(tx: Tx, query: OrganizationQuery) -> Statement:
    """The rows that a list is about."""
    statement = _reachable(tx, "organization:read")
    statement.filter(COLUMNS, query.filters())
    return statement


def _reachable(tx: Tx, permission: str) -> Statement:
    """The rows of the caller's tenant on which it has the permission."""
    statement = Statement()
    statement.where(f"id = {statement.bind(tx.tenant_id or tx.principal.require_tenant())}")
    statement.allow(tx.principal, permission)
    return statement


async def _refusal(tx: Tx, id: UUID, versions: list[int] | None) -> Exception:
    """Why nothing was changed: the row is not there, has changed, or is not the caller's to change."""
    current = await get_organization(tx, id)
    if versions is not None and current.version not in versions:
        return version_conflict(current.version)
    return forbidden()
