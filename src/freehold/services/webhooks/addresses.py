"""Where a webhook may go: to the world, and not into the network that this server stands in."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from freehold.errors import InvalidParameter
from freehold.web.hosts import is_loopback

_INNER = (".internal", ".local", ".lan", ".home.arpa")


def check_url(url: str, *, inner: bool, private_hosts: Collection[str] = ()) -> None:
    """Refuse what is no address of the web, or one of an inner network, unless `inner` ones are allowed or it
    is one of the `private_hosts`.

    Names can point anywhere, and somewhere else tomorrow: who delivers has to look again. Raises
    InvalidParameter.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidParameter(name="url", reason="It is not a URL.") from error
    if parts.scheme not in ("http", "https") or not host or any(each.isspace() for each in url):
        raise InvalidParameter(name="url", reason="It has to be a URL such as `https://example.com/hook`.")
    if parts.username is not None or parts.password is not None:
        raise InvalidParameter(name="url", reason="Send user and password as authUsername and authPassword.")
    if not inner and host not in private_hosts and _is_inner(host):
        reason = f"{host[:100]} is an address of an inner network, and not one of FREEHOLD_PRIVATE_HOSTS."
        raise InvalidParameter(name="url", reason=reason)


def _is_inner(host: str) -> bool:
    host = host.rstrip(".").lower()
    if is_loopback(host) or host.endswith(_INNER):
        return True
    try:
        return not ip_address(host.partition("%")[0]).is_global
    except ValueError:
        # A name has a dot and a letter in its last part; `127.1` and `0x7f000001` are spellings of numbers.
        last = host.rpartition(".")[2]
        return "." not in host or last[:1].isdigit()
