"""Hooks and routes of the owner: called in the transaction of the change, and able to refuse it."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from app import extra
from app.core.errors import Problem
from app.core.logs import JsonLines
from app.features import ROUTERS
from app.main import create_app
from app.settings import Settings
from tests.resources import RESOURCES, Resource
from tests.world import World, writable

MANY = [each for each in RESOURCES if each.tenant != "self"]
EVERY = pytest.mark.parametrize("resource", MANY, ids=str)


def hooks_of(resource: Resource) -> Any:
    """The module of the resource's hooks."""
    (router,) = [each for each in ROUTERS if each.prefix == resource.path]
    module = getattr(router.routes[0], "endpoint").__module__  # noqa: B009
    return import_module(module.replace(".routes", ".hooks"))


@EVERY
def test_each_change_calls_its_hooks(world: World, resource: Resource, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = world.tenant()
    needed = [f"{resource.name}:{action}" for action in ("create", "update", "delete")]
    writer = world.able_to_all(needed, tenant)
    called: list[str] = []
    for name in ("create", "update", "delete"):
        for when in ("before", "after"):

            async def hook(*_: Any, what: str = f"{when}_{name}") -> None:
                called.append(what)

            monkeypatch.setattr(hooks_of(resource), f"{when}_{name}", hook)
    body = world.body(resource, tenant, writer.role)
    path = writer.post(resource.path, json=body).headers["Location"]
    writer.patch(path, json=dict(list(writable(resource, writer.role).items())[:1]))
    writer.delete(path)

    assert called == [f"{when}_{name}" for name in ("create", "update", "delete") for when in ("before", "after")]


@EVERY
def test_a_hook_that_refuses_undoes_the_change(
    world: World, resource: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:create", tenant)
    body = world.body(resource, tenant, writer.role)

    async def refuse(*_: Any) -> None:
        raise Problem(422, "validation_failed", "Not on Sundays.")

    monkeypatch.setattr(hooks_of(resource), "after_create", refuse)
    count = f"select count(*) as count from {resource.table}"
    before = world.sql(count)
    refused = writer.post(resource.path, json=body)
    batch = writer.post(f"{resource.path}/batch", json={"items": [body]})

    assert (refused.status_code, refused.json()["detail"]) == (422, "Not on Sundays.")
    assert (batch.status_code, batch.json()["errors"][0]["pointer"]) == (422, "/items/0")
    assert world.sql(count) == before


@pytest.mark.parametrize("resource", MANY[:1], ids=str)
def test_what_nobody_expected_is_an_answer_and_a_line_of_the_log_with_the_same_id(
    world: World, resource: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:create", tenant)
    body = world.body(resource, tenant, writer.role)
    lines: list[dict[str, Any]] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(json.loads(JsonLines().format(record)))  # type: ignore[method-assign]

    async def stumble(*_: Any) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(hooks_of(resource), "before_create", stumble)
    logging.getLogger().addHandler(handler)
    try:
        answer = writer.post(resource.path, json=body, headers={"X-Request-Id": "a-request-of-mine"})
    finally:
        logging.getLogger().removeHandler(handler)
    told = [line for line in lines if "a mistake of ours" in line.get("error", "")]

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "a mistake" not in answer.text
    assert answer.headers["X-Request-Id"] == answer.json()["request_id"] == "a-request-of-mine"
    assert [line["request_id"] for line in told] == ["a-request-of-mine"]


def test_a_route_of_the_owner_is_served_and_may_take_the_place_of_another(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = APIRouter()
    router.add_api_route("/hello", lambda: {"hello": "world"})
    router.add_api_route(RESOURCES[0].path.removeprefix("/v1"), lambda: {"mine": True})
    monkeypatch.setattr(extra, "ROUTERS", (router,))
    with TestClient(create_app(replace(settings))) as client:
        assert client.get("/v1/hello").json() == {"hello": "world"}
        assert client.get(RESOURCES[0].path).json() == {"mine": True}
