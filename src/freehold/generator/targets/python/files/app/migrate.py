"""`python -m app.migrate up|down|status|drift|baseline|roles|seed`: plain SQL files, applied in order, each once.

The files and the table `schema_migrations` are those of dbmate, which can take over at any time.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

FOLDER = Path(__file__).parents[1] / "db" / "migrations"
LOCK = 7_310_591_846_021_355_009
CONCURRENTLY = re.compile(r"\s+concurrently\s+", re.IGNORECASE)
BLOCK = re.compile(r"^-- migrate:(up|down)([^\n]*)\n(.*?)(?=^-- migrate:|\Z)", re.MULTILINE | re.DOTALL)


# What only the service has: no other maker of its tables has made it.
OWN = ("_create_idempotency_keys.sql", "_create_api_keys.sql", "_to_its_members.sql")

# Who serves, and who runs jobs across tenants, writes the audit log through triggers and reads what was migrated;
# neither rewrites any of it, nor issues API keys.
KEEP_HISTORY = """
do $$
declare
    holder text;
begin
    for holder in select rolname from pg_roles where rolname in ('app_api', 'app_admin') loop
        execute format('revoke insert, update, delete on schema_migrations from %I', holder);
        if to_regclass('audit_log') is not null then
            execute format('revoke update, delete on audit_log from %I', holder);
        end if;
        if to_regclass('api_key') is not null then
            execute format('revoke insert, update, delete on api_key from %I', holder);
            execute format('grant update (last_used_at) on api_key to %I', holder);
        end if;
        if to_regprocedure('freehold_services.session(text, text, bytea, text)') is not null then
            execute format('grant usage on schema freehold_services to %I', holder);
            execute format('grant execute on function freehold_services.session to %I', holder);
        end if;
    end loop;
end
$$
"""


class MigrationError(SystemExit):
    """The migrations cannot go on; the message says why and what to do."""


def files() -> dict[str, Path]:
    """The migrations by version, in order."""
    found = sorted(FOLDER.glob("*.sql"), key=lambda path: path.name)
    return {path.name.partition("_")[0]: path for path in found}


def versions() -> list[str]:
    return list(files())


def block(path: Path, direction: str) -> tuple[str, bool]:
    """The SQL of one direction, and whether it runs in a transaction."""
    for name, options, sql in BLOCK.findall(path.read_text()):
        if name == direction:
            return sql.strip(), "transaction:false" not in options
    raise MigrationError(f"{path.name} has no block `-- migrate:{direction}`.")


def checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@asynccontextmanager
async def session(url: str, schema: str, role: str) -> AsyncIterator[Any]:
    """A connection that holds the lock: polled, since a waiting one would deadlock CREATE INDEX CONCURRENTLY."""
    options = {"search_path": '"' + schema.replace('"', '""') + '"'} | ({"role": role} if role else {})
    connection = await asyncpg.connect(url, timeout=10, server_settings=options)
    try:
        for _ in range(240):
            if await connection.fetchval("select pg_try_advisory_lock($1)", LOCK):
                break
            await asyncio.sleep(0.5)
        else:
            raise MigrationError("Another migration has been running for two minutes; try again when it is done.")
        await connection.execute(
            "create table if not exists schema_migrations (version varchar(128) primary key);"
            "alter table schema_migrations add column if not exists checksum text;"
            "alter table schema_migrations add column if not exists applied_at timestamptz(3) default now()"
        )
        yield connection
    finally:
        await connection.close()


async def applied(connection: Any) -> dict[str, str | None]:
    rows = await connection.fetch("select version, checksum from schema_migrations order by version")
    return {row["version"]: row["checksum"] for row in rows}


async def up(connection: Any) -> None:
    """Apply what is missing. A migration that was edited after it was applied stops everything."""
    done = await applied(connection)
    for version, path in files().items():
        if version not in done:
            await _run(connection, path, "up", "insert into schema_migrations values ($1, $2)", version, checksum(path))
            print(f"applied {path.name}")
        elif done[version] not in (None, checksum(path)):
            raise MigrationError(f"{path.name} was edited after it was applied. Restore it, and add a new migration.")
    await connection.execute(KEEP_HISTORY)


async def down(connection: Any) -> None:
    """Undo the last migration."""
    done = await applied(connection)
    if not done:
        raise MigrationError("Nothing is applied.")
    version = max(done)
    path = files().get(version)
    if path is None:
        raise MigrationError(f"The last migration, {version}, is not among the files of this version of the service.")
    await _run(connection, path, "down", "delete from schema_migrations where version = $1", version)
    print(f"undid {path.name}")


async def _run(connection: Any, path: Path, direction: str, record: str, *values: object) -> None:
    sql, transactional = block(path, direction)
    for attempt in range(5):
        try:
            if not transactional:
                await _drop_invalid_index(connection, sql)
                await connection.execute(sql)
                await connection.execute(record, *values)
                return
            async with connection.transaction():
                await connection.execute(sql)
                await connection.execute(record, *values)
            return
        except asyncpg.LockNotAvailableError:
            if attempt == 4:
                raise
            await asyncio.sleep(1 + random.random())  # noqa: S311


async def _drop_invalid_index(connection: Any, sql: str) -> None:
    """A failed concurrent build leaves an invalid index behind, which `if not exists` would take for good."""
    match = re.search(r"create (?:unique )?index concurrently (?:if not exists )?([^\s(]+)", sql, re.IGNORECASE)
    if match is None:
        return
    invalid = "select 1 from pg_index where indexrelid = to_regclass($1) and not indisvalid"
    if await connection.fetchval(invalid, match[1]):
        await connection.execute(f"drop index concurrently {match[1]}")


async def status(connection: Any) -> None:
    done = await applied(connection)
    for version, path in files().items():
        print(f"{'applied' if version in done else 'pending'}  {path.name}")
    for version in sorted(set(done) - set(files())):
        print(f"unknown  {version} (applied by a newer version of the service)")


COLUMNS = """
    select c.relname || '.' || a.attname as name,
           format_type(a.atttypid, a.atttypmod) as type,
           a.attnotnull as required,
           a.atthasdef or a.attidentity <> '' or a.attgenerated <> '' as filled,
           c.relrowsecurity as guarded
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = (select oid from pg_namespace where nspname = $1)
      and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
"""


async def baseline(connection: Any) -> None:
    """Mark every migration as applied on a database that has these tables already, after comparing them."""
    schema = await connection.fetchval("select current_schema()")
    for path in files().values():
        if path.name.endswith(OWN):
            await connection.execute(block(path, "up")[0])
    actual = {row["name"]: row for row in await connection.fetch(COLUMNS, schema)}
    async with made_anew(connection, files().values()) as scratch:
        wanted = {row["name"]: row for row in await connection.fetch(COLUMNS, scratch)}
    faults = differences(wanted, actual)
    if faults:
        raise MigrationError("The tables are not the ones of this service:\n" + "".join(f"  {f}\n" for f in faults))
    for version, path in files().items():
        await connection.execute(
            "insert into schema_migrations values ($1, $2) on conflict do nothing", version, checksum(path)
        )
        print(f"marked {path.name}")
    await _grant(connection, schema)


@asynccontextmanager
async def made_anew(connection: Any, migrations: Iterable[Path]) -> AsyncIterator[str]:
    """What the migrations make, in a schema of its own that is searched meanwhile, and rolled back."""
    scratch = "scratch_" + os.urandom(4).hex()
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"create schema {scratch}; set local search_path = {scratch}")
        for path in migrations:
            await connection.execute(CONCURRENTLY.sub(" ", block(path, "up")[0]))
        yield scratch
    except asyncpg.InsufficientPrivilegeError as error:
        raise MigrationError(f"{error}. Run `roles` again as the administrator: it lets app_owner make a schema.") from error
    finally:
        await transaction.rollback()


async def drift(connection: Any, *, as_json: bool = False) -> None:
    """Compare what is there with what the applied migrations make, and exit with 2 when it differs."""
    done = await applied(connection)
    known = files()
    for version, checksum_then in done.items():
        if version not in known:
            raise MigrationError(f"{version} was applied by a newer version of the service: ask that one.")
        if checksum_then not in (None, checksum(known[version])):
            raise MigrationError(f"{known[version].name} was edited after it was applied. Restore it.")
    query = (FOLDER.parent / "catalog.sql").read_text()
    actual = facts(await connection.fetch(query))
    async with made_anew(connection, [path for version, path in known.items() if version in done]):
        wanted = facts(await connection.fetch(query))
    found = drifts(wanted, actual)
    if as_json:
        print(json.dumps({"drift": found}))
    for each in () if as_json else found:
        print(told(each))
    if found:
        raise SystemExit(2)
    if not as_json:
        print("The database is what its applied migrations say.")


Facts = dict[str, dict[str, str]]


def facts(rows: Iterable[Any]) -> Facts:
    found: Facts = {}
    for row in rows:
        found.setdefault(row["name"], {})[row["fact"]] = row["value"]
    return found


def drifts(wanted: Facts, actual: Facts) -> list[dict[str, str | None]]:
    """Each object that is missing or extra, without what belongs to it, and each fact that differs."""
    found: list[dict[str, str | None]] = []
    for name in sorted({*wanted, *actual}):
        table = "table " + name.partition(" ")[2].partition(".")[0]
        if name not in actual:
            if name == table or table in actual or table not in wanted:
                found.append({"object": name, "drift": "missing"})
        elif name not in wanted:
            if name == table or table in wanted or table not in actual:
                found.append({"object": name, "drift": "extra"})
        else:
            is_, should_be = actual[name], wanted[name]
            found += [
                {"object": name, "drift": "differs", "fact": fact, "is": is_.get(fact), "should_be": should_be.get(fact)}
                for fact in sorted({*is_, *should_be})
                if is_.get(fact) != should_be.get(fact)
            ]
    return found


def told(drift: dict[str, str | None]) -> str:
    line = f"{drift['drift']:<7}  {drift['object']}"
    if drift["drift"] != "differs":
        return line
    is_, should_be = ("not there" if value is None else value or "empty" for value in (drift["is"], drift["should_be"]))
    return f"{line}: {drift['fact']} is {is_}, and should be {should_be}"


async def _grant(connection: Any, schema: str) -> None:
    """What db/roles.sql arranges for tables that the migrations make, for tables that were there before."""
    if not await connection.fetchval("select 1 from pg_roles where rolname = 'app_api'"):
        print("there is no role app_api yet: make it, and run this again")
        return
    namespace = '"' + schema.replace('"', '""') + '"'
    if not await connection.fetchval("select has_database_privilege('app_api', current_database(), 'connect')"):
        database = await connection.fetchval("select quote_ident(current_database())")
        await connection.execute(f"grant connect on database {database} to app_api")
    await connection.execute(
        f"grant usage on schema {namespace} to app_api;"
        f"grant select, insert, update, delete on all tables in schema {namespace} to app_api;"
        f"alter default privileges in schema {namespace} grant select, insert, update, delete on tables to app_api"
    )
    await connection.execute(KEEP_HISTORY)
    print(f"app_api may use the tables of {schema}")


def differences(wanted: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    """What keeps the service from working on the actual tables. Further columns may be there if they fill in."""
    faults = []
    for name, column in sorted(wanted.items()):
        found = actual.get(name)
        if found is None:
            faults.append(f"{name} is missing")
        elif found["type"] != column["type"]:
            faults.append(f"{name} is {found['type']}, and should be {column['type']}")
        elif found["required"] != column["required"]:
            faults.append(f"{name} should {'not ' if column['required'] else ''}be nullable")
        elif column["guarded"] and not found["guarded"]:
            faults.append(f"{name}: row-level security is not enabled on its table")
    tables = {name.partition(".")[0] for name in wanted}
    for name, column in sorted(actual.items()):
        new = name.partition(".")[0] in tables and name not in wanted
        if new and column["required"] and not column["filled"]:
            faults.append(f"{name} is required, and the service does not know it")
    return faults


COMMANDS: dict[str, Callable[[Any], Awaitable[None]]] = {"up": up, "down": down, "status": status, "drift": drift, "baseline": baseline}


@asynccontextmanager
async def administrator() -> AsyncIterator[Any]:
    url = os.environ.get("ADMIN_DATABASE_URL") or ""
    if not url:
        raise MigrationError("ADMIN_DATABASE_URL is missing: a login that may create roles. `make` reads it from .env, a copy of .env.example.")
    connection = await asyncpg.connect(url, timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


async def roles() -> None:
    """Run db/roles.sql as the administrator, and give app_api the password of APP_API_PASSWORD, if there is one."""
    async with administrator() as connection:
        await connection.execute((FOLDER.parent / "roles.sql").read_text())
        password = os.environ.get("APP_API_PASSWORD")
        if password:
            alter = await connection.fetchval("select format('alter role app_api password %L', $1::text)", password)
            await connection.execute(alter)
    print("the roles app_owner, app_api and app_admin are there")


async def seed() -> None:
    """Run db/seed.sql as app_admin: rows to try the service with."""
    if os.environ.get("ENVIRONMENT") == "production":
        raise MigrationError("The seeds are for development, and ENVIRONMENT is production.")
    async with administrator() as connection:
        await connection.execute("set role app_admin")
        await connection.execute((FOLDER.parent / "seed.sql").read_text())
    print("the rows of db/seed.sql are there")


ADMINISTRATION = {"roles": roles, "seed": seed}


async def main(command: str, *, as_json: bool = False) -> None:
    if command in ADMINISTRATION:
        await ADMINISTRATION[command]()
        return
    url = os.environ.get("MIGRATE_DATABASE_URL") or os.environ.get("DATABASE_URL") or ""
    if not url:
        raise MigrationError("MIGRATE_DATABASE_URL is missing: a login that may act as app_owner.")
    schema = os.environ.get("DATABASE_SCHEMA") or "public"
    async with session(url, schema, os.environ.get("MIGRATE_ROLE") or "") as connection:
        await (drift(connection, as_json=True) if as_json else COMMANDS[command](connection))


if __name__ == "__main__":
    words = sys.argv[1:]
    as_json = words == ["drift", "--json"]
    if not as_json and (len(words) != 1 or words[0] not in (*COMMANDS, *ADMINISTRATION)):
        sys.exit(f"usage: python -m app.migrate {'|'.join((*COMMANDS, *ADMINISTRATION))}; drift takes --json")
    asyncio.run(main(words[0], as_json=as_json))
