"""Policies: what a project demands of passwords, sessions, users and e-mail addresses. Pure.

A project's settings keep under `policies` what was said of each, by its id and in the words of the wire; of
what was not said, the defaults here hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

YEAR_S = 365 * 86400


class PasswordStrength(msgspec.Struct, frozen=True):
    """What a password has to hold."""

    min: int = 8
    """Of characters."""
    uppercase: bool = False
    lowercase: bool = False
    number: bool = False
    symbols: bool = False


class MembershipPrivacy(msgspec.Struct, frozen=True, rename="camel"):
    """What the members of a team see of each other. Servers and the console see everything."""

    user_id: bool = False
    user_email: bool = False
    user_phone: bool = False
    user_name: bool = False
    user_mfa: bool = msgspec.field(default=False, name="userMFA")
    user_accessed_at: bool = False


class MfaFactors(msgspec.Struct, frozen=True):
    """By what a challenge of the second factor may be answered."""

    totp: bool = True
    email: bool = True
    phone: bool = True
    custom: bool = False


class Policies(msgspec.Struct, frozen=True):
    """What holds in a project."""

    password_dictionary: bool = False
    """Whether passwords that many people use are refused."""
    password_denied: list[str] = []
    """Passwords that are refused besides those, letter by letter."""
    password_history: int = 0
    """How many of a user's former passwords are refused."""
    password_personal_data: bool = False
    """Whether passwords that hold the user's name, e-mail address, phone number or id are refused."""
    password_denied_terms: list[str] = []
    """Terms that no password may hold besides those, in capitals or not."""
    password_pwned: bool = False
    """Whether passwords are looked for among those that leaked elsewhere."""
    password_pwned_sessions: bool = False
    """Whether who signs in with a leaked password has to change it first."""
    password_pwned_users: bool = False
    """Whether a leaked password is refused when it is set."""
    password_rotation: bool = False
    """Whether a password that is too old has to be changed before signing in with it."""
    password_max_age_s: int = YEAR_S
    password_strength: PasswordStrength = PasswordStrength()
    session_alert: bool = False
    """Whether a user is told by mail of a session on a new device."""
    session_duration_s: int = YEAR_S
    session_invalidation: bool = True
    """Whether a new password ends the user's other sessions."""
    session_limit: int = 10
    """How many sessions a user has at most, at least one; the oldest go first."""
    user_limit: int = 0
    """How many users there are at most; 0 for any number."""
    membership_privacy: MembershipPrivacy = MembershipPrivacy()
    mfa_factors: MfaFactors = MfaFactors()
    deny_aliased_email: bool = False
    deny_disposable_email: bool = False
    deny_free_email: bool = False
    deny_corporate_email: bool = False
    """Whether addresses that are not of a company's own domain are refused. It is the wire's name."""
    passkey_rp_id: str = ""
    """The domain that passkeys belong to; empty until it is said."""


PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "password-dictionary": {"enabled": "password_dictionary", "denyList": "password_denied"},
    "password-history": {"total": "password_history"},
    "password-strength": {"": "password_strength"},
    "password-personal-data": {"enabled": "password_personal_data", "denyList": "password_denied_terms"},
    "password-pwned": {
        "enabled": "password_pwned",
        "sessions": "password_pwned_sessions",
        "users": "password_pwned_users",
    },
    "password-rotation": {"enabled": "password_rotation", "maxAge": "password_max_age_s"},
    "session-alert": {"enabled": "session_alert"},
    "session-duration": {"duration": "session_duration_s"},
    "session-invalidation": {"enabled": "session_invalidation"},
    "session-limit": {"total": "session_limit"},
    "user-limit": {"total": "user_limit"},
    "membership-privacy": {"": "membership_privacy"},
    "mfa-factors": {"": "mfa_factors"},
    "deny-aliased-email": {"enabled": "deny_aliased_email"},
    "deny-disposable-email": {"enabled": "deny_disposable_email"},
    "deny-free-email": {"enabled": "deny_free_email"},
    "deny-corporate-email": {"enabled": "deny_corporate_email"},
    "passkey": {"rpId": "passkey_rp_id"},
}
"""The fields of Policies that each policy says, by its parameters; of "", all of them make one struct."""


def of(settings: Mapping[str, Any]) -> Policies:
    """The policies of a project with these settings."""
    stored = settings.get("policies", {})
    said: dict[str, Any] = {}
    for policy_id, parameters in PARAMETERS.items():
        values = stored.get(policy_id, {})
        for parameter, field in parameters.items():
            if not parameter:
                said[field] = values
            elif parameter in values:
                said[field] = values[parameter]
    return msgspec.convert(said, Policies)


def parameters_of(policies: Policies, policy_id: str) -> dict[str, Any]:
    """The parameters of one policy, in the words of the wire."""
    found: dict[str, Any] = {}
    for parameter, field in PARAMETERS[policy_id].items():
        value = msgspec.to_builtins(getattr(policies, field))
        found.update({parameter: value} if parameter else value)
    return found
