"""Databases of a project: tables that are real PostgreSQL tables, with columns, indexes and rows."""

from freehold.services.databases import nested_rows, shown, tables, transfer, usage
from freehold.services.databases.legacy import renamed_routes
from freehold.services.databases.routes import routes
from freehold.services.databases.usage import KINDS

legacy_routes = renamed_routes(routes)

__all__ = ["KINDS", "legacy_routes", "nested_rows", "routes", "shown", "tables", "transfer", "usage"]
