"""Endpoints of the account service that tell of teams: which ones the caller belongs to."""

from __future__ import annotations

from freehold.errors import UserUnauthorized
from freehold.services.teams import store
from freehold.services.teams.memberships import as_membership
from freehold.services.teams.models import MembershipList
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import ListQuery

routes = Routes("account", raises=(UserUnauthorized,))


@routes.get("/v1/account/memberships", scope="account", reference=False, name="listMemberships")
async def list_own_memberships(call: Call, query: ListQuery) -> MembershipList:
    """List one's memberships, invitations that one has not accepted yet among them."""
    if call.identity.kind != "user":
        raise UserUnauthorized()
    found = await store.fetch_memberships_of(
        call.db, call.project.id, call.identity.user_id, query.queries, total=query.total
    )
    return MembershipList(total=found.total, memberships=[as_membership(call, row) for row in found.rows])
