"""Endpoints of one's sessions: signing in and out."""

from __future__ import annotations

import msgspec

from freehold import events, passwords
from freehold.errors import MoreFactorsRequired, UserBlocked, UserUnauthorized
from freehold.services import oauth, users
from freehold.services.account import cookies, store
from freehold.services.account.errors import (
    AuthMethodUnsupported,
    InvalidCredentials,
    SessionNotFound,
)
from freehold.services.account.models import (
    CreateEmailSession,
    Session,
    SessionList,
)
from freehold.services.account.oauth import with_tokens
from freehold.services.account.signing_in import (
    answer,
    as_session,
    as_sessions,
    check_method,
    open_session,
    session_seconds,
    signed_in,
)
from freehold.web import limits
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.identity import lacks_factor
from freehold.web.users import user_tag

routes = Routes("account", raises=(UserUnauthorized,))

_LOGIN_LIMIT = limit("10/3600s", key="url:{url},email:{param-email}")


@routes.get("/v1/account/sessions", scope="account")
async def list_sessions(call: Call) -> SessionList:
    """List one's sessions, the newest first."""
    rows = await store.list_sessions(call.db, call.project.id, signed_in(call)["id"])
    sessions = await with_tokens(call, await as_sessions(call, rows))
    return SessionList(total=len(rows), sessions=sessions)


@routes.delete(
    "/v1/account/sessions",
    scope="account",
    event="users.[userId].sessions.[sessionId].delete",
    status=204,
    limit=limit("100/3600s"),
    in_person=True,
)
async def delete_sessions(call: Call) -> None:
    """Sign out everywhere."""
    user_id = signed_in(call)["id"]
    call.event_ids.update(userId=user_id, sessionId=call.identity.session_id)
    closed = await store.close_sessions(call.db, call.project.id, user_id)
    for session in await as_sessions(call, closed):
        if session.id == call.identity.session_id:
            call.tells(session)
            continue
        name = f"users.{user_id}.sessions.{session.id}.delete"
        payload = msgspec.json.encode(session)
        event = events.Event(call.project.id, name, payload, call.cause)
        await events.record(call.db, event)
    call.changed(user_tag(call.project.id, user_id))
    cookies.sign_out(call)


@routes.get("/v1/account/sessions/{sessionId}", scope="account", raises=(SessionNotFound,))
async def get_session(call: Call, session_id: str) -> Session:
    """Get one of one's sessions; `current` is the one that asks."""
    user_id = signed_in(call)["id"]
    row = await store.find_session(call.db, call.project.id, user_id, _named(call, session_id))
    if row is None:
        raise SessionNotFound()
    [session] = await with_tokens(call, await as_sessions(call, [row]))
    return session


@routes.patch(
    "/v1/account/sessions/{sessionId}",
    scope="account",
    event="users.[userId].sessions.[sessionId].update",
    limit=limit("10/3600s"),
    raises=(SessionNotFound,),
    in_person=True,
)
async def update_session(call: Call, session_id: str) -> Session:
    """Let a session last for its full time again from now, and renew the tokens of its vendor."""
    user_id = signed_in(call)["id"]
    session_id = call.parameters["sessionId"] = _named(call, session_id)
    await oauth.refresh(call, user_id, session_id)
    call.event_ids["userId"] = user_id
    row = await store.extend_session(call.db, call.project.id, user_id, session_id, session_seconds(call))
    if row is None:
        raise SessionNotFound()
    call.changed(user_tag(call.project.id, user_id))
    session = await as_session(call, row)
    call.tells(session)
    [shown] = await with_tokens(call, [session])
    return shown


@routes.delete(
    "/v1/account/sessions/{sessionId}",
    scope="account",
    half_signed_in=True,
    event="users.[userId].sessions.[sessionId].delete",
    status=204,
    limit=limit("100/3600s"),
    raises=(SessionNotFound,),
    in_person=True,
)
async def delete_session(call: Call, session_id: str) -> None:
    """Sign out: end one of one's sessions; `current` is the one that asks."""
    user_id = signed_in(call)["id"]
    session_id = call.parameters["sessionId"] = _named(call, session_id)
    if session_id != call.identity.session_id and lacks_factor(call.identity, call.project):
        raise MoreFactorsRequired()
    call.event_ids["userId"] = user_id
    row = await store.close_session(call.db, call.project.id, user_id, session_id)
    if row is None:
        raise SessionNotFound()
    call.tells(await as_session(call, row))
    call.changed(user_tag(call.project.id, user_id))
    if session_id == call.identity.session_id:
        cookies.sign_out(call)


@routes.post(
    "/v1/account/sessions/email",
    scope="sessions.write",
    event="users.[userId].sessions.[sessionId].create",
    status=201,
    limit=_LOGIN_LIMIT,
    aliases=("/v1/account/sessions",),
    raises=(InvalidCredentials, UserBlocked, users.PasswordResetRequired, AuthMethodUnsupported),
)
async def create_email_password_session(call: Call, body: CreateEmailSession) -> Session:
    """Sign in. Every time it is a new session; the browser gets it as a cookie, an API key in `secret`."""
    check_method(call, "email-password")
    # Off the transaction: hashing takes long, and would hold its connection meanwhile.
    email = users.normal_email(body.email)
    found = await store.find_credentials(call.app.db, call.project.id, email)
    password_hash = found["password_hash"] if found is not None else None
    if not await passwords.password_matches(body.password, password_hash) or found is None:
        raise InvalidCredentials()
    if not found["enabled"]:
        raise UserBlocked()
    await users.check_at_sign_in(call, body.password, found["password_changed_at"])
    better_hash = None
    if passwords.is_outdated(found["password_hash"]):
        better_hash = await passwords.hash_password(body.password)
    session, token = await open_session(
        call,
        found["id"],
        provider="email",
        provider_uid=email,
        factors=["password"],
        password_hash=password_hash,
    )
    if better_hash is not None:
        await users.renew_hash(
            call.db, call.project.id, found["id"], old=found["password_hash"], new=better_hash
        )
    await limits.forgive(call, _LOGIN_LIMIT, {"body": body}, call.db)
    return answer(call, session, token)


def _named(call: Call, session_id: str) -> str:
    return call.identity.session_id if session_id == "current" else session_id
