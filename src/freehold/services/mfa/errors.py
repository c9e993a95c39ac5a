"""What can go wrong with the second factor."""

from __future__ import annotations

from freehold.errors import BadRequest, Conflict, NotFound, Problem, Unauthorized


class InvalidCode(Unauthorized, type="user_invalid_token"):
    """The code is not valid: it may be wrong, used up, or too old. Ask for another challenge."""


class ChallengeNotFound(NotFound, type="token_not_found"):
    """The user has no open challenge of the factor `custom` with this id."""


class AuthenticatorNotFound(NotFound, type="user_authenticator_not_found"):
    """The user has no authenticator app. Add one, and verify it with a code."""


class AuthenticatorVerified(Conflict, type="user_authenticator_already_verified"):
    """The user has an authenticator app that is verified already. Delete it to add another one."""


class RecoveryCodesNotFound(NotFound, type="user_recovery_codes_not_found"):
    """The user has no recovery codes. Create them first."""


class RecoveryCodesExist(Conflict, type="user_recovery_codes_already_exists"):
    """The user has recovery codes already. Regenerate them to get new ones."""


class EmailNotFound(BadRequest, type="user_email_not_found"):
    """The user has no e-mail address."""


class EmailNotVerified(BadRequest, type="user_email_not_verified"):
    """The user's e-mail address is not verified. Verify it first."""


class PhoneNotFound(BadRequest, type="user_phone_not_found"):
    """The user has no phone number."""


class PhoneNotVerified(BadRequest, type="user_phone_not_verified"):
    """The user's phone number is not verified. Verify it first."""


class FactorShown(BadRequest, type="general_bad_request"):
    """This session has shown the factor `{factor}` already, and needs another one. `account.listMFAFactors`
    lists those that the user has."""


class FactorUnsupported(Problem, type="user_auth_method_unsupported", status=501):
    """The factor {factor} is switched off for this project. Its owner can switch it on."""
