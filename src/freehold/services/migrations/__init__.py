"""Imports and exports of tables, as CSV and JSON: jobs that read and write files in buckets."""

from freehold.services.migrations.routes import routes
from freehold.services.migrations.running import KINDS

__all__ = ["KINDS", "routes"]
