"""SQL of projects."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from freehold.db import listing
from freehold.db.listing import Found, Listing, moment, number, text, texts
from freehold.db.pool import Queries, Record
from freehold.housekeeping import DroppedProject
from freehold.services.projects.errors import ProjectAlreadyExists
from freehold.web.projects import CONSOLE

_PROJECT = """
    p.id, p.team_id, p.name, p.description, p.region, p.status, p.labels, p.settings, p.ping_count,
    p.pinged_at, p.accessed_at, p.created_at, p.updated_at,
    (select jsonb_agg(jsonb_build_object('key', o.provider, 'appId', o.client_id, 'enabled', o.enabled))
     from freehold.oauth_providers o where o.project_id = p.id) as oauth_providers
"""

PROJECTS = Listing(
    columns=_PROJECT,
    source="freehold.projects p",
    id="p.id",
    created_at="p.created_at",
    attributes={
        "$id": text("p.id"),
        "$createdAt": moment("p.created_at"),
        "$updatedAt": moment("p.updated_at"),
        "name": text("p.name"),
        "teamId": text("p.team_id"),
        "region": text("p.region"),
        "status": text("p.status"),
        "labels": texts("p.labels"),
        "pingCount": number("p.ping_count"),
        "pingedAt": moment("p.pinged_at"),
        "accessedAt": moment("p.accessed_at"),
    },
    search=("p.id", "p.name"),
)


async def create(db: Queries, project_id: str, team_id: str, name: str, region: str) -> Record:
    """Make a project of an organization. Raises ProjectAlreadyExists."""
    try:
        row = await db.row(
            f"""
            insert into freehold.projects as p (id, team_id, name, region) values ($1, $2, $3, $4)
            returning {_PROJECT}
            """,
            project_id,
            team_id,
            name,
            region,
        )
    except asyncpg.UniqueViolationError as error:
        raise ProjectAlreadyExists() from error
    assert row is not None
    return row


async def find(db: Queries, project_id: str) -> Record | None:
    """Find a project. The console is none."""
    return await db.row(
        f"select {_PROJECT} from freehold.projects p where p.id = $1 and p.id <> $2", project_id, CONSOLE
    )


async def fetch(db: Queries, queries: Sequence[str], *, reach: list[str], search: str, total: bool) -> Found:
    """List the projects of organizations: of `arsenal/*` all of one, of `arsenal/shop` only that one."""
    where = {
        "array[p.team_id || '/*', p.team_id || '/' || p.id] && {}::text[]": reach,
        "p.id <> {}": CONSOLE,
    }
    return await listing.fetch(db, PROJECTS, queries, where=where, search=search, total=total)


async def rename(db: Queries, project_id: str, name: str, description: str | None) -> Record | None:
    """Rename a project; its description stays when none is given."""
    return await db.row(
        f"""
        update freehold.projects p
        set name = $2, description = coalesce($3, p.description), updated_at = now()
        where p.id = $1
        returning {_PROJECT}
        """,
        project_id,
        name,
        description,
    )


async def move(db: Queries, project_id: str, team_id: str) -> Record | None:
    """Give a project to another organization."""
    return await db.row(
        f"""
        update freehold.projects p set team_id = $2, updated_at = now()
        where p.id = $1
        returning {_PROJECT}
        """,
        project_id,
        team_id,
    )


async def list_of_organization(db: Queries, team_id: str) -> list[Record]:
    """All projects of an organization."""
    return await db.rows(
        f"select {_PROJECT} from freehold.projects p where p.team_id = $1 and p.id <> $2", team_id, CONSOLE
    )


async def remove(db: Queries, project_id: str) -> DroppedProject:
    """Delete a project and what the platform knows of it. Gives what nothing refers to any more."""
    # Held first: a database that is being made meanwhile either comes before us, or finds no project.
    await db.run("select 1 from freehold.projects where id = $1 for update", project_id)
    rows = await db.rows("select namespace from freehold.databases where project_id = $1", project_id)
    buckets = await db.rows("select folder from freehold.buckets where project_id = $1", project_id)
    await db.run("delete from freehold.projects where id = $1 and id <> $2", project_id, CONSOLE)
    return DroppedProject(
        namespaces=[row["namespace"] for row in rows], folders=[row["folder"] for row in buckets]
    )
