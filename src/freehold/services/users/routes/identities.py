"""Endpoints of users' identities: who they are at other vendors."""

from __future__ import annotations

from freehold.services import oauth
from freehold.services.oauth import IdentityList
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import SearchQuery

routes = Routes("users")


@routes.get("/v1/users/identities", scope="users.read")
async def list_identities(call: Call, query: SearchQuery) -> IdentityList:
    """List who the project's users are at the vendors that they sign in with."""
    return await oauth.list_identities(call, query.queries, search=query.search, total=query.total)


@routes.delete(
    "/v1/users/identities/{identityId}",
    scope="users.write",
    event="users.[userId].identities.[identityId].delete",
    status=204,
    raises=(oauth.IdentityNotFound,),
)
async def delete_identity(call: Call, identity_id: str) -> None:
    """Delete an identity: it signs its user in no more."""
    await oauth.delete_identity(call, identity_id)
