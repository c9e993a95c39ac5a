"""Which factors a user can show, and the project allows."""

from __future__ import annotations

from freehold.access import policies
from freehold.db.pool import Record
from freehold.errors import UserUnauthorized
from freehold.services.mfa import store
from freehold.services.mfa.errors import (
    AuthenticatorNotFound,
    EmailNotFound,
    EmailNotVerified,
    FactorShown,
    FactorUnsupported,
    PhoneNotFound,
    PhoneNotVerified,
    RecoveryCodesNotFound,
)
from freehold.services.mfa.models import MfaFactors
from freehold.web.call import Call
from freehold.web.identity import lacks_factor


async def factors_of(call: Call, user_id: str) -> MfaFactors:
    """What a user can answer a challenge with. Recovery codes are no matter of policy.

    To half a session none is told that it has shown: another one is to make it whole.
    """
    standing = await _standing(call, user_id)
    allowed = policies.of(call.project.settings).mfa_factors
    shown = _shown_by_half(call)

    def counts(factor: str, has: bool) -> bool:
        return has and getattr(allowed, factor) and factor not in shown

    return MfaFactors(
        totp=counts("totp", standing["has_totp"]),
        email=counts("email", bool(standing["email"]) and standing["email_verified"]),
        phone=counts("phone", bool(standing["phone"]) and standing["phone_verified"]),
        recovery_code=standing["has_recovery_codes"],
        custom=allowed.custom,
    )


async def verified_factors(call: Call, user_id: str) -> list[str]:
    """Those that the user has proven to have, as sessions name them."""
    found = await factors_of(call, user_id)
    return [name for name in ("totp", "email", "phone") if getattr(found, name)]


async def must_have(call: Call, user_id: str, factor: str) -> Record:
    """Refuse a factor that the user cannot show, saying why. Gives what there is to show."""
    must_be_allowed(call, factor)
    if factor in _shown_by_half(call):
        raise FactorShown(factor=factor)
    standing = await _standing(call, user_id)
    match factor:
        case "email":
            if not standing["email"]:
                raise EmailNotFound()
            if not standing["email_verified"]:
                raise EmailNotVerified()
        case "phone":
            if not standing["phone"]:
                raise PhoneNotFound()
            if not standing["phone_verified"]:
                raise PhoneNotVerified()
        case "totp":
            if not standing["has_totp"]:
                raise AuthenticatorNotFound()
        case "recoverycode":
            if not standing["has_recovery_codes"]:
                raise RecoveryCodesNotFound()
    return standing


def must_be_allowed(call: Call, factor: str) -> None:
    """Refuse a factor that the project has switched off. Raises FactorUnsupported."""
    if not getattr(policies.of(call.project.settings).mfa_factors, factor, True):
        raise FactorUnsupported(factor=factor)


async def _standing(call: Call, user_id: str) -> Record:
    standing = await store.find_standing(call.db, call.project.id, user_id)
    if standing is None:  # deleted just now
        raise UserUnauthorized()
    return standing


def _shown_by_half(call: Call) -> frozenset[str]:
    """The factors that the caller's session has shown, as long as it needs another one."""
    identity = call.identity
    if identity.user is None or not lacks_factor(identity, call.project):
        return frozenset()
    return frozenset(identity.user["factors"])
