"""Tables whose rows are related, and what is seen of them."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from appwrite.exception import AppwriteException
from appwrite.services.tables_db import TablesDB

from tests.platform import Project

ANYBODY = ['read("any")', 'create("users")', 'update("users")', 'delete("users")']
NAME = {"key": "name", "type": "varchar", "size": 40, "required": False}
ROWS = "/tablesdb/db/tables/{}/rows"


def execute(project: Project, sql: str, *values: Any) -> list[asyncpg.Record]:
    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(project.platform.admin_url)
        try:
            return list(await connection.fetch(sql, *values))
        finally:
            await connection.close()

    return asyncio.run(run())


def told(project: Project) -> list[str]:
    """What the outbox has of rows, since this was last asked."""
    gone = execute(
        project,
        "delete from freehold.outbox where project_id = $1 and event like '%.rows.%' returning id, event",
        project.id,
    )
    return [row["event"].removeprefix("databases.db.tables.") for row in sorted(gone)]


def ids(tables: TablesDB, table_id: str, *queries: str) -> list[str]:
    return sorted(row.id for row in tables.list_rows("db", table_id, list(queries)).rows)


def conflict(tables: TablesDB, transaction: str) -> bool:
    with pytest.raises(AppwriteException) as caught:
        tables.update_transaction(transaction, commit=True)
    return (caught.value.code, caught.value.type) == (409, "transaction_conflict")
