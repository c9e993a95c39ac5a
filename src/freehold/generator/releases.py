"""What changed in emitted services, by the version of the generator: what `freehold upgrade` tells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Release(NamedTuple):
    """One version, and what an owner of a service notices of it."""

    version: str
    notes: tuple[str, ...]


RELEASES = (
    Release(
        "0.1.0",
        (
            "The first version: services in Python, TypeScript and Go that answer one contract.",
            "`freehold upgrade` brings what a later version of the generator emits; your edits are merged.",
        ),
    ),
)
"""Oldest first. A version that changes what is emitted has its line here."""


def since(version: str, releases: Sequence[Release] = RELEASES) -> list[Release]:
    """The releases that came after a version, oldest first."""
    return [each for each in releases if is_newer(each.version, version)]


def is_newer(version: str, other: str) -> bool:
    return _numbers(version) > _numbers(other)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version)[:3])
