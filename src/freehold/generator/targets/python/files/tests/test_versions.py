"""Two callers at once: nobody's change is lost, and nobody reads twice what has not changed."""

from __future__ import annotations

import asyncpg
import pytest

from app.core.db import Row, Tx
from app.permissions import WRITABLE_BY
from tests.conftest import World, roles_of
from tests.resources import RESOURCES, Resource

VERSIONED = pytest.mark.parametrize(
    "resource", [each for each in RESOURCES if each.versioned and each.tenant != "self"], ids=str
)


@VERSIONED
def test_of_two_changes_to_the_same_version_one_is_refused(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:update", tenant)
    path = f"{resource.path}/{world.row(resource, tenant)['id']}"
    rules = WRITABLE_BY.get(resource.name, {})
    held = roles_of(writer.role)
    body = dict([next((k, v) for k, v in resource.sample().items() if rules.get(k, held) & held)])
    first = writer.patch(path, json=body, headers={"If-Match": '"1"'})
    second = writer.patch(path, json=body, headers={"If-Match": '"1"'})
    weak = writer.patch(path, json=body, headers={"If-Match": 'W/"2"'})
    garbage = writer.patch(path, json=body, headers={"If-Match": "x"})

    assert first.status_code == 200, first.text
    assert (second.status_code, second.json()["code"], second.headers["ETag"]) == (412, "version_conflict", '"2"')
    assert (weak.status_code, weak.json()["version"]) == (200, 3)
    assert garbage.status_code == 412


@VERSIONED
@pytest.mark.parametrize("failures,status", [(3, 200), (4, 503)])
def test_a_request_that_lost_a_deadlock_is_run_again(
    world: World, monkeypatch: pytest.MonkeyPatch, resource: Resource, failures: int, status: int
) -> None:
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


@VERSIONED
def test_a_row_that_has_not_changed_is_not_sent_again(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    reader = world.able(f"{resource.name}:read", tenant)
    path = f"{resource.path}/{world.row(resource, tenant)['id']}"
    again = reader.get(path, headers={"If-None-Match": reader.get(path).headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
