"""Opening a session, and who is signed in: what every way in shares."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from freehold import ids, secrets
from freehold.access import policies
from freehold.db.pool import Record
from freehold.errors import UserBlocked, UserUnauthorized
from freehold.services import users
from freehold.services.account import cookies, notices, store
from freehold.services.account.errors import (
    AuthMethodUnsupported,
    InvalidCredentials,
)
from freehold.services.account.models import (
    Session,
)
from freehold.services.users import User, as_user
from freehold.web import devices
from freehold.web.call import Call
from freehold.web.countries import country_of
from freehold.web.sessions import encode_session
from freehold.web.users import user_tag
from freehold.web.wire import wire_time

_SECRET_CHARACTERS = 256


def signed_in(call: Call) -> Record:
    """The user who calls. Raises UserUnauthorized for keys, and for admins of the project."""
    if call.identity.kind != "user" or call.identity.user is None:
        raise UserUnauthorized()
    return call.identity.user


def updated(call: Call, row: Record | None) -> User:
    if row is None:
        raise UserUnauthorized()
    call.changed(user_tag(call.project.id, row["id"]))
    return as_user(row)


def check_method(call: Call, method: str) -> None:
    if method in call.project.settings.get("disabledAuthMethods", ()):
        raise AuthMethodUnsupported(method=method)


async def open_session(
    call: Call,
    user_id: str,
    *,
    provider: str,
    provider_uid: str = "",
    factors: Sequence[str],
    password_hash: str | None = None,
    in_browser: bool = True,
) -> tuple[Session, str]:
    """Open a session: the one way in, however somebody has proven who they are. Sets its cookies.

    `in_browser`: it is the caller's own, who gets its cookies. `password_hash` is given when a password was
    the proof: the user must still have it. Gives the session and its secret as headers carry it; `answer`
    decides who sees that. Raises UserBlocked, InvalidCredentials.
    """
    secret = secrets.new_secret(_SECRET_CHARACTERS)
    row = await store.open_session(
        call.db,
        call.project.id,
        store.NewSession(
            id=ids.new_id(),
            user_id=user_id,
            secret_digest=secrets.digest(secret),
            provider=provider,
            provider_uid=provider_uid,
            factors=list(factors),
            ip=call.ip,
            user_agent=devices.kept(_user_agent(call)),
            seconds=session_seconds(call),
        ),
        password_hash=password_hash,
    )
    if row is None:
        user = await users.find(call.db, call.project.id, user_id)
        raise UserBlocked() if user is not None and not user["enabled"] else InvalidCredentials()
    call.proves(user_id, row["user_name"], row["user_email"] or "")
    most = policies.of(call.project.settings).session_limit
    await store.close_oldest_sessions(call.db, call.project.id, user_id, most)
    await notices.of_session(call, user_id, list(factors))
    call.changed(user_tag(call.project.id, user_id))
    call.event_ids.update(userId=user_id, sessionId=row["id"])
    token = encode_session(user_id, secret)
    if in_browser:
        cookies.sign_in(call, token, row["expires_at"])
    session = (await as_sessions(call, [row]))[0]
    return msgspec.structs.replace(session, current=True), token


async def renew_session(call: Call) -> None:
    """Leave the caller its session alone, and a browser with another secret of it: nobody else has that."""
    user_id, session_id = call.identity.user_id, call.identity.session_id
    await store.close_other_sessions(call.db, call.project.id, user_id, session_id)
    if not cookies.are_held(call):  # it could not be told the new one
        return
    secret = secrets.new_secret(_SECRET_CHARACTERS)
    row = await store.renew_session(call.db, call.project.id, user_id, session_id, secrets.digest(secret))
    if row is not None:
        cookies.sign_in(call, encode_session(user_id, secret), row["expires_at"])


def answer(call: Call, session: Session, token: str) -> Session:
    """A new session as it is answered: with its secret, for those who may see it. No event tells that."""
    call.tells(session)
    return msgspec.structs.replace(session, secret=token) if call.sees_secrets else session


def session_seconds(call: Call) -> float:
    return float(policies.of(call.project.settings).session_duration_s)


def _user_agent(call: Call) -> str:
    if call.identity.kind == "key":  # a server that renders pages says whom it acts for
        forwarded = call.request.header(b"x-forwarded-user-agent")
        if forwarded:
            return forwarded
    return call.request.header(b"user-agent")


async def as_session(call: Call, row: Record) -> Session:
    return (await as_sessions(call, [row]))[0]


async def as_sessions(call: Call, rows: list[Record]) -> list[Session]:
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
            country_code=country.code,
            country_name=country.name,
            **device._asdict(),
        )
        for row, device in zip(rows, found, strict=True)
        for country in (country_of(row["ip"], call.language),)
    ]
