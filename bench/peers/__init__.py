"""Whom the platform is measured against. Each peer knows how to be installed, started, filled and asked."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import httpx

from bench.dataset import Dataset
from bench.load import Workload
from freehold.db.embedded import EmbeddedPostgres


class Operation(StrEnum):
    """What is measured."""

    GET = "get row"
    LIST = "list 25"
    COUNTED = "counted list 25"
    RELATED = "related list 25"
    DISTANT = "distant list 25"
    CREATE = "create row"
    BULK = "bulk create 1,000"
    SESSION = "session check"
    BESIDE = "beside 50 logins, get row"


BULK_CONNECTIONS = 2
LOGINS_AT_ONCE = 50


class PeerError(Exception):
    """A peer could not be installed or started, or does not do what is to be measured."""


@dataclass(frozen=True)
class Setting:
    """What all peers of one run share."""

    cache: Path
    """Installations, kept from run to run."""
    folder: Path
    """Data of this run; gone afterwards."""
    postgres: EmbeddedPostgres
    dataset: Dataset
    server_core: int | None
    """Where the server of a peer runs; None leaves it to the kernel."""
    say: Callable[[str], None]


@dataclass
class Running:
    """A peer that is started, filled, and was seen to answer rightly and to refuse rightly."""

    address: tuple[str, int]
    root: int
    """The process at the top of the server's tree."""
    workloads: dict[Operation, Workload]
    """Of the operations that it is measured at."""
    about: str
    """Its version, and what its durability and its rule are."""
    stop: Callable[[], None]
    uses_postgres: bool = True
    once: dict[str, Callable[[], float]] = field(default_factory=dict)
    """What it is asked once a round, by what it is; each tells how many seconds that took."""
    memory_of: str = ""
    """Which processes there are, where it is more than one."""


class Peer(Protocol):
    """One file of this package each."""

    name: str

    def install(self, setting: Setting) -> None:
        """Get the software into the cache, if it is not there. Raises PeerError."""

    def start(self, setting: Setting) -> Running:
        """Start it with the data, ready to be measured."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_answering(url: str, *, seconds: float, log: Path) -> None:
    """Until a server answers with anything but an error of its own."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=5).status_code < 500:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise PeerError(
        f"{url} did not answer within {seconds:.0f} s. Its last words, in {log}:\n{last_lines(log)}"
    )


def last_lines(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(no log)"


def must(holds: bool, what: str) -> None:
    """What a peer has to do before it is measured."""
    if not holds:
        raise PeerError(what)
