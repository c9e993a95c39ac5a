"""SQL of webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from freehold.db import listing
from freehold.db.listing import Found, Listing, flag, moment, number, text, texts
from freehold.db.pool import Queries, Record
from freehold.services.webhooks.errors import WebhookAlreadyExists

_WEBHOOK = """
    w.id, w.name, w.description, w.url, w.events, w.enabled, w.tls, w.auth_username, w.logs, w.attempts,
    w.created_at, w.updated_at
"""

WEBHOOKS = Listing(
    columns=_WEBHOOK,
    source="freehold.webhooks w",
    id="w.id",
    created_at="w.created_at",
    attributes={
        "$id": text("w.id"),
        "$createdAt": moment("w.created_at"),
        "$updatedAt": moment("w.updated_at"),
        "name": text("w.name"),
        "url": text("w.url"),
        "events": texts("w.events"),
        "enabled": flag("w.enabled"),
        "tls": flag("w.tls"),
        "authUsername": text("w.auth_username"),
        "attempts": number("w.attempts"),
    },
)


class Settings(NamedTuple):
    """What is said of a webhook."""

    name: str
    description: str
    url: str
    events: list[str]
    enabled: bool
    tls: bool
    auth_username: str


async def create(
    db: Queries,
    project_id: str,
    webhook_id: str,
    settings: Settings,
    *,
    password_sealed: bytes | None,
    secret_sealed: bytes,
) -> Record:
    """Make a webhook. Raises WebhookAlreadyExists."""
    try:
        row = await db.row(
            f"""
            insert into freehold.webhooks as w (project_id, id, name, description, url, events, enabled, tls,
                                                auth_username, auth_password_sealed, secret_sealed)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            returning {_WEBHOOK}
            """,
            project_id,
            webhook_id,
            *settings,
            password_sealed,
            secret_sealed,
        )
    except asyncpg.UniqueViolationError as error:
        raise WebhookAlreadyExists() from error
    assert row is not None
    return row


async def find(db: Queries, project_id: str, webhook_id: str) -> Record | None:
    """Find a webhook."""
    return await db.row(
        f"select {_WEBHOOK} from freehold.webhooks w where w.project_id = $1 and w.id = $2",
        project_id,
        webhook_id,
    )


async def fetch(db: Queries, project_id: str, queries: Sequence[str], *, total: bool) -> Found:
    """List the project's webhooks."""
    return await listing.fetch(db, WEBHOOKS, queries, where={"w.project_id = {}": project_id}, total=total)


async def update(
    db: Queries,
    project_id: str,
    webhook_id: str,
    settings: Settings,
    *,
    keeps_password: bool,
    password_sealed: bytes | None,
) -> Record | None:
    """Change a webhook. One that had been given up is tried again."""
    return await db.row(
        f"""
        update freehold.webhooks w
        set name = $3, description = $4, url = $5, events = $6, enabled = $7, tls = $8, auth_username = $9,
            auth_password_sealed = case when $10 then w.auth_password_sealed else $11::bytea end,
            attempts = case when $7 then 0 else w.attempts end,
            paused_until = case when $7 then null else w.paused_until end, updated_at = now()
        where w.project_id = $1 and w.id = $2
        returning {_WEBHOOK}
        """,
        project_id,
        webhook_id,
        *settings,
        keeps_password,
        password_sealed,
    )


async def set_secret(db: Queries, project_id: str, webhook_id: str, secret_sealed: bytes) -> Record | None:
    """Replace what a webhook's deliveries are signed with."""
    return await db.row(
        f"""
        update freehold.webhooks w set secret_sealed = $3, updated_at = now()
        where w.project_id = $1 and w.id = $2
        returning {_WEBHOOK}
        """,
        project_id,
        webhook_id,
        secret_sealed,
    )


async def delete(db: Queries, project_id: str, webhook_id: str) -> Record | None:
    """Delete a webhook. Gives what it was."""
    return await db.row(
        f"delete from freehold.webhooks w where w.project_id = $1 and w.id = $2 returning {_WEBHOOK}",
        project_id,
        webhook_id,
    )
