"""The password of whoever calls: confirming it before something that matters, and setting another one."""

from __future__ import annotations

from freehold import passwords
from freehold.access import policies
from freehold.db.pool import Record
from freehold.errors import UserUnauthorized
from freehold.services import users
from freehold.services.account import credential_store, notices, store, tokens
from freehold.services.account.errors import InvalidCredentials
from freehold.web.call import Call
from freehold.web.users import user_tag


async def confirm(call: Call, user_id: str, password: str) -> str | None:
    """The hash of the user's password, after it was given rightly; None when the user has none.

    Ask this before the call's transaction has begun: it takes long. Raises InvalidCredentials.
    """
    found = await credential_store.find(call.app.db, call.project.id, user_id)
    if found is None:
        raise UserUnauthorized()
    password_hash: str | None = found["password_hash"]
    if password_hash is not None and not await passwords.password_matches(password, password_hash):
        raise InvalidCredentials()
    return password_hash


async def hashed(call: Call, user_id: str, password: str) -> str:
    """The hash of a new password, when the project lets the user have it.

    Ask this before the call's transaction has begun: it takes long. Raises InvalidParameter and
    users.PASSWORD_ERRORS.
    """
    user = await users.find(call.app.db, call.project.id, user_id)
    if user is None:
        raise UserUnauthorized()
    return await users.new_hash(call, password, user=user)


async def password_changed(call: Call, user: Record) -> None:
    """What a new password ends: what was sent to get in without one, and the other sessions if the project
    says so. Its owner is told."""
    user_id: str = user["id"]
    if user["email"]:
        await tokens.drop_sent(call, user["email"])
    await notices.tell(call, "passwordChanged", user["email"], user["name"])
    if policies.of(call.project.settings).session_invalidation:
        await store.close_other_sessions(call.db, call.project.id, user_id, call.identity.session_id)
    call.changed(user_tag(call.project.id, user_id))
