"""Lists of rows that are kept for as long as their callers let them be stale."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

import msgspec

from freehold.services.databases.tables import Reach, Table, database_tag, named_tenant
from freehold.web import formats
from freehold.web.cache import Stamps
from freehold.web.call import Call


def lists_tag(project_id: str, database_id: str, table_id: str) -> str:
    """The cache tag of the lists of a table's rows."""
    return f"lists:{project_id}:{database_id}:{table_id}"


async def remembered(
    call: Call,
    table: Table,
    reached: Reach,
    queries: list[str],
    find: Callable[[], Awaitable[bytes]],
    *,
    counted: bool,
    ttl_s: int,
) -> bytes:
    """The answer to the queries, of at most so many seconds ago; X-Appwrite-Cache says whether it is new.

    Callers share an answer only when whatever decides about it is the same: their roles, the rows and columns
    in their reach, and the table as it is now.
    """
    identity, scope = call.identity, reached.scope
    parts = (
        call.project.realm,
        table.database_id,
        table.id,
        table.made_at,
        table.vocabulary.rows,
        reached.rows.relation,
        identity.privileged,
        sorted(identity.roles),
        scope.asks,
        str(scope.tenant),
        named_tenant(call),  # whose rows may be related to these
        scope.grants,
        scope.user_id,
        counted,
        queries,
        formats.expects_related(call.request),
        _state_of_others(call, table) if table.relations else 0,
    )
    key = hashlib.sha256(msgspec.json.encode(parts)).digest()
    tag = lists_tag(call.project.id, table.database_id, table.id)
    answer, was_there = await call.app.answers.load(key, tag, ttl_s, find)
    call.headers.append((b"x-appwrite-cache", b"hit" if was_there else b"miss"))
    return answer


def _state_of_others(call: Call, table: Table) -> int:
    """When the database's tables last changed: related rows are shown as their own tables allow now."""
    tag = database_tag(call.project.id, table.database_id)
    changed_at: int = call.app.stamps.values[Stamps.slot(tag)]
    return changed_at
