"""The SQL of projects. Each statement names the tenant, and row-level security names it again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal
from uuid import UUID

from app.core.db import Row, Tx
from app.core.errors import forbidden, not_found, taken, version_conflict
from app.core.export import MAX_EXPORTED
from app.core.ids import new_id
from app.core.include import MAX_INCLUDED, Relation
from app.core.paging import Page, after_cursor, order_by, page
from app.core.sql import Statement, select_list
from app.projects.schemas import Project, ProjectCreate, ProjectQuery, ProjectSummary, ProjectUpdate

# What the API calls a field, and its column.
COLUMNS = {
    "id": "id",
    "name": "name",
    "code": "code",
    "status": "status",
    "budget": "budget",
    "settings": "settings",
    "owner_id": "owner_id",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "created_by": "created_by",
    "updated_by": "updated_by",
    "version": "version",
    "deleted_at": "deleted_at",
}
HEAVY = {
    "settings",
}
SUMMARY = {name: column for name, column in COLUMNS.items() if name not in HEAVY}


async def list_projects(tx: Tx, query: ProjectQuery) -> Page[ProjectSummary]:
    """One page of the projects that the caller may read, in the order that the query asks for."""
    statement = _listed(tx, query)
    total = None
    if query.count == "exact":
        total = await tx.value(
            f"""select count(*) from project where {statement.conditions}""",
            *statement.values,
        )
    after_cursor(statement, query, COLUMNS)
    rows = await tx.all(
        f"""
        select {select_list(SUMMARY)}
        from project
        where {statement.conditions}
        order by {order_by(query, COLUMNS)}
        limit {statement.bind(query.limit + 1)} offset {statement.bind(query.offset or 0)}
        """,
        *statement.values,
    )
    return page(query, rows, total, ProjectSummary)


def export_projects(tx: Tx, query: ProjectQuery) -> AsyncIterator[list[Row]]:
    """All of the projects of a list, some at a time."""
    statement = _listed(tx, query)
    return tx.parts(
        "export_projects",
        f"""
        declare export_projects no scroll cursor for
        select {select_list(SUMMARY)}
        from project
        where {statement.conditions}
        order by {order_by(query, COLUMNS)}
        limit {MAX_EXPORTED}
        """,
        *statement.values,
    )


async def get_project(tx: Tx, id: UUID) -> Project:
    """The project, if the caller may read it."""
    statement = _reachable(tx, "project:read")
    statement.where(f"id = {statement.bind(id)}")
    row = await tx.one(
        f"""
        select {select_list(COLUMNS)}
        from project
        where {statement.conditions}
        """,
        *statement.values,
    )
    if row is None:
        raise not_found()
    return Project.model_construct(**row)


async def create_project(tx: Tx, body: ProjectCreate) -> Project:
    """A new project, if the caller may make such a one."""
    row = await tx.one(
        f"""
        insert into project (
            tenant_id,
            id,
            name,
            code,
            status,
            budget,
            settings,
            owner_id,
            created_by,
            updated_by
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        returning {select_list(COLUMNS)}
        """,
        tx.principal.require_tenant(),
        new_id(),
        body.name,
        body.code,
        body.status,
        body.budget,
        body.settings,
        body.owner_id if "owner_id" in body.model_fields_set else tx.principal.id,
        tx.actor,
        tx.actor,
    )
    assert row is not None
    return Project.model_construct(**row)


async def upsert_project(
    tx: Tx, body: ProjectCreate, on_conflict: Literal["update", "ignore"]
) -> tuple[Project, Literal["created", "updated", "known"]]:
    """A new project, or the one with its natural key: changed, or as it is. And which of these it was."""
    row = await tx.one(
        f"""
        insert into project (
            tenant_id,
            id,
            name,
            code,
            status,
            budget,
            settings,
            owner_id,
            created_by,
            updated_by
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (tenant_id, code) where deleted_at is null do nothing
        returning {select_list(COLUMNS)}
        """,
        tx.principal.require_tenant(),
        new_id(),
        body.name,
        body.code,
        body.status,
        body.budget,
        body.settings,
        body.owner_id if "owner_id" in body.model_fields_set else tx.principal.id,
        tx.actor,
        tx.actor,
    )
    if row is not None:
        return Project.model_construct(**row), "created"
    known = await _known(tx, body)
    if known is None:  # another tenant's, or deleted meanwhile
        raise taken("code")
    if on_conflict == "ignore":
        return await get_project(tx, known), "known"
    sent = {name: value for name, value in body.sent().items() if name != "code"}
    return await _change(tx, known, sent, None), "updated"


async def _known(tx: Tx, body: ProjectCreate) -> Any:
    """The id of the project with the natural key, whoever may read it."""
    statement = Statement()
    statement.where(f"tenant_id = {statement.bind(tx.principal.require_tenant())}")
    statement.where("deleted_at is null")
    statement.where(f"code = {statement.bind(body.code)}")
    return await tx.value(f"""select id from project where {statement.conditions}""", *statement.values)


async def update_project(
    tx: Tx,
    id: UUID,
    patch: ProjectUpdate,
    versions: list[int] | None,
) -> Project:
    """The project after the change, unless it has changed since the caller saw it."""
    return await _change(tx, id, patch.sent(), versions)


async def _change(tx: Tx, id: UUID, sent: dict[str, Any], versions: list[int] | None) -> Project:
    statement = _reachable(tx, "project:update")
    statement.where(f"id = {statement.bind(id)}")
    statement.version(versions)
    assignments = statement.assignments(COLUMNS, sent)
    row = await tx.one(
        f"""
        update project
        set {assignments}updated_at = now(),
            updated_by = nullif(current_setting('app.actor_id', true), ''),
            version = version + 1
        where {statement.conditions}
        returning {select_list(COLUMNS)}
        """,
        *statement.values,
    )
    if row is None:
        raise await _refusal(tx, id, versions)
    return Project.model_construct(**row)


async def delete_project(tx: Tx, id: UUID, versions: list[int] | None) -> None:
    """Mark the project as deleted."""
    statement = _reachable(tx, "project:delete")
    statement.where(f"id = {statement.bind(id)}")
    statement.version(versions)
    row = await tx.one(
        f"""
        update project
        set deleted_at = now(), updated_at = now(),
            updated_by = nullif(current_setting('app.actor_id', true), ''),
            version = version + 1
        where {statement.conditions}
        returning id
        """,
        *statement.values,
    )
    if row is None:
        raise await _refusal(tx, id, versions)


async def related_projects(tx: Tx, relation: Relation, keys: Sequence[Any]) -> list[Row]:
    """The projects that the relation leads to and that the caller may read, each with its key."""
    statement = _reachable(tx, "project:read", deleted=relation.deleted)
    statement.where(f"{relation.column} = any({statement.bind(list(keys))})")
    return await tx.all(
        f"""
        select {relation.column} as "_key", {select_list(SUMMARY)}
        from project
        where {statement.conditions}
        order by id
        limit {MAX_INCLUDED + 1}
        """,
        *statement.values,
    )


async def restore_project(tx: Tx, id: UUID) -> Project:
    """The project as it was."""
    statement = _reachable(tx, "project:restore", deleted="only")
    statement.where(f"id = {statement.bind(id)}")
    row = await tx.one(
        f"""
        select deleted_at as moment
        from project
        where {statement.conditions}
        for update
        """,
        *statement.values,
    )
    if row is None:
        raise not_found()
    await tx.execute(
        f"""
        update project
        set deleted_at = null, updated_at = now(),
            updated_by = nullif(current_setting('app.actor_id', true), ''),
            version = version + 1
        where {statement.conditions}
        """,
        *statement.values,
    )
    return await get_project(tx, id)


def _listed(tx: Tx, query: ProjectQuery) -> Statement:
    """The rows that a list is about."""
    statement = _reachable(tx, "project:read", deleted=query.deleted)
    if query.deleted != "exclude":
        statement.allow(tx.principal, "project:read_deleted", unless="deleted_at is null")
    statement.search("search_vector", query.q)
    statement.filter(COLUMNS, query.filters())
    return statement


def _reachable(tx: Tx, permission: str, deleted: str = "exclude") -> Statement:
    """The rows of the caller's tenant on which it has the permission."""
    statement = Statement()
    statement.where(f"tenant_id = {statement.bind(tx.principal.require_tenant())}")
    if deleted != "include":
        statement.where(f"deleted_at is {'not ' if deleted == 'only' else ''}null")
    statement.allow(tx.principal, permission)
    return statement


async def _refusal(tx: Tx, id: UUID, versions: list[int] | None) -> Exception:
    """Why nothing was changed: the row is not there, has changed, or is not the caller's to change."""
    current = await get_project(tx, id)
    if versions is not None and current.version not in versions:
        return version_conflict(current.version)
    return forbidden()
