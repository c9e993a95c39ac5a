"""`python -m app.api_key issue|list|revoke`: the API keys of servers, as the owner of the tables."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import string
import sys
from typing import Any, NoReturn

import asyncpg
from pydantic import TypeAdapter, ValidationError

from app.core.api_keys import digest
from app.core.db import quoted
from app.permissions import PERMISSIONS, ROLES, TenantId

SCOPES = sorted({permission for table in PERMISSIONS.values() for permission in table})
MOST_LISTED = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    issue = commands.add_parser("issue", help="print a new key: it is shown this once")
    issue.add_argument("--name", required=True, help="what it is for")
    issue.add_argument("--role", required=True, action="append", choices=[*ROLES, "service"])
    issue.add_argument("--tenant", default="")
    issue.add_argument("--scope", default=[], action="append", choices=SCOPES, metavar="ENTITY:ACTION")
    issue.add_argument("--days", type=int, default=0, help="how long it is good; for ever without it")
    commands.add_parser("list", help="every key: id, name, tenant, roles, scopes, expiry, revocation, last use")
    commands.add_parser("revoke", help="refuse a key from now on").add_argument("id")
    arguments = parser.parse_args()
    if arguments.command == "issue":
        _check(parser, arguments)
    print(asyncio.run(_run(arguments)))


def new_key(environment: str) -> tuple[str, str]:
    """A new key and its id."""
    key_id = _random(string.ascii_lowercase + string.digits, 10)
    secret = _random(string.ascii_letters + string.digits, 32)
    return f"ak_{'prod' if environment == 'production' else 'dev'}_{key_id}_{secret}", key_id


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _check(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    if not 1 <= len(arguments.name) <= 200 or not arguments.name.isprintable():
        parser.error("--name should have 1 to 200 printable characters")
    if not 0 <= arguments.days <= 3650:
        parser.error("--days should be a number up to 3650")
    try:
        if arguments.tenant:
            TypeAdapter(TenantId).validate_python(arguments.tenant)
    except ValidationError:
        parser.error("--tenant should be the id of a tenant")


async def _run(arguments: argparse.Namespace) -> str:
    url = os.environ.get("MIGRATE_DATABASE_URL") or os.environ.get("DATABASE_URL") or ""
    if not url:
        _refuse("MIGRATE_DATABASE_URL is missing: a login that may act as app_owner.")
    options = {"search_path": quoted(os.environ.get("DATABASE_SCHEMA") or "public")}
    if role := os.environ.get("MIGRATE_ROLE"):
        options["role"] = role
    connection = await asyncpg.connect(url, timeout=10, command_timeout=10, server_settings=options)
    try:
        return await COMMANDS[arguments.command](connection, arguments)
    finally:
        await connection.close()


def _refuse(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)
    sys.exit(2)


async def _issue(connection: Any, arguments: argparse.Namespace) -> str:
    key, key_id = new_key(os.environ.get("ENVIRONMENT", ""))
    await connection.execute(
        """
        insert into api_key (id, hash, name, tenant, roles, scopes, expires_at)
        values ($1, $2, $3, nullif($4, ''), $5, $6, now() + nullif($7::integer, 0) * interval '1 day')
        """,
        key_id,
        digest(key),
        arguments.name,
        arguments.tenant,
        arguments.role,
        arguments.scope,
        arguments.days,
    )
    return key


async def _list(connection: Any, arguments: argparse.Namespace) -> str:
    rows = await connection.fetch(
        """
        select concat_ws(E'\\t', id, name, coalesce(tenant, 'no tenant'), array_to_string(roles, ' '),
                         coalesce(nullif(array_to_string(scopes, ' '), ''), 'all scopes'),
                         coalesce('until ' || expires_at, 'for ever'),
                         coalesce('revoked ' || revoked_at, 'good'),
                         coalesce('used ' || last_used_at, 'never used')) as line
        from api_key
        order by created_at desc, id
        limit $1
        """,
        MOST_LISTED,
    )
    return "\n".join(row["line"] for row in rows)


async def _revoke(connection: Any, arguments: argparse.Namespace) -> str:
    revoked = await connection.fetchval(
        "update api_key set revoked_at = now() where id = $1 and revoked_at is null returning id", arguments.id
    )
    if revoked is None:
        _refuse(f"There is no key {arguments.id} that is not revoked already.")
    return f"revoked {revoked}"


COMMANDS = {"issue": _issue, "list": _list, "revoke": _revoke}

if __name__ == "__main__":
    main()
