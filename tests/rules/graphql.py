"""Rows as they are asked for and answered through GraphQL."""

from __future__ import annotations

import json
from typing import Any

from tests.rules.model import Row

_ROW = "_id _sequence _createdAt _updatedAt _permissions _databaseId _tableId data"

DOCUMENTS = {
    "ListRows": f"""
        query ($databaseId: String!, $tableId: String!, $queries: [String]) {{
            tablesDBListRows(databaseId: $databaseId, tableId: $tableId, queries: $queries) {{
                total
                rows {{ {_ROW} }}
            }}
        }}
    """,
    "GetRow": f"""
        query ($databaseId: String!, $tableId: String!, $rowId: String!) {{
            tablesDBGetRow(databaseId: $databaseId, tableId: $tableId, rowId: $rowId) {{ {_ROW} }}
        }}
    """,
    "DeleteRow": """
        mutation ($databaseId: String!, $tableId: String!, $rowId: String!, $transactionId: String) {
            tablesDBDeleteRow(
                databaseId: $databaseId, tableId: $tableId, rowId: $rowId, transactionId: $transactionId
            ) { status }
        }
    """,
} | {
    f"{name}Row": f"""
        mutation (
            $databaseId: String!, $tableId: String!, $rowId: String!,
            $data: Json{"!" * (name == "Create")}, $permissions: [String!], $transactionId: String
        ) {{
            tablesDB{name}Row(
                databaseId: $databaseId, tableId: $tableId, rowId: $rowId, data: $data,
                permissions: $permissions, transactionId: $transactionId
            ) {{ {_ROW} }}
        }}
    """
    for name in ("Create", "Update", "Upsert")
}

CHANGES = {"POST": "Create", "PATCH": "Update", "PUT": "Upsert", "DELETE": "Delete"}
"""What changes of one row are called in GraphQL."""


def as_in_rest(row: dict[str, Any]) -> Row:
    """A row of GraphQL as one of REST."""
    data = json.loads(row.pop("data"))
    return {f"${name[1:]}": value for name, value in row.items()} | data
