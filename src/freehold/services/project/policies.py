"""Shapes of a project's policies on the wire, and what is sent to change them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from freehold.access import policies
from freehold.web.wire import Input, Output

DeniedWords = Annotated[list[Annotated[str, Meta(min_length=1, max_length=256)]], Meta(max_length=1000)]
Domain = Annotated[
    str,
    Meta(
        max_length=253,
        pattern=r"^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,62})(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,62}))*)?$(?!\n)",
        description="Such as `example.com`; empty for none",
    ),
]


class Policy(Output):
    """Something that a project demands of all its users."""

    id: str = msgspec.field(name="$id")


class Switched(Policy):
    """A policy that is on or off."""

    enabled: bool


class PolicyPasswordDictionary(Switched):
    deny_list: list[str]


class PolicyPasswordPersonalData(Switched):
    deny_list: list[str]


class PolicyPasswordPwned(Switched):
    sessions: bool
    users: bool


class PolicyPasswordRotation(Switched):
    max_age: int


class PolicySessionAlert(Switched):
    pass


class PolicySessionInvalidation(Switched):
    pass


class PolicyDenyAliasedEmail(Switched):
    pass


class PolicyDenyDisposableEmail(Switched):
    pass


class PolicyDenyFreeEmail(Switched):
    pass


class PolicyDenyCorporateEmail(Switched):
    pass


class PolicyPasswordHistory(Policy):
    total: int


class PolicySessionLimit(Policy):
    total: int


class PolicyUserLimit(Policy):
    total: int


class PolicySessionDuration(Policy):
    duration: int


class PolicyPasswordStrength(Policy):
    min: int
    uppercase: bool
    lowercase: bool
    number: bool
    symbols: bool


class PolicyMembershipPrivacy(Policy):
    user_id: bool
    user_email: bool
    user_phone: bool
    user_name: bool
    user_mfa: bool = msgspec.field(name="userMFA")
    user_accessed_at: bool


class PolicyMfaFactors(Policy):
    totp: bool
    email: bool
    phone: bool
    custom: bool


class PolicyPasskey(Policy):
    rp_id: str
    origins: list[str]


AnyPolicy = (
    PolicyPasswordDictionary
    | PolicyPasswordHistory
    | PolicyPasswordStrength
    | PolicyPasswordPersonalData
    | PolicyPasswordPwned
    | PolicyPasswordRotation
    | PolicySessionAlert
    | PolicySessionDuration
    | PolicySessionInvalidation
    | PolicySessionLimit
    | PolicyUserLimit
    | PolicyMembershipPrivacy
    | PolicyMfaFactors
    | PolicyDenyAliasedEmail
    | PolicyDenyDisposableEmail
    | PolicyDenyFreeEmail
    | PolicyDenyCorporateEmail
    | PolicyPasskey
)

_MODELS: dict[str, type[AnyPolicy]] = {
    "password-dictionary": PolicyPasswordDictionary,
    "password-history": PolicyPasswordHistory,
    "password-strength": PolicyPasswordStrength,
    "password-personal-data": PolicyPasswordPersonalData,
    "password-pwned": PolicyPasswordPwned,
    "password-rotation": PolicyPasswordRotation,
    "session-alert": PolicySessionAlert,
    "session-duration": PolicySessionDuration,
    "session-invalidation": PolicySessionInvalidation,
    "session-limit": PolicySessionLimit,
    "user-limit": PolicyUserLimit,
    "membership-privacy": PolicyMembershipPrivacy,
    "mfa-factors": PolicyMfaFactors,
    "deny-aliased-email": PolicyDenyAliasedEmail,
    "deny-disposable-email": PolicyDenyDisposableEmail,
    "deny-free-email": PolicyDenyFreeEmail,
    "deny-corporate-email": PolicyDenyCorporateEmail,
    "passkey": PolicyPasskey,
}


class PolicyList(Output):
    total: int
    policies: list[AnyPolicy]


class UpdateDenied(Input):
    enabled: bool
    deny_list: DeniedWords | UnsetType = UNSET


class UpdatePwned(Input):
    enabled: bool | UnsetType = UNSET
    sessions: bool | UnsetType = UNSET
    users: bool | UnsetType = UNSET


class UpdateRotation(Input):
    enabled: bool | UnsetType = UNSET
    max_age: Annotated[int, Meta(ge=60, le=10 * policies.YEAR_S)] | UnsetType = UNSET


class UpdateStrength(Input):
    min: Annotated[int, Meta(ge=8, le=256)] | UnsetType = UNSET
    uppercase: bool | UnsetType = UNSET
    lowercase: bool | UnsetType = UNSET
    number: bool | UnsetType = UNSET
    symbols: bool | UnsetType = UNSET


class UpdateHistory(Input):
    total: Annotated[int, Meta(ge=0, le=20)] | UnsetType | None = UNSET


class UpdateUserLimit(Input):
    total: Annotated[int, Meta(ge=0, le=10_000)] | UnsetType | None = UNSET


class UpdateSessionLimit(Input):
    total: Annotated[int, Meta(ge=1, le=100)]


class UpdateSessionDuration(Input):
    duration: Annotated[int, Meta(ge=60, le=policies.YEAR_S)]


class UpdateMembershipPrivacy(Input):
    user_id: bool | UnsetType = UNSET
    user_email: bool | UnsetType = UNSET
    user_phone: bool | UnsetType = UNSET
    user_name: bool | UnsetType = UNSET
    user_mfa: bool | UnsetType = msgspec.field(default=UNSET, name="userMFA")
    user_accessed_at: bool | UnsetType = UNSET


class UpdateMfaFactors(Input):
    totp: bool | UnsetType = UNSET
    email: bool | UnsetType = UNSET
    phone: bool | UnsetType = UNSET
    custom: bool | UnsetType = UNSET


class UpdatePasskey(Input):
    rp_id: Domain


def as_policy(policy_id: str, held: policies.Policies, hostnames: tuple[str, ...]) -> AnyPolicy:
    """A policy as the wire has it. `hostnames`: those of the project's web platforms."""
    said = {"$id": policy_id, **policies.parameters_of(held, policy_id)}
    if policy_id == "passkey":
        said["origins"] = _passkey_origins(held.passkey_rp_id, hostnames)
    return msgspec.convert(said, _MODELS[policy_id])


def _passkey_origins(domain: str, hostnames: tuple[str, ...]) -> list[str]:
    """Where passkeys of the domain work: on the platforms that lie in it, and on this very machine."""
    if not domain:
        return []
    within = [host for host in hostnames if host == domain or host.endswith(f".{domain}")]
    local = [host for host in hostnames if host == "localhost"]
    return [f"https://{host}" for host in within] + [f"http://{host}" for host in local]
