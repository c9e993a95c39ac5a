"""Contents of files, apart from what is known of them: written in parts, whole at once, read from anywhere.

A place is `<folder>/<key>`, both made by the server: nothing that a caller sends becomes a path. What comes
in is a draft until all of it is there. A draft becomes whole under the same place, and stays until it is
dropped, so that it can be done again when somebody dies in between.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Container, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from freehold.config import Settings
from freehold.providers.frames import Stored

_PLACE = re.compile(r"[0-9a-f]{32}/[0-9a-f]{32}")
_FOLDER = re.compile(r"[0-9a-f]{32}")
_COPIED_AT_ONCE = 1 << 20
_SYNCED_AT_ONCE = 4 << 20


Source = BinaryIO | memoryview
"""What is put into a store: in memory, or a file from its begin on."""


def new_folder() -> str:
    """The name of a folder that nobody has."""
    return secrets.token_hex(16)


def new_place(folder: str) -> str:
    """A place in a folder that nothing is at."""
    return f"{folder}/{secrets.token_hex(16)}"


def of_installation(settings: Settings) -> Blobs:
    """The contents that an installation keeps: below its data directory, and in a bucket that it was told."""
    if settings.s3_bucket:
        from freehold.providers.both_stores import BothStores  # what installations without one need not load

        return BothStores(settings)
    return PlainFiles(settings.data / "files")


def as_file(source: Source) -> BinaryIO:
    """The same, to be read from its begin on."""
    if isinstance(source, memoryview):
        return BytesIO(source)
    source.seek(0)
    return source


class StoreUnreachable(Exception):
    """The store did not do what it was asked. The message says what it said, without any key."""


class Blobs(ABC):
    """A store of contents. Everything here blocks: call it in a thread."""

    def __init__(self, root: Path) -> None:
        self._previews = root / "previews"
        self.incoming = root / "incoming"
        """Where bodies of requests lie while they come."""

    def prepare(self) -> None:
        """Make the directories."""
        for each in (self._previews, self.incoming):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)

    @abstractmethod
    def write(self, place: str, offset: int, source: Source) -> None:
        """Put a part of a draft where it belongs. A machine that loses its power may lose it."""

    @abstractmethod
    def draft(self, place: str) -> Iterator[bytes]:
        """All of a draft, piece by piece; nothing when nothing of it is there."""

    @abstractmethod
    def has_draft(self, place: str) -> bool:
        """Whether something of a draft is there."""

    @abstractmethod
    def keep(self, place: str, parts: Iterable[bytes] | None) -> None:
        """Let these bytes, or those of the draft, be whole and durable at the place: all at once, or not."""

    @abstractmethod
    def drop_draft(self, place: str) -> None:
        """Forget the draft of a place, if there is any."""

    @abstractmethod
    def drop_whole(self, place: str) -> None:
        """Forget what is whole at a place, if anything is, and nothing that was made of it."""

    @abstractmethod
    def open(self, place: str) -> Stored:
        """Read what is whole. Raises FileNotFoundError."""

    @abstractmethod
    def delete(self, place: str) -> None:
        """Delete what is there, whole or not, if there is anything."""

    @abstractmethod
    def delete_folder(self, folder: str) -> None:
        """Delete all of a folder."""

    @abstractmethod
    def places(self, older_than_s: float | None = None) -> Iterator[str]:
        """Where something whole lies, or something that is so old."""

    def path(self, place: str) -> Path | None:
        """Where what is whole lies as a file of this machine, if it does."""
        return None

    def preview(self, place: str, name: str) -> Path:
        """Where an image that was made of what is there lies, if it does; it goes with what is there."""
        folder, key = parts_of(place)
        return self._previews / folder / key / name

    def forget_unfinished(self, older_than_s: float, alive: Container[str]) -> None:
        """Delete what was not written to for so long, unless it is a draft of a place where one goes on."""
        _delete_old(
            (path for path in self.incoming.glob("*") if path.name.replace(".", "/") not in alive),
            older_than_s,
        )

    def forget_previews(self, older_than_s: float) -> None:
        """Delete the images that nobody asked for in so long."""
        _delete_old(_files_below(self._previews), older_than_s)

    def _forget_previews_of(self, folder: str) -> None:
        with suppress(FileNotFoundError):
            shutil.rmtree(self._previews / folder)


class PlainFiles(Blobs):
    """Contents as files below one directory. What is not whole lies apart from what is."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._whole = root / "whole"

    def prepare(self) -> None:
        super().prepare()
        self._whole.mkdir(parents=True, exist_ok=True, mode=0o700)

    def write(self, place: str, offset: int, source: Source) -> None:
        self.prepare()
        with os.fdopen(os.open(self._draft(place), os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.seek(offset)
            if isinstance(source, memoryview):
                file.write(source)
            else:
                source.seek(0)
                shutil.copyfileobj(source, file, _COPIED_AT_ONCE)

    def draft(self, place: str) -> Iterator[bytes]:
        with suppress(FileNotFoundError), self._draft(place).open("rb") as file:
            while part := file.read(_COPIED_AT_ONCE):
                yield part

    def has_draft(self, place: str) -> bool:
        return self._draft(place).exists()

    def keep(self, place: str, parts: Iterable[bytes] | None) -> None:
        path = self._path(place)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # On the file system of what is whole, so that becoming it is a rename.
        growing = self.incoming / f"{self._draft(place).name}.{secrets.token_hex(8)}"
        try:
            if parts is None:
                os.link(self._draft(place), growing)
                _sync(growing)
            else:
                _write_durably(growing, parts)
            growing.replace(path)
        finally:
            # Also a rename onto another name of the same file leaves both.
            growing.unlink(missing_ok=True)
        _sync(path.parent)

    def drop_draft(self, place: str) -> None:
        self._draft(place).unlink(missing_ok=True)

    def drop_whole(self, place: str) -> None:
        self._path(place).unlink(missing_ok=True)

    def open(self, place: str) -> Stored:
        return _OpenFile(self._path(place))

    def path(self, place: str) -> Path | None:
        return self._path(place)

    def delete(self, place: str) -> None:
        self.drop_whole(place)
        self.drop_draft(place)
        shutil.rmtree(self.preview(place, ""), ignore_errors=True)

    def delete_folder(self, folder: str) -> None:
        checked_folder(folder)
        with suppress(FileNotFoundError):
            shutil.rmtree(self._whole / folder)
        self._forget_previews_of(folder)
        for draft in self.incoming.glob(f"{folder}.*"):
            draft.unlink(missing_ok=True)

    def places(self, older_than_s: float | None = None) -> Iterator[str]:
        oldest = None if older_than_s is None else time.time() - older_than_s
        for path in _files_below(self._whole):
            with suppress(FileNotFoundError):
                if oldest is None or path.stat().st_mtime < oldest:
                    yield f"{path.parts[-3]}/{path.name}"

    def _path(self, place: str) -> Path:
        folder, key = parts_of(place)
        return self._whole / folder / key[:2] / key

    def _draft(self, place: str) -> Path:
        return self.incoming / ".".join(parts_of(place))


class _OpenFile:
    """A file that is read from anywhere."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDONLY)

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._handle, length, offset)

    def close(self) -> None:
        os.close(self._handle)


def parts_of(place: str) -> tuple[str, str]:
    """The folder and the key of a place."""
    if not _PLACE.fullmatch(place):
        raise ValueError(f"{place!r} is not a place")
    folder, _, key = place.partition("/")
    return folder, key


def checked_folder(folder: str) -> str:
    """The folder, which is one that we made."""
    if not _FOLDER.fullmatch(folder):
        raise ValueError(f"{folder!r} is not a folder")
    return folder


def _files_below(directory: Path) -> Iterator[Path]:
    """All files, by a walk, which bears folders that are deleted meanwhile; a glob does not."""
    return (Path(above, name) for above, _, names in os.walk(directory) for name in names)


def _delete_old(paths: Iterable[Path], older_than_s: float) -> None:
    oldest = time.time() - older_than_s
    for path in paths:
        with suppress(FileNotFoundError):  # somebody finished or deleted it just now
            if path.stat().st_mtime < oldest:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _write_durably(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file, of which much goes to the disk while the rest is written."""
    with (
        os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
        ThreadPoolExecutor(1, "disk") as disk,
    ):
        syncing: Future[None] | None = None
        behind = 0
        for part in parts:
            file.write(part)
            behind += len(part)
            if behind >= _SYNCED_AT_ONCE and (syncing is None or syncing.done()):
                if syncing is not None:
                    syncing.result()
                syncing, behind = disk.submit(os.fdatasync, file.fileno()), 0
        if syncing is not None:
            syncing.result()
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    """Wait until a file is on the disk, or a directory with its names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
