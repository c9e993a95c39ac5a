"""What a namespace of a database really has, as values that can be compared: for drift, and for tests.

The order of columns is left out: PostgreSQL can only append, and nothing of ours depends on it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from freehold.db.ddl.spelling import quote

if TYPE_CHECKING:
    from asyncpg import Connection

Catalog = dict[str, dict[str, Any]]
"""By kind and name (`column project.name`), what PostgreSQL says of it."""

TABLES = """
SELECT 'table ' || c.relname AS name,
       jsonb_build_object(
           'kind', c.relkind, 'persistence', c.relpersistence, 'row_security', c.relrowsecurity,
           'forced', c.relforcerowsecurity, 'comment', obj_description(c.oid, 'pg_class'),
           'grants', (SELECT jsonb_agg(acl::text ORDER BY acl::text) FROM unnest(c.relacl) AS acl)
       ) AS facts
FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""

COLUMNS = """
SELECT 'column ' || c.relname || '.' || a.attname AS name,
       jsonb_build_object(
           'type', format_type(a.atttypid, a.atttypmod), 'not_null', a.attnotnull,
           'default', pg_get_expr(d.adbin, d.adrelid), 'identity', a.attidentity, 'generated', a.attgenerated,
           'collation', CASE WHEN a.attcollation <> t.typcollation
                             THEN a.attcollation::regcollation::text END,
           'comment', col_description(c.oid, a.attnum)
       ) AS facts
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND a.attnum > 0 AND NOT a.attisdropped
"""

# PostgreSQL 18 lists NOT NULL here too; the column says it already.
CONSTRAINTS = """
SELECT 'constraint ' || c.relname || '.' || k.conname AS name,
       jsonb_build_object(
           'definition', pg_get_constraintdef(k.oid, true), 'validated', k.convalidated,
           'deferrable', k.condeferrable
       ) AS facts
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.connamespace = $1::regnamespace AND k.contype <> 'n'
"""

INDEXES = """
SELECT 'index ' || i.relname AS name,
       jsonb_build_object(
           'definition', pg_get_indexdef(x.indexrelid, 0, true), 'valid', x.indisvalid,
           'unique', x.indisunique, 'primary', x.indisprimary, 'table', c.relname
       ) AS facts
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class c ON c.oid = x.indrelid
WHERE c.relnamespace = $1::regnamespace
"""

POLICIES = """
SELECT 'policy ' || c.relname || '.' || p.polname AS name,
       jsonb_build_object(
           'command', p.polcmd, 'permissive', p.polpermissive, 'using', pg_get_expr(p.polqual, p.polrelid),
           'with_check', pg_get_expr(p.polwithcheck, p.polrelid),
           'roles', (SELECT jsonb_agg(r.oid::regrole::text ORDER BY r.oid::regrole::text)
                     FROM unnest(p.polroles) AS r(oid))
       ) AS facts
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE c.relnamespace = $1::regnamespace
"""

TRIGGERS = """
SELECT 'trigger ' || c.relname || '.' || t.tgname AS name,
       jsonb_build_object('definition', pg_get_triggerdef(t.oid, true), 'enabled', t.tgenabled) AS facts
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = $1::regnamespace AND NOT t.tgisinternal
"""

FUNCTIONS = """
SELECT 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name,
       jsonb_build_object(
           'source', p.prosrc, 'returns', pg_get_function_result(p.oid), 'language', l.lanname,
           'security_definer', p.prosecdef, 'volatility', p.provolatile, 'settings', to_jsonb(p.proconfig),
           'grants', (SELECT jsonb_agg(acl::text ORDER BY acl::text) FROM unnest(p.proacl) AS acl)
       ) AS facts
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = $1::regnamespace AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
)
"""

SEQUENCES = """
SELECT 'identity ' || c.relname || '.' || a.attname AS name,
       jsonb_build_object(
           'start', s.seqstart, 'step', s.seqincrement, 'most', s.seqmax, 'least', s.seqmin,
           'cycles', s.seqcycle
       ) AS facts
FROM pg_sequence s
JOIN pg_depend d ON d.objid = s.seqrelid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('i', 'a')
JOIN pg_class c ON c.oid = d.refobjid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE c.relnamespace = $1::regnamespace
"""

QUERIES = (TABLES, COLUMNS, CONSTRAINTS, INDEXES, POLICIES, TRIGGERS, FUNCTIONS, SEQUENCES)


async def read(connection: Connection[Any], namespace: str) -> Catalog:
    """Everything in a namespace. Its own name is in none of the values, so that two namespaces compare."""
    found: Catalog = {}
    async with connection.transaction(readonly=True):
        # Names in definitions are spelled without the namespace when it is the one that is searched.
        await connection.execute("SELECT set_config('search_path', $1, true)", quote(namespace))
        for query in QUERIES:
            for record in await connection.fetch(query, quote(namespace)):
                facts = record["facts"]
                found[record["name"]] = json.loads(facts) if isinstance(facts, (str, bytes)) else facts
    return found


def differences(expected: Catalog, actual: Catalog) -> list[str]:
    """What differs, a line each; empty when two namespaces cannot be told apart."""
    lines: list[str] = []
    for name in sorted({*expected, *actual}):
        if name not in actual:
            lines.append(f"- {name}: {json.dumps(expected[name])}")
        elif name not in expected:
            lines.append(f"+ {name}: {json.dumps(actual[name])}")
        else:
            for fact, wanted in expected[name].items():
                found = actual[name].get(fact)
                if found != wanted:
                    lines.append(f"~ {name}.{fact}: {json.dumps(found)} instead of {json.dumps(wanted)}")
    return lines
