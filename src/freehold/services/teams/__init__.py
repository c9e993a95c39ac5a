"""Teams and who belongs to them. Those of the console project are the organizations that own projects."""

from freehold.services.teams.own import routes as own_routes
from freehold.services.teams.routes import routes

__all__ = ["own_routes", "routes"]
