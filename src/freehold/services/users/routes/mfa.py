"""Endpoints of users' second factors, as the project's server sees them."""

from __future__ import annotations

from freehold.db.pool import Record
from freehold.errors import UserUnauthorized
from freehold.services import mfa
from freehold.services.mfa import MfaChallengeSecret, MfaFactors, MfaRecoveryCodes, UpdateMfa
from freehold.services.users import store
from freehold.services.users.errors import UserNotFound
from freehold.services.users.models import User, as_user
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.users import user_tag

routes = Routes("users", raises=(UserNotFound,))


@routes.patch(
    "/v1/users/{userId}/mfa", scope="users.write", event="users.[userId].update.mfa", name="updateMFA"
)
async def update_mfa(call: Call, user_id: str, body: UpdateMfa) -> User:
    """Ask a user for a second factor, or no more. Its sessions with one factor stop working at once."""
    row = await store.set_mfa(call.db, call.project.id, user_id, body.mfa)
    if row is None:
        raise UserNotFound()
    call.changed(user_tag(call.project.id, user_id))
    return as_user(row)


@routes.delete(
    "/v1/users/{userId}/mfa/authenticators/{type}",
    scope="users.write",
    event="users.[userId].delete.mfa",
    name="deleteMFAAuthenticator",
    status=204,
    raises=(mfa.AuthenticatorNotFound,),
)
async def delete_authenticator(call: Call, user_id: str, type: str) -> None:  # noqa: A002
    """Delete a user's authenticator app, as when the phone is lost."""
    mfa.must_be_known(type)
    row = await _user(call, user_id)
    if not await mfa.delete_authenticator(call.db, call.project.id, user_id):
        raise mfa.AuthenticatorNotFound()
    call.tells(as_user(row))
    call.changed(user_tag(call.project.id, user_id))


@routes.get(
    "/v1/users/{userId}/mfa/challenges/{challengeId}",
    scope="users.read",
    name="getMFAChallenge",
    raises=(mfa.ChallengeNotFound, UserUnauthorized),
)
async def get_challenge(call: Call, user_id: str, challenge_id: str) -> MfaChallengeSecret:
    """Get a challenge of the factor `custom`, with the code for this server to bring to the user."""
    _must_see_secrets(call)
    await _user(call, user_id)
    return await mfa.custom_challenge(call, user_id, challenge_id)


@routes.get("/v1/users/{userId}/mfa/factors", scope="users.read", name="listMFAFactors")
async def list_factors(call: Call, user_id: str) -> MfaFactors:
    """List what a user can answer a challenge with."""
    await _user(call, user_id)
    return await mfa.factors_of(call, user_id)


@routes.get(
    "/v1/users/{userId}/mfa/recovery-codes",
    scope="users.read",
    name="getMFARecoveryCodes",
    raises=(mfa.RecoveryCodesNotFound, UserUnauthorized),
)
async def get_recovery_codes(call: Call, user_id: str) -> MfaRecoveryCodes:
    """Get the recovery codes that a user has left."""
    _must_see_secrets(call)
    await _user(call, user_id)
    return await mfa.read_codes(call, user_id)


@routes.patch(
    "/v1/users/{userId}/mfa/recovery-codes",
    scope="users.write",
    event="users.[userId].create.mfa.recovery-codes",
    name="createMFARecoveryCodes",
    status=201,
    raises=(mfa.RecoveryCodesExist,),
)
async def create_recovery_codes(call: Call, user_id: str) -> MfaRecoveryCodes:
    """Give a user its first recovery codes."""
    row = await _user(call, user_id)
    codes = await mfa.create_codes(call, user_id)
    call.tells(as_user(row))
    return codes


@routes.put(
    "/v1/users/{userId}/mfa/recovery-codes",
    scope="users.write",
    event="users.[userId].update.mfa.recovery-codes",
    name="updateMFARecoveryCodes",
    raises=(mfa.RecoveryCodesNotFound,),
)
async def update_recovery_codes(call: Call, user_id: str) -> MfaRecoveryCodes:
    """Give a user new recovery codes; the old ones count no more."""
    row = await _user(call, user_id)
    codes = await mfa.replace_codes(call, user_id)
    call.tells(as_user(row))
    return codes


async def _user(call: Call, user_id: str) -> Record:
    row = await store.find(call.db, call.project.id, user_id)
    if row is None:
        raise UserNotFound()
    return row


def _must_see_secrets(call: Call) -> None:
    """Refuse users who may read users because they act for them. Raises UserUnauthorized."""
    if not call.sees_secrets:
        raise UserUnauthorized()
