"""The embedded PostgreSQL: made once in a directory of ours, started, watched and stopped with us."""

from freehold.db.embedded.cluster import ROLE, SUPERUSER
from freehold.db.embedded.errors import EmbeddedError
from freehold.db.embedded.server import EmbeddedPostgres, dsn_of_running

__all__ = ["ROLE", "SUPERUSER", "EmbeddedError", "EmbeddedPostgres", "dsn_of_running"]
