"""The cookies that carry a session, and the header for browsers that do not send them."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from urllib.parse import urlsplit

import msgspec
from publicsuffixlist import PublicSuffixList

from freehold.web.call import Call
from freehold.web.hosts import host_name, is_address, is_loopback
from freehold.web.sessions import cookie_name


def sign_in(call: Call, token: str, expires_at: datetime) -> None:
    """Hand a session, as headers carry it, to the caller's browser."""
    _set(call, token, expires_at)


def are_held(call: Call) -> bool:
    """Tell whether the caller is a browser that keeps its session as we tell it to."""
    name = cookie_name(call.project.id)
    held = call.request.cookies()
    return name in held or f"{name}_legacy" in held or b"x-fallback-cookies" in call.request.headers


def sign_out(call: Call) -> None:
    """Take the session's cookies away."""
    _set(call, "", datetime.fromtimestamp(0, UTC))


def _set(call: Call, value: str, expires_at: datetime) -> None:
    name = cookie_name(call.project.id)
    host = host_name(call.request.header(b"host"))
    attributes = f"; expires={format_datetime(expires_at.astimezone(UTC), usegmt=True)}; path=/"
    if _has_domain(host):
        attributes += f"; domain=.{host}"
    if call.is_https:
        attributes += "; secure"
    attributes += "; httponly"
    call.headers.append((b"set-cookie", f"{name}_legacy={value}{attributes}".encode("latin-1")))
    call.headers.append((b"set-cookie", f"{name}={value}{attributes}; samesite=None".encode("latin-1")))
    is_foreign = _is_foreign(host, call.request.header(b"origin"))
    if is_foreign:
        # Browsers keep cookies of other sites to themselves; the web SDK sends this back as a header.
        fallback = msgspec.json.encode({name: value} if value else {})
        call.headers.append((b"x-fallback-cookies", fallback))
    call.headers.append((b"x-debug-fallback", b"true" if is_foreign else b"false"))


def _has_domain(host: str) -> bool:
    return "." in host and not is_loopback(host) and not is_address(host)


def _is_foreign(host: str, origin: str) -> bool:
    if not origin:
        return False
    try:
        origin_host = urlsplit(origin).hostname or ""
    except ValueError:
        return True
    if origin_host == host:
        return False
    if is_address(host) or is_address(origin_host):
        return True
    site = _suffixes().privatesuffix(host)
    return site is None or site != _suffixes().privatesuffix(origin_host)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
