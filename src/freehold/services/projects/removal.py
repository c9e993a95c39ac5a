"""The end of a project: its rows go at once, its tables and files after the answer."""

from __future__ import annotations

from freehold import housekeeping, jobs
from freehold.services.projects import store
from freehold.web.call import Call
from freehold.web.projects import ORIGINS_TAG, project_tag


async def delete_project(call: Call, project_id: str) -> None:
    """Delete a project: nobody reaches it any more once the call has committed."""
    dropped = await store.remove(call.db, project_id)
    await jobs.enqueue(call.db, housekeeping.DROP_PROJECT, dropped, project_id=project_id)
    call.changed(project_tag(project_id))
    call.changed(ORIGINS_TAG)


async def delete_all_of(call: Call, team_id: str) -> None:
    """Delete every project of an organization."""
    for row in await store.list_of_organization(call.db, team_id):
        await delete_project(call, row["id"])
