"""SQL of imports and exports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from freehold.db import listing
from freehold.db.listing import Found, Listing, moment, number, text
from freehold.db.pool import Queries, Record

MAX_ERRORS = 100

MIGRATIONS = Listing(
    columns="m.*",
    source="freehold.transfers m",
    id="m.id",
    created_at="m.created_at",
    attributes={
        "$id": text("m.id"),
        "$createdAt": moment("m.created_at"),
        "$updatedAt": moment("m.updated_at"),
        "status": text("m.status"),
        "stage": text("m.stage"),
        "source": text("case m.direction when 'import' then upper(m.format) else 'Appwrite' end"),
        "destination": text("case m.direction when 'export' then upper(m.format) else 'Appwrite' end"),
        "resourceId": text("m.table_id"),
        "parentResourceId": text("m.database_id"),
        "errors": number("m.bad"),
    },
    search=("m.id", "m.table_id"),
)


async def fetch(db: Queries, project_id: str, queries: Sequence[str], *, search: str, total: bool) -> Found:
    """List imports and exports."""
    where = {"m.project_id = {}": project_id}
    return await listing.fetch(db, MIGRATIONS, queries, where=where, search=search, total=total)


async def find(db: Queries, project_id: str, migration_id: str) -> Record | None:
    return await db.row(
        "select * from freehold.transfers where project_id = $1 and id = $2", project_id, migration_id
    )


async def create(
    db: Queries,
    project_id: str,
    migration_id: str,
    *,
    direction: str,
    format: str,  # noqa: A002
    database_id: str,
    table_id: str,
    options: dict[str, Any],
    actor: str,
    tenant: str,
) -> Record:
    """Write down what is asked for."""
    row = await db.row(
        """
        insert into freehold.transfers (project_id, id, direction, format, database_id, table_id, options,
                                         actor, tenant)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        returning *
        """,
        project_id, migration_id, direction, format, database_id, table_id,
        msgspec.json.encode(options), actor, tenant,
    )  # fmt: skip
    assert row is not None
    return row


async def begin_again(db: Queries, project_id: str, migration_id: str, actor: str) -> Record | None:
    """Let one that has failed be tried again: what was left out first, then on from where it stopped."""
    return await db.row(
        """
        update freehold.transfers
        set status = 'pending', stage = 'init', todo = todo || left_out, left_out = '[]', bad = 0,
            waiting = 0, errors = '{}', actor = $3, step = step + 1, updated_at = now()
        where project_id = $1 and id = $2 and status = 'failed'
        returning *
        """,
        project_id, migration_id, actor,
    )  # fmt: skip


async def delete(db: Queries, project_id: str, migration_id: str) -> Record | None:
    """Forget one. If it runs, it stops. Gives what it was."""
    return await db.row(
        "delete from freehold.transfers where project_id = $1 and id = $2 returning *",
        project_id, migration_id,
    )  # fmt: skip


async def start(db: Queries, project_id: str, migration_id: str) -> Record | None:
    """Say that it runs, and go on with it alone. None when there is nothing to go on with."""
    return await db.row(
        """
        update freehold.transfers
        set status = 'processing', stage = 'migrating', step = step + 1, updated_at = now()
        where project_id = $1 and id = $2 and status in ('pending', 'processing')
        returning *
        """,
        project_id, migration_id,
    )  # fmt: skip


async def advance(
    db: Queries,
    project_id: str,
    migration_id: str,
    step: int,
    *,
    position: int,
    todo: list[tuple[int, int]],
    left_out: list[tuple[int, int]],
    written: int = 0,
    skipped: int = 0,
    bad: int = 0,
    waiting: int = 0,
    errors: Sequence[str] = (),
) -> bool:
    """Note how far it has come. False when it was deleted, or somebody else goes on with it."""
    found = await db.row(
        """
        update freehold.transfers
        set position = $4, todo = $5, left_out = $6, written = written + $7, skipped = skipped + $8,
            bad = bad + $9, waiting = waiting + $10, errors = (errors || $11::text[])[:100],
            step = step + 1, updated_at = now()
        where project_id = $1 and id = $2 and step = $3
        returning 1
        """,
        project_id, migration_id, step, position, msgspec.json.encode(todo), msgspec.json.encode(left_out),
        written, skipped, bad, waiting, [_kept(each) for each in errors],
    )  # fmt: skip
    return found is not None


async def count_exported(db: Queries, project_id: str, migration_id: str, step: int, written: int) -> bool:
    """Note how many rows an export has written. False when it was deleted, or somebody else goes on."""
    found = await db.row(
        """
        update freehold.transfers set written = $4, updated_at = now()
        where project_id = $1 and id = $2 and step = $3
        returning 1
        """,
        project_id, migration_id, step, written,
    )  # fmt: skip
    return found is not None


async def finish(
    db: Queries,
    project_id: str,
    migration_id: str,
    step: int,
    status: str,
    *,
    error: str = "",
    options: dict[str, Any] | None = None,
) -> bool:
    """Say how it has ended. False when it was deleted, or somebody else goes on with it."""
    found = await db.row(
        """
        update freehold.transfers
        set status = $4, stage = 'finished', options = options || $6, updated_at = now(),
            errors = case when $5::text = '' then errors else array_append(errors, $5::text) end
        where project_id = $1 and id = $2 and step = $3
        returning 1
        """,
        project_id, migration_id, step, status, _kept(error), msgspec.json.encode(options or {}),
    )  # fmt: skip
    return found is not None


async def fail(db: Queries, project_id: str, migration_id: str, error: str) -> None:
    """Say that it has failed, whoever worked on it last."""
    await db.run(
        """
        update freehold.transfers
        set status = 'failed', stage = 'finished', errors = array_append(errors, $3::text),
            step = step + 1, updated_at = now()
        where project_id = $1 and id = $2 and status in ('pending', 'processing')
        """,
        project_id, migration_id, _kept(error),
    )  # fmt: skip


def _kept(error: str) -> str:
    """An error as it can be kept: what it quotes of a file may be anything."""
    return error.replace("\0", "")[:1000]


async def find_admin(db: Queries, user_id: str) -> Record | None:
    """The console user who asked; nobody when that user is gone by now."""
    return await db.row(
        "select id, name, email, labels from freehold.users where project_id = 'console' and id = $1", user_id
    )
