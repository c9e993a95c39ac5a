"""Buckets of files: uploaded in parts, kept apart by permissions, sent whole or by range."""

from freehold.services.storage import cleanup, usage
from freehold.services.storage.access import readers
from freehold.services.storage.contents import opened
from freehold.services.storage.errors import BucketNotFound, FileNotFound, FileTooLarge
from freehold.services.storage.kept import Draft, exports_bucket, keep
from freehold.services.storage.move import Moving, NotMoved, Where, move
from freehold.services.storage.names import checked_name, type_of
from freehold.services.storage.rewrap import Rewrapped, rewrap
from freehold.services.storage.routes import routes, token_routes
from freehold.services.storage.store import count_all, find_bucket, find_file
from freehold.services.storage.tokens import push_secret

KINDS = (*cleanup.KINDS, *usage.KINDS)

__all__ = [
    "KINDS",
    "BucketNotFound",
    "Draft",
    "FileNotFound",
    "FileTooLarge",
    "Moving",
    "NotMoved",
    "Rewrapped",
    "Where",
    "checked_name",
    "count_all",
    "exports_bucket",
    "find_bucket",
    "find_file",
    "keep",
    "move",
    "opened",
    "push_secret",
    "readers",
    "rewrap",
    "routes",
    "token_routes",
    "type_of",
]
