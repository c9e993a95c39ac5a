"""What can go wrong with an account and its sessions."""

from __future__ import annotations

from freehold.errors import BadRequest, Conflict, Forbidden, NotFound, Problem, Unauthorized


class InvalidCredentials(Unauthorized, type="user_invalid_credentials"):
    """Invalid credentials. Please check the email and password."""


class SessionNotFound(NotFound, type="user_session_not_found"):
    """The user has no session with this id."""


class InvalidToken(Unauthorized, type="user_invalid_token"):
    """The token is not valid: it may be wrong, used up, or expired. Ask for another one."""


class JwtCreationDenied(Forbidden, type="user_jwt_creation_denied"):
    """A JWT is made from a session, not from another JWT."""


class AuthMethodUnsupported(Problem, type="user_auth_method_unsupported", status=501):
    """Signing in with {method} is switched off for this project. Its owner can switch it on."""


class AddressRefused(BadRequest, type="general_bad_request"):
    """This e-mail address cannot be taken. Check it, or take another one."""


class PhoneTaken(Conflict, type="user_phone_already_exists"):
    """This phone number belongs to another user of the project. Take another one."""


class NoEmail(BadRequest, type="user_email_not_found"):
    """You have no e-mail address. Set one first."""


class EmailAlreadyVerified(Conflict, type="user_email_already_verified"):
    """Your e-mail address is verified already."""


class NoPhone(BadRequest, type="user_phone_not_found"):
    """You have no phone number. Set one first."""


class PhoneAlreadyVerified(Conflict, type="user_phone_already_verified"):
    """Your phone number is verified already."""


class SessionAlreadyExists(Unauthorized, type="user_session_already_exists"):
    """An anonymous session is for guests. Sign out first."""


class NoAnonymousConsole(Unauthorized, type="user_anonymous_console_prohibited"):
    """Nobody is anonymous on the console."""


class StillOwner(BadRequest, type="user_deletion_prohibited"):
    """You are the only owner of the organization {team}. Make someone else its owner, or delete it first."""


class UserLimitReached(Problem, type="user_count_exceeded", status=400):
    """The project has as many users as it is allowed to have."""


class ConsoleClosed(Problem, type="user_console_count_exceeded", status=501):
    """Registration on this console is closed: it has its first user, and nobody else is on its list."""


class ConsoleEmailNotListed(Unauthorized, type="user_email_not_whitelisted"):
    """This e-mail address may not register on this console. FREEHOLD_CONSOLE_EMAILS lists those that may."""


class ConsoleIpNotListed(Unauthorized, type="user_ip_not_whitelisted"):
    """Nobody may register on this console from this address. FREEHOLD_CONSOLE_IPS lists those that may."""
