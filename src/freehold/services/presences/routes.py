"""Endpoints of presences."""

from __future__ import annotations

from freehold.errors import RoleNotHeld, UserUnauthorized
from freehold.services import users
from freehold.services.presences import lasting, store
from freehold.services.presences.errors import PresenceNotFound
from freehold.services.presences.lasting import Said
from freehold.services.presences.models import (
    ListPresencesQuery,
    Presence,
    PresenceList,
    UpdatePresence,
    UpsertPresence,
    as_presence,
)
from freehold.web.call import Call
from freehold.web.endpoint import Routes

routes = Routes("presences", console=False)

_ONE = "/v1/presences/{presenceId}"


@routes.get("/v1/presences", scope="presences.read", name="list")
async def list_presences(call: Call, query: ListPresencesQuery) -> PresenceList:
    """List who is there, of those whom the caller may see."""
    found = await store.fetch(
        call.db, call.project.id, query.queries, asks=call.asks("read"), total=query.total
    )
    return PresenceList(total=found.total, presences=[as_presence(row) for row in found.rows])


@routes.get(_ONE, scope="presences.read", raises=(PresenceNotFound,))
async def get(call: Call, presence_id: str) -> Presence:
    """Get a presence. One that has expired is not found."""
    row = await store.find(call.db, call.project.id, presence_id, call.asks("read"))
    if row is None:
        raise PresenceNotFound(id=presence_id)
    return as_presence(row)


@routes.put(
    _ONE,
    scope="presences.write",
    event="presences.[presenceId].upsert",
    raises=(RoleNotHeld, UserUnauthorized, users.UserNotFound),
)
async def upsert(call: Call, presence_id: str, body: UpsertPresence) -> Presence:
    """Say that a user is there, or say something else of it. Without `expiresAt` it stands for 30 days."""
    said = Said(presence_id, body.status, body.metadata, body.permissions, body.expires_at, body.user_id)
    return await lasting.say(call, said, call.endpoint.protocol)


@routes.patch(
    _ONE,
    scope="presences.write",
    event="presences.[presenceId].update",
    raises=(PresenceNotFound, RoleNotHeld, UserUnauthorized, users.UserNotFound),
)
async def update(call: Call, presence_id: str, body: UpdatePresence) -> Presence:
    """Change what is given of a presence."""
    said = Said(presence_id, body.status, body.metadata, body.permissions, body.expires_at, body.user_id)
    new = lasting.checked(call, said, "")._replace(user_id=body.user_id or "")
    row = await store.update(call.db, call.project.id, new, asks=call.asks("update"))
    if row is None:
        if await store.find(call.db, call.project.id, presence_id, call.asks("read")) is not None:
            raise UserUnauthorized()
        raise PresenceNotFound(id=presence_id)
    return as_presence(row)


@routes.delete(
    _ONE,
    scope="presences.write",
    event="presences.[presenceId].delete",
    status=204,
    raises=(PresenceNotFound, UserUnauthorized),
)
async def delete(call: Call, presence_id: str) -> None:
    """Say that somebody is not there any more."""
    row = await store.delete(call.db, call.project.id, presence_id, call.asks("delete"))
    if row is None:
        if await store.find(call.db, call.project.id, presence_id, call.asks("read")) is not None:
            raise UserUnauthorized()
        raise PresenceNotFound(id=presence_id)
    call.tells(as_presence(row))
