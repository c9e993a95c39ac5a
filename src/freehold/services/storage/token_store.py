"""SQL of file tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from freehold.db import listing
from freehold.db.listing import Found, Listing, moment, text
from freehold.db.pool import Queries, Record

TOKENS = Listing(
    columns="t.*",
    source="freehold.file_tokens t",
    id="t.id",
    created_at="t.created_at",
    attributes={
        "$id": text("t.id"),
        "$createdAt": moment("t.created_at"),
        "$updatedAt": moment("t.updated_at"),
        "expire": moment("t.expires_at"),
    },
)


async def fetch(
    db: Queries, project_id: str, bucket_id: str, file_id: str, queries: Sequence[str], *, total: bool
) -> Found:
    """List the tokens of a file."""
    where = {"t.project_id = {}": project_id, "t.bucket_id = {}": bucket_id, "t.file_id = {}": file_id}
    return await listing.fetch(db, TOKENS, queries, where=where, total=total)


async def create(
    db: Queries, project_id: str, bucket_id: str, file_id: str, token_id: str, expires_at: datetime | None
) -> Record | None:
    """Make a token of a file that is whole; None when there is none."""
    return await db.row(
        """
        insert into freehold.file_tokens (project_id, bucket_id, file_id, id, expires_at)
        select project_id, bucket_id, id, $4, $5 from freehold.files
        where project_id = $1 and bucket_id = $2 and id = $3 and whole
        for key share
        returning *
        """,
        project_id, bucket_id, file_id, token_id, expires_at,
    )  # fmt: skip


async def find(db: Queries, project_id: str, token_id: str) -> Record | None:
    """Find a token."""
    return await db.row(
        "select * from freehold.file_tokens where project_id = $1 and id = $2", project_id, token_id
    )


async def note(db: Queries, project_id: str, token_id: str) -> None:
    """Note that a token was used, at most once a minute."""
    await db.run(
        """
        update freehold.file_tokens set accessed_at = now()
        where project_id = $1 and id = $2
          and (accessed_at is null or accessed_at < now() - interval '1 minute')
        """,
        project_id, token_id,
    )  # fmt: skip


async def update(db: Queries, project_id: str, token_id: str, expires_at: datetime | None) -> Record | None:
    """Let a token hold until another time."""
    return await db.row(
        """
        update freehold.file_tokens set expires_at = $3, updated_at = now()
        where project_id = $1 and id = $2
        returning *
        """,
        project_id, token_id, expires_at,
    )  # fmt: skip


async def delete(db: Queries, project_id: str, token_id: str) -> Record | None:
    """Forget a token. Gives what it was."""
    return await db.row(
        "delete from freehold.file_tokens where project_id = $1 and id = $2 returning *", project_id, token_id
    )
