"""Where links and vendors may lead back to: a project's own pages and apps, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from freehold.errors import InvalidParameter
from freehold.web.call import Call
from freehold.web.hosts import is_loopback

# Browsers read a backslash as a slash, and leave out what cannot be seen.
_PLAIN = re.compile(r"[!-\[\]-~]{1,2048}")
_RUNS_SOMETHING = frozenset(("javascript", "data", "vbscript", "blob", "file", "about", "view-source"))


def checked(call: Call, url: str, *, name: str = "url") -> str:
    """A URL that the caller wants somebody to be led to, if it is the project's. Raises InvalidParameter."""
    if not url:
        raise InvalidParameter(name=name, reason="It is required: the page of yours that the link leads to.")
    if not is_known(call, url):
        raise InvalidParameter(
            name=name,
            reason="It has to be a URL of one of the project's platforms. Register its host or its scheme as"
            " a platform first.",
        )
    return url


def with_parameters(url: str, parameters: Mapping[str, str]) -> str:
    """The URL with these added to its query. What leads into an app may have nothing behind its `://`."""
    before, hash_, fragment = url.partition("#")
    mark = "&" if "?" in before else "?"
    return f"{before.rstrip('?&')}{mark}{urlencode(parameters)}{hash_}{fragment}"


def own_endpoint(call: Call) -> str:
    """This API as the caller reached it, such as `https://api.example.com/v1`."""
    return f"{call.app.scheme(call.request)}://{call.request.header(b'host')}/v1"


def is_known(call: Call, url: str) -> bool:
    """Tell whether somebody may be led there: to a page or an app of the project's, or to ours."""
    if _PLAIN.fullmatch(url) is None:
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme in ("http", "https"):
        is_ours = is_loopback(host) or host in call.app.settings.hosts or call.project.has_host(host)
        return bool(host) and "@" not in parts.netloc and is_ours
    schemes = call.project.schemes | {f"appwrite-callback-{call.project.id}"}
    return parts.scheme in schemes and parts.scheme not in _RUNS_SOMETHING
