"""The mock OAuth provider, and that only development has it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.platform import Platform, error_of, running_platform
from tests.postgres import Server

BASE = "/mock/tests/general/oauth2"
ASKED = {"client_id": "1", "redirect_uri": "http://localhost:3000/back?a=1", "scope": "email", "state": "s&t"}
CLIENT = {"client_id": "1", "client_secret": "123456"}


@pytest.fixture
def anyone(platform: Platform) -> httpx.Client:
    return platform.client("console")


def test_the_whole_dance_ends_with_a_user(anyone: httpx.Client) -> None:
    sent_back = anyone.get(BASE, params=ASKED)
    answer = parse_qs(urlsplit(sent_back.headers["location"]).query)
    tokens = anyone.get(f"{BASE}/token", params={**CLIENT, "code": answer["code"][0]}).json()
    user = anyone.get(f"{BASE}/user", params={"token": tokens["access_token"]}).json()
    again = anyone.get(
        f"{BASE}/token",
        params={**CLIENT, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
    )

    assert sent_back.status_code == 301
    assert sent_back.headers["location"].startswith("http://localhost:3000/back?")
    assert (answer["a"], answer["state"]) == (["1"], ["s&t"])
    assert (user["email"], user["verified"]) == ("useroauth@localhost.test", True)
    assert again.json() == tokens
    unverified = anyone.get(f"{BASE}/user-unverified", params={"token": tokens["access_token"]}).json()
    assert unverified["verified"] is False
    assert anyone.get(f"{BASE}/success").json() == {"result": "success"}
    assert anyone.get(f"{BASE}/failure").status_code == 400


def test_it_refuses_what_it_does_not_know(anyone: httpx.Client) -> None:
    for params in (
        {**CLIENT, "code": "other"},
        {**CLIENT, "client_secret": "x", "code": "abcdef"},
        {**CLIENT, "grant_type": "refresh_token", "refresh_token": "x"},
    ):
        assert error_of(anyone.get(f"{BASE}/token", params=params)) == (400, "general_mock")
    assert error_of(anyone.get(f"{BASE}/user", params={"token": "x"})) == (400, "general_mock")


@pytest.mark.parametrize(
    "target",
    ["https://evil.example.com/", "//evil.com", "javascript://localhost/%0aalert(1)", "", "http://["],
)
def test_it_sends_nobody_elsewhere(anyone: httpx.Client, target: str) -> None:
    refused = anyone.get(BASE, params={**ASKED, "redirect_uri": target})

    assert error_of(refused) == (400, "general_argument_invalid")
    assert "location" not in refused.headers


def test_outside_of_development_there_is_no_such_thing(postgres: Server) -> None:
    with running_platform(postgres) as strict:
        for path in ("", "/token", "/user", "/user-unverified", "/success", "/failure"):
            params = {**ASKED, **CLIENT, "code": "abcdef", "token": "123456"}
            answer = strict.client("console").get(BASE + path, params=params)
            assert error_of(answer) == (404, "general_route_not_found")
