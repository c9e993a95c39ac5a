"""Idempotency keys: a request that comes twice has one effect, and the same answer both times.

The key is a row in the transaction of the write itself. A second request waits on it until the first has committed,
and a write that fails leaves no key behind.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable

from fastapi import Request, Response

from app.core.db import Tx
from app.core.errors import Problem, invalid_parameter

HEADER = "Idempotency-Key"
SWEEP_ONE_IN = 100


async def once(request: Request, tx: Tx, work: Callable[[], Awaitable[Response]]) -> Response:
    """The answer of the work; of a request with a key that was here before, the answer that it got."""
    key = request.headers.get(HEADER)
    if key is None:
        return await work()
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise invalid_parameter(HEADER, "should have 1 to 255 characters")
    if tx.principal.kind == "anonymous":
        raise invalid_parameter(HEADER, "needs a credential, since a key belongs to its caller")
    owner = (str(tx.principal.tenant_id or ""), f"{tx.principal.kind}:{tx.actor or ''}", key)
    digest = hashlib.sha256(
        f"{request.method} {request.url.path}\n".encode() + await request.body()
    ).hexdigest()
    claimed = await tx.value(
        """
        insert into idempotency_key (tenant, principal, key, request_hash)
        values ($1, $2, $3, $4)
        on conflict (tenant, principal, key) do update
        set request_hash = excluded.request_hash, created_at = now()
        where idempotency_key.created_at < now() - interval '24 hours'
        returning 1
        """,
        *owner,
        digest,
    )
    if claimed is None:
        return await _replayed(tx, owner, digest)
    response = await work()
    await tx.execute(
        """
        update idempotency_key
        set status = $4, headers = $5, body = $6
        where tenant = $1 and principal = $2 and key = $3
        """,
        *owner,
        response.status_code,
        {name: value for name, value in response.headers.items() if name in ("etag", "location", "content-type")},
        bytes(response.body).decode(),
    )
    if secrets.randbelow(SWEEP_ONE_IN) == 0:
        await tx.execute(
            """
            delete from idempotency_key
            where ctid in (
                select ctid from idempotency_key
                where created_at < now() - interval '24 hours'
                limit 1000
                for update skip locked
            )
            """
        )
    return response


async def _replayed(tx: Tx, owner: tuple[str, str, str], digest: str) -> Response:
    row = await tx.one(
        """
        select request_hash, status, headers, body
        from idempotency_key
        where tenant = $1 and principal = $2 and key = $3
        """,
        *owner,
    )
    assert row is not None
    if row["request_hash"] != digest:
        raise Problem(422, "idempotency_key_reused", "The key was used for another request.")
    return Response(row["body"], row["status"], {**row["headers"], "Idempotency-Replayed": "true"})
