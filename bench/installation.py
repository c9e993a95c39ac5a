"""A platform while it is measured, with PostgreSQL and data of its own, as `freehold up --dev` starts it."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any, NamedTuple

from bench import processes
from bench.peers import PeerError, last_lines

START_TIMEOUT_S = 60


class Installation(NamedTuple):
    """Where it is, and who may do everything there."""

    endpoint: str
    project: str
    key: str
    pid: int
    """The process that all others of it descend from."""

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Appwrite-Project": self.project, "X-Appwrite-Key": self.key}


@contextmanager
def running() -> Iterator[Installation]:
    """Start one with as many workers as it likes, on all cores; it and its data are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="freehold-bench-") as name:
        folder = Path(name)
        said, log = folder / "said", folder / "log"
        environment = os.environ | {"FREEHOLD_ACCESS_LOG": "0", "FREEHOLD_LOG_LEVEL": "warning"}
        command = [sys.executable, "-m", "freehold", "up", "--json", "--dev", "--port", "0"]
        process = processes.start(
            [*command, "--data", str(folder / "data")], core=None, log=log, stdout=said, env=environment
        )
        try:
            up = wait_until_ready(process, said, log)
            yield Installation(up["endpoint"], up["project"], up["key"], process.pid)
        finally:
            processes.stop(process)


def wait_until_ready(process: Popen[bytes], said: Path, log: Path) -> dict[str, Any]:
    """What `freehold up --json` says when it is ready. Raises PeerError with its last words."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        if said.read_text().endswith("\n"):
            ready: dict[str, Any] = json.loads(said.read_text())
            return ready
        time.sleep(0.05)
    ended = "ended" if process.poll() is not None else f"was not ready within {START_TIMEOUT_S} s"
    raise PeerError(f"freehold up {ended}. Its last words:\n{last_lines(log)}")
