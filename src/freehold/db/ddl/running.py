"""Runs steps against a database: all of them or none, as far as PostgreSQL allows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from freehold.db.ddl.step import Step

if TYPE_CHECKING:
    from asyncpg import Connection

LOCK_TIMEOUT_MS = 3_000
PATIENT_LOCK_TIMEOUT_MS = 120_000
"""Of what is built beside the traffic: while it waits for writers, nobody waits for it."""
STATEMENT_TIMEOUT_MS = 600_000


class StepFailed(Exception):
    """A step could not be made. The cause is PostgreSQL's own error."""

    def __init__(self, step: Step, *, standing: Sequence[Step]) -> None:
        self.step = step
        self.standing = list(standing)
        """Steps that were made before and could not be taken back; empty when all is as it was."""
        state = f"; {len(self.standing)} earlier steps stand" if self.standing else "; nothing was changed"
        super().__init__(f"{step.summary}: could not be done{state}")


async def apply(
    connection: Connection[Any],
    steps: Sequence[Step],
    *,
    one_by_one: bool = False,
    lock_timeout_ms: int = LOCK_TIMEOUT_MS,
    statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
) -> None:
    """Run steps in order. Raises StepFailed.

    When all can run in a transaction they do, within the caller's if there is one. Otherwise, or when told to
    go `one_by_one` so that no lock is held longer than its statement, each is committed, and what was done is
    undone when a later one fails.
    """
    if not one_by_one and all(step.transactional for step in steps):
        async with connection.transaction():
            await connection.execute(timeouts_sql(lock_timeout_ms, statement_timeout_ms))
            for step in steps:
                try:
                    await connection.execute(step.sql)
                except _errors() as error:
                    raise StepFailed(step, standing=()) from error
        return
    done: list[Step] = []
    for step in steps:
        await _drop_half_built(connection, step)  # of an earlier attempt
        try:
            await _run(connection, step.sql, step.transactional, lock_timeout_ms, statement_timeout_ms)
        except _errors() as error:
            await _drop_half_built(connection, step)
            standing = await _undo(connection, done, lock_timeout_ms, statement_timeout_ms)
            raise StepFailed(step, standing=standing) from error
        done.append(step)


async def undo(
    connection: Connection[Any],
    steps: Sequence[Step],
    *,
    lock_timeout_ms: int = LOCK_TIMEOUT_MS,
    statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
) -> None:
    """Take steps back, the last one first. Refuses when one of them has no inverse."""
    irreversible = next((step for step in steps if step.inverse is None), None)
    if irreversible is not None:
        raise ValueError(f"cannot be undone: {irreversible.summary}")
    backwards = [_backwards(step) for step in reversed(steps) if step.inverse]
    await apply(
        connection, backwards, lock_timeout_ms=lock_timeout_ms, statement_timeout_ms=statement_timeout_ms
    )


def _backwards(step: Step) -> Step:
    return Step(
        summary=f"Undo: {step.summary}",
        sql=step.inverse or "",
        table=step.table,
        lock=step.lock,
        inverse=step.sql,
        transactional=step.transactional,
    )


async def _run(
    connection: Connection[Any], sql: str, transactional: bool, lock_ms: int, statement_ms: int
) -> None:
    if transactional:
        async with connection.transaction():
            await connection.execute(timeouts_sql(lock_ms, statement_ms))
            await connection.execute(sql)
        return
    # Outside of a transaction a setting lasts for the session: it is taken back whatever happens.
    before = await connection.fetchval("SELECT current_setting('lock_timeout')")
    await connection.execute(
        "SELECT set_config('lock_timeout', $1, false)", f"{max(lock_ms, PATIENT_LOCK_TIMEOUT_MS)}ms"
    )
    try:
        await connection.execute(sql)
    finally:
        await connection.execute("SELECT set_config('lock_timeout', $1, false)", before)


def timeouts_sql(lock_ms: int = LOCK_TIMEOUT_MS, statement_ms: int = STATEMENT_TIMEOUT_MS) -> str:
    """What a transaction that changes tables begins with: who waits for a lock makes others wait for it."""
    return f"SET LOCAL lock_timeout = {int(lock_ms)}; SET LOCAL statement_timeout = {int(statement_ms)}"


async def _drop_half_built(connection: Connection[Any], step: Step) -> None:
    """Drop what a concurrent build that failed has left: it serves no query, but every write keeps it up."""
    if step.builds is None:
        return
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)"
    if await connection.fetchval(valid, step.builds) is False:
        await connection.execute(f"DROP INDEX {step.builds}")


async def _undo(connection: Connection[Any], done: list[Step], lock_ms: int, statement_ms: int) -> list[Step]:
    """Take back what was done; what could not be is returned."""
    while done:
        step = done[-1]
        if step.inverse is None:
            return done
        if step.inverse:
            try:
                await _run(connection, step.inverse, step.transactional, lock_ms, statement_ms)
            except _errors():
                return done
        done.pop()
    return []


def _errors() -> tuple[type[BaseException], ...]:
    from asyncpg import PostgresError

    return (PostgresError,)
