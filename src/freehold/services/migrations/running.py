"""The jobs of imports and exports: as whom they run, and how they end."""

from __future__ import annotations

import structlog

from freehold.access import permissions, roles
from freehold.db.pool import Record
from freehold.errors import Problem, ResourceLocked, Unavailable
from freehold.jobs import Context, Job, Kind
from freehold.services.migrations import store
from freehold.services.migrations.exports import export
from freehold.services.migrations.imports import import_rows
from freehold.services.migrations.routes import RUN, Run, routes
from freehold.web.application import Application
from freehold.web.cache import Stamps
from freehold.web.call import Call
from freehold.web.identity import Identity
from freehold.web.request import Request

MOST_ATTEMPTS = 8
TIMEOUT_S = 24 * 3600.0

log = structlog.get_logger("freehold.migrations")


async def run(context: Context, job: Job) -> None:
    """Do what was asked for, or go on with it. What cannot succeed is not tried again by itself."""
    migration_id = job.read(Run).migration_id
    row = await store.start(context.db, job.project_id, migration_id)
    if row is None:
        return  # deleted, or done by somebody else
    try:
        call = await _call_of(context, row)
        await (import_rows if row["direction"] == "import" else export)(call, row)
    except (Unavailable, ResourceLocked) as problem:
        if job.attempts >= MOST_ATTEMPTS:
            await store.fail(context.db, job.project_id, migration_id, problem.message)
        raise
    except Problem as problem:
        await store.fail(context.db, job.project_id, migration_id, problem.message)
    except Exception:
        if job.attempts >= MOST_ATTEMPTS:
            told = "It failed again and again on this server's side; its log says more. Try again later."
            await store.fail(context.db, job.project_id, migration_id, told)
        raise


async def _call_of(context: Context, row: Record) -> Call:
    """A call by whoever asked for it: rows are read and written as over the API."""
    app = Application(
        context.settings,
        [],
        stamps=Stamps(context.settings.data / "stamps"),
        pages=lambda path, origin: None,
        db=context.db,
    )
    headers = [(b"x-tenant-id", row["tenant"].encode())] if row["tenant"] else []
    request = Request(
        {"method": "POST", "path": "/v1/migrations", "client": None, "query_string": b"", "headers": headers},
        f"migration-{row['id']}",
    )
    project = await app.projects.find(row["project_id"])
    call = Call(app, request, project, await _identity(context, row["actor"]))
    call.endpoint = routes.endpoints[0]
    return call


async def _identity(context: Context, actor: str) -> Identity:
    """Whoever asked: a key, or an admin. Their scopes were looked at when they did."""
    kind, _, caller_id = actor.partition(":")
    held = roles.of_guest()
    asks_read = permissions.asks("read", held)
    if kind == "key":
        return Identity(kind="key", scopes=frozenset(), roles=held, asks_read=asks_read, key_id=caller_id)
    user = await store.find_admin(context.db, caller_id)
    return Identity(kind="admin", scopes=frozenset(), roles=held, asks_read=asks_read, user=user)


KINDS = (Kind(RUN, run, most_attempts=MOST_ATTEMPTS, timeout_s=TIMEOUT_S),)
