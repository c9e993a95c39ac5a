"""Endpoints of API keys."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import msgspec

from freehold import ids
from freehold.services.project import store
from freehold.services.project.errors import (
    KeyAlreadyExists,
    KeyCreationDenied,
    KeyNotFound,
)
from freehold.services.project.keys import as_key, checked_scopes, must_hold, sealing_key
from freehold.services.project.models import (
    CreateEphemeralKey,
    CreateKey,
    EphemeralKey,
    Key,
    KeyList,
    UpdateKey,
)
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.projects import project_tag
from freehold.web.wire import ListQuery, in_utc, wire_time

routes = Routes("project", console=False)

_HERE = "/v1/projects/{projectId}"


@routes.get("/v1/project/keys", scope="keys.read", aliases=(f"{_HERE}/keys",))
async def list_keys(call: Call, query: ListQuery) -> KeyList:
    """List the API keys."""
    found = await store.fetch_keys(call.db, call.project.id, query.queries, total=query.total)
    return KeyList(total=found.total, keys=[as_key(call, row) for row in found.rows])


@routes.post(
    "/v1/project/keys",
    scope="keys.write",
    event="keys.[keyId].create",
    status=201,
    aliases=(f"{_HERE}/keys",),
    raises=(KeyAlreadyExists, KeyCreationDenied),
)
async def create_key(call: Call, body: CreateKey) -> Key:
    """Create an API key. People on the console may; an API key makes ephemeral ones only."""
    if call.identity.kind != "admin":
        raise KeyCreationDenied(reason="An API key cannot make others that last. Make an ephemeral one.")
    new = store.NewKey(
        id=ids.resolve(body.key_id),
        name=body.name,
        scopes=checked_scopes(body.scopes),
        expires_at=in_utc(body.expire),
    )
    sealing = sealing_key(call.app.settings.secret)
    row, _ = await store.create_key(call.db, sealing, call.project.id, new)
    return _told(call, as_key(call, row))


@routes.post(
    "/v1/project/keys/ephemeral",
    scope="keys.write",
    event="keys.[keyId].create",
    status=201,
    aliases=(f"{_HERE}/jwts",),
    raises=(KeyCreationDenied,),
)
async def create_ephemeral_key(call: Call, body: CreateEphemeralKey) -> EphemeralKey:
    """Make a key that holds for a while. It can do no more than the key that makes it."""
    granted = checked_scopes(body.scopes)
    must_hold(call, granted)
    left_s = call.identity.expires_at - time.time()  # not beyond its maker's own end
    duration_s = max(1, int(min(body.duration, left_s)))
    made = wire_time(datetime.now(UTC))
    key = EphemeralKey(
        id="",
        created_at=made,
        updated_at=made,
        name="",
        description="",
        expire=wire_time(datetime.fromtimestamp(time.time() + duration_s, UTC)),
        scopes=granted,
        secret=call.app.auth.api_keys.new_ephemeral(call.project, granted, duration_s),
        accessed_at="",
        sdks=[],
    )
    call.event_ids["keyId"] = "ephemeral"
    call.tells(msgspec.structs.replace(key, secret=""))
    return key


@routes.get(
    "/v1/project/keys/{keyId}",
    scope="keys.read",
    aliases=(f"{_HERE}/keys/{{keyId}}",),
    raises=(KeyNotFound,),
)
async def get_key(call: Call, key_id: str) -> Key:
    """Get an API key. Its secret is shown to people on the console, and to keys that can do as much."""
    row = await store.find_key(call.db, call.project.id, key_id)
    if row is None:
        raise KeyNotFound()
    return as_key(call, row)


@routes.put(
    "/v1/project/keys/{keyId}",
    scope="keys.write",
    event="keys.[keyId].update",
    aliases=(f"{_HERE}/keys/{{keyId}}",),
    raises=(KeyNotFound, KeyCreationDenied),
)
async def update_key(call: Call, key_id: str, body: UpdateKey) -> Key:
    """Change what an API key may do, and until when."""
    row = await store.find_key(call.db, call.project.id, key_id)
    if row is None:
        raise KeyNotFound()
    granted = checked_scopes(body.scopes)
    must_hold(call, set(granted) - set(row["scopes"]))
    row = await store.update_key(call.db, call.project.id, key_id, body.name, granted, in_utc(body.expire))
    if row is None:
        raise KeyNotFound()
    call.changed(project_tag(call.project.id))
    return _told(call, as_key(call, row))


@routes.delete(
    "/v1/project/keys/{keyId}",
    scope="keys.write",
    event="keys.[keyId].delete",
    status=204,
    aliases=(f"{_HERE}/keys/{{keyId}}",),
    raises=(KeyNotFound,),
)
async def delete_key(call: Call, key_id: str) -> None:
    """Delete an API key. Whoever uses it is a guest from now on."""
    row = await store.delete_key(call.db, call.project.id, key_id)
    if row is None:
        raise KeyNotFound()
    call.changed(project_tag(call.project.id))
    _told(call, as_key(call, row))


def _told(call: Call, key: Key) -> Key:
    """Let the event tell of the key without its secret."""
    call.tells(msgspec.structs.replace(key, secret=""))
    return key
