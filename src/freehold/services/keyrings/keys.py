"""Making, showing and taking back the keys of a holder."""

from __future__ import annotations

import msgspec

from freehold import ids, secrets
from freehold.db.pool import Record
from freehold.errors import InvalidParameter
from freehold.services.keyrings import store
from freehold.services.keyrings.models import CreateKey, SayKey
from freehold.services.keyrings.rings import Ring
from freehold.services.project import Key, KeyAlreadyExists, KeyList, KeyNotFound
from freehold.web.call import Call
from freehold.web.projects import CONSOLE, project_tag
from freehold.web.wire import ListQuery, wire_time

ERRORS = (KeyAlreadyExists, KeyNotFound)

_SECRET_CHARACTERS = 256


async def list_keys(call: Call, ring: Ring, holder: str, query: ListQuery) -> KeyList:
    """List a holder's keys."""
    found = await store.fetch(call.db, ring, holder, query.queries, total=query.total)
    return KeyList(total=found.total, keys=[_as_key(call, ring, row) for row in found.rows])


async def find(call: Call, ring: Ring, holder: str, key_id: str) -> Key:
    """Get a key of a holder. Raises KeyNotFound."""
    row = await store.find(call.db, ring, holder, key_id)
    if row is None:
        raise KeyNotFound()
    return _as_key(call, ring, row)


async def create(call: Call, ring: Ring, holder: str, body: CreateKey) -> Key:
    """Make a key that acts for a holder. Raises InvalidParameter, KeyAlreadyExists."""
    said = _checked(ring, body)
    secret = secrets.new_secret(_SECRET_CHARACTERS)
    sealed = secrets.seal(_sealing_key(call, ring), ring.prefix + secret)
    key_id = ids.resolve(body.key_id)
    row = await store.create(call.db, ring, holder, key_id, said, secrets.digest(secret), sealed)
    return _changed(call, ring, row)


async def update(call: Call, ring: Ring, holder: str, key_id: str, body: SayKey) -> Key:
    """Change what a key may do, and until when. Raises InvalidParameter, KeyNotFound."""
    return _changed(call, ring, await store.update(call.db, ring, holder, key_id, _checked(ring, body)))


async def delete(call: Call, ring: Ring, holder: str, key_id: str) -> None:
    """Take a key back. Raises KeyNotFound."""
    _changed(call, ring, await store.delete(call.db, ring, holder, key_id))


async def delete_all(call: Call, ring: Ring, holder: str) -> None:
    """Take back all keys of a holder."""
    await store.delete_all(call.db, ring, holder)
    call.changed(project_tag(CONSOLE))


def _checked(ring: Ring, said: SayKey) -> SayKey:
    unknown = [scope for scope in said.scopes if scope not in ring.scopes]
    if unknown:
        raise InvalidParameter(
            name="scopes",
            reason=f"`{unknown[0][:100]}` is none of {', '.join(ring.scopes)}.",
        )
    return said


def _sealing_key(call: Call, ring: Ring) -> bytes:
    return secrets.derive(call.app.settings.secret, ring.sealed_for)


def _changed(call: Call, ring: Ring, row: Record | None) -> Key:
    if row is None:
        raise KeyNotFound()
    call.changed(project_tag(CONSOLE))
    call.event_ids["keyId"] = row["id"]
    key = _as_key(call, ring, row)
    call.tells(msgspec.structs.replace(key, secret=""))
    return key


def _as_key(call: Call, ring: Ring, row: Record) -> Key:
    return Key(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        name=row["name"],
        description=row["description"],
        expire=wire_time(row["expires_at"]),
        scopes=row["scopes"],
        secret=secrets.unseal(_sealing_key(call, ring), row["secret_sealed"]) or "",
        accessed_at=wire_time(row["accessed_at"]),
        sdks=row["sdks"],
    )
