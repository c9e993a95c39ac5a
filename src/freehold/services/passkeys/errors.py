"""What can go wrong with passkeys."""

from __future__ import annotations

from freehold.errors import BadRequest, Conflict, NotFound, Unauthorized


class PasskeyNotFound(NotFound, type="user_authenticator_not_found"):
    """The user has no passkey with this id."""


class PasskeyExists(Conflict, type="user_authenticator_already_verified"):
    """There is a passkey with this id, or this device has registered its passkey already."""


class PasskeyInvalid(Unauthorized, type="user_invalid_token"):
    """The passkey's answer is not valid: it may be of another site, or too late. Start again."""


class PasskeysUnsupported(BadRequest, type="general_feature_unsupported"):
    """The project does not say to which domain passkeys belong. Its owner can set the policy `passkey`, or
    add the web platform `localhost` to try them."""


class TooManyPasskeys(BadRequest, type="general_bad_request"):
    """A user has at most {most} passkeys. Delete those that are not used any more."""
