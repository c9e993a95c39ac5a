"""Rate limits: fixed windows, counted in PostgreSQL so that all processes count together."""

from __future__ import annotations

import hashlib
import re
import time
from typing import Any

from freehold.db.pool import Queries
from freehold.errors import RateLimited
from freehold.web.call import Call
from freehold.web.endpoint import Endpoint, Limit

_HIT = """
    insert into freehold.rate_limits as r (key, window_start, hits, expires_at)
    values ($1, to_timestamp($2), 1, to_timestamp($2 + $3))
    on conflict (key, window_start) do update set hits = r.hits + 1
    returning hits
"""

_PLACEHOLDER = re.compile(r"{([\w-]+)}")
_PATH_PARAMETER = re.compile(r"{(\w+)}")


async def check(call: Call, endpoint: Endpoint, arguments: dict[str, Any]) -> None:
    """Count the call against the endpoint's limits. Raises RateLimited. Keys and admins are not limited."""
    if call.identity.privileged or call.app.settings.dev:
        return
    now = time.time()
    for each in endpoint.limits:
        window = now // each.seconds * each.seconds
        hits = await call.app.db.value(_HIT, _key(call, each, arguments), window, float(each.seconds))
        reset = int(window + each.seconds)
        call.headers += (
            (b"x-ratelimit-limit", b"%d" % each.hits),
            (b"x-ratelimit-remaining", b"%d" % max(0, each.hits - hits)),
            (b"x-ratelimit-reset", b"%d" % reset),
        )
        if hits > each.hits:
            raise RateLimited(seconds=max(1, reset - int(now)))


async def forgive(call: Call, endpoint_limit: Limit, arguments: dict[str, Any], db: Queries) -> None:
    """Forget what was counted so far, as after a login that succeeded."""
    await db.run("delete from freehold.rate_limits where key = $1", _key(call, endpoint_limit, arguments))


def _key(call: Call, each: Limit, arguments: dict[str, Any]) -> bytes:
    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name == "url":
            # The route's own path: an alias of it is no second try.
            return _PATH_PARAMETER.sub(lambda each: call.parameters.get(each[1], ""), call.endpoint.path)
        if name == "ip":
            return call.ip
        if name == "userId":
            return call.identity.user_id
        value = getattr(arguments.get("body"), name.removeprefix("param-"), "")
        return str(value).strip().lower()

    label = f"{call.project.id}:{call.request.method}:{each.seconds}:{_PLACEHOLDER.sub(fill, each.key)}"
    return hashlib.blake2b(label.encode(), digest_size=16).digest()
