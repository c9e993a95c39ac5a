"""A request that comes twice with one key has one effect, and the same answer both times."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .resources import RESOURCES, Resource
from .samples import new_id
from .world import World

EVERY = pytest.mark.parametrize("resource", RESOURCES, ids=str)
MANY = pytest.mark.parametrize("resource", [each for each in RESOURCES if each.tenant != "self"][:3], ids=str)
SCOPED = pytest.mark.parametrize("resource", [each for each in RESOURCES if each.tenant == "scoped"], ids=str)


@EVERY
def test_a_repeated_create_is_answered_and_not_done_again(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:create", tenant, world.user(resource, tenant))
    body = world.body(resource, tenant, writer.role)
    key = {"Idempotency-Key": str(new_id())}
    first = writer.post(resource.path, json=body, headers=key)
    again = writer.post(resource.path, json=body, headers=key)
    other = writer.post(resource.path, json=body | {"no_such": 1}, headers={"Idempotency-Key": str(new_id())})

    assert first.status_code == again.status_code == 201, first.text
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers.get("ETag") == first.headers.get("ETag")
    assert "Idempotency-Replayed" not in first.headers
    assert other.status_code == 422


@pytest.mark.parametrize(
    "resource", [each for each in RESOURCES if each.tenant != "self" and each.sample() != each.sample()][:3], ids=str
)
def test_a_key_of_another_request_is_refused(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:create", tenant, world.user(resource, tenant))
    key = {"Idempotency-Key": str(new_id())}
    bodies = [world.body(resource, tenant, writer.role) for _ in range(2)]
    assert writer.post(resource.path, json=bodies[0], headers=key).status_code == 201
    refused = writer.post(resource.path, json=bodies[1], headers=key)
    elsewhere = writer.post(f"{resource.path}/batch", json={"items": [bodies[1]]}, headers=key)

    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (422, "idempotency_key_reused")
    for wrong in ("", "x" * 256):
        assert writer.post(resource.path, json=bodies[1], headers={"Idempotency-Key": wrong}).status_code == 400


@MANY
def test_a_request_that_failed_leaves_no_key_behind(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:create", tenant, world.user(resource, tenant))
    body = world.body(resource, tenant, writer.role)
    key = {"Idempotency-Key": str(new_id())}
    items: list[Any] = [body, {"id": "x"}]
    assert writer.post(f"{resource.path}/batch", json={"items": items}, headers=key).status_code == 422
    assert writer.post(f"{resource.path}/batch", json={"items": [body]}, headers=key).status_code == 201


@MANY
def test_twenty_at_once_have_one_effect(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:create", tenant, world.user(resource, tenant))
    body = world.body(resource, tenant, writer.role)
    key = {"Idempotency-Key": str(new_id())}

    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda _: writer.post(resource.path, json=body, headers=key), range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 19


@SCOPED
def test_a_key_belongs_to_its_caller(world: World, resource: Resource) -> None:
    ours, theirs = world.tenant(), world.tenant()
    writers = [
        world.able(f"{resource.name}:create", ours),
        world.able(f"{resource.name}:create", theirs),
        world.able(f"{resource.name}:create", ours, world.user(resource, ours)),
    ]
    key = {"Idempotency-Key": str(new_id())}
    answers = [
        writer.post(resource.path, json=world.body(resource, writer.tenant, writer.role), headers=key)
        for writer in writers
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 201], answers[0].text
    assert len({answer.json()["id"] for answer in answers}) == 3
