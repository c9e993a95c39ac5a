"""Who somebody from a vendor is here, and what they get: a session, or a token for one.

An identity signs in its user. Beyond that only an address that the vendor vouches for counts; docs/decisions
says why: 0014 of addresses, 0015 of vendors.
"""

from __future__ import annotations

import msgspec

from freehold import events, ids
from freehold.db.pool import Record
from freehold.errors import Problem
from freehold.providers.oauth.vendor import Profile, Tokens, Vendor
from freehold.services import oauth, users
from freehold.services.account import credential_store, proofs, registration, tokens
from freehold.services.account.models import Session
from freehold.services.account.signing_in import open_session
from freehold.services.users import as_user
from freehold.web import landing, redirects
from freehold.web.call import Call
from freehold.web.hosts import host_name
from freehold.web.sessions import cookie_name
from freehold.web.users import user_tag

FACTOR = "email"
"""What signing in with a vendor counts as: about as much as reading one's mail."""


async def finish(call: Call, vendor: Vendor, answered: oauth.Answered) -> str:
    """Where to send somebody who comes back from a vendor: on into the application, or to its failure page.

    Raises SignInRefused when it is not known which application that would be.
    """
    begun = await oauth.take(call, vendor, answered.state)
    try:
        oauth.check_browser(call, begun)
        profile, given = await oauth.ask(call, vendor, begun, answered)
        async with call.app.db.transaction() as transaction:
            call.db = transaction
            return await _enter(call, vendor, begun, profile, given)
    except Problem as problem:
        call.tags.clear()
        return _failed(call, begun, problem)
    finally:
        call.db = call.app.db


async def _enter(call: Call, vendor: Vendor, begun: Record, profile: Profile, given: Tokens) -> str:
    user_id = await user_of(call, vendor, profile, linking=begun["user_id"])
    await oauth.keep(call, user_id, vendor.id, profile, given)
    more = {"state": begun["app_state"]} if begun["app_state"] else {}
    if begun["wants_token"]:
        data = {"provider": vendor.id, "providerUid": profile.id}
        issued = await tokens.issue(call, user_id, tokens.OAUTH2, data=data)
        return redirects.with_parameters(
            begun["success"], {"userId": user_id, "secret": issued.secret, **more}
        )
    session, secret = await open_session(
        call, user_id, provider=vendor.id, provider_uid=profile.id, factors=[FACTOR]
    )
    await _tell(call, f"users.{user_id}.sessions.{session.id}.create", session)
    if begun["success"] == _own_page(call, landing.SUCCESS):
        # Our page hands them on to the application on the same device that waits for them.
        more |= {
            "project": call.project.id,
            "domain": host_name(call.request.header(b"host")),
            "key": cookie_name(call.project.id),
            "secret": secret,
        }
    return redirects.with_parameters(begun["success"], more) if more else str(begun["success"])


def _failed(call: Call, begun: Record, problem: Problem) -> str:
    told = {"message": problem.message, "type": problem.type, "code": problem.status}
    parameters = {"error": msgspec.json.encode(told).decode()}
    if begun["app_state"]:
        parameters["state"] = begun["app_state"]
    if begun["failure"] == _own_page(call, landing.FAILURE):
        parameters["project"] = call.project.id
    return redirects.with_parameters(begun["failure"], parameters)


def _own_page(call: Call, path: str) -> str:
    return redirects.own_endpoint(call).removesuffix("/v1") + path


async def user_of(
    call: Call, vendor: Vendor, profile: Profile, *, linking: str | None, name: str = ""
) -> str:
    """The id of the user whom this identity signs in, who may be a new one.

    `linking` is the user who is signed in, and whom it becomes part of. Raises IdentityTaken, EmailTaken, and
    the errors of registering.
    """
    owner = await oauth.find_owner(call, vendor.id, profile.id)
    if linking is not None:
        if owner not in (None, linking):
            raise oauth.IdentityTaken()
        await _complete(call, linking, profile)
        return linking
    if owner is not None:
        return owner
    email = users.normal_email(profile.email)
    if email and profile.verified:
        found = await proofs.owner_of_email(call, email)
        if found is not None:
            return found
    elif email and await users.find_by_email(call.db, call.project.id, email) is not None:
        raise oauth.EmailTaken(provider=vendor.name)
    return await _register(call, profile._replace(email=email, name=profile.name or name))


async def _complete(call: Call, user_id: str, profile: Profile) -> None:
    """Give a user who has no address, as anonymous ones have none, the one that the vendor vouches for."""
    email = users.normal_email(profile.email)
    if not profile.verified or not email:
        return
    if await credential_store.add_proven_email(call.db, call.project.id, user_id, email, profile.name):
        call.changed(user_tag(call.project.id, user_id))


async def _register(call: Call, profile: Profile) -> str:
    user_id = ids.new_id()
    if profile.email:
        await users.admitted_email(call, profile.email)
    await registration.admit(call, user_id, profile.email)
    new = users.NewUser(id=user_id, name=profile.name, email=profile.email or None)
    await users.create(call.db, call.project.id, new)
    if profile.email and profile.verified:
        await credential_store.verify_email(call.db, call.project.id, user_id, profile.email)
    row = await users.find(call.db, call.project.id, user_id)
    assert row is not None
    call.proves(user_id, row["name"], row["email"] or "")
    await _tell(call, f"users.{user_id}.create", as_user(row))
    return user_id


async def _tell(call: Call, name: str, resource: msgspec.Struct) -> None:
    event = events.Event(call.project.id, name, msgspec.json.encode(resource), call.cause)
    await events.record(call.db, event)


async def with_tokens(call: Call, sessions: list[Session]) -> list[Session]:
    """Sessions as their user sees them: with the vendors' tokens. Events are not told these, nor is who acts
    for the user."""
    if not call.identity.in_person:
        return sessions
    opened = [session.id for session in sessions if session.provider in oauth.VENDORS]
    if not opened:
        return sessions
    found = await oauth.tokens_of_sessions(call, opened)
    return [
        msgspec.structs.replace(
            session,
            provider_access_token=found[session.id].access,
            provider_access_token_expiry=found[session.id].expiry,
            provider_refresh_token=found[session.id].refresh,
        )
        if session.id in found
        else session
        for session in sessions
    ]
