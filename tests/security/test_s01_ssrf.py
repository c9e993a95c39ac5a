"""S01, S02, S04: what others may name is read outside only, whatever it is called and wherever it leads."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from freehold.providers.guarded_proxy import GuardedProxy
from freehold.providers.outside import ForbiddenTarget, Outside
from tests.platform import Project, error_of
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
    "http://[64:ff9b:1::7f00:1]/",
    "http://[fec0::1]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
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
"""They read what they are told themselves; a browser does it for screenshots."""


@pytest.mark.parametrize("way", [*WAYS, "screenshots"])
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


class Listener:
    """Something inside, on TCP and on UDP, that counts whoever comes."""

    def __init__(self) -> None:
        self.stream = socket.create_server(("127.0.0.1", 0))
        self.port = self.stream.getsockname()[1]
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind(("127.0.0.1", self.port))
        self.stream.setblocking(False)
        self.datagrams.setblocking(False)

    def came(self) -> int:
        """How many came so far."""
        came = 0
        for take in (self.stream.accept, lambda: self.datagrams.recv(2000)):
            with suppress(BlockingIOError):
                take()
                came += 1
        return came


@pytest.fixture
def listener() -> Iterator[Listener]:
    listens = Listener()
    yield listens
    listens.stream.close()
    listens.datagrams.close()


def test_s02_a_page_in_a_browser_leads_nowhere_inside_whatever_it_does(
    project: Project, sites: Vendors, listener: Listener
) -> None:
    """S01, S02, S04: by what it is made of, where that redirects to, scripts, sockets, WebRTC, files."""
    inside = f"127.0.0.1:{listener.port}"
    urls = [*INSIDE[:20], *OTHER_SCHEMES, f"http://{inside}/", f"https://{inside}/", f"ws://{inside}/"]
    page = """<!doctype html><body style="margin:0;background:rgb(0,255,0)"><script>
      for (const url of URLS) {
        for (const tag of ["img", "iframe", "script"]) document.body.append(Object.assign(
          document.createElement(tag), {src: url, width: 0, height: 0, style: "display:none"}));
        fetch(url, {mode: "no-cors"}).catch(() => {});
        try { new WebSocket(url.replace("http", "ws")) } catch {}
      }
      fetch("/redirect", {mode: "no-cors"}).catch(() => {});
      new Worker(URL.createObjectURL(new Blob([`fetch("http://INSIDE/worker", {mode: "no-cors"})`])));
      try {
        const peer = new RTCPeerConnection({iceServers: [{urls: "stun:INSIDE"}]});
        peer.createDataChannel("x");
        peer.createOffer().then((offer) => peer.setLocalDescription(offer));
      } catch {}
    </script>"""
    page = page.replace("URLS", json.dumps(urls)).replace("INSIDE", inside)
    html = {"Content-Type": "text/html"}
    sites.pages["led.example.com/"] = (200, html, page.encode())
    sites.pages["led.example.com/redirect"] = (302, {"Location": f"http://{inside}/"}, b"")
    sites.pages["led.example.com/away"] = (302, {"Location": f"http://{inside}/"}, b"")
    said = {"url": "http://led.example.com/", "sleep": "2", "width": "10", "height": "10"}
    shown = project.guest.get("/avatars/screenshots", params=said, timeout=90)
    away = project.guest.get(
        "/avatars/screenshots", params={"url": "http://led.example.com/away"}, timeout=90
    )

    assert shown.headers["content-type"] == "image/png"
    assert error_of(away) == (400, "general_argument_invalid")
    assert {each.url for each in sites.asks} <= {
        f"led.example.com/{path}" for path in ("", "redirect", "away", "favicon.ico")
    }
    assert listener.came() == 0


async def test_s02_the_proxy_of_a_browser_connects_to_the_address_that_it_judged(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names' own server changes its mind; both ways to use a proxy are tried."""

    async def resolved(host: str, asked: Any, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", asked))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolved, raising=False)
    proxy = GuardedProxy(Outside(plain=True))
    await proxy.start()
    try:
        for asked in (
            f"CONNECT rebound.example.com:{listener.port} HTTP/1.1",
            f"GET http://rebound.example.com:{listener.port}/ HTTP/1.1",
            "GET file:///etc/passwd HTTP/1.1",
            f"CONNECT 127.0.0.1:{listener.port} HTTP/1.1",
            "GET /relative HTTP/1.1",
            "nonsense",
        ):
            stream = socket.create_connection(("127.0.0.1", proxy.port))
            reader, writer = await asyncio.open_connection(sock=stream)
            writer.write(f"{asked}\r\nHost: a\r\n\r\n".encode())
            assert await reader.read() == b"", asked
            writer.close()
    finally:
        await proxy.close()

    assert set(proxy.refused) >= {"rebound.example.com", "127.0.0.1"}
    assert listener.came() == 0


@pytest.mark.parametrize("url", INSIDE)
def test_s03_the_same_guard_stands_before_every_call(url: str) -> None:
    for guard in (Outside(), Outside(plain=True), Outside(private_hosts=("keycloak.internal",))):
        with pytest.raises(ForbiddenTarget):
            guard.check(url.replace("http://", "https://"))
