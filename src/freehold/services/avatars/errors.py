"""What can go wrong with avatars."""

from __future__ import annotations

from freehold.errors import NotFound, Problem


class RemoteUrlFailed(NotFound, type="avatar_remote_url_failed"):
    """The URL cannot be read: {reason}."""


class ImageNotFound(NotFound, type="avatar_image_not_found"):
    """What the URL leads to is no image that can be shown, or too large a one."""


class IconNotFound(NotFound, type="avatar_icon_not_found"):
    """The page has no icon that can be shown."""


class TooManyPictures(Problem, type="general_unknown", status=503):
    """This server is busy making pictures. Try again in a moment."""
