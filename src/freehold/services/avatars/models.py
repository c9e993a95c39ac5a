"""What pictures are asked for with, and what there is to choose from."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from freehold.providers.images import Output
from freehold.web.wire import Input

Side = Annotated[int, Meta(ge=0, le=2000, description="In pixels; 0 is as the picture has it")]
Quality = Annotated[int, Meta(ge=-1, le=100)]
Color = Annotated[str, Meta(pattern=r"^(?:#?[0-9a-fA-F]{6})?$(?!\n)", description="Six hex digits")]
Url = Annotated[str, Meta(min_length=1, max_length=2048)]

BROWSERS = {
    "aa": ("Avant", "2f6fb3"),
    "an": ("And", "3a9d5d"),
    "ch": ("Chrome", "1a73e8"),
    "ci": ("Chrome", "5f6368"),
    "cm": ("Chrome", "188038"),
    "cr": ("Chromium", "4169e1"),
    "ff": ("Firefox", "d9480f"),
    "sf": ("Safari", "1098ad"),
    "mf": ("Safari", "0b7285"),
    "ps": ("Edge", "0c7489"),
    "oi": ("Edge", "364fc7"),
    "om": ("Mini", "c92a2a"),
    "op": ("Opera", "e03131"),
    "on": ("Next", "a61e4d"),
}
"""The browsers, by their codes: what is written on their picture, and its colour."""

CARDS = {
    "amex": ("American Express", "2671b9"),
    "argencard": ("Argencard", "5c7cfa"),
    "cabal": ("Cabal", "1c3d6e"),
    "cencosud": ("Cencosud", "0b5394"),
    "diners": ("Diners Club", "4a6fa5"),
    "discover": ("Discover", "c2570c"),
    "elo": ("Elo", "212529"),
    "hipercard": ("Hipercard", "a51d2d"),
    "jcb": ("JCB", "2b8a3e"),
    "mastercard": ("Mastercard", "862e2e"),
    "naranja": ("Naranja", "e8590c"),
    "targeta-shopping": ("Tarjeta Shopping", "5f3dc4"),
    "unionpay": ("Union Pay", "087f5b"),
    "visa": ("Visa", "1a1f71"),
    "mir": ("MIR", "1b7a43"),
    "maestro": ("Maestro", "364fc7"),
    "rupay": ("Rupay", "3b5b8c"),
}
"""The credit cards, by their codes: whose they are, and their colour."""

_FLAG_CODES = """
    ad ae af ag al am ao ar at au az ba bb bd be bf bg bh bi bj bn bo br bs bt bw by bz ca cd cf cg ch
    ci cl cm cn co cr cu cv cy cz de dj dk dm do dz ec ee eg er es et fi fj fm fr ga gb gd ge gh gm gn
    gq gr gt gw gy hn hr ht hu id ie il in iq ir is it jm jo jp ke kg kh ki km kn kp kr kw kz la lb lc
    li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mr mt mu mv mw mx my mz na ne ng ni nl no np
    nr nz om pa pe pf pg ph pk pl pt pw py qa ro rs ru rw sa sb sc sd se sg si sk sl sm sn so sr ss st
    sv sy sz td tg th tj tl tm tn to tr tt tv tz ua ug us uy uz va vc ve vn vu ws ye za zm zw
"""
FLAGS = frozenset(_FLAG_CODES.split())
"""The countries, by their codes of ISO 3166."""


class PictureQuery(Input):
    """The query string of a picture."""

    width: Side = 100
    height: Side = 100
    quality: Quality = -1


class InitialsQuery(Input):
    """The query string of initials."""

    name: Annotated[str, Meta(max_length=128)] = ""
    width: Side = 500
    height: Side = 500
    background: Color = ""


class QrQuery(Input):
    """The query string of a QR code."""

    text: Annotated[str, Meta(min_length=1, max_length=512)]
    size: Annotated[int, Meta(ge=1, le=1000)] = 400
    margin: Annotated[int, Meta(ge=0, le=10)] = 1
    download: bool = False


class PhotoQuery(Input):
    """The query string of a user's photo."""

    width: Side = 256
    height: Side = 256
    quality: Annotated[int, Meta(ge=0, le=100)] = 100
    output: Literal["png", "jpg", "webp"] = "png"
    rating: Literal["g", "pg", "r", "x"] = "g"


class FaviconQuery(Input):
    """The query string of a page's icon."""

    url: Url


class ImageQuery(Input):
    """The query string of an image on another site."""

    url: Url
    width: Side = 400
    height: Side = 400


Permission = Literal[
    "geolocation",
    "camera",
    "microphone",
    "notifications",
    "midi",
    "push",
    "clipboard-read",
    "clipboard-write",
    "payment-handler",
    "usb",
    "bluetooth",
    "accelerometer",
    "gyroscope",
    "magnetometer",
    "ambient-light-sensor",
    "background-sync",
    "persistent-storage",
    "screen-wake-lock",
    "web-share",
    "xr-spatial-tracking",
]
Text = Annotated[str, Meta(max_length=2048, pattern=r"^[\x20-\x7e]*$(?!\n)")]
HeaderName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$(?!\n)")]


class ScreenshotQuery(Input):
    """The query string of a page as a picture."""

    url: Url
    headers: Annotated[dict[HeaderName, Text], Meta(max_length=20)] = {}
    viewport_width: Annotated[int, Meta(ge=1, le=1920)] = 1280
    viewport_height: Annotated[int, Meta(ge=1, le=1080)] = 720
    scale: Annotated[float, Meta(ge=0.1, le=3)] = 1
    theme: Literal["light", "dark"] = "light"
    user_agent: Annotated[str, Meta(max_length=512, pattern=r"^[\x20-\x7e]*$(?!\n)")] = ""
    fullpage: bool = False
    locale: Annotated[
        str, Meta(max_length=10, pattern=r"^(?:[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,6})*)?$(?!\n)")
    ] = ""
    timezone: Annotated[str, Meta(max_length=64)] = ""
    latitude: Annotated[float, Meta(ge=-90, le=90)] = 0
    longitude: Annotated[float, Meta(ge=-180, le=180)] = 0
    accuracy: Annotated[float, Meta(ge=0, le=100000)] = 0
    touch: bool = False
    permissions: Annotated[list[Permission], Meta(max_length=20)] = []
    sleep: Annotated[int, Meta(ge=0, le=10, description="In seconds, after the page has loaded")] = 0
    width: Side = 0
    height: Side = 0
    quality: Quality = -1
    output: Output = "png"
