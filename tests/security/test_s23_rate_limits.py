"""S23: a limit counts its caller, however the caller spells the request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.platform import Project, error_of, running_platform, unique
from tests.postgres import Server

LIMIT = 10
"""Of logins with one e-mail address, and of registrations from one network, in an hour."""


@pytest.fixture(scope="module")
def project(postgres: Server) -> Iterator[Project]:
    """A project behind a proxy on this machine, where limits are counted as in production."""
    with running_platform(postgres, FREEHOLD_TRUSTED_PROXIES="127.0.0.1") as running:
        running.register_root()
        yield running.new_project()


def login(client: httpx.Client, email: str, **said: Any) -> httpx.Response:
    path = said.pop("path", "/account/sessions/email")
    headers = said.pop("headers", {})
    return client.post(path, json={"email": email, "password": "wrong password", **said}, headers=headers)


def test_s23_a_login_is_counted_however_it_is_spelled(project: Project) -> None:
    email = f"{unique('jane')}@example.com"
    spellings: list[dict[str, Any]] = [
        {},
        {"email": email.upper()},
        {"email": f" {email} "},
        {"path": "/account/sessions"},
        {"path": "/account/sessions/email?project=other"},
        {"remember": True},
        {"headers": {"X-Forwarded-For": "198.51.100.7"}},
        {"headers": {"x-forwarded-for": "198.51.100.8, 198.51.100.9"}},
        {"headers": {"X-HTTP-Method-Override": "PUT"}},
        {"headers": {"X-Appwrite-Response-Format": "1.4.0"}},
    ]
    for spelling in spellings:
        answer = login(project.guest, **{"email": email, **spelling})
        assert error_of(answer) == (401, "user_invalid_credentials"), spelling

    for spelling in spellings:
        refused = login(project.guest, **{"email": email, **spelling})
        assert error_of(refused) == (429, "general_rate_limit_exceeded"), spelling
    assert refused.headers["x-ratelimit-remaining"] == "0"


def register(client: httpx.Client, address: str) -> httpx.Response:
    body = {"userId": "unique()", "email": f"{unique('u')}@example.com", "password": "correct horse battery"}
    return client.post("/account", json=body, headers={"X-Forwarded-For": address})


def test_s23_a_subscriber_of_ipv6_is_one_caller_with_all_its_addresses(project: Project) -> None:
    for number in range(LIMIT):
        assert register(project.guest, f"2001:db8:1:2::{number + 1:x}").status_code == 201

    assert error_of(register(project.guest, "2001:db8:1:2:ffff::1"))[0] == 429
    assert register(project.guest, "2001:db8:1:3::1").status_code == 201


def test_s23_what_a_caller_says_of_its_address_before_the_proxy_does_not_count(project: Project) -> None:
    for number in range(LIMIT):
        assert register(project.guest, f"203.0.113.{number}, 192.0.2.1").status_code == 201

    for said in ("203.0.113.77, 192.0.2.1", "192.0.2.1", "127.0.0.1, ::ffff:192.0.2.1"):
        assert error_of(register(project.guest, said))[0] == 429, said


def test_s23_one_who_is_refused_keeps_nobody_else_out(project: Project) -> None:
    email = f"{unique('bob')}@example.com"
    for _ in range(LIMIT + 1):
        login(project.guest, email)

    assert error_of(login(project.guest, email))[0] == 429
    assert error_of(login(project.guest, f"{unique('eve')}@example.com"))[0] == 401
