"""Files that the platform itself puts into buckets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from freehold import ids
from freehold.db.pool import Queries, Record
from freehold.errors import ResourceLocked
from freehold.providers.blobs import new_folder, new_place
from freehold.services.storage import store
from freehold.services.storage.contents import Stored, store_draft
from freehold.services.storage.errors import FileTooLarge
from freehold.services.storage.parts import PART_BYTES
from freehold.services.storage.uploads import record
from freehold.web.call import Call


async def exports_bucket(call: Call) -> Record:
    """The project's bucket of exports, made when it is first needed.

    Its id is `exports`, or one that is drawn where somebody else's bucket is called so: what is exported
    must not come under permissions that were meant for other files.
    """
    most = call.app.settings.file_limit
    for bucket_id in ("exports", ids.new_id()):
        found = await store.find_exports(call.db, call.project.id)
        if found is None:
            found = await store.create_exports(call.db, call.project.id, bucket_id, new_folder(), most)
        if found is not None:
            return found
    raise ResourceLocked()


class Draft:
    """Contents on their way into a bucket."""

    def __init__(self, call: Call, bucket: Record) -> None:
        self._app = call.app
        self._bucket = bucket
        self._limit: int = bucket["maximum_file_size"]
        self.place = new_place(bucket["folder"])
        self.size = 0

    async def write(self, parts: AsyncIterator[bytes], *, name: str) -> Stored:
        """Write it all, piece by piece. Raises FileTooLarge. What fails leaves nothing."""
        async with self.kept_or_deleted():
            pending = bytearray()
            async for part in parts:
                pending += part
                if len(pending) >= PART_BYTES:
                    await self._put(pending)
            await self._put(pending)
            stored = await store_draft(self._app, self._bucket, self.place, name=name, size=self.size)
            await asyncio.to_thread(self._app.blobs.drop_draft, self.place)
            return stored

    @asynccontextmanager
    async def kept_or_deleted(self) -> AsyncIterator[None]:
        """Delete the contents when what happens here fails."""
        try:
            yield
        except BaseException:
            await asyncio.to_thread(self._app.blobs.delete, self.place)
            raise

    async def _put(self, pending: bytearray) -> None:
        if self.size + len(pending) > self._limit:
            raise FileTooLarge(size=self.size + len(pending), limit=self._limit)
        await asyncio.to_thread(self._app.blobs.write, self.place, self.size, memoryview(bytes(pending)))
        self.size += len(pending)
        pending.clear()


async def keep(call: Call, db: Queries, bucket: Record, draft: Draft, stored: Stored, *, name: str) -> Record:
    """Let a draft that was written become a file, with its event."""
    file_id = ids.new_id()
    await store.begin_file(
        db,
        call.project.id,
        bucket["id"],
        file_id,
        name=name,
        folder="",
        permissions=[],
        size=stored.size,
        part_count=1,
        uploader=call.identity.actor,
        place=draft.place,
    )
    file = await store.finish_file(db, draft.place, stored)
    await record(call, db, file, "create")
    return file
