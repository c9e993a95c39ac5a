"""Directus: one Node process over the same PostgreSQL, from npm."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import urllib.parse
import uuid
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import uvloop

from bench import processes
from bench.dataset import (
    EMAIL,
    LISTED_STATUS,
    PAGE,
    PASSWORD,
    Customer,
    Dataset,
    Order,
    Parcel,
    bulk,
    created,
)
from bench.load import Workload, request
from bench.peers import (
    BULK_CONNECTIONS,
    Operation,
    PeerError,
    Running,
    Setting,
    free_port,
    last_lines,
    must,
    wait_until_answering,
)
from freehold.db.embedded import SUPERUSER

VERSION = "11.3.5"
"""The newest that runs on Node 20; later ones ask for Node 22."""
INSTALL_TIMEOUT_S = 1200

ADMIN = {"email": "admin@example.com", "password": "bench-admin-password"}
DATABASE = "directus"
SOMEBODY_ELSE = "00000000-0000-4000-8000-000000000000"


class Directus:
    name = "directus"

    def install(self, setting: Setting) -> None:
        home = self._home(setting)
        if (home / "version").exists():
            return
        if shutil.which("npm") is None:
            raise PeerError("npm is not installed.")
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_text('{"private": true}\n')
        setting.say(f"directus: npm install directus@{VERSION} (a few minutes, once)")
        log = setting.cache / "directus-install.log"
        with log.open("wb") as output:
            installed = subprocess.run(
                ["nice", "-n", "15", "npm", "install", "--no-audit", "--no-fund", f"directus@{VERSION}"],
                cwd=home,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=INSTALL_TIMEOUT_S,
                check=False,
            )
        if installed.returncode:
            raise PeerError(f"npm could not install directus@{VERSION}:\n{last_lines(log)}")
        (home / "version").write_text(VERSION)

    def start(self, setting: Setting) -> Running:
        home, log, port = self._home(setting), setting.folder / "directus.log", free_port()
        uvloop.run(_create_database(setting))
        program = ["node", str(home / "node_modules" / "directus" / "cli.js")]
        environment = self._environment(setting, port)
        setting.say("directus: making its tables")
        with log.open("wb") as output:
            made = subprocess.run(
                [*program, "bootstrap"],
                cwd=setting.folder,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=180,
                check=False,
            )
        if made.returncode:
            raise PeerError(f"directus bootstrap failed:\n{last_lines(log)}")
        process = processes.start(
            [*program, "start"], core=setting.server_core, log=log, env=environment, cwd=setting.folder
        )
        try:
            base = f"http://127.0.0.1:{port}"
            wait_until_answering(f"{base}/server/ping", seconds=120, log=log)
            with httpx.Client(base_url=base, timeout=60) as client:
                user, token = _prepare(client)
                uvloop.run(_fill(setting, user))
                _check(client, setting.dataset, token)
        except BaseException:
            processes.stop(process)
            raise
        return Running(
            address=("127.0.0.1", port),
            root=process.pid,
            workloads=_workloads(setting.dataset, token, f"127.0.0.1:{port}"),
            about=(
                f"Directus {VERSION} (Node {_node_version()}, the same PostgreSQL), user's access token,"
                " rule `owner = $CURRENT_USER`, of orders and parcels that of their customer, rate and"
                " pressure limits off, log at errors only"
            ),
            stop=lambda: processes.stop(process),
        )

    def _home(self, setting: Setting) -> Path:
        return setting.cache / "directus"

    def _environment(self, setting: Setting, port: int) -> dict[str, str]:
        return os.environ | {
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "DB_CLIENT": "pg",
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(setting.postgres.port),
            "DB_DATABASE": DATABASE,
            "DB_USER": SUPERUSER,
            "DB_PASSWORD": setting.postgres.password(SUPERUSER),
            "KEY": str(uuid.uuid4()),
            "SECRET": secrets.token_urlsafe(32),
            "ADMIN_EMAIL": ADMIN["email"],
            "ADMIN_PASSWORD": ADMIN["password"],
            "ACCESS_TOKEN_TTL": "2h",
            "RATE_LIMITER_ENABLED": "false",
            "PRESSURE_LIMITER_ENABLED": "false",
            "LOG_LEVEL": "error",
            "TELEMETRY": "false",
            "NODE_ENV": "production",
        }


async def _create_database(setting: Setting) -> None:
    connection = await asyncpg.connect(setting.postgres.dsn(role=SUPERUSER, database="postgres"))
    try:
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


def _prepare(client: httpx.Client) -> tuple[str, str]:
    """Make the collection, the policy and the user; return the user's id and token."""
    admin = {"Authorization": f"Bearer {_post(client, '/auth/login', ADMIN)['access_token']}"}

    def field(name: str, kind: str, special: list[str] | None = None, **schema: Any) -> dict[str, Any]:
        return {"field": name, "type": kind, "schema": schema, "meta": {"special": special}}

    _post(
        client,
        "/collections",
        {
            "collection": "customers",
            "schema": {},
            "meta": {},
            "fields": [
                field("id", "uuid", ["uuid"], is_primary_key=True, has_auto_increment=False, length=36),
                field("name", "string", max_length=160, is_nullable=False),
                field("email", "string", max_length=254),
                field("city", "string", max_length=80),
                field("status", "string", max_length=16),
                field("amount", "integer"),
                field("owner", "uuid"),
                field("created", "timestamp", ["date-created"]),
                field("updated", "timestamp", ["date-updated"]),
            ],
        },
        admin,
    )
    for name, relation, parent in (("orders", "customer", "customers"), ("parcels", "order", "orders")):
        _post(
            client,
            "/collections",
            {
                "collection": name,
                "schema": {},
                "meta": {},
                "fields": [
                    field("id", "uuid", ["uuid"], is_primary_key=True, has_auto_increment=False, length=36),
                    field("number", "integer", is_nullable=False, is_unique=True),
                    field(relation, "uuid", ["m2o"]),
                ],
            },
            admin,
        )
        related = {"collection": name, "field": relation, "related_collection": parent}
        _post(client, "/relations", {**related, "schema": {"on_delete": "CASCADE"}}, admin)
    role = _post(client, "/roles", {"name": "member"}, admin)["id"]
    policy = _post(
        client, "/policies", {"name": "own rows", "app_access": False, "admin_access": False}, admin
    )["id"]
    _post(client, "/access", {"role": role, "policy": policy}, admin)
    mine = {"owner": {"_eq": "$CURRENT_USER"}}
    of_mine = {"customer": mine}
    for permission in (
        {"collection": "customers", "action": "read", "permissions": mine, "fields": ["*"]},
        {"collection": "orders", "action": "read", "permissions": of_mine, "fields": ["*"]},
        {"collection": "parcels", "action": "read", "permissions": {"order": of_mine}, "fields": ["*"]},
        {
            "collection": "customers",
            "action": "create",
            "permissions": {},
            "fields": ["*"],
            "presets": {"owner": "$CURRENT_USER"},
        },
        {
            "collection": "directus_users",
            "action": "read",
            "permissions": {"id": {"_eq": "$CURRENT_USER"}},
            "fields": ["*"],
        },
    ):
        _post(client, "/permissions", {**permission, "policy": policy}, admin)
    user = _post(client, "/users", {"email": EMAIL, "password": PASSWORD, "role": role}, admin)["id"]
    return user, _post(client, "/auth/login", {"email": EMAIL, "password": PASSWORD})["access_token"]


async def _fill(setting: Setting, user: str) -> None:
    """Straight into the table that it made, with the index that the lists need."""
    connection = await asyncpg.connect(setting.postgres.dsn(role=SUPERUSER, database=DATABASE))
    try:
        await connection.copy_records_to_table(
            "customers",
            columns=("id", "name", "email", "city", "status", "amount", "owner"),
            records=(
                (
                    row_id(row),
                    row.name,
                    row.email,
                    row.city,
                    row.status,
                    row.amount,
                    user if row.is_mine else SOMEBODY_ELSE,
                )
                for row in setting.dataset.customers
            ),
        )
        await connection.copy_records_to_table(
            "orders",
            columns=("id", "number", "customer"),
            records=((row_id(each), each.number, id_of(each.customer)) for each in setting.dataset.orders),
        )
        await connection.copy_records_to_table(
            "parcels",
            columns=("id", "number", "order"),
            records=((row_id(each), each.number, id_of(each.order)) for each in setting.dataset.parcels),
        )
        await connection.execute("CREATE INDEX customers_status_amount ON customers (status, amount)")
        await connection.execute("CREATE INDEX ON orders (customer)")
        await connection.execute('CREATE INDEX ON parcels ("order")')
        await connection.execute("VACUUM ANALYZE customers, orders, parcels")
    finally:
        await connection.close()


def row_id(row: Customer | Order | Parcel) -> str:
    return id_of(row.id)


def id_of(other: str) -> str:
    """Directus' id of a row by the one that the other peers have."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, other))


def _check(client: httpx.Client, dataset: Dataset, token: str) -> None:
    signed_in = {"Authorization": f"Bearer {token}"}
    row = dataset.asked[0]
    read = client.get(f"/items/customers/{row_id(row)}", headers=signed_in)
    must(read.status_code == 200 and read.json()["data"]["name"] == row.name, f"directus: reads {read.text}")
    foreign = client.get(f"/items/customers/{row_id(dataset.foreign)}", headers=signed_in)
    must(foreign.status_code == 403, "directus: shows a row that the rule hides")
    below = dataset.below[0]
    listed = client.get(_list_path(below), headers=signed_in).json()["data"]
    must(
        [item["id"] for item in listed] == [row_id(row) for row in dataset.page(below)],
        "directus: lists other rows",
    )
    related = client.get(_related_path(below), headers=signed_in).json()["data"]
    must(
        [item["id"] for item in related] == [row_id(order) for order in dataset.related_page(below)],
        "directus: lists other orders",
    )
    distant = client.get(_distant_path(below), headers=signed_in).json()["data"]
    must(
        [item["id"] for item in distant] == [row_id(parcel) for parcel in dataset.distant_page(below)],
        "directus: lists other parcels",
    )
    must(client.get(_list_path(below)).status_code == 403, "directus: lists rows without a token")
    must(client.get("/users/me").status_code in (401, 403), "directus: shows the account without a token")


def _workloads(dataset: Dataset, token: str, host: str) -> dict[Operation, Workload]:
    headers = {"Authorization": f"Bearer {token}"}
    return {
        Operation.GET: Workload(
            [request("GET", f"/items/customers/{row_id(row)}", headers, host=host) for row in dataset.asked],
            200,
        ),
        Operation.LIST: Workload(
            [request("GET", _list_path(below), headers, host=host) for below in dataset.below], 200
        ),
        Operation.CREATE: Workload(
            [
                request("POST", "/items/customers", headers, json.dumps(body).encode(), host=host)
                for body in created()
            ],
            200,
        ),
        Operation.COUNTED: Workload(
            [
                request("GET", f"{_list_path(below)}&meta=filter_count", headers, host=host)
                for below in dataset.below
            ],
            200,
        ),
        Operation.RELATED: Workload(
            [request("GET", _related_path(below), headers, host=host) for below in dataset.below], 200
        ),
        Operation.DISTANT: Workload(
            [request("GET", _distant_path(below), headers, host=host) for below in dataset.below], 200
        ),
        Operation.BULK: Workload(
            [
                request("POST", "/items/customers?fields=id", headers, json.dumps(bodies).encode(), host=host)
                for bodies in bulk(2)
            ],
            200,
            BULK_CONNECTIONS,
        ),
        Operation.SESSION: Workload([request("GET", "/users/me", headers, host=host)], 200),
    }


def _list_path(below: int) -> str:
    return _page_path("customers", {"status": {"_eq": LISTED_STATUS}}, "amount", below)


def _related_path(below: int) -> str:
    return _page_path("orders", {"customer": {"status": {"_eq": LISTED_STATUS}}}, "number", below)


def _distant_path(below: int) -> str:
    listed = {"order": {"customer": {"status": {"_eq": LISTED_STATUS}}}}
    return _page_path("parcels", listed, "number", below)


def _page_path(collection: str, wanted: dict[str, Any], number: str, below: int) -> str:
    condition = {"_and": [wanted, {number: {"_lt": below}}]}
    query = {"filter": json.dumps(condition, separators=(",", ":")), "sort": f"-{number}", "limit": PAGE}
    return f"/items/{collection}?{urllib.parse.urlencode(query)}"


def _node_version() -> str:
    return subprocess.run(
        ["node", "--version"], capture_output=True, text=True, timeout=30, check=True
    ).stdout.strip()


def _post(
    client: httpx.Client, path: str, body: dict[str, Any], headers: dict[str, str] | None = None
) -> Any:
    answer = client.post(path, json=body, headers=headers)
    if answer.is_error:
        raise PeerError(f"directus: POST {path} answered {answer.status_code}: {answer.text}")
    return answer.json()["data"]
