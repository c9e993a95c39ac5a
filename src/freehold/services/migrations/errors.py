"""What can go wrong with imports and exports."""

from __future__ import annotations

from freehold.errors import BadRequest, Conflict, NotFound


class MigrationNotFound(NotFound, type="migration_not_found"):
    """The migration `{id}` was not found."""


class MigrationInProgress(Conflict, type="migration_in_progress"):
    """The migration `{id}` is {status}. Only one that has failed can be tried again."""


class InternalFiles(BadRequest, type="general_feature_unsupported"):
    """Files are imported from buckets of the project. Upload the file there, and leave out `internalFile`."""


class TenantsTable(BadRequest, type="general_feature_unsupported"):
    """The rows of `{id}` are the tenants themselves, each within itself. Make them one by one."""


class Unreadable(BadRequest, type="migration_provider_error"):
    """The file cannot be read{where}: {reason}."""
