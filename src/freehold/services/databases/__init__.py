"""Databases of a project: tables that are real PostgreSQL tables, with columns, indexes and rows."""

from freehold.services.databases import bulk, shown, tables, transfer, usage
from freehold.services.databases.legacy import renamed_routes
from freehold.services.databases.routes import routes
from freehold.services.databases.usage import KINDS

legacy_routes = renamed_routes(routes)

__all__ = ["KINDS", "bulk", "legacy_routes", "routes", "shown", "tables", "transfer", "usage"]
