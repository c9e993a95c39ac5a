"""Passwords that have leaked elsewhere, as Have I Been Pwned knows them.

It is asked by the first five hexadecimal digits of the password's SHA-1, which hundreds of others share, and
answers with all of them; so it does not learn the password. When it cannot be reached, nothing counts as
leaked: people must be able to sign in without it.
"""

from __future__ import annotations

import hashlib

import aiohttp
import structlog

from freehold.web.call import Call

_log = structlog.get_logger("freehold.users")

_TIMEOUT_S = 2
_MOST_BYTES = 1_000_000


async def has_leaked(call: Call, password: str) -> bool:
    """Tell whether the password is known to have leaked."""
    digits = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    try:
        listed = await _ask(f"{call.app.settings.pwned_url}/range/{digits[:5]}")
    except (TimeoutError, aiohttp.ClientError, UnicodeDecodeError) as error:
        _log.warning("Leaked passwords could not be asked for.", error=type(error).__name__)
        return False
    for line in listed.splitlines():
        suffix, _, count = line.strip().partition(":")
        if suffix.upper() == digits[5:]:
            return count != "0"  # those of 0 are there so that the answer's size tells nothing
    return False


async def _ask(url: str) -> str:
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(url, headers={"Add-Padding": "true"}, allow_redirects=False) as answer,
    ):
        answer.raise_for_status()
        return (await answer.content.read(_MOST_BYTES)).decode()
