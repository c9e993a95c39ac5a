"""Webhooks: addresses of a project's own that are told of what happens in it."""

from freehold.services.webhooks.routes import routes

__all__ = ["routes"]
