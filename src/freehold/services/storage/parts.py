"""The parts that files come in: how long they are, and whether they still are what they were."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

import xxhash

from freehold.providers.blobs import Source
from freehold.services.storage.errors import PartsLost

PART_BYTES = 5 * 1024 * 1024
"""What SDKs cut files into."""

_READ_AT_ONCE = 1 << 20


def checksum(part: Source) -> int:
    """What tells a part from another, in 64 bits with a sign. It finds accidents, not forgeries."""
    found = xxhash.xxh3_64()
    if isinstance(part, memoryview):
        found.update(part)
    else:
        part.seek(0)
        while piece := part.read(_READ_AT_ONCE):
            found.update(piece)
    return _signed(found)


def checked(pieces: Iterable[bytes], checksums: Sequence[int | None]) -> Iterator[bytes]:
    """The same pieces of a draft. Raises PartsLost at the end, unless each part has its checksum.

    Of parts without one only their number is known. A file of one part may be longer than others' parts.
    """
    part_bytes = PART_BYTES if len(checksums) > 1 else sys.maxsize
    found: list[int] = []
    current = xxhash.xxh3_64()
    missing = part_bytes
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            current.update(rest[:missing])
            taken = min(missing, len(rest))
            rest, missing = rest[taken:], missing - taken
            if not missing:
                found.append(_signed(current))
                current, missing = xxhash.xxh3_64(), part_bytes
        yield piece
    if missing < part_bytes or not found:
        found.append(_signed(current))
    if len(found) != len(checksums) or any(
        known not in (None, one) for known, one in zip(checksums, found, strict=True)
    ):
        raise PartsLost()


def _signed(found: xxhash.xxh3_64) -> int:
    return int.from_bytes(found.digest(), signed=True)
