"""gofmt on what its owner has, where there is one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from freehold.generator.target import Format


def formatter(out: Path) -> Format:
    """gofmt, for Go; other files stay as they are, and all of them where there is no gofmt.

    What is emitted has gofmt's shape already: this is for owners whose edits have another one.
    """
    gofmt = shutil.which("gofmt")

    def formatted_as_there(path: str, text: str) -> str:
        if gofmt is None or not path.endswith(".go"):
            return text
        done = subprocess.run(
            [gofmt], cwd=out, input=text, capture_output=True, text=True, timeout=30, check=False
        )
        return done.stdout if done.returncode == 0 else text

    return formatted_as_there
