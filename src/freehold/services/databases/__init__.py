"""Databases of a project: tables that are real PostgreSQL tables, their columns and indexes, and their rows."""

from freehold.services.databases.routes import routes

__all__ = ["routes"]
