"""Rate limits: off unless told, and then for each caller."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from app.core.limits import network
from app.main import create_app
from app.settings import Settings
from app.token import issue
from tests.conftest import OPENAPI, SECRET
from tests.resources import RESOURCES
from tests.world import Service, World


@pytest.fixture
def limited(settings: Settings, database_url: str) -> Iterator[Service]:
    with TestClient(create_app(replace(settings, rate_limit=3)), raise_server_exceptions=False) as client:
        yield Service(
            send=client.request,
            sign=lambda role, tenant, user: issue(SECRET, role, tenant, user),
            database_url=database_url,
            openapi=OPENAPI,
        )


def test_who_asks_too_often_is_told_when_to_come_back(world: World, limited: Service) -> None:
    resource = RESOURCES[-1]
    tenant = world.tenant()
    reader = replace(world.able(f"{resource.name}:read", tenant, world.user(resource, tenant)), service=limited)
    other = replace(reader, user=world.user(resource, tenant))
    answers = [reader.get(resource.path) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"minute";q=3;w=60'
    assert answers[0].headers["RateLimit"].startswith('"minute";r=2;')
    assert answers[3].json()["code"] == "rate_limited"
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 20
    assert other.get(resource.path).status_code == 200


@pytest.mark.parametrize(
    "address,place",
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"),
        ("fe80::1%lo", "fe80::/64"),
        ("a socket", "a socket"),
    ],
)
def test_who_has_many_addresses_has_one_limit(address: str, place: str) -> None:
    assert network(address) == place


def test_guesses_are_counted_too(limited: Service) -> None:
    path = RESOURCES[0].path
    guesses = [
        limited.send("GET", path, headers={"Authorization": f"Bearer a.b.{number}"}).status_code for number in range(20)
    ]

    assert guesses[:3] == [401, 401, 401]
    assert set(guesses) == {401, 429}


def test_there_is_no_limit_unless_one_is_set(world: World) -> None:
    resource = RESOURCES[-1]
    answer = world.able(f"{resource.name}:read", world.tenant()).get(resource.path)

    assert answer.status_code == 200
    assert "RateLimit" not in answer.headers
