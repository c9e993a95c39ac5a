"""Endpoints of presences."""

from __future__ import annotations

import hashlib

import msgspec

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
from freehold.web.wire import Json

routes = Routes("presences", console=False)

_ONE = "/v1/presences/{presenceId}"


@routes.get("/v1/presences", scope="presences.read", name="list", model=PresenceList)
async def list_presences(call: Call, query: ListPresencesQuery) -> Json:
    """List who is there, of those whom the caller may see.

    With `ttl` the answer may be one of so many seconds ago that others got who may see the same; `purge`
    of an update forgets these. X-Appwrite-Cache says which it is.
    """
    asks = call.asks("read")

    async def find() -> bytes:
        found = await store.fetch(call.db, call.project.id, query.queries, asks=asks, total=query.total)
        listed = PresenceList(total=found.total, presences=[as_presence(row) for row in found.rows])
        return msgspec.json.encode(listed)

    if not query.ttl:
        return Json(await find())
    whose = (call.project.realm, "presences", sorted(asks) if asks is not None else None)
    key = hashlib.sha256(msgspec.json.encode((*whose, query.queries, query.total))).digest()
    answer, was_there = await call.app.answers.load(key, _lists_tag(call), query.ttl, find)
    call.headers.append((b"x-appwrite-cache", b"hit" if was_there else b"miss"))
    return Json(answer)


def _lists_tag(call: Call) -> str:
    return f"presences:{call.project.id}"


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
    if body.purge:
        call.changed(_lists_tag(call))
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
