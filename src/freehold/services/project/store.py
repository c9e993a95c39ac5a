"""SQL of a project's keys, platforms and switches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from freehold import secrets
from freehold.db import listing
from freehold.db.listing import Found, Listing, moment, text, texts
from freehold.db.pool import Queries, Record
from freehold.services.project.errors import KeyAlreadyExists, PlatformAlreadyExists

KEY_PREFIX = "standard_"
_SECRET_CHARACTERS = 256

_KEY = """
    k.id, k.name, k.description, k.secret_sealed, k.scopes, k.expires_at, k.accessed_at, k.sdks, k.created_at,
    k.updated_at
"""
_PLATFORM = "f.id, f.type, f.name, f.identifier, f.created_at, f.updated_at"

KEYS = Listing(
    columns=_KEY,
    source="freehold.keys k",
    id="k.id",
    created_at="k.created_at",
    attributes={
        "$id": text("k.id"),
        "$createdAt": moment("k.created_at"),
        "$updatedAt": moment("k.updated_at"),
        "name": text("k.name"),
        "expire": moment("k.expires_at"),
        "accessedAt": moment("k.accessed_at"),
        "scopes": texts("k.scopes"),
        "sdks": texts("k.sdks"),
    },
)

PLATFORMS = Listing(
    columns=_PLATFORM,
    source="freehold.platforms f",
    id="f.id",
    created_at="f.created_at",
    attributes={
        "$id": text("f.id"),
        "$createdAt": moment("f.created_at"),
        "$updatedAt": moment("f.updated_at"),
        "name": text("f.name"),
        "type": text("f.type"),
        "hostname": text("case when f.type = 'web' then f.identifier else '' end"),
        "bundleIdentifier": text("case when f.type = 'apple' then f.identifier else '' end"),
        "applicationId": text("case when f.type = 'android' then f.identifier else '' end"),
        "packageIdentifierName": text("case when f.type = 'windows' then f.identifier else '' end"),
        "packageName": text("case when f.type = 'linux' then f.identifier else '' end"),
    },
)


class NewKey(NamedTuple):
    """An API key to be made."""

    id: str
    name: str
    scopes: list[str]
    expires_at: datetime | None = None


async def create_key(db: Queries, sealing: bytes, project_id: str, key: NewKey) -> tuple[Record, str]:
    """Make an API key. Gives its row and its text. Raises KeyAlreadyExists.

    The text is kept encrypted under the `sealing` key, for the console shows it again; what is compared is
    its digest.
    """
    secret = secrets.new_secret(_SECRET_CHARACTERS)
    try:
        row = await db.row(
            f"""
            insert into freehold.keys as k (project_id, id, name, scopes, expires_at, secret_digest,
                                            secret_sealed)
            values ($1, $2, $3, $4, $5, $6, $7)
            returning {_KEY}
            """,
            project_id,
            *key,
            secrets.digest(secret),
            secrets.seal(sealing, KEY_PREFIX + secret),
        )
    except asyncpg.UniqueViolationError as error:
        raise KeyAlreadyExists() from error
    assert row is not None
    return row, KEY_PREFIX + secret


async def find_key_text(db: Queries, sealing: bytes, project_id: str, key_id: str) -> str | None:
    """The text of a key; None when there is no such key, or another secret sealed it."""
    sealed = await db.value(
        "select secret_sealed from freehold.keys where project_id = $1 and id = $2", project_id, key_id
    )
    return secrets.unseal(sealing, sealed) if sealed is not None else None


async def find_key(db: Queries, project_id: str, key_id: str) -> Record | None:
    """Find an API key."""
    return await db.row(
        f"select {_KEY} from freehold.keys k where k.project_id = $1 and k.id = $2", project_id, key_id
    )


async def fetch_keys(db: Queries, project_id: str, queries: Sequence[str], *, total: bool) -> Found:
    """List the project's API keys."""
    return await listing.fetch(db, KEYS, queries, where={"k.project_id = {}": project_id}, total=total)


async def update_key(
    db: Queries, project_id: str, key_id: str, name: str, scopes: list[str], expires_at: datetime | None
) -> Record | None:
    """Change an API key. Its text stays."""
    return await db.row(
        f"""
        update freehold.keys k set name = $3, scopes = $4, expires_at = $5, updated_at = now()
        where k.project_id = $1 and k.id = $2
        returning {_KEY}
        """,
        project_id,
        key_id,
        name,
        scopes,
        expires_at,
    )


async def delete_key(db: Queries, project_id: str, key_id: str) -> Record | None:
    """Delete an API key. Gives what it was."""
    return await db.row(
        f"delete from freehold.keys k where k.project_id = $1 and k.id = $2 returning {_KEY}",
        project_id,
        key_id,
    )


async def create_platform(
    db: Queries, project_id: str, platform_id: str, kind: str, name: str, identifier: str
) -> Record:
    """Make a platform. Raises PlatformAlreadyExists."""
    try:
        row = await db.row(
            f"""
            insert into freehold.platforms as f (project_id, id, type, name, identifier)
            values ($1, $2, $3, $4, $5)
            returning {_PLATFORM}
            """,
            project_id,
            platform_id,
            kind,
            name,
            identifier,
        )
    except asyncpg.UniqueViolationError as error:
        raise PlatformAlreadyExists() from error
    assert row is not None
    return row


async def find_platform(db: Queries, project_id: str, platform_id: str) -> Record | None:
    """Find a platform."""
    return await db.row(
        f"select {_PLATFORM} from freehold.platforms f where f.project_id = $1 and f.id = $2",
        project_id,
        platform_id,
    )


async def fetch_platforms(db: Queries, project_id: str, queries: Sequence[str], *, total: bool) -> Found:
    """List the project's platforms."""
    where = {"f.project_id = {}": project_id, "f.type <> {}": "scheme"}
    return await listing.fetch(db, PLATFORMS, queries, where=where, total=total)


async def update_platform(
    db: Queries, project_id: str, platform_id: str, name: str, identifier: str
) -> Record | None:
    """Change a platform."""
    return await db.row(
        f"""
        update freehold.platforms f set name = $3, identifier = $4, updated_at = now()
        where f.project_id = $1 and f.id = $2
        returning {_PLATFORM}
        """,
        project_id,
        platform_id,
        name,
        identifier,
    )


async def delete_platform(db: Queries, project_id: str, platform_id: str) -> Record | None:
    """Delete a platform. Gives what it was."""
    return await db.row(
        f"delete from freehold.platforms f where f.project_id = $1 and f.id = $2 returning {_PLATFORM}",
        project_id,
        platform_id,
    )


async def set_labels(db: Queries, project_id: str, labels: list[str]) -> None:
    """Replace the project's labels."""
    await db.run(
        "update freehold.projects set labels = $2, updated_at = now() where id = $1", project_id, labels
    )


async def hold_console(db: Queries) -> bytes:
    """Keep other starts waiting until the transaction ends. Gives the console's own settings."""
    settings: bytes = await db.value("select settings from freehold.projects where id = 'console' for update")
    return settings


async def create_first(db: Queries, organization_id: str, project_id: str) -> None:
    """Make the first organization with a project, and let the console's first user own it if there is one."""
    await db.run(
        "insert into freehold.teams (project_id, id, name) values ('console', $1, 'Default')", organization_id
    )
    await db.run(
        "insert into freehold.projects (id, team_id, name) values ($1, $2, 'Default')",
        project_id,
        organization_id,
    )
    await db.run(
        """
        insert into freehold.memberships (project_id, id, team_id, user_id, roles, confirmed, joined_at)
        select 'console', $1, $1, u.id, '{owner}', true, now()
        from freehold.users u
        join freehold.projects p on p.id = u.project_id and p.settings ->> 'firstUserId' = u.id
        where u.project_id = 'console'
        """,
        organization_id,
    )
    await db.run(
        """
        update freehold.projects
        set settings = settings || jsonb_build_object('defaultOrganizationId', $1::text)
        where id = 'console'
        """,
        organization_id,
    )


async def set_policy(db: Queries, project_id: str, policy_id: str, parameters: bytes) -> None:
    """Change parameters of a policy. Those that are not said stay as they are."""
    await db.run(
        """
        update freehold.projects
        set settings = settings || jsonb_build_object(
                'policies',
                coalesce(settings -> 'policies', '{}') || jsonb_build_object(
                    $2::text, coalesce(settings -> 'policies' -> $2, '{}') || $3::jsonb
                )
            ),
            updated_at = now()
        where id = $1
        """,
        project_id,
        policy_id,
        parameters,
    )


async def set_smtp(db: Queries, project_id: str, smtp: bytes) -> None:
    """Replace the settings of the project's own SMTP server."""
    await db.run(
        """
        update freehold.projects
        set settings = jsonb_set(settings, '{smtp}', $2::jsonb), updated_at = now()
        where id = $1
        """,
        project_id,
        smtp,
    )


async def switch(db: Queries, project_id: str, setting: str, name: str, enabled: bool) -> None:
    """Take a name off one of the lists of what is switched off, or put it there."""
    await db.run(
        """
        update freehold.projects
        set settings = jsonb_set(
                settings,
                array[$2],
                (coalesce(settings -> $2, '[]') - $3::text)
                || case when $4 then '[]'::jsonb else to_jsonb(array[$3::text]) end
            ),
            updated_at = now()
        where id = $1
        """,
        project_id,
        setting,
        name,
        enabled,
    )
