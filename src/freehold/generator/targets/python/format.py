"""ruff: the emitted Python in shape, and the owner's as its own configuration says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from freehold.generator.scratch import scratch
from freehold.generator.target import Format, FormatterMissing


def formatter(out: Path) -> Format:
    """ruff with the configuration of the folder, for Python; other files stay as they are."""
    ruff = _ruff()

    def formatted_as_there(path: str, text: str) -> str:
        if ruff is None or not path.endswith(".py"):
            return text
        command = [ruff, "format", "--quiet", "--no-cache", "--stdin-filename", path, "-"]
        done = subprocess.run(
            command, cwd=out, input=text, capture_output=True, text=True, timeout=30, check=False
        )
        return done.stdout if done.returncode == 0 else text

    return formatted_as_there


def formatted(files: dict[str, str], configuration: str) -> dict[str, str]:
    """The Python files without unused imports, with sorted ones, and as `ruff format` leaves them."""
    ruff = _ruff()
    if ruff is None:
        raise FormatterMissing("ruff cannot be found beside Python: install freehold again")
    with scratch({**files, "ruff.toml": configuration}) as root:
        _run([ruff, "check", "--quiet", "--no-cache", "--fix", "--select", "I,F401", "."], root)
        _run([ruff, "format", "--quiet", "--no-cache", "."], root)
        return {name: (root / name).read_text(encoding="utf-8") for name in files}


def _ruff() -> str | None:
    return shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the emitted Python cannot be formatted:\n{done.stdout}{done.stderr}")
