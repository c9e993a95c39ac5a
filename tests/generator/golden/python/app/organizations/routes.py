"""Organizations over HTTP."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from app.core.db import Tx
from app.core.export import reply_csv, wants_csv
from app.core.fields import Uuid
from app.core.idempotency import once
from app.core.ids import new_id
from app.core.include import included, tree
from app.core.web import Caller, Db, IfMatch, Include, RetryingRoute, no_parameters, reply, reply_included, reply_page
from app.organizations import hooks, repository
from app.organizations.schemas import Organization, OrganizationCreate, OrganizationQuery, OrganizationUpdate
from app.relations import RELATIONS

router = APIRouter(prefix="/v1/organizations", route_class=RetryingRoute)
ENTITY = "organization"
# The fields of a CSV that people write, and that a spreadsheet might take for formulas.
TEXTS: frozenset[str] = frozenset(["name", "slug"])


@router.get("")
async def list_organizations(request: Request, caller: Caller, db: Db) -> Response:
    """The organizations that the caller may read, one page at a time."""
    query = OrganizationQuery.read(request)
    caller.require("organization:read")
    query.check(caller)
    if wants_csv(request):
        return await reply_csv(
            "organizations",
            Organization,
            TEXTS,
            caller,
            caller.hidden(ENTITY),
            db,
            lambda tx: repository.export_organizations(tx, query),
        )
    wanted = tree(caller, RELATIONS, ENTITY, query.include)
    async with db.tx(caller) as tx:
        page = await repository.list_organizations(tx, query)
        rows = await included(tx, RELATIONS, ENTITY, page.data, wanted) if wanted else None
    return reply_page(request, page, caller.hidden(ENTITY), rows)


@router.post("", dependencies=[Depends(no_parameters)])
async def create_organization(request: Request, caller: Caller, db: Db, body: OrganizationCreate) -> Response:
    """Create an organization."""
    caller.require("organization:create")
    caller.check_writable(ENTITY, body.sent())
    # A new organization is a tenant of its own, and is made inside of itself.
    async with db.tx(caller, tenant_id=new_id()) as tx:

        async def work() -> Response:
            created = await _create(tx, body)
            return reply(request, created, caller.hidden(ENTITY), status=201)

        return await once(request, tx, work)


@router.get("/{id}")
async def get_organization(request: Request, caller: Caller, db: Db, id: Uuid, include: Include) -> Response:
    """One organization."""
    caller.require("organization:read")
    wanted = tree(caller, RELATIONS, ENTITY, include)
    async with db.tx(caller) as tx:
        found = await repository.get_organization(tx, id)
        if wanted:
            (row,) = await included(tx, RELATIONS, ENTITY, [found], wanted)
            return reply_included(row)
    return reply(request, found, caller.hidden(ENTITY))


@router.patch("/{id}", dependencies=[Depends(no_parameters)])
async def update_organization(
    request: Request,
    caller: Caller,
    db: Db,
    id: Uuid,
    body: OrganizationUpdate,
    versions: IfMatch,
) -> Response:
    """Change an organization: fields that are absent stay as they are."""
    caller.require("organization:update")
    caller.check_writable(ENTITY, body.sent())
    async with db.tx(caller) as tx:
        updated = await _update(tx, id, body, versions)
    return reply(request, updated, caller.hidden(ENTITY))


@router.delete("/{id}", dependencies=[Depends(no_parameters)], status_code=204)
async def delete_organization(caller: Caller, db: Db, id: Uuid, versions: IfMatch) -> None:
    """Delete an organization."""
    caller.require("organization:delete")
    async with db.tx(caller) as tx:
        await _delete(tx, id, versions)


async def _create(tx: Tx, body: OrganizationCreate) -> Organization:
    await hooks.before_create(tx, body)
    created = await repository.create_organization(tx, body)
    await hooks.after_create(tx, created)
    return created


async def _update(tx: Tx, id: UUID, patch: OrganizationUpdate, versions: list[int] | None) -> Organization:
    await hooks.before_update(tx, id, patch)
    updated = await repository.update_organization(tx, id, patch, versions)
    await hooks.after_update(tx, updated)
    return updated


async def _delete(tx: Tx, id: UUID, versions: list[int] | None) -> None:
    await hooks.before_delete(tx, id)
    await repository.delete_organization(tx, id, versions)
    await hooks.after_delete(tx, id)
