"""The database: one pool, and one transaction per request that carries the caller's tenant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from app.constraints import TENANT_TABLES
from app.core import codecs
from app.core.access import Principal
from app.core.logs import request_id_var
from app.permissions import TenantId
from app.settings import Settings

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tx:
    """One transaction on behalf of one caller. There is no other way to the tables."""

    connection: Any
    principal: Principal
    tenant_id: TenantId | None

    async def one(self, sql: str, *values: object) -> Row | None:
        row: Row | None = await self.connection.fetchrow(sql, *values)
        return row

    async def all(self, sql: str, *values: object) -> list[Row]:
        rows: list[Row] = await self.connection.fetch(sql, *values)
        return rows

    async def value(self, sql: str, *values: object) -> Any:
        return await self.connection.fetchval(sql, *values)

    async def ids(self, sql: str, *values: object) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in await self.connection.fetch(sql, *values)]

    async def execute(self, sql: str, *values: object) -> None:
        await self.connection.execute(sql, *values)

    async def parts(self, cursor: str, declare: str, *values: object) -> AsyncIterator[list[Row]]:
        """The rows of the cursor that a statement declares, some at a time."""
        await self.connection.execute(declare, *values)
        while rows := await self.connection.fetch(f"fetch 500 from {cursor}"):
            yield rows

    async def many(self, sql: str, values: Sequence[Sequence[object]]) -> None:
        """One statement, once for each of the values."""
        await self.connection.executemany(sql, values)

    @property
    def actor(self) -> str | None:
        """The caller's id as it is written into created_by and updated_by."""
        return self.principal.actor


class Database:
    """The connection pool of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool: Any = None
        self.on_statement: Callable[[Any], None] | None = None
        """Told of every statement after it was run, when it is set before `open`."""

    async def open(self) -> None:
        """Connect, and refuse to serve with a role that row-level security does not hold."""
        settings = self._settings
        self._pool = await asyncpg.create_pool(
            settings.database_url,
            min_size=1,
            max_size=settings.database_pool_size,
            timeout=5,
            command_timeout=20,
            statement_cache_size=0 if settings.pgbouncer else 256,
            init=self._prepare,
            reset=_nothing_to_reset,
            server_settings=connection_settings(settings),
        )
        async with self._pool.acquire(timeout=5) as connection:
            await refuse_unsafe_role(connection)

    async def _prepare(self, connection: Any) -> None:
        await codecs.install(connection)
        if self.on_statement is not None:
            connection.add_query_logger(self.on_statement)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()

    @property
    def pool_size(self) -> tuple[int, int]:
        """Connections: all, idle."""
        return self._pool.get_size(), self._pool.get_idle_size()

    @asynccontextmanager
    async def tx(self, principal: Principal, tenant_id: TenantId | None = None) -> AsyncIterator[Tx]:
        """A transaction in the caller's tenant. It is committed when the block ends, before you answer."""
        tenant_id = tenant_id or principal.tenant_id
        async with self._pool.acquire(timeout=5) as connection:
            # One round trip: asyncpg has no pipeline, but the simple protocol takes two statements.
            await connection.execute(
                "begin; select "
                f"set_config('app.tenant_id', {_literal(tenant_id)}, true), "
                f"set_config('app.actor_id', {_literal(principal.actor)}, true), "
                f"set_config('app.request_id', {_literal(request_id_var.get())}, true)"
            )
            try:
                yield Tx(connection, principal, tenant_id)
            except BaseException:
                await connection.execute("rollback")
                raise
            await connection.execute("commit")

    async def ping(self) -> None:
        async with self._pool.acquire(timeout=2) as connection:
            await connection.execute("select 1", timeout=2)

    async def applied_migrations(self) -> set[str]:
        async with self._pool.acquire(timeout=2) as connection:
            if await connection.fetchval("select to_regclass('schema_migrations')") is None:
                return set()
            rows = await connection.fetch("select version from schema_migrations", timeout=2)
            return {row["version"] for row in rows}


def connection_settings(settings: Settings) -> dict[str, str]:
    """What each connection starts with. Nothing is ever set for a session later on."""
    found = {
        "application_name": settings.service,
        "search_path": quoted(settings.database_schema),
        "statement_timeout": "15000",
        "idle_in_transaction_session_timeout": "30000",
        "timezone": "UTC",
        "standard_conforming_strings": "on",
    }
    if settings.database_role:
        found["role"] = settings.database_role
    return found


async def refuse_unsafe_role(connection: Any) -> None:
    """Row-level security does not bind superusers, BYPASSRLS roles and owners: never serve as one."""
    role = await connection.fetchrow(
        "select rolname, rolsuper, rolbypassrls from pg_roles where rolname = current_user"
    )
    if role["rolsuper"] or role["rolbypassrls"]:
        raise UnsafeRole(
            f"The database role {role['rolname']} bypasses row-level security (superuser or BYPASSRLS). "
            "Let DATABASE_URL or DATABASE_ROLE name app_api, which db/roles.sql makes."
        )
    tables = await connection.fetch(
        """
        select relname, relrowsecurity and relforcerowsecurity as guarded,
               pg_has_role(current_user, relowner, 'usage') as owned
        from pg_class
        where relnamespace = to_regnamespace(quote_ident(current_schema()))::oid and relname = any($1)
        """,
        list(TENANT_TABLES),
    )
    for table in tables:
        if table["owned"]:
            raise UnsafeRole(
                f"The database role {role['rolname']} owns the table {table['relname']}. "
                "Tables belong to app_owner; serve as app_api."
            )
        if not table["guarded"]:
            raise UnsafeRole(f"Row-level security is not enabled and forced on the table {table['relname']}.")


class UnsafeRole(RuntimeError):
    """The service may not run with this database role."""


def quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _literal(value: object) -> str:
    text = "" if value is None else str(value)
    return "'" + text.replace("\0", "").replace("'", "''") + "'"


async def _nothing_to_reset(connection: Any) -> None:
    """Settings are local to a transaction, so that giving a connection back costs no round trip."""
