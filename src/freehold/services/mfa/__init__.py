"""The second factor: what account and users share of authenticators, challenges and recovery codes."""

from freehold.services.mfa.authenticators import must_be_known, new_totp, verify_totp
from freehold.services.mfa.challenges import answer, challenge, custom_challenge
from freehold.services.mfa.errors import (
    AuthenticatorNotFound,
    AuthenticatorVerified,
    ChallengeNotFound,
    EmailNotFound,
    EmailNotVerified,
    FactorShown,
    FactorUnsupported,
    InvalidCode,
    PhoneNotFound,
    PhoneNotVerified,
    RecoveryCodesExist,
    RecoveryCodesNotFound,
)
from freehold.services.mfa.factors import factors_of, verified_factors
from freehold.services.mfa.models import (
    AnswerChallenge,
    CreateChallenge,
    MfaChallenge,
    MfaChallengeSecret,
    MfaFactors,
    MfaRecoveryCodes,
    MfaType,
    UpdateMfa,
    VerifyAuthenticator,
)
from freehold.services.mfa.recovery import create_codes, read_codes, replace_codes
from freehold.services.mfa.store import add_factors, delete_all, delete_authenticator

__all__ = [
    "AnswerChallenge",
    "AuthenticatorNotFound",
    "AuthenticatorVerified",
    "ChallengeNotFound",
    "CreateChallenge",
    "EmailNotFound",
    "EmailNotVerified",
    "FactorShown",
    "FactorUnsupported",
    "InvalidCode",
    "MfaChallenge",
    "MfaChallengeSecret",
    "MfaFactors",
    "MfaRecoveryCodes",
    "MfaType",
    "PhoneNotFound",
    "PhoneNotVerified",
    "RecoveryCodesExist",
    "RecoveryCodesNotFound",
    "UpdateMfa",
    "VerifyAuthenticator",
    "add_factors",
    "answer",
    "challenge",
    "create_codes",
    "custom_challenge",
    "delete_all",
    "delete_authenticator",
    "factors_of",
    "must_be_known",
    "new_totp",
    "read_codes",
    "replace_codes",
    "verified_factors",
    "verify_totp",
]
