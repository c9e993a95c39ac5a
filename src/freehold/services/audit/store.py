"""What is asked of the audit log. A project does not see what happened to one that had its id before."""

from __future__ import annotations

from freehold.db.pool import Queries, Record

_OF_RESOURCE = """
    from freehold.audit a join freehold.projects p on p.id = a.project_id and a.happened_at >= p.created_at
    where a.project_id = $1 and a.resource = $2
"""


async def find(db: Queries, project_id: str, resource: str, limit: int, offset: int) -> list[Record]:
    """What was done to a resource, newest first."""
    return await db.rows(
        f"select a.* {_OF_RESOURCE} order by a.position desc limit $3 offset $4",
        project_id, resource, limit, offset,
    )  # fmt: skip


async def count(db: Queries, project_id: str, resource: str, *, most: int) -> int:
    """How many entries there are, up to so many."""
    return await db.value(  # type: ignore[no-any-return]
        f"select count(*) from (select 1 {_OF_RESOURCE} limit $3) counted", project_id, resource, most
    )
