"""A dump of PostgreSQL's, such as Supabase's: loaded into a scratch database, and read from there."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import msgspec

from freehold.config import Refusal
from freehold.db.embedded import SUPERUSER, EmbeddedPostgres
from freehold.importing import introspection, postgres
from freehold.schema.sketch import Imported

MAX_DUMP_BYTES = 64 * 1024 * 1024
STATEMENT_TIMEOUT_MS = 20_000
MAX_REFUSALS = 100
ACCOUNTS = "auth.users"

# What Supabase's dumps take for granted: they refer to it, and do not make it.
PRELUDE = """
CREATE SCHEMA IF NOT EXISTS auth;
CREATE SCHEMA IF NOT EXISTS storage;
CREATE SCHEMA IF NOT EXISTS extensions;
CREATE TABLE auth.users (id uuid PRIMARY KEY, email text);
CREATE TABLE storage.buckets (id text PRIMARY KEY, name text);
CREATE TABLE storage.objects (id uuid PRIMARY KEY, bucket_id text, name text, owner uuid);
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS 'SELECT NULL::uuid';
CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE AS 'SELECT NULL::text';
CREATE FUNCTION auth.email() RETURNS text LANGUAGE sql STABLE AS 'SELECT NULL::text';
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT NULL::jsonb';
CREATE FUNCTION extensions.uuid_generate_v4() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()';
CREATE FUNCTION public.uuid_generate_v4() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()';
"""
PRELUDE_NAMES = ("function uuid_generate_v4()",)
ROLES = "CREATE ROLE anon NOLOGIN; CREATE ROLE authenticated NOLOGIN; CREATE ROLE service_role NOLOGIN"

KEPT = re.compile(
    r"(?:CREATE\s+(?:UNLOGGED\s+)?TABLE|CREATE\s+TYPE|CREATE\s+DOMAIN|CREATE\s+SCHEMA|CREATE\s+SEQUENCE"
    r"|CREATE\s+(?:UNIQUE\s+)?INDEX|CREATE\s+POLICY|CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|VIEW)"
    r"|CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?\"?(?:citext|hstore|ltree|pg_trgm)\b"
    r"|CREATE\s+(?:OR\s+REPLACE\s+)?TRIGGER|CREATE\s+MATERIALIZED|ALTER\s+TABLE|ALTER\s+TYPE|ALTER\s+SEQUENCE"
    r"|COMMENT\s+ON)\b",
    re.IGNORECASE,
)
"""What says something about tables. Rows, grants, owners and settings do not, and are not run."""
UNWANTED = re.compile(r"\bOWNER\s+TO\b|\bREPLICA\s+IDENTITY\b", re.IGNORECASE)


class DumpUnreadable(Refusal):
    """The dump cannot be read as SQL."""


def imported(path: Path, *, service: str, namespace: str) -> Imported:
    """The schema of a dump. Raises DumpUnreadable."""
    text = _text(path)
    with tempfile.TemporaryDirectory(prefix="freehold-import-") as folder:
        directory = Path(folder)
        directory.chmod(0o711)
        server = EmbeddedPostgres(directory / "postgresql", durable=False, settings={"max_connections": "8"})
        server.start()
        try:
            database, refused = asyncio.run(_loaded(server, text, namespace))
        finally:
            server.stop()
    if not database.tables:
        first = f" The first statement that was refused: {refused[0]}" if refused else ""
        raise DumpUnreadable(
            f"{path} makes no tables in {namespace}; name another with --namespace.{first} What is read is a"
            " dump that pg_dump wrote as SQL, with --schema-only or without."
        )
    sketch = postgres.sketch_of(database, service=service, accounts=ACCOUNTS)
    for each in refused[:MAX_REFUSALS]:
        sketch.left_out("", f"a statement that PostgreSQL refused: {each}")
    if len(refused) > MAX_REFUSALS:
        sketch.left_out("", f"{len(refused) - MAX_REFUSALS} more statements that PostgreSQL refused")
    return sketch.finished()


def _text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(MAX_DUMP_BYTES + 1)
    if content.startswith(b"PGDMP"):
        raise DumpUnreadable(
            f"{path} is in pg_dump's own format. Make SQL of it: pg_restore --schema-only -f dump.sql {path}"
        )
    if len(content) > MAX_DUMP_BYTES:
        raise DumpUnreadable(
            f"{path} is larger than {MAX_DUMP_BYTES // 1024 // 1024} MB. Dump the schema alone: pg_dump"
            " --schema-only."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DumpUnreadable(f"{path} is not UTF-8: byte {error.start} cannot be read.") from error


async def _loaded(
    server: EmbeddedPostgres, text: str, namespace: str
) -> tuple[introspection.Database, list[str]]:
    """What the dump makes, and the statements that were refused, with why."""
    superuser = await _connected(server.dsn(role=SUPERUSER))
    try:
        await superuser.execute(ROLES)
    finally:
        await superuser.close(timeout=introspection.CONNECT_TIMEOUT_S)
    refused: list[str] = []
    # A dump may come from anyone: an ordinary role loads it, which can reach nothing but this database.
    connection = await _connected(server.dsn())
    try:
        await connection.execute(PRELUDE)
        await connection.execute(
            f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}; SET check_function_bodies = off"
        )
        for statement in statements(text):
            if not KEPT.match(statement) or UNWANTED.search(statement):
                continue
            try:
                await connection.execute(statement)
            except asyncpg.DuplicateSchemaError:
                continue
            except asyncpg.PostgresError as error:
                refused.append(f"{' '.join(statement.split())[:80]}: {error}")
    finally:
        await connection.close(timeout=introspection.CONNECT_TIMEOUT_S)
    database = await introspection.read(server.dsn(), namespace)
    others = [other for other in database.others if other not in PRELUDE_NAMES]
    return msgspec.structs.replace(database, others=others), refused


async def _connected(url: str) -> asyncpg.Connection[asyncpg.Record]:
    return await asyncpg.connect(
        url, timeout=introspection.CONNECT_TIMEOUT_S, command_timeout=introspection.STATEMENT_TIMEOUT_S
    )


_TOKEN = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | (\$(?:[A-Za-z_]\w*)?\$) | --[^\n]* | /\*.*?\*/ | ;
    | ^COPY\s[^;]*\sFROM\s+stdin;\n | ^\\[^\n]*$""",
    re.VERBOSE | re.DOTALL | re.MULTILINE | re.IGNORECASE,
)


def statements(text: str) -> Iterator[str]:
    """The statements of a dump. Rows of COPY, and what is for psql alone, are skipped."""
    start = position = 0
    while found := _TOKEN.search(text, position):
        position = found.end()
        word = found.group()
        if found.group(1):
            closing = text.find(found.group(1), position)
            position = closing + len(found.group(1)) if closing >= 0 else len(text)
        elif word.upper().startswith("COPY"):
            end = text.find("\n\\.", position - 1)
            start = position = end + 3 if end >= 0 else len(text)
        elif word.startswith("\\"):
            start = position
        elif word == ";":
            yield _without_comments(text[start : found.start()])
            start = position
    if text[start:].strip():
        yield _without_comments(text[start:])


def _without_comments(statement: str) -> str:
    return re.sub(r"\A(?:\s|--[^\n]*\n|/\*.*?\*/)+", "", statement, flags=re.DOTALL)
