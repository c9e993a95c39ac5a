"""Webhooks: addresses of a project's own that are told of what happens in it."""

from freehold.services.webhooks.deliveries import note
from freehold.services.webhooks.delivering import KINDS
from freehold.services.webhooks.grammar import all_names
from freehold.services.webhooks.routes import routes

__all__ = ["KINDS", "all_names", "note", "routes"]
