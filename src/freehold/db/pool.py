"""Connections to PostgreSQL: a free list of them, with statements prepared once a connection.

asyncpg's own pool resets each connection when it is given back, which costs a round trip a request. Here
nothing is reset, so a statement may only change session state inside a transaction (`SET LOCAL`,
`set_config(..., true)`); whatever needs more takes a connection of its own with `connect`.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import asyncpg
import msgspec
from asyncpg.cursor import Cursor
from asyncpg.prepared_stmt import PreparedStatement

from freehold.errors import Unavailable

Answer = TypeVar("Answer")


class Record(Protocol):
    """A row: its values by column name and by position (asyncpg.Record)."""

    def __getitem__(self, key: str | int, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...
    def items(self) -> Iterator[tuple[str, Any]]: ...


_STATEMENTS_KEPT = 400
_ATTEMPTS = 8
"""So often something is begun anew that others came in the way of."""


class Queries(Protocol):
    """What can be asked: of the pool (each statement by itself) and of a transaction alike."""

    async def row(self, sql: str, *values: Any) -> Record | None:
        """The first row, or None."""

    async def rows(self, sql: str, *values: Any) -> list[Record]:
        """All rows."""

    async def value(self, sql: str, *values: Any) -> Any:
        """The first column of the first row, or None."""

    async def run(self, sql: str, *values: Any) -> None:
        """Run it for its effect."""

    async def script(self, sql: str) -> None:
        """Run several statements that take no values (DDL)."""


def _decode_jsonb(data: bytes) -> msgspec.Raw:
    return msgspec.Raw(data[1:])  # the first byte is the version of jsonb's binary form


def _encode_jsonb(value: bytes | msgspec.Raw) -> bytes:
    return b"\x01" + bytes(value)


async def connect(
    dsn: str, *, statement_timeout_s: float | None = None, name: str = "freehold"
) -> asyncpg.Connection:
    """Open one connection. `jsonb` comes and goes as encoded JSON (`msgspec.Raw`, bytes), not as objects."""
    settings = {
        "application_name": name,
        "timezone": "UTC",
        "jit": "off",
        "freehold.events": "written",  # with what happened: the triggers of tables need not tell it again
    }
    if statement_timeout_s is not None:
        settings["statement_timeout"] = str(int(statement_timeout_s * 1000))
    connection: asyncpg.Connection = await asyncpg.connect(
        dsn, timeout=10, statement_cache_size=0, server_settings=settings
    )
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=_encode_jsonb, decoder=_decode_jsonb
    )
    return connection


_LOST = (
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.ConnectionFailureError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.InternalClientError,
    ConnectionError,
)


class _Held:
    """A connection and the statements that are prepared on it."""

    __slots__ = ("connection", "statements")

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.statements: OrderedDict[str, PreparedStatement] = OrderedDict()

    async def prepared(self, sql: str) -> PreparedStatement:
        statement = self.statements.get(sql)
        if statement is None:
            statement = self.statements[sql] = await self.connection.prepare(sql)
            if len(self.statements) > _STATEMENTS_KEPT:
                self.statements.popitem(last=False)
        return statement

    async def fetch(self, sql: str, values: Sequence[Any]) -> list[Record]:
        """Run a prepared statement. Raises Unavailable when the connection is lost."""
        try:
            found: list[Record] = await (await self.prepared(sql)).fetch(*values)
        except asyncpg.InvalidCachedStatementError:
            # A table changed under the prepared plan. Inside a transaction PostgreSQL has already given up.
            self.statements.pop(sql, None)
            if self.connection.is_in_transaction():
                raise
            found = await (await self.prepared(sql)).fetch(*values)
        except _LOST as error:
            self.connection.terminate()
            raise Unavailable() from error
        except asyncpg.InterfaceError as error:
            if self.connection.is_closed():
                raise Unavailable() from error
            raise
        return found

    async def cursor(self, sql: str, values: Sequence[Any]) -> Cursor:
        """Open a cursor of a prepared statement. Raises Unavailable when the connection is lost."""
        with self._watched():
            opened: Cursor = await (await self.prepared(sql)).cursor(*values)
            return opened

    async def advance(self, cursor: Cursor, most: int) -> list[Record]:
        """The next rows of a cursor. Raises Unavailable when the connection is lost."""
        with self._watched():
            found: list[Record] = await cursor.fetch(most)
            return found

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except _LOST as error:
            self.connection.terminate()
            raise Unavailable() from error
        except asyncpg.InterfaceError as error:
            if self.connection.is_closed():
                raise Unavailable() from error
            raise

    async def execute(self, sql: str) -> None:
        """Run one or more statements without values. Raises Unavailable when the connection is lost."""
        with self._watched():
            await self.connection.execute(sql)


class Reading:
    """The rows of a statement, read little by little within its transaction."""

    def __init__(self, held: _Held, cursor: Cursor) -> None:
        self._held = held
        self._cursor = cursor

    async def next(self, most: int) -> list[Record]:
        """The next rows, so many at most; none when there are no more."""
        return await self._held.advance(self._cursor, most)


class Database:
    """A pool of connections; a statement asked of it runs by itself, in its own transaction."""

    def __init__(
        self,
        dsn: str,
        *,
        size: int,
        statement_timeout_s: float,
        wait_s: float = 10,
        name: str = "freehold",
    ) -> None:
        self._dsn = dsn
        self._name = name
        self._size = size
        self._statement_timeout_s = statement_timeout_s
        self._wait_s = wait_s
        self._open = 0
        self._free: list[_Held] = []
        self._waiting: deque[asyncio.Future[_Held | None]] = deque()
        self._closed = False

    async def close(self) -> None:
        """Close the connections that are free; those in use are closed when they come back."""
        self._closed = True
        while self._free:
            await self._discard(self._free.pop())

    async def _acquire(self) -> _Held:
        while self._free:
            held = self._free.pop()
            if not held.connection.is_closed():
                return held
            self._open -= 1
        if self._open < self._size:
            return await self._connect()
        waiter: asyncio.Future[_Held | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            held_or_none = await asyncio.wait_for(waiter, self._wait_s)
        except TimeoutError as error:
            raise Unavailable() from error
        return held_or_none if held_or_none is not None else await self._connect()

    async def _connect(self) -> _Held:
        self._open += 1
        try:
            return _Held(
                await connect(self._dsn, statement_timeout_s=self._statement_timeout_s, name=self._name)
            )
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            self._open -= 1
            self._wake(None)
            raise Unavailable() from error
        except BaseException:
            self._open -= 1
            self._wake(None)
            raise

    def _release(self, held: _Held) -> None:
        if held.connection.is_closed() or self._closed:
            self._open -= 1
            held.connection.terminate()
            self._wake(None)
        elif not self._wake(held):
            self._free.append(held)

    async def _discard(self, held: _Held) -> None:
        self._open -= 1
        try:
            await held.connection.close(timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            held.connection.terminate()

    def _wake(self, held: _Held | None) -> bool:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(held)
                return True
        return False

    async def _fetch(self, sql: str, values: Sequence[Any]) -> list[Record]:
        held = await self._acquire()
        try:
            return await held.fetch(sql, values)
        finally:
            self._release(held)

    async def row(self, sql: str, *values: Any) -> Record | None:
        found = await self._fetch(sql, values)
        return found[0] if found else None

    async def rows(self, sql: str, *values: Any) -> list[Record]:
        return await self._fetch(sql, values)

    async def value(self, sql: str, *values: Any) -> Any:
        found = await self._fetch(sql, values)
        return found[0][0] if found else None

    async def run(self, sql: str, *values: Any) -> None:
        await self._fetch(sql, values)

    async def script(self, sql: str) -> None:
        async with self.transaction() as transaction:
            await transaction.script(sql)

    async def undisturbed(
        self, act: Callable[[], Awaitable[Answer]], *, by: tuple[type[Exception], ...] = ()
    ) -> Answer:
        """Act, and begin anew when PostgreSQL has ended it because two waited for each other, or `by` what
        somebody else did in between.

        An act is one transaction, of which nothing is left when it has failed.
        """
        for attempt in range(1, _ATTEMPTS):
            try:
                return await act()
            except (asyncpg.DeadlockDetectedError, *by):
                # Not in step with those that it met.
                await asyncio.sleep(random.uniform(0, 0.02 * attempt))  # noqa: S311
        return await act()

    def transaction(self) -> Transaction:
        """A transaction: begun by its first statement, committed when its block ends without an error."""
        return Transaction(self)


class Transaction:
    """Several statements that happen together or not at all."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: _Held | None = None
        self._begin = "begin"

    def begin_with(self, sql: str) -> None:
        """Begin with this statement in the same round trip, such as a transaction-local setting."""
        self._begin = f"begin; {sql}"

    async def _connection(self) -> _Held:
        if self._held is None:
            self._held = await self._database._acquire()
            await self._held.execute(self._begin)
        return self._held

    async def _fetch(self, sql: str, values: Sequence[Any]) -> list[Record]:
        return await (await self._connection()).fetch(sql, values)

    async def row(self, sql: str, *values: Any) -> Record | None:
        found = await self._fetch(sql, values)
        return found[0] if found else None

    async def rows(self, sql: str, *values: Any) -> list[Record]:
        return await self._fetch(sql, values)

    async def value(self, sql: str, *values: Any) -> Any:
        found = await self._fetch(sql, values)
        return found[0][0] if found else None

    async def run(self, sql: str, *values: Any) -> None:
        await self._fetch(sql, values)

    async def script(self, sql: str) -> None:
        await (await self._connection()).execute(sql)

    async def read(self, sql: str, *values: Any) -> Reading:
        """Begin to read rows that may be more than memory should hold at once."""
        held = await self._connection()
        return Reading(held, await held.cursor(sql, values))

    async def commit(self) -> None:
        """Make it so. Nothing happens when no statement was run."""
        await self._end("commit")

    async def rollback(self) -> None:
        """Undo it all."""
        if self._held is not None and self._held.connection.is_closed():
            self._database._release(self._held)
            self._held = None
        await self._end("rollback")

    async def _end(self, how: str) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            try:
                await held.execute(how)
            finally:
                self._database._release(held)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.commit()
        else:
            await self.rollback()
