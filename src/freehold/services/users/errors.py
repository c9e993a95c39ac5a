"""What can go wrong with users."""

from __future__ import annotations

from freehold.errors import BadRequest, Conflict, NotFound, Problem


class UserNotFound(NotFound, type="user_not_found"):
    """There is no user with this id in the project."""


class UserAlreadyExists(Conflict, type="user_already_exists"):
    """A user with the same id, email, or phone already exists in this project."""


class EmailTaken(Conflict, type="user_email_already_exists"):
    """Another user of this project has this e-mail address."""


class PhoneTaken(Conflict, type="user_phone_already_exists"):
    """Another user of this project has this phone number."""


class EmailDisposable(BadRequest, type="user_email_disposable"):
    """This project does not take e-mail addresses that are thrown away. Use one that you keep."""


class EmailFree(BadRequest, type="user_email_free"):
    """This project does not take e-mail addresses of free providers. Use that of your organization."""


class EmailNotCorporate(BadRequest, type="user_email_not_corporate"):
    """This project takes e-mail addresses of an organization's own domain only."""


class EmailAliased(BadRequest, type="user_email_not_canonical"):
    """This project takes the address of a mailbox itself only: `{canonical}` rather than an alias of it."""


class PasswordRecentlyUsed(BadRequest, type="password_recently_used"):
    """This is one of the last {total} passwords. Choose one that you have not had lately."""


class PasswordPersonal(BadRequest, type="password_personal_data"):
    """The password holds the user's name, address, number or id, or a term that is not allowed."""


class PasswordResetRequired(Problem, type="user_password_reset_required", status=412):
    """This password {reason}, and has to be changed first. Ask for a recovery of the account."""


EMAIL_ERRORS = (EmailDisposable, EmailFree, EmailNotCorporate, EmailAliased)
"""What a project's policies may say of an address."""
PASSWORD_ERRORS = (PasswordRecentlyUsed, PasswordPersonal)
"""What a project's policies may say of a password, besides InvalidParameter."""
