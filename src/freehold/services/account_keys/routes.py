"""Endpoints of the keys of one's account on the console."""

from __future__ import annotations

from freehold.errors import UserUnauthorized
from freehold.services import keyrings
from freehold.services.account_keys.errors import OnlyOnConsole
from freehold.services.keyrings import ACCOUNTS, CreateKey, SayKey
from freehold.services.project import Key, KeyAlreadyExists, KeyList, KeyNotFound
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.projects import CONSOLE
from freehold.web.wire import ListQuery

routes = Routes("account", raises=(OnlyOnConsole, UserUnauthorized))

_HERE = "/v1/account/keys"


@routes.get(_HERE, scope="account", reference=False, in_person=True)
async def list_keys(call: Call, query: ListQuery) -> KeyList:
    """List the keys of one's account. Accounts of the console have some."""
    return await keyrings.list_keys(call, ACCOUNTS, _own(call), query)


@routes.post(
    _HERE,
    scope="account",
    event="users.[userId].keys.[keyId].create",
    status=201,
    raises=(KeyAlreadyExists,),
    reference=False,
    in_person=True,
)
async def create_key(call: Call, body: CreateKey) -> Key:
    """Make a key that acts for one's account, as far as its scopes say. It has no part in what one signs in
    with."""
    return await keyrings.create(call, ACCOUNTS, _own(call), body)


@routes.get(f"{_HERE}/{{keyId}}", scope="account", raises=(KeyNotFound,), reference=False, in_person=True)
async def get_key(call: Call, key_id: str) -> Key:
    """Get a key of one's account."""
    return await keyrings.find(call, ACCOUNTS, _own(call), key_id)


@routes.put(
    f"{_HERE}/{{keyId}}",
    scope="account",
    event="users.[userId].keys.[keyId].update",
    raises=(KeyNotFound,),
    reference=False,
    in_person=True,
)
async def update_key(call: Call, key_id: str, body: SayKey) -> Key:
    """Change what a key of one's account may do, and until when."""
    return await keyrings.update(call, ACCOUNTS, _own(call), key_id, body)


@routes.delete(
    f"{_HERE}/{{keyId}}",
    scope="account",
    event="users.[userId].keys.[keyId].delete",
    status=204,
    raises=(KeyNotFound,),
    reference=False,
    in_person=True,
)
async def delete_key(call: Call, key_id: str) -> None:
    """Delete a key of one's account."""
    await keyrings.delete(call, ACCOUNTS, _own(call), key_id)


def _own(call: Call) -> str:
    """The console user who calls. Raises OnlyOnConsole, UserUnauthorized."""
    if call.project.id != CONSOLE:
        raise OnlyOnConsole()
    if call.identity.kind != "user" or call.identity.user is None:
        raise UserUnauthorized()
    user_id: str = call.identity.user["id"]
    call.event_ids["userId"] = user_id
    return user_id
