"""Audit log over HTTP."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.audit_log import repository
from app.audit_log.schemas import AuditEntry, AuditEntryQuery
from app.core.export import reply_csv, wants_csv
from app.core.fields import Int53Parameter
from app.core.include import included, tree
from app.core.web import Caller, Db, Include, RetryingRoute, reply, reply_included, reply_page
from app.relations import RELATIONS

router = APIRouter(prefix="/v1/audit-log", route_class=RetryingRoute)
ENTITY = "audit_entry"
# The fields of a CSV that people write, and that a spreadsheet might take for formulas.
TEXTS: frozenset[str] = frozenset(["actor_id", "request_id", "entity", "entity_id", "action"])


@router.get("")
async def list_audit_log(request: Request, caller: Caller, db: Db) -> Response:
    """The audit log that the caller may read, one page at a time."""
    query = AuditEntryQuery.read(request)
    caller.require("audit_entry:read")
    query.check(caller)
    if wants_csv(request):
        return await reply_csv(
            "audit-log",
            AuditEntry,
            TEXTS,
            caller,
            caller.hidden(ENTITY),
            db,
            lambda tx: repository.export_audit_log(tx, query),
        )
    wanted = tree(caller, RELATIONS, ENTITY, query.include)
    async with db.tx(caller) as tx:
        page = await repository.list_audit_log(tx, query)
        rows = await included(tx, RELATIONS, ENTITY, page.data, wanted) if wanted else None
    return reply_page(request, page, caller.hidden(ENTITY), rows)


@router.get("/{id}")
async def get_audit_entry(request: Request, caller: Caller, db: Db, id: Int53Parameter, include: Include) -> Response:
    """One audit entry."""
    caller.require("audit_entry:read")
    wanted = tree(caller, RELATIONS, ENTITY, include)
    async with db.tx(caller) as tx:
        found = await repository.get_audit_entry(tx, id)
        if wanted:
            (row,) = await included(tx, RELATIONS, ENTITY, [found], wanted)
            return reply_included(row)
    return reply(request, found, caller.hidden(ENTITY))
