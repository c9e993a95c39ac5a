"""From an error to what its caller is told."""

from __future__ import annotations

import errno

import asyncpg
import structlog

from freehold.db.ddl.spelling import NullCharacter
from freehold.errors import (
    DatabaseTimeout,
    DiskFull,
    FilesUnavailable,
    InvalidBody,
    Problem,
    ResourceLocked,
    ServerError,
    Unavailable,
)
from freehold.providers.blobs import StoreUnreachable
from freehold.web.request import Request

_log = structlog.get_logger("freehold.web")


def problem_of(error: Exception, request: Request) -> Problem:
    """What to tell the caller of an error. What nobody foresaw is logged, and why the database is away."""
    match error:
        case Unavailable():
            cause = error.__cause__
            _log.warning("unavailable", request_id=request.id, cause=f"{type(cause).__name__}: {cause}"[:200])
            return error
        case Problem():
            return error
        case asyncpg.QueryCanceledError():
            return DatabaseTimeout()
        case asyncpg.CharacterNotInRepertoireError() | asyncpg.UntranslatableCharacterError():
            return InvalidBody(reason=_NULL_CHARACTER)
        case NullCharacter():
            return InvalidBody(reason=_NULL_CHARACTER)
        case asyncpg.LockNotAvailableError() | asyncpg.DeadlockDetectedError():
            return ResourceLocked()
        case asyncpg.ForeignKeyViolationError():
            _log.warning("deleted_meanwhile", request_id=request.id, constraint=error.constraint_name)
            return ResourceLocked()
        case StoreUnreachable():
            _log.warning("store_unreachable", request_id=request.id, says=str(error))
            return FilesUnavailable()
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EFBIG):
            _log.error("disk_full", request_id=request.id, errno=error.errno)
            return DiskFull()
        case asyncpg.DiskFullError():
            _log.error("database_disk_full", request_id=request.id, says=str(error))
            return DiskFull()
        case asyncpg.TooManyConnectionsError() | asyncpg.CannotConnectNowError():
            return Unavailable()
    _log.error(
        "A request failed.", request_id=request.id, method=request.method, path=request.path, exc_info=error
    )
    return ServerError()


_NULL_CHARACTER = "texts cannot hold the character U+0000."
