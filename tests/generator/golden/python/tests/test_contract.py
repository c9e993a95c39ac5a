"""The code serves what openapi.json promises, and nothing beside it. The answers themselves are held against the
document by the callers of tests/conftest.py, in every test."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from app import extra
from app.features import ROUTERS
from tests.conftest import OPENAPI


def test_every_operation_is_served_and_every_route_of_a_resource_is_promised() -> None:
    resources, own = served(ROUTERS), served(extra.ROUTERS, prefix="/v1")
    promised = {(method.upper(), path) for path, operations in OPENAPI["paths"].items() for method in operations}

    assert resources - promised == set()
    assert promised - resources - own == set()


def served(routers: Sequence[APIRouter], prefix: str = "") -> set[tuple[str, str]]:
    """The methods and paths of routers. HEAD comes with GET."""
    return {
        (method, prefix + route.path)
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in (route.methods or set()) - {"HEAD"}
    }


def test_every_operation_asks_for_a_token_unless_it_is_public(client: TestClient) -> None:
    for path, operations in OPENAPI["paths"].items():
        for method, operation in operations.items():
            if {} in operation.get("security", []):
                continue
            address = path.replace("{id}", "01930000-0000-7000-8000-000000000000")
            forged = client.request(method.upper(), address, headers={"Authorization": "Bearer x.y.z"})
            assert forged.status_code == 401, (method, path)
            assert forged.headers["WWW-Authenticate"].startswith("Bearer")
