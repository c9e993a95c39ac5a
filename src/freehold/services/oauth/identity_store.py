"""SQL of identities: who somebody is at a vendor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from freehold.db import listing
from freehold.db.listing import Found, Listing, moment, text
from freehold.db.pool import Queries, Record

_IDENTITY = """
    i.id, i.user_id, i.provider, i.provider_uid, i.provider_email, i.access_sealed, i.access_expires_at,
    i.refresh_sealed, i.id_token_sealed, i.created_at, i.updated_at
"""

IDENTITIES = Listing(
    columns=_IDENTITY,
    source="freehold.identities i",
    id="i.id",
    created_at="i.created_at",
    attributes={
        "$id": text("i.id"),
        "$createdAt": moment("i.created_at"),
        "$updatedAt": moment("i.updated_at"),
        "userId": text("i.user_id"),
        "provider": text("i.provider"),
        "providerUid": text("i.provider_uid"),
        "providerEmail": text("i.provider_email"),
        "providerAccessTokenExpiry": moment("i.access_expires_at"),
    },
    search=("i.id", "i.user_id", "i.provider", "i.provider_uid", "i.provider_email"),
)


class Sealed(NamedTuple):
    """A vendor's tokens, as they are kept."""

    access: bytes | None
    seconds: int
    """How long the access token holds; 0 when nobody knows."""
    refresh: bytes | None
    id_token: bytes | None


async def fetch(
    db: Queries, project_id: str, queries: Sequence[str], search: str, total: bool, user_id: str | None = None
) -> Found:
    """List identities, of one user or of all."""
    where = {"i.project_id = {}": project_id}
    if user_id is not None:
        where["i.user_id = {}"] = user_id
    return await listing.fetch(db, IDENTITIES, queries, where=where, search=search, total=total)


async def find_owner(db: Queries, project_id: str, provider: str, provider_uid: str) -> str | None:
    """The id of the user who is this at a vendor."""
    found: str | None = await db.value(
        """
        select i.user_id from freehold.identities i
        where i.project_id = $1 and i.provider = $2 and i.provider_uid = $3
        """,
        project_id,
        provider,
        provider_uid,
    )
    return found


async def has_any(db: Queries, project_id: str, user_id: str) -> bool:
    """Tell whether a user is known at any vendor."""
    return (
        await db.value(
            "select true from freehold.identities where project_id = $1 and user_id = $2 limit 1",
            project_id,
            user_id,
        )
        is True
    )


async def delete_all(db: Queries, project_id: str, user_id: str) -> None:
    """Forget who a user is at any vendor."""
    await db.run(
        "delete from freehold.identities where project_id = $1 and user_id = $2", project_id, user_id
    )


async def list_of_sessions(db: Queries, project_id: str, session_ids: list[str]) -> list[Record]:
    """The identities that sessions were opened with, each with its session's id."""
    return await db.rows(
        f"""
        select s.id as session_id, {_IDENTITY}
        from freehold.sessions s
        join freehold.identities i on i.project_id = s.project_id and i.user_id = s.user_id
                                  and i.provider = s.provider and i.provider_uid = s.provider_uid
        where s.project_id = $1 and s.id = any($2)
        """,
        project_id,
        session_ids,
    )


async def keep(
    db: Queries,
    project_id: str,
    identity_id: str,
    user_id: str,
    provider: str,
    provider_uid: str,
    provider_email: str,
    sealed: Sealed,
) -> Record | None:
    """Note who a user is at a vendor, with the newest tokens. None when that is somebody else here."""
    return await db.row(
        f"""
        insert into freehold.identities as i (project_id, id, user_id, provider, provider_uid, provider_email,
                                              access_sealed, access_expires_at, refresh_sealed,
                                              id_token_sealed)
        values ($1, $2, $3, $4, $5, $6, $7,
                case when $8::int > 0 then now() + make_interval(secs => $8::int) end, $9, $10)
        on conflict (project_id, provider, provider_uid) do update
        set provider_email = excluded.provider_email, access_sealed = excluded.access_sealed,
            access_expires_at = excluded.access_expires_at,
            refresh_sealed = coalesce(excluded.refresh_sealed, i.refresh_sealed),
            id_token_sealed = coalesce(excluded.id_token_sealed, i.id_token_sealed), updated_at = now()
        where i.user_id = excluded.user_id
        returning {_IDENTITY}, i.created_at = i.updated_at as is_new
        """,
        project_id,
        identity_id,
        user_id,
        provider,
        provider_uid,
        provider_email,
        *sealed,
    )


async def renew(db: Queries, project_id: str, identity_id: str, sealed: Sealed) -> datetime | None:
    """Replace the tokens of an identity; a refresh token that is not replaced stays. Gives its new end."""
    found: datetime | None = await db.value(
        """
        update freehold.identities i
        set access_sealed = $3,
            access_expires_at = case when $4::int > 0 then now() + make_interval(secs => $4::int) end,
            refresh_sealed = coalesce($5, i.refresh_sealed), updated_at = now()
        where i.project_id = $1 and i.id = $2
        returning i.access_expires_at
        """,
        project_id,
        identity_id,
        sealed.access,
        sealed.seconds,
        sealed.refresh,
    )
    return found


async def delete(db: Queries, project_id: str, identity_id: str, user_id: str | None = None) -> Record | None:
    """Delete an identity, only if it is the user's when one is named. Gives what it was."""
    return await db.row(
        f"""
        delete from freehold.identities i
        where i.project_id = $1 and i.id = $2 and ($3::text is null or i.user_id = $3)
        returning {_IDENTITY}
        """,
        project_id,
        identity_id,
        user_id,
    )
