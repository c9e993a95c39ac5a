"""The migrations of a service: plain SQL files in the format of dbmate, made by the one DDL planner."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from freehold.db import ddl
from freehold.generator import documents, tenancy
from freehold.generator.render import one_line
from freehold.schema import compare
from freehold.schema.model import Schema
from freehold.schema.sql_types import ID_TYPES

FOLDER = "db/migrations/"
SNAPSHOT = "db/schema.lock.json"

OWN = "_create_idempotency_keys.sql"
"""The migration of what only the service has, and no other maker of its tables."""

IDEMPOTENCY_KEYS = """create table if not exists idempotency_key (
    tenant text not null,
    principal text not null,
    key text not null,
    request_hash text not null,
    status integer,
    headers jsonb,
    body text,
    created_at timestamptz(3) default now() not null,
    constraint idempotency_key_pkey primary key (tenant, principal, key)
);

create index if not exists idempotency_key_created_at_idx on idempotency_key (created_at);
"""

OWN_API_KEYS = "_create_api_keys.sql"

API_KEYS = """create table if not exists api_key (
    id text not null,
    hash text not null,
    name text not null,
    tenant text,
    roles text[] not null,
    scopes text[] default '{}' not null,
    created_by text default session_user not null,
    created_at timestamptz(3) default now() not null,
    expires_at timestamptz(3),
    revoked_at timestamptz(3),
    last_used_at timestamptz(3),
    constraint api_key_pkey primary key (id)
);
"""

OWN_MEMBERS = "_to_its_members.sql"
"""The migration that lets a user find the tenants it belongs to, before any of them is named."""

UP = "-- migrate:up"
DOWN = "-- migrate:down"
_VALIDATED = "-- squawk-ignore adding-not-nullable-field\n"
"""Said above SET NOT NULL: a check that was validated in a file before it spares the scan."""
TIMEOUTS = "set local lock_timeout = '3s';\nset local statement_timeout = '10min';\n"


@dataclass(frozen=True)
class History:
    """What the repository holds already: its migrations, the schema that they lead to, its own routes."""

    schema: Schema | None = None
    migrations: Mapping[str, str] = field(default_factory=dict)
    """File name to text."""
    own_routes: str | None = None
    """What its owner says of them."""


class HistoryError(ValueError):
    """The repository's migrations and its snapshot of the schema do not go together."""


def read_snapshot(text: str) -> Schema:
    try:
        return msgspec.json.decode(text, type=Schema)
    except msgspec.DecodeError as error:
        raise HistoryError(f"{SNAPSHOT} cannot be read ({error}): restore it from version control") from error


def snapshot(schema: Schema) -> str:
    """The schema as a text that gives it back whole, with the order of its roles."""
    return documents.text(msgspec.to_builtins(schema))


def migrations(schema: Schema, history: History) -> dict[str, str]:
    """Every migration: those that the repository has, byte for byte, and one for what has changed since."""
    found = {FOLDER + name: text for name, text in history.migrations.items()}
    if history.schema is None:
        if history.migrations:
            raise HistoryError(f"there are migrations, and no {SNAPSHOT}: restore it from version control")
        found[f"{FOLDER}0001_create_tables.sql"] = _file(ddl.create(schema))
        return found | _own(schema, found, 1)
    changes = compare(history.schema, schema)
    steps = ddl.steps(changes, online=True)
    number = max((int(name.partition("_")[0]) for name in history.migrations), default=0)
    for group in _groups(steps):
        number += 1
        found[f"{FOLDER}{number:04}_{_title(group)}.sql"] = _file(group)
    return found | _own(schema, found, number)


def losses(schema: Schema, history: History) -> dict[str, list[str]]:
    """What the migrations that are new would lose, by the table that loses it."""
    found: dict[str, list[str]] = {}
    if history.schema is not None:
        for step in ddl.steps(compare(history.schema, schema), online=True):
            if step.loses and step.loses not in found.setdefault(step.table, []):
                found[step.table].append(step.loses)
    return found


def needs(schema: Schema, history: History) -> list[str]:
    """What the migrations that are new ask of the rows that are there, and fail without."""
    if history.schema is None:
        return []
    steps = ddl.steps(compare(history.schema, schema), online=True)
    return list(dict.fromkeys(step.needs for step in steps if step.needs))


def _own(schema: Schema, known: Mapping[str, str], number: int) -> dict[str, str]:
    """The migrations of what only the service has, where they are not known yet."""
    found = {}
    for suffix, text, undone in _own_parts(schema):
        if not any(name.endswith(suffix) for name in known):
            number += 1
            found[f"{FOLDER}{number:04}{suffix}"] = (
                f"{UP}\n{TIMEOUTS}\n{text}\n{DOWN}\n{TIMEOUTS}\n{undone}\n"
            )
    return found


def _own_parts(schema: Schema) -> list[tuple[str, str, str]]:
    """The end of a file's name, what it does, and what undoes that."""
    found = [(OWN, IDEMPOTENCY_KEYS, "drop table if exists idempotency_key;")]
    if schema.auth is not None and schema.auth.api_keys:
        found.append((OWN_API_KEYS, API_KEYS, "drop table if exists api_key;"))
    known = tenancy.membership(schema)
    if known is not None and schema.tenancy is not None and schema.tenancy.isolation == "rls":
        table = ddl.quote(known.table)
        undone = f"drop policy if exists membership_of_user on {table};"
        member = "nullif(current_setting('app.member_id', true), '')::" + ID_TYPES[known.user_kind]
        policy = (
            f"create policy membership_of_user on {table} for select\n"
            f"    using ({ddl.quote(known.user_column)} = {member});\n"
        )
        found.append((f"_show_{known.table}{OWN_MEMBERS}", f"{undone}\n{policy}", undone))
    return found


def schema_sql(schema: Schema) -> str:
    """What the migrations lead to, for review."""
    text = "-- What the migrations lead to. For reading: the service never runs this file.\n\n"
    return "\n".join([text + _joined(ddl.create(schema)), *(own for _, own, _ in _own_parts(schema))])


def _groups(steps: list[ddl.Step]) -> list[list[ddl.Step]]:
    """Steps that share a file, and so a transaction.

    One that cannot be in a transaction gets a file of its own. So do steps that take long and lock little
    (VALIDATE): in the transaction of a step that locks much, they would hold its lock until their end.
    """
    groups: list[list[ddl.Step]] = []
    for step in steps:
        last = groups[-1][-1] if groups else None
        together = last is not None and last.transactional and _is_mild(last) == _is_mild(step)
        if step.transactional and together:
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


def _is_mild(step: ddl.Step) -> bool:
    return step.lock == "SHARE UPDATE EXCLUSIVE"


def _title(steps: list[ddl.Step]) -> str:
    summary = steps[0].summary if len(steps) == 1 else f"change {steps[0].table or 'tables'}"
    return re.sub(r"[^a-z0-9]+", "_", summary.lower()).strip("_")[:50].strip("_") or "change"


def _file(steps: list[ddl.Step]) -> str:
    if not steps[0].transactional:
        (step,) = steps
        up = f"{UP} transaction:false\n{_header(steps)}{_ended(step.sql)}"
        return f"{up}\n{DOWN} transaction:false\n{_undone(step)}"
    made = {step.table for step in steps if step.makes_table}
    left = [step for step in reversed(steps) if not (step.goes_with_table and step.table in made)]
    downs = [text for text in map(_undone, left) if text]
    return f"{UP}\n{_header(steps)}{TIMEOUTS}\n{_joined(steps)}\n{DOWN}\n{TIMEOUTS}\n" + "\n".join(downs)


def _undone(step: ddl.Step) -> str:
    """The inverse; what cannot be undone fails and says why, since an empty block would pretend."""
    if step.inverse is not None:
        return _ended(step.inverse) if step.inverse else ""
    reason = one_line(step.loses or step.summary).replace("'", "''")
    return f"select 'irreversible: {reason}'::int;\n"


def _header(steps: list[ddl.Step]) -> str:
    lost = [f"-- destructive: {one_line(step.loses)}\n" for step in steps if step.loses]
    needed = [f"-- needs: {one_line(step.needs)}; without it this fails\n" for step in steps if step.needs]
    return "".join(dict.fromkeys(lost + needed))


def _joined(steps: list[ddl.Step]) -> str:
    return "\n".join(_ended(step.sql) for step in steps)


def _ended(sql: str) -> str:
    return _VALIDATED * ("SET NOT NULL" in sql) + sql.rstrip().rstrip(";") + ";\n"
