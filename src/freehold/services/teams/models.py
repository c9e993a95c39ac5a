"""Shapes of teams and memberships on the wire."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from freehold.ids import UNIQUE
from freehold.web.wire import CustomId, Email, Id, Input, Name, Output, Prefs, Resource

TeamRole = Annotated[
    str,
    Meta(
        pattern=r"^(?:[a-zA-Z0-9][a-zA-Z0-9._-]{0,35}|project-[a-z0-9][a-z0-9-]{0,35}-[a-z]{5,9})$(?!\n)",
        description="1 to 36 of a-z, A-Z, 0-9, `.`, `-`, `_`; on the console also `project-<id>-<role>`",
    ),
]
TeamRoles = Annotated[list[TeamRole], Meta(max_length=100)]


class Team(Resource):
    name: str
    total: int
    """Of its confirmed members."""
    prefs: msgspec.Raw


class TeamList(Output):
    total: int
    teams: list[Team]


class Membership(Resource):
    user_id: str
    user_name: str
    user_email: str
    user_phone: str
    team_id: str
    team_name: str
    invited: str
    joined: str
    confirm: bool
    mfa: bool
    user_accessed_at: str
    roles: list[str]


class MembershipList(Output):
    total: int
    memberships: list[Membership]


class CreateTeam(Input):
    team_id: CustomId
    name: Name
    roles: TeamRoles = msgspec.field(default_factory=lambda: ["owner"])


class UpdateTeamName(Input):
    name: Name


class UpdateTeamPrefs(Input):
    prefs: Prefs


class CreateMembership(Input):
    roles: TeamRoles
    email: Email = ""
    user_id: Id | None = None
    phone: Annotated[str, Meta(max_length=36)] = ""
    url: Annotated[str, Meta(max_length=2048)] = ""
    name: Name = ""
    membership_id: CustomId = UNIQUE


class AcceptInvitation(Input):
    user_id: Id
    secret: Annotated[str, Meta(max_length=256)]


class UpdateMembership(Input):
    roles: TeamRoles
