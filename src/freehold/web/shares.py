"""What one address may take of a process's connections: a share, so that nobody takes them all.

A request that may take long holds a place of its caller's address while it does. Those beyond the share wait
for each other, rather than in the line where everybody waits. Keys and the console are not kept to one.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from freehold.db.pool import Transaction
from freehold.errors import Unavailable

if TYPE_CHECKING:
    from freehold.web.call import Call

_WAIT_S = 10

_WHOLE: AbstractAsyncContextManager[None] = nullcontext()


class Shares:
    """The places of all addresses that have requests running."""

    def __init__(self, places: int) -> None:
        """`places` is how many of its requests one address may have running at a time."""
        self._places = places
        self._of: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def of(self, call: Call) -> AbstractAsyncContextManager[None]:
        """A place of the caller's, for as long as the block runs. Raises Unavailable after a long wait."""
        if call.identity.privileged or isinstance(call.db, Transaction):  # which has its connection
            return _WHOLE
        address = call.ip
        places = self._of.get(address)
        if places is None:
            places = self._of[address] = asyncio.Semaphore(self._places)
        return _Place(places)


class _Place:
    __slots__ = ("_places",)

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places

    async def __aenter__(self) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(_WAIT_S):
                await self._places.acquire()
        except TimeoutError as error:
            raise Unavailable() from error

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._places.release()
