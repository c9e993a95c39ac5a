"""The server of the embedded PostgreSQL: where it listens, and its start and end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from freehold.db.embedded import processes
from freehold.db.embedded.cluster import DATABASE, ROLE, Cluster
from freehold.db.embedded.errors import EmbeddedError
from freehold.db.embedded.passwords import read_password
from freehold.db.embedded.programs import find_programs
from freehold.db.embedded.server_user import ServerUser

LONGEST_SOCKET_PATH = 100
START_TIMEOUT_S = 300.0
"""After a crash the server first replays what was committed, which may take a while."""


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
        cluster = self.directory / "cluster"
        self._user = ServerUser(user, self.directory, cluster)
        self._cluster = Cluster(cluster, self._user, durable=durable)
        self._process: subprocess.Popen[bytes] | None = None
        self._programs: Path | None = None
        self._private_sockets: Path | None = None

    def start(self) -> None:
        """Make the cluster if there is none, and start the server; return when it answers."""
        restarted = self._process is not None  # then others know its port
        self._prepare_directory()
        programs = self.programs
        processes.stop_leftovers(self._cluster.path)
        if not self._cluster.path.exists():
            self._cluster.create(programs, self.password_file)
        self._cluster.check_major(programs)
        self._cluster.write_settings(self._sockets, self._settings)
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
            processes.stop(process)
        self._user.leave_directory()
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
    def programs(self) -> Path:
        """The folder of the server's programs, and of `psql`."""
        if self._programs is None:
            self._programs = find_programs(self._user)
        return self._programs

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
        return read_password(self.password_file, role)

    def psql_command(self) -> str:
        """What to type to look at the data."""
        return f"PGPASSFILE={self.password_file} psql -h 127.0.0.1 -p {self.port} -U {ROLE} {DATABASE}"

    def _prepare_directory(self) -> None:
        # The server's user must pass through, so it is not 0700; everything inside is closed by itself.
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o711)
        self._user.reach_directory()
        if self._sockets == self.directory / "run":
            self._user.make_folder(self._sockets)

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
                    str(self.programs / "postgres"),
                    "-D",
                    self._user.path(self._cluster.path),
                    "-c",
                    f"port={self.port}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in the terminal is for us; we stop the server last
                preexec_fn=processes.stop_when_parent_dies,
                **self._user.process_options(),
            )

    def _wait_until_ready(self) -> bool:
        """Whether it came up: the eighth line of postmaster.pid says so, without a connection."""
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return False
            try:
                lines = (self._cluster.path / "postmaster.pid").read_text().splitlines()
            except FileNotFoundError:
                lines = []
            if len(lines) >= 8 and lines[7].strip() == "ready" and lines[0] == str(self._process.pid):
                return True
            time.sleep(0.01)
        self.stop()
        raise EmbeddedError(
            f"PostgreSQL was not ready after {START_TIMEOUT_S:.0f} s. Its log is {self._log}."
        )

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
            self._user.make_folder(self._private_sockets)
        return self._private_sockets

    def _last_words(self) -> str:
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - 4000))
            return log.read().decode(errors="replace").strip()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
