"""From an API key to the caller: the tenant, the roles and the scopes that the key was issued with.

Keys are `ak_<dev or prod>_<id>_<secret>`. The table has a hash of the whole key, so that reading it lets nobody in.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from pydantic import TypeAdapter

from app.core.access import Principal, unauthenticated
from app.core.db import Database
from app.core.errors import Problem
from app.permissions import ROLES, TenantId

HEADER = "X-API-Key"
SPELLING = re.compile(r"ak_(?:dev|prod)_([a-z0-9]{10})_[A-Za-z0-9]{32}")


def digest(key: str) -> str:
    """What is kept of a key. Its secret is random, so that nothing slower than a hash is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


async def principal(database: Database, key: str) -> Principal:
    """The key's principal. It is read with every request: a key that is revoked is refused from then on."""
    spelled = SPELLING.fullmatch(key)
    if spelled is None:
        raise refused()
    key_id = spelled[1]
    async with database.tx(Principal()) as tx:
        row = await tx.one(
            """
            select hash, tenant, roles, scopes,
                   last_used_at is null or last_used_at < now() - interval '1 minute' as is_seldom
            from api_key
            where id = $1 and revoked_at is null and (expires_at is null or expires_at > now())
            """,
            key_id,
        )
        if row is None or not hmac.compare_digest(row["hash"], digest(key)):
            raise refused()
        if row["is_seldom"]:
            await tx.execute(
                """
                update api_key set last_used_at = now()
                where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')
                """,
                key_id,
            )
    roles = {role for role in row["roles"] if role in (*ROLES, "service")}
    return Principal(
        kind="api_key",
        tenant_id=TypeAdapter(TenantId).validate_python(row["tenant"]) if row["tenant"] else None,
        roles=frozenset({"public", "authenticated", *roles}),
        key_id=f"ak_{key_id}",
        scopes=frozenset(row["scopes"]),
    )


def refused() -> Problem:
    return unauthenticated("The API key is not valid, has expired, or was revoked.")
