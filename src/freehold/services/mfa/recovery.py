"""Recovery codes: on paper, for who has lost the phone. Each counts once."""

from __future__ import annotations

import hmac

import msgspec

from freehold import secrets
from freehold.services.mfa import sealing, store
from freehold.services.mfa.errors import InvalidCode, RecoveryCodesExist, RecoveryCodesNotFound
from freehold.services.mfa.models import MfaRecoveryCodes
from freehold.web.call import Call

COUNT = 6
CHARACTERS = 10


async def create_codes(call: Call, user_id: str) -> MfaRecoveryCodes:
    """Give a user its first recovery codes. Raises RecoveryCodesExist."""
    codes = _new_codes()
    if not await store.create_recovery_codes(call.db, call.project.id, user_id, _sealed(call, codes)):
        raise RecoveryCodesExist()
    return MfaRecoveryCodes(recovery_codes=codes)


async def replace_codes(call: Call, user_id: str) -> MfaRecoveryCodes:
    """Give a user new recovery codes; the old ones count no more. Raises RecoveryCodesNotFound."""
    codes = _new_codes()
    if not await store.replace_recovery_codes(call.db, call.project.id, user_id, _sealed(call, codes)):
        raise RecoveryCodesNotFound()
    return MfaRecoveryCodes(recovery_codes=codes)


async def read_codes(call: Call, user_id: str) -> MfaRecoveryCodes:
    """The codes that are left. Raises RecoveryCodesNotFound."""
    codes = await _find(call, user_id)
    if not codes:
        raise RecoveryCodesNotFound()
    return MfaRecoveryCodes(recovery_codes=codes)


async def take_recovery_code(call: Call, user_id: str, code: str) -> None:
    """Use a code up. Raises InvalidCode."""
    codes = await _find(call, user_id)
    presented = code.strip().lower().encode()
    # All are compared, so that the time does not tell which one was met.
    left = [each for each in codes if not hmac.compare_digest(each.encode(), presented)]
    if len(left) == len(codes):
        raise InvalidCode()
    if left:
        await store.replace_recovery_codes(call.db, call.project.id, user_id, _sealed(call, left))
    else:
        await store.delete_recovery_codes(call.db, call.project.id, user_id)


def _new_codes() -> list[str]:
    return [secrets.new_secret(CHARACTERS) for _ in range(COUNT)]


async def _find(call: Call, user_id: str) -> list[str]:
    sealed = await store.find_recovery_codes(call.db, call.project.id, user_id)
    if sealed is None:
        return []
    return msgspec.json.decode(sealing.unseal(call, sealed), type=list[str])


def _sealed(call: Call, codes: list[str]) -> bytes:
    return sealing.seal(call, msgspec.json.encode(codes).decode())
