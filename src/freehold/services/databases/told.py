"""Rows as events tell of them: as the wire has them, where the outbox has them as their table does."""

from __future__ import annotations

import msgspec

from freehold.db.pool import Queries
from freehold.services.databases import store
from freehold.services.databases.tables import CHANGED, UNREADABLE, Table
from freehold.services.databases.vocabulary import TABLES

_TRIES = 3


async def row(
    db: Queries, secret: str, project_id: str, database_id: str, table_id: str, row_id: str, kept: msgspec.Raw
) -> bytes:
    """A row as JSON in both vocabularies, from what the outbox has `kept` of it.

    Columns that the table has got or lost since are as it has them now. Of a row whose table is gone, or that
    cannot be read, only the ids are told. `secret` is the installation's, for columns that are encrypted.
    """
    ids = {"$databaseId": database_id, "$tableId": table_id, "$collectionId": table_id}
    for _ in range(_TRIES):
        record = await store.find_table(db, project_id, database_id, table_id)
        if record is None:
            break
        rows = Table(record, TABLES, secret).rows
        try:
            [found] = await db.rows(
                f"select {rows.shape.select} from jsonb_populate_record(null::{rows.relation}, $1::jsonb)",
                kept,
            )
            return msgspec.json.encode(rows.shape.row(found) | ids)
        except CHANGED:
            continue  # changed since it was found
        except UNREADABLE:
            break
    return msgspec.json.encode({"$id": row_id, **ids})
