"""Endpoints of the databases service, in the vocabulary of tables, columns and rows."""

from __future__ import annotations

from freehold.services.databases.routes import (
    columns,
    databases,
    indexes,
    logs,
    rows,
    schemas,
    tables,
    transactions,
    usage,
)
from freehold.web.endpoint import Routes

routes = Routes("tablesDB", console=False)
for each in (databases, tables, columns, indexes, rows, transactions, logs, usage, schemas):
    routes.endpoints += each.routes.endpoints

__all__ = ["routes"]
