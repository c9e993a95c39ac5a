"""One socket: who is at its other end, what it subscribes to, and what waits to be sent to it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from contextlib import suppress
from copy import copy
from typing import Any, NamedTuple

import msgspec

from freehold.db.pool import Transaction
from freehold.errors import Problem, ProjectNotFound, Unavailable
from freehold.services.realtime.subscriptions import Subscription
from freehold.web.application import Application
from freehold.web.cache import Stamps
from freehold.web.call import Call
from freehold.web.endpoint import Endpoint
from freehold.web.exchange import Send
from freehold.web.identity import GUEST, Identity, lacks_factor
from freehold.web.projects import Project, project_tag
from freehold.web.request import Request
from freehold.web.signing import keys_tag
from freehold.web.users import user_tag
from freehold.web.websocket import MAX_WAITING_BYTES, Wire

MAX_TOLD_BYTES = MAX_WAITING_BYTES // 2
"""Of an event; of what has more, a socket is told that there is a gap."""
TAKE_S = 60.0
"""How long a client is waited for that comes back, and has to take what it missed."""
CLOSE_S = 5.0
"""How long a client is waited for that has to take our last words."""

_encode = msgspec.json.Encoder().encode
_SHORT, _LONG = 126, 1 << 16
"""From these lengths on a frame says in more bytes how long it is."""


def message(kind: str, data: Any) -> bytes:
    """A message to a client."""
    return _encode({"type": kind, "data": data})


def frame(*parts: bytes) -> bytes:
    """A text frame, as it goes over the wire from a server (RFC 6455, 5.2)."""
    size = sum(map(len, parts))
    if size < _SHORT:
        return b"".join((bytes((0x81, size)), *parts))
    if size < _LONG:
        return b"".join((b"\x81\x7e", size.to_bytes(2, "big"), *parts))
    return b"".join((b"\x81\x7f", size.to_bytes(8, "big"), *parts))


class _Found(NamedTuple):
    """Who is at the other end, and until when and as long as which stamps are the same that holds."""

    project: Project
    identity: Identity
    stamps: tuple[tuple[int, int], ...]
    until: float


class Connection:
    """A socket that was let in."""

    def __init__(
        self, app: Application, endpoint: Endpoint, request: Request, project: Project, send: Send, wire: Wire
    ) -> None:
        self.id = uuid.uuid4()
        self.app = app
        self.request = request
        self.project = project
        self.endpoint = endpoint
        self.subscriptions: dict[str, Subscription] = {}
        self.is_over = False
        self.has_presences = False
        self.call = self._call_of(GUEST)
        self.messages: deque[float] = deque(maxlen=64)
        """When the last ones came."""
        self._stamps: tuple[tuple[int, int], ...] = ()
        self._until = float("inf")
        self._identifying = asyncio.Lock()
        """Held while it is found out who it is, so that nothing sooner undoes what is later."""
        self._send = send
        self._wire = wire
        self._closing: asyncio.Task[None] | None = None

    # -- who it is -------------------------------------------------------------------------------------

    @property
    def identity(self) -> Identity:
        return self.call.identity

    @property
    def is_stale(self) -> bool:
        """Whether who it is has to be looked up anew, as something about it may have changed."""
        values = self.app.stamps.values
        for slot, stamp in self._stamps:
            if values[slot] != stamp:
                return True
        return self._until <= time.time()

    async def identify(self) -> None:
        """Find out who it is, and what that may do.

        Raises ProjectNotFound, UserBlocked, InvalidJwt and the like.
        """
        async with self._identifying:
            self._be(await self._who(self.request))

    async def sign_in(self, session: str) -> bool:
        """Let it be the user of a session. Tells whether there is one; else it stays who it is.

        Raises UserBlocked and the like.
        """
        request = copy(self.request)
        of_others = (b"cookie", b"x-appwrite-jwt")
        request.headers = {name: each for name, each in request.headers.items() if name not in of_others}
        request.headers[b"x-appwrite-session"] = session.encode("latin-1", "replace")
        async with self._identifying:
            found = await self._who(request)
            if found.identity.kind != "user":
                return False
            self.request = request
            self._be(found)
        return True

    async def still_who_it_was(self) -> bool:
        """Look up anew who it is. Tells whether it is still that user, or still nobody.

        Raises Unavailable.
        """
        async with self._identifying:
            before = self.identity
            try:
                self._be(await self._who(self.request))
            except Unavailable:
                raise
            except Problem:  # whatever would refuse it now, as when its key has expired
                return False
            return (before.kind, before.user_id) == (self.identity.kind, self.identity.user_id)

    async def _who(self, request: Request) -> _Found:
        auth, values = self.app.auth, self.app.stamps.values
        presented = request.header(b"x-appwrite-jwt")
        slots = [Stamps.slot(project_tag(self.project.id))]
        if presented:
            slots.append(Stamps.slot(keys_tag(self.project.id)))
        stamps = [(slot, values[slot]) for slot in slots]
        project = await self.app.projects.find(self.project.id)
        if project.realm != self.project.realm:
            raise ProjectNotFound(id=project.id)  # it was deleted, and this is another of that name
        known = self.identity.user_id
        if known:
            slot = Stamps.slot(user_tag(project.id, known))
            stamps.append((slot, values[slot]))
        identity = await auth.caller(request, project)
        if identity.user_id and identity.user_id != known:
            # The look that found the user was made before we knew which stamp to mind: once more.
            slot = Stamps.slot(user_tag(project.id, identity.user_id))
            stamps.append((slot, values[slot]))
            identity = await auth.caller(request, project)
        until = identity.expires_at
        if presented:
            until = min(until, (await auth.signing.read(project, presented)).exp)
        return _Found(project, GUEST if lacks_factor(identity, project) else identity, tuple(stamps), until)

    def _be(self, found: _Found) -> None:
        self.project, identity, self._stamps, self._until = found
        self.call = self._call_of(identity)
        for subscription in self.subscriptions.values():
            subscription.own(identity.user_id)

    def call_within(self, transaction: Transaction) -> Call:
        """A call of who is there in a transaction, while what happens is told by `call`, outside of it."""
        call = self._call_of(self.identity)
        call.db = transaction
        return call

    def _call_of(self, identity: Identity) -> Call:
        call = Call(self.app, self.request, self.project, identity)
        call.endpoint = self.endpoint
        return call

    # -- what it is sent -------------------------------------------------------------------------------

    def push(self, *parts: bytes) -> None:
        """Send a message. Who lets too much wait is cut off."""
        if not self.is_over and self._wire.write(frame(*parts)) > MAX_WAITING_BYTES:
            self.cut_off()

    @property
    def is_busy(self) -> bool:
        """Whether so much waits for it that what can wait should."""
        return self._wire.waiting > MAX_WAITING_BYTES // 2

    async def ready(self) -> None:
        """Wait until it has taken what waits. Who takes none of it for long is cut off."""
        try:
            async with asyncio.timeout(TAKE_S):
                await self._wire.taken()
        except TimeoutError:
            self.cut_off()

    def end(self, code: int, last: bytes = b"") -> None:
        """Send a last message, and close."""
        if self.is_over:
            return
        if last:
            self.push(last)
        self.is_over = True
        self._closing = asyncio.create_task(self._close(code))

    async def _close(self, code: int) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._send({"type": "websocket.close", "code": code})
        except TimeoutError:
            self.cut_off()

    def cut_off(self) -> None:
        """Close without waiting for the other end to take anything more."""
        self.is_over = True
        self._wire.abort()

    async def closed(self) -> None:
        """Wait until the last message is on its way."""
        if self._closing is not None:
            with suppress(OSError):
                await self._closing
