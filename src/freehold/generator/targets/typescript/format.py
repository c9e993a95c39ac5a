"""oxfmt: the emitted TypeScript in shape, and the owner's as its own configuration says."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

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
        with tempfile.TemporaryDirectory(prefix="freehold-") as folder:
            done = _format(oxfmt, Path(folder), {path: text}, configuration)
            return (Path(folder) / path).read_text(encoding="utf-8") if done.returncode == 0 else text

    return formatted_as_there


def formatted(files: dict[str, str], configuration: str) -> dict[str, str]:
    """The files without unused imports, with sorted ones, and as oxfmt leaves them."""
    oxfmt = _oxfmt()
    if oxfmt is None:
        raise FormatterMissing("oxfmt cannot be found beside Python: install freehold again")
    used = {path: without_unused_imports(text) for path, text in files.items()}
    with tempfile.TemporaryDirectory(prefix="freehold-") as folder:
        done = _format(oxfmt, Path(folder), used, configuration)
        if done.returncode != 0:
            raise RuntimeError(f"the emitted TypeScript cannot be formatted:\n{done.stdout}{done.stderr}")
        return {path: (Path(folder) / path).read_text(encoding="utf-8") for path in files}


def _oxfmt() -> str | None:
    return shutil.which("oxfmt", path=str(Path(sys.executable).parent)) or shutil.which("oxfmt")


def _format(
    oxfmt: str, root: Path, files: dict[str, str], configuration: str
) -> subprocess.CompletedProcess[str]:
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (root / CONFIGURATION).write_text(configuration, encoding="utf-8")
    command = [oxfmt, "--write", *files]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)
