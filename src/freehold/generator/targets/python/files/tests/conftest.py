"""A real PostgreSQL and the real application. Each test has its own tenant."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from starlette.testclient import TestClient

from app import migrate
from app.main import create_app
from app.settings import Settings, load
from app.token import issue
from tests.samples import new_id
from tests.world import Service, World

ROOT = Path(__file__).parents[1]
ADMIN_URL = os.environ.get("TEST_DATABASE_URL", "postgresql://postgres:postgres@127.0.0.1:5432/postgres")
SECRET = "only-for-tests-" + "0123456789" * 3
OPENAPI: dict[str, Any] = json.loads((ROOT / "openapi.json").read_text())


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def database_url(runner: asyncio.Runner) -> Iterator[str]:
    """A database of its own with the roles and every migration, gone after the tests."""
    name = "test_" + new_id().hex
    url = urlunsplit(urlsplit(ADMIN_URL)._replace(path=f"/{name}"))

    async def make() -> None:
        admin = await asyncpg.connect(ADMIN_URL)
        await admin.execute(f"create database {name}")
        await admin.close()
        owner = await asyncpg.connect(url)
        await owner.execute((ROOT / "db" / "roles.sql").read_text())
        await owner.close()
        async with migrate.session(url, "public", "app_owner") as connection:
            await migrate.up(connection)

    async def drop() -> None:
        admin = await asyncpg.connect(ADMIN_URL)
        await admin.execute(f"drop database {name} with (force)")
        await admin.close()

    runner.run(make())
    yield url
    runner.run(drop())


@pytest.fixture(scope="session")
def settings(database_url: str) -> Settings:
    environ = {
        "DATABASE_URL": database_url,
        "DATABASE_ROLE": "app_api",
        "AUTH_PROVIDER": "dev",
        "AUTH_DEV_SECRET": SECRET,
        "LOG_LEVEL": "error",
    }
    return load(environ)


@pytest.fixture(scope="session")
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def service(client: TestClient, database_url: str) -> Service:
    return Service(
        send=client.request,
        sign=lambda role, tenant, user: issue(SECRET, role, tenant, user),
        database_url=database_url,
        openapi=OPENAPI,
    )


@pytest.fixture(scope="session")
def world(runner: asyncio.Runner, service: Service) -> Iterator[World]:
    world = World(runner, service)
    yield world
    world.close()
