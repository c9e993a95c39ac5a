"""Migrations: applied once, by one of many, whole or not at all, and refused when they do not fit."""

from __future__ import annotations

import asyncio

import asyncpg
import msgspec
import pytest

from freehold.db import ddl
from freehold.db import migrate as migrations
from freehold.db.ddl import catalog
from freehold.db.migrate import Migration, MigrationError, list_migrations, migrate, pending
from freehold.schema.model import API_LAYOUT, Entity, Field, Kind, Schema, Type

FIRST = Migration(
    1, "0001_birds", "create table freehold.birds (name text); insert into freehold.birds values ('owl')"
)
SECOND = Migration(2, "0002_slow", "select pg_sleep(0.3); create table freehold.nests (id int)")
THIRD = Migration(3, "0003_trees", "create table freehold.trees (id int)")
BROKEN = Migration(2, "0002_broken", "create table freehold.half (id int); select 1 / 0")


async def ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_what_is_missing_is_applied_once_and_reported(database_url: str) -> None:
    said: list[str] = []
    first = await migrate(database_url, migrations=[FIRST], report=said.append)
    second = await migrate(database_url, migrations=[THIRD, FIRST, SECOND], report=said.append)
    third = await migrate(database_url, migrations=[FIRST, SECOND, THIRD], report=said.append)

    assert (first, second, third) == (["0001_birds"], ["0002_slow", "0003_trees"], [])
    assert said[1] == "Migration 0002_slow applied (1 to go)."
    assert await ask(database_url, "select count(*) from freehold.birds") == 1


async def test_three_racing_runners_apply_each_migration_once(database_url: str) -> None:
    applied = await asyncio.gather(
        *(migrate(database_url, migrations=[FIRST, SECOND, THIRD]) for _ in range(3))
    )

    assert sorted(name for names in applied for name in names) == ["0001_birds", "0002_slow", "0003_trees"]
    assert await ask(database_url, "select count(*) from freehold.birds") == 1
    assert await ask(database_url, "select count(*) from pg_locks where locktype = 'advisory'") == 0


async def test_a_migration_that_fails_leaves_nothing_and_can_be_repeated(database_url: str) -> None:
    with pytest.raises(
        MigrationError, match="0002_broken failed, and nothing of it was kept: division by zero"
    ):
        await migrate(database_url, migrations=[FIRST, BROKEN])

    assert await ask(database_url, "select to_regclass('freehold.half')") is None
    assert await migrate(database_url, migrations=[FIRST, SECOND]) == ["0002_slow"]


async def test_a_migration_may_not_end_its_own_transaction(database_url: str) -> None:
    sly = Migration(1, "0001_sly", "create table freehold.sly (id int); commit; begin")

    with pytest.raises(MigrationError, match="ends its own transaction"):
        await migrate(database_url, migrations=[sly])


async def test_a_migration_that_was_edited_after_it_was_applied_is_refused(database_url: str) -> None:
    await migrate(database_url, migrations=[FIRST])

    with pytest.raises(MigrationError, match="0001_birds was changed after"):
        await migrate(database_url, migrations=[FIRST._replace(sql=FIRST.sql + " ")])


async def test_a_database_newer_than_the_code_is_refused_and_left_alone(database_url: str) -> None:
    await migrate(database_url, migrations=[FIRST, SECOND])

    with pytest.raises(MigrationError, match=r"newer than this Freehold: it has migration 0002_slow"):
        await migrate(database_url, migrations=[FIRST])
    with pytest.raises(MigrationError, match=r"newer than this Freehold"):
        await pending(database_url, migrations=[FIRST])
    assert await ask(database_url, "select count(*) from freehold.migrations") == 2


@pytest.mark.parametrize("numbers", [[FIRST, THIRD], [SECOND], [FIRST, FIRST]])
async def test_numbers_follow_one_another(database_url: str, numbers: list[Migration]) -> None:
    with pytest.raises(MigrationError, match="is missing or there twice"):
        await migrate(database_url, migrations=numbers)

    assert await ask(database_url, "select to_regclass('freehold.migrations')") is None


async def test_a_hole_in_what_was_applied_is_refused(database_url: str, admin_url: str) -> None:
    await migrate(database_url, migrations=[FIRST, SECOND])
    await ask(admin_url, "delete from freehold.migrations where number = 1 returning 1")

    with pytest.raises(MigrationError, match="lacks migration 0001 but has 0002_slow"):
        await migrate(database_url, migrations=[FIRST, SECOND])


async def test_a_runner_waits_for_the_lock_no_longer_than_its_patience(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_PATIENCE_S", 0.3)
    holder = await asyncpg.connect(database_url)
    await holder.execute(f"select pg_advisory_lock({migrations.LOCK})")
    said: list[str] = []
    try:
        with pytest.raises(MigrationError, match="Another process has been migrating"):
            await migrate(database_url, migrations=[FIRST], report=said.append)
    finally:
        await holder.close()

    assert said == ["Another process migrates this database. Waiting for it."]
    assert await migrate(database_url, migrations=[FIRST]) == ["0001_birds"]


async def test_a_database_that_is_not_there_is_told_without_its_password() -> None:
    with pytest.raises(MigrationError) as refusal:
        await migrate("postgresql://freehold:hunter2@127.0.0.1:1/none", migrations=[FIRST])

    assert "DATABASE_URL" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


async def test_tables_of_before_get_what_their_indexes_tell_of_who_may_read(database_url: str) -> None:
    before = msgspec.structs.replace(API_LAYOUT, reads=None)
    fields = (Field(id="f", name="name", column="name", type=Type(kind=Kind.STRING, length=40), index=True),)
    new = Entity(id="t", name="t", table="t", layout=API_LAYOUT, id_kind="text", fields=fields)
    old = msgspec.structs.replace(new, layout=before)
    await migrate(database_url, migrations=[each for each in list_migrations() if each.number < 36])
    connection = await asyncpg.connect(database_url)
    try:
        for namespace, entity in (("old", old), ("new", new)):
            await connection.execute(f"create schema {namespace}")
            await ddl.apply(
                connection, ddl.create(Schema(service="x", entities=(entity,)), namespace=namespace)
            )
        await connection.execute(
            """
            insert into freehold.projects (id, team_id, name) values ('p', 't', 'P');
            insert into freehold.databases (project_id, id, name, namespace) values ('p', 'd', 'D', 'old');
            insert into old.t (_id, name, _permissions) values ('a', 'A', '{"read(\\"any\\")"}');
            """
        )
        keep = "insert into freehold.tables (project_id, database_id, id, name, entity)"
        await connection.execute(f"{keep} values ('p', 'd', 't', 'T', $1)", msgspec.json.encode(old).decode())
        await migrate(database_url)
        kept = await connection.fetchval("select entity::text from freehold.tables")
        expected, actual = await catalog.read(connection, "new"), await catalog.read(connection, "old")
        reads = await connection.fetchval("select _reads from old.t")
    finally:
        await connection.close()

    assert msgspec.json.decode(kept, type=Entity) == new
    assert catalog.differences(expected, actual) == []
    assert reads == ['read("any")']


async def test_the_migrations_of_this_release_apply_to_an_empty_database(database_url: str) -> None:
    assert await pending(database_url) == list_migrations()
    assert await migrate(database_url) == [migration.name for migration in list_migrations()]
    assert await pending(database_url) == []
    assert await ask(database_url, "select count(*) from freehold.projects where id = 'console'") == 1
