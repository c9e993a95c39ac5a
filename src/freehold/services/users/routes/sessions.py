"""Endpoints of a user's sessions, and of the secrets with which a server lets a user in."""

from __future__ import annotations

import msgspec

from freehold import secrets
from freehold.db.pool import Record
from freehold.errors import UserBlocked
from freehold.services import account
from freehold.services.account import Jwt, Session, SessionList, SessionNotFound, Token
from freehold.services.users import store
from freehold.services.users.errors import UserNotFound
from freehold.services.users.models import CreateJwt, CreateToken, ListSessionsQuery, as_user
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.signing import SigningKeySealed
from freehold.web.users import user_tag

routes = Routes("users", raises=(UserNotFound,))

_READ = ("users.read", "sessions.read")
_WRITE = "users.write"


@routes.get("/v1/users/{userId}/sessions", scope=_READ)
async def list_sessions(call: Call, user_id: str, query: ListSessionsQuery) -> SessionList:
    """List a user's sessions, the newest first."""
    await _existing(call, user_id)
    rows = await account.list_sessions(call.db, call.project.id, user_id)
    return SessionList(total=len(rows) if query.total else 0, sessions=await account.as_sessions(call, rows))


@routes.post(
    "/v1/users/{userId}/sessions",
    scope=_WRITE,
    event="users.[userId].sessions.[sessionId].create",
    status=201,
    raises=(UserBlocked,),
)
async def create_session(call: Call, user_id: str) -> Session:
    """Sign a user in. Whoever gets the session's `secret` acts as the user."""
    await _existing(call, user_id)
    session, token = await account.open_session(
        call, user_id, provider="server", factors=["server"], in_browser=False
    )
    return account.answer(call, msgspec.structs.replace(session, current=False), token)


@routes.delete(
    "/v1/users/{userId}/sessions", scope=_WRITE, event="users.[userId].sessions.delete", status=204
)
async def delete_sessions(call: Call, user_id: str) -> None:
    """Sign a user out everywhere."""
    user = await _existing(call, user_id)
    await account.close_sessions(call.db, call.project.id, user_id)
    call.tells(as_user(user))
    call.changed(user_tag(call.project.id, user_id))


@routes.delete(
    "/v1/users/{userId}/sessions/{sessionId}",
    scope=_WRITE,
    event="users.[userId].sessions.[sessionId].delete",
    status=204,
    raises=(SessionNotFound,),
)
async def delete_session(call: Call, user_id: str, session_id: str) -> None:
    """End one of a user's sessions."""
    await _existing(call, user_id)
    row = await account.close_session(call.db, call.project.id, user_id, session_id)
    if row is None:
        raise SessionNotFound()
    [session] = await account.as_sessions(call, [row])
    call.tells(session)
    call.changed(user_tag(call.project.id, user_id))


@routes.post(
    "/v1/users/{userId}/tokens",
    scope="users.write",
    event="users.[userId].tokens.[tokenId].create",
    status=201,
)
async def create_token(call: Call, user_id: str, body: CreateToken) -> Token:
    """Make a secret that opens a session once, by `account.createSession`."""
    await _existing(call, user_id)
    issued = await account.issue(
        call,
        user_id,
        account.GENERIC,
        seconds=body.expire,
        secret=secrets.new_secret(body.length),
    )
    call.event_ids["tokenId"] = issued.id
    call.tells(account.as_token(issued))
    return account.as_token(issued, secret=issued.secret)


@routes.post(
    "/v1/users/{userId}/jwts",
    scope="users.write",
    status=201,
    name="createJWT",
    raises=(SessionNotFound, SigningKeySealed),
)
async def create_jwt(call: Call, user_id: str, body: CreateJwt) -> Jwt:
    """Make a token that acts as the user for a while.

    It ends with the session that is named, or with the newest. Of a user without a session it ends with its
    password.
    """
    await _existing(call, user_id)
    sessions = [row["id"] for row in await account.list_sessions(call.db, call.project.id, user_id)]
    if body.session_id != "recent" and body.session_id not in sessions:
        raise SessionNotFound()
    session_id = body.session_id if body.session_id != "recent" else next(iter(sessions), "")
    identity = await call.app.auth.users.unseen(call.project, user_id, session_id)
    if identity is None:
        raise SessionNotFound()
    return Jwt(jwt=await call.app.auth.jwts.issue(call.project, identity, body.duration))


async def _existing(call: Call, user_id: str) -> Record:
    row = await store.find(call.db, call.project.id, user_id)
    if row is None:
        raise UserNotFound()
    return row
