"""A folder for what is formatted, and gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
_LEFT = 10
"""So many times what is written has to be free there: a formatter writes beside what it reads."""


@contextmanager
def scratch(files: Mapping[str, str]) -> Iterator[Path]:
    """A folder with these files, in memory where there is room: a disk takes longer than a formatter does."""
    needed = sum(map(len, files.values())) * _LEFT
    with tempfile.TemporaryDirectory(prefix="freehold-", dir=_memory(needed)) as name:
        folder = Path(name)
        for path, text in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        yield folder


def _memory(needed: int) -> Path | None:
    try:
        has_room = os.access(MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(MEMORY).free >= needed
    except OSError:
        return None
    return MEMORY if has_room else None
