"""The bare loop: the least that a Python server on these libraries can do for the same answers.

uvicorn (uvloop, httptools), one ASGI function, asyncpg with prepared statements and a free list, msgspec.
It runs the statements that Freehold was seen to run, with the same permissions in them, and gives the same
answers. It has no routing, no validation, no limits and no errors: a yardstick, not a server.

    python -m bench.peers.bare_loop settings.json
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
import msgspec
import uvicorn
from asyncpg.prepared_stmt import PreparedStatement

from freehold.db import pool


class Statement(msgspec.Struct, frozen=True):
    """A statement; each of its values comes from the request by name, or is always the same text."""

    sql: str
    values: list[str] = []
    """Names of what the request brings; empty where the value is constant."""
    constants: list[str | None] = []


class Settings(msgspec.Struct, frozen=True):
    """What `bench.peers.bare` found out about Freehold."""

    dsn: str
    port: int
    connections: int
    rows: str
    """The path of the rows."""
    sessions: dict[str, Any]
    """Cookie header to the account that it opens."""
    plans: dict[str, list[Statement]]
    """What is run for `session`, `get`, `list` and `create`."""
    names: dict[str, list[str]]
    """What the columns of get, list and create are called on the wire, in the order of the statement."""
    constants: dict[str, Any]
    """What stands in every row, and in no column."""


class Create(msgspec.Struct):
    rowId: str  # noqa: N815 - as it is called on the wire
    data: dict[str, Any]


class Query(msgspec.Struct):
    method: str
    attribute: str = ""
    values: list[Any] = []


Prepared = tuple[PreparedStatement, list[tuple[str, Any]]]
"""A statement, and for each of its values the name that it has in the request, or the value itself."""

_encode = msgspec.json.Encoder().encode
_decode_create = msgspec.json.Decoder(Create).decode
_decode_query = msgspec.json.Decoder(Query).decode


class Held:
    """A connection, and every statement that is ever run, prepared on it."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.plans: dict[str, list[Prepared]] = {}

    async def prepare(self, settings: Settings) -> None:
        for name, statements in settings.plans.items():
            self.plans[name] = [await self._prepare(statement) for statement in statements]

    async def _prepare(self, statement: Statement) -> Prepared:
        prepared = await self.connection.prepare(statement.sql)
        values: list[tuple[str, Any]] = []
        for name, text, type_ in zip(
            statement.values, statement.constants, prepared.get_parameters(), strict=True
        ):
            kind = f"{type_.schema}.{type_.name}".removesuffix("[]") + "[]" * (type_.kind == "array")
            value = None if name else await self.connection.fetchval(f"select $1::text::{kind}", text)
            values.append((name, value))
        return prepared, values

    async def run(self, plan: str, given: dict[str, Any]) -> list[Any]:
        """Run the statements of a plan in turn; gives the rows of the last."""
        found: list[Any] = []
        for prepared, values in self.plans[plan]:
            found = await prepared.fetch(*[given[name] if name else value for name, value in values])
        return found


class BareLoop:
    """The ASGI application."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.rows = settings.rows
        self.sessions = {cookie.encode(): account for cookie, account in settings.sessions.items()}
        self.free: list[Held] = []

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        account = None
        for name, value in scope["headers"]:
            if name == b"cookie":
                account = self.sessions.get(value)
                break
        if account is None:
            await answer(send, 401, b"{}")
            return
        path: str = scope["path"]
        if path == self.rows:
            if scope["method"] == "GET":
                await answer(send, 200, await self.list_rows(scope["query_string"]))
            else:
                await answer(send, 201, await self.create_row((await receive())["body"]))
        elif path == "/v1/account":
            if self.settings.plans["session"]:
                await self.run("session", {})
            await answer(send, 200, _encode(account))
        else:
            found = await self.run("get", {"id": path[len(self.rows) + 1 :]})
            await answer(send, 200 if found else 404, _encode(self.row("get", found[0])) if found else b"{}")

    async def list_rows(self, query_string: bytes) -> bytes:
        given: dict[str, Any] = {}
        for name, text in parse_qsl(query_string.decode()):
            if name.startswith("queries"):
                query = _decode_query(text)
                if query.values:
                    given[query.attribute or query.method] = query.values[0]
        rows = await self.run("list", given)
        return _encode({"total": 0, "rows": [self.row("list", row) for row in rows]})

    async def create_row(self, body: bytes) -> bytes:
        made = _decode_create(body)
        rows = await self.run("create", {**made.data, "id": uuid.uuid4().hex[:20]})
        return _encode(self.row("create", rows[0]))

    def row(self, operation: str, record: Any) -> dict[str, Any]:
        row = dict(zip(self.settings.names[operation], record, strict=True))
        row["$sequence"] = str(row["$sequence"])
        row["$createdAt"] = row["$createdAt"].isoformat(timespec="milliseconds")
        row["$updatedAt"] = row["$updatedAt"].isoformat(timespec="milliseconds")
        row.update(self.settings.constants)
        return row

    async def run(self, plan: str, given: dict[str, Any]) -> list[Any]:
        held = self.free.pop() if self.free else await self.open()
        found = await held.run(plan, given)
        self.free.append(held)
        return found

    async def open(self) -> Held:
        held = Held(await pool.connect(self.settings.dsn, name="bare loop"))
        await held.prepare(self.settings)
        return held

    async def live(self, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        await receive()
        self.free = [await self.open() for _ in range(self.settings.connections)]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for held in self.free:
            await held.connection.close()
        await send({"type": "lifespan.shutdown.complete"})


async def answer(send: Any, status: int, body: bytes) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"application/json; charset=UTF-8"),
                (b"content-length", str(len(body)).encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    settings = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Settings)
    uvicorn.run(
        BareLoop(settings),
        host="127.0.0.1",
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
    )


if __name__ == "__main__":
    main()
