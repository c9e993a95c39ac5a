"""What is deleted after the answer: contents that nothing refers to, dead uploads, forgotten previews."""

from __future__ import annotations

import asyncio
from itertools import islice

import msgspec

from freehold.jobs import Context, Job, Kind
from freehold.providers.blobs import of_installation
from freehold.services.storage import store
from freehold.services.storage.previews import KEPT_S

UNFINISHED_S = 24 * 3600.0
"""For so long an upload may wait for its next part."""

_SWEPT_AT_ONCE = 1000

DELETE_CONTENTS = "storage.delete"


class Contents(msgspec.Struct, frozen=True):
    """Contents that nothing refers to: some places, or all of some folders."""

    places: list[str] = []
    folders: list[str] = []


async def delete_contents(context: Context, job: Job) -> None:
    """Delete contents."""
    blobs = of_installation(context.settings)
    gone = job.read(Contents)
    for place in gone.places:
        await asyncio.to_thread(blobs.delete, place)
    for folder in gone.folders:
        await asyncio.to_thread(blobs.delete_folder, folder)


async def collect_dead_uploads(context: Context, job: Job) -> None:
    """Forget uploads that nobody goes on with, and delete what had come of them."""
    while len(await context.db.rows(_DEAD, UNFINISHED_S)) == 1000:
        pass
    alive = {each["place"] for each in await context.db.rows(_UNFINISHED)}
    blobs = of_installation(context.settings)
    await asyncio.to_thread(blobs.forget_unfinished, UNFINISHED_S, alive)
    await asyncio.to_thread(blobs.forget_previews, KEPT_S)


async def sweep(context: Context, job: Job) -> None:
    """Delete contents that nothing refers to: somebody died who had stored them, and before it noted so."""
    blobs = of_installation(context.settings)
    found = blobs.places(UNFINISHED_S)
    while batch := await asyncio.to_thread(lambda: list(islice(found, _SWEPT_AT_ONCE))):
        for place in await store.without_file(context.db, batch):
            await asyncio.to_thread(blobs.delete, place)


_DEAD = """
    delete from freehold.files where place in (
        select place from freehold.files
        where not whole and updated_at < now() - make_interval(secs => $1)
        limit 1000 for update skip locked
    ) returning 1
"""

_UNFINISHED = "select place from freehold.files where not whole"

KINDS = (
    Kind(DELETE_CONTENTS, delete_contents, most_attempts=20, timeout_s=3600),
    Kind("storage.collect", collect_dead_uploads, every_s=3600),
    Kind("storage.sweep", sweep, every_s=86400, timeout_s=6 * 3600),
)
