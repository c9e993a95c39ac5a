"""Ids: what one may look like, and how the server makes one."""

from __future__ import annotations

import secrets
import time
import uuid

MAX_ID = 36

# Python's `$` also stands before a line break at the end, hence the `(?!\n)` behind it.
ID_PATTERN = r"^(?:[a-zA-Z0-9][a-zA-Z0-9._-]{0,35})$(?!\n)"
"""1 to 36 of `a-zA-Z0-9._-`, not beginning with a special character."""

CUSTOM_ID_PATTERN = r"^(?:unique\(\)|[a-zA-Z0-9][a-zA-Z0-9._-]{0,35})$(?!\n)"
"""An id that the caller chooses, or `unique()` to leave the choice to the server."""

UNIQUE = "unique()"


def new_id() -> str:
    """Make an id of 20 hex digits that sorts by the time it was made: 13 of microseconds, 7 random."""
    seconds, microseconds = divmod(time.time_ns() // 1000, 1_000_000)
    return f"{seconds:08x}{microseconds:05x}{secrets.randbits(28):07x}"


def resolve(requested: str) -> str:
    """Give the id that the caller asked for, or a new one for `unique()`."""
    return new_id() if requested == UNIQUE else requested


def uuid7() -> uuid.UUID:
    """Make a UUID version 7 (RFC 9562, 5.7): milliseconds since 1970, then 74 random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)
