"""The platform's own jobs: deleting what has had its time, and what a deleted project leaves behind."""

from __future__ import annotations

import asyncio

import msgspec

from freehold.db.ddl import qualified, quote
from freehold.db.pool import Database
from freehold.jobs import Context, Job, Kind
from freehold.providers.blobs import of_installation

DEAD_DAYS = 30
_BATCH = 5000  # as the statements below have it


async def prune(context: Context, job: Job) -> None:
    """Delete what has had its time: old events and failures; all that expires, as sessions and tokens do."""
    await _delete_in_batches(context.db, _OLD_EVENTS, context.settings.outbox_days)
    await _delete_in_batches(context.db, _EXPIRED_SESSIONS)
    await _delete_in_batches(context.db, _EXPIRED_TOKENS)
    await _delete_in_batches(context.db, _EXPIRED_CHALLENGES)
    await _delete_in_batches(context.db, _EXPIRED_PASSKEY_CHALLENGES)
    await _delete_in_batches(context.db, _EXPIRED_RATE_LIMITS)
    await _delete_in_batches(context.db, _ENDED_SIGNING_KEYS)
    await _delete_in_batches(context.db, _EXPIRED_TRANSACTIONS)
    await _delete_in_batches(context.db, _OLD_DEAD_JOBS, DEAD_DAYS)


_OLD_EVENTS = """
delete from freehold.outbox where id in (
    select id from freehold.outbox
     where created_at < now() - $1 * interval '1 day' and audited order by id limit 5000
) returning 1
"""
_EXPIRED_SESSIONS = """
delete from freehold.sessions where (project_id, id) in (
    select project_id, id from freehold.sessions where expires_at < now() order by expires_at limit 5000
) returning 1
"""
_EXPIRED_TOKENS = """
delete from freehold.tokens where (project_id, id) in (
    select project_id, id from freehold.tokens where expires_at < now() order by expires_at limit 5000
) returning 1
"""
_EXPIRED_CHALLENGES = """
delete from freehold.mfa_challenges where (project_id, id) in (
    select project_id, id from freehold.mfa_challenges where expires_at < now() order by expires_at limit 5000
) returning 1
"""
_EXPIRED_PASSKEY_CHALLENGES = """
delete from freehold.passkey_challenges where (project_id, id) in (
    select project_id, id from freehold.passkey_challenges
     where expires_at < now() order by expires_at limit 5000
) returning 1
"""
_ENDED_SIGNING_KEYS = """
delete from freehold.signing_keys where (project_id, id) in (
    select project_id, id from freehold.signing_keys where ends_at < now() order by ends_at limit 5000
) returning 1
"""
_EXPIRED_RATE_LIMITS = """
delete from freehold.rate_limits where (key, window_start) in (
    select key, window_start from freehold.rate_limits
     where expires_at < now() order by expires_at limit 5000
) returning 1
"""
_EXPIRED_TRANSACTIONS = """
delete from freehold.transactions where (project_id, id) in (
    select project_id, id from freehold.transactions
     where expires_at < now() - interval '1 hour' order by expires_at limit 5000
) returning 1
"""
_OLD_DEAD_JOBS = """
delete from freehold.jobs where id in (
    select id from freehold.jobs
     where state = 'dead' and updated_at < now() - $1 * interval '1 day' limit 5000
) returning 1
"""


async def _delete_in_batches(db: Database, sql: str, *values: object) -> None:
    """Delete in small transactions, so that nobody waits for a lock and vacuum can follow."""
    deleted = _BATCH
    while deleted == _BATCH:
        deleted = len(await db.rows(sql, *values))


class DroppedProject(msgspec.Struct, frozen=True):
    """What is left of a deleted project: the schemas that held its tables, and the folders of its files."""

    namespaces: list[str]
    folders: list[str] = []


async def drop_project(context: Context, job: Job) -> None:
    """Drop the tables of a deleted project, its files and its other jobs. Its events go with time."""
    dropped = job.read(DroppedProject)
    for namespace in dropped.namespaces:
        await _drop_namespace(context.db, namespace)
    blobs = of_installation(context.settings)
    for folder in dropped.folders:
        await asyncio.to_thread(blobs.delete_folder, folder)
    await _delete_in_batches(context.db, _JOBS_OF_PROJECT, job.project_id, job.id)


_JOBS_OF_PROJECT = """
delete from freehold.jobs where id in (
    select id from freehold.jobs where project_id = $1 and id <> $2 and state <> 'running'
     order by id limit 5000
) returning 1
"""


async def _drop_namespace(db: Database, namespace: str) -> None:
    if namespace in ("freehold", "public", "information_schema") or namespace.startswith("pg_"):
        raise ValueError(f"{namespace!r} is not the schema of a project's database")
    if await db.value("select 1 from freehold.databases where namespace = $1", namespace):
        raise ValueError(f"{namespace!r} belongs to a database that is in use")
    # One table a transaction: one that drops thousands runs out of locks, and would fail each time.
    while tables := await db.rows(
        "select tablename from pg_tables where schemaname = $1 order by tablename limit 100", namespace
    ):
        for (table,) in tables:
            await _drop(db, f"table if exists {qualified(namespace, table)}")
    await _drop(db, f"schema if exists {quote(namespace)}")


async def _drop(db: Database, what: str) -> None:
    async with db.transaction() as transaction:
        await transaction.script(f"set local lock_timeout = '5s'; drop {what} cascade")


DROP_PROJECT = "projects.drop"

KINDS: tuple[Kind, ...] = (
    Kind("platform.prune", prune, every_s=300),
    Kind(DROP_PROJECT, drop_project, most_attempts=20, timeout_s=3600),
)
