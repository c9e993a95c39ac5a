"""SQL of the health service."""

from __future__ import annotations

from freehold.db.pool import Queries


async def now(db: Queries) -> float:
    """The database's clock, in seconds since 1970."""
    seconds: float = await db.value("select extract(epoch from clock_timestamp())::float8")
    return seconds
