"""The organization that a request names: itself, its members, and the keys that act for it."""

from freehold.services.organizations.routes import routes

__all__ = ["routes"]
