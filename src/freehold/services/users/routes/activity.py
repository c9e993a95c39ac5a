"""Endpoints of what a user belongs to and what was done to it, and of how many users there are."""

from __future__ import annotations

from freehold.services import teams
from freehold.services.audit import AUDIENCE_ERRORS, LogList, LogQuery, list_logs
from freehold.services.teams import MembershipList
from freehold.services.users import store
from freehold.services.users.errors import UserNotFound
from freehold.services.users.models import UsageUsers
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import USAGE_PERIODS, Input, Metric, SearchQuery, UsageRange, wire_time

routes = Routes("users")


class UsageQuery(Input):
    range: UsageRange = "30d"


@routes.get("/v1/users/{userId}/memberships", scope="users.read", raises=(UserNotFound,))
async def list_memberships(call: Call, user_id: str, query: SearchQuery) -> MembershipList:
    """List the teams that a user is in, or is invited to."""
    if await store.find(call.db, call.project.id, user_id) is None:
        raise UserNotFound()
    return await teams.list_memberships_of(call, user_id, query)


@routes.get(
    "/v1/users/{userId}/logs", scope="users.read", raises=AUDIENCE_ERRORS, name="listLogs", reference=False
)
async def list_logs_of(call: Call, user_id: str, query: LogQuery) -> LogList:
    """List what has been done to a user, by whom and from where; also when the user is gone."""
    return await list_logs(call, f"users/{user_id}", query.queries)


@routes.get("/v1/users/usage", scope="users.read", reference=False)
async def get_usage(call: Call, query: UsageQuery) -> UsageUsers:
    """Tell how many users and living sessions there are, and how many were made in each hour or day."""
    unit, count = USAGE_PERIODS[query.range]
    totals = await store.count_all(call.db, call.project.id)
    periods = await store.count_by_period(call.db, call.project.id, unit, count)
    return UsageUsers(
        range=query.range,
        users_total=totals["users"],
        sessions_total=totals["sessions"],
        users=[Metric(value=each["users"], date=wire_time(each["start"])) for each in periods],
        sessions=[Metric(value=each["sessions"], date=wire_time(each["start"])) for each in periods],
    )
