"""Values for sample rows: valid, and different each time."""

from __future__ import annotations

import os
import time

_counter = (time.time_ns() // 1000 ^ int.from_bytes(os.urandom(4), "big")) % 10**9
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def _next() -> int:
    global _counter
    _counter += 1
    return _counter


def spelled(*alphabets: str) -> str:
    """One character of each alphabet. The same text does not come back before all others were given."""
    count = _next()
    found = []
    for alphabet in reversed(alphabets):
        count, place = divmod(count, len(alphabet))
        found.append(alphabet[place])
    return "".join(reversed(found))


def text(length: int) -> str:
    return spelled(*[LETTERS] * length)


def number(least: int, most: int) -> int:
    return least + _next() % (most - least + 1)
