"""Endpoints of one's passkeys, and of signing in with one."""

from __future__ import annotations

from freehold import ids
from freehold.errors import ChallengeRequired, UserUnauthorized
from freehold.services import passkeys, users
from freehold.services.account import tokens
from freehold.services.account.models import TokenSecret
from freehold.services.account.signing_in import signed_in
from freehold.services.passkeys import (
    CreatePasskey,
    Passkey,
    PasskeyChallenge,
    PasskeyList,
    UpdatePasskey,
    UpdatePasskeyToken,
    VerifyPasskey,
    as_passkey,
)
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.identity import must_be_recent
from freehold.web.wire import ListQuery, wire_time

routes = Routes("account", raises=(UserUnauthorized,))


@routes.get("/v1/account/passkeys", scope="account", reference=False)
async def list_passkeys(call: Call, query: ListQuery) -> PasskeyList:
    """List one's passkeys."""
    user_id = signed_in(call)["id"]
    found = await passkeys.fetch(call.db, call.project.id, user_id, query.queries, query.total)
    return PasskeyList(total=found.total, passkeys=[as_passkey(row) for row in found.rows])


@routes.post(
    "/v1/account/passkeys",
    scope="account",
    status=201,
    limit=limit("10/3600s", key="url:{url},userId:{userId}"),
    reference=False,
    raises=(ChallengeRequired, passkeys.PasskeyExists, passkeys.PasskeysUnsupported),
    in_person=True,
)
async def create_passkey(call: Call, body: CreatePasskey) -> PasskeyChallenge:
    """Start to register a passkey. Asks for having signed in, or answered a challenge, in the last ten
    minutes. The device's answer is due within five."""
    user = signed_in(call)
    must_be_recent(call.identity)
    return await passkeys.start_registration(call, user, ids.resolve(body.passkey_id), body.name)


@routes.get(
    "/v1/account/passkeys/{passkeyId}",
    scope="account",
    reference=False,
    raises=(passkeys.PasskeyNotFound,),
)
async def get_passkey(call: Call, passkey_id: str) -> Passkey:
    """Get one of one's passkeys."""
    row = await passkeys.find(call.db, call.project.id, signed_in(call)["id"], passkey_id)
    if row is None:
        raise passkeys.PasskeyNotFound()
    return as_passkey(row)


@routes.patch(
    "/v1/account/passkeys/{passkeyId}",
    scope="account",
    event="users.[userId].passkeys.[passkeyId].update",
    reference=False,
    raises=(passkeys.PasskeyNotFound,),
    in_person=True,
)
async def update_passkey(call: Call, passkey_id: str, body: UpdatePasskey) -> Passkey:
    """Rename a passkey."""
    user_id = call.event_ids["userId"] = signed_in(call)["id"]
    row = await passkeys.rename(call.db, call.project.id, user_id, passkey_id, body.name)
    if row is None:
        raise passkeys.PasskeyNotFound()
    return as_passkey(row)


@routes.delete(
    "/v1/account/passkeys/{passkeyId}",
    scope="account",
    event="users.[userId].passkeys.[passkeyId].delete",
    status=204,
    reference=False,
    raises=(ChallengeRequired, passkeys.PasskeyNotFound),
    in_person=True,
)
async def delete_passkey(call: Call, passkey_id: str) -> None:
    """Delete a passkey. Asks for having signed in, or answered a challenge, in the last ten minutes."""
    user_id = call.event_ids["userId"] = signed_in(call)["id"]
    must_be_recent(call.identity)
    row = await passkeys.delete(call.db, call.project.id, user_id, passkey_id)
    if row is None:
        raise passkeys.PasskeyNotFound()
    call.tells(as_passkey(row))


@routes.put(
    "/v1/account/passkeys/{passkeyId}/verification",
    scope="account",
    event="users.[userId].passkeys.[passkeyId].create",
    reference=False,
    raises=(passkeys.PasskeyInvalid, passkeys.PasskeyExists, passkeys.TooManyPasskeys),
    in_person=True,
)
async def update_passkey_verification(call: Call, passkey_id: str, body: VerifyPasskey) -> Passkey:
    """Finish to register a passkey, with what the device has answered. It can be tried once."""
    user_id = call.event_ids["userId"] = signed_in(call)["id"]
    return as_passkey(await passkeys.finish_registration(call, user_id, passkey_id, body.credential))


@routes.post(
    "/v1/account/tokens/passkey",
    scope="sessions.write",
    status=201,
    limit=limit("60/3600s"),
    reference=False,
    raises=(passkeys.PasskeysUnsupported,),
)
async def create_passkey_token(call: Call) -> PasskeyChallenge:
    """Start to sign in with a passkey, whosever it will be. The device's answer is due in five minutes."""
    return await passkeys.start_signing_in(call)


@routes.put(
    "/v1/account/tokens/passkey",
    scope="sessions.write",
    event="users.[userId].tokens.[tokenId].create",
    limit=limit("60/3600s"),
    reference=False,
    raises=(passkeys.PasskeyInvalid,),
)
async def update_passkey_token(call: Call, body: UpdatePasskeyToken) -> TokenSecret:
    """Prove with a passkey who one is. Gives a token that opens a session within a minute, which has both
    factors: the device, and what has unlocked it."""
    user_id = await passkeys.finish_signing_in(call, body.challenge_id, body.credential)
    user = await users.find(call.db, call.project.id, user_id)
    if user is None:
        raise passkeys.PasskeyInvalid()
    call.proves(user_id, user["name"], user["email"] or "")
    issued = await tokens.issue(call, user_id, tokens.PASSKEY)
    call.event_ids.update(userId=user_id, tokenId=issued.id)
    call.tells(tokens.as_token(issued))
    return TokenSecret(
        id=issued.id,
        created_at=wire_time(issued.created_at),
        user_id=issued.handle,
        secret=issued.secret,
        expire=wire_time(issued.expires_at),
        phrase="",
    )
