"""How often one caller may ask: a bucket of tokens for each, in this process. Off unless RATE_LIMIT says a number."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from ipaddress import IPv6Address, IPv6Network, ip_address

from app.core.errors import Problem

WINDOW_S = 60
CALLERS = 10_000
"""The callers that are remembered; who has not asked for the longest is forgotten first."""


def network(address: str) -> str:
    """Where a caller is: who has an IPv6 address has the others of its /64 as well."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Network((int(found), 64), strict=False))
    return address


class Limiter:
    """So many requests a minute for each caller, as many of them at once as the caller likes."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> dict[str, str]:
        """The headers that tell a caller what is left. A caller with nothing left is refused."""
        if not self._per_minute:
            return {}
        now = time.monotonic()
        left, seen = self._buckets.pop(caller, (float(self._per_minute), now))
        left = min(self._per_minute, left + (now - seen) * self._per_minute / WINDOW_S)
        refused = left < 1
        self._buckets[caller] = (left if refused else left - 1, now)
        if len(self._buckets) > CALLERS:
            self._buckets.popitem(last=False)
        wait = math.ceil(max(0.0, 1 - left) * WINDOW_S / self._per_minute)
        headers = {
            "RateLimit-Policy": f'"minute";q={self._per_minute};w={WINDOW_S}',
            "RateLimit": f'"minute";r={0 if refused else int(left - 1)};t={wait}',
        }
        if refused:
            detail = f"At most {self._per_minute} requests a minute; try again in {wait} s."
            raise Problem(429, "rate_limited", detail, headers={"Retry-After": str(wait), **headers})
        return headers
