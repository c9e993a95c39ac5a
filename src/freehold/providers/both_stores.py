"""The disk and a bucket beside each other: new contents go to one of them, and all are found in either.

So files can be moved from one to the other while the platform is at work. The disk is asked first, which
costs nothing. Of what lies in both, both are the same.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from contextlib import suppress

from freehold.config import Settings
from freehold.providers.blobs import Blobs, PlainFiles, Source, StoreUnreachable
from freehold.providers.frames import Stored
from freehold.providers.s3 import S3Files


class BothStores(Blobs):
    """Contents of an installation that names a bucket."""

    def __init__(self, settings: Settings) -> None:
        root = settings.data / "files"
        super().__init__(root)
        self.disk = PlainFiles(root)
        self.s3 = S3Files(settings)
        on_disk = settings.storage == "disk"
        self._new: Blobs = self.disk if on_disk else self.s3
        self._old: Blobs = self.s3 if on_disk else self.disk

    def prepare(self) -> None:
        self.disk.prepare()

    def write(self, place: str, offset: int, source: Source) -> None:
        self._of_draft(place).write(place, offset, source)

    def draft(self, place: str) -> Iterator[bytes]:
        return self._of_draft(place).draft(place)

    def has_draft(self, place: str) -> bool:
        return self.disk.has_draft(place) or self.s3.has_draft(place)

    def keep(self, place: str, parts: Iterable[bytes] | None) -> None:
        if parts is None and (store := self._of_draft(place)) is not self._new:
            parts = store.draft(place)
        # Somebody may have died here before the other became the one of new files.
        self._old.drop_whole(place)
        self._new.keep(place, parts)

    def drop_draft(self, place: str) -> None:
        self._of_draft(place).drop_draft(place)

    def drop_whole(self, place: str) -> None:
        for store in (self.disk, self.s3):
            store.drop_whole(place)

    def open(self, place: str) -> Stored:
        with suppress(FileNotFoundError):
            return self.disk.open(place)
        try:
            return _Followed(self.s3.open(place), self.disk, place)
        except FileNotFoundError:
            return self.disk.open(place)  # where it was moved to between the two looks

    def delete(self, place: str) -> None:
        for store in (self.disk, self.s3):
            store.delete(place)

    def delete_folder(self, folder: str) -> None:
        for store in (self.disk, self.s3):
            store.delete_folder(folder)

    def places(self, older_than_s: float | None = None) -> Iterator[str]:
        for store in (self.disk, self.s3):
            yield from store.places(older_than_s)

    def forget_unfinished(self, older_than_s: float, alive: Container[str]) -> None:
        self.s3.forget_unfinished(older_than_s, alive)  # and what lies on the disk while it comes

    def _of_draft(self, place: str) -> Blobs:
        """The store that a draft was begun in, whichever that of new ones is by now."""
        if self.disk.has_draft(place):
            return self.disk
        return self.s3 if self._new is self.s3 or self.s3.has_draft(place) else self.disk


class _Followed:
    """An object that is read on where it was moved to."""

    def __init__(self, stored: Stored, disk: PlainFiles, place: str) -> None:
        self._stored = stored
        self._disk = disk
        self._place = place

    def read(self, offset: int, length: int) -> bytes:
        try:
            return self._stored.read(offset, length)
        except StoreUnreachable as error:
            try:
                moved = self._disk.open(self._place)
            except FileNotFoundError:
                raise error from None
        self._stored = moved
        return moved.read(offset, length)

    def close(self) -> None:
        self._stored.close()
