"""What other sites show: their icons, images, and the photos of users."""

from __future__ import annotations

import asyncio
import hashlib
from html.parser import HTMLParser
from urllib.parse import urljoin

import structlog

from freehold.errors import InvalidParameter
from freehold.providers.outside import ForbiddenTarget, OutsideProblem, Page
from freehold.providers.vectors import SIDE
from freehold.services.avatars.errors import IconNotFound, RemoteUrlFailed
from freehold.web.call import Call

MAX_IMAGE_BYTES = 10 * 1024 * 1024
MAX_PAGE_BYTES = 2 * 1024 * 1024
_TRIED_ICONS = 3
_IMAGES = "image/avif,image/webp,image/png,image/*;q=0.8,*/*;q=0.5"

_log = structlog.get_logger("freehold.avatars")


async def image(call: Call, url: str) -> bytes:
    """The contents of an image elsewhere. Raises RemoteUrlFailed, InvalidParameter."""
    return (await _read(call, url, MAX_IMAGE_BYTES, _IMAGES)).body


async def icons(call: Call, url: str) -> list[str]:
    """The URLs of a page's icons, the best first. Raises RemoteUrlFailed, InvalidParameter."""
    page = await _read(call, url, MAX_PAGE_BYTES, "text/html,*/*;q=0.5")
    # Beside what else goes on: a page of megabytes may be of nothing but tags.
    best = await asyncio.to_thread(_named_icons, page)
    return [*best[: _TRIED_ICONS - 1], urljoin(page.url, "/favicon.ico")]


def _named_icons(page: Page) -> list[str]:
    """The icons that a page names, the best first."""
    found = _Icons(page.url)
    found.feed(page.body.decode("utf-8", "replace"))
    return sorted(found.urls, key=lambda each: -found.urls[each])


async def icon(call: Call, url: str) -> bytes:
    """The contents of an icon. Raises IconNotFound."""
    try:
        return (await _read(call, url, MAX_IMAGE_BYTES, _IMAGES)).body
    except (RemoteUrlFailed, InvalidParameter) as error:
        raise IconNotFound() from error


async def photo(call: Call, address: str, *, size: int, rating: str) -> bytes | None:
    """The photo of whoever has an e-mail address, where the operator has them looked for; None for none."""
    where = call.app.settings.photo_url
    if not where or not address:
        return None
    digest = hashlib.sha256(address.strip().lower().encode()).hexdigest()
    try:
        return await image(call, f"{where}/{digest}?s={size}&r={rating}&d=404")
    except (RemoteUrlFailed, InvalidParameter) as error:
        _log.info("no_photo", says=str(error))
        return None


async def _read(call: Call, url: str, most_bytes: int, accept: str) -> Page:
    try:
        return await call.app.pages_outside.read(url, most_bytes=most_bytes, accept=accept)
    except ForbiddenTarget as error:
        raise InvalidParameter(name="url", reason=f"It is not read: {error}.") from error
    except OutsideProblem as error:
        raise RemoteUrlFailed(reason=str(error)) from error


class _Icons(HTMLParser):
    """The icons that a page names, with how good they are for a picture."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._base = url
        self.urls: dict[str, int] = {}

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """As browsers do, which know of none: up to the next `>` it is a comment."""
        return self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        kinds = told.get("rel", "").lower().split()
        if tag != "link" or not told.get("href") or len(self.urls) > 50:
            return
        if "icon" not in kinds and "apple-touch-icon" not in kinds:
            return
        try:
            url = urljoin(self._base, told["href"])
        except ValueError:  # it is no URL
            return
        is_svg = told.get("type") == "image/svg+xml" or told["href"].partition("?")[0].endswith(".svg")
        if is_svg or told.get("sizes", "").lower() == "any":
            self.urls[url] = SIDE
            return
        side = told.get("sizes", "").lower().partition("x")[0]
        self.urls[url] = int(side) if side.isdecimal() and len(side) < 5 else 16
