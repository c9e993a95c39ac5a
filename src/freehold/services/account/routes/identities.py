"""Endpoints of one's identities: who one is at other vendors."""

from __future__ import annotations

from freehold.errors import UserUnauthorized
from freehold.services import oauth
from freehold.services.account.signing_in import signed_in
from freehold.services.oauth import IdentityList
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import ListQuery

routes = Routes("account", raises=(UserUnauthorized,))


@routes.get("/v1/account/identities", scope="account")
async def list_identities(call: Call, query: ListQuery) -> IdentityList:
    """List who one is at the vendors that one signs in with."""
    return await oauth.list_identities(call, query.queries, total=query.total, user_id=signed_in(call)["id"])


@routes.delete(
    "/v1/account/identities/{identityId}",
    scope="account",
    event="users.[userId].identities.[identityId].delete",
    status=204,
    raises=(oauth.IdentityNotFound,),
    in_person=True,
)
async def delete_identity(call: Call, identity_id: str) -> None:
    """Sign in with this vendor no more. Sessions that were opened with it go on."""
    await oauth.delete_identity(call, identity_id, signed_in(call)["id"])
