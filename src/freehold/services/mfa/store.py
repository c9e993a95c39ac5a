"""SQL of the second factor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from freehold.db.pool import Queries, Record


async def find_standing(db: Queries, project_id: str, user_id: str) -> Record | None:
    """What a user has to answer challenges with: its address and number, whether they are verified, and
    whether it has a verified authenticator app and recovery codes."""
    return await db.row(
        """
        select u.email, u.email_verified, u.phone, u.phone_verified,
               exists (select from freehold.authenticators a
                       where a.project_id = u.project_id and a.user_id = u.id and a.verified) as has_totp,
               exists (select from freehold.recovery_codes c
                       where c.project_id = u.project_id and c.user_id = u.id) as has_recovery_codes
        from freehold.users u
        where u.project_id = $1 and u.id = $2
        """,
        project_id,
        user_id,
    )


# Authenticators


async def add_authenticator(db: Queries, project_id: str, user_id: str, secret_sealed: bytes) -> bool:
    """Give a user an authenticator app that is yet to be verified, in place of one that never was."""
    added = await db.value(
        """
        insert into freehold.authenticators as a (project_id, user_id, type, secret_sealed)
        values ($1, $2, 'totp', $3)
        on conflict (project_id, user_id, type) do update
        set secret_sealed = excluded.secret_sealed, last_step = 0, created_at = now()
        where not a.verified
        returning true
        """,
        project_id,
        user_id,
        secret_sealed,
    )
    return added is True


async def find_authenticator(db: Queries, project_id: str, user_id: str) -> Record | None:
    """The authenticator app of a user."""
    return await db.row(
        """
        select secret_sealed, verified from freehold.authenticators
        where project_id = $1 and user_id = $2 and type = 'totp'
        """,
        project_id,
        user_id,
    )


async def use_step(db: Queries, project_id: str, user_id: str, step: int) -> bool:
    """Take the code of a time step, which makes its authenticator a verified one. Tells whether it still
    counts: each does once, and none that is older than the last."""
    used = await db.value(
        """
        update freehold.authenticators set last_step = $3, verified = true
        where project_id = $1 and user_id = $2 and type = 'totp' and last_step < $3
        returning true
        """,
        project_id,
        user_id,
        step,
    )
    return used is True


async def delete_authenticator(db: Queries, project_id: str, user_id: str) -> bool:
    """Delete the authenticator app of a user. Tells whether there was one."""
    deleted = await db.value(
        """
        delete from freehold.authenticators where project_id = $1 and user_id = $2 and type = 'totp'
        returning true
        """,
        project_id,
        user_id,
    )
    return deleted is True


# Recovery codes


async def find_recovery_codes(db: Queries, project_id: str, user_id: str) -> bytes | None:
    """The recovery codes of a user, sealed. Whoever asks in a transaction has them to itself."""
    found: bytes | None = await db.value(
        """
        select codes_sealed from freehold.recovery_codes where project_id = $1 and user_id = $2 for update
        """,
        project_id,
        user_id,
    )
    return found


async def create_recovery_codes(db: Queries, project_id: str, user_id: str, codes_sealed: bytes) -> bool:
    """Give a user recovery codes. Tells whether it had none before."""
    created = await db.value(
        """
        insert into freehold.recovery_codes (project_id, user_id, codes_sealed) values ($1, $2, $3)
        on conflict (project_id, user_id) do nothing
        returning true
        """,
        project_id,
        user_id,
        codes_sealed,
    )
    return created is True


async def replace_recovery_codes(db: Queries, project_id: str, user_id: str, codes_sealed: bytes) -> bool:
    """Replace a user's recovery codes. Tells whether there were any."""
    replaced = await db.value(
        """
        update freehold.recovery_codes set codes_sealed = $3, updated_at = now()
        where project_id = $1 and user_id = $2
        returning true
        """,
        project_id,
        user_id,
        codes_sealed,
    )
    return replaced is True


async def delete_recovery_codes(db: Queries, project_id: str, user_id: str) -> None:
    """Take a user's recovery codes away, as when all are used up."""
    await db.run(
        "delete from freehold.recovery_codes where project_id = $1 and user_id = $2", project_id, user_id
    )


# Challenges

_CHALLENGE = "c.id, c.user_id, c.factor, c.code_sealed, c.expires_at, c.created_at"


class NewChallenge(NamedTuple):
    """A challenge to be made."""

    id: str
    user_id: str
    session_id: str
    factor: str
    code_sealed: bytes | None
    seconds: int


async def create_challenge(db: Queries, project_id: str, challenge: NewChallenge) -> Record:
    """Ask a session for a factor."""
    row = await db.row(
        f"""
        insert into freehold.mfa_challenges as c (project_id, id, user_id, session_id, factor, code_sealed,
                                                  expires_at)
        values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
        returning {_CHALLENGE}
        """,
        project_id,
        *challenge,
    )
    assert row is not None
    return row


async def find_challenge(
    db: Queries, project_id: str, user_id: str, challenge_id: str, factor: str
) -> Record | None:
    """An open challenge of a user."""
    return await db.row(
        f"""
        select {_CHALLENGE} from freehold.mfa_challenges c
        where c.project_id = $1 and c.user_id = $2 and c.id = $3 and c.factor = $4 and c.expires_at > now()
        """,
        project_id,
        user_id,
        challenge_id,
        factor,
    )


async def attempt_challenge(
    db: Queries, project_id: str, session_id: str, challenge_id: str, most_attempts: int
) -> Record | None:
    """Count an attempt at an open challenge of a session. None when it has had too many."""
    return await db.row(
        f"""
        update freehold.mfa_challenges c set attempts = attempts + 1
        where c.project_id = $1 and c.session_id = $2 and c.id = $3 and c.expires_at > now()
          and c.attempts < $4
        returning {_CHALLENGE}
        """,
        project_id,
        session_id,
        challenge_id,
        most_attempts,
    )


async def close_challenge(db: Queries, project_id: str, challenge_id: str) -> bool:
    """Use a challenge up. Of all who answer it at once, one is told that it did."""
    closed = await db.value(
        "delete from freehold.mfa_challenges where project_id = $1 and id = $2 returning true",
        project_id,
        challenge_id,
    )
    return closed is True


# All of it


async def delete_all(db: Queries, project_id: str, user_id: str) -> None:
    """Delete the authenticator app and the recovery codes of a user."""
    await delete_authenticator(db, project_id, user_id)
    await delete_recovery_codes(db, project_id, user_id)


# Sessions


async def add_factors(
    db: Queries, project_id: str, session_id: str, factors: Sequence[str], *, challenged: bool = False
) -> None:
    """Note the factors that a session has shown. `challenged`: just now, in answer to a challenge."""
    await db.run(
        """
        update freehold.sessions s
        set factors = s.factors || array(select f from unnest($3::text[]) f where f <> all (s.factors)),
            mfa_at = case when $4 then now() else s.mfa_at end,
            updated_at = now()
        where s.project_id = $1 and s.id = $2
        """,
        project_id,
        session_id,
        list(factors),
        challenged,
    )
