"""Whose account it is that has a proven address.

Anybody can register with anybody's address. So an address that was never proven says nothing of whom the
account belongs to; docs/decisions/0014-proven-addresses.md says what follows.
"""

from __future__ import annotations

from freehold import ids
from freehold.db.pool import Record
from freehold.services import keyrings, mfa, oauth, passkeys, users
from freehold.services.account import credential_store, registration, store, tokens
from freehold.web.call import Call
from freehold.web.projects import CONSOLE
from freehold.web.users import user_tag


async def owner_of_email(call: Call, email: str) -> str | None:
    """The id of the user to whom somebody belongs who has just proven this address; None when nobody has it.

    An account that nobody had proven anything of becomes theirs: its password, its second factor and its
    sessions are void. One that was proven otherwise loses the address instead. Of one whose address was
    proven apart from its sessions, all that opens it is void.
    """
    row = await users.find_by_email(call.db, call.project.id, email)
    if row is None:
        return None
    user_id: str = row["id"]
    if row["email_verified"]:
        if row["email_proven_apart"]:
            await _take_over(call, user_id, email)
        return user_id
    call.changed(user_tag(call.project.id, user_id))
    if row["phone_verified"] or await oauth.has_identity(call, user_id):
        await credential_store.give_up_email(call.db, call.project.id, user_id)
        return None
    await _void(call, user_id)
    await credential_store.verify_email(call.db, call.project.id, user_id, email)
    await credential_store.give_up_phone(call.db, call.project.id, user_id)
    return user_id


async def owner_of_phone(call: Call, phone: str) -> str | None:
    """The same for a phone number."""
    row = await users.find_by_phone(call.db, call.project.id, phone)
    if row is None or row["phone_verified"]:
        return row["id"] if row is not None else None
    user_id: str = row["id"]
    call.changed(user_tag(call.project.id, user_id))
    if row["email_verified"] or await oauth.has_identity(call, user_id):
        await credential_store.give_up_phone(call.db, call.project.id, user_id)
        return None
    await _void(call, user_id)
    await credential_store.verify_phone(call.db, call.project.id, user_id, phone)
    await credential_store.give_up_email(call.db, call.project.id, user_id)
    return user_id


async def _take_over(call: Call, user_id: str, email: str) -> None:
    """Leave who reads the mail as the only one who can get into an account.

    The second factor stays. It opens nothing, and who reads the mail of somebody who registered here and
    opened the link elsewhere must not be rid of it.
    """
    if call.identity.user_id != user_id or not call.identity.in_person:
        await _void_ways_in(call, user_id)
        await oauth.forget(call, user_id)
        await credential_store.drop_phone(call.db, call.project.id, user_id)
        call.changed(user_tag(call.project.id, user_id))
    await credential_store.verify_email(call.db, call.project.id, user_id, email)


async def _void(call: Call, user_id: str) -> None:
    """End what somebody may have left in an account to get back into it, or to keep its owner out."""
    await _void_ways_in(call, user_id)
    await mfa.delete_all(call.db, call.project.id, user_id)
    await users.set_mfa(call.db, call.project.id, user_id, False)


async def _void_ways_in(call: Call, user_id: str) -> None:
    await credential_store.forget_password(call.db, call.project.id, user_id)
    await store.close_sessions(call.db, call.project.id, user_id)
    await tokens.drop(call, user_id)
    await passkeys.delete_all(call.db, call.project.id, user_id)
    if call.project.id == CONSOLE:
        await keyrings.delete_all(call, keyrings.ACCOUNTS, user_id)


async def user_of(call: Call, token: Record) -> str:
    """The id of the user whom a token signs in; who proves an address that nobody has becomes a user.

    Raises the errors of registering.
    """
    address: str = token["address"]
    if not address:
        return str(token["user_id"])
    by_phone = token["kind"] == tokens.PHONE
    found = await (owner_of_phone(call, address) if by_phone else owner_of_email(call, address))
    return found if found is not None else await _register(call, token["handle"], address, by_phone=by_phone)


async def _register(call: Call, wanted_id: str, address: str, *, by_phone: bool) -> str:
    if not by_phone:
        await users.admitted_email(call, address)
    is_taken = await users.find(call.db, call.project.id, wanted_id) is not None
    user_id = ids.new_id() if is_taken else wanted_id
    is_first = await registration.admit(call, user_id, "" if by_phone else address)
    new = users.NewUser(id=user_id, email=None if by_phone else address, phone=address if by_phone else None)
    await users.create(call.db, call.project.id, new)
    if by_phone:
        await credential_store.verify_phone(call.db, call.project.id, user_id, address)
    else:
        await credential_store.verify_email(call.db, call.project.id, user_id, address)
    if is_first:
        await registration.welcome_first(call, user_id)
    return user_id
