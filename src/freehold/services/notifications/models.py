"""Shapes of notifications on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from freehold.web.wire import Input, Output, Resource


class Notification(Resource):
    message_id: str | None
    type: str
    channel: str
    resource_type: str
    resource_id: str
    parent_resource_type: str
    parent_resource_id: str
    project_id: str | None
    """The project that it is about."""
    title: str
    body: str
    read: bool
    first_seen: str | None
    last_seen: str | None


class NotificationList(Output):
    total: int
    notifications: list[Notification]


class LogoQuery(Input):
    jwt: Annotated[str, Meta(max_length=2048)] = ""
    """Of whom the picture was sent to. It is not read: nobody is told who has opened a mail."""
    theme: Literal["system", "light", "dark"] = "system"


class UpdateNotification(Input):
    read: bool
