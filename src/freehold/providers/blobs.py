"""Contents of files, apart from what is known of them: written in parts, whole at once, read from anywhere.

A place is `<folder>/<key>`, both made by the server: nothing that a caller sends becomes a path.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

_PLACE = re.compile(r"[0-9a-f]{32}/[0-9a-f]{32}")
_FOLDER = re.compile(r"[0-9a-f]{32}")
_COPIED_AT_ONCE = 1 << 18


def new_folder() -> str:
    """The name of a folder that nobody has."""
    return secrets.token_hex(16)


def new_place(folder: str) -> str:
    """A place in a folder that nothing is at."""
    return f"{folder}/{secrets.token_hex(16)}"


class Digest(NamedTuple):
    """What there is to know of contents when they are whole."""

    size: int
    md5: str
    head: bytes
    """The first bytes, to tell the type by."""


def of_installation(data: Path) -> PlainFiles:
    """The contents that an installation keeps, whose data lie in this directory."""
    return PlainFiles(data / "files")


class PlainFiles:
    """Contents as files below one directory. What is not whole lies apart from what is.

    Everything here blocks: call it in a thread.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._whole = root / "whole"
        self._previews = root / "previews"
        self.incoming = root / "incoming"
        """On the same file system, so that becoming whole is a rename."""

    def prepare(self) -> None:
        """Make the directories."""
        for each in (self._whole, self.incoming):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)

    def write(self, place: str, offset: int, source: BinaryIO) -> None:
        """Put a part of what is not whole yet where it belongs."""
        self.prepare()
        handle = os.open(self._draft(place), os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+b") as file:
            file.seek(offset)
            source.seek(0)
            shutil.copyfileobj(source, file, _COPIED_AT_ONCE)

    def agrees(self, place: str, offset: int, source: BinaryIO) -> bool:
        """Whether what is there, whole or not, is the same as this part."""
        path = self._path(place)
        source.seek(0)
        with (path if path.exists() else self._draft(place)).open("rb") as file:
            file.seek(offset)
            while part := source.read(_COPIED_AT_ONCE):
                if file.read(len(part)) != part:
                    return False
        return True

    def finish(self, place: str) -> Digest:
        """Make what was written whole and durable. Once more does nothing."""
        draft, path = self._draft(place), self._path(place)
        if draft.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.rename(path)
            _sync_directory(path.parent)
        with path.open("rb") as file:
            head = file.read(8192)
            file.seek(0)
            md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
            return Digest(file.tell(), md5, head)

    def open(self, place: str) -> BinaryIO:
        """Read what is whole, from wherever one seeks. Raises FileNotFoundError."""
        return self._path(place).open("rb")

    def path(self, place: str) -> Path:
        """Where what is whole lies, for another process to read."""
        return self._path(place)

    def preview(self, place: str, name: str) -> Path:
        """Where an image that was made of what is there lies, if it does; it goes with what is there."""
        folder, key = _parts(place)
        return self._previews / folder / key / name

    def delete(self, place: str) -> None:
        """Delete what is there, whole or not, if there is anything."""
        self._path(place).unlink(missing_ok=True)
        self._draft(place).unlink(missing_ok=True)
        shutil.rmtree(self.preview(place, ""), ignore_errors=True)

    def delete_folder(self, folder: str) -> None:
        """Delete all of a folder."""
        if not _FOLDER.fullmatch(folder):
            raise ValueError(f"{folder!r} is not a folder")
        for root in (self._whole, self._previews):
            with suppress(FileNotFoundError):
                shutil.rmtree(root / folder)
        for draft in self.incoming.glob(f"{folder}.*"):
            draft.unlink(missing_ok=True)

    def forget_unfinished(self, older_than_s: float) -> None:
        """Delete what was not written to for so long, and never became whole."""
        oldest = time.time() - older_than_s
        for path in self.incoming.glob("*"):
            with suppress(FileNotFoundError):  # somebody finished or deleted it just now
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def forget_previews(self, older_than_s: float) -> None:
        """Delete the images that nobody asked for in so long."""
        oldest = time.time() - older_than_s
        for path in self._previews.glob("*/*/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def _path(self, place: str) -> Path:
        folder, key = _parts(place)
        return self._whole / folder / key[:2] / key

    def _draft(self, place: str) -> Path:
        return self.incoming / ".".join(_parts(place))


def _parts(place: str) -> tuple[str, str]:
    if not _PLACE.fullmatch(place):
        raise ValueError(f"{place!r} is not a place")
    folder, _, key = place.partition("/")
    return folder, key


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
