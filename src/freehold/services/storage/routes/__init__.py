"""Endpoints of the storage service, and of the tokens that open single files."""

from __future__ import annotations

from freehold.services.storage.routes import buckets, files, usage
from freehold.services.storage.routes.tokens import routes as token_routes
from freehold.web.endpoint import Routes

routes = Routes("storage")
for each in (buckets, files, usage):
    routes.endpoints += each.routes.endpoints

__all__ = ["routes", "token_routes"]
