"""`freehold up` on real processes: what it says, what it survives, and how it ends."""

from __future__ import annotations

import asyncio
import json
import math
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

import freehold
from tests.postgres import Database
from tests.process.installation import Installation, environment, is_alive, run, until

Make = Callable[..., Installation]


@pytest.fixture
def directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="fh-up-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def used() -> Iterator[Path]:
    """The data directory of an installation that was started and stopped once, to be copied."""
    path = Path(tempfile.mkdtemp(prefix="fh-used-", dir="/tmp"))
    path.chmod(0o711)
    installation = Installation(path / "data")
    installation.start()
    assert installation.stop() == 0
    installation.log.unlink()
    yield installation.data
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def make(directory: Path, used: Path) -> Iterator[Make]:
    """Make an installation: by default one that was started before, which is what most are."""
    made: list[Installation] = []

    def make_one(name: str = "data", *, fresh: bool = False, **told: str) -> Installation:
        one = Installation(directory / name, told)
        made.append(one)
        if not fresh and "DATABASE_URL" not in told:
            subprocess.run(["cp", "-a", str(used), str(one.data)], check=True, timeout=60)
        return one

    yield make_one
    for one in made:
        one.stop()
        one.log.unlink(missing_ok=True)


def ask(dsn: str, *statements: str) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(dsn, timeout=10)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(run())


def dsn_of(installation: Installation) -> str:
    """The database as the printed psql instruction reaches it."""
    printed = re.fullmatch(
        r"PGPASSFILE=(\S+) psql -h (\S+) -p (\d+) -U (\w+) (\w+)", installation.announced["psql"]
    )
    assert printed is not None
    passfile, host, port, role, database = printed.groups()
    (password,) = re.findall(rf":{role}:(\S+)$", Path(passfile).read_text(), re.MULTILINE)
    return f"postgresql://{role}:{password}@{host}:{port}/{database}"


def test_it_says_in_one_line_where_it_is_and_everything_in_that_line_works(make: Make) -> None:
    up = make(fresh=True).start("--dev")
    announced = up.announced

    assert announced["endpoint"].endswith("/v1")
    assert announced["pid"] == up.pid
    assert announced["project"]
    assert announced["key"]
    assert up.get().status_code == 200
    assert httpx.get(f"{announced['admin']}/healthz").json() == {"status": "ok"}
    readiness = httpx.get(f"{announced['admin']}/readyz").json()
    assert readiness == {
        "status": "ready", "api-1": "ready", "api-2": "ready", "worker": "ready", "database": "ready",
    }  # fmt: skip
    assert (
        ask(dsn_of(up), "select rolsuper or rolbypassrls from pg_roles where rolname = current_user") is False
    )
    until(
        lambda: (
            'route="/v1/health/version",status="2xx"} 1.0' in httpx.get(f"{announced['admin']}/metrics").text
        )
    )

    assert up.process is not None
    assert up.process.stdout is not None
    up.process.send_signal(signal.SIGTERM)
    assert up.process.stdout.read() == "", "one line, and nothing else"
    assert up.stop() == 0
    assert all(json.loads(line)["level"] != "error" for line in up.log.read_text().splitlines())


def test_a_second_one_on_the_same_directory_is_refused_and_the_first_goes_on(make: Make) -> None:
    up = make().start()
    second = run("up", "--json", "--port", "0", "--data", str(up.data))

    assert second.returncode == 2
    assert f"Freehold already runs on {up.data} (process {up.pid})" in second.stderr
    assert "Traceback" not in second.stderr
    assert second.stdout == ""
    assert up.get().status_code == 200


def test_a_second_start_is_quicker_and_finds_the_same_project_and_key(make: Make) -> None:
    up = make(fresh=True).start()
    first, first_took_s, later_took_s = up.announced, up.took_s, math.inf
    for _ in range(4):  # others may have had the machine during one of them
        up.stop()
        up.start()
        later_took_s = min(later_took_s, up.took_s)
        assert (up.announced["project"], up.announced["key"]) == (first["project"], first["key"])
        if later_took_s < first_took_s:
            break

    assert later_took_s < first_took_s, "the ratio that can be asserted; in seconds it is in docs"


def test_it_survives_kill_9_of_everything_it_is(make: Make) -> None:
    up = make().start()
    ask(dsn_of(up), "create table public.birds as select 'owl' as name")
    left = [one.pid for one in up.children("")]
    (postgres,) = up.children("postgres")
    assert len(left) == 4
    up.kill()
    until(lambda: not any(map(is_alive, left)))
    up.start()

    assert not is_alive(postgres.pid)
    assert ask(dsn_of(up), "select name from public.birds") == "owl"
    assert up.get().status_code == 200


def test_a_start_right_after_kill_9_does_not_wait_for_the_old_one_to_be_gone(make: Make) -> None:
    up = make().start()
    ask(dsn_of(up), "create table public.birds as select 'owl' as name")
    up.kill()
    up.start()

    assert ask(dsn_of(up), "select name from public.birds") == "owl"


@pytest.mark.parametrize("what", ["freehold-api", "freehold-worker", "postgres"])
def test_a_process_that_is_killed_is_started_again(make: Make, what: str) -> None:
    up = make().start()
    killed = up.children(what)[0].pid
    os.kill(killed, signal.SIGKILL)
    until(lambda: killed not in [one.pid for one in up.children(what)])

    def recovered() -> bool:
        readiness = httpx.get(f"{up.announced['admin']}/readyz").json()
        return set(readiness.values()) == {"ready"} and len(up.children("")) == 4

    until(recovered)
    assert up.get().status_code == 200
    assert ask(dsn_of(up), "select 1") == 1
    assert "freehold_p" in httpx.get(f"{up.announced['admin']}/metrics").text


def test_a_request_that_runs_is_finished_when_we_are_stopped(make: Make) -> None:
    up = make().start()
    body = json.dumps(
        {"userId": "unique()", "email": "jane@example.com", "password": "a long enough one"}
    ).encode()
    host, port = httpx.URL(up.endpoint).host, httpx.URL(up.endpoint).port
    with socket.create_connection((host, port or 80), timeout=20) as slow:
        slow.sendall(
            b"POST /v1/account HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"X-Appwrite-Project: console\r\n" + f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:20]
        )
        until(lambda: up.get().status_code == 200)
        assert up.process is not None
        up.process.send_signal(signal.SIGTERM)
        until(lambda: not accepts((host, port or 80)))
        assert up.process.poll() is None
        slow.sendall(body[20:])
        answer = b""
        while part := slow.recv(65536):
            answer += part

    status, _, rest = answer.partition(b"\r\n")
    assert status == b"HTTP/1.1 201 Created", answer
    assert json.loads(rest.partition(b"\r\n\r\n")[2])["email"] == "jane@example.com"
    assert up.stop() == 0
    assert '"process_killed"' not in up.log.read_text()


def accepts(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=2).close()
    except ConnectionRefusedError:
        return False
    return True


def test_who_does_not_finish_in_time_is_not_waited_for(make: Make) -> None:
    up = make(FREEHOLD_SHUTDOWN_TIMEOUT_S="1").start()
    url = httpx.URL(up.endpoint)
    with socket.create_connection((url.host, url.port or 80), timeout=20) as stuck:
        stuck.sendall(
            b"POST /v1/account HTTP/1.1\r\nHost: localhost\r\nX-Appwrite-Project: console\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
        until(lambda: up.get().status_code == 200)

        assert up.stop() == 0


def test_a_second_ctrl_c_does_not_wait_for_requests(make: Make) -> None:
    up = make().start()
    url = httpx.URL(up.endpoint)
    with socket.create_connection((url.host, url.port or 80), timeout=20) as stuck:
        stuck.sendall(
            b"POST /v1/account HTTP/1.1\r\nHost: localhost\r\nX-Appwrite-Project: console\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
        until(lambda: up.get().status_code == 200)
        left = [one.pid for one in up.children("")]
        assert up.process is not None
        up.process.send_signal(signal.SIGINT)
        until(lambda: '"stopping"' in up.log.read_text())
        up.process.send_signal(signal.SIGINT)

        assert up.process.wait(15) == 130, "sooner than the 20 seconds that requests get"
    assert not any(map(is_alive, left))


def test_a_job_that_is_cut_short_is_given_back_unspent_and_done_after_the_next_start(
    make: Make, database: Database
) -> None:
    up = make(DATABASE_URL=database.url, FREEHOLD_SHUTDOWN_TIMEOUT_S="0.5").start()
    assert up.announced["psql"] == "", "that database is not ours to explain"
    assert up.children("postgres") == []

    async def hold_it_up() -> None:
        holder = await asyncpg.connect(database.url)
        await holder.execute("create schema gone; create table gone.birds (id int)")
        await holder.execute("begin; lock table gone.birds")
        await holder.execute("set idle_in_transaction_session_timeout = 0")
        asker = await asyncpg.connect(database.url)
        await asker.execute(
            "insert into freehold.jobs (project_id, kind, payload)"
            " values ('p', 'projects.drop', '{\"namespaces\": [\"gone\"]}');"
            "select pg_notify('freehold_jobs', '')"
        )
        state = "select state from freehold.jobs where kind = 'projects.drop'"
        async with asyncio.timeout(20):
            while await asker.fetchval(state) != "running":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert await asyncio.to_thread(up.stop) == 0
        row = await asker.fetchrow(
            "select state, attempts, leased_by from freehold.jobs where kind = 'projects.drop'"
        )
        assert tuple(row) == ("waiting", 0, None)
        await holder.close()
        await asker.close()

    asyncio.run(hold_it_up())
    up.start()
    until(lambda: ask(database.url, "select to_regnamespace('gone') is null"))


@pytest.mark.parametrize(
    ("told", "options", "words"),
    [
        ({"FREEHOLD_PORT": "eighty"}, (), "FREEHOLD_PORT is 'eighty', but it has to be a whole number"),
        ({"FREEHOLD_SECRET": "changeme"}, (), "FREEHOLD_SECRET is too short"),
        ({"FREEHOLD_HOST": "no.such.host.invalid"}, (), "which is no address of this machine"),
        ({"DATABASE_URL": "postgresql://jane:hunter2@127.0.0.1:1/x"}, (), "The database cannot be reached"),
        ({}, ("--data", "/dev/null/data"), "The data directory /dev/null/data cannot be used"),
    ],
)
def test_what_cannot_work_is_refused_in_words(
    directory: Path, told: dict[str, str], options: tuple[str, ...], words: str
) -> None:
    data = ("--data", str(directory / "data"))
    refused = run("up", "--json", *(options or data), told={"FREEHOLD_PORT": "0", **told})

    assert refused.returncode == 2
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "hunter2" not in refused.stderr


def test_it_says_its_version() -> None:
    done = run("--version")

    assert (done.returncode, done.stdout) == (0, f"freehold {freehold.__version__}\n")


def test_a_port_that_is_taken_is_refused_before_anything_is_made(directory: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = run("up", "--port", port, "--data", str(directory / "data"))

    assert refused.returncode == 2
    assert f"Port {port} on 127.0.0.1 is taken by another program" in refused.stderr
    assert not (directory / "data" / "postgresql").exists()


def test_each_part_can_be_run_by_itself_once_the_database_is_prepared(make: Make, database: Database) -> None:
    told = {
        "DATABASE_URL": database.url,
        "FREEHOLD_DATA": str(make("parts", fresh=True).data),
        "FREEHOLD_PORT": "0",
    }
    early = run("serve", told=told)
    assert early.returncode == 2
    assert "Run `freehold migrate`" in early.stderr
    assert run("migrate", "--check", told=told).returncode == 1
    assert run("migrate", told=told).returncode == 0
    assert run("migrate", "--check", told=told).returncode == 0
    assert "DATABASE_URL is not set" in run("worker").stderr

    with ThreadPoolExecutor(2) as both:
        for answer in both.map(
            lambda name: starts_and_stops(make(name, fresh=True), name, told), ("serve", "worker")
        ):
            assert answer == 0


def starts_and_stops(installation: Installation, name: str, told: dict[str, str]) -> int:
    part = installation.spawn(name, env=environment(told))
    try:
        until(lambda: '"ready"' in installation.log.read_text())
        (port,) = re.findall(r'"admin_port":(\d+)', installation.log.read_text())
        readiness = httpx.get(f"http://127.0.0.1:{port}/readyz").json()
        assert readiness == {"status": "ready", "process": "ready", "database": "ready"}
    finally:
        part.send_signal(signal.SIGTERM)
        code = part.wait(30)
        assert part.stdout is not None
        part.stdout.close()
    return code


@pytest.mark.skipif(os.geteuid() != 0, reason="who is not root is an ordinary user in every other test")
def test_an_ordinary_user_can_run_it_too(make: Make, directory: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    as_nobody: dict[str, Any] = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    python = usable_python(as_nobody)
    home = directory / "nobody"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    up = make("nobody/data", fresh=True)
    packages = [sysconfig.get_path("purelib"), str(Path(freehold.__file__).parents[1])]
    up.start(
        command=[python, "-m", "freehold", "up", "--json", "--port", "0", "--data", str(up.data)],
        env={**environment({"FREEHOLD_WORKERS": "1"}), "PYTHONPATH": ":".join(packages), "HOME": str(home)},
        **as_nobody,
    )
    (postgres,) = up.children("postgres")

    assert up.get().status_code == 200
    assert postgres.uids().real == nobody.pw_uid
    assert (up.data / "secret").stat().st_mode & 0o777 == 0o600
    assert up.data.stat().st_mode & 0o777 == 0o700


def usable_python(as_nobody: dict[str, Any]) -> str:
    """A Python of our version that this user may run, with our packages readable for it."""
    probe = "import sys, freehold, asyncpg; print(sys.version_info[:2])"
    packages = [sysconfig.get_path("purelib"), str(Path(freehold.__file__).parents[1])]
    for python in (sys.executable, shutil.which("python3", path="/usr/local/bin:/usr/bin") or ""):
        try:
            done: subprocess.CompletedProcess[str] = subprocess.run(
                [python, "-c", probe], capture_output=True, text=True, timeout=30, check=False, cwd="/",
                env={"PYTHONPATH": ":".join(packages)}, **as_nobody,
            )  # fmt: skip
        except OSError:
            continue
        if done.returncode == 0 and done.stdout.strip() == str(sys.version_info[:2]):
            return python
    pytest.skip("no Python of this version that the user nobody may run with our packages")


def test_the_log_of_the_embedded_database_is_verified_by_its_directory(make: Make) -> None:
    installation = make("logged", fresh=True)
    nowhere = run("audit", "verify", "--data", str(installation.data))
    assert nowhere.returncode == 2
    assert "no embedded database" in nowhere.stderr

    installation.start()
    new = {"userId": "root", "email": "root@example.com", "password": "correct horse battery"}
    headers = {"X-Appwrite-Project": "console"}
    made = httpx.post(f"{installation.endpoint}/account", json=new, headers=headers, timeout=10)
    assert made.status_code == 201

    def verified() -> bool:
        ran = run("audit", "verify", "--data", str(installation.data))
        assert (ran.returncode, ran.stderr) == (0, "")
        return "console: whole, 1 entries, " in ran.stdout

    until(verified)
    installation.stop()
    unreached = run("audit", "verify", "--data", str(installation.data))
    assert unreached.returncode == 2
    assert "The database cannot be reached" in unreached.stderr
    assert "Traceback" not in unreached.stderr
