"""One socket: who is at its other end, what it subscribes to, and what waits to be sent to it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from typing import Any

import msgspec

from freehold.errors import InvalidJwt, ProjectNotFound, UserBlocked
from freehold.services.realtime.subscriptions import Subscription
from freehold.web.application import Application, Send
from freehold.web.auth import GUEST, Identity, Project, lacks_factor, project_tag, user_tag
from freehold.web.cache import Stamps
from freehold.web.call import Call
from freehold.web.endpoint import Endpoint
from freehold.web.request import Request

MAX_WAITING_BYTES = 8 * 1024 * 1024
"""What may wait to be sent to a client that reads slower than it is told."""

_encode = msgspec.json.Encoder().encode


def frame(kind: str, data: Any) -> str:
    """A message to a client."""
    return _encode({"type": kind, "data": data}).decode()


class Connection:
    """A socket that was let in."""

    def __init__(self, app: Application, endpoint: Endpoint, request: Request, project: Project) -> None:
        self.id = uuid.uuid4()
        self.app = app
        self.request = request
        self.project = project
        self.endpoint = endpoint
        self.subscriptions: dict[str, Subscription] = {}
        self.is_over = False
        self.has_presences = False
        self.call = Call(app, request, project, GUEST)
        self.call.endpoint = endpoint
        self.messages: deque[float] = deque(maxlen=64)
        """When the last ones came."""
        self._stamps: tuple[tuple[int, int], ...] = ()
        self._until = float("inf")
        self._waiting: deque[str] = deque()
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._end: tuple[int, str] | None = None
        self.task: asyncio.Task[None] | None = None
        """The task that serves it; cancelled when the other end does not take what it is sent."""

    # -- who it is -------------------------------------------------------------------------------------

    @property
    def identity(self) -> Identity:
        return self.call.identity

    @property
    def is_stale(self) -> bool:
        """Whether who it is has to be looked up anew, as something about it may have changed."""
        values = self.app.stamps.values
        return self._until <= time.time() or any(values[slot] != stamp for slot, stamp in self._stamps)

    async def identify(self) -> None:
        """Find out who it is, and what that may do.

        Raises ProjectNotFound, UserBlocked, InvalidJwt and the like.
        """
        auth, values = self.app.auth, self.app.stamps.values
        slots = [Stamps.slot(project_tag(self.project.id))]
        stamps = [(slot, values[slot]) for slot in slots]
        realm = self.project.realm
        self.project = await auth.project(self.project.id)
        if self.project.realm != realm:
            raise ProjectNotFound(id=self.project.id)  # it was deleted, and this is another of that name
        known = self.identity.user_id
        if known:
            slot = Stamps.slot(user_tag(self.project.id, known))
            stamps.append((slot, values[slot]))
        identity = await auth.caller(self.request, self.project)
        if identity.user_id and identity.user_id != known:
            # The look that found the user was made before we knew which stamp to mind: once more.
            slot = Stamps.slot(user_tag(self.project.id, identity.user_id))
            stamps.append((slot, values[slot]))
            identity = await auth.caller(self.request, self.project)
        self._until = identity.expires_at
        presented = self.request.header(b"x-appwrite-jwt")
        if presented:
            self._until = min(self._until, float(auth.read_jwt(presented)["exp"]))
        if lacks_factor(identity, self.project):
            identity = GUEST
        self._stamps = tuple(stamps)
        call = Call(self.app, self.request, self.project, identity)
        call.endpoint = self.endpoint
        self.call = call
        for subscription in self.subscriptions.values():
            subscription.own(identity.user_id)

    async def still_who_it_was(self) -> bool:
        """Look up anew who it is. Tells whether it is still that user, or still nobody."""
        before = self.identity
        try:
            await self.identify()
        except (InvalidJwt, UserBlocked, ProjectNotFound):
            return False
        return (before.kind, before.user_id) == (self.identity.kind, self.identity.user_id)

    # -- what it is sent -------------------------------------------------------------------------------

    def push(self, text: str) -> None:
        """Send something, in its turn. Who does not take it in time is cut off."""
        if self.is_over:
            return
        self._waiting.append(text)
        self._waiting_bytes += len(text)
        if self._waiting_bytes > MAX_WAITING_BYTES:
            self.cut_off()
            return
        self._wake.set()

    def end(self, code: int, text: str = "") -> None:
        """Send a last message, and close."""
        if self._end is None and not self.is_over:
            if text:
                self._waiting.append(text)
            self._end = (code, "")
            self._wake.set()

    def cut_off(self) -> None:
        """Close without waiting for the other end to take anything more."""
        self.is_over = True
        self._waiting.clear()
        if self.task is not None:
            self.task.cancel()

    async def write(self, send: Send) -> None:
        """Send what is to be sent, until it ends."""
        while True:
            while self._waiting:
                text = self._waiting.popleft()
                await send({"type": "websocket.send", "text": text})
                self._waiting_bytes -= len(text)
            if self._end is not None:
                self.is_over = True
                await send({"type": "websocket.close", "code": self._end[0]})
                return
            self._wake.clear()
            if not self._waiting and self._end is None:
                await self._wake.wait()
