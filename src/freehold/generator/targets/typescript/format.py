"""oxfmt: the emitted TypeScript in shape, and the owner's as its own configuration says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from freehold.generator.scratch import scratch
from freehold.generator.target import Format, FormatterMissing
from freehold.generator.targets.typescript.syntax import without_unused_imports

CONFIGURATION = ".oxfmtrc.json"
SUFFIXES = (".ts", ".js")


def formatter(out: Path) -> Format:
    """oxfmt with the configuration of the folder, for TypeScript; other files stay as they are."""
    oxfmt = _oxfmt()

    def formatted_as_there(path: str, text: str) -> str:
        if oxfmt is None or not path.endswith(SUFFIXES):
            return text
        try:
            configuration = (out / CONFIGURATION).read_text(encoding="utf-8")
        except FileNotFoundError:
            configuration = "{}"
        with scratch({path: text, CONFIGURATION: configuration}) as root:
            done = _format(oxfmt, root, [path])
            return (root / path).read_text(encoding="utf-8") if done.returncode == 0 else text

    return formatted_as_there


def formatted(files: dict[str, str], configuration: str) -> dict[str, str]:
    """The files without unused imports, with sorted ones, and as oxfmt leaves them."""
    oxfmt = _oxfmt()
    if oxfmt is None:
        raise FormatterMissing("oxfmt cannot be found beside Python: install freehold again")
    used = {path: without_unused_imports(text) for path, text in files.items()}
    with scratch({**used, CONFIGURATION: configuration}) as root:
        done = _format(oxfmt, root, used)
        if done.returncode != 0:
            raise RuntimeError(f"the emitted TypeScript cannot be formatted:\n{done.stdout}{done.stderr}")
        return {path: (root / path).read_text(encoding="utf-8") for path in files}


def _oxfmt() -> str | None:
    return shutil.which("oxfmt", path=str(Path(sys.executable).parent)) or shutil.which("oxfmt")


def _format(oxfmt: str, root: Path, paths: Iterable[str]) -> subprocess.CompletedProcess[str]:
    command = [oxfmt, "--write", *paths]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)
