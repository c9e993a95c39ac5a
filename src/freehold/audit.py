"""The audit log: who changed what, from where. Taken over from the outbox by one job, and chained by hashes.

Each project has a chain of its own. An entry's hash is the SHA-256 of the hash before it and of the entry, so
that none can be changed, left out or put in between without `verify` finding the place.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from freehold.db.pool import Database, Queries, Record
from freehold.events import Caller, number
from freehold.jobs import Context, Job, Kind

_BATCH = 1000
_LOCK = 0x61756469
"""Of the advisory lock under which the chains grow."""


class Subject(NamedTuple):
    """What an event was about."""

    resource: str
    action: str
    """The kind of thing and what was done to it, such as `row.update`."""


# What counts as its user, as its team, and so on, by its name in events and in logs.
_PARTS = {
    "users": {
        "sessions": "session", "identities": "identity", "passkeys": "passkey", "keys": "key",
        "targets": "target", "tokens": "token", "challenges": "challenge", "recovery": "recovery",
        "verification": "verification",
    },
    "teams": {"memberships": "membership", "keys": "key"},
    "projects": {"smtp": "smtp", "devKeys": "devKey", "stages": "stage"},
    "buckets": {"files": "file"},
}  # fmt: skip

# Rows come first: their ids are chosen by anybody, may hold dots, and so may look like what follows.
_SUBJECTS = [
    (re.compile(pattern), resource, kind)
    for pattern, resource, kind in (
        (r"databases\.(.+?)\.tables\.(.+?)\.rows\.(.+)\.(\w+)", "databases/{}/tables/{}/rows/{}", "row"),
        (r"databases\.(.+?)\.tables\.(.+?)\.columns\..+\.(\w+)", "databases/{}/tables/{}", "column"),
        (r"databases\.(.+?)\.tables\.(.+?)\.indexes\..+\.(\w+)", "databases/{}/tables/{}", "index"),
        (r"databases\.(.+?)\.tables\.(.+)\.(\w+)", "databases/{}/tables/{}", "table"),
        (r"databases\.(.+)\.(\w+)", "databases/{}", "database"),
        *(
            (rf"{kind}\.(.+?)\.{part}(?:\..+?)?\.((?:update\.)?\w+)", f"{kind}/{{}}", name)
            for kind, parts in _PARTS.items()
            for part, name in parts.items()
        ),
        (r"users\.(.+?)\.((?:(?:create|update|delete)\.)?(?:mfa\.)?[\w-]+)", "users/{}", "user"),
        (r"teams\.(.+?)\.((?:update\.)?\w+)", "teams/{}", "team"),
        (r"projects\.(.+?)\.policies\.(.+)\.(\w+)", "projects/{}/policies/{}", "policy"),
        (r"([\w-]+)\.(.+)\.(\w+)", "{}/{}", ""),
    )
]


def subject(event: str) -> Subject:
    """What an event was about. Columns and indexes count as their table, and so do the parts of others."""
    for pattern, resource, kind in _SUBJECTS:
        if found := pattern.fullmatch(event):
            *ids, done = found.groups()
            return Subject(resource.format(*ids), f"{kind or ids[0]}.{done}")
    return Subject(event, event)


def user_type(actor: str, mode: str, *, is_console: bool) -> str:
    """What acted: `user`, `admin`, `guest`, `keyProject`, `keyOrganization`, or `keyAccount` for its user."""
    kind = actor.partition(":")[0]
    if kind != "key":
        return "keyAccount" if mode == "key" else kind
    return "keyOrganization" if is_console else "keyProject"


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """An entry, in the order in which its fields are hashed."""

    project_id: str
    position: int
    event: str
    action: str
    resource: str
    actor: str
    actor_name: str
    actor_email: str
    mode: str
    ip: str
    user_agent: str
    request_id: str
    happened_at: datetime

    def hash_after(self, previous: bytes) -> bytes:
        """Its hash in a chain."""
        return hashlib.sha256(previous + msgspec.json.encode(self)).digest()


_FIELDS = Entry.__struct_fields__


# -- appending ---------------------------------------------------------------------------------------------


Follower = Callable[[Queries, Sequence[Record]], Awaitable[None]]
"""What else is done with events that are taken over, in the same transaction."""


async def append(db: Database, followers: Sequence[Follower] = ()) -> int:
    """Take over what is new in the outbox. Gives how many entries that were."""
    await number(db)  # before an event has one, it is not for us to change
    appended = 0
    while True:
        async with db.transaction() as transaction:
            if not await transaction.value("select pg_try_advisory_xact_lock($1)", _LOCK):
                return appended
            events = await transaction.rows(_UNAUDITED, _BATCH)
            if events:
                await _append(transaction, events)
                for follow in followers:
                    await follow(transaction, events)
        appended += len(events)
        if len(events) < _BATCH:
            return appended


_UNAUDITED = """
    select o.id, o.project_id, o.event, o.actor, o.request_id, o.caller, o.created_at,
           coalesce(k.name, '') as key_name
    from freehold.outbox o
    left join freehold.keys k on o.actor = 'key:' || k.id and k.project_id = o.project_id
    where not o.audited and o.sequence is not null order by o.id limit $1
"""


async def _append(db: Queries, events: list[Record]) -> None:
    projects = list({event["project_id"] for event in events})
    heads = {
        row["project_id"]: (row["position"], bytes(row["hash"])) for row in await db.rows(_HEADS, projects)
    }
    entries, hashes = [], []
    for event in events:
        position, previous = heads[event["project_id"]]
        entry = _entry(event, position + 1)
        hashes.append(entry.hash_after(previous))
        entries.append(entry)
        heads[entry.project_id] = (entry.position, hashes[-1])
    columns = [[getattr(entry, field) for entry in entries] for field in _FIELDS]
    await db.run(_INSERT, *columns, hashes)
    await db.run(
        _MOVE_HEADS,
        projects,
        [heads[project][0] for project in projects],
        [heads[project][1] for project in projects],
    )
    await db.run(
        "update freehold.outbox set audited = true where id = any($1)", [event["id"] for event in events]
    )


# Entries that somebody put behind the end are stepped over: `verify` finds them, and the log goes on.
_HEADS = """
    select project_id, greatest(c.position, last.position, 0) as position, coalesce(c.hash, '') as hash
    from unnest($1::text[]) as named (project_id)
    left join freehold.audit_chains c using (project_id)
    cross join lateral (
        select max(a.position) as position from freehold.audit a where a.project_id = named.project_id
    ) last
"""

_INSERT = f"""
    insert into freehold.audit ({", ".join(_FIELDS)}, hash)
    select * from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::bytea[])
"""

_MOVE_HEADS = """
    insert into freehold.audit_chains (project_id, position, hash)
    select * from unnest($1::text[], $2::bigint[], $3::bytea[])
    on conflict (project_id) do update set position = excluded.position, hash = excluded.hash
"""


def caller_of(event: Record) -> Caller:
    """Who an event says it was, as far as it does."""
    return msgspec.json.decode(event["caller"], type=Caller) if event["caller"] is not None else Caller()


def _entry(event: Record, position: int) -> Entry:
    caller = caller_of(event)
    about = subject(event["event"])
    return Entry(
        project_id=event["project_id"],
        position=position,
        event=event["event"],
        action=about.action,
        resource=about.resource,
        actor=event["actor"],
        actor_name=caller.name or event["key_name"],
        actor_email=caller.email,
        mode=caller.mode,
        ip=caller.ip,
        user_agent=caller.user_agent,
        request_id=event["request_id"],
        happened_at=event["created_at"].astimezone(UTC),
    )


# -- pruning -----------------------------------------------------------------------------------------------


async def prune(db: Database, days: float) -> None:
    """Delete the entries whose time is over. What is left of a chain begins with the hash before it."""
    for (project_id,) in await db.rows("select project_id from freehold.audit_chains"):
        deleted = True
        while deleted:
            async with db.transaction() as transaction:
                deleted = bool(await transaction.value(_PRUNE, project_id, days, _BATCH))


_PRUNE = """
    with old as (
        -- Only what stands before all that stays may go: events are not quite in the order of their times.
        delete from freehold.audit where project_id = $1 and position in (
            select position from (
                select position, bool_and(happened_at < now() - $2 * interval '1 day')
                    over (order by position) as has_had_its_time
                from (select position, happened_at from freehold.audit
                      where project_id = $1 order by position limit $3) oldest
            ) prefix where has_had_its_time
        ) returning position, hash
    ),
    last as (select position, hash from old order by position desc limit 1)
    update freehold.audit_chains c set first_position = last.position + 1, first_previous = last.hash
    from last where c.project_id = $1 returning 1
"""


# -- verifying ---------------------------------------------------------------------------------------------


class Chain(NamedTuple):
    """What was found of a project's chain."""

    project_id: str
    entries: int
    head: str
    """The hash at its end. Whoever keeps it elsewhere can tell that not even the whole was made anew."""
    broken: str
    """Where and how it breaks; empty when it is whole."""


async def verify(db: Database) -> list[Chain]:
    """Walk every chain, as they were at one moment."""
    async with db.transaction() as transaction:
        transaction.begin_with("set transaction isolation level repeatable read, read only")
        chains = await transaction.rows(_CHAINS)
        return [await _verify(transaction, chain) for chain in chains]


_CHAINS = """
    select project_id, coalesce(c.position, 0) as position, coalesce(c.hash, '') as hash,
           coalesce(c.first_position, 1) as first_position, coalesce(c.first_previous, '') as first_previous
    from (select distinct project_id from freehold.audit) a
    full join freehold.audit_chains c using (project_id) order by project_id
"""


async def _verify(db: Queries, chain: Record) -> Chain:
    previous, expected = bytes(chain["first_previous"]), chain["first_position"]
    walked, broken = 0, ""
    after = 0
    while not broken and (entries := await db.rows(_WALK, chain["project_id"], after, _BATCH)):
        for row in entries:
            after = row["position"]
            if after != expected:
                broken = f"Entry {expected} is missing." if after > expected else f"Entry {after} was put in."
                break
            entry = Entry(*(row[field] for field in _FIELDS))
            if entry.hash_after(previous) != row["hash"]:
                broken = f"Entry {after} is not what was written, or follows another than it did."
                break
            previous, expected, walked = row["hash"], expected + 1, walked + 1
    if not broken and (expected - 1, previous) != (chain["position"], chain["hash"]):
        broken = f"It ends with entry {expected - 1}; entry {chain['position']} was the last one written."
    return Chain(chain["project_id"], walked, previous.hex(), broken)


_WALK = f"""
    select {", ".join(_FIELDS)}, hash from freehold.audit
    where project_id = $1 and position > $2 order by position limit $3
"""


# -- jobs --------------------------------------------------------------------------------------------------


async def _prune_job(context: Context, job: Job) -> None:
    await prune(context.db, context.settings.audit_days)


def kinds(*followers: Follower) -> tuple[Kind, ...]:
    """The jobs of the log; the followers take events over together with it."""

    async def append_job(context: Context, job: Job) -> None:
        await append(context.db, followers)

    return Kind("audit.append", append_job, every_s=1), Kind("audit.prune", _prune_job, every_s=3600)
