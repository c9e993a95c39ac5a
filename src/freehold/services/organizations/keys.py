"""Endpoints of an organization's keys, which make and keep its projects."""

from __future__ import annotations

from freehold.errors import AccessForbidden, UserUnauthorized
from freehold.services import keyrings, projects
from freehold.services.keyrings import ORGANIZATIONS, CreateKey, SayKey
from freehold.services.project import Key, KeyAlreadyExists, KeyList, KeyNotFound
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import ListQuery

routes = Routes("organization", raises=(AccessForbidden, UserUnauthorized, *projects.ORGANIZATION_ERRORS))

_HERE = "/v1/organization/keys"


@routes.get(_HERE, scope="teams.read", reference=False, in_person=True)
async def list_keys(call: Call, query: ListQuery) -> KeyList:
    """List the organization's keys. Its owners may."""
    return await keyrings.list_keys(call, ORGANIZATIONS, _owned(call), query)


@routes.post(
    _HERE,
    scope="teams.write",
    event="teams.[teamId].keys.[keyId].create",
    status=201,
    raises=(KeyAlreadyExists,),
    reference=False,
    in_person=True,
)
async def create_key(call: Call, body: CreateKey) -> Key:
    """Make a key that acts for the organization. Its owners may."""
    return await keyrings.create(call, ORGANIZATIONS, _owned(call), body)


@routes.get(f"{_HERE}/{{keyId}}", scope="teams.read", raises=(KeyNotFound,), reference=False, in_person=True)
async def get_key(call: Call, key_id: str) -> Key:
    """Get a key of the organization. Its owners may."""
    return await keyrings.find(call, ORGANIZATIONS, _owned(call), key_id)


@routes.put(
    f"{_HERE}/{{keyId}}",
    scope="teams.write",
    event="teams.[teamId].keys.[keyId].update",
    raises=(KeyNotFound,),
    reference=False,
    in_person=True,
)
async def update_key(call: Call, key_id: str, body: SayKey) -> Key:
    """Change what a key of the organization may do, and until when. Its owners may."""
    return await keyrings.update(call, ORGANIZATIONS, _owned(call), key_id, body)


@routes.delete(
    f"{_HERE}/{{keyId}}",
    scope="teams.write",
    event="teams.[teamId].keys.[keyId].delete",
    status=204,
    raises=(KeyNotFound,),
    reference=False,
    in_person=True,
)
async def delete_key(call: Call, key_id: str) -> None:
    """Delete a key of the organization. Its owners may."""
    await keyrings.delete(call, ORGANIZATIONS, _owned(call), key_id)


def _owned(call: Call) -> str:
    """The organization that is named, for its owners: a key makes no other. Raises UserUnauthorized."""
    team_id = call.event_ids["teamId"] = projects.current_organization(call)
    if f"team:{team_id}/owner" not in call.identity.roles:
        raise UserUnauthorized()
    return team_id
