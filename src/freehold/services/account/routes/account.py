"""Endpoints of one's account itself."""

from __future__ import annotations

import msgspec

from freehold import ids
from freehold.errors import UserUnauthorized
from freehold.services import audit, presences, users
from freehold.services.account import cookies, registration, store
from freehold.services.account.errors import (
    ConsoleClosed,
    ConsoleEmailNotListed,
    ConsoleIpNotListed,
    JwtCreationDenied,
    StillOwner,
)
from freehold.services.account.models import (
    CreateAccount,
    CreateJwt,
    Jwt,
    UpdateName,
    UpdatePrefs,
)
from freehold.services.account.signing_in import (
    check_method,
    signed_in,
    updated,
)
from freehold.services.users import User, as_user
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.projects import CONSOLE
from freehold.web.signing import SigningKeySealed
from freehold.web.wire import Json, encoded_prefs

routes = Routes("account", raises=(UserUnauthorized,))


@routes.get("/v1/account", scope="account", model=User)
async def get(call: Call) -> Json:
    """Get the account of the user who calls."""
    answers = call.identity.answers
    if "account" not in answers:  # pages ask who is signed in all the time
        row = await users.find(call.db, call.project.id, signed_in(call)["id"])
        if row is None:
            raise UserUnauthorized()
        answers["account"] = msgspec.json.encode(as_user(row, impersonator_id=call.identity.impersonator_id))
    return Json(answers["account"])


@routes.post(
    "/v1/account",
    scope="sessions.write",
    event="users.[userId].create",
    status=201,
    limit=limit("10/3600s"),
    raises=(
        users.UserAlreadyExists,
        ConsoleClosed,
        ConsoleEmailNotListed,
        ConsoleIpNotListed,
        *users.EMAIL_ERRORS,
        *users.PASSWORD_ERRORS,
    ),
)
async def create(call: Call, body: CreateAccount) -> User:
    """Register with an e-mail address and a password. On the console only its first user may, and the
    addresses on its list."""
    check_method(call, "email-password")
    email = await users.admitted_email(call, body.email)
    user_id = ids.resolve(body.user_id)
    new = users.NewUser(id=user_id, name=body.name, email=email)
    new = new._replace(password_hash=await users.new_hash(call, body.password, user=new))
    is_first = await registration.admit(call, user_id, email)
    row = await users.create(call.db, call.project.id, new)
    call.proves(user_id, body.name, email)
    if is_first:
        await registration.welcome_first(call, user_id)
    return as_user(row)


@routes.patch("/v1/account/status", scope="account", event="users.[userId].update.status", in_person=True)
async def update_status(call: Call) -> User:
    """Block one's own account. All its sessions stop working; only the project's owner can unblock it."""
    user_id = call.event_ids["userId"] = signed_in(call)["id"]
    row = await users.set_enabled(call.db, call.project.id, user_id, False)
    cookies.sign_out(call)
    return updated(call, row)


@routes.delete(
    "/v1/account",
    scope="account",
    event="users.[userId].delete",
    status=204,
    raises=(StillOwner,),
    in_person=True,
)
async def delete(call: Call) -> None:
    """Delete one's account, with all that belongs to it alone. On the console, organizations that nobody else
    owns come first."""
    user_id = call.event_ids["userId"] = signed_in(call)["id"]
    if call.project.id == CONSOLE:
        abandoned = await store.find_abandoned_team(call.db, call.project.id, user_id)
        if abandoned is not None:
            raise StillOwner(team=abandoned)
    await presences.end_of_user(call, user_id)
    row = await users.delete(call.db, call.project.id, user_id)
    call.tells(updated(call, row))
    cookies.sign_out(call)


@routes.get(
    "/v1/account/logs",
    scope="account",
    reference=False,
    name="listLogs",
    raises=audit.AUDIENCE_ERRORS,
)
async def list_logs(call: Call, query: audit.LogQuery) -> audit.LogList:
    """List what one has done in the project, newest first."""
    return await audit.list_logs_of(call, signed_in(call)["id"], query.queries)


@routes.post(
    "/v1/account/jwts",
    scope="account",
    status=201,
    limit=limit("120/60s", key="url:{url},userId:{userId}"),
    aliases=("/v1/account/jwt",),
    name="createJWT",
    raises=(JwtCreationDenied, SigningKeySealed),
    in_person=True,
)
async def create_jwt(call: Call, body: CreateJwt) -> Jwt:
    """Make a token that acts as the session for a while, and ends when the session does."""
    signed_in(call)
    if b"x-appwrite-jwt" in call.request.headers:
        raise JwtCreationDenied()
    return Jwt(jwt=await call.app.auth.jwts.issue(call.project, call.identity, body.duration))


@routes.patch("/v1/account/name", scope="account", event="users.[userId].update.name")
async def update_name(call: Call, body: UpdateName) -> User:
    """Change one's name."""
    user_id = signed_in(call)["id"]
    row = await users.set_name(call.db, call.project.id, user_id, body.name)
    return updated(call, row)


@routes.get("/v1/account/prefs", scope="account", model="preferences")
async def get_prefs(call: Call) -> Json:
    """Get one's preferences."""
    return Json(bytes(signed_in(call)["prefs"]))


@routes.patch("/v1/account/prefs", scope="account", event="users.[userId].update.prefs")
async def update_prefs(call: Call, body: UpdatePrefs) -> User:
    """Replace one's preferences."""
    user_id = signed_in(call)["id"]
    row = await users.set_prefs(call.db, call.project.id, user_id, encoded_prefs(body.prefs))
    return updated(call, row)
