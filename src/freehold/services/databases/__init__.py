"""Databases of a project: tables that are real PostgreSQL tables, with columns, indexes and rows."""

from freehold.services.databases.routes import routes

__all__ = ["routes"]
