"""Endpoints of the teams service."""

from __future__ import annotations

from freehold import ids
from freehold.db.pool import Record
from freehold.errors import UserUnauthorized
from freehold.services import account, audit, mail, projects
from freehold.services.audit import AUDIENCE_ERRORS, LogList, LogQuery
from freehold.services.teams import invitations, store
from freehold.services.teams.errors import (
    AlreadyMember,
    InvitationOfAnother,
    InvitationSecretInvalid,
    LastOwnerStays,
    LastOwnerStaysOwner,
    MembershipNotFound,
    TeamAlreadyExists,
    TeamNotFound,
)
from freehold.services.teams.memberships import (
    as_membership,
    find_or_create_user,
    is_owner,
    must_belong,
    must_own,
    shown_to_itself,
    teams_of,
)
from freehold.services.teams.models import (
    AcceptInvitation,
    CreateMembership,
    CreateTeam,
    Membership,
    MembershipList,
    Team,
    TeamList,
    UpdateMembership,
    UpdateTeamName,
    UpdateTeamPrefs,
)
from freehold.services.users import UserNotFound
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.projects import CONSOLE
from freehold.web.users import user_tag
from freehold.web.wire import Json, SearchQuery, encoded_prefs, wire_time

routes = Routes("teams")


@routes.get("/v1/teams", scope="teams.read", name="list")
async def list_teams(call: Call, query: SearchQuery) -> TeamList:
    """List teams: a user those it belongs to, an API key all of them."""
    found = await store.fetch(
        call.db,
        call.project.id,
        query.queries,
        among=teams_of(call),
        search=query.search,
        total=query.total,
    )
    return TeamList(total=found.total, teams=[_as_team(row) for row in found.rows])


@routes.post(
    "/v1/teams",
    scope="teams.write",
    event="teams.[teamId].create",
    status=201,
    raises=(TeamAlreadyExists,),
)
async def create(call: Call, body: CreateTeam) -> Team:
    """Create a team. A user who creates one becomes its member, an owner unless it says otherwise; an API
    key does not."""
    team_id = ids.resolve(body.team_id)
    await store.create(call.db, call.project.id, team_id, body.name)
    if not call.identity.privileged:
        user_id = call.identity.user_id
        roles = list(dict.fromkeys(body.roles))
        if call.project.id == CONSOLE and "owner" not in roles:
            roles.append("owner")
        await store.join(call.db, call.project.id, team_id, ids.new_id(), user_id, roles)
        call.changed(user_tag(call.project.id, user_id))
    return _as_team(await store.find(call.db, call.project.id, team_id))


@routes.get("/v1/teams/{teamId}", scope="teams.read", raises=(TeamNotFound,))
async def get(call: Call, team_id: str) -> Team:
    """Get a team. Users see those they belong to."""
    must_belong(call, team_id)
    return _as_team(await store.find(call.db, call.project.id, team_id))


@routes.put(
    "/v1/teams/{teamId}",
    scope="teams.write",
    event="teams.[teamId].update",
    raises=(TeamNotFound, UserUnauthorized),
)
async def update_name(call: Call, team_id: str, body: UpdateTeamName) -> Team:
    """Rename a team. Its owners may."""
    must_own(call, team_id)
    return _as_team(await store.set_name(call.db, call.project.id, team_id, body.name))


@routes.delete(
    "/v1/teams/{teamId}",
    scope="teams.write",
    event="teams.[teamId].delete",
    status=204,
    raises=(TeamNotFound, UserUnauthorized),
)
async def delete(call: Call, team_id: str) -> None:
    """Delete a team and every membership of it. Its owners may. An organization's projects go with it."""
    must_own(call, team_id)
    members = await store.list_member_ids(call.db, call.project.id, team_id)
    row = await store.delete(call.db, call.project.id, team_id)
    call.tells(_as_team(row))
    for user_id in members:
        call.changed(user_tag(call.project.id, user_id))
    if call.project.id == CONSOLE:
        await projects.delete_all_of(call, team_id)


@routes.get("/v1/teams/{teamId}/memberships", scope="teams.read", raises=(TeamNotFound,))
async def list_memberships(call: Call, team_id: str, query: SearchQuery) -> MembershipList:
    """List a team's members. Users see those of their own teams."""
    must_belong(call, team_id)
    if await store.find(call.db, call.project.id, team_id) is None:
        raise TeamNotFound()
    found = await store.fetch_memberships(
        call.db, call.project.id, team_id, query.queries, search=query.search, total=query.total
    )
    return MembershipList(total=found.total, memberships=[as_membership(call, row) for row in found.rows])


@routes.post(
    "/v1/teams/{teamId}/memberships",
    scope="teams.write",
    event="teams.[teamId].memberships.[membershipId].create",
    status=201,
    limit=limit("10/3600s"),
    raises=(
        TeamNotFound,
        UserNotFound,
        UserUnauthorized,
        AlreadyMember,
        account.AuthMethodUnsupported,
        account.UserLimitReached,
        mail.MailDisabled,
        mail.SmsDisabled,
    ),
)
async def create_membership(call: Call, team_id: str, body: CreateMembership) -> Membership:
    """Add a member. With an API key the user joins at once; owners invite, by mail or by text message.

    An invitation that is made again is sent again, with a new link; the one before holds no more.
    """
    must_own(call, team_id)
    if not call.identity.privileged:
        account.check_method(call, "invites")
        invitations.check_url(call, body.url)
    if await store.find(call.db, call.project.id, team_id) is None:
        raise TeamNotFound()
    user_id = await find_or_create_user(call, body)
    if call.identity.privileged:
        roles, membership_id = list(dict.fromkeys(body.roles)), ids.resolve(body.membership_id)
        row = await store.join(call.db, call.project.id, team_id, membership_id, user_id, roles)
        if row is None:
            raise AlreadyMember()
    else:
        row = await invitations.invite(call, team_id, user_id, body)
    call.changed(user_tag(call.project.id, user_id))
    call.event_ids["membershipId"] = row["id"]
    return as_membership(call, row)


@routes.get(
    "/v1/teams/{teamId}/memberships/{membershipId}",
    scope="teams.read",
    raises=(TeamNotFound, MembershipNotFound),
)
async def get_membership(call: Call, team_id: str, membership_id: str) -> Membership:
    """Get a membership of a team that one belongs to."""
    must_belong(call, team_id)
    return as_membership(call, await _membership(call, team_id, membership_id))


@routes.patch(
    "/v1/teams/{teamId}/memberships/{membershipId}",
    scope="teams.write",
    event="teams.[teamId].memberships.[membershipId].update",
    raises=(TeamNotFound, MembershipNotFound, UserUnauthorized, LastOwnerStaysOwner),
)
async def update_membership(
    call: Call, team_id: str, membership_id: str, body: UpdateMembership
) -> Membership:
    """Replace a member's roles. The team's owners may."""
    must_own(call, team_id)
    row = await _membership(call, team_id, membership_id)
    loses_owner = is_owner(row) and "owner" not in body.roles
    if loses_owner and await _is_last_owner(call, team_id, membership_id):
        raise LastOwnerStaysOwner()
    roles = list(dict.fromkeys(body.roles))
    await store.set_roles(call.db, call.project.id, team_id, membership_id, roles)
    call.changed(user_tag(call.project.id, row["user_id"]))
    return as_membership(call, await _membership(call, team_id, membership_id))


@routes.delete(
    "/v1/teams/{teamId}/memberships/{membershipId}",
    scope="teams.write",
    event="teams.[teamId].memberships.[membershipId].delete",
    status=204,
    raises=(TeamNotFound, MembershipNotFound, UserUnauthorized, LastOwnerStays),
)
async def delete_membership(call: Call, team_id: str, membership_id: str) -> None:
    """End a membership. The team's owners may, and everyone may leave."""
    must_belong(call, team_id)
    row = await _membership(call, team_id, membership_id)
    if row["user_id"] != call.identity.user_id:
        must_own(call, team_id)
    if is_owner(row) and await _is_last_owner(call, team_id, membership_id):
        raise LastOwnerStays()
    await store.leave(call.db, call.project.id, team_id, membership_id)
    call.changed(user_tag(call.project.id, row["user_id"]))
    call.tells(as_membership(call, row))


@routes.patch(
    "/v1/teams/{teamId}/memberships/{membershipId}/status",
    scope="public",
    event="teams.[teamId].memberships.[membershipId].update.status",
    raises=(MembershipNotFound, InvitationOfAnother, InvitationSecretInvalid, AlreadyMember),
)
async def update_membership_status(
    call: Call, team_id: str, membership_id: str, body: AcceptInvitation
) -> Membership:
    """Accept an invitation with the secret of its link. Whoever is not signed in is from then on."""
    row = await invitations.accept(call, team_id, membership_id, body.user_id, body.secret)
    membership = as_membership(call, row)
    call.tells(membership)
    return shown_to_itself(row)


@routes.get(
    "/v1/teams/{teamId}/logs", scope="teams.read", reference=False, raises=(*AUDIENCE_ERRORS, TeamNotFound)
)
async def list_logs(call: Call, team_id: str, query: LogQuery) -> LogList:
    """List what has been done to a team and its memberships. For keys and the console; of an organization,
    for its owners."""
    if call.project.id == CONSOLE:
        must_own(call, team_id)
        return await audit.list_logs_for_owner(call, f"teams/{team_id}", query.queries)
    return await audit.list_logs(call, f"teams/{team_id}", query.queries)


@routes.get("/v1/teams/{teamId}/prefs", scope="teams.read", model="preferences", raises=(TeamNotFound,))
async def get_prefs(call: Call, team_id: str) -> Json:
    """Get the preferences that a team's members share."""
    must_belong(call, team_id)
    row = await store.find(call.db, call.project.id, team_id)
    if row is None:
        raise TeamNotFound()
    return Json(bytes(row["prefs"]))


@routes.put(
    "/v1/teams/{teamId}/prefs",
    scope="teams.write",
    event="teams.[teamId].update.prefs",
    model="preferences",
    raises=(TeamNotFound, UserUnauthorized),
)
async def update_prefs(call: Call, team_id: str, body: UpdateTeamPrefs) -> Json:
    """Replace a team's preferences. Its owners may."""
    must_own(call, team_id)
    prefs = encoded_prefs(body.prefs)
    row = await store.set_prefs(call.db, call.project.id, team_id, prefs)
    call.tells(_as_team(row))
    return Json(prefs)


def _as_team(row: Record | None) -> Team:
    if row is None:
        raise TeamNotFound()
    return Team(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        name=row["name"],
        total=row["total"],
        prefs=row["prefs"],
    )


async def _membership(call: Call, team_id: str, membership_id: str) -> Record:
    row = await store.find_membership(call.db, call.project.id, team_id, membership_id)
    if row is None:
        raise MembershipNotFound()
    return row


async def _is_last_owner(call: Call, team_id: str, membership_id: str) -> bool:
    """Only organizations must keep an owner: nobody could reach their projects without one."""
    if call.project.id != CONSOLE:
        return False
    return not await store.has_other_owner(call.db, call.project.id, team_id, membership_id)
