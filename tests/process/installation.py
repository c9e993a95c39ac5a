"""An installation as its operator has it: `freehold up` and the other commands, as real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

START_S = 60.0


class Installation:
    """One data directory, and the `freehold up` that runs on it (or not)."""

    def __init__(self, data: Path, environment: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.environment = dict(environment or {})
        self.process: subprocess.Popen[str] | None = None
        self.announced: dict[str, Any] = {}
        self.log = Path(tempfile.mkstemp(prefix="fh-log-", suffix=".txt", dir="/tmp")[1])
        self.log.chmod(0o666)
        self.took_s = 0.0

    def start(self, *options: str, **popen: Any) -> Installation:
        """Run `freehold up --json`, and return when it has said that it is ready."""
        began = time.monotonic()
        self.process = self.spawn("up", "--json", "--port", "0", "--data", str(self.data), *options, **popen)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.took_s = time.monotonic() - began
        assert line, f"it ended with {self.process.wait(START_S)}:\n{self.log.read_text()}"
        self.announced = json.loads(line)
        return self

    def spawn(self, *arguments: str, **popen: Any) -> subprocess.Popen[str]:
        """Run a command of ours in the background, its log in a file."""
        with self.log.open("a") as log:
            return subprocess.Popen(
                popen.pop("command", command(*arguments)),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd="/",
                **{"env": environment(self.environment), **popen},
            )

    @property
    def endpoint(self) -> str:
        return str(self.announced["endpoint"])

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def get(self, path: str = "/health/version") -> httpx.Response:
        return httpx.get(self.endpoint + path, timeout=10)

    def children(self, name: str) -> list[psutil.Process]:
        """Our processes of a name (`freehold-api`, `freehold-worker`, `postgres`), oldest first."""
        found = []
        for one in psutil.Process(self.pid).children():
            with suppress(psutil.NoSuchProcess):  # it has ended since
                if name in one.name():
                    found.append(one)
        return sorted(found, key=lambda one: one.create_time())

    def stop(self) -> int:
        """Ask it to stop, and return how it ended."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return code

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "freehold", *arguments]


def environment(told: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without settings of the one who runs the tests."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FREEHOLD_", "PG")) and name not in ("DATABASE_URL", "PORT")
    }
    return {**kept, "FREEHOLD_WORKERS": "2", **(told or {})}


def run(
    *arguments: str, told: Mapping[str, str] | None = None, timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(*arguments),
        capture_output=True, text=True, timeout=timeout_s, check=False, cwd="/", env=environment(told),
    )  # fmt: skip


def until(holds: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for something to hold; fail when it does not."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
