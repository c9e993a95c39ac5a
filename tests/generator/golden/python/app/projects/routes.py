"""Projects over HTTP."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from app.core.batch import delete_each, write_each
from app.core.db import Tx
from app.core.export import reply_csv, wants_csv
from app.core.fields import Ids, Items, Uuid
from app.core.idempotency import once
from app.core.include import included, tree
from app.core.web import Caller, Db, IfMatch, Include, RetryingRoute, no_parameters, reply, reply_included, reply_page
from app.projects import hooks, repository
from app.projects.schemas import (
    Project,
    ProjectBatchCreate,
    ProjectChange,
    ProjectCreate,
    ProjectQuery,
    ProjectSummary,
    ProjectUpdate,
)
from app.relations import RELATIONS

router = APIRouter(prefix="/v1/projects", route_class=RetryingRoute)
ENTITY = "project"
# The fields of a CSV that people write, and that a spreadsheet might take for formulas.
TEXTS: frozenset[str] = frozenset(["name", "code", "status", "created_by", "updated_by"])


@router.get("")
async def list_projects(request: Request, caller: Caller, db: Db) -> Response:
    """The projects that the caller may read, one page at a time."""
    query = ProjectQuery.read(request)
    caller.require("project:read")
    if query.deleted != "exclude":
        caller.require("project:read_deleted")
    query.check(caller)
    if wants_csv(request):
        return await reply_csv(
            "projects",
            ProjectSummary,
            TEXTS,
            caller,
            caller.hidden(ENTITY),
            db,
            lambda tx: repository.export_projects(tx, query),
        )
    wanted = tree(caller, RELATIONS, ENTITY, query.include)
    async with db.tx(caller) as tx:
        page = await repository.list_projects(tx, query)
        rows = await included(tx, RELATIONS, ENTITY, page.data, wanted) if wanted else None
    return reply_page(request, page, caller.hidden(ENTITY), rows)


@router.post("", dependencies=[Depends(no_parameters)])
async def create_project(request: Request, caller: Caller, db: Db, body: ProjectCreate) -> Response:
    """Create a project."""
    caller.require("project:create")
    caller.check_writable(ENTITY, body.sent())
    async with db.tx(caller) as tx:

        async def work() -> Response:
            created = await _create(tx, body)
            return reply(request, created, caller.hidden(ENTITY), status=201)

        return await once(request, tx, work)


@router.get("/{id}")
async def get_project(request: Request, caller: Caller, db: Db, id: Uuid, include: Include) -> Response:
    """One project."""
    caller.require("project:read")
    wanted = tree(caller, RELATIONS, ENTITY, include)
    async with db.tx(caller) as tx:
        found = await repository.get_project(tx, id)
        if wanted:
            (row,) = await included(tx, RELATIONS, ENTITY, [found], wanted)
            return reply_included(row)
    return reply(request, found, caller.hidden(ENTITY))


@router.patch("/{id}", dependencies=[Depends(no_parameters)])
async def update_project(
    request: Request,
    caller: Caller,
    db: Db,
    id: Uuid,
    body: ProjectUpdate,
    versions: IfMatch,
) -> Response:
    """Change a project: fields that are absent stay as they are."""
    caller.require("project:update")
    caller.check_writable(ENTITY, body.sent())
    async with db.tx(caller) as tx:
        updated = await _update(tx, id, body, versions)
    return reply(request, updated, caller.hidden(ENTITY))


@router.delete("/{id}", dependencies=[Depends(no_parameters)], status_code=204)
async def delete_project(caller: Caller, db: Db, id: Uuid, versions: IfMatch) -> None:
    """Delete a project; it can be restored."""
    caller.require("project:delete")
    async with db.tx(caller) as tx:
        await _delete(tx, id, versions)


@router.post("/{id}/restore", dependencies=[Depends(no_parameters)])
async def restore_project(request: Request, caller: Caller, db: Db, id: Uuid) -> Response:
    """Bring a project back that was deleted."""
    caller.require("project:restore")
    async with db.tx(caller) as tx:
        restored = await repository.restore_project(tx, id)
    return reply(request, restored, caller.hidden(ENTITY))


@router.post("/batch", dependencies=[Depends(no_parameters)])
async def batch_create_projects(request: Request, caller: Caller, db: Db, body: ProjectBatchCreate) -> Response:
    """Create many projects, or none."""
    caller.require("project:create")
    if body.on_conflict == "update":
        caller.require("project:update")

    async def work(tx: Tx, item: ProjectCreate) -> Project:
        return await _upsert(tx, item, body.on_conflict)

    return await write_each(request, caller, db, ENTITY, body.items, work, status=201)


@router.post("/batch-update", dependencies=[Depends(no_parameters)])
async def batch_update_projects(request: Request, caller: Caller, db: Db, body: Items[ProjectChange]) -> Response:
    """Change many projects, or none."""
    caller.require("project:update")
    return await write_each(request, caller, db, ENTITY, body.items, _change)


@router.post("/batch-delete", dependencies=[Depends(no_parameters)], status_code=204)
async def batch_delete_projects(request: Request, caller: Caller, db: Db, body: Ids[Uuid]) -> Response:
    """Delete many projects, or none."""
    caller.require("project:delete")
    return await delete_each(request, caller, db, body.ids, lambda tx, id: _delete(tx, id, None))


async def _create(tx: Tx, body: ProjectCreate) -> Project:
    await hooks.before_create(tx, body)
    created = await repository.create_project(tx, body)
    await hooks.after_create(tx, created)
    return created


async def _upsert(tx: Tx, body: ProjectCreate, on_conflict: Literal["error", "update", "ignore"]) -> Project:
    if on_conflict == "error":
        return await _create(tx, body)
    await hooks.before_create(tx, body)
    row, outcome = await repository.upsert_project(tx, body, on_conflict)
    if outcome == "created":
        await hooks.after_create(tx, row)
    elif outcome == "updated":
        await hooks.after_update(tx, row)
    return row


async def _update(tx: Tx, id: UUID, patch: ProjectUpdate, versions: list[int] | None) -> Project:
    await hooks.before_update(tx, id, patch)
    updated = await repository.update_project(tx, id, patch, versions)
    await hooks.after_update(tx, updated)
    return updated


async def _change(tx: Tx, item: ProjectChange) -> Project:
    return await _update(tx, item.id, item, None if item.version is None else [item.version])


async def _delete(tx: Tx, id: UUID, versions: list[int] | None) -> None:
    await hooks.before_delete(tx, id)
    await repository.delete_project(tx, id, versions)
    await hooks.after_delete(tx, id)
