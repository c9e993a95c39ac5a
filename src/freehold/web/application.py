"""The ASGI application: from a request to the endpoint that answers it, and back."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, MutableMapping
from functools import partial
from ipaddress import ip_address, ip_network
from itertools import count
from typing import Any, Protocol

import asyncpg
import msgspec
import structlog

from freehold import events, passwords
from freehold.config import Settings
from freehold.db.pool import Database, connect
from freehold.errors import BadRequest, NotOfTheConsole, RouteNotFound, UnknownOrigin
from freehold.providers.blobs import of_installation
from freehold.providers.chromium import Chromium
from freehold.providers.images import Images
from freehold.providers.oauth.client import Vendors
from freehold.providers.outside import Outside
from freehold.usage import Pings, Traffic, Uses
from freehold.web import formats, limits, logs, metrics
from freehold.web.admission import admitted
from freehold.web.auth import Authenticator
from freehold.web.cache import Answers, Cache, Stamps
from freehold.web.call import Call
from freehold.web.dev_keys import DevKeys
from freehold.web.endpoint import Endpoint, RouteTable
from freehold.web.exchange import Exchange, Send
from freehold.web.hosts import host_name, is_address, is_loopback, unmapped
from freehold.web.identity import GUEST, Identity
from freehold.web.multipart import Room
from freehold.web.problems import problem_of
from freehold.web.projects import CONSOLE, Project, Projects
from freehold.web.request import ClientGone, Params, Receive, Request, until_gone
from freehold.web.shares import Shares
from freehold.web.websocket import WIRE, Wire
from freehold.web.wire import Json, Stream

Scope = MutableMapping[str, Any]
Page = Callable[[str, str], tuple[str, bytes] | None]
"""From a path and the origin that it was asked at to a content type and a body, if there is such a page."""


class Sockets(Protocol):
    """What answers WebSockets."""

    async def start(self) -> None:
        """Begin, before the first of them comes."""

    async def stop(self) -> None:
        """Let go of everything."""

    async def serve(self, request: Request, receive: Receive, send: Send, wire: Wire) -> None:
        """Keep up one of them until it ends."""


_log = structlog.get_logger("freehold.web")

FOLLOWED_TAG = "events followed"
"""Touched each second while somebody follows events; see `Application.is_followed`."""
FOLLOWED_S = 5

_ANSWERS_BYTES = 32 * 1024 * 1024
_UPLOADS_IN_MEMORY = 8
_UPLOAD_IN_MEMORY_BYTES = 12 * 1024 * 1024

_ALLOWED_HEADERS = ", ".join(
    [
        "Accept", "Origin", "Cookie", "Set-Cookie", "Content-Type", "Content-Range", "Range", "Cache-Control",
        "Expires", "Pragma", "X-Requested-With", "X-Forwarded-For", "X-Forwarded-User-Agent",
        "X-Fallback-Cookies", "X-Tenant-Id", "X-Appwrite-Project", "X-Appwrite-Key", "X-Appwrite-Dev-Key",
        "X-Appwrite-Locale", "X-Appwrite-Mode", "X-Appwrite-JWT", "X-Appwrite-Organization",
        "X-Appwrite-Response-Format", "X-Appwrite-Timeout", "X-Appwrite-ID", "X-Appwrite-Timestamp",
        "X-Appwrite-Session", "X-Appwrite-User", "X-Appwrite-Platform", "X-Appwrite-Impersonate-User-Id",
        "X-Appwrite-Impersonate-User-Email", "X-Appwrite-Impersonate-User-Phone", "X-SDK-Version",
        "X-SDK-Name", "X-SDK-Language", "X-SDK-Platform", "X-SDK-GraphQL", "X-SDK-Profile",
    ]
).encode()  # fmt: skip

_COME_BETWEEN = (asyncpg.ForeignKeyViolationError,)
"""What somebody else deletes between our look and our use of it. Whoever looks again sees that it is gone."""

_encode = msgspec.json.Encoder().encode


class UnknownHost(BadRequest, type="general_bad_request"):
    """The host `{host}` is not one of this server's. Name it in FREEHOLD_DOMAINS."""


class Application:
    """Everything that answers requests. One a process."""

    def __init__(
        self,
        settings: Settings,
        endpoints: list[Endpoint],
        *,
        stamps: Stamps,
        pages: Page,
        db: Database | None = None,
    ) -> None:
        """`db` is a pool that there is already, as in the process that runs jobs."""
        self.settings = settings
        self.endpoints = endpoints
        self.stamps = stamps
        self.db = db or Database(
            settings.database_url, size=settings.pool_size, statement_timeout_s=settings.statement_timeout_s
        )
        self.blobs = of_installation(settings)
        self.blobs.prepare()
        self._room = Room(_UPLOADS_IN_MEMORY, min(settings.body_limit, _UPLOAD_IN_MEMORY_BYTES))
        self.images = Images()
        self.outside = Outside(
            private_hosts=settings.private_hosts,
            stand_in=settings.outside_stand_in if settings.dev else "",
        )
        self.pages_outside = Outside(plain=True, stand_in=settings.outside_stand_in if settings.dev else "")
        """Reads what anybody may name: pages and images of others, and nothing inside."""
        self.chromium = Chromium(
            self.pages_outside, path=settings.chromium, sandbox=settings.chromium_sandbox
        )
        self.vendors = Vendors(self.outside)
        self.projects = Projects(self.db, stamps)
        self.auth = Authenticator(self.db, stamps, settings, self.projects)
        self.dev_keys = DevKeys(self.db, stamps)
        self.hits = limits.Hits(self.db)
        self.uses = Uses(self.db)
        self.traffic = Traffic(self.db)
        self.pings = Pings(self.db)
        self.shares = Shares(max(1, settings.pool_size // 2))
        self.answers = Answers(stamps, size_bytes=_ANSWERS_BYTES)
        """Lists of rows that callers let be kept for a while."""
        self._caches: dict[str, Cache[Any, Any]] = {}
        self._routes = RouteTable(endpoints)
        self._pages = pages
        self._request_ids = count(1)
        self._request_prefix = os.urandom(6).hex()
        self._hosts = settings.hosts
        self._proxies = tuple(ip_network(each) for each in settings.trusted_proxies)
        self._listener: asyncio.Task[None] | None = None
        self.numbering = events.Numbering(self.db, self.is_followed)
        self.sockets: Sockets | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._listener = asyncio.create_task(self._listen())
                if self.sockets is not None:
                    await self.sockets.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if self._listener is not None:
                    self._listener.cancel()
                if self.sockets is not None:
                    await self.sockets.stop()
                await self.numbering.stop()
                await self.hits.settle()
                await self.uses.settle()
                await self.traffic.settle()
                await self.pings.settle()
                await self.outside.close()
                await self.pages_outside.close()
                await self.images.close()
                await self.db.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _listen(self) -> None:
        """Hear of changes made on other machines, for as long as the process lives."""
        while True:
            try:
                connection = await connect(self.settings.database_url, name="freehold-listen")
                lost = asyncio.Event()
                connection.add_termination_listener(lambda _, lost=lost: lost.set())
                await connection.add_listener(events.CHANNEL, lambda _c, _p, _ch, tag: self.stamps.touch(tag))
                self.stamps.touch_all()  # nobody told us of what changed before
                await lost.wait()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("The listening connection was lost; trying again.", error=type(error).__name__)
            await asyncio.sleep(1)

    def is_followed(self) -> bool:
        """Whether some process, of this or another machine, has sockets and wants to know of events."""
        touched = self.stamps.values[Stamps.slot(FOLLOWED_TAG)]
        return time.monotonic_ns() - touched < FOLLOWED_S * 1_000_000_000

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request({"method": "GET", **scope}, f"{self._request_prefix}{next(self._request_ids):x}")
        logs.request_id.set(request.id)
        try:
            self._check_host(request)
        except UnknownHost:
            found = False
        else:
            found = request.path == "/v1/realtime" and self.sockets is not None
        if not found:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        assert self.sockets is not None
        await self.sockets.serve(request, receive, send, scope["extensions"][WIRE])

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = Request(scope, f"{self._request_prefix}{next(self._request_ids):x}")
        logs.request_id.set(request.id)  # each request runs in a context of its own
        passwords.hung_up.set(partial(until_gone, receive))
        exchange = Exchange(request, is_https=self.scheme(request) == "https")
        try:
            await self._respond(exchange, receive)
        except (ClientGone, passwords.Abandoned):
            return
        except Exception as error:
            exchange.fail(problem_of(error, request))
        finally:
            request.close()
        if exchange.stream is None:
            await exchange.send(send)
        else:
            await exchange.send_stream(send, receive, exchange.stream)
        if exchange.project is not None:
            self.traffic.count(exchange.project.id, request.received + exchange.sent)
        elapsed_s = time.perf_counter() - started
        endpoint = exchange.endpoint
        route = endpoint.path if endpoint is not None else ""
        metrics.observe(request.method, route, exchange.status, elapsed_s)
        logs.access(
            request_id=request.id,
            method=request.method,
            route=route,
            status=exchange.status,
            elapsed_s=elapsed_s,
            project=exchange.project.id if exchange.project is not None else "",
        )

    async def _respond(self, exchange: Exchange, receive: Receive) -> None:
        request = exchange.request
        self._check_host(request)
        if request.method == "OPTIONS":
            await self._preflight(exchange)
            return
        found = self._routes.find("GET" if request.method == "HEAD" else request.method, request.path)
        if found is None:
            page = self._page(request) if request.method in ("GET", "HEAD") else None
            if page is None:
                raise RouteNotFound()
            exchange.page(*page)
            return
        endpoint, parameters = found
        exchange.endpoint = endpoint
        project_id = (
            request.headers.get(b"x-appwrite-project", b"").decode("latin-1")
            or request.query_value("project")
            or CONSOLE
        )
        as_admin = request.headers.get(b"x-appwrite-mode") == b"admin"
        if request.path.startswith("/v1/projects/") and endpoint.service != "projects":
            # /v1/projects/{projectId}/... is the console asking about another project than its own.
            project_id, as_admin = parameters["projectId"], True
        project = exchange.project = await self.projects.find(project_id)
        is_developed = b"x-appwrite-dev-key" in request.headers and await self.dev_keys.cover(
            request, project
        )
        if endpoint.public_s:
            identity = GUEST
            exchange.publish(endpoint.public_s)
        else:
            caller = await self._caller(
                exchange, endpoint, project, as_admin=as_admin, any_origin=is_developed
            )
            identity = admitted(endpoint, project, caller, protocol=endpoint.protocol)
        if endpoint.takes_files:
            await request.read_files(receive, self.settings.body_limit, self.blobs.incoming, self._room)
        else:
            await request.read(receive, self.settings.body_limit)
        arguments = endpoint.arguments(request, parameters)
        version = formats.understood_by(request)
        if version is not None:
            formats.upgrade(version, arguments)
        call = Call(self, request, project, identity)
        call.endpoint = endpoint
        call.is_unlimited = is_developed
        call.parameters = parameters
        exchange.headers = call.headers
        body = await self._run(endpoint, call, arguments)
        if isinstance(body, Stream):
            exchange.stream = body
            return
        exchange.status = endpoint.status_again if call.was_done_before else endpoint.status
        exchange.body = _formatted(exchange, call.model or endpoint.model, body, version)

    async def _caller(
        self, exchange: Exchange, endpoint: Endpoint, project: Project, *, as_admin: bool, any_origin: bool
    ) -> Identity:
        """Who calls, from a page that may or from none. Raises NotOfTheConsole, UnknownOrigin and what
        `Authenticator.caller` does."""
        request = exchange.request
        is_known = self._knows_origin(exchange, project, any_origin=any_origin)
        identity = await self.auth.caller(request, project, as_admin=as_admin)
        if identity.kind == "admin":
            if not self._knows_origin(exchange, await self.projects.find(CONSOLE)):
                raise NotOfTheConsole(origin=request.header(b"origin")[:200])
        elif not is_known and identity.kind != "key" and not endpoint.from_anywhere:
            raise UnknownOrigin(origin=request.header(b"origin")[:200])
        return identity

    async def answer(self, asking: Call, endpoint: Endpoint, values: Params) -> bytes:
        """What another endpoint answers to the same caller, under all that holds for it: how GraphQL asks.

        `values` are the endpoint's parameters by their names.
        """
        identity = admitted(endpoint, asking.project, asking.identity, protocol=asking.endpoint.protocol)
        arguments = endpoint.arguments_of(values)
        call = Call(self, asking.request.within(endpoint.method), asking.project, identity)
        call.endpoint = endpoint
        call.is_unlimited = asking.is_unlimited
        call.parameters = {name: values[name] for name in endpoint.parameters}
        try:
            body = await self._run(endpoint, call, arguments)
            assert not isinstance(body, Stream)  # only what answers JSON can be asked so
            return body
        finally:
            asking.headers += (each for each in call.headers if not each[0].startswith(limits.HEADERS))

    async def _run(self, endpoint: Endpoint, call: Call, arguments: dict[str, Any]) -> bytes | Stream:
        if endpoint.limits:
            await limits.check(call, endpoint, arguments)
        if endpoint.event:
            said = len(call.headers)

            async def act() -> bytes:
                call.begin_anew(said)
                return await self._in_transaction(endpoint, call, arguments)

            body = await self.db.undisturbed(act, by=_COME_BETWEEN)
            for tag in call.tags:
                self.stamps.touch(tag)
            for sql in call.afterwards:
                await self._afterwards(sql)
            self.numbering.soon()
            return body
        answer = await endpoint.handler(call, **arguments)
        if call.tags:
            await events.announce(self.db, call.tags)
            for tag in call.tags:
                self.stamps.touch(tag)
        if endpoint.method != "GET":
            self.numbering.soon()  # sockets are to be told by what holds now
        return answer if isinstance(answer, Stream) else _encoded(answer)

    async def _in_transaction(self, endpoint: Endpoint, call: Call, arguments: dict[str, Any]) -> bytes:
        async with self.db.transaction() as transaction:
            call.db = transaction
            body = _encoded(await endpoint.handler(call, **arguments))
            name = _event_name(endpoint.event, call, body)
            payload = (body if call.payload is None else call.payload) or None
            event = events.Event(call.project.id, name, payload, call.cause)
            await events.record(transaction, event)
            if call.tags:
                await events.announce(transaction, call.tags)
        return body

    async def _afterwards(self, sql: str) -> None:
        """What is done is done, whether this succeeds or not."""
        try:
            await self.db.script(sql)
        except asyncpg.PostgresError as error:
            _log.warning("not_finished", statement=sql, error=str(error))

    def _page(self, request: Request) -> tuple[str, bytes] | None:
        return self._pages(request.path, f"{self.scheme(request)}://{request.header(b'host')}")

    def _check_host(self, request: Request) -> None:
        if self.settings.dev:
            return
        host = host_name(request.header(b"host"))
        if host in self._hosts or not host or is_loopback(host) or is_address(host):
            return
        raise UnknownHost(host=host[:100])

    async def _preflight(self, exchange: Exchange) -> None:
        request = exchange.request
        origin = request.header(b"origin")
        exchange.status = 204
        project_id = request.query_value("project")
        if "x-appwrite-dev-key" in request.header(b"access-control-request-headers").lower():
            allowed = True  # which is for the request itself to show: a preflight does not carry the key
        elif project_id:
            allowed = (await self.projects.find(project_id)).allows_origin(origin)
        else:
            # The project stands in a header that a preflight does not carry yet.
            allowed = self.is_own_origin(request, origin) or await self.projects.is_known_origin(origin)
        if allowed:
            exchange.cors(origin)
            exchange.headers += (
                (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
                (b"access-control-allow-headers", _ALLOWED_HEADERS),
                (b"access-control-max-age", b"600"),
            )

    def _knows_origin(self, exchange: Exchange, project: Project, *, any_origin: bool = False) -> bool:
        """Tell whether pages of the request's origin may call, and let them read the answer if so.

        Browsers send the console's cookie along from everywhere. So what somebody does as an admin has to
        come from the console's own pages: those of the project itself may be anybody's.
        """
        origin = exchange.request.header(b"origin")
        if not origin:
            return True
        if any_origin or project.allows_origin(origin) or self.is_own_origin(exchange.request, origin):
            exchange.cors(origin)
            return True
        exchange.no_cors()
        return False

    def is_own_origin(self, request: Request, origin: str) -> bool:
        """Whether pages of this origin are this server's own."""
        return origin == f"{self.scheme(request)}://{request.header(b'host')}"

    def cache(self, name: str, *, size: int, ttl_s: float) -> Cache[Any, Any]:
        """A service's own cache, made when it is first asked for."""
        found = self._caches.get(name)
        if found is None:
            found = self._caches[name] = Cache(self.stamps, size=size, ttl_s=ttl_s)
        return found

    def client_ip(self, request: Request) -> str:
        """The caller's address. Forwarded addresses count only from proxies that the settings trust."""
        address = request.client
        if self._proxies and self._is_trusted(address):
            for hop in reversed(request.header(b"x-forwarded-for").split(",")):
                if not is_address(hop.strip()):
                    break
                address = unmapped(hop.strip())
                if not self._is_trusted(address):
                    break
        return address if is_address(address) else ""

    def scheme(self, request: Request) -> str:
        """`https` or `http`, as the caller sees it."""
        if self._proxies:
            forwarded = request.header(b"x-forwarded-proto")
            if forwarded in ("http", "https") and self._is_trusted(request.client):
                return forwarded
        return request.scheme

    def _is_trusted(self, address: str) -> bool:
        return is_address(address) and any(ip_address(address) in network for network in self._proxies)


def _formatted(exchange: Exchange, model: str, body: bytes, version: formats.Version | None) -> bytes:
    """The body as this version of the format has it."""
    if version is None:
        return body
    if version > formats.SPOKEN:
        exchange.headers.append(
            (b"x-appwrite-warning", b"This server answers in format %d.%d.%d." % formats.SPOKEN)
        )
    elif body and formats.is_filtered(model, version):
        return formats.downgrade(model, version, body)
    return body


def _encoded(answer: Any) -> bytes:
    if answer is None:
        return b""
    if isinstance(answer, Json):
        return answer.body
    return _encode(answer)


class _Named(msgspec.Struct):
    id: str = msgspec.field(name="$id", default="")


_id_of = msgspec.json.Decoder(_Named).decode


def _event_name(pattern: str, call: Call, body: bytes) -> str:
    """Fill an event's placeholders from the path, from what the handler said, and from the answer's id."""
    parts = []
    for part in pattern.split("."):
        if part.startswith("["):
            name = part[1:-1]
            part = call.parameters.get(name) or call.event_ids.get(name) or (_id_of(body).id if body else "")
        parts.append(part)
    return ".".join(parts)
