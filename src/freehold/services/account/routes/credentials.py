"""Endpoints of what one signs in with: e-mail address, phone number and password."""

from __future__ import annotations

from freehold.errors import UserUnauthorized
from freehold.services import users
from freehold.services.account import credential_store, credentials, notices
from freehold.services.account.errors import AddressRefused, InvalidCredentials, PhoneTaken
from freehold.services.account.models import UpdateEmail, UpdatePassword, UpdatePhone
from freehold.services.account.signing_in import renew_session, signed_in, updated
from freehold.services.users import User
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit

routes = Routes("account", raises=(UserUnauthorized,))


@routes.patch(
    "/v1/account/email",
    scope="account",
    event="users.[userId].update.email",
    raises=(InvalidCredentials, AddressRefused, *users.EMAIL_ERRORS, *users.PASSWORD_ERRORS),
    in_person=True,
)
async def update_email(call: Call, body: UpdateEmail) -> User:
    """Change one's e-mail address. It has to be verified anew. Who has no password yet, as an anonymous user,
    gets this one, and so becomes a user that can sign in."""
    user = signed_in(call)
    user_id: str = user["id"]
    email = await users.admitted_email(call, body.email)
    has_password = await credentials.confirm(call, user_id, body.password) is not None
    first = None if has_password else await credentials.hashed(call, user_id, body.password)
    if not await credential_store.set_email(call.db, call.project.id, user_id, email, first_password=first):
        raise InvalidCredentials()
    if first is not None:
        await renew_session(call)
    if email != user["email"]:
        await notices.tell(call, "emailChanged", user["email"], user["name"])
    return await _changed(call, user_id)


@routes.patch(
    "/v1/account/phone",
    scope="account",
    event="users.[userId].update.phone",
    raises=(InvalidCredentials, PhoneTaken, *users.PASSWORD_ERRORS),
    in_person=True,
)
async def update_phone(call: Call, body: UpdatePhone) -> User:
    """Change one's phone number. It has to be verified anew. Who has no password yet gets this one."""
    user_id = signed_in(call)["id"]
    has_password = await credentials.confirm(call, user_id, body.password) is not None
    first = None if has_password else await credentials.hashed(call, user_id, body.password)
    if not await credential_store.set_phone(
        call.db, call.project.id, user_id, body.phone, first_password=first
    ):
        raise InvalidCredentials()
    if first is not None:
        await renew_session(call)
    return await _changed(call, user_id)


@routes.patch(
    "/v1/account/password",
    scope="account",
    event="users.[userId].update.password",
    limit=limit("10/3600s"),
    raises=(InvalidCredentials, *users.PASSWORD_ERRORS),
    in_person=True,
)
async def update_password(call: Call, body: UpdatePassword) -> User:
    """Change one's password. Whoever has one gives it as `oldPassword`. One's other sessions end, unless the
    project keeps them."""
    user = signed_in(call)
    user_id: str = user["id"]
    current = await credentials.confirm(call, user_id, body.old_password)
    new = await credentials.hashed(call, user_id, body.password)
    if not await credential_store.set_password(call.db, call.project.id, user_id, new, instead_of=current):
        raise InvalidCredentials()
    await credentials.password_changed(call, user)
    return await _changed(call, user_id)


async def _changed(call: Call, user_id: str) -> User:
    call.event_ids["userId"] = user_id
    return updated(call, await users.find(call.db, call.project.id, user_id))
