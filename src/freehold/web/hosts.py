"""Hosts as requests name them."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit


def host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return "?"


def is_loopback(host: str) -> bool:
    """Tell whether the host name is this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """Tell whether the host is an address, and no name."""
    return len(host) < _LONGEST_ADDRESS and _reads_as_address(host)


def unmapped(address: str) -> str:
    """The same address, as IPv4 where it is an IPv4 one in IPv6: sockets that listen for both have it so."""
    if address[:7].lower() != "::ffff:" or not is_address(address):
        return address
    return str(IPv6Address(address).ipv4_mapped or address)


_LONGEST_ADDRESS = 100


@lru_cache(maxsize=1000)
def _reads_as_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
