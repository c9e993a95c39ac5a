"""Teams and who belongs to them. Those of the console project are the organizations that own projects."""

from freehold.services.teams.memberships import list_memberships_of
from freehold.services.teams.models import MembershipList
from freehold.services.teams.own import routes as own_routes
from freehold.services.teams.routes import routes

__all__ = ["MembershipList", "list_memberships_of", "own_routes", "routes"]
