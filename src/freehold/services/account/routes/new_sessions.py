"""Endpoints that open a session without a password: as nobody in particular, and by a token."""

from __future__ import annotations

import msgspec

from freehold import ids
from freehold.errors import UserBlocked
from freehold.services import users
from freehold.services.account import proofs, registration, tokens
from freehold.services.account.errors import (
    AuthMethodUnsupported,
    InvalidToken,
    NoAnonymousConsole,
    SessionAlreadyExists,
    UserLimitReached,
)
from freehold.services.account.models import RedeemToken, Session
from freehold.services.account.oauth import with_tokens
from freehold.services.account.signing_in import answer, check_method, open_session
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.projects import CONSOLE

routes = Routes("account")

_BY_TOKEN = {
    "scope": "sessions.write",
    "event": "users.[userId].sessions.[sessionId].create",
    "status": 201,
    "limit": limit("10/3600s", key="ip:{ip},userId:{param-userId}"),
    "raises": (InvalidToken, UserBlocked, AuthMethodUnsupported, UserLimitReached, *users.EMAIL_ERRORS),
}

_METHODS = {tokens.MAGIC_URL: "magic-url", tokens.EMAIL: "email-otp", tokens.PHONE: "phone"}
"""The ways of signing in, as projects switch them on and off, that kinds of tokens belong to."""


@routes.post(
    "/v1/account/sessions/anonymous",
    scope="sessions.write",
    event="users.[userId].sessions.[sessionId].create",
    status=201,
    limit=limit("50/3600s", key="ip:{ip}"),
    raises=(AuthMethodUnsupported, NoAnonymousConsole, SessionAlreadyExists, UserLimitReached),
)
async def create_anonymous_session(call: Call) -> Session:
    """Sign in as a new user of whom nothing is known. It can get an e-mail address and a password later."""
    check_method(call, "anonymous")
    if call.project.id == CONSOLE:
        raise NoAnonymousConsole()
    if call.identity.kind == "user":
        raise SessionAlreadyExists()
    user_id = ids.new_id()
    await registration.admit(call, user_id, "")
    await users.create(call.db, call.project.id, users.NewUser(id=user_id))
    session, token = await open_session(call, user_id, provider="anonymous", factors=["anonymous"])
    return answer(call, session, token)


@routes.post("/v1/account/sessions/token", **_BY_TOKEN)
async def create_session(call: Call, body: RedeemToken) -> Session:
    """Sign in with a token: of a link or a code that was sent, of a vendor, or of one's server."""
    return await _by_token(call, body)


@routes.put("/v1/account/sessions/magic-url", **_BY_TOKEN, name="updateMagicURLSession")
async def update_magic_url_session(call: Call, body: RedeemToken) -> Session:
    """Sign in with what a link brings back. The same as `createSession`, for older SDKs."""
    return await _by_token(call, body)


@routes.put("/v1/account/sessions/phone", **_BY_TOKEN)
async def update_phone_session(call: Call, body: RedeemToken) -> Session:
    """Sign in with a code from a message. The same as `createSession`, for older SDKs."""
    return await _by_token(call, body)


async def _by_token(call: Call, body: RedeemToken) -> Session:
    token = await tokens.redeem(call, body.user_id, tuple(tokens.WAYS), body.secret)
    kind: str = token["kind"]
    if kind in _METHODS:
        check_method(call, _METHODS[kind])
    user_id = await proofs.user_of(call, token)
    way = tokens.WAYS[kind]
    data = msgspec.json.decode(token["data"], type=dict[str, str])  # of a vendor's token: which vendor
    session, secret = await open_session(
        call,
        user_id,
        provider=data.get("provider", way.provider),
        provider_uid=data.get("providerUid", token["address"]),
        factors=[each for each in (way.factor, way.second_factor) if each],
    )
    [shown] = await with_tokens(call, [answer(call, session, secret)])
    return shown
