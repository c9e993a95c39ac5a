"""Identities: who somebody is at a vendor, with the vendor's tokens, which are kept sealed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import structlog

from freehold import events, ids, secrets
from freehold.db.pool import Record
from freehold.providers.oauth.client import VendorFailed, VendorRefused
from freehold.providers.oauth.vendor import Profile, Tokens
from freehold.providers.oauth.vendors import VENDORS
from freehold.services.oauth import identity_store
from freehold.services.oauth.errors import IdentityNotFound, IdentityTaken, ProviderDisabled
from freehold.services.oauth.flows import own_address
from freehold.services.oauth.models import Identity, IdentityList
from freehold.services.oauth.registrations import find, sealing_key
from freehold.web.call import Call
from freehold.web.wire import wire_time

_log = structlog.get_logger("freehold.oauth")


class Shown(msgspec.Struct, frozen=True):
    """A vendor's tokens as the session that was opened with them shows them."""

    access: str
    expiry: str
    refresh: str


def as_identity(call: Call, row: Record, *, with_tokens: bool = True) -> Identity:
    """A row of freehold.identities as the wire has it; without its tokens for events."""
    shown = tokens_of(call, row) if with_tokens else Shown("", "", "")
    id_token = _unsealed(call, row["id_token_sealed"]) if with_tokens else ""
    return Identity(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        user_id=row["user_id"],
        provider=row["provider"],
        provider_uid=row["provider_uid"],
        provider_email=row["provider_email"],
        provider_access_token=shown.access,
        provider_access_token_expiry=wire_time(row["access_expires_at"]),
        provider_refresh_token=shown.refresh,
        provider_id_token=id_token,
    )


def tokens_of(call: Call, row: Record) -> Shown:
    """The tokens of an identity."""
    return Shown(
        access=_unsealed(call, row["access_sealed"]),
        expiry=wire_time(row["access_expires_at"]),
        refresh=_unsealed(call, row["refresh_sealed"]),
    )


async def tokens_of_sessions(call: Call, session_ids: list[str]) -> dict[str, Shown]:
    """The vendors' tokens of those sessions that were opened with a vendor, by session."""
    rows = await identity_store.list_of_sessions(call.db, call.project.id, session_ids)
    return {row["session_id"]: tokens_of(call, row) for row in rows}


async def keep(
    call: Call, user_id: str, provider: str, profile: Profile, tokens: Tokens | None, *, id_token: str = ""
) -> None:
    """Note that a user is this at a vendor. Raises IdentityTaken when somebody else here is."""
    row = await identity_store.keep(
        call.db,
        call.project.id,
        ids.new_id(),
        user_id,
        provider,
        profile.id,
        profile.email,
        _sealed(call, tokens or Tokens(access=""), id_token=id_token),
    )
    if row is None:
        raise IdentityTaken()
    if row["is_new"]:
        name = f"users.{user_id}.identities.{row['id']}.create"
        told = msgspec.json.encode(as_identity(call, row, with_tokens=False))
        await events.record(call.db, events.Event(call.project.id, name, told, call.cause))


async def list_identities(
    call: Call, queries: Sequence[str], *, search: str = "", total: bool, user_id: str | None = None
) -> IdentityList:
    """List identities, of one user or of all. Servers see the vendors' tokens; users in person, their own."""
    found = await identity_store.fetch(call.db, call.project.id, queries, search, total, user_id)
    is_own = user_id is not None and call.identity.in_person
    shows_tokens = call.sees_secrets or is_own
    return IdentityList(
        total=found.total,
        identities=[as_identity(call, row, with_tokens=shows_tokens) for row in found.rows],
    )


async def find_owner(call: Call, provider: str, provider_uid: str) -> str | None:
    """The id of the user who is this at a vendor."""
    return await identity_store.find_owner(call.db, call.project.id, provider, provider_uid)


async def has_identity(call: Call, user_id: str) -> bool:
    """Tell whether a user is known at any vendor."""
    return await identity_store.has_any(call.db, call.project.id, user_id)


async def forget(call: Call, user_id: str) -> None:
    """Let no vendor open a user's account any more."""
    await identity_store.delete_all(call.db, call.project.id, user_id)


async def delete_identity(call: Call, identity_id: str, user_id: str | None = None) -> None:
    """Delete an identity, for the event of the call. Raises IdentityNotFound."""
    row = await identity_store.delete(call.db, call.project.id, identity_id, user_id)
    if row is None:
        raise IdentityNotFound()
    call.event_ids["userId"] = row["user_id"]
    call.tells(as_identity(call, row, with_tokens=False))


async def refresh(call: Call, user_id: str, session_id: str) -> None:
    """Renew the vendor's tokens of a session, if it has some. Begin no transaction before.

    A vendor that does not answer, or not any more, keeps nobody from the session: its old tokens stay.
    """
    rows = await identity_store.list_of_sessions(call.app.db, call.project.id, [session_id])
    rows = [row for row in rows if row["user_id"] == user_id]
    token = _unsealed(call, rows[0]["refresh_sealed"]) if rows else ""
    if not token:
        return
    vendor = VENDORS[rows[0]["provider"]]
    try:
        registered = await find(call, vendor)
        places = await call.app.vendors.places(vendor, registered, own_address(call))
        tokens = await call.app.vendors.refresh(vendor, registered, places, token)
    except (VendorRefused, VendorFailed, ProviderDisabled) as error:
        _log.warning("A vendor's token was not renewed.", provider=vendor.id, reason=str(error))
        return
    await identity_store.renew(call.db, call.project.id, rows[0]["id"], _sealed(call, tokens))


def _sealed(call: Call, tokens: Tokens, *, id_token: str = "") -> identity_store.Sealed:
    key = sealing_key(call)
    access, renewing, proof = (
        secrets.seal(key, each) if each else None for each in (tokens.access, tokens.refresh, id_token)
    )
    return identity_store.Sealed(access, tokens.seconds, renewing, proof)


def _unsealed(call: Call, sealed: bytes | None) -> str:
    return (secrets.unseal(sealing_key(call), sealed) or "") if sealed is not None else ""
