"""Endpoints of the organization that a request names, and of its members. It is a team of the console."""

from __future__ import annotations

from freehold.errors import AccessForbidden, UserUnauthorized
from freehold.services import projects, teams
from freehold.services.organizations import keys
from freehold.services.teams import (
    CreateMembership,
    Membership,
    MembershipList,
    Team,
    UpdateMembership,
    UpdateTeamName,
)
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.wire import SearchQuery

routes = Routes("organization", raises=(AccessForbidden, *projects.ORGANIZATION_ERRORS))

_HERE = "/v1/organization"
_MEMBER = f"{_HERE}/memberships/{{membershipId}}"
_READ = ("teams.read", "projects.read")


@routes.get(_HERE, scope=_READ, reference=False)
async def get(call: Call) -> Team:
    """Get the organization."""
    return await teams.get(call, projects.current_organization(call))


@routes.put(_HERE, scope="teams.write", event="teams.[teamId].update", reference=False)
async def update(call: Call, body: UpdateTeamName) -> Team:
    """Rename the organization. Its owners may."""
    return await teams.update_name(call, _own(call), body)


@routes.delete(_HERE, scope="teams.write", event="teams.[teamId].delete", status=204, reference=False)
async def delete(call: Call) -> None:
    """Delete the organization with its projects. Its owners may."""
    await teams.delete(call, _own(call))


@routes.get(f"{_HERE}/memberships", scope=_READ, reference=False)
async def list_memberships(call: Call, query: SearchQuery) -> MembershipList:
    """List the organization's members."""
    return await teams.list_memberships(call, projects.current_organization(call), query)


@routes.post(
    f"{_HERE}/memberships",
    scope="teams.write",
    event="teams.[teamId].memberships.[membershipId].create",
    status=201,
    limit=limit("10/3600s"),
    raises=(UserUnauthorized,),
    reference=False,
)
async def create_membership(call: Call, body: CreateMembership) -> Membership:
    """Invite somebody to the organization. Its owners may."""
    return await teams.create_membership(call, _own(call), body)


@routes.get(_MEMBER, scope=_READ, reference=False)
async def get_membership(call: Call, membership_id: str) -> Membership:
    """Get a membership of the organization."""
    return await teams.get_membership(call, projects.current_organization(call), membership_id)


@routes.patch(
    _MEMBER,
    scope="teams.write",
    event="teams.[teamId].memberships.[membershipId].update",
    raises=(UserUnauthorized,),
    reference=False,
)
async def update_membership(call: Call, membership_id: str, body: UpdateMembership) -> Membership:
    """Replace a member's roles. The organization's owners may."""
    return await teams.update_membership(call, _own(call), membership_id, body)


@routes.delete(
    _MEMBER,
    scope="teams.write",
    event="teams.[teamId].memberships.[membershipId].delete",
    status=204,
    raises=(UserUnauthorized,),
    reference=False,
)
async def delete_membership(call: Call, membership_id: str) -> None:
    """End a membership. The organization's owners may, and everyone may leave."""
    await teams.delete_membership(call, _own(call), membership_id)


def _own(call: Call) -> str:
    """The organization, for what happens to it: the event is told of its team."""
    team_id = projects.current_organization(call)
    call.event_ids["teamId"] = team_id
    return team_id


routes.endpoints += keys.routes.endpoints
