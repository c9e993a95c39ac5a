"""What is asked of the audit log. A project does not see what happened to one that had its id before."""

from __future__ import annotations

from freehold.db.pool import Queries, Record

_ENTRIES = """
    from freehold.audit a join freehold.projects p on p.id = a.project_id and a.happened_at >= p.created_at
    where a.project_id = $1
"""

OF_RESOURCE = f"{_ENTRIES} and a.resource = $2"
"""Those that tell of a resource."""
OF_USER = f"""{_ENTRIES}
    and (a.actor = 'user:' || $2 or (a.resource = 'users/' || $2 and a.actor = 'guest'))
"""
"""Those that tell of what a user did; who signs in is a guest until then."""


async def find(db: Queries, project_id: str, which: str, value: str, limit: int, offset: int) -> list[Record]:
    """Entries, newest first; `which` is one of the constants above."""
    return await db.rows(
        f"select a.* {which} order by a.position desc limit $3 offset $4",
        project_id, value, limit, offset,
    )  # fmt: skip


async def count(db: Queries, project_id: str, which: str, value: str, *, most: int) -> int:
    """How many entries there are, up to so many."""
    return await db.value(  # type: ignore[no-any-return]
        f"select count(*) from (select 1 {which} limit $3) counted", project_id, value, most
    )
