"""Deadlocks: PostgreSQL picks a victim, and the request is run again."""

from __future__ import annotations

import asyncpg
import pytest

from app.core.db import Row, Tx
from tests.resources import RESOURCES
from tests.world import World


@pytest.mark.parametrize("failures,status", [(3, 200), (4, 503)])
def test_a_request_that_lost_a_deadlock_is_run_again(
    world: World, monkeypatch: pytest.MonkeyPatch, failures: int, status: int
) -> None:
    resource = RESOURCES[-1]
    tenant = world.tenant()
    reader = world.able(f"{resource.name}:read", tenant)
    path = f"{resource.path}/{world.row(resource, tenant)['id']}"
    attempts = 0
    real = Tx.one

    async def unlucky(tx: Tx, sql: str, *values: object) -> Row | None:
        nonlocal attempts
        attempts += 1
        if attempts <= failures:
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        return await real(tx, sql, *values)

    monkeypatch.setattr(Tx, "one", unlucky)
    answer = reader.get(path)

    assert (answer.status_code, attempts) == (status, 4)
    assert status == 200 or answer.json()["code"] == "unavailable"
