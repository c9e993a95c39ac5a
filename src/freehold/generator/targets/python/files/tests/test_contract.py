"""The code serves what openapi.json promises, and nothing beside it. The answers themselves are held against the
document by the callers of tests/conftest.py, in every test."""

from __future__ import annotations

from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from app.features import ROUTERS
from tests.conftest import OPENAPI


def test_every_operation_is_served_and_every_route_is_promised() -> None:
    served = {
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    promised = {
        (method.upper(), path) for path, operations in OPENAPI["paths"].items() for method in operations
    }

    assert served == promised


def test_every_operation_asks_for_a_token_unless_it_is_public(client: TestClient) -> None:
    for path, operations in OPENAPI["paths"].items():
        for method, operation in operations.items():
            if {} in operation.get("security", []):
                continue
            address = path.replace("{id}", "01930000-0000-7000-8000-000000000000")
            forged = client.request(method.upper(), address, headers={"Authorization": "Bearer x.y.z"})
            assert forged.status_code == 401, (method, path)
            assert forged.headers["WWW-Authenticate"].startswith("Bearer")
