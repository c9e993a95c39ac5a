"""Endpoints of the project itself."""

from __future__ import annotations

from freehold.services import audit, projects
from freehold.services.project import mock_phone_store, store
from freehold.services.project.current import current_project
from freehold.services.project.models import (
    UpdateLabels,
)
from freehold.services.projects import AuthMockNumber, Project
from freehold.web import formats
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.projects import project_tag

routes = Routes("project", console=False)

_HERE = "/v1/projects/{projectId}"


@routes.get("/v1/project", scope="project.read", aliases=(_HERE,))
async def get(call: Call) -> Project:
    """Get the project."""
    project = await current_project(call)
    version = formats.understood_by(call.request)
    if (
        version is not None
        and formats.is_filtered("project", version)
        and "mocks.read" in call.identity.scopes
    ):
        # Older command lines write back what they have read: without these, they would delete them.
        phones = await mock_phone_store.fetch(call.db, call.project.id, (), total=False)
        project.auth_mock_numbers = [AuthMockNumber(row["number"], row["otp"]) for row in phones.rows]
    return project


def _is_asked_of_old(call: Call) -> bool:
    version = formats.understood_by(call.request)
    return version is not None and formats.is_filtered("project", version)


@routes.delete("/v1/project", scope="project.write", event="projects.[projectId].delete", status=204,
               aliases=(_HERE,))  # fmt: skip
async def delete(call: Call) -> None:
    """Delete the project with all that is in it."""
    call.event_ids["projectId"] = call.project.id
    call.tells(await current_project(call))
    await projects.delete_project(call, call.project.id)


@routes.put(
    "/v1/project/labels",
    scope="project.write",
    event="projects.[projectId].update",
    aliases=(f"{_HERE}/labels",),
)
async def update_labels(call: Call, body: UpdateLabels) -> Project:
    """Replace the project's labels."""
    await store.set_labels(call.db, call.project.id, list(dict.fromkeys(body.labels)))
    call.changed(project_tag(call.project.id))
    return await current_project(call)


@routes.get(
    "/v1/project/logs",
    scope="project.read",
    name="listLogs",
    reference=False,
    raises=audit.AUDIENCE_ERRORS,
)
async def list_logs(call: Call, query: audit.LogQuery) -> audit.ProjectLogList:
    """List who has changed the project and what it has, from where, newest first: its keys, platforms,
    policies, providers, mail, webhooks, variables, users, teams, tables, buckets and the like, but not its
    rows and files. `equal` on `event`, `resource` and `actor` finds some of them."""
    return await audit.list_project_logs(call, query.queries)
