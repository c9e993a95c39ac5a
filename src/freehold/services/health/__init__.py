"""Whether the server and what it stands on are well, and which version it is."""

from freehold.services.health.routes import ping, routes

__all__ = ["ping", "routes"]
