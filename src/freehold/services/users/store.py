"""SQL of users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from freehold.db import listing
from freehold.db.listing import Found, Listing, flag, moment, text, texts
from freehold.db.pool import Queries, Record
from freehold.services import targets
from freehold.services.users.errors import EmailTaken, PhoneTaken, UserAlreadyExists

_COLUMNS = f"""
    u.id, u.name, u.email, u.phone, u.password_changed_at, u.enabled, u.labels, u.email_verified,
    u.phone_verified, u.mfa, u.prefs, u.accessed_at, u.created_at, u.updated_at, u.email_canonical,
    u.impersonator, u.password_hash, u.email_proven_apart, {targets.OF_USER} as targets
"""

USERS = Listing(
    columns=_COLUMNS,
    source="freehold.users u",
    id="u.id",
    created_at="u.created_at",
    attributes={
        "$id": text("u.id"),
        "$createdAt": moment("u.created_at"),
        "$updatedAt": moment("u.updated_at"),
        "name": text("u.name"),
        "email": text("coalesce(u.email, '')"),
        "phone": text("coalesce(u.phone, '')"),
        "status": flag("u.enabled"),
        "emailVerification": flag("u.email_verified"),
        "phoneVerification": flag("u.phone_verified"),
        "labels": texts("u.labels"),
        "passwordUpdate": moment("u.password_changed_at"),
        "registration": moment("u.created_at"),
        "accessedAt": moment("u.accessed_at"),
        "emailCanonical": text("coalesce(u.email_canonical, '')"),
        "impersonator": flag("u.impersonator"),
    },
    search=("u.id", "u.name", "u.email", "u.phone"),
)


class NewUser(NamedTuple):
    """A user to be made."""

    id: str
    name: str = ""
    email: str | None = None
    phone: str | None = None
    password_hash: str | None = None


async def create(db: Queries, project_id: str, user: NewUser) -> Record:
    """Make a user. Raises UserAlreadyExists."""
    try:
        await db.run(
            """
            insert into freehold.users (project_id, id, name, email, phone, password_hash,
                                        password_changed_at)
            values ($1, $2, $3, $4, $5, $6, case when $6::text is not null then now() end)
            """,
            project_id,
            *user,
        )
    except asyncpg.UniqueViolationError as error:
        raise UserAlreadyExists() from error
    row = await find(db, project_id, user.id)  # with its targets, which that statement could not see yet
    assert row is not None
    return row


async def find(db: Queries, project_id: str, user_id: str) -> Record | None:
    """Find a user by its id."""
    return await db.row(
        f"select {_COLUMNS} from freehold.users u where u.project_id = $1 and u.id = $2", project_id, user_id
    )


async def find_by_email(db: Queries, project_id: str, email: str) -> Record | None:
    """Find a user by its e-mail address, whatever its case."""
    return await db.row(
        f"select {_COLUMNS} from freehold.users u where u.project_id = $1 and lower(u.email) = lower($2)",
        project_id,
        email,
    )


async def find_by_phone(db: Queries, project_id: str, phone: str) -> Record | None:
    """Find a user by its phone number."""
    return await db.row(
        f"select {_COLUMNS} from freehold.users u where u.project_id = $1 and u.phone = $2", project_id, phone
    )


async def fetch(db: Queries, project_id: str, queries: Sequence[str], search: str, total: bool) -> Found:
    """List users."""
    return await listing.fetch(
        db, USERS, queries, where={"u.project_id = {}": project_id}, search=search, total=total
    )


async def set_name(db: Queries, project_id: str, user_id: str, name: str) -> Record | None:
    """Rename a user."""
    return await _change(db, project_id, user_id, "name = $3", name)


async def set_prefs(db: Queries, project_id: str, user_id: str, prefs: bytes) -> Record | None:
    """Replace a user's preferences."""
    return await _change(db, project_id, user_id, "prefs = $3", prefs)


async def set_enabled(db: Queries, project_id: str, user_id: str, enabled: bool) -> Record | None:
    """Block a user, or let it in again."""
    return await _change(db, project_id, user_id, "enabled = $3", enabled)


async def set_mfa(db: Queries, project_id: str, user_id: str, mfa: bool) -> Record | None:
    """Let a user be asked for a second factor, or no more."""
    return await db.row(
        f"""
        update freehold.users u set mfa = $3, updated_at = now()
        where u.project_id = $1 and u.id = $2
        returning {_COLUMNS}
        """,
        project_id,
        user_id,
        mfa,
    )


async def set_labels(db: Queries, project_id: str, user_id: str, labels: list[str]) -> Record | None:
    """Replace a user's labels."""
    return await _change(db, project_id, user_id, "labels = $3", labels)


async def set_email(db: Queries, project_id: str, user_id: str, email: str | None) -> Record | None:
    """Give a user another e-mail address, that has yet to be verified, or none. Raises EmailTaken."""
    try:
        await _change(db, project_id, user_id, "email = $3, email_verified = false", email)
    except asyncpg.UniqueViolationError as error:
        raise EmailTaken() from error
    return await find(db, project_id, user_id)  # with its targets, which follow


async def set_phone(db: Queries, project_id: str, user_id: str, phone: str | None) -> Record | None:
    """Give a user another phone number, that has yet to be verified, or none. Raises PhoneTaken."""
    try:
        await _change(db, project_id, user_id, "phone = $3, phone_verified = false", phone)
    except asyncpg.UniqueViolationError as error:
        raise PhoneTaken() from error
    return await find(db, project_id, user_id)


async def set_email_verified(db: Queries, project_id: str, user_id: str, verified: bool) -> Record | None:
    """Say whether a user has shown that its e-mail address is its own."""
    return await _change(db, project_id, user_id, "email_verified = $3, email_proven_apart = false", verified)


async def set_phone_verified(db: Queries, project_id: str, user_id: str, verified: bool) -> Record | None:
    """Say whether a user has shown that its phone number is its own."""
    return await _change(db, project_id, user_id, "phone_verified = $3", verified)


async def set_impersonator(db: Queries, project_id: str, user_id: str, impersonator: bool) -> Record | None:
    """Say whether a user may act for others."""
    return await _change(db, project_id, user_id, "impersonator = $3", impersonator)


async def set_password(
    db: Queries, project_id: str, user_id: str, password_hash: str | None
) -> Record | None:
    """Give a user another password, or none."""
    return await _change(
        db, project_id, user_id, "password_hash = $3, password_changed_at = now()", password_hash
    )


async def renew_hash(db: Queries, project_id: str, user_id: str, *, old: str, new: str) -> None:
    """Keep another hash of the same password, unless the password was changed in the meantime."""
    await db.run(
        """
        update freehold.users set password_hash = $4
        where project_id = $1 and id = $2 and password_hash = $3
        """,
        project_id,
        user_id,
        old,
        new,
    )


async def last_passwords(db: Queries, project_id: str, user_id: str, most: int) -> list[str]:
    """The hashes of a user's last passwords, of which the one that it has is the first."""
    rows = await db.rows(
        """
        (select password_hash, null::bigint as position from freehold.users
         where project_id = $1 and id = $2 and password_hash is not null)
        union all
        (select password_hash, position from freehold.former_passwords where project_id = $1 and user_id = $2)
        order by position desc nulls first
        limit $3
        """,
        project_id,
        user_id,
        most,
    )
    return [row["password_hash"] for row in rows]


async def canonical_email(db: Queries, email: str) -> str:
    """The address of the mailbox that an e-mail address is perhaps an alias of."""
    return str(await db.value("select freehold.canonical_email($1)", email))


async def delete(db: Queries, project_id: str, user_id: str) -> Record | None:
    """Delete a user with its sessions and memberships. Gives what it was."""
    return await db.row(
        f"delete from freehold.users u where u.project_id = $1 and u.id = $2 returning {_COLUMNS}",
        project_id,
        user_id,
    )


async def count_all(db: Queries, project_id: str) -> Record:
    """How many `users` and how many living `sessions` there are."""
    row = await db.row(
        """
        select (select count(*) from freehold.users where project_id = $1) as users,
               (select count(*) from freehold.sessions
                where project_id = $1 and expires_at > now()) as sessions
        """,
        project_id,
    )
    assert row is not None
    return row


async def count_by_period(db: Queries, project_id: str, unit: str, periods: int) -> list[Record]:
    """How many `users` and `sessions` that are still there were made, from the `start` of each period on.

    `unit`: hour or day. The last period is going on.
    """
    return await db.rows(
        """
        select p.start,
               (select count(*) from freehold.users u
                where u.project_id = $1 and u.created_at >= p.start and u.created_at < p.until) as users,
               (select count(*) from freehold.sessions s
                where s.project_id = $1 and s.created_at >= p.start and s.created_at < p.until) as sessions
        from (
            select start, start + ('1 ' || $2)::interval
            from generate_series(
                date_trunc($2, now(), 'UTC') - ($3 - 1) * ('1 ' || $2)::interval,
                date_trunc($2, now(), 'UTC'),
                ('1 ' || $2)::interval
            ) start
        ) p (start, until)
        order by p.start
        """,
        project_id,
        unit,
        periods,
    )


async def _change(
    db: Queries, project_id: str, user_id: str, assignments: str, *values: object
) -> Record | None:
    """Change what the assignments say; their values are $3 and on. Gives what the user is then."""
    return await db.row(
        f"""
        update freehold.users u set {assignments}, updated_at = now()
        where u.project_id = $1 and u.id = $2
        returning {_COLUMNS}
        """,
        project_id,
        user_id,
        *values,
    )
