"""SQL of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from freehold.db.pool import Queries, Record

_COLUMNS = "t.id, t.handle, t.user_id, t.kind, t.secret_digest, t.address, t.data, t.expires_at, t.created_at"


class NewToken(NamedTuple):
    """A token to be kept."""

    id: str
    handle: str
    user_id: str | None
    kind: str
    secret_digest: bytes
    guessable: bool
    address: str
    data: bytes
    seconds: float
    """How long it can be handed in."""


async def create(db: Queries, project_id: str, token: NewToken) -> Record:
    """Keep a token."""
    row = await db.row(
        f"""
        insert into freehold.tokens as t (project_id, id, handle, user_id, kind, secret_digest, guessable,
                                          address, data, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(secs => $10))
        returning {_COLUMNS}
        """,
        project_id,
        *token,
    )
    assert row is not None
    return row


async def attempt(
    db: Queries, project_id: str, handle: str, kinds: Sequence[str], most_attempts: int
) -> list[Record]:
    """Count an attempt at every living token that somebody may mean. Gives those that can still be met."""
    return await db.rows(
        f"""
        update freehold.tokens t set attempts = attempts + 1
        where t.project_id = $1 and t.handle = $2 and t.kind = any($3::text[]) and t.expires_at > now()
          and (not t.guessable or t.attempts < $4)
        returning {_COLUMNS}
        """,
        project_id,
        handle,
        list(kinds),
        most_attempts,
    )


async def take(db: Queries, project_id: str, token_id: str) -> datetime | None:
    """Use a token up. None when somebody else just has."""
    return await db.value(  # type: ignore[no-any-return]
        "delete from freehold.tokens where project_id = $1 and id = $2 returning created_at",
        project_id,
        token_id,
    )


async def drop(db: Queries, project_id: str, user_id: str, kinds: Sequence[str] | None) -> None:
    """Make tokens of a user worthless: all, or those of some kinds."""
    await db.run(
        """
        delete from freehold.tokens
        where project_id = $1 and user_id = $2 and ($3::text[] is null or kind = any($3::text[]))
        """,
        project_id,
        user_id,
        list(kinds) if kinds is not None else None,
    )


async def drop_sent(db: Queries, project_id: str, address: str) -> None:
    """Make all tokens worthless that were sent to an address."""
    await db.run("delete from freehold.tokens where project_id = $1 and address = $2", project_id, address)
