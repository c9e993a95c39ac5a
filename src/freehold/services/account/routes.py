"""Endpoints of the account service."""

from __future__ import annotations

import msgspec

from freehold import events, ids, secrets
from freehold.db.pool import Record
from freehold.errors import UserBlocked, UserUnauthorized
from freehold.services import users
from freehold.services.account import cookies, registration, store
from freehold.services.account.errors import (
    AuthMethodUnsupported,
    ConsoleClosed,
    ConsoleEmailNotListed,
    ConsoleIpNotListed,
    InvalidCredentials,
    JwtCreationDenied,
    SessionNotFound,
)
from freehold.services.account.models import (
    CreateAccount,
    CreateEmailSession,
    CreateJwt,
    Jwt,
    Session,
    SessionList,
    UpdateName,
    UpdatePrefs,
)
from freehold.services.users import User, as_user
from freehold.web import devices, limits
from freehold.web.auth import user_tag
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.wire import Json, encoded_prefs, wire_time

routes = Routes("account", raises=(UserUnauthorized,))

SESSION_S = 365 * 86400
"""How long a session lasts when the project does not say."""
SESSIONS_KEPT = 10
"""How many sessions a user has when the project does not say; the oldest go first."""
_SECRET_CHARACTERS = 256
_LOGIN_LIMIT = limit("10/3600s", key="url:{url},email:{param-email}")


def signed_in(call: Call) -> Record:
    """The user who calls. Raises UserUnauthorized for keys, and for admins of the project."""
    if call.identity.kind != "user" or call.identity.user is None:
        raise UserUnauthorized()
    return call.identity.user


@routes.get("/v1/account", scope="account", model=User)
async def get(call: Call) -> Json:
    """Get the account of the user who calls."""
    answers = call.identity.answers
    if "account" not in answers:  # pages ask who is signed in all the time
        answers["account"] = msgspec.json.encode(as_user(signed_in(call)))
    return Json(answers["account"])


@routes.post(
    "/v1/account",
    scope="sessions.write",
    event="users.[userId].create",
    status=201,
    limit=limit("10/3600s"),
    raises=(users.UserAlreadyExists, ConsoleClosed, ConsoleEmailNotListed, ConsoleIpNotListed),
)
async def create(call: Call, body: CreateAccount) -> User:
    """Register with an e-mail address and a password. On the console only its first user may, and the
    addresses on its list."""
    _check_method(call, "email-password")
    email = users.checked_email(body.email)
    user_id = ids.resolve(body.user_id)
    password_hash = await secrets.hash_password(body.password)
    is_first = await registration.admit(call, user_id, email)
    row = await users.create(
        call.db,
        call.project.id,
        users.NewUser(id=user_id, name=body.name, email=email, password_hash=password_hash),
    )
    if is_first:
        await registration.welcome_first(call, user_id)
    return as_user(row)


@routes.post(
    "/v1/account/jwts",
    scope="account",
    status=201,
    limit=limit("120/60s", key="url:{url},userId:{userId}"),
    aliases=("/v1/account/jwt",),
    name="createJWT",
    raises=(JwtCreationDenied,),
)
async def create_jwt(call: Call, body: CreateJwt) -> Jwt:
    """Make a token that acts as the session for a while, and ends when the session does."""
    user = signed_in(call)
    if b"x-appwrite-jwt" in call.request.headers:
        raise JwtCreationDenied()
    claims = {
        "userId": user["id"],
        "sessionId": call.identity.session_id,
        "projectId": call.project.id,
    }
    return Jwt(jwt=call.app.auth.write_jwt(claims, body.duration))


@routes.patch("/v1/account/name", scope="account", event="users.[userId].update.name")
async def update_name(call: Call, body: UpdateName) -> User:
    """Change one's name."""
    user_id = signed_in(call)["id"]
    row = await users.set_name(call.db, call.project.id, user_id, body.name)
    return _updated(call, row)


@routes.get("/v1/account/prefs", scope="account", model="preferences")
async def get_prefs(call: Call) -> Json:
    """Get one's preferences."""
    return Json(bytes(signed_in(call)["prefs"]))


@routes.patch("/v1/account/prefs", scope="account", event="users.[userId].update.prefs")
async def update_prefs(call: Call, body: UpdatePrefs) -> User:
    """Replace one's preferences."""
    user_id = signed_in(call)["id"]
    row = await users.set_prefs(call.db, call.project.id, user_id, encoded_prefs(body.prefs))
    return _updated(call, row)


@routes.get("/v1/account/sessions", scope="account")
async def list_sessions(call: Call) -> SessionList:
    """List one's sessions, the newest first."""
    rows = await store.list_sessions(call.db, call.project.id, signed_in(call)["id"])
    return SessionList(total=len(rows), sessions=await _sessions(call, rows))


@routes.delete(
    "/v1/account/sessions",
    scope="account",
    event="users.[userId].sessions.[sessionId].delete",
    status=204,
    limit=limit("100/3600s"),
)
async def delete_sessions(call: Call) -> None:
    """Sign out everywhere."""
    user_id = signed_in(call)["id"]
    call.event_ids.update(userId=user_id, sessionId=call.identity.session_id)
    closed = await store.close_sessions(call.db, call.project.id, user_id)
    for session in await _sessions(call, closed):
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
    return await _session(call, row)


@routes.patch(
    "/v1/account/sessions/{sessionId}",
    scope="account",
    event="users.[userId].sessions.[sessionId].update",
    limit=limit("10/3600s"),
    raises=(SessionNotFound,),
)
async def update_session(call: Call, session_id: str) -> Session:
    """Let a session last for its full time again from now."""
    user_id = signed_in(call)["id"]
    session_id = call.parameters["sessionId"] = _named(call, session_id)
    call.event_ids["userId"] = user_id
    row = await store.extend_session(call.db, call.project.id, user_id, session_id, _session_s(call))
    if row is None:
        raise SessionNotFound()
    call.changed(user_tag(call.project.id, user_id))
    return await _session(call, row)


@routes.delete(
    "/v1/account/sessions/{sessionId}",
    scope="account",
    event="users.[userId].sessions.[sessionId].delete",
    status=204,
    limit=limit("100/3600s"),
    raises=(SessionNotFound,),
)
async def delete_session(call: Call, session_id: str) -> None:
    """Sign out: end one of one's sessions; `current` is the one that asks."""
    user_id = signed_in(call)["id"]
    session_id = call.parameters["sessionId"] = _named(call, session_id)
    call.event_ids["userId"] = user_id
    row = await store.close_session(call.db, call.project.id, user_id, session_id)
    if row is None:
        raise SessionNotFound()
    call.tells(await _session(call, row))
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
    raises=(InvalidCredentials, UserBlocked, AuthMethodUnsupported),
)
async def create_email_password_session(call: Call, body: CreateEmailSession) -> Session:
    """Sign in. Every time it is a new session; the browser gets it as a cookie, an API key in `secret`."""
    _check_method(call, "email-password")
    # Off the transaction: hashing takes long, and would hold its connection meanwhile.
    found = await store.find_credentials(call.app.db, call.project.id, body.email.strip())
    password_hash = found["password_hash"] if found is not None else None
    if not await secrets.password_matches(body.password, password_hash) or found is None:
        raise InvalidCredentials()
    if not found["enabled"]:
        raise UserBlocked()
    session, token = await _open_session(call, found["id"], body.email, password_hash)
    await limits.forgive(call, _LOGIN_LIMIT, {"body": body}, call.db)
    call.tells(session)
    if not call.sees_secrets:
        return session
    return msgspec.structs.replace(session, secret=token)


async def _open_session(
    call: Call, user_id: str, email: str, password_hash: str | None
) -> tuple[Session, str]:
    secret = secrets.new_secret(_SECRET_CHARACTERS)
    row = await store.open_session(
        call.db,
        call.project.id,
        store.NewSession(
            id=ids.new_id(),
            user_id=user_id,
            secret_digest=secrets.digest(secret),
            provider="email",
            provider_uid=email.strip().lower(),
            factors=["password"],
            ip=call.ip,
            user_agent=devices.kept(_user_agent(call)),
            seconds=_session_s(call),
        ),
        password_hash=password_hash,
    )
    if row is None:
        raise InvalidCredentials()
    most = call.project.settings.get("sessionLimit", SESSIONS_KEPT)
    await store.close_oldest_sessions(call.db, call.project.id, user_id, most)
    call.changed(user_tag(call.project.id, user_id))
    call.event_ids.update(userId=user_id, sessionId=row["id"])
    token = cookies.sign_in(call, user_id, secret, row["expires_at"])
    session = (await _sessions(call, [row]))[0]
    return msgspec.structs.replace(session, current=True), token


def _updated(call: Call, row: Record | None) -> User:
    if row is None:
        raise UserUnauthorized()
    call.changed(user_tag(call.project.id, row["id"]))
    return as_user(row)


def _check_method(call: Call, method: str) -> None:
    if method in call.project.settings.get("disabledAuthMethods", ()):
        raise AuthMethodUnsupported(method=method)


def _named(call: Call, session_id: str) -> str:
    return call.identity.session_id if session_id == "current" else session_id


def _session_s(call: Call) -> float:
    return float(call.project.settings.get("sessionDuration", SESSION_S))


def _user_agent(call: Call) -> str:
    if call.identity.kind == "key":  # a server that renders pages says whom it acts for
        forwarded = call.request.header(b"x-forwarded-user-agent")
        if forwarded:
            return forwarded
    return call.request.header(b"user-agent")


async def _session(call: Call, row: Record) -> Session:
    return (await _sessions(call, [row]))[0]


async def _sessions(call: Call, rows: list[Record]) -> list[Session]:
    found = await devices.read_all([row["user_agent"] for row in rows])
    return [
        Session(
            id=row["id"],
            created_at=wire_time(row["created_at"]),
            updated_at=wire_time(row["updated_at"]),
            user_id=row["user_id"],
            expire=wire_time(row["expires_at"]),
            provider=row["provider"],
            provider_uid=row["provider_uid"],
            ip=row["ip"],
            current=row["id"] == call.identity.session_id,
            factors=row["factors"],
            mfa_updated_at=wire_time(row["mfa_at"]),
            **device._asdict(),
        )
        for row, device in zip(rows, found, strict=True)
    ]
