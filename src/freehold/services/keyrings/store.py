"""SQL of keys that act on the console."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from freehold.db import listing
from freehold.db.listing import Found, Listing, moment, text, texts
from freehold.db.pool import Queries, Record
from freehold.services.keyrings.models import SayKey
from freehold.services.keyrings.rings import Ring
from freehold.services.project import KeyAlreadyExists
from freehold.web.projects import CONSOLE
from freehold.web.wire import in_utc

_KEY = """
    k.id, k.name, k.description, k.secret_sealed, k.scopes, k.expires_at, k.accessed_at, k.sdks, k.created_at,
    k.updated_at
"""


def keys_of(ring: Ring) -> Listing:
    """The keys of a ring, and what can be asked of them."""
    return Listing(
        columns=_KEY,
        source=f"freehold.{ring.table} k",
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


async def fetch(db: Queries, ring: Ring, holder: str, queries: Sequence[str], *, total: bool) -> Found:
    """A page of a holder's keys."""
    where = {f"k.{ring.holder} = {{}}": holder, "k.project_id = {}": CONSOLE}
    return await listing.fetch(db, keys_of(ring), queries, where=where, total=total)


async def find(db: Queries, ring: Ring, holder: str, key_id: str) -> Record | None:
    """A key of a holder."""
    return await db.row(
        f"""
        select {_KEY} from freehold.{ring.table} k
        where k.project_id = 'console' and k.{ring.holder} = $1 and k.id = $2
        """,
        holder,
        key_id,
    )


async def create(
    db: Queries, ring: Ring, holder: str, key_id: str, said: SayKey, digest: bytes, sealed: bytes
) -> Record | None:
    """Make a key. Raises KeyAlreadyExists."""
    try:
        return await db.row(
            f"""
            insert into freehold.{ring.table} as k (project_id, {ring.holder}, id, name, scopes, expires_at,
                                                    secret_digest, secret_sealed)
            values ('console', $1, $2, $3, $4, $5, $6, $7)
            returning {_KEY}
            """,
            holder,
            key_id,
            said.name,
            list(dict.fromkeys(said.scopes)),
            in_utc(said.expire),
            digest,
            sealed,
        )
    except asyncpg.UniqueViolationError as error:
        raise KeyAlreadyExists() from error


async def update(db: Queries, ring: Ring, holder: str, key_id: str, said: SayKey) -> Record | None:
    """Change what a key may do, and until when. None when there is no such key."""
    return await db.row(
        f"""
        update freehold.{ring.table} k
        set name = $3, scopes = $4, expires_at = $5, updated_at = now()
        where k.project_id = 'console' and k.{ring.holder} = $1 and k.id = $2
        returning {_KEY}
        """,
        holder,
        key_id,
        said.name,
        list(dict.fromkeys(said.scopes)),
        in_utc(said.expire),
    )


async def delete(db: Queries, ring: Ring, holder: str, key_id: str) -> Record | None:
    """Delete a key. Gives what it was; None when there was none."""
    return await db.row(
        f"""
        delete from freehold.{ring.table} k
        where k.project_id = 'console' and k.{ring.holder} = $1 and k.id = $2
        returning {_KEY}
        """,
        holder,
        key_id,
    )


async def delete_all(db: Queries, ring: Ring, holder: str) -> None:
    """Delete all keys of a holder."""
    await db.run(
        f"delete from freehold.{ring.table} k where k.project_id = 'console' and k.{ring.holder} = $1", holder
    )
