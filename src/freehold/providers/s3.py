"""Contents of files as objects of a bucket, in any store that speaks S3."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from freehold.config import Settings
from freehold.providers.blobs import Blobs, Source, StoreUnreachable, as_file, checked_folder, parts_of
from freehold.providers.frames import Stored

TIMEOUT_S = 60
CONNECT_TIMEOUT_S = 5
RETRIED_FOR_S = 10
_PART_BYTES = 8 << 20
"""What a large object is cut into on its way there; S3 takes no less than 5 MiB, and 10,000 of them."""
_AT_ONCE = 4
_LISTED_AT_ONCE = 500
_AHEAD_BYTES = 4 << 20


@contextmanager
def _reached() -> Iterator[None]:
    """What goes wrong in the store, as an error of ours; that nothing is there, too."""
    try:
        yield
    except (BaseError, FileNotFoundError) as error:
        raise StoreUnreachable(type(error).__name__) from error
    except OSError as error:
        if error.errno is not None:  # of the disk, which what is sent may lie on
            raise
        raise StoreUnreachable("an object could not be written") from error


@contextmanager
def _found() -> Iterator[None]:
    """The same, but for what is not there: that is not found."""
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise FileNotFoundError() from None
    except BaseError as error:
        raise StoreUnreachable(type(error).__name__) from error


class S3Files(Blobs):
    """What is whole lies below `whole/`, and parts of what is not below `incoming/`.

    Bodies on their way, and previews, lie on the machine that has to do with them.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.data / "files")
        self._store = S3Store(
            settings.s3_bucket,
            config={
                "region": settings.s3_region,
                **({"endpoint": settings.s3_endpoint} if settings.s3_endpoint else {}),
                **(
                    {
                        "access_key_id": settings.s3_access_key,
                        "secret_access_key": settings.s3_secret_key,
                    }
                    if settings.s3_access_key
                    else {}
                ),
            },
            client_options={
                "allow_http": settings.s3_endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT_S),
                "timeout": timedelta(seconds=TIMEOUT_S),
            },
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=RETRIED_FOR_S)},
        )

    def write(self, place: str, offset: int, source: Source) -> None:
        with _reached():
            obstore.put(self._store, _part(place, offset), as_file(source).read(), use_multipart=False)

    def draft(self, place: str) -> Iterator[bytes]:
        for path in sorted(self._paths(f"incoming/{place}/")):
            with _reached():
                contents = bytes(obstore.get(self._store, path).bytes())
            yield contents

    def has_draft(self, place: str) -> bool:
        return next(self._paths(f"incoming/{place}/"), None) is not None

    def keep(self, place: str, parts: Iterable[bytes] | None) -> None:
        path = _whole(place)
        # It is one object in the end, or none; closing it even when its parts fail leaves no dead upload.
        try:
            with (
                _reached(),
                obstore.open_writer(
                    self._store, path, buffer_size=_PART_BYTES, max_concurrency=_AT_ONCE
                ) as going,
            ):
                for part in self.draft(place) if parts is None else parts:
                    going.write(part)
        except BaseException:
            with suppress(StoreUnreachable), _reached():
                obstore.delete(self._store, path)
            raise

    def drop_draft(self, place: str) -> None:
        self._delete_below(f"incoming/{place}/")

    def drop_whole(self, place: str) -> None:
        with suppress(FileNotFoundError), _found():
            obstore.delete(self._store, _whole(place))

    def open(self, place: str) -> Stored:
        with _found():
            size = obstore.head(self._store, _whole(place))["size"]
        return _Object(self._store, _whole(place), size)

    def delete(self, place: str) -> None:
        self.drop_whole(place)
        self.drop_draft(place)
        folder, key = parts_of(place)
        self._forget_previews_of(f"{folder}/{key}")

    def delete_folder(self, folder: str) -> None:
        checked_folder(folder)
        for kind in ("whole", "incoming"):
            self._delete_below(f"{kind}/{folder}/")
        self._forget_previews_of(folder)

    def forget_unfinished(self, older_than_s: float, alive: Container[str]) -> None:
        super().forget_unfinished(older_than_s, alive)
        oldest = datetime.now(UTC) - timedelta(seconds=older_than_s)
        self._delete(
            path
            for path in self._paths("incoming/", older_than=oldest)
            if path.removeprefix("incoming/").rpartition("/")[0] not in alive
        )

    def places(self, older_than_s: float | None = None) -> Iterator[str]:
        oldest = None if older_than_s is None else datetime.now(UTC) - timedelta(seconds=older_than_s)
        for path in self._paths("whole/", older_than=oldest):
            yield path.removeprefix("whole/")

    def _delete_below(self, prefix: str) -> None:
        self._delete(self._paths(prefix))

    def _delete(self, found: Iterable[str]) -> None:
        paths = list(found)
        for start in range(0, len(paths), _LISTED_AT_ONCE):
            with suppress(FileNotFoundError), _found():
                obstore.delete(self._store, paths[start : start + _LISTED_AT_ONCE])

    def _paths(self, prefix: str, *, older_than: datetime | None = None) -> Iterator[str]:
        with _reached():
            for found in obstore.list(self._store, prefix, chunk_size=_LISTED_AT_ONCE):
                for each in found:
                    if older_than is None or each["last_modified"] < older_than:
                        yield each["path"]


class _Object:
    """An object that is read from anywhere."""

    def __init__(self, store: S3Store, path: str, size: int) -> None:
        self._store = store
        self._path = path
        self._size = size
        self._begin = 0
        self._ahead = b""
        """What was fetched last, from `_begin` on."""

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self._size)
        fetched_to = self._begin + len(self._ahead)
        if not (self._begin <= offset and end <= fetched_to):
            # Who goes on where it left off is going to read all of it.
            goes_on = self._begin < offset <= fetched_to
            fetch_to = min(max(end, offset + _AHEAD_BYTES), self._size) if goes_on else end
            with _reached():
                self._ahead = bytes(obstore.get_range(self._store, self._path, start=offset, end=fetch_to))
            self._begin = offset
        return self._ahead[offset - self._begin : end - self._begin]

    def close(self) -> None:
        """There is nothing to let go of."""


def _whole(place: str) -> str:
    parts_of(place)
    return f"whole/{place}"


def _part(place: str, offset: int) -> str:
    parts_of(place)
    return f"incoming/{place}/{offset:016d}"
