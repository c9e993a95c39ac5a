"""What is asked of the audit log. A project does not see what happened to one that had its id before."""

from __future__ import annotations

from typing import NamedTuple

from freehold.db.pool import Queries, Record

_ENTRIES = """
    from freehold.audit a join freehold.projects p on p.id = a.project_id and a.happened_at >= p.created_at
    where a.project_id = $1
"""

OF_RESOURCE = f"{_ENTRIES} and a.resource = $2"
"""Those that tell of a resource."""
OF_USER = f"""{_ENTRIES}
    and (a.actor = 'user:' || $2
         or (a.resource = 'users/' || $2 and (a.actor = 'guest' or a.action = 'session.create')))
"""
"""Those that tell of what a user did, of each session that it got, even from a server, and of what nobody
known asked for, as a recovery."""


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


class Wanted(NamedTuple):
    """Which entries of a project are asked for: those with one of these, or all."""

    event: list[str] | None = None
    resource: list[str] | None = None
    actor: list[str] | None = None


# The first condition is that of an index; the console's chain tells of the project from outside.
_BRANCHES = """
    (select a.* from freehold.audit a join freehold.projects p on p.id = a.project_id
     where a.project_id = $1 and a.action not like 'row.%' and a.action not like 'file.%' and {asked}
     order by a.position desc limit $5)
    union all
    (select a.* from freehold.audit a join freehold.projects p on p.id = $1
     where a.project_id = 'console' and a.resource = 'projects/' || $1 and {asked}
     order by a.position desc limit $5)
""".format(
    asked="""a.happened_at >= p.created_at and ($2::text[] is null or a.action = any($2))
     and ($3::text[] is null or a.resource = any($3)) and ($4::text[] is null or a.actor = any($4))"""
)


async def find_of_project(
    db: Queries, project_id: str, wanted: Wanted, limit: int, offset: int
) -> list[Record]:
    """Entries of all that a project has, but for rows and files, and of the project itself; newest first."""
    return await db.rows(
        f"select * from ({_BRANCHES}) found order by happened_at desc, position desc limit $6 offset $7",
        project_id, *wanted, limit + offset, limit, offset,
    )  # fmt: skip


async def count_of_project(db: Queries, project_id: str, wanted: Wanted, *, most: int) -> int:
    """How many of these there are, up to so many."""
    return await db.value(  # type: ignore[no-any-return]
        f"select least(count(*), $5) from ({_BRANCHES}) found", project_id, *wanted, most
    )
