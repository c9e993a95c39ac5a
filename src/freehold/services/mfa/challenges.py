"""Challenges: a session is asked for a factor, and shows it."""

from __future__ import annotations

import hmac
import secrets as random

from freehold import ids
from freehold.db.pool import Record
from freehold.services import mail
from freehold.services.mfa import sealing, store
from freehold.services.mfa.authenticators import take_totp
from freehold.services.mfa.errors import ChallengeNotFound, InvalidCode
from freehold.services.mfa.factors import must_be_allowed, must_have
from freehold.services.mfa.models import MfaChallenge, MfaChallengeSecret
from freehold.services.mfa.recovery import take_recovery_code
from freehold.web.call import Call
from freehold.web.wire import wire_time

CHALLENGE_S = 900
MOST_ATTEMPTS = 5
"""How often a challenge may be answered wrongly before it is void."""
_DIGITS = 6


async def challenge(call: Call, user_id: str, name: str, factor: str) -> MfaChallenge:
    """Ask the caller's session for a factor. A code that the user cannot make by itself is sent to it.

    Raises what says that the user has no such factor, and FactorUnsupported.
    """
    standing = await must_have(call, user_id, factor)
    code = await _send_code(call, factor, standing, name)
    row = await store.create_challenge(
        call.db,
        call.project.id,
        store.NewChallenge(
            id=ids.new_id(),
            user_id=user_id,
            session_id=call.identity.session_id,
            factor=factor,
            code_sealed=sealing.seal(call, code) if code else None,
            seconds=CHALLENGE_S,
        ),
    )
    return MfaChallenge(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        user_id=user_id,
        expire=wire_time(row["expires_at"]),
    )


async def _send_code(call: Call, factor: str, standing: Record, name: str) -> str:
    """The code that answers the challenge, on its way to the user; empty when the user has it already."""
    if factor not in ("email", "phone", "custom"):
        return ""
    code = f"{random.randbelow(10**_DIGITS):0{_DIGITS}d}"
    if factor == "email":
        mail.must_send_mail(call)
        await mail.send_mail(call, "mfaChallenge", standing["email"], name=name, values={"otp": code})
    if factor == "phone":
        await mail.must_send_sms(call, standing["phone"])
        code = await mail.mock_code(call, standing["phone"]) or code
        await mail.send_sms(call, "mfaChallenge", standing["phone"], values={"otp": code})
    return code


async def answer(call: Call, user_id: str, challenge_id: str, code: str) -> None:
    """Let the caller's session show the factor that it was asked for. Raises InvalidCode."""
    # Off the transaction: the attempt counts even when the call fails.
    asked = await store.attempt_challenge(
        call.app.db, call.project.id, call.identity.session_id, challenge_id, MOST_ATTEMPTS
    )
    if asked is None:
        raise InvalidCode()
    must_be_allowed(call, asked["factor"])
    match asked["factor"]:
        case "totp":
            await take_totp(call, user_id, code)
        case "recoverycode":
            await take_recovery_code(call, user_id, code)
        case _:
            if not hmac.compare_digest(sealing.unseal(call, asked["code_sealed"]).encode(), code.encode()):
                raise InvalidCode()
    if not await store.close_challenge(call.db, call.project.id, challenge_id):
        raise InvalidCode()
    session_id = call.identity.session_id
    await store.add_factors(call.db, call.project.id, session_id, [asked["factor"]], challenged=True)


async def custom_challenge(call: Call, user_id: str, challenge_id: str) -> MfaChallengeSecret:
    """A challenge whose code the project's server brings to the user. Raises ChallengeNotFound."""
    row = await store.find_challenge(call.db, call.project.id, user_id, challenge_id, "custom")
    if row is None:
        raise ChallengeNotFound()
    return MfaChallengeSecret(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        user_id=user_id,
        expire=wire_time(row["expires_at"]),
        code=sealing.unseal(call, row["code_sealed"]),
    )
