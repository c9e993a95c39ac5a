"""Projects over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

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
from app.projects import repository
from app.projects.schemas import ProjectCreate, ProjectQuery, ProjectUpdate
from app.relations import RELATIONS

router = APIRouter(prefix="/projects", route_class=RetryingRoute)
ENTITY = "project"


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
        created = await repository.create_project(tx, body)
    return reply(request, created, caller.hidden(ENTITY), status=201)


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
        updated = await repository.update_project(tx, id, body, versions)
    return reply(request, updated, caller.hidden(ENTITY))


@router.delete("/{id}", dependencies=[Depends(no_parameters)], status_code=204)
async def delete_project(caller: Caller, db: Db, id: UUID, versions: IfMatch) -> None:
    """Delete a project; it can be restored."""
    caller.require("project:delete")
    async with db.tx(caller) as tx:
        await repository.delete_project(tx, id, versions)


@router.post("/{id}/restore", dependencies=[Depends(no_parameters)])
async def restore_project(request: Request, caller: Caller, db: Db, id: UUID) -> Response:
    """Bring a project back that was deleted."""
    caller.require("project:restore")
    async with db.tx(caller) as tx:
        restored = await repository.restore_project(tx, id)
    return reply(request, restored, caller.hidden(ENTITY))
