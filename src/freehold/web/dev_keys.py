"""Keys for development: who brings one may call from any page, and as often as it likes."""

from __future__ import annotations

import time
from datetime import datetime

from freehold import secrets
from freehold.db.pool import Queries
from freehold.web.cache import Cache, Stamps
from freehold.web.projects import Project, project_tag
from freehold.web.request import Request


class DevKeys:
    """All keys for development, remembered as long as nothing about their projects changes."""

    def __init__(self, db: Queries, stamps: Stamps) -> None:
        self._db = db
        self._expiries: Cache[tuple[str, str], float] = Cache(stamps, size=10_000, ttl_s=300)

    async def cover(self, request: Request, project: Project) -> bool:
        """Tell whether the request brings a key of the project that has not expired."""
        text = request.header(b"x-appwrite-dev-key")
        if not text:
            return False
        secret = text.removeprefix("dev_")

        async def find() -> float | None:
            row = await self._db.row(_KEY_SQL, project.id, secrets.digest(secret))
            if row is None:
                return None
            if row["unnoted"]:
                sdk = request.header(b"x-sdk-name").lower()[:64]
                await self._db.run(_KEY_ACCESS_SQL, project.id, row["id"], sdk)
            expires_at: datetime = row["expires_at"]
            return expires_at.timestamp()

        expires_at = await self._expiries.load((project.realm, secret), project_tag(project.id), find)
        return expires_at is not None and expires_at > time.time()


_KEY_SQL = """
    select id, expires_at, accessed_at is null or accessed_at < now() - interval '1 day' as unnoted
    from freehold.dev_keys
    where project_id = $1 and secret_digest = $2
"""
_KEY_ACCESS_SQL = """
    update freehold.dev_keys
    set accessed_at = now(),
        sdks = case when $3 = '' or $3 = any(sdks) then sdks else sdks || $3 end
    where project_id = $1 and id = $2
"""
