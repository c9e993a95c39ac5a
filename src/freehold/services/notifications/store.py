"""SQL of notifications."""

from __future__ import annotations

from collections.abc import Sequence

from freehold.db import listing
from freehold.db.listing import Found, Listing, flag, moment, text
from freehold.db.pool import Queries, Record

_NOTIFICATION = """
    n.id, n.message_id, n.type, n.channel, n.resource_type, n.resource_id, n.parent_resource_type,
    n.parent_resource_id, n.about_project_id, n.title, n.body, n.read, n.first_seen_at, n.last_seen_at,
    n.created_at, n.updated_at
"""

NOTIFICATIONS = Listing(
    columns=_NOTIFICATION,
    source="freehold.notifications n",
    id="n.id",
    created_at="n.created_at",
    attributes={
        "$id": text("n.id"),
        "$createdAt": moment("n.created_at"),
        "$updatedAt": moment("n.updated_at"),
        "type": text("n.type"),
        "channel": text("n.channel"),
        "resourceType": text("n.resource_type"),
        "resourceId": text("n.resource_id"),
        "projectId": text("coalesce(n.about_project_id, '')"),
        "read": flag("n.read"),
    },
)


async def fetch(db: Queries, project_id: str, user_id: str, queries: Sequence[str]) -> Found:
    """List what a user is told of."""
    where = {"n.project_id = {}": project_id, "n.user_id = {}": user_id}
    return await listing.fetch(db, NOTIFICATIONS, queries, where=where)


async def set_read(
    db: Queries, project_id: str, user_id: str, notification_id: str, read: bool
) -> Record | None:
    """Note whether a user has read something. It was seen then."""
    return await db.row(
        f"""
        update freehold.notifications n
        set read = $4, updated_at = now(),
            first_seen_at = case when $4 then coalesce(n.first_seen_at, now()) else n.first_seen_at end,
            last_seen_at = case when $4 then now() else n.last_seen_at end
        where n.project_id = $1 and n.user_id = $2 and n.id = $3
        returning {_NOTIFICATION}
        """,
        project_id,
        user_id,
        notification_id,
        read,
    )
