"""People over HTTP."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from app.core.batch import delete_each, write_each
from app.core.db import Tx
from app.core.export import reply_csv, wants_csv
from app.core.fields import Ids, Items, Uuid
from app.core.idempotency import once
from app.core.include import included, tree
from app.core.web import Caller, Db, IfMatch, Include, RetryingRoute, no_parameters, reply, reply_included, reply_page
from app.people import hooks, repository
from app.people.schemas import Person, PersonChange, PersonCreate, PersonQuery, PersonUpdate
from app.relations import RELATIONS

router = APIRouter(prefix="/v1/people", route_class=RetryingRoute)
ENTITY = "person"
# The fields of a CSV that people write, and that a spreadsheet might take for formulas.
TEXTS: frozenset[str] = frozenset(["email"])


@router.get("")
async def list_people(request: Request, caller: Caller, db: Db) -> Response:
    """The people that the caller may read, one page at a time."""
    query = PersonQuery.read(request)
    caller.require("person:read")
    query.check(caller)
    if wants_csv(request):
        return await reply_csv(
            "people",
            Person,
            TEXTS,
            caller,
            caller.hidden(ENTITY),
            db,
            lambda tx: repository.export_people(tx, query),
        )
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

        async def work() -> Response:
            created = await _create(tx, body)
            return reply(request, created, caller.hidden(ENTITY), status=201)

        return await once(request, tx, work)


@router.get("/{id}")
async def get_person(request: Request, caller: Caller, db: Db, id: Uuid, include: Include) -> Response:
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
    id: Uuid,
    body: PersonUpdate,
    versions: IfMatch,
) -> Response:
    """Change a person: fields that are absent stay as they are."""
    caller.require("person:update")
    caller.check_writable(ENTITY, body.sent())
    async with db.tx(caller) as tx:
        updated = await _update(tx, id, body, versions)
    return reply(request, updated, caller.hidden(ENTITY))


@router.delete("/{id}", dependencies=[Depends(no_parameters)], status_code=204)
async def delete_person(caller: Caller, db: Db, id: Uuid, versions: IfMatch) -> None:
    """Delete a person."""
    caller.require("person:delete")
    async with db.tx(caller) as tx:
        await _delete(tx, id, versions)


@router.post("/batch", dependencies=[Depends(no_parameters)])
async def batch_create_people(request: Request, caller: Caller, db: Db, body: Items[PersonCreate]) -> Response:
    """Create many people, or none."""
    caller.require("person:create")
    return await write_each(request, caller, db, ENTITY, body.items, _create, status=201)


@router.post("/batch-update", dependencies=[Depends(no_parameters)])
async def batch_update_people(request: Request, caller: Caller, db: Db, body: Items[PersonChange]) -> Response:
    """Change many people, or none."""
    caller.require("person:update")
    return await write_each(request, caller, db, ENTITY, body.items, _change)


@router.post("/batch-delete", dependencies=[Depends(no_parameters)], status_code=204)
async def batch_delete_people(request: Request, caller: Caller, db: Db, body: Ids[Uuid]) -> Response:
    """Delete many people, or none."""
    caller.require("person:delete")
    return await delete_each(request, caller, db, body.ids, lambda tx, id: _delete(tx, id, None))


async def _create(tx: Tx, body: PersonCreate) -> Person:
    await hooks.before_create(tx, body)
    created = await repository.create_person(tx, body)
    await hooks.after_create(tx, created)
    return created


async def _update(tx: Tx, id: UUID, patch: PersonUpdate, versions: list[int] | None) -> Person:
    await hooks.before_update(tx, id, patch)
    updated = await repository.update_person(tx, id, patch, versions)
    await hooks.after_update(tx, updated)
    return updated


async def _change(tx: Tx, item: PersonChange) -> Person:
    return await _update(tx, item.id, item, None if item.version is None else [item.version])


async def _delete(tx: Tx, id: UUID, versions: list[int] | None) -> None:
    await hooks.before_delete(tx, id)
    await repository.delete_person(tx, id, versions)
    await hooks.after_delete(tx, id)
