"""Projects over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from app.core.batch import check_items_writable, each, reply_rows
from app.core.db import Tx
from app.core.export import reply_csv, wants_csv
from app.core.idempotency import once
from app.core.include import included, tree
from app.core.web import (
    Caller,
    Db,
    IfMatch,
    Include,
    RetryingRoute,
    check_parameters,
    no_parameters,
    reply,
    reply_included,
    reply_page,
)
from app.projects import hooks, repository
from app.projects.schemas import (
    Project,
    ProjectBatchCreate,
    ProjectBatchDelete,
    ProjectBatchUpdate,
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
TEXTS: frozenset[str] = frozenset(
    [
        "name",
        "code",
        "status",
        "created_by",
        "updated_by",
    ]
)


@router.get("")
async def list_projects(
    request: Request,
    caller: Caller,
    db: Db,
    query: Annotated[ProjectQuery, Query()],
) -> Response:
    """The projects that the caller may read, one page at a time."""
    caller.require("project:read")
    if query.deleted != "exclude":
        caller.require("project:read_deleted")
    check_parameters(request, "sort", "include")
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
async def get_project(request: Request, caller: Caller, db: Db, id: UUID, include: Include) -> Response:
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
    id: UUID,
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
async def delete_project(caller: Caller, db: Db, id: UUID, versions: IfMatch) -> None:
    """Delete a project; it can be restored."""
    caller.require("project:delete")
    async with db.tx(caller) as tx:
        await _delete(tx, id, versions)


@router.post("/{id}/restore", dependencies=[Depends(no_parameters)])
async def restore_project(request: Request, caller: Caller, db: Db, id: UUID) -> Response:
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
    check_items_writable(caller, ENTITY, "/items", [item.sent() for item in body.items])
    async with db.tx(caller) as tx:

        async def work() -> Response:
            rows = await each("/items", body.items, lambda item: _upsert(tx, item, body.on_conflict))
            return reply_rows(rows, caller.hidden(ENTITY), status=201)

        return await once(request, tx, work)


@router.post("/batch-update", dependencies=[Depends(no_parameters)])
async def batch_update_projects(request: Request, caller: Caller, db: Db, body: ProjectBatchUpdate) -> Response:
    """Change many projects, or none."""
    caller.require("project:update")
    check_items_writable(caller, ENTITY, "/items", [item.sent() for item in body.items])
    async with db.tx(caller) as tx:

        async def change(item: ProjectChange) -> Project:
            versions = None if item.version is None else [item.version]
            return await _update(tx, item.id, item, versions)

        async def work() -> Response:
            return reply_rows(await each("/items", body.items, change), caller.hidden(ENTITY))

        return await once(request, tx, work)


@router.post("/batch-delete", dependencies=[Depends(no_parameters)], status_code=204)
async def batch_delete_projects(request: Request, caller: Caller, db: Db, body: ProjectBatchDelete) -> Response:
    """Delete many projects, or none."""
    caller.require("project:delete")
    async with db.tx(caller) as tx:

        async def work() -> Response:
            await each("/ids", body.ids, lambda id: _delete(tx, id, None), deleting=True)
            return Response(status_code=204)

        return await once(request, tx, work)


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


async def _delete(tx: Tx, id: UUID, versions: list[int] | None) -> None:
    await hooks.before_delete(tx, id)
    await repository.delete_project(tx, id, versions)
    await hooks.after_delete(tx, id)
