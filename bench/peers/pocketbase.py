"""PocketBase: one Go process over SQLite, built from its module."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import urllib.parse
from pathlib import Path
from typing import Any

import httpx

from bench import processes
from bench.dataset import EMAIL, LISTED_STATUS, PAGE, PASSWORD, STATUSES, Dataset, bulk, created
from bench.load import Workload, request
from bench.peers import (
    BULK_CONNECTIONS,
    Operation,
    PeerError,
    Running,
    Setting,
    free_port,
    must,
    wait_until_answering,
)

MODULE = "github.com/pocketbase/pocketbase/examples/base"
VERSIONS = ("latest", "v0.36.8", "v0.28.2")
"""The newest that builds with the Go that is here."""
BUILD_TIMEOUT_S = 1200

ADMIN = {"identity": "admin@example.com", "password": "bench-admin-password"}
REFRESH = "/api/collections/users/auth-refresh"
RULE = "owner = @request.auth.id"
ORDERS_RULE = "customer.owner = @request.auth.id"
PARCELS_RULE = "order.customer.owner = @request.auth.id"


class PocketBase:
    name = "pocketbase"

    def install(self, setting: Setting) -> None:
        home = self._home(setting)
        if (home / "version").exists():
            return
        if shutil.which("go") is None:
            raise PeerError("Go is not installed.")
        home.mkdir(parents=True, exist_ok=True)
        for version in VERSIONS:
            setting.say(f"pocketbase: building {MODULE}@{version} (a few minutes, once)")
            built = subprocess.run(
                ["nice", "-n", "15", "go", "install", f"{MODULE}@{version}"],
                env=os.environ | {"GOBIN": str(home)},
                capture_output=True,
                text=True,
                timeout=BUILD_TIMEOUT_S,
                check=False,
            )
            if built.returncode == 0:
                listed = subprocess.run(
                    ["go", "version", "-m", str(home / "base")],
                    capture_output=True,
                    text=True,
                    timeout=60,
                    check=True,
                )
                (home / "version").write_text(
                    next(
                        line.split()[2] for line in listed.stdout.splitlines() if line.split()[:1] == ["mod"]
                    )
                )
                return
            setting.say(f"pocketbase: {built.stderr.strip().splitlines()[-1]}")
        raise PeerError(f"None of {', '.join(VERSIONS)} builds with this Go.")

    def start(self, setting: Setting) -> Running:
        data = setting.folder / "pocketbase"
        program = [str(self._home(setting) / "base"), "--dir", str(data)]
        self._run([*program, "superuser", "upsert", ADMIN["identity"], ADMIN["password"]])
        log = setting.folder / "pocketbase.log"
        port = free_port()
        process = processes.start(
            [*program, "serve", "--http", f"127.0.0.1:{port}"], core=setting.server_core, log=log
        )
        try:
            wait_until_answering(f"http://127.0.0.1:{port}/api/health", seconds=60, log=log)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                user, token = _prepare(client)
                _fill(data / "data.db", setting.dataset, user)
                _check(client, setting.dataset, user, token)
        except BaseException:
            processes.stop(process)
            raise
        return Running(
            address=("127.0.0.1", port),
            root=process.pid,
            workloads=_workloads(setting.dataset, user, token, f"127.0.0.1:{port}"),
            about=(
                f"PocketBase {(self._home(setting) / 'version').read_text()} (its database is in the process:"
                f" SQLite, journal_mode=WAL, synchronous=NORMAL, so a commit does not wait for the disk),"
                f" user's token, rules `{RULE}`, `{ORDERS_RULE}` and `{PARCELS_RULE}`, its request log off,"
                " `skipTotal` but for the counted list"
            ),
            stop=lambda: processes.stop(process),
            uses_postgres=False,
        )

    def _home(self, setting: Setting) -> Path:
        return setting.cache / "pocketbase"

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise PeerError(f"`{' '.join(command[:-1])} …` failed: {done.stdout}{done.stderr}")


def _prepare(client: httpx.Client) -> tuple[str, str]:
    """Make the collection, the rule and the user; return the user's id and token."""
    admin = _post(client, "/api/collections/_superusers/auth-with-password", ADMIN)["token"]
    as_admin = {"Authorization": admin}
    settings = {"logs": {"maxDays": 0}, "batch": {"enabled": True, "maxRequests": 1000, "timeout": 30}}
    client.patch("/api/settings", json=settings, headers=as_admin).raise_for_status()
    customers = _post(
        client,
        "/api/collections",
        {
            "name": "customers",
            "type": "base",
            "listRule": RULE,
            "viewRule": RULE,
            "createRule": "@request.auth.id != '' && @request.body.owner = @request.auth.id",
            "fields": [
                {"name": "name", "type": "text", "required": True, "max": 160},
                {"name": "email", "type": "email"},
                {"name": "city", "type": "text", "max": 80},
                {"name": "status", "type": "select", "values": STATUSES, "maxSelect": 1},
                {"name": "amount", "type": "number", "onlyInt": True},
                {"name": "owner", "type": "text", "max": 36},
                {"name": "created", "type": "autodate", "onCreate": True},
                {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True},
            ],
            "indexes": ["CREATE INDEX customers_status_amount ON customers (status, amount)"],
        },
        as_admin,
    )["id"]
    parent = customers
    for name, relation, rule in (("orders", "customer", ORDERS_RULE), ("parcels", "order", PARCELS_RULE)):
        related = {"type": "relation", "collectionId": parent, "maxSelect": 1, "cascadeDelete": True}
        parent = _post(
            client,
            "/api/collections",
            {
                "name": name,
                "type": "base",
                "listRule": rule,
                "fields": [
                    {"name": "number", "type": "number", "onlyInt": True},
                    {**related, "name": relation},
                ],
                "indexes": [
                    f"CREATE UNIQUE INDEX {name}_number ON {name} (number)",
                    f"CREATE INDEX {name}_{relation} ON {name} (`{relation}`)",
                ],
            },
            as_admin,
        )["id"]
    user = _post(
        client,
        "/api/collections/users/records",
        {"email": EMAIL, "password": PASSWORD, "passwordConfirm": PASSWORD},
        as_admin,
    )["id"]
    token = _post(
        client, "/api/collections/users/auth-with-password", {"identity": EMAIL, "password": PASSWORD}
    )["token"]
    return user, token


def _fill(file: Path, dataset: Dataset, user: str) -> None:
    """Straight into its SQLite file, in the shape that it writes itself."""
    moment = "2026-01-01 00:00:00.000Z"
    with sqlite3.connect(file, timeout=30) as database:
        database.executemany(
            "INSERT INTO customers (id, name, email, city, status, amount, owner, created, updated)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    row.id,
                    row.name,
                    row.email,
                    row.city,
                    row.status,
                    row.amount,
                    user if row.is_mine else "somebodyelse000",
                    moment,
                    moment,
                )
                for row in dataset.customers
            ),
        )
        database.executemany(
            "INSERT INTO orders (id, number, customer) VALUES (?, ?, ?)",
            ((order.id, order.number, order.customer) for order in dataset.orders),
        )
        database.executemany(
            "INSERT INTO parcels (id, number, `order`) VALUES (?, ?, ?)",
            ((parcel.id, parcel.number, parcel.order) for parcel in dataset.parcels),
        )
    database.execute("ANALYZE")
    database.close()


def _check(client: httpx.Client, dataset: Dataset, user: str, token: str) -> None:
    signed_in = {"Authorization": token}
    row = dataset.asked[0]
    read = client.get(_row_path(row.id), headers=signed_in)
    must(read.status_code == 200 and read.json()["name"] == row.name, f"pocketbase: reads {read.text}")
    foreign = client.get(_row_path(dataset.foreign.id), headers=signed_in)
    must(foreign.status_code == 404, "pocketbase: shows a row that the rule hides")
    below = dataset.below[0]
    listed = client.get(_list_path(below), headers=signed_in).json()["items"]
    must(
        [item["id"] for item in listed] == [row.id for row in dataset.page(below)],
        "pocketbase: lists other rows",
    )
    counted = client.get(_list_path(below, total=True), headers=signed_in).json()
    must(counted["items"] == listed and counted["totalItems"] > PAGE, "pocketbase: counts wrongly")
    related = client.get(_related_path(below), headers=signed_in).json()["items"]
    must(
        [item["id"] for item in related] == [order.id for order in dataset.related_page(below)],
        "pocketbase: lists other orders",
    )
    distant = client.get(_distant_path(below), headers=signed_in).json()["items"]
    must(
        [item["id"] for item in distant] == [parcel.id for parcel in dataset.distant_page(below)],
        "pocketbase: lists other parcels",
    )
    must(client.get(_list_path(below)).json()["items"] == [], "pocketbase: lists rows without a token")
    must(client.post(REFRESH).status_code == 401, "pocketbase: shows the account without a token")
    must(
        client.post(REFRESH, headers=signed_in).json()["record"]["id"] == user,
        "pocketbase: refreshes another's token",
    )


def _workloads(dataset: Dataset, user: str, token: str, host: str) -> dict[Operation, Workload]:
    headers = {"Authorization": token}
    return {
        Operation.GET: Workload(
            [request("GET", _row_path(row.id), headers, host=host) for row in dataset.asked], 200
        ),
        Operation.LIST: Workload(
            [request("GET", _list_path(below), headers, host=host) for below in dataset.below], 200
        ),
        Operation.CREATE: Workload(
            [
                request(
                    "POST",
                    "/api/collections/customers/records",
                    headers,
                    json.dumps({**body, "owner": user}).encode(),
                    host=host,
                )
                for body in created()
            ],
            200,
        ),
        Operation.COUNTED: Workload(
            [request("GET", _list_path(below, total=True), headers, host=host) for below in dataset.below],
            200,
        ),
        Operation.RELATED: Workload(
            [request("GET", _related_path(below), headers, host=host) for below in dataset.below], 200
        ),
        Operation.DISTANT: Workload(
            [request("GET", _distant_path(below), headers, host=host) for below in dataset.below], 200
        ),
        Operation.BULK: Workload(
            [request("POST", "/api/batch", headers, _batch(bodies, user), host=host) for bodies in bulk()],
            200,
            BULK_CONNECTIONS,
        ),
        Operation.SESSION: Workload([request("POST", REFRESH, headers, host=host)], 200),
    }


def _row_path(row: str) -> str:
    return f"/api/collections/customers/records/{row}"


def _batch(bodies: list[dict[str, str | int]], user: str) -> bytes:
    path = "/api/collections/customers/records"
    asked = [{"method": "POST", "url": path, "body": {**body, "owner": user}} for body in bodies]
    return json.dumps({"requests": asked}).encode()


def _list_path(below: int, *, total: bool = False) -> str:
    return _page_path("customers", f"status='{LISTED_STATUS}' && amount<{below}", "-amount", total=total)


def _related_path(below: int) -> str:
    condition = f"customer.status='{LISTED_STATUS}' && number<{below}"
    return _page_path("orders", condition, "-number", total=False)


def _distant_path(below: int) -> str:
    condition = f"order.customer.status='{LISTED_STATUS}' && number<{below}"
    return _page_path("parcels", condition, "-number", total=False)


def _page_path(collection: str, condition: str, sort: str, *, total: bool) -> str:
    query = {"filter": condition, "sort": sort, "perPage": PAGE, "skipTotal": int(not total)}
    return f"/api/collections/{collection}/records?{urllib.parse.urlencode(query)}"


def _post(
    client: httpx.Client, path: str, body: dict[str, Any], headers: dict[str, str] | None = None
) -> Any:
    answer = client.post(path, json=body, headers=headers)
    if answer.is_error:
        raise PeerError(f"pocketbase: POST {path} answered {answer.status_code}: {answer.text}")
    return answer.json()
