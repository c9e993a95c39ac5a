"""S43: a scope opens exactly its routes, and a key does not make or read what can do more than it can."""

from __future__ import annotations

import re

import httpx
import pytest

from freehold.access import scopes
from freehold.services import endpoints
from freehold.web.endpoint import Endpoint
from tests.platform import Platform, Project, error_of

GUARDED = [each for each in endpoints() if not scopes.KEY.intersection(each.scopes)]
ROUTES = [(each, path) for each in GUARDED for path in (each.path, *each.aliases)]
NAMES = [f"{endpoint.method} {path}" for endpoint, path in ROUTES]


class Keyring:
    """Keys with and without a scope, each made once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._made: dict[frozenset[str], httpx.Client] = {}

    def client(self, granted: frozenset[str]) -> httpx.Client:
        if granted not in self._made:
            key = self.project.key_with(*sorted(granted))
            self._made[granted] = self.project.platform.client(self.project.id, key=key)
        return self._made[granted]


@pytest.fixture(scope="module")
def keyring(platform: Platform) -> Keyring:
    return Keyring(platform.new_project())


def call(client: httpx.Client, project: Project, endpoint: Endpoint, path: str) -> httpx.Response:
    path = path.replace("{projectId}", project.id)
    return client.request(endpoint.method, re.sub(r"{\w+}", "nothing-here", path).removeprefix("/v1"))


@pytest.mark.parametrize(("endpoint", "path"), ROUTES, ids=NAMES)
def test_s43_without_its_scope_a_route_is_closed(keyring: Keyring, endpoint: Endpoint, path: str) -> None:
    others = scopes.ALL_PROJECT - frozenset(endpoint.scopes)
    answer = call(keyring.client(others), keyring.project, endpoint, path)

    assert error_of(answer) in ((401, "general_unauthorized_scope"), (401, "general_access_forbidden"))


KEYED = [
    (endpoint, path, scope)
    for endpoint, path in ROUTES
    for scope in endpoint.scopes
    if scope in scopes.ALL_PROJECT and (endpoint.method, endpoint.path) != ("DELETE", "/v1/project")
]


@pytest.mark.parametrize(
    ("endpoint", "path", "scope"), KEYED, ids=[f"{e.method} {p} {s}" for e, p, s in KEYED]
)
def test_s43_with_its_scope_alone_a_route_is_open(
    keyring: Keyring, endpoint: Endpoint, path: str, scope: str
) -> None:
    answer = call(keyring.client(frozenset([scope])), keyring.project, endpoint, path)

    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert error_of(answer)[1] != "general_unauthorized_scope"


def test_s43_a_key_makes_no_key_that_lasts(project: Project) -> None:
    refused = project.server.post("/project/keys", json={"keyId": "k", "name": "k", "scopes": ["users.read"]})

    assert error_of(refused) == (403, "key_creation_denied")
    assert project.admin.get("/project/keys").json()["total"] == 1


def test_s43_an_ephemeral_key_can_do_no_more_than_its_maker(project: Project) -> None:
    maker = project.platform.client(project.id, key=project.key_with("keys.write", "users.read"))
    for asked in (["users.write"], ["users.read", "rows.write"], ["keys.read"]):
        refused = maker.post("/project/keys/ephemeral", json={"scopes": asked, "duration": 60})
        assert error_of(refused) == (403, "key_creation_denied")
    made = maker.post("/project/keys/ephemeral", json={"scopes": ["users.read"], "duration": 60})

    assert made.status_code == 201
    refused = project.platform.client(project.id, key=made.json()["secret"]).post("/users", json={})
    assert error_of(refused) == (401, "general_unauthorized_scope")


def test_s43_an_ephemeral_key_does_not_outlive_its_maker_through_another(project: Project) -> None:
    body = {"scopes": ["keys.write", "users.read"], "duration": 60}
    first = project.server.post("/project/keys/ephemeral", json=body).json()
    maker = project.platform.client(project.id, key=first["secret"])
    second = maker.post("/project/keys/ephemeral", json={**body, "duration": 3600}).json()

    assert second["expire"] <= first["expire"]


def test_s43_a_key_does_not_raise_itself_or_another(project: Project) -> None:
    weak = project.key_with("keys.write", "keys.read")
    client = project.platform.client(project.id, key=weak)
    [own] = [key for key in project.admin.get("/project/keys").json()["keys"] if key["secret"] == weak]
    path = f"/project/keys/{own['$id']}"

    refused = client.put(path, json={"name": "k", "scopes": ["keys.write", "keys.read", "users.write"]})
    assert error_of(refused) == (403, "key_creation_denied")
    assert client.put(path, json={"name": "k", "scopes": ["keys.read"]}).status_code == 200
    back = client.put(path, json={"name": "k", "scopes": ["keys.write", "keys.read"]})
    assert error_of(back) == (401, "general_unauthorized_scope")


def test_s43_a_key_does_not_read_the_secret_of_a_stronger_one(project: Project) -> None:
    weak = project.platform.client(project.id, key=project.key_with("keys.read", "users.read"))
    project.key_with("users.read")
    listed = weak.get("/project/keys").json()["keys"]
    by_scopes = {tuple(key["scopes"]): key["secret"] for key in listed}

    assert by_scopes[("users.read",)].startswith("standard_")
    assert by_scopes[tuple(sorted(scopes.ALL_PROJECT))] == ""
    for key in listed:
        assert weak.get(f"/project/keys/{key['$id']}").json()["secret"] == key["secret"]


def test_s43_the_outbox_holds_no_secret_of_a_key_or_session(platform: Platform, project: Project) -> None:
    import asyncio

    import asyncpg

    jane = project.new_user()
    secret = project.key_with("users.read")
    body = {"scopes": ["users.read"], "duration": 60}
    ephemeral = project.server.post("/project/keys/ephemeral", json=body).json()["secret"]

    async def told() -> str:
        connection = await asyncpg.connect(platform.database_url)
        rows = await connection.fetch(
            "select event, payload::text from freehold.outbox where project_id = $1", project.id
        )
        await connection.close()
        return "\n".join(f"{row['event']} {row['payload']}" for row in rows)

    events = asyncio.run(told())
    assert f"users.{jane.id}.sessions." in events
    assert "keys." in events
    for hidden in (secret, ephemeral, jane.session):
        assert hidden not in events
