"""Transactions and what is staged in them, as they are stored."""

from __future__ import annotations

from typing import Any

import msgspec

from freehold.db.pool import Queries, Record


async def create(db: Queries, project_id: str, transaction_id: str, owner: str, ttl_s: int) -> Record:
    record = await db.row(
        """
        insert into freehold.transactions (project_id, id, owner, expires_at)
        values ($1, $2, $3, now() + make_interval(secs => $4))
        returning *
        """,
        project_id, transaction_id, owner, ttl_s,
    )  # fmt: skip
    assert record is not None
    return record


async def find(db: Queries, project_id: str, transaction_id: str, owner: str) -> Record | None:
    """The owner's transaction, with the present moment as `now`."""
    return await db.row(_FIND, project_id, transaction_id, owner)


async def lock(db: Queries, project_id: str, transaction_id: str, owner: str) -> Record | None:
    """The same, kept from being changed by anybody else until the database's transaction ends."""
    return await db.row(_FIND + "for update", project_id, transaction_id, owner)


_FIND = """
    select *, now() as now from freehold.transactions where project_id = $1 and id = $2 and owner = $3
"""


async def delete(db: Queries, project_id: str, transaction_id: str, owner: str) -> Record | None:
    return await db.row(
        "delete from freehold.transactions where project_id = $1 and id = $2 and owner = $3 returning *",
        project_id, transaction_id, owner,
    )  # fmt: skip


async def end(db: Queries, project_id: str, transaction_id: str, owner: str, status: str) -> Record | None:
    """Let a pending transaction end as committed, rolled back or failed, and forget its operations."""
    return await db.row(
        """
        with ended as (
            update freehold.transactions set status = $4, updated_at = now()
            where project_id = $1 and id = $2 and owner = $3 and status = 'pending' and expires_at > now()
            returning *
        ),
        forgotten as (
            delete from freehold.transaction_operations o using ended
            where o.project_id = ended.project_id and o.transaction_id = ended.id
        )
        select * from ended
        """,
        project_id, transaction_id, owner, status,
    )  # fmt: skip


async def operations(db: Queries, project_id: str, transaction_id: str) -> list[Record]:
    """What was staged, in order."""
    return await db.rows(
        """
        select operation, staged_at, tenant, hit, seen from freehold.transaction_operations
        where project_id = $1 and transaction_id = $2 order by position
        """,
        project_id, transaction_id,
    )  # fmt: skip


async def append(
    db: Queries, project_id: str, transaction_id: str, staged: list[dict[str, Any]], size: int
) -> Record:
    """Stage operations behind those that there are; `size` is how many bytes they have."""
    record = await db.row(
        """
        with grown as (
            update freehold.transactions
            set operations = operations + $3, bytes = bytes + $4, updated_at = now()
            where project_id = $1 and id = $2
            returning *
        ),
        appended as (
            insert into freehold.transaction_operations
                (project_id, transaction_id, position, operation, staged_at, tenant, hit, seen)
            select grown.project_id, grown.id, grown.operations - $3 + added.at, added.operation,
                   now(), added.tenant, added.hit, added.seen
            from grown, jsonb_to_recordset($5)
                as added(at int, operation jsonb, tenant text, hit text[], seen jsonb)
        )
        select * from grown
        """,
        project_id, transaction_id, len(staged), size, msgspec.json.encode(staged),
    )  # fmt: skip
    assert record is not None
    return record
