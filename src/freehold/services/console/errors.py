"""What can go wrong on the console."""

from __future__ import annotations

from freehold.errors import Conflict


class ResourceAlreadyExists(Conflict, type="resource_already_exists"):
    """This installation answers to `{name}` itself. Choose another host name."""
