"""S01, S02, S04: what others may name is read outside only, whatever it is called and wherever it leads."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from freehold.providers.outside import ForbiddenTarget, Outside
from tests.platform import Project
from tests.services.test_avatars import sites
from tests.services.vendors import Vendors

__all__ = ["sites"]

INSIDE = [
    "http://127.0.0.1/",
    "http://localhost/",
    "http://localhost./",
    "http://a.localhost/",
    "http://10.1.2.3/",
    "http://192.168.0.1/",
    "http://172.16.0.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://0.0.0.0/",
    "http://0/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://017700000001/",
    "http://127.1/",
    "http://127.0.0.1./",
    "http://127\u30020\u30020\u30021/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://a@127.0.0.1/",
    "http://example.com@127.0.0.1/",
    "http://127.0.0.1:80\\@example.com/",
]
OTHER_SCHEMES = [
    "file:///etc/passwd",
    "gopher://example.com/",
    "ftp://example.com/",
    "dict://example.com/",
    "data:,x",
]
WAYS = ["image", "favicon"]


@pytest.mark.parametrize("way", WAYS)
def test_s01_nothing_inside_is_read(project: Project, sites: Vendors, way: str) -> None:
    answers = {
        url: project.guest.get(f"/avatars/{way}", params={"url": url}) for url in (*INSIDE, *OTHER_SCHEMES)
    }

    assert {url: each.status_code for url, each in answers.items() if each.status_code != 400} == {}
    assert sites.asks == []


@pytest.mark.parametrize("way", WAYS)
def test_s02_redirects_lead_nowhere_that_may_not_be_named(project: Project, sites: Vendors, way: str) -> None:
    for number, url in enumerate(INSIDE):
        if url.isascii():
            sites.pages[f"out.example.com/{number}"] = (302, {"Location": url}, b"")
    for path in sites.pages:
        answer = project.guest.get(f"/avatars/{way}", params={"url": f"https://{path}"})
        assert answer.status_code == 400
        assert answer.json()["type"] == "general_argument_invalid"

    assert {each.url for each in sites.asks} == set(sites.pages)


def test_s02_an_icon_that_lies_inside_is_not_read(project: Project, sites: Vendors) -> None:
    links = "".join(f'<link rel="icon" href="{url}" sizes="64x64">' for url in INSIDE[:3])
    sites.pages["out.example.com/"] = (200, {}, links.encode())
    answer = project.guest.get("/avatars/favicon", params={"url": "https://out.example.com/"})

    assert answer.json()["type"] == "avatar_icon_not_found"
    assert {each.url for each in sites.asks} == {"out.example.com/", "out.example.com/favicon.ico"}


async def test_s02_a_name_that_leads_inside_is_not_connected_to_not_even_the_second_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The names' own server changes its mind between two questions."""
    connections = 0

    async def listen(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    told: list[str] = []

    async def resolved(host: str, asked: Any, **_: Any) -> list[Any]:
        told.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", asked))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolved, raising=False)
    reader = Outside(plain=True)
    try:
        for _ in range(2):
            with pytest.raises(ForbiddenTarget):
                await reader.read(f"http://rebound.example.com:{port}/")
    finally:
        await reader.close()
        server.close()

    assert told
    assert connections == 0


@pytest.mark.parametrize("url", INSIDE)
def test_s03_the_same_guard_stands_before_every_call(url: str) -> None:
    for guard in (Outside(), Outside(plain=True), Outside(private_hosts=("keycloak.internal",))):
        with pytest.raises(ForbiddenTarget):
            guard.check(url.replace("http://", "https://"))
