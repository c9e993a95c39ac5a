"""The embedded PostgreSQL: its roles, its files, and what happens to it when things go wrong."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from freehold.db.embedded import SUPERUSER, EmbeddedError, EmbeddedPostgres, processes, programs, server_user
from freehold.db.embedded.server_user import ServerUser
from freehold.db.embedded.tuning import tuned_settings

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel of Linux does this")


@pytest.fixture
def directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="fh-pg-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def make(directory: Path) -> Iterator[Callable[..., EmbeddedPostgres]]:
    made: list[EmbeddedPostgres] = []

    def make_one(below: Path = directory, **options: object) -> EmbeddedPostgres:
        options = {"durable": False, **options}
        server = EmbeddedPostgres(below / "postgresql", **options)  # type: ignore[arg-type]
        made.append(server)
        return server

    yield make_one
    for server in made:
        server.stop()


async def ask(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_it_starts_stops_and_keeps_what_was_committed(make: Callable[..., EmbeddedPostgres]) -> None:
    server = make()
    server.start()
    await ask(server.dsn(), "create table birds as select 'owl' as name")
    port, pid = server.port, server.pid
    server.stop()

    assert not server.is_running
    assert pid is not None
    assert not is_alive(pid)
    again = make()
    again.start()
    assert again.port == port, "so that a psql command that was noted down still works"
    assert await ask(again.dsn(tcp=True), "select name from birds") == "owl"


async def test_the_platform_works_as_an_ordinary_role_that_owns_its_database(
    make: Callable[..., EmbeddedPostgres],
) -> None:
    server = make()
    server.start()
    roles = """
        select rolname || ':' || rolsuper || rolbypassrls || rolcreaterole || rolcreatedb
          from pg_roles where rolname = current_user
    """

    assert await ask(server.dsn(), roles) == "freehold:falsefalsefalsefalse"
    assert await ask(server.dsn(role=SUPERUSER), "select rolsuper from pg_roles where rolname = current_user")
    with pytest.raises(asyncpg.PostgresError):
        await ask(server.dsn(database="postgres"), "select 1")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(f"postgresql://{SUPERUSER}:guess@127.0.0.1:{server.port}/postgres", "select 1")


def test_only_its_owner_can_read_its_files(make: Callable[..., EmbeddedPostgres], directory: Path) -> None:
    server = make()
    server.start()
    home = directory / "postgresql"

    for path in (home / "pgpass", home / "cluster", home / "run", home / "postgresql.log"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert not [path.name for path in home.iterdir() if path.name.startswith(("initdb-", "cluster.new"))]


def test_psql_works_as_it_is_printed(make: Callable[..., EmbeddedPostgres]) -> None:
    server = make()
    server.start()
    psql = server.programs / "psql"
    words = server.psql_command().replace(" psql ", f" {psql} ").split()
    done = subprocess.run(
        ["env", *words, "-Atc", "select current_user"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.stdout == "freehold\n", done.stderr


async def test_a_start_that_was_cut_short_is_begun_anew(
    make: Callable[..., EmbeddedPostgres], directory: Path
) -> None:
    half = directory / "postgresql" / "cluster.new"
    half.mkdir(parents=True)
    (directory / "postgresql").chmod(0o711)
    (half / "PG_VERSION").write_text("1")
    server = make()
    server.start()

    assert await ask(server.dsn(), "select 1") == 1


@on_linux
async def test_what_a_killed_postmaster_leaves_behind_is_cleared_and_nothing_is_lost(
    make: Callable[..., EmbeddedPostgres],
) -> None:
    server = make(durable=True)
    server.start()
    await ask(server.dsn(), "create table birds as select 'owl' as name")
    busy = await asyncpg.connect(server.dsn())
    backend = await busy.fetchval("select pg_backend_pid()")
    os.kill(backend, signal.SIGSTOP)  # it cannot notice that its postmaster is gone
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while server.is_running and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    try:
        stop_timeout_s, processes.STOP_TIMEOUT_S = processes.STOP_TIMEOUT_S, 2.0
        port = server.port
        server.start()
    finally:
        processes.STOP_TIMEOUT_S = stop_timeout_s
        busy.terminate()

    assert server.port == port
    assert not is_alive(backend)
    assert await ask(server.dsn(), "select name from birds") == "owl"


async def test_a_stale_number_of_another_program_is_not_taken_for_ours(
    make: Callable[..., EmbeddedPostgres], directory: Path
) -> None:
    server = make()
    server.start()
    server.stop()
    bystander = subprocess.Popen(["sleep", "60"])  # noqa: ASYNC220
    cluster = directory / "postgresql" / "cluster"
    (cluster / "postmaster.pid").write_text(f"{bystander.pid}\n{cluster}\n1\n1\n\n\n1 1\nready\n")
    try:
        server.start()
        assert bystander.poll() is None
        assert await ask(server.dsn(), "select 1") == 1
    finally:
        bystander.kill()
        bystander.wait()


def test_data_of_another_major_is_refused_with_the_way_to_move(
    make: Callable[..., EmbeddedPostgres], directory: Path
) -> None:
    server = make()
    server.start()
    server.stop()
    (directory / "postgresql" / "cluster" / "PG_VERSION").write_text("16\n")

    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 16.*pg_dump.*new --data directory"):
        server.start()


def test_a_lost_password_file_is_told(make: Callable[..., EmbeddedPostgres], directory: Path) -> None:
    server = make()
    server.start()
    (directory / "postgresql" / "pgpass").unlink()

    with pytest.raises(EmbeddedError, match="pgpass is missing"):
        server.dsn()


async def test_the_operators_own_settings_win(make: Callable[..., EmbeddedPostgres], directory: Path) -> None:
    server = make()
    server.start()
    server.stop()
    with (directory / "postgresql" / "cluster" / "postgresql.conf").open("a") as configuration:
        configuration.write("work_mem = '7MB'\n")
    server.start()

    assert await ask(server.dsn(), "show work_mem") == "7MB"
    assert await ask(server.dsn(), "show timezone") == "UTC"


async def test_a_deep_directory_does_not_make_the_socket_too_long(
    make: Callable[..., EmbeddedPostgres], directory: Path
) -> None:
    deep = directory / ("a-rather-long-name-" * 5) / "and-more"
    deep.mkdir(parents=True)
    server = make(deep)
    server.start()

    assert await ask(server.dsn(), "select inet_server_addr() is null")
    server.stop()
    assert not list(Path("/tmp").glob(f"freehold-*/.s.PGSQL.{server.port}"))  # noqa: ASYNC240


@as_root
@on_linux
async def test_root_can_keep_data_where_the_server_cannot_walk_and_no_mode_is_changed(
    make: Callable[..., EmbeddedPostgres], directory: Path
) -> None:
    closed = directory / "closed"
    closed.mkdir(mode=0o700)
    server = make(closed)
    server.start()
    assert server.pid is not None
    owner = psutil.Process(server.pid).username()

    assert owner in server_user.SERVER_USERS
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert await ask(server.dsn(), "select 1") == 1
    server.stop()
    server.start()
    assert await ask(server.dsn(tcp=True), "select 1") == 1


@as_root
async def test_root_copies_the_programs_when_the_servers_user_cannot_read_them(
    make: Callable[..., EmbeddedPostgres], directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    able = programs._can_run

    def only_the_copy(user: ServerUser, folder: Path) -> bool:
        return folder.is_relative_to(directory) and able(user, folder)

    monkeypatch.setattr(programs, "_can_run", only_the_copy)
    server = make()
    server.start()

    assert await ask(server.dsn(), "select 1") == 1
    assert server.programs.is_relative_to(directory / "postgresql" / "install")


@as_root
async def test_root_leaves_the_data_with_the_user_who_made_them(
    make: Callable[..., EmbeddedPostgres], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(user="nobody")
    made.start()
    made.stop()
    monkeypatch.setattr(server_user, "SERVER_USERS", ("daemon", "nobody"))  # a new user
    again = make()
    again.start()

    assert await ask(again.dsn(), "select 1") == 1
    assert psutil.Process(again.pid).username() == "nobody"
    with pytest.raises(EmbeddedError, match=r"belongs to the user 'nobody'.*FREEHOLD_POSTGRES_USER"):
        make(user="daemon")


@as_root
def test_root_without_anybody_to_become_is_told(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_there(name: str) -> pwd.struct_passwd:
        raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", nobody_there)
    with pytest.raises(EmbeddedError, match="useradd --system freehold"):
        EmbeddedPostgres(directory)


def test_settings_follow_the_memory() -> None:
    small, large = tuned_settings(512 * 1024**2), tuned_settings(64 * 1024**3)

    assert (small["shared_buffers"], large["shared_buffers"]) == ("64MB", "8192MB")
    assert (small["work_mem"], large["work_mem"]) == ("4MB", "64MB")
