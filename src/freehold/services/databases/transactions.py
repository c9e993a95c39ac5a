"""Transactions: changes of rows that are tried one by one, and then done all together or not at all.

To stage a change, all that was staged before it and the change itself are done in a transaction of
PostgreSQL's, through the same functions as without; its answer is what the row would be; then all is taken
back, and the change kept as a value. A commit does the same, and lets it stand. So there is no second idea of
what a change does, who may do it, and what it must not break.

What a row was outside, when the transaction first changed it, is kept too, be it the row that was meant, one
that is written within it, or one that goes along. A row that is another by then is a conflict, at the commit
and at whatever is staged or read before; so is one that would be changed now, and would not have been then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar
from weakref import WeakValueDictionary

import asyncpg
import msgspec

from freehold.db.pool import Record, Transaction
from freehold.db.rows import Scope
from freehold.db.sealing import Seal
from freehold.errors import Problem, ResourceLocked, Unavailable, UserUnauthorized
from freehold.services.databases import operations, tables
from freehold.services.databases import transaction_store as store
from freehold.services.databases.errors import (
    TransactionConflict,
    TransactionExpired,
    TransactionLimitExceeded,
    TransactionNotFound,
    TransactionNotReady,
)
from freehold.services.databases.operations import OneOfThem
from freehold.services.databases.tables import Table
from freehold.usage import Used
from freehold.web.call import Call, Staged
from freehold.web.wire import Json

MAX_OPERATIONS = 100
MAX_WATCHED = 20_000
"""So many rows can one operation change, those included that go along."""
_TRIES = 12
_WAITS = "set local lock_timeout = '2s'"
"""Nobody waits longer for a row that somebody else is changing."""
_LOOKS = f"set transaction isolation level repeatable read; {_WAITS}"
"""For what is taken back: what a row was outside can still be asked after it was changed."""

Answer = TypeVar("Answer")


class _Kept(NamedTuple):
    """An operation as it was staged."""

    operation: OneOfThem
    staged: Staged
    hit: list[str] | None
    seen: dict[str, dict[str, str | None]]
    """What the rows were outside that it was the first to change, by their tables."""


def owner(call: Call) -> str:
    """Whose transactions the caller's are. Raises UserUnauthorized."""
    if call.identity.privileged:
        return ""
    if call.identity.kind != "user":
        raise UserUnauthorized()
    return call.identity.user_id


# -- staging and reading -----------------------------------------------------------------------------------


async def stage(call: Call, transaction_id: str, operation: OneOfThem) -> Json | None:
    """Stage a change; gives what its route would answer."""
    _, answers = await _stage(call, transaction_id, [operation], place="")
    return answers[0]


async def stage_all(call: Call, transaction_id: str, added: Sequence[OneOfThem]) -> Record:
    """Stage several changes, all or none; gives the transaction."""
    plain = [operations.plain(each) for each in added]
    record, _ = await _stage(call, transaction_id, plain, place="operations[{}]: ")
    return record


async def _stage(
    call: Call, transaction_id: str, added: Sequence[OneOfThem], *, place: str
) -> tuple[Record, list[Json | None]]:
    tenant, timestamp = tables.named_tenant(call), call.request.header(b"x-appwrite-timestamp")

    async def act(db: Transaction) -> tuple[Record, list[Json | None]]:
        record = _pending(await store.lock(db, *_key(call, transaction_id)), transaction_id)
        if record["operations"] + len(added) > MAX_OPERATIONS:
            raise TransactionLimitExceeded(limit=f"{MAX_OPERATIONS} operations")
        kept = await _unchanged(call, db, transaction_id)
        await db.script("savepoint staged")
        await _replay(call, kept)
        tried: list[_Kept] = []
        answers: list[Json | None] = []
        for at, operation in enumerate(added):
            call.staged = Staged(record["now"], tenant, timestamp)
            with _told_of(place.format(at)), _told_apart(call, operation.database_id):
                one, answer = await _try(call, operation, call.staged)
            tried.append(one)
            answers.append(answer)
        await db.script("rollback to savepoint staged")
        return await _keep(call, db, record, await _with_versions(call, db, kept, tried)), answers

    async with _turn(call, transaction_id):
        return await _attempt(call, _LOOKS, act)


async def read(
    call: Call,
    transaction_id: str,
    database_id: str,
    table_id: str,
    act: Callable[[Table], Awaitable[Answer]],
) -> Answer:
    """Read a table as it will be when the transaction has been committed."""

    async def look(db: Transaction) -> Answer:
        _pending(await store.find(db, *_key(call, transaction_id)), transaction_id)
        await _replay(call, await _unchanged(call, db, transaction_id))
        call.staged = None
        with _told_apart(call, database_id):
            answer = await act(await tables.find(call, database_id, table_id))
        await db.rollback()
        return answer

    async with _turn(call, transaction_id):
        answer = await _attempt(call, _LOOKS, look)
    call.app.uses.count(Used(call.project.id, database_id, table_id), is_write=False)
    return answer


# -- ending ------------------------------------------------------------------------------------------------


async def commit(call: Call, transaction_id: str) -> Record:
    """Do all that was staged, in one transaction of PostgreSQL's. What cannot be done any more fails it."""

    async def act(db: Transaction, *, of_one_moment: bool) -> tuple[Record, list[_Kept]]:
        _pending(await store.lock(db, *_key(call, transaction_id)), transaction_id)
        kept = await _unchanged(call, db, transaction_id, lock=True)
        if not of_one_moment and any(_may_be_made_meanwhile(each) for each in kept):
            raise _AnotherMoment
        await _replay(call, kept)
        return _ended(await store.end(db, *_key(call, transaction_id), "committed")), kept

    async with _turn(call, transaction_id):
        try:
            try:
                committed, done = await _attempt(call, _WAITS, partial(act, of_one_moment=False))
            except _AnotherMoment:
                committed, done = await _attempt(call, _LOOKS, partial(act, of_one_moment=True))
        except (ResourceLocked, Unavailable):
            raise  # it can be tried again
        except Problem:
            await store.end(call.app.db, *_key(call, transaction_id), "failed")
            raise
    for each in done:
        used = Used(call.project.id, each.operation.database_id, each.operation.table_id)
        call.app.uses.count(used, is_write=True)
    return committed


async def roll_back(call: Call, transaction_id: str) -> Record:
    """Forget what was staged."""

    async def act(db: Transaction) -> Record:
        _pending(await store.lock(db, *_key(call, transaction_id)), transaction_id)
        return _ended(await store.end(db, *_key(call, transaction_id), "rolled_back"))

    return await _attempt(call, _WAITS, act)


def _ended(record: Record | None) -> Record:
    if record is None:
        raise TransactionExpired()
    return record


# -- one attempt -------------------------------------------------------------------------------------------


_turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()


@asynccontextmanager
async def _turn(call: Call, transaction_id: str) -> AsyncIterator[None]:
    """Let calls on one transaction take turns, so that those which wait hold no connection meanwhile.

    Nor are all connections for transactions of one address.
    """
    key = (call.project.realm, transaction_id)
    turn = _turns.get(key)
    if turn is None:
        turn = _turns[key] = asyncio.Lock()
    async with turn, call.app.shares.of(call):
        yield


async def _attempt(call: Call, begin: str, act: Callable[[Transaction], Awaitable[Answer]]) -> Answer:
    """Act in a transaction of PostgreSQL's, which is the call's own; again when somebody came between."""
    for _ in range(_TRIES):
        try:
            async with call.app.db.transaction() as db:
                db.begin_with(begin)
                call.db = db
                return await act(db)
        except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, *tables.CHANGED):
            continue
        finally:
            call.db, call.staged, call.changed_rows = call.app.db, None, None
    raise ResourceLocked()


def _key(call: Call, transaction_id: str) -> tuple[str, str, str]:
    return call.project.id, transaction_id, owner(call)


def _pending(record: Record | None, transaction_id: str) -> Record:
    if record is None:
        raise TransactionNotFound(id=transaction_id)
    if record["status"] != "pending":
        raise TransactionNotReady(status=record["status"].replace("_", " "))
    if record["expires_at"] <= record["now"]:
        raise TransactionExpired()
    return record


@contextmanager
def _told_of(place: str) -> Iterator[None]:
    """Let a problem say which operation it is about."""
    try:
        yield
    except Problem as problem:
        problem.place = place + problem.place
        raise


@contextmanager
def _told_apart(call: Call, database_id: str) -> Iterator[None]:
    """Let tables be read anew when PostgreSQL knows them as others than they were here."""
    try:
        yield
    except tables.CHANGED:
        call.app.stamps.touch(tables.database_tag(call.project.id, database_id))
        raise


async def _replay(call: Call, kept: list[_Kept]) -> None:
    """Do what was staged, in the call's transaction of PostgreSQL's. Raises TransactionConflict."""
    known: dict[Place, set[str]] = {}
    for at, (operation, staged, hit, seen) in enumerate(kept, 1):
        for table_id, versions in seen.items():
            known.setdefault(Place(operation.database_id, table_id, staged.tenant), set()).update(versions)
        if hit == []:  # it found nothing when it was staged
            continue
        call.staged, call.changed_rows = staged, {}
        with _told_of(f"Operation {at} of the transaction: "), _told_apart(call, operation.database_id):
            table = await tables.find(call, operation.database_id, operation.table_id)
            await operations.do(call, table, operation, hit)
        if not operations.adds_up(operation):
            for table_id, changed in call.changed_rows.items():
                place = Place(operation.database_id, table_id, staged.tenant)
                for row_id in changed - known.get(place, set()):
                    raise TransactionConflict(id=row_id, table=table_id)
    call.changed_rows = None


async def _try(call: Call, operation: OneOfThem, staged: Staged) -> tuple[_Kept, Json | None]:
    """Do a new operation; gives it as it is to be done again, and its answer."""
    table = await tables.find(call, operation.database_id, operation.table_id)
    operation = operations.with_ids(table, operation)
    changed = call.changed_rows = {}
    answer = await operations.do(call, table, operation, None)
    call.changed_rows = None
    if sum(map(len, changed.values())) > MAX_WATCHED:
        raise TransactionLimitExceeded(limit=f"{MAX_WATCHED} rows that one operation changes")
    seen: dict[str, dict[str, str | None]] = {
        table_id: dict.fromkeys(sorted(ids)) for table_id, ids in changed.items()
    }
    return _Kept(operation, staged, operations.found(table, operation, answer), seen), answer


async def _keep(call: Call, db: Transaction, transaction: Record, tried: list[_Kept]) -> Record:
    entries: list[dict[str, Any]] = []
    size = 0
    for at, (operation, staged, hit, seen) in enumerate(tried):
        encoded = msgspec.json.encode(operation)
        size += len(encoded)
        sealed = _seal(call).close(encoded.decode())
        entry = {"at": at, "operation": sealed, "tenant": staged.tenant, "seen": seen}
        entries.append(entry if hit is None else entry | {"hit": hit})
    if transaction["bytes"] + size > call.app.settings.body_limit:
        raise TransactionLimitExceeded(limit=f"{call.app.settings.body_limit} bytes of data")
    return await store.append(db, call.project.id, transaction["id"], entries, size)


def _seal(call: Call) -> Seal:
    """What is staged may be for columns that are encrypted, so none of it lies open meanwhile."""
    return Seal(call.app.settings.secret, "transaction_operations", "operation", "operation")


# -- conflicts ---------------------------------------------------------------------------------------------


class _AnotherMoment(Exception):
    """It must not see what others do after it has begun."""


def _may_be_made_meanwhile(kept: _Kept) -> bool:
    """Whether it makes a row that was not there, which no lock can hold, and would change one that is."""
    return not operations.only_makes(kept.operation) and any(
        version is None for versions in kept.seen.values() for version in versions.values()
    )


async def _unchanged(call: Call, db: Transaction, transaction_id: str, *, lock: bool = False) -> list[_Kept]:
    """What was staged, when all its rows are as they were, and stay so with `lock`.

    Raises TransactionConflict.
    """
    seal = _seal(call)
    kept = [
        _Kept(
            operations.decode(seal.open(msgspec.json.decode(record["operation"], type=str))),
            Staged(record["staged_at"], record["tenant"], ""),
            record["hit"],
            msgspec.json.decode(record["seen"]),
        )
        for record in await store.operations(db, call.project.id, transaction_id)
    ]
    seen: dict[Place, dict[str, str | None]] = {}
    for each in kept:
        table = await tables.find(call, each.operation.database_id, each.operation.table_id)
        if not table.follows_schema:  # there it depends on the tenant, and is asked with the versions
            tables.reach_at_all(call, table, "")
        for place, versions in _places(each):
            seen.setdefault(place, {}).update(versions)
    for place in sorted(seen):  # always in one order, so that two commits do not wait for each other
        found = await _versions(call, db, place, list(seen[place]), lock=lock)
        for row_id, version in seen[place].items():
            if found.get(row_id) != version:
                raise TransactionConflict(id=row_id, table=place.table_id)
    return kept


async def _with_versions(call: Call, db: Transaction, kept: list[_Kept], tried: list[_Kept]) -> list[_Kept]:
    """What was tried, with what the rows are that no earlier operation has touched.

    What only adds up with the changes of others does not watch its row.
    """
    known: dict[Place, set[str]] = {}
    for each in kept:
        for place, versions in _places(each):
            known.setdefault(place, set()).update(versions)
    watching = []
    for each in tried:
        seen: dict[str, dict[str, str | None]] = {}
        for place, changed in [] if operations.adds_up(each.operation) else _places(each):
            before = known.setdefault(place, set())
            ids = [one for one in changed if one not in before]
            before.update(ids)
            found = await _versions(call, db, place, ids, lock=False)
            seen[place.table_id] = {one: found.get(one) for one in ids}
        watching.append(each._replace(seen=seen))
    return watching


class Place(NamedTuple):
    """The rows among which an id is one row's."""

    database_id: str
    table_id: str
    tenant: str


def _places(kept: _Kept) -> Iterator[tuple[Place, dict[str, str | None]]]:
    """The rows that an operation was the first to change, by where they are."""
    for table_id, versions in kept.seen.items():
        yield Place(kept.operation.database_id, table_id, kept.staged.tenant), versions


async def _versions(
    call: Call, db: Transaction, place: Place, ids: list[str], *, lock: bool
) -> dict[str, str]:
    """Which versions of rows there are outside the transaction, by their ids."""
    if not ids:
        return {}
    call.staged = Staged(datetime.now(UTC), place.tenant, "")
    with _told_apart(call, place.database_id):
        table = await tables.known(call, place.database_id, place.table_id)
        if table is None:
            return {}
        scope = Scope()
        if table.follows_schema:
            reached = tables.reach_at_all(call, table, ids[0])
            scope = Scope(tenant=reached.scope.tenant)
            if reached.setting:
                await db.script(reached.setting)
        wanted = [table.rows.encode_id(each) for each in ids]
        statement = table.rows.versions(wanted, scope, lock=lock)
        found = await db.rows(statement.sql, *statement.values)
    return {record[0]: record[1] for record in found}
