"""Passkeys (WebAuthn): what account and users share of them."""

from freehold.services.passkeys.ceremonies import (
    finish_registration,
    finish_signing_in,
    start_registration,
    start_signing_in,
)
from freehold.services.passkeys.errors import (
    PasskeyExists,
    PasskeyInvalid,
    PasskeyNotFound,
    PasskeysUnsupported,
    TooManyPasskeys,
)
from freehold.services.passkeys.models import (
    CreatePasskey,
    Passkey,
    PasskeyChallenge,
    PasskeyList,
    UpdatePasskey,
    UpdatePasskeyToken,
    VerifyPasskey,
    as_passkey,
)
from freehold.services.passkeys.store import delete, delete_all, fetch, find, rename

__all__ = [
    "CreatePasskey",
    "Passkey",
    "PasskeyChallenge",
    "PasskeyExists",
    "PasskeyInvalid",
    "PasskeyList",
    "PasskeyNotFound",
    "PasskeysUnsupported",
    "TooManyPasskeys",
    "UpdatePasskey",
    "UpdatePasskeyToken",
    "VerifyPasskey",
    "as_passkey",
    "delete",
    "delete_all",
    "fetch",
    "find",
    "finish_registration",
    "finish_signing_in",
    "rename",
    "start_registration",
    "start_signing_in",
]
