"""The users of a project: who they are, and what is demanded of their addresses and passwords.

The endpoints with which servers manage them are in `routes`, which stand above accounts and teams.
"""

from freehold.services.users.email_rules import admitted_email, checked_email, normal_email
from freehold.services.users.errors import (
    EMAIL_ERRORS,
    PASSWORD_ERRORS,
    PasswordResetRequired,
    UserAlreadyExists,
    UserNotFound,
)
from freehold.services.users.models import User, as_user
from freehold.services.users.password_rules import check_at_sign_in, checked_password, new_hash
from freehold.services.users.store import (
    NewUser,
    count_all,
    count_by_period,
    create,
    delete,
    find,
    find_by_email,
    find_by_phone,
    renew_hash,
    set_enabled,
    set_mfa,
    set_name,
    set_prefs,
)

__all__ = [
    "EMAIL_ERRORS",
    "PASSWORD_ERRORS",
    "NewUser",
    "PasswordResetRequired",
    "User",
    "UserAlreadyExists",
    "UserNotFound",
    "admitted_email",
    "as_user",
    "check_at_sign_in",
    "checked_email",
    "checked_password",
    "count_all",
    "count_by_period",
    "create",
    "delete",
    "find",
    "find_by_email",
    "find_by_phone",
    "new_hash",
    "normal_email",
    "renew_hash",
    "set_enabled",
    "set_mfa",
    "set_name",
    "set_prefs",
]
