"""What a PostgreSQL database says of its tables: columns, keys, checks, indexes, policies, comments."""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

from freehold.config import Refusal

CONNECT_TIMEOUT_S = 15
STATEMENT_TIMEOUT_S = 60


class DatabaseUnreadable(Refusal):
    """The database cannot be reached, or does not let us look."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    type: str
    """As PostgreSQL spells it, domains resolved: `character varying(20)`, `numeric(12,2)`, `text[]`."""
    not_null: bool
    default: str | None = None
    is_identity: bool = False
    is_generated: bool = False
    expression: str | None = None
    """Of a generated column: what it is made of."""
    labels: list[str] | None = None
    """Of an enum type, or an array of one."""
    domain: str | None = None
    comment: str | None = None


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A primary key or a unique constraint."""

    name: str
    columns: list[str]


class ForeignKey(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    columns: list[str]
    namespace: str
    table: str
    target_columns: list[str]
    on_delete: str
    """`a` no action, `r` restrict, `c` cascade, `n` set null, `d` set default."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    columns: list[str]
    expression: str


class Index(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    method: str
    is_unique: bool
    columns: list[str | None]
    """None is an expression."""
    descending: list[bool]
    condition: str | None = None
    definition: str


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    command: str
    roles: list[str]
    using: str | None = None
    check: str | None = None


class Table(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    comment: str | None = None
    row_security: bool = False
    columns: list[Column] = []
    primary_key: Key | None = None
    uniques: list[Key] = []
    foreign_keys: list[ForeignKey] = []
    checks: list[Check] = []
    indexes: list[Index] = []
    policies: list[Policy] = []
    triggers: list[str] = []


class Database(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    namespace: str
    tables: list[Table] = []
    others: list[str] = []
    """What there is besides tables: `view active_users`, `function total(integer)`."""


# One statement, one JSON: all of it is of one moment.
QUERY = """
WITH RECURSIVE space AS (SELECT oid FROM pg_namespace WHERE nspname = $1),
domains AS (
    SELECT t.oid, t.oid AS base, -1 AS modifier, NULL::name AS domain FROM pg_type t WHERE t.typtype <> 'd'
    UNION ALL
    SELECT t.oid, d.base, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE d.modifier END, t.typname
    FROM pg_type t JOIN domains d ON d.oid = t.typbasetype WHERE t.typtype = 'd'
),
own AS (
    SELECT c.oid, c.relname, c.relrowsecurity FROM pg_class c, space
    WHERE c.relnamespace = space.oid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = c.oid AND e.deptype = 'e')
),
columns AS (
    SELECT a.attrelid, jsonb_agg(jsonb_build_object(
        'name', a.attname,
        'type', format_type(d.base, CASE WHEN a.atttypmod >= 0 THEN a.atttypmod ELSE d.modifier END),
        'not_null', a.attnotnull,
        'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(f.adbin, f.adrelid) END,
        'expression', CASE WHEN a.attgenerated <> '' THEN pg_get_expr(f.adbin, f.adrelid) END,
        'is_identity', a.attidentity <> '', 'is_generated', a.attgenerated <> '',
        'labels', (SELECT jsonb_agg(l.enumlabel ORDER BY l.enumsortorder) FROM pg_enum l
                   WHERE l.enumtypid IN (b.oid, CASE WHEN b.typlen = -1 THEN b.typelem END)),
        'domain', d.domain, 'comment', col_description(a.attrelid, a.attnum)
    ) ORDER BY a.attnum) AS found
    FROM pg_attribute a JOIN own ON own.oid = a.attrelid
    JOIN domains d ON d.oid = a.atttypid JOIN pg_type b ON b.oid = d.base
    LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped GROUP BY 1
),
constraints AS (
    SELECT k.conrelid, k.contype::text AS contype, jsonb_build_object(
        'name', k.conname, 'columns', names.own, 'namespace', n.nspname, 'table', t.relname,
        'target_columns', names.other, 'on_delete', k.confdeltype::text,
        'expression', pg_get_expr(k.conbin, k.conrelid)
    ) AS found, k.oid
    FROM pg_constraint k JOIN own ON own.oid = k.conrelid
    LEFT JOIN pg_class t ON t.oid = k.confrelid LEFT JOIN pg_namespace n ON n.oid = t.relnamespace,
    LATERAL (SELECT
        coalesce((SELECT jsonb_agg(a.attname ORDER BY u.at)
            FROM unnest(k.conkey) WITH ORDINALITY u(number, at)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number), '[]') AS own,
        coalesce((SELECT jsonb_agg(a.attname ORDER BY u.at)
            FROM unnest(k.confkey) WITH ORDINALITY u(number, at)
            JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number), '[]') AS other
    ) names
    WHERE k.contype IN ('p', 'u', 'f', 'c') AND k.conparentid = 0
),
indexes AS (
    SELECT x.indrelid, jsonb_agg(jsonb_build_object(
        'name', i.relname, 'method', m.amname, 'is_unique', x.indisunique,
        'columns', (SELECT jsonb_agg(a.attname ORDER BY u.at)
            FROM unnest(x.indkey::int2[]) WITH ORDINALITY u(number, at)
            LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = u.number AND u.number > 0
            WHERE u.at <= x.indnkeyatts),
        'descending', (SELECT jsonb_agg((o.bits & 1) = 1 ORDER BY o.at)
            FROM unnest(x.indoption::int2[]) WITH ORDINALITY o(bits, at) WHERE o.at <= x.indnkeyatts),
        'condition', pg_get_expr(x.indpred, x.indrelid), 'definition', pg_get_indexdef(i.oid)
    ) ORDER BY i.oid) AS found
    FROM pg_index x JOIN own ON own.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_am m ON m.oid = i.relam
    WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))
    GROUP BY 1
),
policies AS (
    SELECT p.polrelid, jsonb_agg(jsonb_build_object(
        'name', p.polname, 'command', p.polcmd::text,
        'roles', (SELECT jsonb_agg(CASE WHEN r.oid = 0 THEN 'public' ELSE r.oid::regrole::text END)
                  FROM unnest(p.polroles) r(oid)),
        'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid)
    ) ORDER BY p.oid) AS found
    FROM pg_policy p JOIN own ON own.oid = p.polrelid GROUP BY 1
),
triggers AS (
    SELECT t.tgrelid, jsonb_agg(t.tgname ORDER BY t.oid) AS found
    FROM pg_trigger t JOIN own ON own.oid = t.tgrelid WHERE NOT t.tgisinternal GROUP BY 1
),
others AS (
    SELECT CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' ELSE 'foreign table ' END
           || c.relname AS name
    FROM pg_class c, space WHERE c.relnamespace = space.oid AND c.relkind IN ('v', 'm', 'f')
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = c.oid AND e.deptype = 'e')
    UNION ALL
    SELECT 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'
    FROM pg_proc p, space WHERE p.pronamespace = space.oid
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = p.oid AND e.deptype = 'e')
)
SELECT jsonb_build_object(
    'name', current_database(), 'namespace', $1::text,
    'tables', coalesce((SELECT jsonb_agg(jsonb_build_object(
        'name', own.relname, 'comment', obj_description(own.oid, 'pg_class'),
        'row_security', own.relrowsecurity,
        'columns', coalesce((SELECT found FROM columns WHERE attrelid = own.oid), '[]'),
        'primary_key', (SELECT found FROM constraints WHERE conrelid = own.oid AND contype = 'p'),
        'uniques', (SELECT coalesce(jsonb_agg(found ORDER BY oid), '[]') FROM constraints
                    WHERE conrelid = own.oid AND contype = 'u'),
        'foreign_keys', (SELECT coalesce(jsonb_agg(found ORDER BY oid), '[]') FROM constraints
                         WHERE conrelid = own.oid AND contype = 'f'),
        'checks', (SELECT coalesce(jsonb_agg(found ORDER BY oid), '[]') FROM constraints
                   WHERE conrelid = own.oid AND contype = 'c'),
        'indexes', coalesce((SELECT found FROM indexes WHERE indrelid = own.oid), '[]'),
        'policies', coalesce((SELECT found FROM policies WHERE polrelid = own.oid), '[]'),
        'triggers', coalesce((SELECT found FROM triggers WHERE tgrelid = own.oid), '[]')
    ) ORDER BY own.oid) FROM own), '[]'),
    'others', coalesce((SELECT jsonb_agg(name ORDER BY name) FROM others), '[]')
)
"""


async def read(url: str, namespace: str) -> Database:
    """What a namespace of a database holds. Raises DatabaseUnreadable."""
    try:
        connection = await asyncpg.connect(
            url, timeout=CONNECT_TIMEOUT_S, command_timeout=STATEMENT_TIMEOUT_S, statement_cache_size=0
        )
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError, TimeoutError) as error:
        raise DatabaseUnreadable(
            f"The database cannot be reached: {error or type(error).__name__}. Look at the URL:"
            " postgresql://user:password@host:5432/database."
        ) from error
    try:
        async with connection.transaction(readonly=True):
            # Names of types and in expressions are spelled without the namespace that is searched.
            await connection.execute("SELECT set_config('search_path', quote_ident($1), true)", namespace)
            found = await connection.fetchval(QUERY, namespace)
    except asyncpg.PostgresError as error:
        raise DatabaseUnreadable(f"The database does not let us look: {error}") from error
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT_S)
    return msgspec.json.decode(found, type=Database, strict=False)


async def namespaces(connection: asyncpg.Connection[Any]) -> list[str]:
    """The namespaces that have tables, but for PostgreSQL's own."""
    rows = await connection.fetch(
        "SELECT DISTINCT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
        " ORDER BY 1"
    )
    return [str(row["nspname"]) for row in rows]
