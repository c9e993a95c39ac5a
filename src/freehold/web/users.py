"""Users as callers: their roles, factors and memberships, in a session or in none."""

from __future__ import annotations

import time
from datetime import datetime

import msgspec

from freehold import secrets
from freehold.access import permissions, roles, scopes
from freehold.access.roles import Membership
from freehold.db.pool import Queries, Record
from freehold.web.identity import Callers, Identity
from freehold.web.projects import CONSOLE, Project

# When a user was last seen is noted once a day.
_ACCESS_NOTED_S = 86400


def user_tag(project_id: str, user_id: str) -> str:
    """The cache tag of a user: its row, its sessions and its memberships."""
    return f"user:{project_id}:{user_id}"


class Users:
    """Finds users, and notes when they were last seen."""

    def __init__(self, db: Queries, callers: Callers) -> None:
        self._db = db
        self._callers = callers

    async def by_secret(self, project: Project, user_id: str, secret: str) -> Identity | None:
        """A user in the session of the secret, if that has not ended."""
        row = await self._db.row(_BY_SECRET_SQL, project.id, user_id, secrets.digest(secret))
        return await self._seen(project, row) if row is not None else None

    async def by_session(self, project: Project, user_id: str, session_id: str) -> Identity | None:
        """A user in the session of the id, if that has not ended."""
        row = await self._db.row(_BY_SESSION_SQL, project.id, user_id, session_id)
        return await self._seen(project, row) if row is not None else None

    async def without_session(self, project: Project, user_id: str) -> Identity | None:
        """A user for whom somebody or something else speaks. Remembered."""

        async def find() -> Identity | None:
            row = await self._db.row(_BY_ID_SQL, project.id, user_id)
            # Who acts for somebody has shown its own factors, and a server needs none.
            return (
                msgspec.structs.replace(_user_identity(row), wants_factor=False) if row is not None else None
            )

        return await self._callers.load((project.realm, "user", user_id), user_tag(project.id, user_id), find)

    async def unseen(self, project: Project, user_id: str, session_id: str) -> Identity | None:
        """A user in a session, or in none where a server speaks for it. That is not noted as being seen."""
        if not session_id:
            return await self.without_session(project, user_id)
        row = await self._db.row(_BY_SESSION_SQL, project.id, user_id, session_id)
        return _user_identity(row) if row is not None else None

    async def _seen(self, project: Project, row: Record) -> Identity:
        accessed_at: datetime | None = row["accessed_at"]
        if accessed_at is None or time.time() - accessed_at.timestamp() > _ACCESS_NOTED_S:
            await self._db.run(_USER_ACCESS_SQL, project.id, row["id"])
        identity = _user_identity(row)
        if project.id != CONSOLE:
            return identity
        # On the console a user may ask for what some organization lets it do there; which one, the
        # endpoint knows.
        held = [role for each in identity.teams for role in each.roles]
        granted = scopes.of_console_roles(held)
        for project_id in {scopes.project_of(role) for role in held}:
            granted |= scopes.of_console_roles(held, project_id)
        wider = identity.scopes | (granted & scopes.OF_ITS_PROJECTS)
        return msgspec.structs.replace(identity, scopes=wider)


def _user_identity(row: Record) -> Identity:
    memberships = tuple(_memberships_decoder.decode(row["memberships"]))
    held = roles.of_user(
        row["id"],
        verified=row["email_verified"] or row["phone_verified"],
        labels=row["labels"],
        memberships=memberships,
    )
    shown = frozenset(row["factors"])
    provable = {
        "email": row["email"] and row["email_verified"],
        "phone": row["phone"] and row["phone_verified"],
        "totp": row["has_totp"],
    }
    return Identity(
        kind="user",
        scopes=scopes.IMPERSONATOR if row["impersonator"] else scopes.USER,
        roles=held,
        asks_read=permissions.asks("read", held),
        user=row,
        session_id=row["session_id"],
        expires_at=row["expires_at"].timestamp(),
        signed_in_at=row["signed_in_at"].timestamp(),
        challenged_at=row["mfa_at"].timestamp() if row["mfa_at"] is not None else 0.0,
        wants_factor=row["mfa"] and len(shown) < 2,
        has_other_factor=any(has and name not in shown for name, has in provable.items()),
        teams=memberships,
    )


_memberships_decoder = msgspec.json.Decoder(list[Membership])


_USER_SQL = """
    select u.id, u.name, u.email, u.phone, u.password_changed_at, u.enabled, u.labels, u.email_verified,
           u.phone_verified, u.mfa, u.prefs, u.accessed_at, u.created_at, u.updated_at, u.impersonator,
           {session},
           exists (select from freehold.authenticators a
                   where a.project_id = u.project_id and a.user_id = u.id and a.verified) as has_totp,
           coalesce((select jsonb_agg(jsonb_build_array(m.id, m.team_id, m.roles))
                     from freehold.memberships m
                     where m.project_id = u.project_id and m.user_id = u.id and m.confirmed),
                    '[]') as memberships
    from {source}
    where u.project_id = $1 and u.id = $2
"""
_IN_SESSION_SQL = _USER_SQL.format(
    session="s.id as session_id, s.expires_at, s.factors, s.mfa_at, s.created_at as signed_in_at",
    source="freehold.sessions s join freehold.users u on u.project_id = s.project_id and u.id = s.user_id",
)
_BY_SECRET_SQL = _IN_SESSION_SQL + " and s.secret_digest = $3 and s.expires_at > now()"
_BY_SESSION_SQL = _IN_SESSION_SQL + " and s.id = $3 and s.expires_at > now()"
_BY_ID_SQL = _USER_SQL.format(
    session="""'' as session_id, 'infinity'::timestamptz as expires_at, array[]::text[] as factors,
           null::timestamptz as mfa_at, 'epoch'::timestamptz as signed_in_at""",
    source="freehold.users u",
)


_USER_ACCESS_SQL = "update freehold.users set accessed_at = now() where project_id = $1 and id = $2"
