"""A database that was changed step by step cannot be told from one that was made anew."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import Counter
from collections.abc import Coroutine, Iterator
from typing import Any, NamedTuple

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, event, given, note, settings
from hypothesis import strategies as st

from freehold.db import ddl
from freehold.db.ddl import catalog
from freehold.db.ddl.spelling import EVENT_FUNCTION, literal, names, qualified, quote
from freehold.schema import compare
from freehold.schema.design import design
from freehold.schema.model import Kind, Schema
from freehold.schema.tables import Table
from tests.ddl.worlds import describe, pairs, sample
from tests.postgres import Server

EXAMPLES = int(
    os.environ.get("FUZZ_EXAMPLES", 1000 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 60)
)

PHASES = [Phase.explicit, Phase.generate, *([Phase.shrink] * ("FREEHOLD_DDL_SHRINK" in os.environ))]

often = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=PHASES,
    database=None,
)


STAND_IN = f"""
    create schema freehold;
    create function {EVENT_FUNCTION}() returns trigger language plpgsql as 'begin return null; end'
"""
"""For what the platform's own migrations make, and triggers of tables call."""


class Bench(NamedTuple):
    """A database to try schemas on: as its owner, and as the superuser whom row security does not bind."""

    loop: asyncio.AbstractEventLoop
    owner: asyncpg.Connection[Any]
    admin: asyncpg.Connection[Any]
    numbers: Iterator[int]

    def run(self, doing: Coroutine[Any, Any, None]) -> None:
        self.loop.run_until_complete(doing)


@pytest.fixture(scope="module")
def bench(postgres: Server) -> Iterator[Bench]:
    database = postgres.create_database()
    loop = asyncio.new_event_loop()
    owner = loop.run_until_complete(asyncpg.connect(database.url))
    admin = loop.run_until_complete(asyncpg.connect(database.admin_url))
    loop.run_until_complete(owner.execute(STAND_IN))
    yield Bench(loop, owner, admin, itertools.count(1))
    loop.run_until_complete(owner.close())
    loop.run_until_complete(admin.close())
    loop.close()
    postgres.drop_database(database)


@often
@given(pair=pairs(), online=st.booleans())
def test_a_changed_database_is_like_a_fresh_one_and_goes_back(
    bench: Bench, pair: tuple[Schema, Schema], online: bool
) -> None:
    old, new = pair
    note(f"old: {describe(old)}\nnew: {describe(new)}")
    bench.run(_there_and_back(bench, old, new, online))


async def _there_and_back(bench: Bench, old: Schema, new: Schema, online: bool) -> None:
    number = next(bench.numbers)
    here, fresh = f"here {number}", f"fresh_{number}"
    try:
        await _make(bench, here, old)
        await _make(bench, fresh, new)
        at_first = await catalog.read(bench.owner, here)
        steps = ddl.steps(compare(old, new), namespace=here, online=online)
        note("\n".join(f"{step.sql};\n    -- undo: {step.inverse}" for step in steps))
        event(f"steps: {min(len(steps) // 10 * 10, 50)}")

        await ddl.apply(bench.owner, steps, one_by_one=online)

        wanted = await catalog.read(bench.owner, fresh)
        assert catalog.differences(wanted, await catalog.read(bench.owner, here)) == []
        assert compare(new, new) == []
        reversible = all(step.inverse is not None for step in steps)
        event(f"reversible: {reversible}")
        if reversible:
            await ddl.undo(bench.owner, steps)
            assert catalog.differences(at_first, await catalog.read(bench.owner, here)) == []
    finally:
        await _drop(bench, here, fresh)


@often
@given(pair=pairs(), online=st.booleans())
def test_rows_survive_where_nothing_was_said_to_be_lost(
    bench: Bench, pair: tuple[Schema, Schema], online: bool
) -> None:
    old, new = pair
    note(f"old: {describe(old)}\nnew: {describe(new)}")
    bench.run(_with_rows(bench, old, new, online))


async def _with_rows(bench: Bench, old: Schema, new: Schema, online: bool) -> None:
    number = next(bench.numbers)
    here, fresh = f"here_{number}", f"fresh_{number}"
    try:
        await _make(bench, here, old)
        await _make(bench, fresh, new)
        await _fill(bench, here, old)
        at_first = await catalog.read(bench.owner, here)
        kept = _kept_columns(old, new)
        before_names = {key: (table, columns) for key, (table, columns, _, _) in kept.items()}
        before = await _snapshot(bench, here, before_names)
        steps = ddl.steps(compare(old, new), namespace=here, online=online)
        note("\n".join(f"{step.sql};" for step in steps))
        failure = await _failure(bench, steps, online)
        if failure is not None:
            note(f"refused: {failure.step.sql}: {failure.__cause__}")
            event("refused for its rows")
            assert isinstance(
                failure.__cause__, asyncpg.IntegrityConstraintViolationError | asyncpg.DataError
            )
            if failure.standing:
                assert any(step.inverse is None for step in failure.standing)
                return
            assert catalog.differences(at_first, await catalog.read(bench.owner, here)) == []
            assert await _snapshot(bench, here, before_names) == before
            return
        event("changed with its rows")
        assert (
            catalog.differences(await catalog.read(bench.owner, fresh), await catalog.read(bench.owner, here))
            == []
        )
        after = await _snapshot(
            bench, here, {key: (table, names) for key, (_, _, table, names) in kept.items()}
        )
        assert after == before
        if all(step.loses is None for step in steps):
            assert _column_keys(old) <= _column_keys(new)
    finally:
        await _drop(bench, here, fresh)


async def _failure(bench: Bench, steps: list[ddl.Step], online: bool) -> ddl.StepFailed | None:
    try:
        await ddl.apply(bench.owner, steps, one_by_one=online)
    except ddl.StepFailed as failure:
        return failure
    return None


async def _make(bench: Bench, namespace: str, schema: Schema) -> None:
    await bench.owner.execute(f"CREATE SCHEMA {quote(namespace)}")
    await ddl.apply(bench.owner, ddl.create(schema, namespace))


async def _drop(bench: Bench, *namespaces: str) -> None:
    for namespace in namespaces:
        await bench.owner.execute(
            f"SET client_min_messages = warning; DROP SCHEMA IF EXISTS {quote(namespace)} CASCADE"
        )


Kept = dict[str, tuple[str, list[str], str, list[str]]]
"""By a table's key: its name before and the columns that stay as they are, then both as they are after."""


def _kept_columns(old: Schema, new: Schema) -> Kept:
    after = {table.key: table for table in design(new)}
    kept: Kept = {}
    for table in design(old):
        other = after.get(table.key)
        if other is None or table.key == "@audit_log":
            continue
        others = {column.key: column for column in other.columns}
        pairs = [
            (column.name, others[column.key].name)
            for column in table.columns
            if column.key in others
            and column.type == others[column.key].type
            and column.identity == others[column.key].identity
            and not column.searched
        ]
        kept[table.key] = (table.name, [one for one, _ in pairs], other.name, [two for _, two in pairs])
    return kept


def _column_keys(schema: Schema) -> set[tuple[str, str]]:
    return {
        (table.key, column.key) for table in design(schema) for column in table.columns if not column.searched
    }


async def _snapshot(bench: Bench, namespace: str, wanted: dict[str, tuple[str, list[str]]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, (table, columns) in wanted.items():
        row = ", ".join(f"{quote(column)}::text" for column in columns)
        rows = await bench.admin.fetch(
            f"SELECT ARRAY[{row}]::text[] AS row FROM {qualified(namespace, table)}"
        )
        found[key] = Counter(tuple(each["row"]) for each in rows)
    return found


async def _fill(bench: Bench, namespace: str, schema: Schema) -> None:
    """Three rows in every table that can have some."""
    tables = {table.key: table for table in design(schema)}
    written: dict[str, list[str]] = {}
    tenants = [literal(f"00000000-0000-0000-0000-00000000000{number}", "uuid") for number in (1, 2)]
    for entity in schema.entities:
        table = tables[entity.id]
        is_tenant = entity.tenant == "self"
        for number in range(3):
            tenant = tenants[0]
            values: dict[str, str] = {}
            if entity.layout.tenant is not None:
                values[entity.layout.tenant] = tenant
            if entity.id_kind != "serial":
                kind = "text" if entity.id_kind == "text" else "uuid"
                values[entity.layout.id] = literal(f"00000000-0000-0000-0000-00000000000{number + 1}", kind)
            for field in entity.columns:
                column = next(each for each in table.columns if each.key == field.id)
                if field.type.kind is Kind.REF:
                    targets = written.get(field.type.target or "", [])
                    if field.nullable:
                        value = targets[number] if number < len(targets) and field.unique is None else "NULL"
                    elif number < len(targets):
                        value = targets[number]
                    else:
                        break
                elif field.nullable and number == 1:
                    value = "NULL"
                else:
                    value = literal(sample(field, number + 1), column.type)
                values[field.column] = value
            else:
                if await _inserted(bench, namespace, table, values) and not is_tenant:
                    written.setdefault(entity.name, []).append(
                        await _last_id(bench, namespace, table, entity.layout.id)
                    )


async def _inserted(bench: Bench, namespace: str, table: Table, values: dict[str, str]) -> bool:
    """Whether the row fits: two samples may be the same where they have to be unique."""
    into = f"{qualified(namespace, table.name)} ({names(values)})"
    try:
        await bench.admin.execute(f"INSERT INTO {into} VALUES ({', '.join(values.values())})")
    except asyncpg.UniqueViolationError:
        return False
    return True


async def _last_id(bench: Bench, namespace: str, table: Table, id_column: str) -> str:
    found = await bench.admin.fetchval(
        f"SELECT {quote(id_column)}::text FROM {qualified(namespace, table.name)} ORDER BY ctid DESC LIMIT 1"
    )
    type_ = next(column.type for column in table.columns if column.name == id_column)
    return literal(found, type_)
