"""All sockets of a process: lets them in, answers what they say, and tells them what happens.

Each process follows the numbered events of the projects that it has sockets of. It is told of new ones by
NOTIFY, and looks by itself when that may have gone unheard. While there are sockets anywhere, whoever writes
has events numbered at once (see `events.Numbering`).
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import asyncpg
import msgspec
import structlog

from freehold import events, ids
from freehold.db.pool import connect
from freehold.errors import (
    AccessForbidden,
    ApiDisabled,
    Problem,
    RateLimited,
    Unavailable,
    UnknownOrigin,
    UserUnauthorized,
)
from freehold.services import presences
from freehold.services.realtime import rooms
from freehold.services.realtime.connection import Connection, message
from freehold.services.realtime.errors import InvalidMessage, PolicyViolation, TooManyMessages
from freehold.services.realtime.messages import (
    Authentication,
    PresenceSaid,
    Subscribe,
    Subscribes,
    Unsubscribes,
    decode,
)
from freehold.services.realtime.rooms import Room, Rooms
from freehold.services.realtime.routes import FEED
from freehold.services.realtime.subscriptions import (
    InvalidSubscription,
    Subscription,
    must_be_few,
    of_url,
)
from freehold.services.users import as_user
from freehold.services.users import find as find_user
from freehold.web import limits
from freehold.web.application import FOLLOWED_TAG, Application
from freehold.web.endpoint import Limit
from freehold.web.exchange import Send
from freehold.web.problems import problem_of
from freehold.web.projects import CONSOLE
from freehold.web.request import Receive, Request
from freehold.web.websocket import Wire

_log = structlog.get_logger("freehold.realtime")

CONNECTS = Limit(hits=128, seconds=60, key="ip:{ip}")
MAX_PARAMETERS = 1000
MESSAGES = 32
MESSAGES_S = 60.0
POLL_S = 1.0
"""How often we look for events by ourselves, and say that there are sockets here."""
REVIEW_S = 0.25
"""How often sockets that nothing is told are looked at: whether their sessions have ended."""

Shape = TypeVar("Shape")


class Hub:
    """The sockets of this process."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._endpoint = next(each for each in app.endpoints if each.path == FEED)
        self._rooms = Rooms()
        self._news: set[str] = set()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to follow events."""
        self._tasks = [asyncio.create_task(each) for each in (self._listen(), self._follow(), self._review())]

    async def stop(self) -> None:
        """Follow no more. The server closes the sockets themselves."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- following events ------------------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection = await connect(self._app.settings.database_url, name="freehold-realtime")
                gone = asyncio.Event()
                connection.add_termination_listener(lambda _, gone=gone: gone.set())
                await connection.add_listener(events.NUMBERED, lambda _c, _p, _ch, of: self._hear(of))
                await connection.add_listener(events.UNNUMBERED, lambda *_: self._app.numbering.soon())
                self._hear_all()
                try:
                    await gone.wait()
                finally:
                    connection.terminate()
            await asyncio.sleep(0.2)

    def _hear(self, project_id: str) -> None:
        if self._rooms.get(project_id) is not None:
            self._news.add(project_id)
            self._wake.set()

    def _hear_all(self) -> None:
        for room in self._rooms:
            self._hear(room.project_id)

    async def _follow(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_S)
            if not self._wake.is_set():
                self._hear_all()
            self._wake.clear()
            news, self._news = self._news, set()
            for project_id in news:
                room = self._rooms.get(project_id)
                if room is None:
                    continue
                try:
                    await self._tell(room)
                except (Unavailable, asyncpg.PostgresError) as error:
                    _log.warning("not_followed", project=project_id, error=type(error).__name__)

    async def _tell(self, room: Room) -> None:
        async with room.lock:
            told = rooms.BATCH
            while told == rooms.BATCH and room.seen >= 0:
                records = await events.read(self._app.db, room.project_id, room.seen, rooms.BATCH)
                await room.tell(records)
                told = len(records)

    async def _review(self) -> None:
        """Close what has lost its session, and keep what depends on our being there."""
        said_at = held_at = 0.0
        while True:
            try:
                for room in self._rooms:
                    for connection in list(room.connections):
                        if connection.is_stale and not connection.is_over:
                            await rooms.refreshed(connection)
                now = time.monotonic()
                if self._rooms.size and now - said_at >= POLL_S:
                    said_at = now
                    await self._say_followed()
                if now - held_at >= presences.HOLD_S / 3:
                    held_at = now
                    holders = [
                        each.id for room in self._rooms for each in room.connections if each.has_presences
                    ]
                    if holders:
                        await presences.hold(self._app.db, holders)
            except (Unavailable, asyncpg.PostgresError) as error:
                _log.warning("not_reviewed", error=type(error).__name__)
            await asyncio.sleep(REVIEW_S)

    async def _say_followed(self) -> None:
        """Let writers on this machine and on others have their events numbered at once."""
        self._app.stamps.touch(FOLLOWED_TAG)
        await events.announce(self._app.db, [FOLLOWED_TAG])

    # -- one socket ------------------------------------------------------------------------------------

    async def serve(self, request: Request, receive: Receive, send: Send, wire: Wire) -> None:
        """Keep up a socket until one of both ends closes it."""
        await receive()  # that it wants to connect
        await send({"type": "websocket.accept"})
        try:
            connection, slots = await self._admit(request, send, wire)
        except Exception as error:
            problem = problem_of(error, request)
            await send({"type": "websocket.send", "text": _error(problem).decode()})
            await send({"type": "websocket.close", "code": _close_code(problem)})
            return
        room = self._rooms.join(connection)
        try:
            try:
                await self._begin(room, connection, slots)
            except Exception as error:
                problem = problem_of(error, request)
                connection.end(_close_code(problem), _error(problem))
            await self._answer(room, connection, receive)
        finally:
            self._rooms.leave(room, connection)
            connection.is_over = True
            await connection.closed()
            if connection.has_presences:
                await self._end_presences(connection)

    async def _admit(
        self, request: Request, send: Send, wire: Wire
    ) -> tuple[Connection, dict[str, Subscription]]:
        """Let a socket in. Raises what is wrong with it."""
        app = self._app
        try:
            pairs = parse_qsl(request.raw_query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
        except ValueError as error:
            raise InvalidSubscription(reason=f"at most {MAX_PARAMETERS} parameters in the URL.") from error
        said = dict(pairs)
        project_id = request.header(b"x-appwrite-project") or said.get("project") or CONSOLE
        project = await app.projects.find(project_id)
        await self._count_connect(request, project_id)
        if said.get("jwt"):
            request.headers[b"x-appwrite-jwt"] = said["jwt"].encode("latin-1", "replace")
        origin = request.header(b"origin")
        if (
            origin
            and not project.allows_origin(origin)
            and not app.is_own_origin(request, origin)
            and not await app.dev_keys.cover(request, project)
        ):
            raise UnknownOrigin(origin=origin[:200])
        if "websocket" in project.settings.get("disabledProtocols", ()):
            raise ApiDisabled(protocol="websocket")
        if self._rooms.size >= app.settings.sockets:
            raise TooManyMessages(reason="This server has as many sockets as it can hold. Try again later.")
        connection = Connection(app, self._endpoint, request, project, send, wire)
        await connection.identify()
        return connection, of_url(pairs)

    async def _count_connect(self, request: Request, project_id: str) -> None:
        if self._app.settings.dev:
            return
        label = f"realtime:{project_id}:{limits.subscriber(self._app.client_ip(request))}"
        start = time.time() // CONNECTS.seconds * CONNECTS.seconds
        key = hashlib.blake2b(label.encode(), digest_size=16).digest()
        if await self._app.hits.count(key, CONNECTS, start) > CONNECTS.hits:
            raise RateLimited(seconds=max(1, int(start + CONNECTS.seconds - time.time())))

    async def _begin(self, room: Room, connection: Connection, slots: dict[str, Subscription]) -> None:
        await room.open(self._app.db)
        for subscription in slots.values():
            subscription.own(connection.identity.user_id)
            connection.subscriptions[subscription.id] = subscription
        user = await self._account(connection)
        said = dict(parse_qsl(connection.request.raw_query)).get("since", "")
        since = int(said) if said.isdecimal() and len(said) < 19 else None
        async with room.lock:
            data = {
                "channels": sorted({each for one in slots.values() for each in one.channels}),
                "subscriptions": {slot: each.id for slot, each in slots.items()},
                "user": user,
                "sequence": room.seen,
            }
            connection.push(message("connected", data))
            seen, resumes = room.seen, bool(slots) and since is not None
            if not resumes:
                room.listen(connection)
        self._app.stamps.touch(FOLLOWED_TAG)
        if resumes and since is not None:
            await room.resume(self._app.db, connection, dict.fromkeys(slots.values(), since), seen)

    async def _account(self, connection: Connection) -> Any:
        if connection.identity.kind != "user":
            return None
        row = await find_user(self._app.db, connection.project.id, connection.identity.user_id)
        return as_user(row) if row is not None else None

    async def _answer(self, room: Room, connection: Connection, receive: Receive) -> None:
        while True:
            said = await receive()
            if said["type"] != "websocket.receive":
                return
            if connection.is_over:
                continue
            try:
                self._count_message(connection)
                await self._take(room, connection, said.get("text") or said.get("bytes") or b"")
            except Exception as error:
                problem = problem_of(error, connection.request)
                if isinstance(problem, PolicyViolation | TooManyMessages):
                    connection.end(_close_code(problem), _error(problem))
                else:
                    connection.push(_error(problem))

    def _count_message(self, connection: Connection) -> None:
        now = time.monotonic()
        messages = connection.messages
        while messages and now - messages[0] > MESSAGES_S:
            messages.popleft()
        messages.append(now)
        if len(messages) > MESSAGES and not self._app.settings.dev:
            raise TooManyMessages(reason=f"At most {MESSAGES} messages a minute can be sent on a socket.")

    async def _take(self, room: Room, connection: Connection, text: str | bytes) -> None:
        try:
            read = decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise InvalidMessage(reason="it has to be a JSON object with `type` and `data`.") from error
        handle = self._HANDLERS.get(read.type)
        if handle is None:
            raise InvalidMessage(
                reason=f"the type `{read.type[:50]}` is not one of {', '.join(self._HANDLERS)}."
            )
        await handle(self, room, connection, read.data)

    async def _ping(self, room: Room, connection: Connection, data: msgspec.Raw) -> None:
        connection.push(b'{"type":"pong"}')

    async def _authenticate(self, room: Room, connection: Connection, data: msgspec.Raw) -> None:
        said = _read(data, Authentication)
        if not await connection.sign_in(said.session):
            raise InvalidMessage(reason="the session is not valid.")
        room.listen(connection)
        user = await self._account(connection)
        connection.push(message("response", {"to": "authentication", "success": True, "user": user}))

    async def _subscribe(self, room: Room, connection: Connection, data: msgspec.Raw) -> None:
        made: dict[str, tuple[Subscription, Subscribe]] = {}
        for each in _read(data, Subscribes):
            subscription = Subscription(each.subscription_id or ids.new_id(), each.channels, each.queries)
            subscription.own(connection.identity.user_id)
            made[subscription.id] = (subscription, each)
        new = {name: each for name, (each, _) in made.items()}
        must_be_few((connection.subscriptions | new).values())
        async with room.lock:
            replaced = [connection.subscriptions[each] for each in made if each in connection.subscriptions]
            room.ignore(replaced)
            connection.subscriptions.update(new)
            told = [
                {
                    "subscriptionId": each.id,
                    "channels": sorted(each.channels),
                    "queries": said.queries,
                }
                for each, said in made.values()
            ]
            connection.push(
                message(
                    "response",
                    {"to": "subscribe", "success": True, "subscriptions": told, "sequence": room.seen},
                )
            )
            seen = room.seen
            since = {each: said.since for each, said in made.values() if said.since is not None}
            if since:
                room.ignore(connection.subscriptions.values())
            else:
                room.listen(connection)
        if since:
            await room.resume(self._app.db, connection, since, seen)

    async def _unsubscribe(self, room: Room, connection: Connection, data: msgspec.Raw) -> None:
        told = []
        for each in _read(data, Unsubscribes):
            gone = connection.subscriptions.pop(each.subscription_id, None)
            if gone is not None:
                room.ignore([gone])
            told.append({"subscriptionId": each.subscription_id, "removed": gone is not None})
        connection.push(message("response", {"to": "unsubscribe", "success": True, "subscriptions": told}))

    async def _presence(self, room: Room, connection: Connection, data: msgspec.Raw) -> None:
        said = _read(data, PresenceSaid)
        if "presences.write" not in connection.identity.scopes:
            raise UserUnauthorized()
        if connection.project.id == CONSOLE:
            raise AccessForbidden()
        connection.has_presences = True
        async with self._app.db.transaction() as transaction:
            call = connection.call_within(transaction)
            presence = await presences.say(
                call,
                presences.Said(
                    said.presence_id, said.status, said.metadata, said.permissions, holder=connection.id
                ),
                "realtime",
            )
            payload = msgspec.json.encode(presence)
            name = f"presences.{presence.id}.upsert"
            event = events.Event(connection.project.id, name, payload, call.cause)
            await events.record(transaction, event)
        self._app.numbering.soon()
        connection.push(message("response", {"to": "presence", "success": True, "presence": presence}))

    async def _end_presences(self, connection: Connection) -> None:
        try:
            await presences.end(self._app.db, connection.id, connection.call.cause)
        except (Unavailable, asyncpg.PostgresError) as error:
            # Nobody holds them any more, so they end by themselves.
            _log.warning("presences_not_ended", error=type(error).__name__)
        else:
            self._app.numbering.soon()

    _HANDLERS: dict[str, Callable[[Hub, Room, Connection, msgspec.Raw], Awaitable[None]]] = {
        "ping": _ping,
        "authentication": _authenticate,
        "subscribe": _subscribe,
        "unsubscribe": _unsubscribe,
        "presence": _presence,
    }


def _read(data: msgspec.Raw, shape: Any) -> Any:
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidMessage(reason=f"{str(error).rstrip('.')}.") from error


def _error(problem: Problem) -> bytes:
    return message("error", {"code": problem.status, "message": problem.message})


def _close_code(problem: Problem) -> int:
    """Why a socket is closed: what may pass lets clients try again, and everything else does not."""
    return 1013 if problem.status in (429, 503, 1013) else 1008
