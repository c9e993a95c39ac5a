"""A real PostgreSQL, the real application, and callers with every kind of token. Each test has its own tenant."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from httpx2 import Response
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from app import migrate
from app.core.ids import new_id
from app.core.rules import ME, TENANT, Grant, Is, MemberOf
from app.main import create_app
from app.permissions import PERMISSIONS, READABLE_BY, ROLES, WRITABLE_BY
from app.settings import Settings, load
from app.token import issue
from tests.resources import BY_NAME, Resource
from tests.resources import TENANT as TENANT_RESOURCE

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


@dataclass(frozen=True)
class Caller:
    """Somebody with a token. Every answer is held against openapi.json."""

    client: TestClient
    role: str
    tenant: Any = None
    user: Any = None

    def request(self, method: str, path: str, **options: Any) -> Response:
        headers = options.pop("headers", {})
        if self.role != "public":
            token = issue(SECRET, self.role, str(self.tenant or ""), str(self.user or ""))
            headers = {"Authorization": f"Bearer {token}", **headers}
        response = self.client.request(method, path, headers=headers, **options)
        check_contract(method, path, response)
        return response

    def get(self, path: str, **options: Any) -> Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Response:
        return self.request("POST", path, **options)

    def patch(self, path: str, **options: Any) -> Response:
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Response:
        return self.request("DELETE", path, **options)


def check_contract(method: str, path: str, response: Response) -> None:
    """The status, the media type and the body are ones that openapi.json promises."""
    bare = path.partition("?")[0]
    for template, operations in OPENAPI["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), bare) and method.lower() in operations:
            promised = operations[method.lower()]["responses"]
            assert str(response.status_code) in promised, f"{method} {template} answered {response.status_code}"
            answer = promised[str(response.status_code)]
            if "$ref" in answer:
                answer = OPENAPI["components"]["responses"][answer["$ref"].rpartition("/")[2]]
            content = answer.get("content", {})
            if not content:
                assert response.content == b""
                return
            media_type = response.headers["content-type"].partition(";")[0]
            assert media_type in content
            schema = content[media_type]["schema"] | {"components": OPENAPI["components"]}
            validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
            validator.validate(response.json())
            return


class World:
    """Rows as a test needs them, written past the API."""

    def __init__(self, runner: asyncio.Runner, url: str, client: TestClient) -> None:
        self._runner = runner
        self._client = client
        self._connection: Any = runner.run(asyncpg.connect(url))

    def close(self) -> None:
        self._runner.run(self._connection.close())

    def sql(self, statement: str, *values: object) -> list[Any]:
        rows: list[Any] = self._runner.run(self._connection.fetch(statement, *values))
        return rows

    def tenant(self) -> Any:
        """A new tenant; None in a service without any."""
        return self.row(TENANT_RESOURCE, None)["id"] if TENANT_RESOURCE else None

    def row(self, resource: Resource, tenant: Any, **values: Any) -> dict[str, Any]:
        """A new row, and the rows that it has to refer to."""
        wire = resource.sample() | self.references(resource, tenant, values) | values
        if resource.id_kind != "serial":
            wire.setdefault("id", str(tenant if resource.tenant == "self" and tenant else new_id()))
        columns = {
            resource.columns[name]: place(value) if name in resource.places else value for name, value in wire.items()
        }
        if resource.tenant == "scoped":
            columns["tenant_id"] = str(tenant)
        names = ", ".join(columns)
        keyed = {name.strip('"'): value for name, value in columns.items()}
        (row,) = self.sql(
            f"insert into {resource.table} ({names}) "
            f"select {names} from jsonb_populate_record(null::{resource.table}, $1::jsonb) "
            f"returning {resource.columns['id']} as id",
            json.dumps(keyed),
        )
        return wire | {"id": str(row["id"])}

    def references(self, resource: Resource, tenant: Any, given: dict[str, Any]) -> dict[str, Any]:
        """The ids of new rows for the references that cannot be null."""
        return {
            name: self.row(BY_NAME[resource.references[name]], tenant)["id"]
            for name in resource.required
            if name not in given
        }

    def body(self, resource: Resource, tenant: Any, role: str) -> dict[str, Any]:
        """A valid body for a create by the role."""
        rules = WRITABLE_BY.get(resource.name, {})
        held = roles_of(role)
        sample = {name: value for name, value in resource.sample().items() if rules.get(name, held) & held}
        return sample | self.references(resource, tenant, {})

    def caller(self, role: str, tenant: Any = None, user: Any = None) -> Caller:
        return Caller(self._client, role, tenant, user)

    def able(self, permission: str, tenant: Any, user: Any = None) -> Caller:
        """A caller that has the permission on every row; the test is skipped when no role has."""
        role = role_with(permission)
        if role is None:
            pytest.skip(f"no role has {permission} on every row")
        return self.caller(role, tenant, user)

    def satisfy(self, resource: Resource, grant: Grant, tenant: Any, user: Any) -> dict[str, Any] | None:
        """Values of a row that the grant reaches; None when that takes more than values of the row."""
        names = {column: name for name, column in resource.columns.items()}
        found: dict[str, Any] = {}
        for condition in grant:
            if isinstance(condition, MemberOf):
                return None
            value = condition.values[0]
            value = str(user) if value is ME else str(tenant) if value is TENANT else value
            found[names[condition.column]] = value if isinstance(value, (str, int, float, bool)) else str(value)
        return found

    def reaches(self, resource: Resource, grant: Grant, row: dict[str, Any], tenant: Any, user: Any) -> bool:
        """Whether the row happens to be one that the grant reaches."""
        wanted = self.satisfy(resource, grant, tenant, user)
        names = {column: name for name, column in resource.columns.items()}
        return wanted is not None and all(
            isinstance(condition, Is)
            and str(row.get(names[condition.column]))
            in {str(user if value is ME else tenant if value is TENANT else value) for value in condition.values}
            for condition in grant
        )

    def user(self, resource: Resource, tenant: Any) -> str:
        """The id of a user that rows of the resource can refer to as `me`."""
        for permissions in PERMISSIONS.values():
            for grants in permissions.values():
                for grant in grants:
                    for condition in grant:
                        if isinstance(condition, Is) and ME in condition.values:
                            target = _target(resource, condition.column)
                            if target is not None:
                                return str(self.row(target, tenant)["id"])
        return str(new_id())


def place(value: Any) -> Any:
    """A point, a line or the rings of a polygon, as PostgreSQL writes them."""
    if value is None:
        return None
    if isinstance(value[0], (int, float)):
        return f"({value[0]},{value[1]})"
    points = [place(each) for each in value]
    return points if isinstance(value[0][0], list) else f"({','.join(points)})"


def _target(resource: Resource, column: str) -> Resource | None:
    for name, target in resource.references.items():
        if resource.columns[name] == column:
            return BY_NAME[target]
    return None


def roles_of(role: str) -> frozenset[str]:
    """The roles that a caller with a token for this one has."""
    return frozenset({role, "public"} | ({"authenticated"} if role != "public" else set()))


def grants_of(role: str, permission: str) -> list[Grant]:
    return [grant for held in sorted(roles_of(role)) for grant in PERMISSIONS.get(held, {}).get(permission, ())]


def role_with(permission: str) -> str | None:
    """The least role that has the permission on every row."""
    for role in (*reversed(ROLES), "service", "authenticated", "public"):
        if () in grants_of(role, permission):
            return role
    return None


def sees_everything(role: str, resource: Resource) -> bool:
    return all(readers & roles_of(role) for readers in READABLE_BY.get(resource.name, {}).values())


@pytest.fixture
def world(runner: asyncio.Runner, database_url: str, client: TestClient) -> Iterator[World]:
    world = World(runner, database_url, client)
    yield world
    world.close()
