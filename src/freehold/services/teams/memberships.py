"""The rules of membership: who may see a team, who may change it, and that an organization keeps an owner."""

from __future__ import annotations

import msgspec

from freehold import ids
from freehold.access import policies
from freehold.db.pool import Record
from freehold.errors import InvalidParameter, UserUnauthorized
from freehold.services import account, users
from freehold.services.teams import store
from freehold.services.teams.errors import TeamNotFound
from freehold.services.teams.models import CreateMembership, Membership, MembershipList
from freehold.web.call import Call
from freehold.web.endpoint import camel
from freehold.web.projects import CONSOLE
from freehold.web.wire import SearchQuery, wire_time

_PRIVATE: dict[str, tuple[str, str | bool]] = {
    "user_id": ("user_id", ""),
    "user_name": ("user_name", ""),
    "user_email": ("user_email", ""),
    "user_phone": ("user_phone", ""),
    "mfa": ("user_mfa", False),
    "user_accessed_at": ("user_accessed_at", ""),
}
"""What clients are told of other members if the policy of this name says so, and what they get if not."""


def teams_of(call: Call) -> list[str] | None:
    """The teams that the caller sees; None for all of the project."""
    if call.identity.privileged:
        return None
    return [membership.team_id for membership in call.identity.teams]


def must_belong(call: Call, team_id: str) -> None:
    """Refuse whoever is not in the team as if there were none. Raises TeamNotFound."""
    seen = teams_of(call)
    if seen is not None and team_id not in seen:
        raise TeamNotFound()


def must_own(call: Call, team_id: str) -> None:
    """Refuse members who are not owners. Raises TeamNotFound, UserUnauthorized."""
    must_belong(call, team_id)
    if not call.identity.privileged and f"team:{team_id}/owner" not in call.identity.roles:
        raise UserUnauthorized()


def is_owner(membership: Record) -> bool:
    return membership["confirmed"] and "owner" in membership["roles"]


async def find_or_create_user(call: Call, body: CreateMembership) -> str:
    """The user to be added; one who is not known yet is made. Raises UserNotFound, InvalidParameter."""
    if body.user_id is not None:
        row = await users.find(call.db, call.project.id, body.user_id)
        if row is None:
            raise users.UserNotFound()
        user_id: str = row["id"]
        return user_id
    if not body.email and not body.phone:
        raise InvalidParameter(name="email", reason="One of userId, email and phone is required.")
    email = users.checked_email(body.email) if body.email else None
    if email is not None:
        row = await users.find_by_email(call.db, call.project.id, email)
    else:
        row = await users.find_by_phone(call.db, call.project.id, body.phone)
    if row is None:
        if not call.identity.privileged:
            await account.check_user_limit(call)
        if email is not None:
            await users.admitted_email(call, email)
        new = users.NewUser(id=ids.new_id(), name=body.name, email=email, phone=body.phone or None)
        row = await users.create(call.db, call.project.id, new)
    found: str = row["id"]
    return found


async def list_memberships_of(call: Call, user_id: str, query: SearchQuery) -> MembershipList:
    """List the memberships of a user."""
    found = await store.fetch_memberships_of(
        call.db, call.project.id, user_id, query.queries, search=query.search, total=query.total
    )
    return MembershipList(total=found.total, memberships=[as_membership(call, row) for row in found.rows])


def as_membership(call: Call, row: Record) -> Membership:
    """A membership as this caller may see it: clients are told of other members what the policy says."""
    return msgspec.structs.replace(shown_to_itself(row), **_hidden(call, row["user_id"]))


def hidden_of_members(call: Call, user_id: str) -> dict[str, str | bool]:
    """What the caller is not told of a member, in the words of the wire, with what stands in its place."""
    return {camel(field): instead for field, instead in _hidden(call, user_id).items()}


def _hidden(call: Call, user_id: str) -> dict[str, str | bool]:
    if call.identity.privileged or call.project.id == CONSOLE or user_id == call.identity.user_id:
        return {}
    privacy = policies.of(call.project.settings).membership_privacy
    return {field: instead for field, (told, instead) in _PRIVATE.items() if not getattr(privacy, told)}


def shown_to_itself(row: Record) -> Membership:
    """A membership as its own user sees it."""
    return Membership(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        user_id=row["user_id"],
        user_name=row["user_name"],
        user_email=row["user_email"] or "",
        user_phone=row["user_phone"] or "",
        team_id=row["team_id"],
        team_name=row["team_name"],
        invited=wire_time(row["invited_at"]),
        joined=wire_time(row["joined_at"]),
        confirm=row["confirmed"],
        mfa=row["mfa"],
        user_accessed_at=wire_time(row["user_accessed_at"]),
        roles=row["roles"],
    )
