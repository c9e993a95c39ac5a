"""The database that tests are given."""

from __future__ import annotations

import asyncpg
import pytest


@pytest.mark.parametrize("round_", [1, 2])
async def test_each_test_gets_an_empty_database_of_an_ordinary_role(
    database_url: str, admin_url: str, round_: int
) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        role = await connection.fetchrow(
            "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        )
        tables = await connection.fetchval(
            "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        await connection.execute("CREATE SCHEMA freehold; CREATE TABLE freehold.left_behind (id int)")
    finally:
        await connection.close()

    assert tuple(role) == (False, False, False)
    assert tables == 0
