"""Teams and who belongs to them. Those of the console project are the organizations that own projects."""

from freehold.services.teams.memberships import hidden_of_members, list_memberships_of
from freehold.services.teams.models import (
    CreateMembership,
    Membership,
    MembershipList,
    Team,
    UpdateMembership,
    UpdateTeamName,
)
from freehold.services.teams.own import routes as own_routes
from freehold.services.teams.routes import (
    create_membership,
    delete,
    delete_membership,
    get,
    get_membership,
    list_memberships,
    routes,
    update_membership,
    update_name,
)

__all__ = [
    "CreateMembership",
    "Membership",
    "MembershipList",
    "Team",
    "UpdateMembership",
    "UpdateTeamName",
    "create_membership",
    "delete",
    "delete_membership",
    "get",
    "get_membership",
    "hidden_of_members",
    "list_memberships",
    "list_memberships_of",
    "own_routes",
    "routes",
    "update_membership",
    "update_name",
]
