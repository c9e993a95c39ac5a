"""Caches that every worker on a machine agrees on.

What is cached is tagged. Whoever changes the thing behind a tag stamps the tag, after the commit and before
the answer; an entry older than its tag's stamp is not used. The stamps lie in a small file that all workers
of the machine map into memory, so that a look costs nanoseconds and a logout holds at once everywhere.
Other machines hear of it through NOTIFY.
"""

from __future__ import annotations

import mmap
import os
import sys
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Generic, TypeVar
from zlib import crc32

Key = TypeVar("Key")
Value = TypeVar("Value")

_SLOTS = 1 << 16
_BYTES = _SLOTS * 8


class Stamps:
    """When each tag was last changed, shared between the processes that open the same file."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it when it is not there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(descriptor, _BYTES)
            if sys.platform.startswith("linux"):
                # Said here when the disk is full: a touch that finds no room would end the process.
                os.posix_fallocate(descriptor, 0, _BYTES)
            self._memory = mmap.mmap(descriptor, _BYTES)
        finally:
            os.close(descriptor)
        self.values = memoryview(self._memory).cast("Q")

    @staticmethod
    def slot(tag: str) -> int:
        """Where a tag's stamp lies. Tags may share a slot: then they go stale together."""
        return crc32(tag.encode()) & (_SLOTS - 1)

    def touch(self, tag: str) -> None:
        """Make every entry with this tag stale, in every process of the machine."""
        # A moment rather than a count: two processes that touch at once cannot undo each other.
        self.values[self.slot(tag)] = time.monotonic_ns()

    def touch_all(self) -> None:
        """Make every entry stale, as when changes may have gone unheard."""
        now = time.monotonic_ns()
        for slot in range(_SLOTS):
            self.values[slot] = now


class Cache(Generic[Key, Value]):
    """The most recently made entries, for at most `ttl_s` seconds, as long as their tags are untouched."""

    def __init__(self, stamps: Stamps, *, size: int, ttl_s: float) -> None:
        self._stamps = stamps.values
        self._size = size
        self._ttl_s = ttl_s
        self._entries: OrderedDict[Key, tuple[int, int, float, Value]] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        slot, stamp, until, value = entry
        if self._stamps[slot] != stamp or until < time.monotonic():
            del self._entries[key]
            return None
        return value

    async def load(self, key: Key, tag: str, find: Callable[[], Awaitable[Value | None]]) -> Value | None:
        """Get the entry, or find it. What is not found is not remembered."""
        value = self.get(key)
        if value is not None:
            return value
        slot = Stamps.slot(tag)
        stamp = self._stamps[slot]  # before the look: a change during it makes the entry stale
        value = await find()
        if value is not None:
            self._entries[key] = (slot, stamp, time.monotonic() + self._ttl_s, value)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
        return value


class Answers:
    """Encoded answers, the last ones made, of so many bytes in all, as long as their tags are untouched."""

    def __init__(self, stamps: Stamps, *, size_bytes: int) -> None:
        self._stamps = stamps.values
        self._size_bytes = size_bytes
        self._held_bytes = 0
        self._entries: OrderedDict[bytes, tuple[int, float, bytes]] = OrderedDict()

    async def load(
        self, key: bytes, tag: str, ttl_s: float, find: Callable[[], Awaitable[bytes]]
    ) -> tuple[bytes, bool]:
        """Get an answer that is at most `ttl_s` old, or find it; tells whether it was there."""
        stamp = self._stamps[Stamps.slot(tag)]  # before the look: a change during it makes the entry stale
        entry = self._entries.get(key)
        if entry is not None:
            made_with, made_at, answer = entry
            if made_with == stamp and time.monotonic() - made_at < ttl_s:
                return answer, True
        answer = await find()
        self._forget(key)
        if len(answer) <= self._size_bytes // 8:  # one answer must not push out all others
            self._entries[key] = (stamp, time.monotonic(), answer)
            self._held_bytes += len(answer) + _OVERHEAD_BYTES
            while self._held_bytes > self._size_bytes:
                self._forget(next(iter(self._entries)))
        return answer, False

    def _forget(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._held_bytes -= len(entry[2]) + _OVERHEAD_BYTES


_OVERHEAD_BYTES = 500
