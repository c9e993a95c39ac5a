"""The suite's fixtures for a service that runs somewhere, as the environment says."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest

from .world import Service, World

HERE = Path(__file__).parent
SECRET = os.environ["CONFORMANCE_SECRET"]
"""AUTH_DEV_SECRET of the service."""


def sign(role: str, tenant: str, user: str) -> str:
    """A token that a service with AUTH_PROVIDER=dev takes."""
    now = int(time.time())
    claims: dict[str, object] = {"iss": "dev", "iat": now, "exp": now + 3600, "roles": [role]}
    claims |= {"kind": "service"} if role == "service" else {}
    claims |= {"tenant_id": tenant} if tenant else {}
    claims |= {"sub": user} if user else {}
    return jwt.encode(claims, SECRET, algorithm="HS256")


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    with httpx.Client(base_url=os.environ["CONFORMANCE_URL"], timeout=30) as client:
        yield Service(
            send=client.request,
            sign=sign,
            database_url=os.environ["CONFORMANCE_DATABASE_URL"],
            openapi=json.loads((HERE / "openapi.json").read_text(encoding="utf-8")),
        )


@pytest.fixture(scope="session")
def world(runner: asyncio.Runner, service: Service) -> Iterator[World]:
    world = World(runner, service)
    yield world
    world.close()
