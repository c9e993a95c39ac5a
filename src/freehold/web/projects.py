"""Projects as requests need them: their settings, and the pages that may call them. Remembered."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

import msgspec

from freehold.db.pool import Queries
from freehold.errors import ProjectNotFound
from freehold.web.cache import Cache, Stamps
from freehold.web.hosts import is_loopback

CONSOLE = "console"
ORIGINS_TAG = "origins"
"""The cache tag of all platforms of all projects taken together."""


def project_tag(project_id: str) -> str:
    """The cache tag of a project: its row, its platforms and its keys."""
    return f"project:{project_id}"


class Project(msgspec.Struct, frozen=True):
    """A project as far as a request needs it."""

    id: str
    realm: str
    """Its id and when it was made: what was cached of a deleted project is not of a new one with its id."""
    team_id: str
    settings: dict[str, Any]
    hostnames: tuple[str, ...]
    """Of its web platforms; may hold wildcards."""
    schemes: frozenset[str]

    def has_host(self, host: str) -> bool:
        """Tell whether a host name is one of the project's web platforms."""
        return any(_host_matches(host, pattern) for pattern in self.hostnames)

    def allows_origin(self, origin: str) -> bool:
        """Tell whether a browser page from this origin may call."""
        try:
            parts = urlsplit(origin)
            host = parts.hostname or ""
        except ValueError:
            return False
        if parts.scheme in ("exp", f"appwrite-callback-{self.id}") or parts.scheme in self.schemes:
            return True
        if not host or parts.username is not None:
            return False
        return is_loopback(host) or self.has_host(host)


class Projects:
    """All projects, remembered as long as nothing about them changes."""

    def __init__(self, db: Queries, stamps: Stamps) -> None:
        self._db = db
        self._found: Cache[str, Project] = Cache(stamps, size=10_000, ttl_s=300)
        self._origins: Cache[str, Project] = Cache(stamps, size=1, ttl_s=300)

    async def find(self, project_id: str) -> Project:
        """Find a project. Raises ProjectNotFound."""
        project = self._found.get(project_id) or await self._found.load(
            project_id, project_tag(project_id), lambda: self._find(project_id)
        )
        if project is None:
            raise ProjectNotFound(id=project_id[:100])
        return project

    async def is_known_origin(self, origin: str) -> bool:
        """Tell whether pages from this origin may call some project."""
        anywhere = await self._origins.load("", ORIGINS_TAG, self._find_origins)
        return anywhere is not None and anywhere.allows_origin(origin)

    async def _find(self, project_id: str) -> Project | None:
        row = await self._db.row(_PROJECT_SQL, project_id)
        if row is None:
            return None
        return Project(
            id=row["id"],
            realm=f"{row['id']}:{row['created_at'].timestamp()}",
            team_id=row["team_id"],
            settings=msgspec.json.decode(row["settings"]),
            hostnames=tuple(row["hostnames"]),
            schemes=frozenset(row["schemes"]),
        )

    async def _find_origins(self) -> Project:
        rows = await self._db.rows("select distinct type, identifier from freehold.platforms")
        ids = await self._db.rows("select id from freehold.projects")
        return Project(
            id=CONSOLE,
            realm=CONSOLE,
            team_id="",
            settings={},
            hostnames=tuple(row["identifier"] for row in rows if row["type"] == "web"),
            schemes=frozenset(row["identifier"] for row in rows if row["type"] == "scheme")
            | {f"appwrite-callback-{row['id']}" for row in ids},
        )


_PROJECT_SQL = """
    select p.id, p.team_id, p.settings, p.created_at,
           array(select f.identifier from freehold.platforms f
                 where f.project_id = p.id and f.type = 'web') as hostnames,
           array(select f.identifier from freehold.platforms f
                 where f.project_id = p.id and f.type = 'scheme') as schemes
    from freehold.projects p
    where p.id = $1
"""


def _host_matches(host: str, pattern: str) -> bool:
    return host == pattern or ("*" in pattern and fnmatchcase(host, pattern.replace("[", "[[]")))
