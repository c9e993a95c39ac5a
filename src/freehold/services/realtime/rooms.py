"""The sockets of each project, and what is told them: each event worked out once, sent to whom it fits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence

import asyncpg
import msgspec

from freehold import events
from freehold.db.pool import Queries, Record
from freehold.errors import Unavailable
from freehold.services.realtime.connection import MAX_TOLD_BYTES, Connection, message
from freehold.services.realtime.subscriptions import Subscription
from freehold.services.realtime.telling import Told, View, told

BATCH = 500
TOLD_AGAIN = 50
"""So many of these are told while others wait, and are read at once."""
IN_A_TURN = 200
"""So many sockets are told between two turns of the loop."""
MOST_MISSED = 1000
"""So many events at most are told again to who comes back; who missed more is told that there is a gap."""


class Room:
    """The sockets of a project."""

    def __init__(self, project_id: str) -> None:
        self.project_id = project_id
        self.connections: set[Connection] = set()
        self.seen = -1
        """The number of the last event that was told here; -1 when it is not known yet."""
        self.lock = asyncio.Lock()
        """Held while something is told, so that what was missed and what is new come in order."""
        self._listening: dict[str, dict[Subscription, Connection]] = {}
        self._heard: dict[Subscription, frozenset[str]] = {}
        """The channels that a subscription stands under."""

    async def open(self, db: Queries) -> None:
        """Begin with what happens from now on."""
        async with self.lock:
            if self.seen < 0:
                self.seen = await events.head(db, self.project_id)

    def listen(self, connection: Connection) -> None:
        """Let a socket's subscriptions be told, those of which the channels have changed too."""
        self.ignore(connection.subscriptions.values())
        for subscription in connection.subscriptions.values():
            self._heard[subscription] = subscription.channels
            for channel in subscription.channels:
                self._listening.setdefault(channel, {})[subscription] = connection

    def ignore(self, subscriptions: Iterable[Subscription]) -> None:
        """Tell these no more."""
        for subscription in subscriptions:
            for channel in self._heard.pop(subscription, ()):
                listening = self._listening[channel]
                del listening[subscription]
                if not listening:
                    del self._listening[channel]

    async def tell(self, records: Sequence[Record]) -> None:
        """Tell everybody what happened, in its order."""
        for record in records:
            event = told(record)
            if event is not None:
                await self._tell(event)
            self.seen = record["sequence"]

    async def _tell(self, event: Told) -> None:
        fitting: dict[Connection, dict[str, Subscription]] = {}
        for channel in event.channels:
            for subscription, connection in self._listening.get(channel, {}).items():
                if subscription.heard < event.sequence:  # what was cut short is told again, to the others
                    fitting.setdefault(connection, {})[subscription.id] = subscription
        heads: dict[int, bytes] = {}
        for at, (connection, subscriptions) in enumerate(fitting.items(), 1):
            await _tell_one(event, connection, subscriptions.values(), heads)
            for subscription in subscriptions.values():
                subscription.heard = event.sequence
            if at % IN_A_TURN == 0:
                await asyncio.sleep(0)  # what was written is sent, and others have their turn

    async def resume(
        self, db: Queries, connection: Connection, since: Mapping[Subscription, int], seen: int
    ) -> None:
        """Tell a socket what these subscriptions have missed since an event, or that not all of it can be
        told; then let all of its subscriptions be told what happens. The others have heard all until `seen`.

        Until then it is told nothing else, so that all comes in order. What is more than a little is told
        without the lock: nobody else is to wait for it.
        """
        marks = {each: since.get(each, seen) for each in connection.subscriptions.values()}
        for number in sorted(set(since.values())):
            if not 0 <= self.seen - number <= MOST_MISSED:
                late = [each for each in since if since[each] == number]
                self._say_gap(connection, late, number)
                marks |= dict.fromkeys(late, self.seen)
        at = min(marks.values())
        try:
            while not connection.is_over:
                await connection.ready()
                if self.seen - at > TOLD_AGAIN:
                    at = await self._tell_again(db, connection, marks, at)
                    continue
                async with self.lock:
                    if at < self.seen:
                        at = await self._tell_again(db, connection, marks, at)
                    if at == self.seen:
                        self.listen(connection)
                        return
        except (Unavailable, asyncpg.PostgresError, _Incomplete):
            async with self.lock:
                self._say_gap(connection, list(marks), at)
                self.listen(connection)

    def _say_gap(self, connection: Connection, subscriptions: Sequence[Subscription], since: int) -> None:
        connection.push(_gap([each.id for each in subscriptions], since, self.seen))

    async def _tell_again(
        self, db: Queries, connection: Connection, marks: Mapping[Subscription, int], after: int
    ) -> int:
        """Tell some of what came after an event to the subscriptions that have not heard it, as long as the
        socket takes it. Gives how far that was. Raises _Incomplete."""
        records = await events.read(db, self.project_id, after, TOLD_AGAIN, until=self.seen)
        if not records or not events.follow(records, after):
            raise _Incomplete
        for record in records:
            event = told(record)
            if event is None:
                continue
            listening = [
                each
                for each, mark in marks.items()
                if max(mark, each.heard) < event.sequence and not each.channels.isdisjoint(event.channels)
            ]
            if listening:
                await _tell_one(event, connection, listening, {})
                for each in listening:
                    each.heard = event.sequence
                if connection.is_busy:
                    return event.sequence
        last: int = records[-1]["sequence"]
        return last


class _Incomplete(Exception):
    """Not all events are kept any more."""


async def _tell_one(
    event: Told, connection: Connection, subscriptions: Iterable[Subscription], heads: dict[int, bytes]
) -> None:
    """Tell one socket of an event, if it may know and has a subscription that fits.

    Raises Unavailable, when it cannot be told yet.
    """
    if connection.is_over or (connection.is_stale and not await refreshed(connection)):
        return
    view = await event.to(connection.call)
    if view is None:
        return
    fitting = [each.id for each in subscriptions if not each.queries or each.fits(view.values)]
    if fitting:
        head = heads.get(id(view))
        if head is None:
            head = heads[id(view)] = _head(event, view)
        if len(head) > MAX_TOLD_BYTES:
            connection.push(_gap(fitting, event.sequence - 1, event.sequence))
        else:
            connection.push(head, msgspec.json.encode(fitting), b"}}")


def _gap(subscription_ids: Sequence[str], since: int, sequence: int) -> bytes:
    said = {"subscriptions": subscription_ids, "since": since, "sequence": sequence}
    return message("gap", said)


def _head(event: Told, view: View) -> bytes:
    data = msgspec.json.encode(
        {
            "events": event.names,
            "channels": event.channels,
            "timestamp": event.timestamp,
            "sequence": event.sequence,
            "payload": msgspec.Raw(view.payload),
        }
    )
    return b"".join((b'{"type":"event","data":', data[:-1], b',"subscriptions":'))


async def refreshed(connection: Connection) -> bool:
    """Look up anew who is there. A socket whose session has ended, or whose user was blocked, is closed."""
    if await connection.still_who_it_was():
        if "websocket" not in connection.project.settings.get("disabledProtocols", ()):
            return True
        reason = "The protocol websocket is switched off for this project."
    else:
        reason = "The session has ended."
    connection.end(1008, message("error", {"code": 1008, "message": reason}))
    return False


class Rooms:
    """All projects that have sockets here."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}

    def __iter__(self) -> Iterator[Room]:
        return iter(list(self._rooms.values()))

    def get(self, project_id: str) -> Room | None:
        return self._rooms.get(project_id)

    @property
    def size(self) -> int:
        """How many sockets there are."""
        return sum(len(room.connections) for room in self._rooms.values())

    def join(self, connection: Connection) -> Room:
        """The room of the socket's project."""
        room = self._rooms.setdefault(connection.project.id, Room(connection.project.id))
        room.connections.add(connection)
        return room

    def leave(self, room: Room, connection: Connection) -> None:
        """Forget a socket, and its room when that was the last one."""
        room.ignore(connection.subscriptions.values())
        room.connections.discard(connection)
        if not room.connections and self._rooms.get(room.project_id) is room:
            del self._rooms[room.project_id]
