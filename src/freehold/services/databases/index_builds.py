"""Indexes of tables that have rows, built beside the traffic: nobody who reads or writes waits for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from freehold.db import ddl
from freehold.db.ddl import StepFailed, qualified
from freehold.db.pool import Record, connect
from freehold.schema import compare
from freehold.schema.model import Entity, Schema
from freehold.services.databases import changes, obstacles
from freehold.web.call import Call


async def build(call: Call, record: Record, old: Entity, new: Entity) -> None:
    """Give a table the indexes that its entity has become to have. Raises IndexInvalid.

    On a table with rows that is done on a connection of its own, outside of the call's transaction, which
    holds the table against other changes meanwhile. A build that fails leaves nothing behind.
    """
    relation = qualified(record["namespace"], old.table)
    if not await call.app.db.value(f"select exists (select from {relation})"):
        await changes.change(call, record, old, new)
        return
    before, after = changes.schemas([old], [new])
    steps = ddl.steps(compare(before, after), namespace=record["namespace"], online=True)
    # A plain statement: the result of a prepared one stays open, and its snapshot would be waited for.
    await call.db.script("savepoint before_build")
    async with _own_connection(call) as connection:
        try:
            await ddl.apply(connection, steps, one_by_one=True)
        except StepFailed as failure:
            raise await _told(call, record, before, after, failure) from failure
    await changes.keep(call, record, [new])


async def _told(
    call: Call, record: Record, before: Schema, after: Schema, failure: StepFailed
) -> BaseException:
    error = failure.__cause__
    if isinstance(error, obstacles.REFUSALS):
        return await obstacles.told(call.app.db, record["namespace"], before, after, error)
    return error if error is not None else failure


@asynccontextmanager
async def _own_connection(call: Call) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(call.app.settings.database_url, name="freehold index")
    try:
        yield connection
    finally:
        await connection.close(timeout=5)
