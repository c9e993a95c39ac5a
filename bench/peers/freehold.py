"""Freehold itself, as `freehold up` starts it, with one API worker."""

from __future__ import annotations

import json
import os
import sys
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import httpx
import uvloop

from bench import processes
from bench.dataset import EMAIL, LISTED_STATUS, PAGE, PASSWORD, STATUSES, Customer, Dataset, bulk, created
from bench.installation import wait_until_ready
from bench.load import Workload, request
from bench.peers import (
    BULK_CONNECTIONS,
    LOGINS_AT_ONCE,
    Operation,
    PeerError,
    Running,
    Setting,
    free_port,
    freehold_once,
    must,
)
from freehold.db.embedded import SUPERUSER, EmbeddedPostgres

DATABASE, TABLE, ORDERS, PARCELS = "bench", "customers", "orders", "parcels"
LOGIN_EMAIL = "eve@example.com"
"""Of a user who signs in again and again: each session ends the oldest of its user's."""
ROWS = f"/v1/tablesdb/{DATABASE}/tables/{TABLE}/rows"
ORDER_ROWS = f"/v1/tablesdb/{DATABASE}/tables/{ORDERS}/rows"
PARCEL_ROWS = f"/v1/tablesdb/{DATABASE}/tables/{PARCELS}/rows"


@dataclass(frozen=True)
class Site:
    """Where the rows are and who asks: what another server needs to do the same work."""

    address: tuple[str, int]
    project: str
    user: str
    cookie: str
    headers: dict[str, str]
    key: dict[str, str]
    """The headers of a server, rather than of the user."""
    namespace: str
    """The PostgreSQL schema of the table."""
    table: str


class Freehold:
    name = "freehold"

    site: Site

    def install(self, setting: Setting) -> None:
        """It is this project: there is nothing to fetch."""

    def start(self, setting: Setting) -> Running:
        said, log = setting.folder / "freehold.json", setting.folder / "freehold.log"
        port = free_port()
        command = [sys.executable, "-m", "freehold", "up", "--json", "--dev"]
        options = ["--workers", "1", "--port", str(port), "--data", str(setting.folder / "freehold")]
        environment = os.environ | {
            "DATABASE_URL": setting.postgres.dsn(),
            "FREEHOLD_ACCESS_LOG": "0",
            "FREEHOLD_LOG_LEVEL": "warning",
        }
        process = processes.start(
            [*command, *options], core=setting.server_core, log=log, stdout=said, env=environment
        )
        try:
            up = wait_until_ready(process, said, log)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                self.site = _prepare(client, up, setting)
                uvloop.run(_fill(setting.postgres, self.site, setting.dataset))
                _check(client, self.site, setting.dataset)
                once = freehold_once.prepare(client, self.site.key)
        except BaseException:
            processes.stop(process)
            raise
        return Running(
            address=self.site.address,
            root=process.pid,
            workloads=workloads(self.site, setting.dataset) | _more(self.site, setting.dataset),
            about=(
                "`freehold up --workers 1 --dev` (rate limits off), access log off, session cookie,"
                ' row security with `read("user:…")` on each row, table permission `create("users")` only'
            ),
            stop=lambda: processes.stop(process),
            once=once,
            memory_of="supervisor, API worker and job worker",
        )


def workloads(site: Site, dataset: Dataset) -> dict[Operation, Workload]:
    """The same bytes for Freehold and for the bare loop."""
    host = "{}:{}".format(*site.address)
    return {
        Operation.GET: Workload(
            [request("GET", f"{ROWS}/{row.id}", site.headers, host=host) for row in dataset.asked], 200
        ),
        Operation.LIST: Workload(
            [request("GET", list_path(below), site.headers, host=host) for below in dataset.below], 200
        ),
        Operation.CREATE: Workload(
            [
                request(
                    "POST",
                    ROWS,
                    site.headers,
                    json.dumps({"rowId": "unique()", "data": body}).encode(),
                    host=host,
                )
                for body in created()
            ],
            201,
        ),
        Operation.SESSION: Workload([request("GET", "/v1/account", site.headers, host=host)], 200),
    }


def _more(site: Site, dataset: Dataset) -> dict[Operation, Workload]:
    """What only whole servers are asked."""
    host = "{}:{}".format(*site.address)

    def gets(paths: list[str]) -> Workload:
        return Workload([request("GET", path, site.headers, host=host) for path in paths], 200)

    bodies = [[{"$id": "unique()", **body} for body in bodies] for bodies in bulk()]
    login = request(
        "POST",
        "/v1/account/sessions/email",
        {"X-Appwrite-Project": site.project},
        json.dumps({"email": LOGIN_EMAIL, "password": PASSWORD}).encode(),
        host=host,
    )
    return {
        Operation.COUNTED: gets([list_path(below, total=True) for below in dataset.below]),
        Operation.RELATED: gets([_related_path(below) for below in dataset.below]),
        Operation.DISTANT: gets([_distant_path(below) for below in dataset.below]),
        Operation.BULK: Workload(
            [
                request("POST", ROWS, site.key, json.dumps({"rows": rows}).encode(), host=host)
                for rows in bodies
            ],
            201,
            BULK_CONNECTIONS,
        ),
        Operation.BESIDE: replace(
            workloads(site, dataset)[Operation.GET], beside=Workload([login], 201, LOGINS_AT_ONCE)
        ),
    }


def list_path(below: int, *, total: bool = False) -> str:
    filters = (
        {"method": "equal", "attribute": "status", "values": [LISTED_STATUS]},
        {"method": "lessThan", "attribute": "amount", "values": [below]},
        {"method": "orderDesc", "attribute": "amount"},
    )
    return _page_path(ROWS, filters, total=total)


def _related_path(below: int) -> str:
    return _path_by_relation(ORDER_ROWS, "customer.status", below)


def _distant_path(below: int) -> str:
    return _path_by_relation(PARCEL_ROWS, "order.customer.status", below)


def _path_by_relation(rows: str, attribute: str, below: int) -> str:
    filters = (
        {"method": "equal", "attribute": attribute, "values": [LISTED_STATUS]},
        {"method": "lessThan", "attribute": "number", "values": [below]},
        {"method": "orderDesc", "attribute": "number"},
    )
    return _page_path(rows, filters, total=False)


def _page_path(rows: str, filters: Sequence[dict[str, Any]], *, total: bool) -> str:
    queries = (*filters, {"method": "limit", "values": [PAGE]})
    pairs = [(f"queries[{n}]", json.dumps(query, separators=(",", ":"))) for n, query in enumerate(queries)]
    return f"{rows}?{urllib.parse.urlencode([*pairs, ('total', str(total).lower())])}"


def _prepare(client: httpx.Client, up: dict[str, Any], setting: Setting) -> Site:
    """Make the table with a key and the user with a session, as a project would."""
    project = {"X-Appwrite-Project": up["project"]}
    key = {**project, "X-Appwrite-Key": up["key"]}
    _post(client, "/v1/tablesdb", {"databaseId": DATABASE, "name": "Bench"}, key)
    text = {"type": "varchar", "required": False}
    _post(
        client,
        f"/v1/tablesdb/{DATABASE}/tables",
        {
            "tableId": TABLE,
            "name": "Customers",
            "permissions": ['create("users")'],
            "rowSecurity": True,
            "columns": [
                {"key": "name", "type": "varchar", "size": 160, "required": True},
                {**text, "key": "email", "size": 254},
                {**text, "key": "city", "size": 80},
                {"key": "status", "type": "enum", "elements": list(STATUSES), "required": True},
                {"key": "amount", "type": "integer", "required": True},
            ],
            "indexes": [{"key": "status_amount", "type": "key", "attributes": ["status", "amount"]}],
        },
        key,
    )
    for table, parent, relation in ((ORDERS, TABLE, "customer"), (PARCELS, ORDERS, "order")):
        _post(
            client,
            f"/v1/tablesdb/{DATABASE}/tables",
            {
                "tableId": table,
                "name": table.capitalize(),
                "permissions": ['read("users")'],
                "columns": [{"key": "number", "type": "integer", "required": True}],
                "indexes": [{"key": "by_number", "type": "key", "attributes": ["number"]}],
            },
            key,
        )
        relationship = {"relatedTableId": parent, "type": "manyToOne", "key": relation, "onDelete": "cascade"}
        _post(client, f"/v1/tablesdb/{DATABASE}/tables/{table}/columns/relationship", relationship, key)
    account = {"userId": "unique()", "email": EMAIL, "password": PASSWORD, "name": "Ada"}
    user = _post(client, "/v1/account", account, project)["$id"]
    _post(client, "/v1/account", account | {"email": LOGIN_EMAIL, "name": "Eve"}, project)
    signed_in = client.post(
        "/v1/account/sessions/email", json={"email": EMAIL, "password": PASSWORD}, headers=project
    )
    must(signed_in.status_code == 201, f"freehold: no session: {signed_in.text}")
    name = f"a_session_{up['project']}"
    cookie = f"{name}={signed_in.cookies[name]}"
    client.cookies.clear()
    namespace, table = uvloop.run(_find_table(setting.postgres))
    return Site(
        address=("127.0.0.1", client.base_url.port or 80),
        project=up["project"],
        user=user,
        cookie=cookie,
        headers={
            **project,
            "Cookie": cookie,
            "X-Appwrite-Response-Format": "2.5.0",
            "X-SDK-Name": "Web",
            "X-SDK-Platform": "client",
            "X-SDK-Language": "web",
            "X-SDK-Version": "28.0.0",
        },
        key=key,
        namespace=namespace,
        table=table,
    )


async def _find_table(postgres: EmbeddedPostgres) -> tuple[str, str]:
    connection = await asyncpg.connect(postgres.dsn(role=SUPERUSER))
    try:
        found = await connection.fetch(
            "SELECT table_schema, table_name FROM information_schema.columns WHERE column_name IN"
            " ('_permissions', 'status', 'amount') GROUP BY 1, 2 HAVING count(*) = 3"
        )
    finally:
        await connection.close()
    must(len(found) == 1, f"freehold: the table was to be one, and is {len(found)}")
    return found[0][0], found[0][1]


async def _fill(postgres: EmbeddedPostgres, site: Site, dataset: Dataset) -> None:
    """Straight into the table that it made, with the permissions that it gives to a user's row."""
    connection = await asyncpg.connect(postgres.dsn(role=SUPERUSER))
    try:
        permissions = [f'{action}("user:{site.user}")' for action in ("read", "update", "delete")]
        others = [permission.replace(site.user, "somebody-else") for permission in permissions]

        def record(row: Customer) -> tuple[Any, ...]:
            mine = permissions if row.is_mine else others
            return (row.id, mine, row.name, row.email, row.city, row.status, row.amount)

        await connection.copy_records_to_table(
            site.table,
            schema_name=site.namespace,
            columns=("_id", "_permissions", "name", "email", "city", "status", "amount"),
            records=map(record, dataset.customers),
        )
        await connection.copy_records_to_table(
            ORDERS,
            schema_name=site.namespace,
            columns=("_id", "number", "customer_id"),
            records=((order.id, order.number, order.customer) for order in dataset.orders),
        )
        await connection.copy_records_to_table(
            PARCELS,
            schema_name=site.namespace,
            columns=("_id", "number", "order_id"),
            records=((parcel.id, parcel.number, parcel.order) for parcel in dataset.parcels),
        )
        for table in (site.table, ORDERS, PARCELS):
            await connection.execute(f'VACUUM ANALYZE "{site.namespace}"."{table}"')
    finally:
        await connection.close()


def _check(client: httpx.Client, site: Site, dataset: Dataset) -> None:
    made = client.post(ROWS, headers=site.headers, json={"rowId": "unique()", "data": next(created())})
    must(made.status_code == 201, f"freehold: makes no row: {made.text}")
    permissions = sorted(f'{action}("user:{site.user}")' for action in ("read", "update", "delete"))
    must(
        sorted(made.json()["$permissions"]) == permissions,
        "freehold: rows have other permissions than were filled in",
    )
    row = dataset.asked[0]
    read = client.get(f"{ROWS}/{row.id}", headers=site.headers)
    must(read.status_code == 200 and read.json()["name"] == row.name, f"freehold: reads {read.text}")
    foreign = client.get(f"{ROWS}/{dataset.foreign.id}", headers=site.headers)
    must(foreign.status_code == 404, "freehold: shows a row that its permissions hide")
    below = dataset.below[0]
    listed = client.get(list_path(below), headers=site.headers)
    must(
        listed.status_code == 200
        and [item["$id"] for item in listed.json()["rows"]] == [row.id for row in dataset.page(below)],
        f"freehold: lists other rows: {listed.text[:300]}",
    )
    counted = client.get(list_path(below, total=True), headers=site.headers).json()
    must(counted["rows"] == listed.json()["rows"] and counted["total"] > PAGE, "freehold: counts wrongly")
    related = client.get(_related_path(below), headers=site.headers)
    must(
        related.status_code == 200
        and [item["$id"] for item in related.json()["rows"]]
        == [order.id for order in dataset.related_page(below)],
        f"freehold: lists other orders: {related.text[:300]}",
    )
    distant = client.get(_distant_path(below), headers=site.headers)
    must(
        distant.status_code == 200
        and [item["$id"] for item in distant.json()["rows"]]
        == [parcel.id for parcel in dataset.distant_page(below)],
        f"freehold: lists other parcels: {distant.text[:300]}",
    )
    stranger = {"X-Appwrite-Project": site.project}
    hidden = client.get(list_path(below), headers=stranger)
    must(hidden.is_error or hidden.json()["rows"] == [], "freehold: lists rows to a stranger")
    must(
        client.get("/v1/account", headers=stranger).status_code == 401,
        "freehold: shows the account to a stranger",
    )


def _post(client: httpx.Client, path: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
    answer = client.post(path, json=body, headers=headers)
    if answer.is_error:
        raise PeerError(f"freehold: POST {path} answered {answer.status_code}: {answer.text}")
    return answer.json()
