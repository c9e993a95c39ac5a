"""Endpoints of one's second factor."""

from __future__ import annotations

from freehold.db.pool import Record
from freehold.errors import UserUnauthorized
from freehold.services import mfa, users
from freehold.services.account import store
from freehold.services.account.errors import SessionNotFound
from freehold.services.account.models import Session
from freehold.services.account.signing_in import as_session, signed_in, updated
from freehold.services.mfa import (
    AnswerChallenge,
    CreateChallenge,
    MfaChallenge,
    MfaFactors,
    MfaRecoveryCodes,
    MfaType,
    UpdateMfa,
    VerifyAuthenticator,
)
from freehold.services.users import User, as_user
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.users import user_tag

routes = Routes("account", raises=(UserUnauthorized,))


@routes.patch(
    "/v1/account/mfa", scope="account", event="users.[userId].update.mfa", name="updateMFA", in_person=True
)
async def update_mfa(call: Call, body: UpdateMfa) -> User:
    """Ask for a second factor from now on, or no more. It takes effect once one is verified: an
    authenticator app, the e-mail address or the phone number. The session that switches it on stays."""
    user_id = signed_in(call)["id"]
    if body.mfa:
        shown = await mfa.verified_factors(call, user_id)
        await mfa.add_factors(call.db, call.project.id, call.identity.session_id, shown)
    return updated(call, await users.set_mfa(call.db, call.project.id, user_id, body.mfa))


@routes.get("/v1/account/mfa/factors", scope="account", name="listMFAFactors", half_signed_in=True)
async def list_factors(call: Call) -> MfaFactors:
    """List what one can answer a challenge with."""
    return await mfa.factors_of(call, signed_in(call)["id"])


@routes.post(
    "/v1/account/mfa/authenticators/{type}",
    scope="account",
    event="users.[userId].update.mfa",
    name="createMFAAuthenticator",
    raises=(mfa.AuthenticatorVerified,),
    in_person=True,
)
async def create_authenticator(call: Call, type: str) -> MfaType:  # noqa: A002
    """Add an authenticator app. It counts once it is verified."""
    mfa.must_be_known(type)
    user = signed_in(call)
    made = await mfa.new_totp(call, user["id"], user["email"] or user["phone"] or user["id"])
    await _tell_of_user(call, user)
    return made


@routes.put(
    "/v1/account/mfa/authenticators/{type}",
    scope="account",
    event="users.[userId].update.mfa",
    name="updateMFAAuthenticator",
    raises=(mfa.AuthenticatorNotFound, mfa.AuthenticatorVerified, mfa.InvalidCode),
    in_person=True,
)
async def verify_authenticator(call: Call, type: str, body: VerifyAuthenticator) -> User:  # noqa: A002
    """Verify an authenticator app by a code that it shows."""
    mfa.must_be_known(type)
    user_id = signed_in(call)["id"]
    await mfa.verify_totp(call, user_id, body.otp)
    await mfa.add_factors(call.db, call.project.id, call.identity.session_id, ["totp"])
    return updated(call, await users.find(call.db, call.project.id, user_id))


@routes.delete(
    "/v1/account/mfa/authenticators/{type}",
    scope="account",
    event="users.[userId].delete.mfa",
    name="deleteMFAAuthenticator",
    status=204,
    challenged=True,
    raises=(mfa.AuthenticatorNotFound,),
    in_person=True,
)
async def delete_authenticator(call: Call, type: str) -> None:  # noqa: A002
    """Delete an authenticator app. Asks for a challenge that was answered in the last half hour."""
    mfa.must_be_known(type)
    user = signed_in(call)
    if not await mfa.delete_authenticator(call.db, call.project.id, user["id"]):
        raise mfa.AuthenticatorNotFound()
    await _tell_of_user(call, user)


@routes.post(
    "/v1/account/mfa/challenges",
    scope="account",
    event="users.[userId].challenges.[challengeId].create",
    name="createMFAChallenge",
    status=201,
    limit=limit("10/3600s", key="url:{url},userId:{userId}"),
    aliases=("/v1/account/mfa/challenge",),
    half_signed_in=True,
    raises=(
        mfa.FactorShown,
        mfa.FactorUnsupported,
        mfa.AuthenticatorNotFound,
        mfa.RecoveryCodesNotFound,
        mfa.EmailNotFound,
        mfa.EmailNotVerified,
        mfa.PhoneNotFound,
        mfa.PhoneNotVerified,
    ),
    in_person=True,
)
async def create_challenge(call: Call, body: CreateChallenge) -> MfaChallenge:
    """Be asked for a second factor. A code is sent to the e-mail address or the phone number; for the factor
    `custom` the project's server brings it."""
    user = signed_in(call)
    made = await mfa.challenge(call, user["id"], user["name"], body.factor)
    call.event_ids.update(userId=user["id"], challengeId=made.id)
    return made


@routes.put(
    "/v1/account/mfa/challenges",
    scope="account",
    event="users.[userId].sessions.[sessionId].create",
    name="updateMFAChallenge",
    limit=(
        limit("10/3600s", key="url:{url},challengeId:{param-challengeId}"),
        limit("50/86400s", key="url:{url},userId:{userId}"),  # who asks for challenge after challenge
    ),
    aliases=("/v1/account/mfa/challenge",),
    half_signed_in=True,
    raises=(mfa.InvalidCode, mfa.FactorUnsupported, SessionNotFound),
    in_person=True,
)
async def answer_challenge(call: Call, body: AnswerChallenge) -> Session:
    """Show the factor that one was asked for. The session is a whole one from then on. A challenge can be
    answered wrongly five times, and a user answers fifty a day."""
    user_id, session_id = signed_in(call)["id"], call.identity.session_id
    await mfa.answer(call, user_id, body.challenge_id, body.otp)
    row = await store.find_session(call.db, call.project.id, user_id, session_id)
    if row is None:
        raise SessionNotFound()
    call.event_ids.update(userId=user_id, sessionId=session_id)
    call.changed(user_tag(call.project.id, user_id))
    return await as_session(call, row)


@routes.get(
    "/v1/account/mfa/recovery-codes",
    scope="account",
    name="getMFARecoveryCodes",
    challenged=True,
    raises=(mfa.RecoveryCodesNotFound,),
    in_person=True,
)
async def get_recovery_codes(call: Call) -> MfaRecoveryCodes:
    """See the recovery codes that are left. Asks for a challenge that was answered in the last half hour."""
    return await mfa.read_codes(call, signed_in(call)["id"])


@routes.post(
    "/v1/account/mfa/recovery-codes",
    scope="account",
    event="users.[userId].update.mfa",
    name="createMFARecoveryCodes",
    status=201,
    raises=(mfa.RecoveryCodesExist,),
    in_person=True,
)
async def create_recovery_codes(call: Call) -> MfaRecoveryCodes:
    """Get recovery codes, for when one has lost the other factors. Each counts once."""
    user = signed_in(call)
    codes = await mfa.create_codes(call, user["id"])
    await _tell_of_user(call, user)
    return codes


@routes.patch(
    "/v1/account/mfa/recovery-codes",
    scope="account",
    event="users.[userId].update.mfa",
    name="updateMFARecoveryCodes",
    challenged=True,
    raises=(mfa.RecoveryCodesNotFound,),
    in_person=True,
)
async def update_recovery_codes(call: Call) -> MfaRecoveryCodes:
    """Get new recovery codes; the old ones count no more. Asks for a challenge that was answered in the last
    half hour."""
    user = signed_in(call)
    codes = await mfa.replace_codes(call, user["id"])
    await _tell_of_user(call, user)
    return codes


async def _tell_of_user(call: Call, user: Record) -> None:
    """Let the event tell of the user: what is answered is secret, or nothing."""
    row = await users.find(call.db, call.project.id, user["id"])
    if row is None:
        raise UserUnauthorized()
    call.event_ids["userId"] = user["id"]
    call.tells(as_user(row))
    call.changed(user_tag(call.project.id, user["id"]))
