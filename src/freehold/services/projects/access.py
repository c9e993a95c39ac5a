"""Who may do what with an organization's projects: by roles in it, and by keys of it."""

from __future__ import annotations

from freehold.access import scopes
from freehold.db.pool import Record
from freehold.errors import AccessForbidden, MissingScope, ProjectNotFound
from freehold.services.projects import store
from freehold.services.projects.errors import OrganizationMissing, OrganizationNotFound
from freehold.web.call import Call
from freehold.web.projects import CONSOLE


def must_be_on_console(call: Call) -> None:
    """Let only users of the console and keys of organizations pass. Raises AccessForbidden."""
    if call.project.id != CONSOLE or not (call.identity.kind == "user" or call.identity.organization_id):
        raise AccessForbidden()


def current_organization(call: Call) -> str:
    """The organization that the request names, or whose key it brings, and that the caller is in."""
    must_be_on_console(call)
    team_id = call.request.header(b"x-appwrite-organization") or call.identity.organization_id
    if not team_id:
        raise OrganizationMissing()
    if not call.identity.belongs_to(team_id):
        raise OrganizationNotFound()
    return team_id


def reach_of(call: Call, organization_id: str = "") -> list[str]:
    """The projects that the caller sees, of one organization or of all: `arsenal/*` or `arsenal/shop`."""
    if call.identity.organization_id:
        return [f"{call.identity.organization_id}/*"]
    reach = []
    for team in call.identity.teams:
        if organization_id not in ("", team.team_id):
            continue
        if call.identity.scopes_in(team.team_id):
            reach.append(f"{team.team_id}/*")
        reach += [f"{team.team_id}/{named}" for role in team.roles if (named := scopes.project_of(role))]
    return reach


async def of_organization(call: Call, project_id: str) -> Record:
    """A project of the organization that the request names. Raises ProjectNotFound."""
    team_id = current_organization(call)
    row = await store.find(call.db, project_id)
    if row is None or row["team_id"] != team_id or not call.identity.scopes_in(team_id, project_id):
        raise ProjectNotFound(id=project_id)
    return row


async def must_hold(call: Call, project_id: str, scope: str) -> frozenset[str]:
    """Let only those pass whom a role in the project's organization lets do this. Gives all that it lets do.

    Raises ProjectNotFound, MissingScope.
    """
    must_be_on_console(call)
    row = await store.find(call.db, project_id)
    granted = call.identity.scopes_in(row["team_id"], project_id) if row is not None else frozenset()
    if not granted:
        raise ProjectNotFound(id=project_id)
    if scope not in granted:
        raise MissingScope(who="Your role", scopes=scope)
    return granted


def must_write_in(call: Call, team_id: str) -> None:
    """Let only those pass who may make projects there. Raises OrganizationNotFound, MissingScope."""
    if not call.identity.belongs_to(team_id):
        raise OrganizationNotFound()
    if "projects.write" not in call.identity.scopes_in(team_id):
        raise MissingScope(who="Your role", scopes="projects.write")
