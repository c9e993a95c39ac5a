"""The tools that read what is emitted: Python packages and Go programs, made once for each version of a lock.

They are not in Freehold's own environment, whose packages they would hold back.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.conformance.running import CACHE

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
GO = HERE / "deploy" / "go"


class Answer(NamedTuple):
    """What a tool said."""

    code: int
    text: str


class Tools:
    """The tools by name."""

    def __init__(self, python: Path, go: Path) -> None:
        self._python = python
        self._go = go

    def run(self, *words: str | Path, folder: Path, text: str | None = None, **environ: str) -> Answer:
        name, *arguments = map(str, words)
        done = subprocess.run(
            [self.path(name), *arguments],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "NO_COLOR": "1"} | environ,
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Answer(done.returncode, done.stdout + done.stderr)

    def path(self, name: str) -> Path | str:
        """Where the tool is; a program of the system is called by its name."""
        found = (self._go / name, self._python / "bin" / name)
        return next((path for path in found if path.is_file()), name)


def tools() -> Tools:
    python = _made("tools-python", [REQUIREMENTS], _install)
    go = _made("tools-go", [*sorted(GO.rglob("*.go")), GO / "go.mod", GO / "go.sum"], _build)
    return Tools(python, go)


def _made(name: str, locks: list[Path], make: Callable[[Path], None]) -> Path:
    """A folder that is filled once for each version of the locks."""
    digest = hashlib.sha256(sys.version.encode())
    for lock in locks:
        digest.update(lock.read_bytes())
    folder = CACHE / f"{name}-{digest.hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            make(folder)
            (folder / "ready").touch()
    return folder


def _install(folder: Path) -> None:
    _do([sys.executable, "-m", "venv", str(folder)], HERE)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # What is imported is compiled then: most of it, such as sympy, never is.
    _do([*pip, "--no-compile", "--require-hashes", "-r", str(REQUIREMENTS)], HERE)


def _build(folder: Path) -> None:
    _do(["go", "build", "-mod=readonly", "-trimpath", "-o", f"{folder}/", "./..."], GO)


def _do(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
