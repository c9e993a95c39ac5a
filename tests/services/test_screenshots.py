"""Pages of other sites as pictures."""

from __future__ import annotations

import asyncio
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from appwrite.enums.browser_permission import BrowserPermission
from appwrite.enums.browser_theme import BrowserTheme
from appwrite.enums.image_format import ImageFormat
from appwrite.enums.timezone import Timezone
from appwrite.services.avatars import Avatars
from PIL import Image
from structlog.testing import capture_logs

from freehold.providers.chromium import BrowserFailed, BrowserMissing, Chromium, Shot
from freehold.providers.outside import Outside
from tests.platform import Project, error_of
from tests.services.chromium import chromium_settings
from tests.services.test_avatars import sites
from tests.services.vendors import Vendors

__all__ = ["sites"]

WHAT_IT_IS = """<!doctype html><body style="margin:0;height:3000px;background:rgb(0,0,255)"><script>
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
const facts = {
  seen: [innerWidth, innerHeight, devicePixelRatio].join(),
  theme: dark ? "dark" : "light",
  agent: navigator.userAgent,
  locale: `${navigator.language} ${new Intl.NumberFormat().format(1.5)}`,
  timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  touch: navigator.maxTouchPoints,
};
document.body.style.background = dark ? "rgb(255,0,0)" : "rgb(0,255,0)";
new Image().src = "/facts?" + new URLSearchParams(facts);
navigator.geolocation?.getCurrentPosition(({ coords }) => {
  new Image().src = "/position?" + new URLSearchParams({ at: [coords.latitude, coords.longitude].join() });
});
</script>"""


def seen(contents: bytes) -> Image.Image:
    image = Image.open(BytesIO(contents))
    image.load()
    return image


def get(client: httpx.Client, **said: Any) -> httpx.Response:
    return client.get("/avatars/screenshots", params=said, timeout=90)


def told(sites: Vendors, path: str) -> list[dict[str, Any]]:
    return [each.form for each in sites.asks if each.url.partition("?")[0].endswith(path)]


def test_a_page_is_shown_as_whoever_asks_would_see_it(project: Project, sites: Vendors) -> None:
    sites.pages["pages.example.com/"] = (200, {"Content-Type": "text/html"}, WHAT_IT_IS.encode())
    sites.pages["pages.example.com/facts"] = (200, {}, b"")
    sdk = Avatars(project.sdk(key=project.key))
    whole = sdk.get_screenshot(
        "http://pages.example.com/",
        headers={"X-Preview": "yes"},
        viewport_width=400,
        viewport_height=300,
        scale=2,
        theme=BrowserTheme.DARK,
        user_agent="Visitor/1",
        fullpage=True,
        locale="de-DE",
        timezone=Timezone.ASIA_TOKYO,
        latitude=59.9,
        longitude=10.7,
        accuracy=20,
        touch=True,
        permissions=[BrowserPermission.GEOLOCATION, BrowserPermission.USB],
        sleep=1,
        output=ImageFormat.PNG,
    )
    [facts] = told(sites, "/facts")
    headers = [each.headers for each in sites.asks if each.url == "pages.example.com/"]

    assert (seen(whole).format, seen(whole).size) == ("PNG", (800, 6000))
    assert seen(whole).convert("RGB").getpixel((400, 5990)) == (255, 0, 0)
    assert facts == {
        "seen": "400,300,2",
        "theme": "dark",
        "agent": "Visitor/1",
        "locale": "de-DE 1,5",
        "timezone": "Asia/Tokyo",
        "touch": "5",
    }
    assert [each["X-Preview"] for each in headers] == ["yes"]


def test_a_page_is_made_a_picture_of_the_size_and_kind_that_is_wanted_once_an_hour(
    project: Project, sites: Vendors
) -> None:
    other = b"<body style='margin:0;background:#0f0'><img src='http://other.example.com/x.png'>"
    sites.pages["plain.example.com/"] = (200, {"Content-Type": "text/html"}, other)
    sites.pages["other.example.com/x.png"] = (200, {}, b"")
    said = {
        "url": "http://plain.example.com/",
        "width": 320,
        "height": 180,
        "output": "webp",
        "quality": 50,
        "headers[Authorization]": "Bearer mine",
    }
    first = get(project.guest, **said)
    again = get(project.guest, **said)
    asks = {each.url: each.headers.get("Authorization") for each in sites.asks}

    assert first.headers["content-type"] == "image/webp"
    assert first.headers["cache-control"] == "private, max-age=3600"
    assert (seen(first.content).format, seen(first.content).size) == ("WEBP", (320, 180))
    green = seen(first.content).convert("RGB").getpixel((300, 170))
    assert (green[0] < 20, green[1] > 240) == (True, True)  # type: ignore[index]
    assert again.content == first.content
    assert [each.url for each in sites.asks].count("plain.example.com/") == 1
    assert asks == {"plain.example.com/": "Bearer mine", "other.example.com/x.png": None}


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"url": "http://a.example.com/", "viewportWidth": "1921"},
        {"url": "http://a.example.com/", "scale": "0"},
        {"url": "http://a.example.com/", "theme": "blue"},
        {"url": "http://a.example.com/", "timezone": "mars/olympus"},
        {"url": "http://a.example.com/", "locale": "de; DROP"},
        {"url": "http://a.example.com/", "permissions[]": "everything"},
        {"url": "http://a.example.com/", "sleep": "11"},
        {"url": "http://a.example.com/", "output": "svg"},
        {"url": "http://a.example.com/", "userAgent": "a\r\nb"},
        {"url": "http://a.example.com/", "headers[Host]": "b.example.com"},
        {"url": "http://a.example.com/", "headers[X-A]": "b\r\nX-B: c"},
        {"url": "http://a.example.com/", "headers[X A]": "b"},
    ],
)
def test_what_cannot_be_asked_for_is_refused(project: Project, sites: Vendors, said: dict[str, str]) -> None:
    assert error_of(get(project.guest, **said)) == (400, "general_argument_invalid")
    assert sites.asks == []


def test_a_page_that_is_not_there_is_said_and_no_dialog_holds_one_up(
    project: Project, sites: Vendors
) -> None:
    sites.pages["asking.example.com/"] = (
        200,
        {"Content-Type": "text/html"},
        b"<script>alert(1); while (!confirm('Go on?')); open('http://popup.example.com/')</script>"
        b"<body style='background:#00f'>",
    )
    shown = get(project.guest, url="http://asking.example.com/", width=10, height=10)
    sites.asks.clear()
    broken = get(project.guest, url="https://no-tls.example.com/")

    assert seen(shown.content).convert("RGB").getpixel((5, 5)) == (0, 0, 255)
    assert error_of(broken) == (404, "avatar_remote_url_failed")


def program(directory: Path, text: str) -> str:
    path = directory / "chromium"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return str(path)


async def test_a_page_is_told_where_one_is_if_it_may_know(sites: Vendors) -> None:
    """At localhost, where browsers trust a page without TLS as well."""
    sites.pages["localhost/"] = (200, {"Content-Type": "text/html"}, WHAT_IT_IS.encode())
    for path in ("facts", "position"):
        sites.pages[f"localhost/{path}"] = (200, {}, b"")
    shot = Shot(url="http://localhost/", position=(59.9, 10.7, 20), permissions=("geolocation",), sleep_s=1)
    outside = Outside(plain=True, anywhere=True, stand_in=sites.url)
    with chromium_settings() as told_to_use:
        chromium = Chromium(outside, path=told_to_use["FREEHOLD_CHROMIUM"], sandbox=False)
        await chromium.take(msgspec.structs.replace(shot, permissions=()))
        denied = told(sites, "/position")
        while not told(sites, "/position"):  # the page hears of it when the browser comes to it
            await chromium.take(shot)

    assert denied == []
    assert told(sites, "/position") == [{"at": "59.9,10.7"}]


async def test_without_a_browser_or_with_one_that_ends_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freehold.providers.chromium.NAMES", ("chromium-that-is-not-there",))
    shot = Shot(url="http://a.example.com/")
    with pytest.raises(BrowserMissing):
        await Chromium(Outside(plain=True)).take(shot)
    with pytest.raises(BrowserMissing, match="/nowhere/chromium"):
        await Chromium(Outside(plain=True), path="/nowhere/chromium").take(shot)
    path = program(tmp_path, "echo No usable sandbox >&2; exit 3")
    with capture_logs() as logged, pytest.raises(BrowserFailed, match="does not start here"):
        await Chromium(Outside(plain=True), path=path).take(shot)

    assert [each["says"] for each in logged] == ["No usable sandbox\n"]


async def test_a_browser_has_so_much_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freehold.providers.chromium.TIMEOUT_S", 0.5)
    path = program(tmp_path, "exec sleep 60")
    with pytest.raises(BrowserFailed, match="it took too long"):
        await Chromium(Outside(plain=True), path=path).take(Shot(url="http://a.example.com/"))


async def test_a_browser_knows_none_of_our_secrets_and_ends_with_whoever_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREEHOLD_SECRET", "shh")
    started = tmp_path / "pid"
    path = program(
        tmp_path, f"env > {tmp_path}/env; echo $$ > {started}.new; mv {started}.new {started}; exec sleep 60"
    )
    asking = asyncio.create_task(
        Chromium(Outside(plain=True), path=path).take(Shot(url="http://a.example.com/"))
    )
    while not started.exists():
        assert not asking.done()
        await asyncio.sleep(0.05)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert "shh" not in (tmp_path / "env").read_text()
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
