"""Connections to hosts that a project's owner named: never to addresses of our own network, unless allowed.

A name is looked up once, every address it has is judged, and the connection goes to one of those: what the
name says a moment later does not matter.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence

from freehold.providers.outside import is_private

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


class OutOfReach(Exception):
    """The host cannot be connected to. The message says why, without the address that it has."""


async def addresses_of(host: str, port: int, *, allowed: Sequence[str] | None) -> list[str]:
    """The addresses of a host. Raises OutOfReach, also when one is private and in no `allowed` network.

    With None any address will do: for hosts that the operator named.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutOfReach(f"The host {host!r} is not known. Check its spelling.") from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if allowed is not None and not all(is_reachable(each, allowed) for each in addresses):
        raise OutOfReach(
            f"The host {host!r} lies in a private network. Name a public one, or let this server's operator"
            " add its network to FREEHOLD_PRIVATE_NETWORKS."
        )
    return addresses


def is_reachable(address: str, allowed: Sequence[str]) -> bool:
    """Tell whether an address is public, or in one of the allowed networks."""
    ip = _meant(ipaddress.ip_address(address.partition("%")[0]))
    if any(ip in ipaddress.ip_network(network) for network in allowed):
        return True
    return not is_private(address)


def _meant(ip: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for; else itself."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip in _TRANSLATED:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


async def connected(
    host: str, port: int, *, timeout_s: float, allowed: Sequence[str] | None
) -> socket.socket:
    """A connection to the host. Raises OutOfReach, OSError, TimeoutError."""
    async with asyncio.timeout(timeout_s):
        addresses = await addresses_of(host, port, allowed=allowed)
        for address in addresses[:-1]:
            try:
                return await _connect(address, port)
            except OSError:
                continue  # it has another one
        return await _connect(addresses[-1], port)


async def _connect(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:
        connection.close()
        raise
    return connection
