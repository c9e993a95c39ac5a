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


class NoBrowser(Problem, type="general_unknown", status=503):
    """This server has no Chromium to show pages with. Its operator has to install one, for example with
    `apt install chromium`, or to name it in FREEHOLD_CHROMIUM{instead}."""


class PageNotShown(Problem, type="general_unknown", status=503):
    """There is no picture of the page: {reason}. Try again later, or of a page that takes less."""
