"""WebSockets of a running platform, as a client without an SDK opens them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.platform import Platform, Project, User

PATIENCE_S = 30


class Socket:
    """A socket that was answered."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.connected: dict[str, Any] = self.next()

    def next(self) -> dict[str, Any]:
        """The next message, whatever it is."""
        return json.loads(self.connection.recv(timeout=PATIENCE_S))  # type: ignore[no-any-return]

    def say(self, type_: str, data: Any = None) -> None:
        self.connection.send(json.dumps({"type": type_, "data": data}))

    def ask(self, type_: str, data: Any = None) -> dict[str, Any]:
        """Say something, and give what is answered; events that come before it are left out."""
        self.say(type_, data)
        while (message := self.next())["type"] == "event":
            pass
        return message

    def subscribe(self, *channels: str, queries: tuple[str, ...] = (), **said: Any) -> str:
        """Subscribe; gives the subscription's id."""
        answer = self.ask("subscribe", [{"channels": channels, "queries": queries, **said}])
        assert answer["data"]["success"], answer
        return str(answer["data"]["subscriptions"][0]["subscriptionId"])

    def event(self) -> dict[str, Any]:
        """The next event."""
        message = self.next()
        assert message["type"] == "event", message
        return message["data"]  # type: ignore[no-any-return]

    def events_until(self, last: str) -> list[dict[str, Any]]:
        """All events up to one that has this name: what had to be told, and nothing else."""
        seen = [self.event()]
        while last not in seen[-1]["events"]:
            seen.append(self.event())
        return seen

    def close_code(self) -> tuple[int, list[dict[str, Any]]]:
        """How it is closed by the other side, and what was said before."""
        said = []
        while True:
            try:
                said.append(self.next())
            except ConnectionClosed as error:
                return (error.rcvd.code if error.rcvd is not None else 1006), said


@contextmanager
def socket(
    where: Platform | Project,
    project: str = "",
    *,
    user: User | None = None,
    headers: dict[str, str] | None = None,
    **said: Any,
) -> Iterator[Socket]:
    """Open a socket. The user's session goes in a header, as with cookies in a browser."""
    platform = where.platform if isinstance(where, Project) else where
    told = dict(headers or {})
    if user is not None:
        told["X-Appwrite-Session"] = user.session
    query = urlencode(
        {"project": project or where.id if isinstance(where, Project) else project, **said}, doseq=True
    )
    url = platform.endpoint.replace("http", "ws", 1) + f"/realtime?{query}"
    with connect(
        url, additional_headers=told, compression=None, max_size=None, close_timeout=2
    ) as connection:
        yield Socket(connection)
