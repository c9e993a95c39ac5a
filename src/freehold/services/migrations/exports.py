"""Exports: rows of a table, as they are at one moment, become a file in the bucket of exports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec

from freehold.db.pool import Record
from freehold.services import storage
from freehold.services.databases import tables, transfer
from freehold.services.databases.tables import Table
from freehold.services.databases.transfer import Selection
from freehold.services.migrations import store
from freehold.services.migrations.cells import SYSTEM
from freehold.services.migrations.files import CsvWriter, JsonWriter, Writer
from freehold.web.call import Call
from freehold.web.wire import Object

_NOTED_EACH_ROWS = 10_000


class Superseded(Exception):
    """The export was deleted, or somebody else does it."""


async def export(call: Call, row: Record) -> None:
    """Write the file, and say where it is. Raises what the export is refused with."""
    options = msgspec.json.decode(row["options"])
    table = await tables.find(call, row["database_id"], row["table_id"])
    selection = transfer.select(call, table, options["columns"], options["queries"])
    writer = _writer(row["format"], table, options)
    bucket = await storage.exports_bucket(call)
    draft = storage.Draft(call, bucket)
    try:
        stored = await draft.write(_parts(call, row, selection, writer), name=options["filename"])
        async with draft.kept_or_deleted(), call.app.db.transaction() as db:
            file = await storage.keep(call, db, bucket, draft, stored, name=options["filename"])
            where = {"bucketId": bucket["id"], "fileId": file["id"], "size": stored.size}
            if not await store.finish(
                db, call.project.id, row["id"], row["step"], "completed", options=where
            ):
                raise Superseded()
    except Superseded:
        return


async def _parts(call: Call, row: Record, selection: Selection, writer: Writer) -> AsyncIterator[bytes]:
    count = noted = 0
    async with aclosing(transfer.pages(call, selection)) as pages:
        async for page in pages:
            yield writer.rows(page)
            count += len(page)
            if count - noted >= _NOTED_EACH_ROWS:
                noted = count
                await _note(call, row, count)
    yield writer.end()
    await _note(call, row, count)


async def _note(call: Call, row: Record, count: int) -> None:
    if not await store.count_exported(call.app.db, call.project.id, row["id"], row["step"], count):
        raise Superseded()


def _writer(format: str, table: Table, options: Object) -> Writer:  # noqa: A002
    names = [*SYSTEM[:2], *table.rows.columns, *SYSTEM[2:]]
    if options["columns"] and "*" not in options["columns"]:
        names = list(dict.fromkeys(options["columns"]))
    if format == "json":
        return JsonWriter(names)
    kinds = {key: column.field.type.kind for key, column in table.rows.columns.items()}
    return CsvWriter(
        names,
        kinds,
        delimiter=options["delimiter"],
        enclosure=options["enclosure"],
        escape=options["escape"],
        header=options["header"],
    )
