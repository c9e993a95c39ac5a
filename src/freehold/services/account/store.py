"""SQL of sessions, and of what registering and signing in ask of users."""

from __future__ import annotations

from typing import NamedTuple

from freehold.db.pool import Queries, Record
from freehold.web.projects import CONSOLE

_SESSION = """
    s.id, s.user_id, s.provider, s.provider_uid, s.factors, s.ip, s.user_agent, s.mfa_at, s.expires_at,
    s.created_at, s.updated_at
"""


class NewSession(NamedTuple):
    """A session to be opened."""

    id: str
    user_id: str
    secret_digest: bytes
    provider: str
    provider_uid: str
    factors: list[str]
    ip: str
    user_agent: str
    seconds: float
    """How long it lasts."""


async def claim_console(db: Queries, user_id: str) -> bool:
    """Make the user the console's first one. Of all who ever try, one succeeds.

    The row of the console project remembers it for good, so that deleting that user opens nothing.
    """
    claimed = await db.value(
        """
        update freehold.projects
        set settings = settings || jsonb_build_object('firstUserId', $2::text)
        where id = $1 and not settings ? 'firstUserId'
        returning true
        """,
        CONSOLE,
        user_id,
    )
    return claimed is True


async def adopt_organizations(db: Queries, user_id: str, membership_id: str) -> None:
    """Make the console's first user the owner of the organization that the first start made."""
    await db.run(
        """
        insert into freehold.memberships (project_id, id, team_id, user_id, roles, confirmed, joined_at)
        select t.project_id, $3, t.id, $2, '{owner}', true, now()
        from freehold.teams t
        where t.project_id = $1
          and t.id = (select settings ->> 'defaultOrganizationId' from freehold.projects where id = $1)
        """,
        CONSOLE,
        user_id,
        membership_id,
    )


async def hold_registrations(db: Queries, project_id: str) -> None:
    """Let others who count the users of this project wait until the transaction ends."""
    await db.run(
        "select pg_advisory_xact_lock(hashtextextended('freehold registrations ' || $1, 0))", project_id
    )


async def count_users(db: Queries, project_id: str, most: int) -> int:
    """Count the users of a project, up to `most`."""
    found: int = await db.value(
        "select count(*) from (select 1 from freehold.users where project_id = $1 limit $2) counted",
        project_id,
        most,
    )
    return found


async def find_abandoned_team(db: Queries, project_id: str, user_id: str) -> str | None:
    """The name of a team that would have no owner any more without this user; None when there is none.

    Holds the user's teams until the transaction ends: of two owners who leave at once, one finds the other.
    """
    await db.run(
        """
        select 1 from freehold.teams t
        where t.project_id = $1 and t.id in (
            select team_id from freehold.memberships where project_id = $1 and user_id = $2
        )
        order by t.id
        for update
        """,
        project_id,
        user_id,
    )
    return await db.value(  # type: ignore[no-any-return]
        """
        select t.name
        from freehold.memberships m
        join freehold.teams t on t.project_id = m.project_id and t.id = m.team_id
        where m.project_id = $1 and m.user_id = $2 and m.confirmed and 'owner' = any(m.roles)
          and not exists (
              select 1 from freehold.memberships o
              where o.project_id = $1 and o.team_id = m.team_id and o.user_id <> $2
                and o.confirmed and 'owner' = any(o.roles)
          )
        order by t.id
        limit 1
        """,
        project_id,
        user_id,
    )


async def count_sessions(db: Queries, project_id: str, user_id: str) -> int:
    """Count the living sessions of a user."""
    found: int = await db.value(
        """
        select count(*) from freehold.sessions
        where project_id = $1 and user_id = $2 and expires_at > now()
        """,
        project_id,
        user_id,
    )
    return found


async def find_credentials(db: Queries, project_id: str, email: str) -> Record | None:
    """The user with this e-mail address: its id, its password's hash, and whether it is enabled."""
    return await db.row(
        """
        select id, password_hash, password_changed_at, enabled from freehold.users
        where project_id = $1 and lower(email) = lower($2)
        """,
        project_id,
        email,
    )


async def open_session(
    db: Queries, project_id: str, session: NewSession, *, password_hash: str | None
) -> Record | None:
    """Open a session, unless the user was blocked meanwhile, or got another password than the one given.

    Gives it with the user's name and address.
    """
    return await db.row(
        f"""
        with u as (
            select id, name, email, accessed_at from freehold.users
            where project_id = $1 and id = $3 and enabled and ($11::text is null or password_hash = $11)
            for share
        ),
        noted as (
            update freehold.users v set accessed_at = now()
            from u
            where v.project_id = $1 and v.id = u.id
              and (u.accessed_at is null or u.accessed_at < now() - interval '1 day')
        )
        insert into freehold.sessions as s (project_id, id, user_id, secret_digest, provider, provider_uid,
                                            factors, ip, user_agent, expires_at)
        select $1, $2, u.id, $4, $5, $6, $7, $8, $9, now() + make_interval(secs => $10)
        from u
        returning {_SESSION}, (select name from u) as user_name, (select email from u) as user_email
        """,
        project_id,
        *session,
        password_hash,
    )


async def close_oldest_sessions(db: Queries, project_id: str, user_id: str, most: int) -> None:
    """Keep only the newest sessions of a user."""
    await db.run(
        """
        delete from freehold.sessions
        where project_id = $1 and user_id = $2 and id in (
            select id from freehold.sessions
            where project_id = $1 and user_id = $2
            order by created_at desc, id desc
            offset $3
        )
        """,
        project_id,
        user_id,
        most,
    )


async def list_sessions(db: Queries, project_id: str, user_id: str) -> list[Record]:
    """The living sessions of a user, newest first."""
    return await db.rows(
        f"""
        select {_SESSION} from freehold.sessions s
        where s.project_id = $1 and s.user_id = $2 and s.expires_at > now()
        order by s.created_at desc, s.id desc
        """,
        project_id,
        user_id,
    )


async def find_session(db: Queries, project_id: str, user_id: str, session_id: str) -> Record | None:
    """Find a living session of a user."""
    return await db.row(
        f"""
        select {_SESSION} from freehold.sessions s
        where s.project_id = $1 and s.user_id = $2 and s.id = $3 and s.expires_at > now()
        """,
        project_id,
        user_id,
        session_id,
    )


async def extend_session(
    db: Queries, project_id: str, user_id: str, session_id: str, seconds: float
) -> Record | None:
    """Let a living session last so long from now."""
    return await db.row(
        f"""
        update freehold.sessions s
        set expires_at = now() + make_interval(secs => $4), updated_at = now()
        where s.project_id = $1 and s.user_id = $2 and s.id = $3 and s.expires_at > now()
        returning {_SESSION}
        """,
        project_id,
        user_id,
        session_id,
        seconds,
    )


async def renew_session(
    db: Queries, project_id: str, user_id: str, session_id: str, secret_digest: bytes
) -> Record | None:
    """Give a living session another secret."""
    return await db.row(
        f"""
        update freehold.sessions s set secret_digest = $4, updated_at = now()
        where s.project_id = $1 and s.user_id = $2 and s.id = $3 and s.expires_at > now()
        returning {_SESSION}
        """,
        project_id,
        user_id,
        session_id,
        secret_digest,
    )


async def close_other_sessions(db: Queries, project_id: str, user_id: str, session_id: str) -> None:
    """End all sessions of a user but one."""
    await db.run(
        "delete from freehold.sessions where project_id = $1 and user_id = $2 and id <> $3",
        project_id,
        user_id,
        session_id,
    )


async def close_session(db: Queries, project_id: str, user_id: str, session_id: str) -> Record | None:
    """End a session. Gives what it was."""
    return await db.row(
        f"""
        delete from freehold.sessions s
        where s.project_id = $1 and s.user_id = $2 and s.id = $3
        returning {_SESSION}
        """,
        project_id,
        user_id,
        session_id,
    )


async def close_sessions(db: Queries, project_id: str, user_id: str) -> list[Record]:
    """End all sessions of a user. Gives what they were."""
    return await db.rows(
        f"delete from freehold.sessions s where s.project_id = $1 and s.user_id = $2 returning {_SESSION}",
        project_id,
        user_id,
    )
