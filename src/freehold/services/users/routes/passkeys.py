"""Endpoints of users' passkeys, as the project's server sees them."""

from __future__ import annotations

from freehold.services import passkeys
from freehold.services.passkeys import Passkey, PasskeyList, UpdatePasskey, as_passkey
from freehold.services.users import store
from freehold.services.users.errors import UserNotFound
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import ListQuery

routes = Routes("users", raises=(UserNotFound,))


@routes.get("/v1/users/{userId}/passkeys", scope="users.read", reference=False)
async def list_passkeys(call: Call, user_id: str, query: ListQuery) -> PasskeyList:
    """List a user's passkeys."""
    if await store.find(call.db, call.project.id, user_id) is None:
        raise UserNotFound()
    found = await passkeys.fetch(call.db, call.project.id, user_id, query.queries, query.total)
    return PasskeyList(total=found.total, passkeys=[as_passkey(row) for row in found.rows])


@routes.get(
    "/v1/users/{userId}/passkeys/{passkeyId}",
    scope="users.read",
    reference=False,
    raises=(passkeys.PasskeyNotFound,),
)
async def get_passkey(call: Call, user_id: str, passkey_id: str) -> Passkey:
    """Get one of a user's passkeys."""
    row = await passkeys.find(call.db, call.project.id, user_id, passkey_id)
    if row is None:
        raise passkeys.PasskeyNotFound()
    return as_passkey(row)


@routes.patch(
    "/v1/users/{userId}/passkeys/{passkeyId}",
    scope="users.write",
    event="users.[userId].passkeys.[passkeyId].update",
    reference=False,
    raises=(passkeys.PasskeyNotFound,),
)
async def update_passkey(call: Call, user_id: str, passkey_id: str, body: UpdatePasskey) -> Passkey:
    """Rename a user's passkey."""
    row = await passkeys.rename(call.db, call.project.id, user_id, passkey_id, body.name)
    if row is None:
        raise passkeys.PasskeyNotFound()
    return as_passkey(row)


@routes.delete(
    "/v1/users/{userId}/passkeys/{passkeyId}",
    scope="users.write",
    event="users.[userId].passkeys.[passkeyId].delete",
    status=204,
    reference=False,
    raises=(passkeys.PasskeyNotFound,),
)
async def delete_passkey(call: Call, user_id: str, passkey_id: str) -> None:
    """Delete a user's passkey, as when the device is lost: nobody signs in with it any more."""
    row = await passkeys.delete(call.db, call.project.id, user_id, passkey_id)
    if row is None:
        raise passkeys.PasskeyNotFound()
    call.tells(as_passkey(row))
