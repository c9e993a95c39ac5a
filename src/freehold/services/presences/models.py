"""Shapes of presences on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from freehold.db.pool import Record
from freehold.web.wire import Id, Input, ListQuery, Output, Permissions, Resource, wire_time

Status = Annotated[str, Meta(max_length=255)]


class Presence(Resource):
    permissions: list[str] = msgspec.field(name="$permissions")
    user_id: str
    status: str
    source: str
    """Where it was said: `rest`, `graphql` or `realtime`."""
    expires_at: str
    metadata: msgspec.Raw


class PresenceList(Output):
    total: int
    presences: list[Presence]


class ListPresencesQuery(ListQuery):
    ttl: Annotated[int, Meta(ge=0, le=86_400)] = 0
    """How many seconds old the answer may be."""


class UpsertPresence(Input):
    status: Status
    user_id: Id | None = None
    permissions: Permissions | None = None
    expires_at: datetime | None = None
    metadata: dict[str, Any] | None = None


class UpdatePresence(Input):
    user_id: Id | None = None
    status: Status | None = None
    expires_at: datetime | None = None
    metadata: dict[str, Any] | None = None
    permissions: Permissions | None = None
    purge: bool = False
    """Whether to forget the lists that callers let be kept."""


def as_presence(row: Record) -> Presence:
    return Presence(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        permissions=row["permissions"],
        user_id=row["user_id"],
        status=row["status"],
        source=row["source"],
        expires_at=wire_time(row["expires_at"]),
        metadata=row["metadata"],
    )
