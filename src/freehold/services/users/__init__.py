"""The users of a project, as its server sees them: made, found and removed with an API key."""

from freehold.services.users.errors import UserAlreadyExists, UserNotFound
from freehold.services.users.models import User, as_user
from freehold.services.users.routes import routes
from freehold.services.users.store import (
    NewUser,
    checked_email,
    create,
    delete,
    find,
    find_by_email,
    find_by_phone,
    set_enabled,
    set_mfa,
    set_name,
    set_prefs,
)

__all__ = [
    "NewUser",
    "User",
    "UserAlreadyExists",
    "UserNotFound",
    "as_user",
    "checked_email",
    "create",
    "delete",
    "find",
    "find_by_email",
    "find_by_phone",
    "routes",
    "set_enabled",
    "set_mfa",
    "set_name",
    "set_prefs",
]
