"""Pages of other sites as they look in a browser: taken once an hour, for whoever asks for the same."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
import zoneinfo
from functools import cache
from pathlib import Path

import msgspec

from freehold.errors import InvalidParameter
from freehold.providers.chromium import BrowserBusy, BrowserMissing, PageFailed, Shot, ShotProblem
from freehold.providers.images import Transform
from freehold.providers.outside import ForbiddenTarget
from freehold.services.avatars.errors import NoBrowser, PageNotShown, RemoteUrlFailed, TooManyPictures
from freehold.services.avatars.models import ScreenshotQuery
from freehold.services.avatars.pictures import picture
from freehold.web.call import Call

KEPT_S = 3600
_OF_THE_BROWSER = frozenset(
    ("connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
)
"""Headers that say how a request is sent, which the browser decides."""


async def screenshot(call: Call, query: ScreenshotQuery) -> bytes:
    """The picture. Raises InvalidParameter, NoBrowser, PageNotShown, RemoteUrlFailed, TooManyPictures."""
    shot = _shot(query)
    digest = hashlib.sha256(msgspec.json.encode([call.project.id, query])).hexdigest()
    kept = call.app.blobs.preview(f"{digest[:32]}/{digest[32:]}", f"page.{query.output}")
    found = await asyncio.to_thread(_kept, kept)
    if found is not None:
        return found
    transform = Transform(width=query.width, height=query.height, quality=query.quality)
    made = await picture(call, await _taken(call, shot), query.output, transform)
    await asyncio.to_thread(_keep, kept, made)
    return made


async def _taken(call: Call, shot: Shot) -> bytes:
    try:
        return await call.app.chromium.take(shot)
    except ForbiddenTarget as error:
        raise InvalidParameter(name="url", reason=f"It is not shown: {error}.") from error
    except BrowserMissing as error:
        instead = f", where there is none at {error}" if str(error) else ""
        raise NoBrowser(instead=instead) from error
    except BrowserBusy as error:
        raise TooManyPictures() from error
    except PageFailed as error:
        raise RemoteUrlFailed(reason=str(error)) from error
    except ShotProblem as error:
        raise PageNotShown(reason=str(error)) from error


def _shot(query: ScreenshotQuery) -> Shot:
    taken = _OF_THE_BROWSER.intersection(name.lower() for name in query.headers)
    if taken or any(name.lower().startswith(("proxy-", "sec-")) for name in query.headers):
        raise InvalidParameter(name="headers", reason="Some of them are for the browser alone to say.")
    timezone = _timezones().get(query.timezone.lower(), "")
    if query.timezone and not timezone:
        raise InvalidParameter(
            name="timezone", reason="It is the name of a time zone, such as `europe/oslo`."
        )
    is_somewhere = bool(query.latitude or query.longitude or query.accuracy)
    return Shot(
        url=query.url,
        headers=query.headers,
        width=query.viewport_width,
        height=query.viewport_height,
        scale=query.scale,
        dark=query.theme == "dark",
        user_agent=query.user_agent,
        full_page=query.fullpage,
        locale=query.locale.replace("_", "-"),
        timezone=timezone,
        position=(query.latitude, query.longitude, query.accuracy) if is_somewhere else None,
        touch=query.touch,
        permissions=tuple(query.permissions),
        sleep_s=query.sleep,
    )


@cache
def _timezones() -> dict[str, str]:
    """The names of time zones, by the same in small letters, as SDKs send them."""
    return {name.lower(): name for name in zoneinfo.available_timezones()}


def _kept(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.stat().st_mtime > time.time() - KEPT_S else None
    except FileNotFoundError:
        return None


def _keep(path: Path, contents: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    draft.write_bytes(contents)
    draft.replace(path)
