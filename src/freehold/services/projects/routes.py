"""Endpoints by which console users make and keep the projects of their organizations."""

from __future__ import annotations

from freehold import ids
from freehold.db.pool import Record
from freehold.errors import AccessForbidden, ProjectNotFound
from freehold.services import oauth
from freehold.services.projects import store
from freehold.services.projects.access import (
    current_organization,
    must_be_on_console,
    must_hold,
    must_write_in,
    of_organization,
    reach_of,
)
from freehold.services.projects.errors import (
    OrganizationMissing,
    OrganizationNotFound,
    ProjectAlreadyExists,
    ReservedProject,
)
from freehold.services.projects.models import (
    CreateOrganizationProject,
    CreateProject,
    Project,
    ProjectList,
    UpdateOAuthProvider,
    UpdateOrganizationProject,
    UpdateProject,
    UpdateTeam,
    as_project,
)
from freehold.services.projects.removal import delete_project
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.projects import CONSOLE, ORIGINS_TAG, project_tag
from freehold.web.wire import SearchQuery

routes = Routes("projects", raises=(AccessForbidden,))
organization = Routes("organization", raises=(AccessForbidden,))


@routes.get("/v1/projects", scope="projects.read", name="list")
async def list_projects(call: Call, query: SearchQuery) -> ProjectList:
    """List the projects of one's organizations."""
    must_be_on_console(call)
    return await _fetch(call, query, reach_of(call))


@routes.post(
    "/v1/projects",
    scope="projects.write",
    event="projects.[projectId].create",
    status=201,
    raises=(ProjectAlreadyExists, ReservedProject, OrganizationNotFound),
)
async def create(call: Call, body: CreateProject) -> Project:
    """Create a project in one of one's organizations."""
    return await _create(call, body, body.team_id)


@routes.patch(
    "/v1/projects/{projectId}",
    scope="projects.write",
    event="projects.[projectId].update",
    raises=(ProjectNotFound,),
)
async def update(call: Call, project_id: str, body: UpdateProject) -> Project:
    """Rename a project, or describe it."""
    await must_hold(call, project_id, "projects.write")
    row = await store.rename(call.db, project_id, body.name, body.description)
    return _changed(call, project_id, row)


@routes.patch(
    "/v1/projects/{projectId}/team",
    scope="projects.write",
    event="projects.[projectId].update",
    raises=(ProjectNotFound, OrganizationNotFound),
)
async def update_team(call: Call, project_id: str, body: UpdateTeam) -> Project:
    """Give a project to another of one's organizations."""
    await must_hold(call, project_id, "projects.write")
    must_write_in(call, body.team_id)
    row = await store.move(call.db, project_id, body.team_id)
    return _changed(call, project_id, row)


@routes.patch(
    "/v1/projects/{projectId}/oauth2",
    scope="projects.write",
    event="projects.[projectId].update",
    name="updateOAuth2",
    raises=(ProjectNotFound, oauth.ProviderUnsupported),
)
async def update_oauth(call: Call, project_id: str, body: UpdateOAuthProvider) -> Project:
    """Change how people sign in with a provider. What it wants beside the secret is JSON with the secret."""
    await must_hold(call, project_id, "projects.write")
    vendor = oauth.vendor_named(body.provider, dev=call.app.settings.dev)
    await oauth.change_in_old_words(call, project_id, vendor, body.app_id, body.secret, body.enabled)
    row = await store.find(call.db, project_id)
    return _changed(call, project_id, row)


@organization.get(
    "/v1/organization/projects",
    scope="projects.read",
    raises=(OrganizationMissing, OrganizationNotFound),
    name="listProjects",
)
async def list_organization_projects(call: Call, query: SearchQuery) -> ProjectList:
    """List the projects of the organization that X-Appwrite-Organization names."""
    return await _fetch(call, query, reach_of(call, current_organization(call)))


@organization.post(
    "/v1/organization/projects",
    scope="projects.write",
    event="projects.[projectId].create",
    status=201,
    raises=(ProjectAlreadyExists, ReservedProject, OrganizationMissing, OrganizationNotFound),
    name="createProject",
)
async def create_organization_project(call: Call, body: CreateOrganizationProject) -> Project:
    """Create a project in the organization that X-Appwrite-Organization names."""
    return await _create(call, body, current_organization(call))


@organization.get(
    "/v1/organization/projects/{projectId}",
    scope="projects.read",
    raises=(ProjectNotFound, OrganizationMissing, OrganizationNotFound),
    name="getProject",
)
async def get_organization_project(call: Call, project_id: str) -> Project:
    """Get a project of the organization."""
    return as_project(await of_organization(call, project_id))


@organization.patch(
    "/v1/organization/projects/{projectId}",
    scope="projects.write",
    event="projects.[projectId].update",
    raises=(ProjectNotFound, OrganizationMissing, OrganizationNotFound),
    name="updateProject",
)
async def update_organization_project(
    call: Call, project_id: str, body: UpdateOrganizationProject
) -> Project:
    """Rename a project of the organization."""
    await of_organization(call, project_id)
    await must_hold(call, project_id, "projects.write")
    row = await store.rename(call.db, project_id, body.name, None)
    return _changed(call, project_id, row)


@organization.delete(
    "/v1/organization/projects/{projectId}",
    scope="projects.write",
    event="projects.[projectId].delete",
    status=204,
    raises=(ProjectNotFound, OrganizationMissing, OrganizationNotFound),
    name="deleteProject",
)
async def delete_organization_project(call: Call, project_id: str) -> None:
    """Delete a project of the organization with all that is in it."""
    row = await of_organization(call, project_id)
    await must_hold(call, project_id, "projects.write")
    call.tells(as_project(row))
    await delete_project(call, project_id)


async def _fetch(call: Call, query: SearchQuery, reach: list[str]) -> ProjectList:
    found = await store.fetch(call.db, query.queries, reach=reach, search=query.search, total=query.total)
    return ProjectList(total=found.total, projects=[as_project(row) for row in found.rows])


async def _create(call: Call, body: CreateOrganizationProject, team_id: str) -> Project:
    must_be_on_console(call)
    must_write_in(call, team_id)
    if body.project_id == CONSOLE:
        raise ReservedProject()
    project_id = ids.resolve(body.project_id)
    row = await store.create(call.db, project_id, team_id, body.name, body.region)
    call.changed(ORIGINS_TAG)
    return _changed(call, project_id, row)


def _changed(call: Call, project_id: str, row: Record | None) -> Project:
    if row is None:
        raise ProjectNotFound(id=project_id)
    call.changed(project_tag(project_id))
    return as_project(row)
