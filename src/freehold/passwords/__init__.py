"""Hashing passwords and checking them: with Argon2id, and off the event loop, a few at a time.

All of it runs in threads that stand back behind the one that answers requests, so that many who sign in at
once wait for each other, and nobody else waits for them.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher

from freehold.errors import Problem
from freehold.passwords import formats

P = ParamSpec("P")
T = TypeVar("T")

MOST_AT_ONCE = 2
"""How many threads of a process work on passwords."""
MOST_WAITING = 200
"""How many may wait for them: about two seconds' worth."""
_NICENESS = 12

# OWASP's second choice for Argon2id: 7 MiB, 5 passes, 1 lane. The reference uses the same.
_hasher = PasswordHasher(memory_cost=7168, time_cost=5, parallelism=1)


class PasswordsBusy(Problem, type="general_unknown", status=503):
    """Too many passwords are being checked right now. Try again in a moment."""


class Abandoned(Exception):
    """Whoever asked for the work hung up before it began."""


hung_up: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("hung_up", default=None)
"""Waits until whoever asks in this context has hung up. Without it nobody can."""


class Workshop:
    """Some threads that work on passwords, and a bounded queue in front of them."""

    def __init__(self, *, at_once: int = MOST_AT_ONCE, waiting: int = MOST_WAITING) -> None:
        self._threads = ThreadPoolExecutor(at_once, "password", initializer=_stand_back)
        self._most = at_once + waiting
        self._in_hand = 0
        self._counting = threading.Lock()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the work in one of the threads. Raises PasswordsBusy when too many wait already.

        Raises Abandoned when the work had not begun yet and nobody waits for it any more: so a queue of those
        who have left is empty at once.
        """
        with self._counting:
            if self._in_hand >= self._most:
                raise PasswordsBusy()
            self._in_hand += 1
        begun = self._threads.submit(work, *args, **kwargs)
        begun.add_done_callback(self._put_down)
        done = asyncio.wrap_future(begun)
        try:
            wait = hung_up.get()
            if wait is not None and await _first(done, wait) and begun.cancel():
                raise Abandoned()
            return await done
        finally:
            begun.cancel()

    def _put_down(self, _: Future[T]) -> None:
        """What runs counts until it ends, even when nobody waits for it."""
        with self._counting:
            self._in_hand -= 1


async def _first(done: asyncio.Future[T], wait: Callable[[], Awaitable[None]]) -> bool:
    """Wait for one of the two. Tells whether the asker hung up before the work was done."""
    gone = asyncio.ensure_future(wait())
    try:
        await asyncio.wait((done, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
    return not done.done()


def _stand_back() -> None:
    """Let the thread that answers requests go first. Elsewhere than on Linux threads have no such order."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


workshop = Workshop()


async def hash_password(password: str) -> str:
    """Hash a password with Argon2id. Raises PasswordsBusy."""
    return await workshop.run(_hasher.hash, _normal(password))


async def password_matches(password: str, kept: str | None) -> bool:
    """Tell whether the password is the hashed one, in whatever format. Raises PasswordsBusy.

    Takes as long when there is no hash to compare, and not less when the hash is of a quick format.
    """
    return await workshop.run(_matches, password, kept)


async def matches_any(password: str, kept: Sequence[str]) -> bool:
    """Tell whether the password is one of the hashed ones. Raises PasswordsBusy."""
    return await workshop.run(lambda: any(_is_of(password, each) for each in kept))


def is_outdated(kept: str) -> bool:
    """Tell whether a new hash of the same password would be a better one."""
    return not kept.startswith("$argon2id$") or _hasher.check_needs_rehash(kept)


def _matches(password: str, kept: str | None) -> bool:
    if kept is not None and _is_of(password, kept):
        return True
    if kept is None or is_outdated(kept):
        _hasher.hash(password)
    return False


def _is_of(password: str, kept: str) -> bool:
    read = formats.read(kept)
    normal = _normal(password)
    # Other systems may have hashed what was typed as it came.
    return formats.matches(read, normal) or (normal != password and formats.matches(read, password))


def _normal(password: str) -> str:
    """Keyboards write the same accented letter in different ways."""
    return unicodedata.normalize("NFC", password)
