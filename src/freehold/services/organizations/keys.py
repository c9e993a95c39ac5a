"""Endpoints of an organization's keys, which make and keep its projects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import asyncpg
import msgspec
from msgspec import Meta

from freehold import ids, secrets
from freehold.access import scopes
from freehold.db import listing
from freehold.db.listing import Found, Listing, moment, text, texts
from freehold.db.pool import Queries, Record
from freehold.errors import AccessForbidden, InvalidParameter, UserUnauthorized
from freehold.ids import UNIQUE
from freehold.services import projects
from freehold.services.project import Key, KeyAlreadyExists, KeyList, KeyNotFound
from freehold.web.auth import CONSOLE, project_tag
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import CustomId, Input, ListQuery, Name, in_utc, wire_time

routes = Routes("organization", raises=(AccessForbidden, UserUnauthorized, *projects.ORGANIZATION_ERRORS))

_HERE = "/v1/organization/keys"
_PREFIX = "organization_"
_SECRET_CHARACTERS = 256


class SayOrganizationKey(Input):
    name: Name
    scopes: Annotated[list[str], Meta(max_length=100)]
    expire: datetime | None = None


class CreateOrganizationKey(SayOrganizationKey, kw_only=True):
    key_id: CustomId = UNIQUE


@routes.get(_HERE, scope="teams.read", reference=False)
async def list_keys(call: Call, query: ListQuery) -> KeyList:
    """List the organization's keys. Its owners may."""
    found = await _fetch(call.db, _owned(call), query.queries, total=query.total)
    return KeyList(total=found.total, keys=[_as_key(call, row) for row in found.rows])


@routes.post(
    _HERE,
    scope="teams.write",
    event="teams.[teamId].keys.[keyId].create",
    status=201,
    raises=(KeyAlreadyExists,),
    reference=False,
)
async def create_key(call: Call, body: CreateOrganizationKey) -> Key:
    """Make a key that acts for the organization. Its owners may."""
    team_id, said = _owned(call), _checked(body)
    secret = secrets.new_secret(_SECRET_CHARACTERS)
    sealed = secrets.seal(_sealing_key(call), _PREFIX + secret)
    key_id = ids.resolve(body.key_id)
    row = await _create(call.db, team_id, key_id, said, secrets.digest(secret), sealed)
    return _changed(call, team_id, row)


@routes.get(f"{_HERE}/{{keyId}}", scope="teams.read", raises=(KeyNotFound,), reference=False)
async def get_key(call: Call, key_id: str) -> Key:
    """Get a key of the organization. Its owners may."""
    row = await _find(call.db, _owned(call), key_id)
    if row is None:
        raise KeyNotFound()
    return _as_key(call, row)


@routes.put(
    f"{_HERE}/{{keyId}}",
    scope="teams.write",
    event="teams.[teamId].keys.[keyId].update",
    raises=(KeyNotFound,),
    reference=False,
)
async def update_key(call: Call, key_id: str, body: SayOrganizationKey) -> Key:
    """Change what a key of the organization may do, and until when. Its owners may."""
    team_id = _owned(call)
    return _changed(call, team_id, await _update(call.db, team_id, key_id, _checked(body)))


@routes.delete(
    f"{_HERE}/{{keyId}}",
    scope="teams.write",
    event="teams.[teamId].keys.[keyId].delete",
    status=204,
    raises=(KeyNotFound,),
    reference=False,
)
async def delete_key(call: Call, key_id: str) -> None:
    """Delete a key of the organization. Its owners may."""
    team_id = _owned(call)
    _changed(call, team_id, await _delete(call.db, team_id, key_id))


def _owned(call: Call) -> str:
    """The organization that is named, for its owners: a key makes no other. Raises UserUnauthorized."""
    team_id = projects.current_organization(call)
    if f"team:{team_id}/owner" not in call.identity.roles:
        raise UserUnauthorized()
    return team_id


def _checked(said: SayOrganizationKey) -> SayOrganizationKey:
    unknown = [scope for scope in said.scopes if scope not in scopes.ORGANIZATION]
    if unknown:
        raise InvalidParameter(name="scopes", reason=f"An organization has no scope `{unknown[0][:100]}`.")
    return said


def _sealing_key(call: Call) -> bytes:
    return secrets.derive(call.app.settings.secret, "organization keys")


def _changed(call: Call, team_id: str, row: Record | None) -> Key:
    if row is None:
        raise KeyNotFound()
    call.changed(project_tag(CONSOLE))
    call.event_ids.update(teamId=team_id, keyId=row["id"])
    key = _as_key(call, row)
    call.tells(msgspec.structs.replace(key, secret=""))
    return key


def _as_key(call: Call, row: Record) -> Key:
    return Key(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        name=row["name"],
        description=row["description"],
        expire=wire_time(row["expires_at"]),
        scopes=row["scopes"],
        secret=secrets.unseal(_sealing_key(call), row["secret_sealed"]) or "",
        accessed_at=wire_time(row["accessed_at"]),
        sdks=row["sdks"],
    )


# -- SQL -----------------------------------------------------------------------------------------------------

_KEY = """
    k.id, k.name, k.description, k.secret_sealed, k.scopes, k.expires_at, k.accessed_at, k.sdks, k.created_at,
    k.updated_at
"""

KEYS = Listing(
    columns=_KEY,
    source="freehold.organization_keys k",
    id="k.id",
    created_at="k.created_at",
    attributes={
        "$id": text("k.id"),
        "$createdAt": moment("k.created_at"),
        "$updatedAt": moment("k.updated_at"),
        "name": text("k.name"),
        "expire": moment("k.expires_at"),
        "accessedAt": moment("k.accessed_at"),
        "scopes": texts("k.scopes"),
    },
)


async def _fetch(db: Queries, team_id: str, queries: Sequence[str], *, total: bool) -> Found:
    where = {"k.team_id = {}": team_id, "k.project_id = {}": CONSOLE}
    return await listing.fetch(db, KEYS, queries, where=where, total=total)


async def _find(db: Queries, team_id: str, key_id: str) -> Record | None:
    return await db.row(
        f"""
        select {_KEY} from freehold.organization_keys k
        where k.project_id = 'console' and k.team_id = $1 and k.id = $2
        """,
        team_id,
        key_id,
    )


async def _create(
    db: Queries, team_id: str, key_id: str, said: SayOrganizationKey, digest: bytes, sealed: bytes
) -> Record | None:
    try:
        return await db.row(
            f"""
            insert into freehold.organization_keys as k (project_id, team_id, id, name, scopes, expires_at,
                                                         secret_digest, secret_sealed)
            values ('console', $1, $2, $3, $4, $5, $6, $7)
            returning {_KEY}
            """,
            team_id,
            key_id,
            said.name,
            list(dict.fromkeys(said.scopes)),
            in_utc(said.expire),
            digest,
            sealed,
        )
    except asyncpg.UniqueViolationError as error:
        raise KeyAlreadyExists() from error


async def _update(db: Queries, team_id: str, key_id: str, said: SayOrganizationKey) -> Record | None:
    return await db.row(
        f"""
        update freehold.organization_keys k
        set name = $3, scopes = $4, expires_at = $5, updated_at = now()
        where k.project_id = 'console' and k.team_id = $1 and k.id = $2
        returning {_KEY}
        """,
        team_id,
        key_id,
        said.name,
        list(dict.fromkeys(said.scopes)),
        in_utc(said.expire),
    )


async def _delete(db: Queries, team_id: str, key_id: str) -> Record | None:
    return await db.row(
        f"""
        delete from freehold.organization_keys k
        where k.project_id = 'console' and k.team_id = $1 and k.id = $2
        returning {_KEY}
        """,
        team_id,
        key_id,
    )
