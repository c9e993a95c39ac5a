"""A live project and a generated service on the same tables, each seeing what the other does."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import httpx
import pytest
from appwrite.client import Client
from appwrite.exception import AppwriteException
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.platform import Platform, Project, running_platform
from tests.postgres import Server
from tests.services.receiver import running_receiver
from tests.services.sockets import socket as realtime

SCHEMA = Path(__file__).parent / "freehold.yaml"
CACHE = Path(__file__).parents[2] / ".cache" / "generated"
ROLE_PASSWORD = "only-on-loopback-in-a-test"
DEV_SECRET = "bridge-test-secret-0f1e2d3c4b5a69788796"


@pytest.fixture(scope="module")
def platform(postgres: Server) -> Iterator[Platform]:
    """A platform whose webhooks really go where they are meant to go."""
    with running_platform(postgres, "--dev") as running:
        running.register_root()
        yield running


def freehold(*arguments: str, **environment: str) -> str:
    command = [sys.executable, "-m", "freehold", *arguments]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def credentials(project: Project) -> dict[str, str]:
    return {
        "FREEHOLD_ENDPOINT": project.platform.endpoint,
        "FREEHOLD_PROJECT": project.id,
        "FREEHOLD_KEY": project.key,
    }


class Applied(NamedTuple):
    """A project to which the schema was applied."""

    project: Project
    folder: Path
    namespace: str

    def tables(self, tenant: uuid.UUID) -> TablesDB:
        client: Client = self.project.sdk(key=self.project.key)
        client.add_header("X-Tenant-Id", str(tenant))
        return TablesDB(client)

    def company(self, name: str) -> uuid.UUID:
        tenant = uuid.uuid4()
        self.tables(tenant).create_row("bridge", "company", str(tenant), {"name": name})
        return tenant


@pytest.fixture(scope="module")
def applied(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Applied:
    project, folder = platform.new_project(), tmp_path_factory.mktemp("schema")
    shutil.copy(SCHEMA, folder)
    told = credentials(project)
    done = json.loads(freehold("apply", "--schema", str(folder), "--yes", "--json", **told))
    assert (folder / "schema.lock.json").exists()
    return Applied(project, folder, done["namespace"])


def test_a_lost_lock_is_restored_from_the_live_project_and_nothing_is_dropped(
    applied: Applied, tmp_path: Path
) -> None:
    lock = tmp_path / "schema.lock.json"
    before = (applied.folder / "schema.lock.json").read_text()
    schema = Path(shutil.copy(applied.folder / "freehold.yaml", tmp_path))
    text = schema.read_text()
    fields = "      is_open: { type: bool, default: true }\n"
    schema.write_text(text.replace(fields, "").replace("      title: ", fields + "      title: "))
    told = credentials(applied.project)

    planned = json.loads(freehold("plan", "--schema", str(tmp_path), "--json", **told))

    assert planned["steps"] == []
    assert lock.read_text() == before


class Service(NamedTuple):
    """A generated service that runs."""

    folder: Path
    python: Path
    url: str
    environment: dict[str, str]

    def client(self, role: str, tenant: uuid.UUID) -> httpx.Client:
        """A caller with a development token."""
        command = [
            self.python,
            "-m",
            "app.token",
            "--role",
            role,
            "--tenant",
            str(tenant),
            "--user",
            str(uuid.uuid4()),
        ]
        token = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stdout.strip()
        return httpx.Client(
            base_url=f"{self.url}/v1", headers={"Authorization": f"Bearer {token}"}, timeout=20
        )


@pytest.fixture(scope="module")
def service(applied: Applied, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service that is generated from the applied schema, on the tables of the live project."""
    tmp_path = tmp_path_factory.mktemp("service")
    folder = tmp_path / "service"
    freehold("generate", "--lang", "python", "--schema", str(applied.folder), "--out", str(folder))
    python = installed(folder)
    environment = {**os.environ, "DATABASE_SCHEMA": applied.namespace, "PYTHONPATH": str(folder)}
    live = applied.project.platform
    with_owner = {
        **environment,
        "ADMIN_DATABASE_URL": live.admin_url,
        "MIGRATE_DATABASE_URL": live.database_url,
    }
    for command in ("roles", "baseline"):
        subprocess.run(
            [python, "-m", "app.migrate", command], cwd=folder, env=with_owner, check=True, timeout=60
        )
    asyncio.run(let_in(live.admin_url))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = live.database_url.partition("@")[2]
    environment |= {
        "DATABASE_URL": f"postgresql://app_api:{ROLE_PASSWORD}@{address}",
        "AUTH_PROVIDER": "dev",
        "AUTH_DEV_SECRET": DEV_SECRET,
        "PORT": str(port),
    }
    with (tmp_path / "service.log").open("w") as log:
        process = subprocess.Popen(
            [python, "-m", "app.main"], cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", process, tmp_path / "service.log")
            yield Service(folder, python, f"http://127.0.0.1:{port}", environment)
        finally:
            process.terminate()
            process.wait(timeout=30)


def installed(folder: Path) -> Path:
    """Python of an environment with the service's own requirements, kept for the next run."""
    requirements = folder / "requirements.txt"
    at = CACHE / hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    python = at / "bin" / "python"
    if not (at / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", at], check=True, timeout=120)
        install = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", requirements]
        subprocess.run(install, check=True, timeout=300)
        (at / "ready").touch()
    return python


async def let_in(admin_url: str) -> None:
    """What an administrator runs so that the service can log in."""
    connection = await asyncpg.connect(admin_url)
    await connection.execute(f"alter role app_api password '{ROLE_PASSWORD}'")
    await connection.close()


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(150):
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"the service did not get ready:\n{log.read_text()}")


def test_rows_of_a_live_project_are_read_and_changed_by_the_generated_service_and_back(
    applied: Applied, service: Service
) -> None:
    acme, rival = applied.company("Acme"), applied.company("Rival")
    tables = applied.tables(acme)
    made = tables.create_row(
        "bridge",
        "project",
        "unique()",
        {"name": "Roof", "budget": "1200.50", "labels": ["red"], "due_on": "2026-12-01"},
    )
    task = tables.create_row("bridge", "task", "unique()", {"title": "Measure", "project_id": made.id})
    applied.tables(rival).create_row("bridge", "project", "unique()", {"name": "Roof"})
    member = service.client("member", acme)

    listed = member.get("/projects", params={"count": "exact"}).json()
    assert listed["page"]["total"] == 1
    seen = listed["data"][0]
    assert (seen["id"], seen["name"], seen["status"], seen["budget"]) == (made.id, "Roof", "draft", "1200.50")
    assert (seen["labels"], seen["due_on"], seen["version"]) == (["red"], "2026-12-01", 1)
    assert seen["created_at"].removesuffix("Z") == made.createdat.removesuffix("+00:00")

    changed = member.patch(
        f"/projects/{made.id}", json={"status": "1st", "budget": "99.99"}, headers={"If-Match": '"1"'}
    )
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    second = member.post("/tasks", json={"title": "Order tiles", "project_id": made.id})
    assert second.status_code == 201, second.text
    assert member.delete(f"/tasks/{task.id}").status_code == 204

    back = tables.get_row("bridge", "project", made.id)
    assert (back.data["status"], back.data["budget"]) == ("1st", "99.99")
    assert back.updatedat > made.updatedat
    tasks = tables.list_rows("bridge", "task", [Query.equal("project_id", made.id)])
    assert [(row.id, row.data["title"]) for row in tasks.rows] == [(second.json()["id"], "Order tiles")]

    tables.update_row("bridge", "project", made.id, {"name": "Roof and walls"})
    stale = member.patch(f"/projects/{made.id}", json={"name": "Lost"}, headers={"If-Match": '"2"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version_conflict")
    assert member.get(f"/projects/{made.id}").json()["name"] == "Roof and walls"


def test_neither_half_lets_a_tenant_see_another(applied: Applied, service: Service) -> None:
    acme, rival = applied.company("Acme"), applied.company("Rival")
    theirs = applied.tables(acme).create_row("bridge", "project", "unique()", {"name": "Secret"})
    outsider = service.client("admin", rival)

    assert outsider.get("/projects").json()["data"] == []
    assert outsider.get(f"/projects/{theirs.id}").status_code == 404
    assert outsider.patch(f"/projects/{theirs.id}", json={"name": "Mine"}).status_code == 404
    attached = outsider.post("/tasks", json={"title": "Spy", "project_id": theirs.id})
    assert (attached.status_code, attached.json()["errors"][0]["code"]) == (422, "unknown_reference")

    with pytest.raises(AppwriteException) as caught:
        applied.tables(rival).get_row("bridge", "project", theirs.id)
    assert caught.value.type == "row_not_found"
    with pytest.raises(AppwriteException) as caught:
        applied.tables(rival).create_row(
            "bridge", "task", "unique()", {"title": "Spy", "project_id": theirs.id}
        )
    assert caught.value.type == "row_invalid_structure"


def test_what_the_service_writes_is_told_to_sockets_and_webhooks_of_the_platform(
    applied: Applied, service: Service
) -> None:
    project, acme, rival = applied.project, applied.company("Acme"), applied.company("Rival")
    jane, eve = project.new_user("Jane"), project.new_user("Eve")
    for tenant, user in ((acme, jane), (rival, eve)):
        project.server.post("/teams", json={"teamId": str(tenant), "name": "Company"})
        body = {"userId": user.id, "roles": ["member"]}
        joined = project.server.post(f"/teams/{tenant}/memberships", json=body)
        assert joined.status_code == 201, joined.text
    member, admin = service.client("member", acme), service.client("admin", acme)
    theirs = service.client("member", rival)

    with (
        running_receiver() as receiver,
        realtime(project, user=jane) as seen,
        realtime(project, user=eve) as other,
    ):
        hook = {
            "webhookId": "hook",
            "name": "Hook",
            "url": f"{receiver.url}/hook",
            "events": ["databases.bridge.tables.*.rows.*"],
        }
        assert project.server.post("/webhooks", json=hook).status_code == 201
        seen.subscribe("tablesdb.bridge.tables.project.rows", "tablesdb.bridge.tables.task.rows")
        other.subscribe("rows")
        made = member.post("/projects", json={"name": "Roof", "budget": "12.50"}).json()
        created = seen.event()
        row = applied.tables(acme).get_row("bridge", "project", made["id"])
        task = member.post("/tasks", json={"title": "Measure", "project_id": made["id"]}).json()
        member.patch(f"/projects/{made['id']}", json={"status": "active"}, headers={"If-Match": '"1"'})
        admin.delete(f"/projects/{made['id']}")
        told = [created, *(seen.event() for _ in range(4))]
        theirs.post("/projects", json={"name": "Shed"})
        of_rival = other.event()
        webhook = receiver.wait_for("/hook", 6)

    names = [".".join(each["events"][0].split(".")[3:]) for each in told]
    assert names[:3] == [
        f"project.rows.{made['id']}.create",
        f"task.rows.{task['id']}.create",
        f"project.rows.{made['id']}.update",
    ]
    assert set(names[3:]) == {f"project.rows.{made['id']}.delete", f"task.rows.{task['id']}.delete"}
    assert (created["payload"]["budget"], created["payload"]["name"]) == ("12.50", "Roof")
    assert created["payload"]["$createdAt"] == row.createdat
    assert of_rival["payload"]["name"] == "Shed"
    first = next(each for each in webhook if each.events[0].endswith(f"{made['id']}.create"))
    assert first.payload == created["payload"]
    assert first.headers["X-Appwrite-Webhook-User-Id"] == ""
    compared = subprocess.run(
        [service.python, "-m", "app.migrate", "drift"],
        cwd=service.folder,
        env={**service.environment, "MIGRATE_DATABASE_URL": project.platform.database_url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (compared.returncode, compared.stdout) == (0, "The database is what its applied migrations say.\n")


def test_the_applied_schema_is_as_typed_in_postgresql_as_a_dba_would_have_it(applied: Applied) -> None:
    async def constraints() -> dict[str, str]:
        connection = await asyncpg.connect(applied.project.platform.database_url)
        rows = await connection.fetch(
            "select conname, pg_get_constraintdef(oid) as says from pg_constraint "
            "where connamespace = $1::regnamespace",
            applied.namespace,
        )
        await connection.close()
        return {row["conname"]: row["says"] for row in rows}

    found = asyncio.run(constraints())
    assert found["task_pkey"] == "PRIMARY KEY (tenant_id, id)"
    assert found["task_project_id_fkey"].startswith("FOREIGN KEY (tenant_id, project_id) REFERENCES")
    assert found["project_tenant_id_name_key"] == "UNIQUE (tenant_id, name)"
    assert "draft" in found["project_status_values_check"]
