"""SQL of users."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from freehold.db import listing
from freehold.db.listing import Found, Listing, flag, moment, text, texts
from freehold.db.pool import Queries, Record
from freehold.errors import InvalidParameter
from freehold.services import targets
from freehold.services.users.errors import UserAlreadyExists

_COLUMNS = f"""
    u.id, u.name, u.email, u.phone, u.password_changed_at, u.enabled, u.labels, u.email_verified,
    u.phone_verified, u.mfa, u.prefs, u.accessed_at, u.created_at, u.updated_at,
    {targets.OF_USER} as targets
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


_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# Plain ASCII only: letters of other scripts that look alike would be another user with the same face.
_EMAIL = re.compile(rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")


def is_email(text: str) -> bool:
    """Tell whether it is an e-mail address in lower case."""
    return _EMAIL.fullmatch(text) is not None


def checked_email(email: str) -> str:
    """The address in lower case. Raises InvalidParameter when it is none."""
    email = email.strip().lower()
    if not is_email(email):
        raise InvalidParameter(name="email", reason="Value must be a valid email address.")
    return email


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
    return await db.row(
        f"""
        update freehold.users u set name = $3, updated_at = now()
        where u.project_id = $1 and u.id = $2
        returning {_COLUMNS}
        """,
        project_id,
        user_id,
        name,
    )


async def set_prefs(db: Queries, project_id: str, user_id: str, prefs: bytes) -> Record | None:
    """Replace a user's preferences."""
    return await db.row(
        f"""
        update freehold.users u set prefs = $3, updated_at = now()
        where u.project_id = $1 and u.id = $2
        returning {_COLUMNS}
        """,
        project_id,
        user_id,
        prefs,
    )


async def set_enabled(db: Queries, project_id: str, user_id: str, enabled: bool) -> Record | None:
    """Block a user, or let it in again."""
    return await db.row(
        f"""
        update freehold.users u set enabled = $3, updated_at = now()
        where u.project_id = $1 and u.id = $2
        returning {_COLUMNS}
        """,
        project_id,
        user_id,
        enabled,
    )


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
    return await db.row(
        f"""
        update freehold.users u set labels = $3, updated_at = now()
        where u.project_id = $1 and u.id = $2
        returning {_COLUMNS}
        """,
        project_id,
        user_id,
        labels,
    )


async def delete(db: Queries, project_id: str, user_id: str) -> Record | None:
    """Delete a user with its sessions and memberships. Gives what it was."""
    return await db.row(
        f"delete from freehold.users u where u.project_id = $1 and u.id = $2 returning {_COLUMNS}",
        project_id,
        user_id,
    )
