"""Rate limits: fixed windows, counted in memory and settled in PostgreSQL, where all processes meet.

A process settles what it has counted after a tenth of a limit, and twice a second in any case. So a limit of
120 costs a caller one statement in twelve calls. It can be passed by less than a tenth for each further
process, by calls within the same half second; nobody is refused too early. Limits of less than 20 are exact.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from ipaddress import IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec
import structlog

from freehold.db.pool import Queries
from freehold.errors import RateLimited, Unavailable
from freehold.web.endpoint import Endpoint, Limit

if TYPE_CHECKING:
    from freehold.web.call import Call

_log = structlog.get_logger("freehold.limits")

HEADERS = (b"x-ratelimit-", b"retry-after")
"""What the headers begin with that tell of limits."""

SETTLE_AFTER_S = 0.5
MAX_WINDOWS = 10_000

# In order, so that two processes that settle the same keys wait for each other rather than deadlock.
_SETTLE = """
    insert into freehold.rate_limits as r (key, window_start, hits, expires_at)
    select key, to_timestamp(start), hits, to_timestamp(start + seconds)
    from unnest($1::bytea[], $2::float8[], $3::float8[], $4::int[]) as counted (key, start, seconds, hits)
    order by key
    on conflict (key, window_start) do update set hits = r.hits + excluded.hits
    returning key, hits
"""

_PLACEHOLDER = re.compile(r"{([\w-]+)}")
_BEGIN = re.compile(r"bytes (\d{1,18})-")


async def check(call: Call, endpoint: Endpoint, arguments: dict[str, Any]) -> None:
    """Count the call against the endpoint's limits. Raises RateLimited. Keys and admins are not limited."""
    if call.identity.privileged or call.is_unlimited or call.app.settings.dev:
        return
    now = time.time()
    nearest: tuple[int, float, Limit] | None = None
    for each in endpoint.limits:
        start = now // each.seconds * each.seconds
        times = len(getattr(arguments["body"], each.each_of)) or 1 if each.each_of else 1
        hits = await call.app.hits.count(_key(call, each, arguments), each, start, times=times)
        remaining, end = each.hits - hits, start + each.seconds
        if nearest is None or (remaining, -end) < (nearest[0], -nearest[1]):
            nearest = (remaining, end, each)
        if remaining < 0:
            break
    if nearest is not None:
        _tell(call, *nearest, now=now)


def _tell(call: Call, remaining: int, end: float, limit: Limit, *, now: float) -> None:
    """Say how many calls the limit leaves that is met first. Raises RateLimited when it is passed."""
    call.headers += (
        (b"x-ratelimit-limit", b"%d" % limit.hits),
        (b"x-ratelimit-remaining", b"%d" % max(0, remaining)),
        (b"x-ratelimit-reset", b"%d" % end),
    )
    if remaining < 0:
        seconds = max(1, int(end) - int(now))
        call.headers.append((b"retry-after", b"%d" % seconds))
        raise RateLimited(seconds=seconds)


async def forgive(call: Call, endpoint_limit: Limit, arguments: dict[str, Any], db: Queries) -> None:
    """Forget what was counted so far against an exact limit, as after a login that succeeded."""
    await db.run("delete from freehold.rate_limits where key = $1", _key(call, endpoint_limit, arguments))


class Hits:
    """What this process has counted in the windows that are open, and what it knows of the others' counts."""

    def __init__(self, db: Queries) -> None:
        self._db = db
        self._windows: dict[bytes, _Window] = {}
        self._unsettled: dict[bytes, _Window] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._settling: asyncio.Task[None] | None = None

    async def count(self, key: bytes, limit: Limit, start: float, *, times: int = 1) -> int:
        """Count a hit, or several, in the window that began at `start`. Gives how many are known of now."""
        step = limit.hits // 10
        window = self._windows.get(key)
        if window is None or window.start != start:
            window = _Window(start, limit.seconds)
            if step > 1:  # an exact one is looked up each time: it may have been forgiven
                self._windows[key] = window
        if window.known >= limit.hits:
            return window.known + times
        window.known += times
        window.unsettled += times
        if window.unsettled >= step:
            await self._settle({key: window})
        else:
            self._unsettled[key] = window
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(
                    SETTLE_AFTER_S, self._settle_in_background
                )
        return window.known

    async def settle(self) -> None:
        """Add what was counted here to what all processes have counted, and learn the sums."""
        unsettled, self._unsettled = self._unsettled, {}
        try:
            await self._settle(unsettled)
        except (OSError, Unavailable, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("Hits on rate limits could not be settled.", error=type(error).__name__)
        if len(self._windows) > MAX_WINDOWS:
            self._windows = dict(self._unsettled)  # the others are settled, and can be learned again

    def _settle_in_background(self) -> None:
        self._timer = None
        self._settling = asyncio.create_task(self.settle())

    async def _settle(self, windows: dict[bytes, _Window]) -> None:
        counted = []
        for key, window in windows.items():
            if window.unsettled:
                counted.append((key, window.start, float(window.seconds), window.unsettled))
                window.unsettled = 0
        if not counted:
            return
        try:
            settled = await self._db.rows(_SETTLE, *map(list, zip(*counted, strict=True)))
        except BaseException:
            for key, *_, hits in counted:  # to be settled with the next ones
                windows[key].unsettled += hits
            raise
        for key, hits in settled:
            windows[key].learn(hits)


class _Window:
    __slots__ = ("known", "seconds", "start", "unsettled")

    def __init__(self, start: float, seconds: int) -> None:
        self.start = start
        self.seconds = seconds
        self.known = 0
        """All hits that this process knows of, those that it has not settled yet among them."""
        self.unsettled = 0

    def learn(self, hits: int) -> None:
        self.known = max(self.known, hits + self.unsettled)


def subscriber(address: str) -> str:
    """Whom an address belongs to: of IPv6 a whole /64, which is what one subscriber is given (RFC 6177)."""
    if ":" not in address:
        return address
    parsed = IPv6Address(address)
    return str(parsed.ipv4_mapped or IPv6Network((parsed, 64), strict=False))


def _said(body: msgspec.Struct | None, parameter: str) -> str:
    """What a body says of a parameter, by its name on the wire."""
    if body is None:
        return ""
    fields = dict(zip(body.__struct_encode_fields__, body.__struct_fields__, strict=True))
    return str(getattr(body, fields[parameter])) if parameter in fields else ""


def _key(call: Call, each: Limit, arguments: dict[str, Any]) -> bytes:
    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name == "url":
            # The route's own path: another name of it is no second try.
            return call.endpoint.canonical.path
        if name == "method":
            return call.request.method
        if name == "ip":
            return subscriber(call.ip)
        if name == "chunkId":
            begin = _BEGIN.match(call.request.header(b"content-range"))
            return begin[1] if begin is not None else ""
        if name == "userId":
            return call.identity.user_id
        return _said(arguments.get("body"), name.removeprefix("param-")).strip().lower()

    label = f"{call.project.id}:{call.request.method}:{each.seconds}:{_PLACEHOLDER.sub(fill, each.key)}"
    return hashlib.blake2b(label.encode(), digest_size=16).digest()
