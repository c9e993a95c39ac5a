"""HTTP calls that leave the building: in time, of bounded size, to where they were meant, and not inside.

What people type into settings becomes the address of a call. So names are resolved by us and only public
addresses are connected to; redirects are not followed.
"""

from __future__ import annotations

import asyncio
import socket
import unicodedata
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

TIMEOUT_S = 10.0
MAX_BYTES = 1024 * 1024
MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
"""What is a dot in names of hosts, too."""

_NAT64 = IPv6Network("64:ff9b::/96")
_GIVEN_OUT = IPv6Network("2000::/3")
"""All of IPv6 that is routed between networks: beside it lie sites' own addresses, old and new."""


class OutsideProblem(Exception):
    """A call outside did not succeed; the message says why, without anything that was sent."""


class ForbiddenTarget(OutsideProblem):
    """The URL leads where calls may not go."""


class Answer(NamedTuple):
    """What was answered."""

    status: int
    body: bytes
    location: str = ""
    """Where a redirect leads."""

    def json(self) -> Any:
        """The body, decoded. Raises OutsideProblem."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise OutsideProblem("the answer is not JSON") from error


class Page(NamedTuple):
    """What was read, and where it was in the end."""

    url: str
    body: bytes


class Outside:
    """Makes HTTP calls to others."""

    def __init__(
        self,
        *,
        private_hosts: tuple[str, ...] = (),
        stand_in: str = "",
        plain: bool = False,
        anywhere: bool = False,
    ) -> None:
        """`private_hosts` may be reached though they are inside, or with `anywhere` all. `plain` lets http://
        pass as well. A `stand_in` is called instead of everybody, with the host that was meant in the Host
        header: for tests."""
        self._private_hosts = frozenset(host.lower() for host in private_hosts)
        self._plain = plain
        self._anywhere = anywhere
        self._stand_in = stand_in.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    def check(self, url: str) -> None:
        """Raise ForbiddenTarget for a URL that is none of https, or that names a private address."""
        try:
            parts = urlsplit(url)
            host, _ = _spelled_out((parts.hostname or "").lower()).removesuffix("."), parts.port
        except ValueError as error:
            raise ForbiddenTarget("it is no URL") from error
        if not host or any(ord(letter) <= 32 or letter in '\\<>"' for letter in url):
            raise ForbiddenTarget("it is no URL")
        if parts.username is not None or parts.password is not None:
            raise ForbiddenTarget("a URL with a user name in it is not called")
        is_ours = self._is_ours(host)
        if parts.scheme != "https" and not ((is_ours or self._plain) and parts.scheme == "http"):
            raise ForbiddenTarget("it has to be a URL with https://")
        if not is_ours and (is_private(host) or host == "localhost" or host.endswith(".localhost")):
            raise ForbiddenTarget(f"{host} is inside, and not one of FREEHOLD_PRIVATE_HOSTS")

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        ours: bool = False,
        timeout_s: float = TIMEOUT_S,
        tls: bool = True,
        most_bytes: int = MAX_BYTES,
    ) -> Answer:
        """Call a URL. Raises OutsideProblem when nothing usable came back in time.

        `ours` is one that nobody else had a say in: our own, at a loopback address. Without `tls` a
        certificate is not checked, if it is that of a private host. With `most_bytes` of 0 the answer's
        body is left unread.
        """
        if not ours:
            self.check(url)
        headers = {"User-Agent": "Freehold", "Accept": "application/json", **(headers or {})}
        body = msgspec.json.encode(json) if json is not None else content
        if json is not None:
            headers["Content-Type"] = "application/json"
        parts = urlsplit(url)
        if self._stand_in and not ours:
            headers["Host"] = parts.netloc
            url = self._stand_in + parts._replace(scheme="", netloc="").geturl()
        try:
            async with self._open().request(
                method,
                url,
                headers=headers,
                data=form if body is None else body,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout_s),
                ssl=tls or not self._is_ours((parts.hostname or "").lower()),
            ) as response:
                location = response.headers.get("Location", "")
                read = await _bounded(response, most_bytes) if most_bytes else b""
                return Answer(response.status, read, location)
        except ForbiddenTarget:
            raise
        except TimeoutError as error:
            raise OutsideProblem(f"{parts.hostname} did not answer within {timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            forbidden = _forbidden_below(error)
            if forbidden is not None:
                raise forbidden from error
            raise OutsideProblem(f"{parts.hostname} could not be reached") from error

    async def read(self, url: str, *, most_bytes: int = MAX_BYTES, accept: str = "*/*") -> Page:
        """Read what a URL leads to: redirects are followed, each after it was judged like the URL itself.

        Raises OutsideProblem, also when it is not answered with 200.
        """
        deadline = asyncio.get_running_loop().time() + TIMEOUT_S
        for _ in range(MAX_REDIRECTS + 1):
            left_s = max(0.1, deadline - asyncio.get_running_loop().time())
            answer = await self.call(
                "GET", url, headers={"Accept": accept}, timeout_s=left_s, most_bytes=most_bytes
            )
            if answer.status not in _REDIRECTS or not answer.location:
                break
            try:
                url = urljoin(url, answer.location)
            except ValueError as error:
                raise OutsideProblem("it leads to what is no URL") from error
        if answer.status != 200:
            raise OutsideProblem(f"it was answered with {answer.status}")
        return Page(url, answer.body)

    async def connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection to a host, at an address that was judged. Raises OutsideProblem."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                for address in await self._addresses(host, port):
                    try:
                        return await asyncio.open_connection(*address)
                    except OSError:
                        continue  # it has another address
        except TimeoutError as error:
            raise OutsideProblem(f"{host} did not answer within {TIMEOUT_S:g} s") from error
        except (OSError, ValueError) as error:
            raise OutsideProblem(f"{host} is not known") from error
        raise OutsideProblem(f"{host} could not be reached")

    async def _addresses(self, host: str, port: int) -> list[tuple[str, int]]:
        if self._stand_in:
            parts = urlsplit(self._stand_in)
            return [(parts.hostname or "", parts.port or 80)]
        return [(each["host"], each["port"]) for each in await _PublicOnly(self._is_ours).resolve(host, port)]

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = _PublicOnly(self._is_ours)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=resolver, limit=100, ttl_dns_cache=30),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _is_ours(self, host: str) -> bool:
        return self._anywhere or host in self._private_hosts

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()


async def _bounded(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(65536):
        size += len(part)
        if size > most_bytes:
            raise OutsideProblem(f"the answer has more than {most_bytes} bytes")
        parts.append(part)
    return b"".join(parts)


def _forbidden_below(error: BaseException) -> ForbiddenTarget | None:
    below: BaseException | None = error
    while below is not None and not isinstance(below, ForbiddenTarget):
        below = below.__cause__ or below.__context__
    return below


class _PublicOnly(AbstractResolver):
    """Resolves names, and leaves out addresses that are not public. What it gives is what is connected to."""

    def __init__(self, is_ours: Callable[[str], bool]) -> None:
        self._is_ours = is_ours

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, family=family, type=socket.SOCK_STREAM
        )
        public = [each for each in found if self._is_ours(host.lower()) or not is_private(each[4][0])]
        if found and not public:
            raise ForbiddenTarget(f"{host} is inside, and not one of FREEHOLD_PRIVATE_HOSTS")
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, protocol, _, address in public
        ]

    async def close(self) -> None:
        """There is nothing to let go of."""


def _spelled_out(host: str) -> str:
    """A host in the letters that it stands for: full-width ones and their dots differ to the eye alone."""
    return unicodedata.normalize("NFKC", host.translate(_DOTS))


def is_private(host: str | int) -> bool:
    """Tell whether this is an address that is not public, in whichever spelling. Names are not."""
    text = str(host).partition("%")[0].removesuffix(".")
    try:
        address = ip_address(text)
    except ValueError:
        try:
            address = IPv4Address(socket.inet_aton(text))  # as in 127.1, 0x7f.1 and 2130706433
        except OSError:
            return False
    return not all(_is_public(each) for each in _meant(address))


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _GIVEN_OUT and address not in _NAT64:
        return False
    return address.is_global and not address.is_multicast


def _meant(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """The address, and the ones that it carries inside it."""
    if isinstance(address, IPv4Address):
        return [address]
    inside = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inside.append(IPv4Address(int(address) & 0xFFFFFFFF))
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    return [address, *(each for each in inside if each is not None)]
