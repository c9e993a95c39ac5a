"""SQL of passkeys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from freehold.db import listing
from freehold.db.listing import Found, Listing, moment, text
from freehold.db.pool import Queries, Record
from freehold.services.passkeys.errors import PasskeyExists, TooManyPasskeys

MOST = 50
"""How many passkeys a user has at most."""

_COLUMNS = "p.id, p.user_id, p.name, p.accessed_at, p.created_at, p.updated_at"

PASSKEYS = Listing(
    columns=_COLUMNS,
    source="freehold.passkeys p",
    id="p.id",
    created_at="p.created_at",
    attributes={
        "$id": text("p.id"),
        "$createdAt": moment("p.created_at"),
        "$updatedAt": moment("p.updated_at"),
        "name": text("p.name"),
        "accessedAt": moment("p.accessed_at"),
    },
)


class NewPasskey(NamedTuple):
    """A passkey to be kept."""

    id: str
    user_id: str
    name: str
    rp_id: str
    credential_id: bytes
    public_key: bytes
    sign_count: int


class NewChallenge(NamedTuple):
    """A challenge to be made."""

    id: str
    challenge: bytes
    rp_id: str
    seconds: int
    user_id: str | None = None
    passkey_id: str | None = None
    passkey_name: str = ""


async def fetch(db: Queries, project_id: str, user_id: str, queries: Sequence[str], total: bool) -> Found:
    """List the passkeys of a user."""
    where = {"p.project_id = {}": project_id, "p.user_id = {}": user_id}
    return await listing.fetch(db, PASSKEYS, queries, where=where, total=total)


async def find(db: Queries, project_id: str, user_id: str, passkey_id: str) -> Record | None:
    """Find a passkey of a user."""
    return await db.row(
        f"""
        select {_COLUMNS} from freehold.passkeys p
        where p.project_id = $1 and p.user_id = $2 and p.id = $3
        """,
        project_id,
        user_id,
        passkey_id,
    )


async def exists(db: Queries, project_id: str, passkey_id: str) -> bool:
    """Tell whether the id is taken."""
    found: bool = await db.value(
        "select exists (select from freehold.passkeys where project_id = $1 and id = $2)",
        project_id,
        passkey_id,
    )
    return found


async def list_credentials(db: Queries, project_id: str, user_id: str) -> list[bytes]:
    """What the devices call the passkeys of a user."""
    rows = await db.rows(
        "select credential_id from freehold.passkeys where project_id = $1 and user_id = $2 limit $3",
        project_id,
        user_id,
        MOST,
    )
    return [row["credential_id"] for row in rows]


async def create(db: Queries, project_id: str, passkey: NewPasskey) -> Record:
    """Keep a passkey. Raises PasskeyExists, TooManyPasskeys."""
    try:
        row = await db.row(
            f"""
            insert into freehold.passkeys as p (project_id, id, user_id, name, rp_id, credential_id,
                                                public_key, sign_count)
            select $1, $2, $3, $4, $5, $6, $7, $8
            where $9 > (select count(*) from freehold.passkeys where project_id = $1 and user_id = $3)
            returning {_COLUMNS}
            """,
            project_id,
            *passkey,
            MOST,
        )
    except asyncpg.UniqueViolationError as error:
        raise PasskeyExists() from error
    if row is None:
        raise TooManyPasskeys(most=MOST)
    return row


async def rename(db: Queries, project_id: str, user_id: str, passkey_id: str, name: str) -> Record | None:
    """Rename a passkey of a user."""
    return await db.row(
        f"""
        update freehold.passkeys p set name = $4, updated_at = now()
        where p.project_id = $1 and p.user_id = $2 and p.id = $3
        returning {_COLUMNS}
        """,
        project_id,
        user_id,
        passkey_id,
        name,
    )


async def delete(db: Queries, project_id: str, user_id: str, passkey_id: str) -> Record | None:
    """Delete a passkey of a user. Gives what it was."""
    return await db.row(
        f"""
        delete from freehold.passkeys p
        where p.project_id = $1 and p.user_id = $2 and p.id = $3
        returning {_COLUMNS}
        """,
        project_id,
        user_id,
        passkey_id,
    )


async def delete_all(db: Queries, project_id: str, user_id: str) -> None:
    """Delete the passkeys of a user, and what was begun of another one."""
    await db.run("delete from freehold.passkeys where project_id = $1 and user_id = $2", project_id, user_id)
    await db.run(
        "delete from freehold.passkey_challenges where project_id = $1 and user_id = $2", project_id, user_id
    )


async def find_by_credential(db: Queries, project_id: str, rp_id: str, credential_id: bytes) -> Record | None:
    """The passkey that a device answers with: its key, and how often it says it was used."""
    return await db.row(
        """
        select id, user_id, public_key, sign_count from freehold.passkeys
        where project_id = $1 and rp_id = $2 and credential_id = $3
        """,
        project_id,
        rp_id,
        credential_id,
    )


async def note_use(db: Queries, project_id: str, passkey_id: str, sign_count: int) -> None:
    """Note that somebody has signed in with a passkey."""
    await db.run(
        """
        update freehold.passkeys set sign_count = $3, accessed_at = now()
        where project_id = $1 and id = $2
        """,
        project_id,
        passkey_id,
        sign_count,
    )


async def create_challenge(db: Queries, project_id: str, challenge: NewChallenge) -> Record:
    """Make a challenge. One for the same passkey, which was not answered, is void."""
    row = await db.row(
        """
        insert into freehold.passkey_challenges as c (project_id, id, challenge, rp_id, expires_at, user_id,
                                                      passkey_id, passkey_name)
        values ($1, $2, $3, $4, now() + make_interval(secs => $5), $6, $7, $8)
        on conflict (project_id, user_id, passkey_id) where user_id is not null do update
        set id = excluded.id, challenge = excluded.challenge, rp_id = excluded.rp_id,
            expires_at = excluded.expires_at, passkey_name = excluded.passkey_name, created_at = now()
        returning c.id, c.created_at, c.expires_at
        """,
        project_id,
        *challenge,
    )
    assert row is not None
    return row


async def take_challenge(
    db: Queries, project_id: str, *, challenge_id: str | None = None, user_id: str | None = None,
    passkey_id: str | None = None
) -> Record | None:  # fmt: skip
    """Use a challenge up: of signing in by its id, of registering by its user and passkey. None when it is
    used up, or has had its time."""
    row = await db.row(
        """
        delete from freehold.passkey_challenges
        where project_id = $1
          and case when $3::text is null then id = $2 and user_id is null
                   else user_id = $3 and passkey_id = $4 end
        returning challenge, rp_id, passkey_name, expires_at > now() as is_open
        """,
        project_id,
        challenge_id,
        user_id,
        passkey_id,
    )
    return row if row is not None and row["is_open"] else None
