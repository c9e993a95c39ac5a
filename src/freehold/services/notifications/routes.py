"""Endpoints of notifications: each user's own, on the console."""

from __future__ import annotations

from freehold.db.pool import Record
from freehold.errors import AccessForbidden
from freehold.providers.images import Drawing, Transform
from freehold.services import avatars
from freehold.services.notifications import store
from freehold.services.notifications.errors import NotificationNotFound
from freehold.services.notifications.models import (
    LogoQuery,
    Notification,
    NotificationList,
    UpdateNotification,
)
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.projects import CONSOLE
from freehold.web.wire import Input, Queries, Stream, wire_time

routes = Routes("notifications", raises=(AccessForbidden,))

_LOGO_SIDE = 256


class NotificationQuery(Input):
    queries: Queries = []


@routes.get("/v1/notifications", scope="account", name="list")
async def list_notifications(call: Call, query: NotificationQuery) -> NotificationList:
    """List what one is told of."""
    found = await store.fetch(call.db, call.project.id, _user_of_the_console(call), query.queries)
    return NotificationList(total=found.total, notifications=[_as_notification(row) for row in found.rows])


@routes.patch("/v1/notifications/{notificationId}", scope="account", raises=(NotificationNotFound,))
async def update(call: Call, notification_id: str, body: UpdateNotification) -> Notification:
    """Note that one has read something, or has not."""
    user_id = _user_of_the_console(call)
    row = await store.set_read(call.db, call.project.id, user_id, notification_id, body.read)
    if row is None:
        raise NotificationNotFound()
    return _as_notification(row)


@routes.get("/v1/notifications/logos/appwrite", scope="public")
async def get_logo(call: Call, query: LogoQuery) -> Stream:
    """Show this platform's logo, for light grounds, for dark ones, or for both (`system`)."""
    size = Transform(width=_LOGO_SIDE, height=_LOGO_SIDE)
    contents = await avatars.picture(call, Drawing("logo", query.theme), "png", size)
    return avatars.sent(contents, "png", is_public=True)


def _user_of_the_console(call: Call) -> str:
    if call.project.id != CONSOLE or call.identity.kind != "user":
        raise AccessForbidden()
    return call.identity.user_id


def _as_notification(row: Record) -> Notification:
    return Notification(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        message_id=row["message_id"],
        type=row["type"],
        channel=row["channel"],
        resource_type=row["resource_type"],
        resource_id=row["resource_id"],
        parent_resource_type=row["parent_resource_type"],
        parent_resource_id=row["parent_resource_id"],
        project_id=row["about_project_id"],
        title=row["title"],
        body=row["body"],
        read=row["read"],
        first_seen=wire_time(row["first_seen_at"]) or None,
        last_seen=wire_time(row["last_seen_at"]) or None,
    )
