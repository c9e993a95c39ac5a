"""How long presences last, who may change them, and what is told when they end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from freehold import events, ids
from freehold.access import permissions
from freehold.access.permissions import ROW_PERMISSIONS, InvalidPermission
from freehold.db.pool import Database, Queries, Record
from freehold.errors import InvalidParameter, RoleNotHeld, UserUnauthorized
from freehold.services.presences import store
from freehold.services.presences.models import Presence, as_presence
from freehold.web.call import Call
from freehold.web.wire import in_utc

DAYS = 30
"""For how many days a presence stands that nobody renews."""
HOLD_S = 45.0
"""So long a presence outlives a process that died with the connection which it goes with."""
METADATA_BYTES = 16_384

_BATCH = 500
_PLATFORM = events.Cause("system", "", msgspec.json.encode(events.Caller()))


class Said(NamedTuple):
    """What somebody says of a presence; None of what stays as it is."""

    presence_id: str
    status: str | None = None
    metadata: dict[str, Any] | None = None
    permissions: list[str] | None = None
    expires_at: datetime | None = None
    user_id: str | None = None
    holder: UUID | None = None


def readers(granted: Iterable[str]) -> frozenset[str]:
    """The permissions that let somebody read a presence which has these."""
    return frozenset(granted)


def checked(call: Call, said: Said, source: str) -> store.New:
    """What was said, as it is stored. Raises InvalidParameter, RoleNotHeld, UserUnauthorized."""
    own = call.identity.user_id if call.identity.kind == "user" else ""
    if said.user_id is not None and said.user_id != own and not call.identity.privileged:
        raise UserUnauthorized()
    expires_at = in_utc(said.expires_at, "expiresAt")
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise InvalidParameter(name="expiresAt", reason="It has to be in the future.")
    metadata = msgspec.json.encode(said.metadata) if said.metadata is not None else None
    if metadata is not None and len(metadata) > METADATA_BYTES:
        raise InvalidParameter(name="metadata", reason=f"It takes at most {METADATA_BYTES} bytes.")
    return store.New(
        id=ids.resolve(said.presence_id),
        user_id=said.user_id or own,
        status=said.status,
        source=source,
        metadata=metadata,
        permissions=_checked_permissions(call, said.permissions),
        expires_at=expires_at,
        holder=said.holder,
    )


def _checked_permissions(call: Call, granted: Sequence[str] | None) -> list[str] | None:
    if granted is None:
        return None
    try:
        spelled = permissions.parse(granted, ROW_PERMISSIONS)
    except InvalidPermission as error:
        raise InvalidParameter(name="permissions", reason=str(error)) from error
    if not call.identity.privileged:
        foreign = permissions.foreign_role(spelled, call.identity.roles)
        if foreign is not None:
            raise RoleNotHeld(role=foreign)
    return spelled


async def say(call: Call, said: Said, source: str) -> Presence:
    """Make a presence, or change it. Without permissions it is its user's own.

    Raises InvalidParameter, RoleNotHeld, UserUnauthorized, UserNotFound.
    """
    new = checked(call, said, source)
    if not new.user_id:
        raise InvalidParameter(name="userId", reason="It is required where no user is signed in.")
    row = await store.upsert(
        call.db,
        call.project.id,
        new,
        at_first=permissions.own(new.user_id),
        days=DAYS,
        asks=call.asks("update"),
        hold_s=HOLD_S,
    )
    if row is None:
        raise UserUnauthorized()
    return as_presence(row)


async def hold(db: Database, holders: Sequence[UUID]) -> None:
    """Keep what goes with connections that live; to be said again within `HOLD_S`."""
    await store.hold(db, holders, HOLD_S)


async def end(db: Database, holder: UUID, cause: events.Cause) -> None:
    """End what goes with a connection."""
    async with db.transaction() as transaction:
        await _tell(transaction, await store.delete_held(transaction, holder), cause)


async def end_of_user(call: Call, user_id: str) -> None:
    """End what a user says who is about to be deleted, so that those who see it are told."""
    await _tell(call.db, await store.delete_of_user(call.db, call.project.id, user_id), call.cause)


async def end_expired(db: Database) -> None:
    """End what has expired."""
    gone = _BATCH
    while gone == _BATCH:
        async with db.transaction() as transaction:
            rows = await store.delete_expired(transaction, _BATCH)
            await _tell(transaction, rows, _PLATFORM)
        gone = len(rows)


async def _tell(db: Queries, rows: Sequence[Record], cause: events.Cause) -> None:
    for row in rows:
        payload = msgspec.json.encode(as_presence(row))
        name = f"presences.{row['id']}.delete"
        await events.record(db, events.Event(row["project_id"], name, payload, cause))
