"""What can go wrong with notifications."""

from __future__ import annotations

from freehold.errors import NotFound


class NotificationNotFound(NotFound, type="message_not_found"):
    """You have no notification with this id."""
