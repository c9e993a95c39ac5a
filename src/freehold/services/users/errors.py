"""What can go wrong with users."""

from __future__ import annotations

from freehold.errors import Conflict, NotFound


class UserNotFound(NotFound, type="user_not_found"):
    """There is no user with this id in the project."""


class UserAlreadyExists(Conflict, type="user_already_exists"):
    """A user with the same id, email, or phone already exists in this project."""
