"""People over HTTP."""

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
from app.people import repository
from app.people.schemas import PersonCreate, PersonQuery, PersonUpdate
from app.relations import RELATIONS

router = APIRouter(prefix="/people", route_class=RetryingRoute)
ENTITY = "person"


@router.get("")
async def list_people(
    request: Request,
    caller: Caller,
    db: Db,
    query: Annotated[PersonQuery, Query()],
) -> Response:
    """The people that the caller may read, one page at a time."""
    caller.require("person:read")
    check_parameters(request, "sort", "include")
    query.check(caller)
    wanted = tree(caller, RELATIONS, ENTITY, query.include)
    async with db.tx(caller) as tx:
        page = await repository.list_people(tx, query)
        rows = await included(tx, RELATIONS, ENTITY, page.data, wanted) if wanted else None
    return reply_page(request, page, caller.hidden(ENTITY), rows)


@router.post("", dependencies=[Depends(no_parameters)])
async def create_person(request: Request, caller: Caller, db: Db, body: PersonCreate) -> Response:
    """Create a person."""
    caller.require("person:create")
    caller.check_writable(ENTITY, body.sent())
    async with db.tx(caller) as tx:
        created = await repository.create_person(tx, body)
    return reply(request, created, caller.hidden(ENTITY), status=201)


@router.get("/{id}")
async def get_person(request: Request, caller: Caller, db: Db, id: UUID, include: Include) -> Response:
    """One person."""
    caller.require("person:read")
    wanted = tree(caller, RELATIONS, ENTITY, include)
    async with db.tx(caller) as tx:
        found = await repository.get_person(tx, id)
        if wanted:
            (row,) = await included(tx, RELATIONS, ENTITY, [found], wanted)
            return reply_included(row)
    return reply(request, found, caller.hidden(ENTITY))


@router.patch("/{id}", dependencies=[Depends(no_parameters)])
async def update_person(
    request: Request,
    caller: Caller,
    db: Db,
    id: UUID,
    body: PersonUpdate,
    versions: IfMatch,
) -> Response:
    """Change a person: fields that are absent stay as they are."""
    caller.require("person:update")
    caller.check_writable(ENTITY, body.sent())
    async with db.tx(caller) as tx:
        updated = await repository.update_person(tx, id, body, versions)
    return reply(request, updated, caller.hidden(ENTITY))


@router.delete("/{id}", dependencies=[Depends(no_parameters)], status_code=204)
async def delete_person(caller: Caller, db: Db, id: UUID, versions: IfMatch) -> None:
    """Delete a person."""
    caller.require("person:delete")
    async with db.tx(caller) as tx:
        await repository.delete_person(tx, id, versions)
