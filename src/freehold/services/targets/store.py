"""SQL of targets. Those of a user's own address and number are kept by a trigger on freehold.users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from freehold.db import listing
from freehold.db.listing import Found, Listing, flag, moment, text
from freehold.db.pool import Queries, Record
from freehold.services.targets.errors import TargetAlreadyExists, TooManyTargets

MOST = 100
"""How many targets a user has at most."""

_COLUMNS = """
    t.id, t.user_id, t.provider_id, t.provider_type, t.identifier, t.name, t.expired, t.created_at,
    t.updated_at
"""

OF_USER = f"""
    (select coalesce(jsonb_agg(of_user order by of_user.created_at, of_user.id), '[]')
     from (select {_COLUMNS} from freehold.targets t
           where t.project_id = u.project_id and t.user_id = u.id
           order by t.created_at, t.id
           limit {MOST}) of_user)
"""
"""The targets of a user `u`, gathered in one column."""

TARGETS = Listing(
    columns=_COLUMNS,
    source="freehold.targets t",
    id="t.id",
    created_at="t.created_at",
    attributes={
        "$id": text("t.id"),
        "$createdAt": moment("t.created_at"),
        "$updatedAt": moment("t.updated_at"),
        "userId": text("t.user_id"),
        "providerId": text("coalesce(t.provider_id, '')"),
        "providerType": text("t.provider_type"),
        "identifier": text("t.identifier"),
        "name": text("t.name"),
        "expired": flag("t.expired"),
    },
)


class NewTarget(NamedTuple):
    """A target to be made."""

    id: str
    user_id: str
    provider_type: str
    identifier: str
    provider_id: str | None = None
    name: str = ""
    session_id: str | None = None


class TargetChange(NamedTuple):
    """What of a target changes; None leaves it as it is."""

    identifier: str | None = None
    provider_id: str | None = None
    name: str | None = None


async def create(db: Queries, project_id: str, target: NewTarget) -> Record:
    """Make a target of a user that there is. Raises TargetAlreadyExists, TooManyTargets."""
    try:
        row = await db.row(
            f"""
            insert into freehold.targets as t (project_id, id, user_id, provider_type, identifier,
                                               provider_id, name, session_id)
            select $1, $2, $3, $4, $5, $6, $7, $8
            where $9 > (select count(*) from freehold.targets where project_id = $1 and user_id = $3)
            returning {_COLUMNS}
            """,
            project_id,
            *target,
            MOST,
        )
    except asyncpg.UniqueViolationError as error:
        raise TargetAlreadyExists() from error
    if row is None:
        raise TooManyTargets(most=MOST)
    return row


async def find(db: Queries, project_id: str, user_id: str, target_id: str) -> Record | None:
    """Find a target of a user."""
    return await db.row(
        f"""
        select {_COLUMNS} from freehold.targets t
        where t.project_id = $1 and t.user_id = $2 and t.id = $3
        """,
        project_id,
        user_id,
        target_id,
    )


async def fetch(db: Queries, project_id: str, user_id: str, queries: Sequence[str], total: bool) -> Found:
    """List the targets of a user."""
    where = {"t.project_id = {}": project_id, "t.user_id = {}": user_id}
    return await listing.fetch(db, TARGETS, queries, where=where, total=total)


async def update(
    db: Queries, project_id: str, user_id: str, target_id: str, change: TargetChange
) -> Record | None:
    """Change a target of a user, which counts as living again. Raises TargetAlreadyExists."""
    try:
        return await db.row(
            f"""
            update freehold.targets t
            set identifier = coalesce($4, t.identifier),
                provider_id = coalesce($5, t.provider_id),
                name = coalesce($6, t.name),
                expired = t.expired and $4::text is null and $5::text is null,
                updated_at = now()
            where t.project_id = $1 and t.user_id = $2 and t.id = $3
            returning {_COLUMNS}
            """,
            project_id,
            user_id,
            target_id,
            *change,
        )
    except asyncpg.UniqueViolationError as error:
        raise TargetAlreadyExists() from error


async def delete(db: Queries, project_id: str, user_id: str, target_id: str) -> Record | None:
    """Delete a target of a user. Gives what it was."""
    return await db.row(
        f"""
        delete from freehold.targets t
        where t.project_id = $1 and t.user_id = $2 and t.id = $3
        returning {_COLUMNS}
        """,
        project_id,
        user_id,
        target_id,
    )
