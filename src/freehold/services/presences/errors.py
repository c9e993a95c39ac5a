"""What can go wrong with presences."""

from __future__ import annotations

from freehold.errors import NotFound


class PresenceNotFound(NotFound, type="presence_not_found"):
    """There is no presence `{id}` that you may see. It may have expired."""
