"""SQL of teams and memberships."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from freehold.db import listing
from freehold.db.listing import Found, Listing, flag, moment, number, text, texts
from freehold.db.pool import Queries, Record
from freehold.services.teams.errors import TeamAlreadyExists

_TOTAL = """
    (select count(*) from freehold.memberships m
     where m.project_id = t.project_id and m.team_id = t.id and m.confirmed)
"""
_TEAM = f"t.id, t.name, t.prefs, t.created_at, t.updated_at, {_TOTAL} as total"
_MEMBERSHIP = """
    m.id, m.team_id, m.user_id, m.roles, m.confirmed, m.invited_at, m.joined_at, m.created_at, m.updated_at,
    t.name as team_name, u.name as user_name, u.email as user_email, u.phone as user_phone, u.mfa,
    u.accessed_at as user_accessed_at
"""
_MEMBERSHIPS = """
    freehold.memberships m
    join freehold.teams t on t.project_id = m.project_id and t.id = m.team_id
    join freehold.users u on u.project_id = m.project_id and u.id = m.user_id
"""

TEAMS = Listing(
    columns=_TEAM,
    source="freehold.teams t",
    id="t.id",
    created_at="t.created_at",
    attributes={
        "$id": text("t.id"),
        "$createdAt": moment("t.created_at"),
        "$updatedAt": moment("t.updated_at"),
        "name": text("t.name"),
        "total": number(_TOTAL),
    },
    search=("t.id", "t.name"),
)

MEMBERSHIPS = Listing(
    columns=_MEMBERSHIP,
    source=_MEMBERSHIPS,
    id="m.id",
    created_at="m.created_at",
    attributes={
        "$id": text("m.id"),
        "$createdAt": moment("m.created_at"),
        "$updatedAt": moment("m.updated_at"),
        "userId": text("m.user_id"),
        "teamId": text("m.team_id"),
        "invited": moment("m.invited_at"),
        "joined": moment("m.joined_at"),
        "confirm": flag("m.confirmed"),
        "roles": texts("m.roles"),
    },
    search=("m.id", "m.user_id"),
)


async def create(db: Queries, project_id: str, team_id: str, name: str) -> None:
    """Make a team without members. Raises TeamAlreadyExists."""
    try:
        await db.run(
            "insert into freehold.teams (project_id, id, name) values ($1, $2, $3)", project_id, team_id, name
        )
    except asyncpg.UniqueViolationError as error:
        raise TeamAlreadyExists() from error


async def find(db: Queries, project_id: str, team_id: str) -> Record | None:
    """Find a team."""
    return await db.row(
        f"select {_TEAM} from freehold.teams t where t.project_id = $1 and t.id = $2", project_id, team_id
    )


async def fetch(
    db: Queries,
    project_id: str,
    queries: Sequence[str],
    *,
    among: list[str] | None,
    search: str,
    total: bool,
) -> Found:
    """List teams: all of the project, or those among the given ids."""
    where: dict[str, object] = {"t.project_id = {}": project_id}
    if among is not None:
        where["t.id = any({}::text[])"] = among
    return await listing.fetch(db, TEAMS, queries, where=where, search=search, total=total)


async def set_name(db: Queries, project_id: str, team_id: str, name: str) -> Record | None:
    """Rename a team."""
    return await db.row(
        f"""
        update freehold.teams t set name = $3, updated_at = now()
        where t.project_id = $1 and t.id = $2
        returning {_TEAM}
        """,
        project_id,
        team_id,
        name,
    )


async def set_prefs(db: Queries, project_id: str, team_id: str, prefs: bytes) -> Record | None:
    """Replace a team's preferences."""
    return await db.row(
        f"""
        update freehold.teams t set prefs = $3, updated_at = now()
        where t.project_id = $1 and t.id = $2
        returning {_TEAM}
        """,
        project_id,
        team_id,
        prefs,
    )


async def delete(db: Queries, project_id: str, team_id: str) -> Record | None:
    """Delete a team and its memberships. Gives what it was."""
    return await db.row(
        f"delete from freehold.teams t where t.project_id = $1 and t.id = $2 returning {_TEAM}",
        project_id,
        team_id,
    )


async def list_member_ids(db: Queries, project_id: str, team_id: str) -> list[str]:
    """The users of all memberships of a team."""
    rows = await db.rows(
        "select user_id from freehold.memberships where project_id = $1 and team_id = $2", project_id, team_id
    )
    return [row["user_id"] for row in rows]


async def fetch_memberships(
    db: Queries, project_id: str, team_id: str, queries: Sequence[str], *, search: str, total: bool
) -> Found:
    """List the memberships of a team."""
    return await listing.fetch(
        db,
        MEMBERSHIPS,
        queries,
        where={"m.project_id = {}": project_id, "m.team_id = {}": team_id},
        search=search,
        total=total,
    )


async def fetch_memberships_of(
    db: Queries, project_id: str, user_id: str, queries: Sequence[str], *, search: str = "", total: bool
) -> Found:
    """List the memberships of a user."""
    return await listing.fetch(
        db,
        MEMBERSHIPS,
        queries,
        where={"m.project_id = {}": project_id, "m.user_id = {}": user_id},
        search=search,
        total=total,
    )


async def find_membership(db: Queries, project_id: str, team_id: str, membership_id: str) -> Record | None:
    """Find a membership of a team."""
    return await db.row(
        f"""
        select {_MEMBERSHIP} from {_MEMBERSHIPS}
        where m.project_id = $1 and m.team_id = $2 and m.id = $3
        """,
        project_id,
        team_id,
        membership_id,
    )


async def join(
    db: Queries, project_id: str, team_id: str, membership_id: str, user_id: str, roles: list[str]
) -> Record | None:
    """Make a user a confirmed member, also one that had only been invited; None when it is one already."""
    joined = await db.value(
        """
        insert into freehold.memberships as m (project_id, id, team_id, user_id, roles, confirmed, joined_at)
        values ($1, $2, $3, $4, $5, true, now())
        on conflict (project_id, team_id, user_id) do update
        set roles = excluded.roles, confirmed = true, joined_at = now(), secret_digest = null,
            updated_at = now()
        where not m.confirmed
        returning m.id
        """,
        project_id,
        membership_id,
        team_id,
        user_id,
        roles,
    )
    return await find_membership(db, project_id, team_id, joined) if joined is not None else None


async def invite(
    db: Queries,
    project_id: str,
    team_id: str,
    membership_id: str,
    user_id: str,
    roles: list[str],
    *,
    secret_digest: bytes,
    invited_to: str,
) -> Record | None:
    """Make a membership that waits to be accepted, or renew it; None when the user is a member already."""
    invited = await db.value(
        """
        insert into freehold.memberships as m (project_id, id, team_id, user_id, roles, secret_digest,
                                               invited_to)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (project_id, team_id, user_id) do update
        set roles = excluded.roles, secret_digest = excluded.secret_digest, invited_at = now(),
            invited_to = excluded.invited_to, updated_at = now()
        where not m.confirmed
        returning m.id
        """,
        project_id,
        membership_id,
        team_id,
        user_id,
        roles,
        secret_digest,
        invited_to,
    )
    return await find_membership(db, project_id, team_id, invited) if invited is not None else None


async def take_invitation(
    db: Queries, project_id: str, team_id: str, membership_id: str, secret_digest: bytes
) -> str | None:
    """Confirm a membership once, by its secret, within 30 days. Gives where the invitation had been sent."""
    invited_to: str | None = await db.value(
        """
        update freehold.memberships
        set confirmed = true, joined_at = now(), secret_digest = null, updated_at = now()
        where project_id = $1 and team_id = $2 and id = $3 and secret_digest = $4 and not confirmed
          and invited_at > now() - interval '30 days'
        returning invited_to
        """,
        project_id,
        team_id,
        membership_id,
        secret_digest,
    )
    return invited_to


async def set_roles(db: Queries, project_id: str, team_id: str, membership_id: str, roles: list[str]) -> None:
    """Replace a member's roles."""
    await db.run(
        """
        update freehold.memberships set roles = $4, updated_at = now()
        where project_id = $1 and team_id = $2 and id = $3
        """,
        project_id,
        team_id,
        membership_id,
        roles,
    )


async def leave(db: Queries, project_id: str, team_id: str, membership_id: str) -> None:
    """End a membership."""
    await db.run(
        "delete from freehold.memberships where project_id = $1 and team_id = $2 and id = $3",
        project_id,
        team_id,
        membership_id,
    )


async def has_other_owner(db: Queries, project_id: str, team_id: str, membership_id: str) -> bool:
    """Tell whether the team has an owner besides this member.

    Holds the team until the transaction ends: two owners who leave at once cannot both find the other.
    """
    await db.run(
        "select 1 from freehold.teams where project_id = $1 and id = $2 for update", project_id, team_id
    )
    found: bool = await db.value(
        """
        select exists (
            select 1 from freehold.memberships
            where project_id = $1 and team_id = $2 and id <> $3 and confirmed and 'owner' = any(roles)
        )
        """,
        project_id,
        team_id,
        membership_id,
    )
    return found
