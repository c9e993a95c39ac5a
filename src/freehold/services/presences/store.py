"""SQL of presences. What has expired is not there, whether or not it was deleted yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from freehold.db import listing
from freehold.db.listing import Found, Listing, moment, text
from freehold.db.pool import Queries, Record
from freehold.services import users

_LIVES = "coalesce(p.expires_at > now(), true) and coalesce(p.held_until > now(), true)"

PRESENCES = Listing(
    columns="p.*",
    source="freehold.presences p",
    id="p.id",
    created_at="p.created_at",
    attributes={
        "$id": text("p.id"),
        "$createdAt": moment("p.created_at"),
        "$updatedAt": moment("p.updated_at"),
        "userId": text("p.user_id"),
        "status": text("p.status"),
        "source": text("p.source"),
        "expiresAt": moment("p.expires_at"),
    },
)


async def fetch(
    db: Queries, project_id: str, queries: Sequence[str], *, asks: list[str] | None, total: bool
) -> Found:
    """List the presences that the permissions let somebody read; None is all of them."""
    where = {f"{_LIVES} and p.project_id = {{}}": project_id}
    if asks is not None:
        where["p.permissions && {}"] = asks  # type: ignore[assignment]
    return await listing.fetch(db, PRESENCES, queries, where=where, total=total)


async def find(db: Queries, project_id: str, presence_id: str, asks: list[str] | None) -> Record | None:
    """Find a presence, if one of the permissions stands on it."""
    return await db.row(
        f"""
        select p.* from freehold.presences p
        where p.project_id = $1 and p.id = $2 and {_LIVES} and coalesce(p.permissions && $3::text[], true)
        """,
        project_id, presence_id, asks,
    )  # fmt: skip


class New(NamedTuple):
    """A presence as it is to be. What is None stays as it is, or is what it is at first."""

    id: str
    user_id: str
    status: str | None
    source: str
    metadata: bytes | None
    permissions: list[str] | None
    expires_at: datetime | None
    holder: UUID | None
    """The connection that it ends with."""


async def upsert(
    db: Queries,
    project_id: str,
    new: New,
    *,
    at_first: list[str],
    days: int,
    asks: list[str] | None,
    hold_s: float,
) -> Record | None:
    """Make a presence, or change one that is there and that the permissions let somebody change.

    Gives None when they do not. Raises UserNotFound.
    """
    try:
        return await db.row(
            f"""
            insert into freehold.presences as p (project_id, id, user_id, status, source, metadata,
                permissions, expires_at, held_by, held_until)
            values ($1, $2, $3, $4, $5, coalesce($6::jsonb, '{{}}'), coalesce($7::text[], $8::text[]),
                coalesce($9::timestamptz, now() + $10 * interval '1 day'), $11,
                case when $11::uuid is not null then now() + $13 * interval '1 second' end)
            on conflict (project_id, id) do update set
                user_id = case when {_LIVES} then p.user_id else excluded.user_id end,
                status = excluded.status, source = excluded.source,
                metadata = case when {_LIVES} and $6::jsonb is null then p.metadata
                                else excluded.metadata end,
                permissions = case when {_LIVES} and $7::text[] is null then p.permissions
                                   else excluded.permissions end,
                expires_at = excluded.expires_at, held_by = excluded.held_by,
                held_until = excluded.held_until,
                created_at = case when {_LIVES} then p.created_at else excluded.created_at end,
                updated_at = now()
            where not ({_LIVES}) or coalesce(p.permissions && $12::text[], true)
            returning p.*
            """,
            project_id, new.id, new.user_id, new.status, new.source, new.metadata, new.permissions, at_first,
            new.expires_at, days, new.holder, asks, hold_s,
        )  # fmt: skip
    except asyncpg.ForeignKeyViolationError as error:
        raise users.UserNotFound() from error


async def update(db: Queries, project_id: str, new: New, *, asks: list[str] | None) -> Record | None:
    """Change what is given of a presence that the permissions let somebody change. Raises UserNotFound."""
    try:
        return await db.row(
            f"""
            update freehold.presences p set
                user_id = coalesce(nullif($3, ''), p.user_id), status = coalesce($4, p.status),
                metadata = coalesce($5::jsonb, p.metadata), permissions = coalesce($6::text[], p.permissions),
                expires_at = coalesce($7::timestamptz, p.expires_at), updated_at = now()
            where p.project_id = $1 and p.id = $2 and {_LIVES} and coalesce(p.permissions && $8::text[], true)
            returning p.*
            """,
            project_id, new.id, new.user_id, new.status, new.metadata, new.permissions, new.expires_at, asks,
        )  # fmt: skip
    except asyncpg.ForeignKeyViolationError as error:
        raise users.UserNotFound() from error


async def delete(db: Queries, project_id: str, presence_id: str, asks: list[str] | None) -> Record | None:
    """Delete a presence, if one of the permissions stands on it."""
    return await db.row(
        """
        delete from freehold.presences p
        where p.project_id = $1 and p.id = $2 and coalesce(p.permissions && $3::text[], true) returning p.*
        """,
        project_id, presence_id, asks,
    )  # fmt: skip


async def delete_held(db: Queries, holder: UUID) -> list[Record]:
    """Delete what goes with a connection."""
    return await db.rows("delete from freehold.presences p where p.held_by = $1 returning p.*", holder)


async def delete_of_user(db: Queries, project_id: str, user_id: str) -> list[Record]:
    """Delete what a user says. Until the transaction ends it says nothing new."""
    await db.run(
        "select from freehold.users where project_id = $1 and id = $2 for update", project_id, user_id
    )
    return await db.rows(
        """
        delete from freehold.presences p where (p.project_id, p.id) in (
            select p.project_id, p.id from freehold.presences p
            where p.project_id = $1 and p.user_id = $2 order by p.project_id, p.id for update
        ) returning p.*
        """,
        project_id, user_id,
    )  # fmt: skip


async def hold(db: Queries, holders: Sequence[UUID], hold_s: float) -> None:
    """Say that connections live, so that their presences do."""
    await db.run(
        """
        update freehold.presences set held_until = now() + $2 * interval '1 second'
        where (project_id, id) in (
            select project_id, id from freehold.presences where held_by = any($1)
            order by project_id, id for update
        )
        """,
        list(holders), hold_s,
    )  # fmt: skip


async def delete_expired(db: Queries, most: int) -> list[Record]:
    """Delete what has expired, or was held by a connection whose process is gone."""
    return await db.rows(
        f"""
        delete from freehold.presences p where (p.project_id, p.id) in (
            select p.project_id, p.id from freehold.presences p
            where not ({_LIVES}) order by p.project_id, p.id limit $1 for update skip locked
        ) returning p.*
        """,
        most,
    )
