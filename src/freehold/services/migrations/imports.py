"""Imports: rows of a file become rows of a table, a thousand at a time, each thousand or none of it.

What a batch has written and how far the import has come are one transaction, so that one which was broken
off goes on where it stopped, and writes nothing twice.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

import msgspec

from freehold.db.pool import Record, Transaction
from freehold.db.rows import Column
from freehold.errors import Problem, ResourceLocked, Unavailable
from freehold.schema.values import Misfit
from freehold.services import storage
from freehold.services.databases import nested_rows, tables, transfer
from freehold.services.databases.tables import Table
from freehold.services.migrations import store
from freehold.services.migrations.files import Batch, Row, batches, read_csv, read_json
from freehold.services.storage import FileNotFound
from freehold.web.call import Call
from freehold.web.wire import Object

MAX_LEFT_OUT = 100
"""After so many batches with bad rows an import stops: the file is not what was meant."""

_READERS: dict[str, Callable[[BinaryIO, Mapping[str, Column]], Iterator[Row]]] = {
    "csv": read_csv,
    "json": read_json,
}
_BAD = (Problem, Misfit, RecursionError, OverflowError, UnicodeEncodeError)
"""What a row is refused with."""

Ranges = list[tuple[int, int]]


class Superseded(Exception):
    """The import was deleted, or somebody else goes on with it."""


class Outcome(NamedTuple):
    """What has become of a batch."""

    written: int = 0
    skipped: int = 0
    errors: tuple[str, ...] = ()
    """One for each bad row."""


async def import_rows(call: Call, row: Record) -> None:
    """Import what is still to be imported. Raises what the whole import is refused with."""
    options = msgspec.json.decode(row["options"])
    file = await storage.find_file(call.app.db, call.project.id, options["bucketId"], options["fileId"])
    if file is None:
        raise FileNotFound(id=options["fileId"])
    table = await tables.find(call, row["database_id"], row["table_id"])
    contents = io.BufferedReader(await storage.opened(call.app, file))
    try:
        running = _Import(call, row, options["onDuplicate"])
        rows = _READERS[row["format"]](contents, table.rows.columns)
        pending = batches(rows, running.position, running.todo)
        while (batch := await asyncio.to_thread(next, pending, None)) is not None:
            await running.take(batch)
            if len(running.left_out) >= MAX_LEFT_OUT:
                await running.finish(f"Stopped after {MAX_LEFT_OUT} batches with bad rows.")
                return
        await running.finish()
    except Superseded:
        return
    finally:
        contents.close()


class _Import:
    """An import as it goes."""

    def __init__(self, call: Call, row: Record, on_duplicate: str) -> None:
        self._call = call
        self._row = row
        self._on_duplicate = on_duplicate
        self._step: int = row["step"]
        self.position: int = row["position"]
        self.todo = msgspec.json.decode(row["todo"], type=Ranges)
        self.left_out = msgspec.json.decode(row["left_out"], type=Ranges)

    async def take(self, batch: Batch) -> None:
        """Write a batch, or leave it out and say why."""
        table = await tables.find(self._call, self._row["database_id"], self._row["table_id"])
        rows, errors = _read(batch)
        if not errors:
            try:
                await self._write(table, batch, rows)
                return
            except (Unavailable, ResourceLocked):
                raise
            except _BAD as refusal:
                errors = await self._errors(table, batch, rows)
                if not errors:  # somebody else wrote what was in the way, and it is not any more
                    raise ResourceLocked() from refusal
        async with self._call.app.db.transaction() as db:
            await self._advance(db, batch, Outcome(errors=tuple(errors)))

    async def _write(self, table: Table, batch: Batch, rows: list[Object]) -> None:
        call = self._call
        async with call.app.db.transaction() as db:
            call.db = db
            try:
                written, skipped = await self._save(table, rows)
            finally:
                call.db = call.app.db
            await self._advance(db, batch, Outcome(written, skipped))

    async def _save(self, table: Table, rows: list[Object]) -> tuple[int, int]:
        """Make rows, or change those that are there. How many, and how many were skipped."""
        if self._on_duplicate == "overwrite":
            await nested_rows.upsert_many(self._call, table, rows)
            return len(rows), 0
        fresh = await self._without_known(table, rows) if self._on_duplicate == "skip" else rows
        if fresh:
            await nested_rows.create_many(self._call, table, fresh)
        return len(fresh), len(rows) - len(fresh)

    async def _without_known(self, table: Table, rows: list[Object]) -> list[Object]:
        ids = [row["$id"] for row in rows if isinstance(row.get("$id"), str)]
        seen = await transfer.known_ids(self._call, table, ids)
        fresh = []
        for row in rows:
            row_id = row.get("$id")
            if not isinstance(row_id, str):
                fresh.append(row)
            elif row_id not in seen:
                fresh.append(row)
                seen.add(row_id)
        return fresh

    async def _errors(self, table: Table, batch: Batch, rows: list[Object]) -> list[str]:
        """Find the bad rows of a batch that was refused, by trying them one by one. Nothing of it stays."""
        call = self._call
        errors = []
        transaction = call.app.db.transaction()
        call.db = transaction
        try:
            for row, data in zip(batch.rows, rows, strict=True):
                refusal = await self._try(transaction, table, data)
                if refusal:
                    errors.append(f"{row.place}: {refusal}")
        finally:
            call.db = call.app.db
            await transaction.rollback()
        return errors

    async def _try(self, transaction: Transaction, table: Table, data: Object) -> str:
        await transaction.script("savepoint one_row")
        try:
            await self._save(table, [data])
        except (Unavailable, ResourceLocked):
            raise
        except _BAD as refusal:
            await transaction.script("rollback to savepoint one_row; release savepoint one_row")
            return _told(refusal)
        await transaction.script("release savepoint one_row")
        return ""

    async def _advance(self, db: Any, batch: Batch, outcome: Outcome) -> None:
        """Note what has become of a batch, in the transaction in which it did. Raises Superseded."""
        span = (batch.first, batch.end)
        todo = [each for each in self.todo if each != span] if batch.is_retry else self.todo
        left_out = [*self.left_out, span] if outcome.errors else self.left_out
        position = self.position if batch.is_retry else batch.end
        bad = len(outcome.errors)
        went_on = await store.advance(
            db,
            self._call.project.id,
            self._row["id"],
            self._step,
            position=position,
            todo=todo,
            left_out=left_out,
            written=outcome.written,
            skipped=outcome.skipped,
            bad=bad,
            waiting=len(batch.rows) - bad if bad else 0,
            errors=outcome.errors[: store.MAX_ERRORS],
        )
        if not went_on:
            raise Superseded()
        self._step += 1
        self.position, self.todo, self.left_out = position, todo, left_out

    async def finish(self, error: str = "") -> None:
        """Say that it has ended: well when nothing was left out."""
        failed = error or self.left_out or self.todo
        status = "failed" if failed else "completed"
        await store.finish(
            self._call.app.db, self._call.project.id, self._row["id"], self._step, status, error=error
        )


def _read(batch: Batch) -> tuple[list[Object], list[str]]:
    """The values of a batch's rows, and what is wrong with those that cannot be read."""
    rows: list[Object] = []
    errors: list[str] = []
    for row in batch.rows:
        try:
            rows.append(row.read())
        except Misfit as misfit:
            errors.append(f"{row.place}: {misfit.message}.")
    return rows, errors


def _told(refusal: Exception) -> str:
    if isinstance(refusal, Problem):
        # It was tried alone, so that it is the first of its rows says nothing.
        told = refusal.message.removeprefix("rows[0]: ").removeprefix("rows[0].")
        return told.removeprefix("Invalid row structure: ")
    if isinstance(refusal, RecursionError):
        return "it is nested too deeply."
    return "it has a value that cannot be kept."
