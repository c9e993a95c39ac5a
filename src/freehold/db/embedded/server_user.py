"""Whom the server runs as, which is not us when we are root, and what that user can reach."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

from freehold.db.embedded.errors import EmbeddedError

SERVER_USERS = ("freehold", "postgres", "nobody")
"""Whom the server runs as when we are root, which PostgreSQL refuses: the first that the system has."""

# Nothing of our own environment: it holds secrets, and PG* variables would change what the server does.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class ServerUser:
    """The user of a server whose data lie in a directory."""

    def __init__(self, name: str | None, directory: Path, cluster: Path) -> None:
        self.directory = directory
        self._account = _account(name, cluster)
        self._directory_handle: int | None = None

    @property
    def name(self) -> str:
        return self._account.pw_name if self._account else "this user"

    def reach_directory(self) -> None:
        """See to it that the user gets to the directory, however closed the folders above it are."""
        if self._account is None or self._directory_handle is not None or self._can_enter(self.directory):
            return
        # Below a folder such as /root the server's user cannot walk to its data. An open handle of the
        # directory, reached through /proc, spares the walk, and no parent's mode has to be loosened.
        if not sys.platform.startswith("linux"):
            raise EmbeddedError(
                f"The user {self.name!r}, as whom PostgreSQL runs because you are root, cannot enter"
                f" {self.directory}. Name another data directory with --data, or start as an ordinary user."
            )
        self._directory_handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)

    def leave_directory(self) -> None:
        """Undo it, when no process of the user is left."""
        if self._directory_handle is not None:
            os.close(self._directory_handle)
            self._directory_handle = None

    def path(self, path: Path) -> str:
        """What the user calls a path."""
        if self._directory_handle is None or not path.is_relative_to(self.directory):
            return str(path)
        return f"/proc/self/fd/{self._directory_handle}/{path.relative_to(self.directory)}"

    def make_folder(self, path: Path) -> None:
        """Make a folder that the user alone can enter."""
        path.mkdir(mode=0o700, exist_ok=True)
        self.own(path)

    def own(self, file: Path | int) -> None:
        """Give the user a file, or an open one."""
        if self._account:
            os.chown(file, self._account.pw_uid, self._account.pw_gid)

    def process_options(self) -> dict[str, Any]:
        """How a process is started as the user."""
        options: dict[str, Any] = {"cwd": "/", "env": _ENVIRONMENT}
        if self._account:
            options |= {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        if self._directory_handle is not None:
            options["pass_fds"] = (self._directory_handle,)
        return options

    def run(self, program: Path, *arguments: str, stdin: str = "") -> str:
        """What a program says that has done its work; an EmbeddedError if it has not."""
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(program), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **self.process_options(),
        )
        if done.returncode != 0:
            raise EmbeddedError(
                f"{program.name} failed in {self.directory}: {(done.stderr or done.stdout).strip()}"
            )
        return done.stdout

    def can_run(self, *command: str) -> bool:
        """Whether a command can be run, and says that all is well."""
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=30,
                check=False,
                **self.process_options(),
            )
        except OSError:
            return False
        return done.returncode == 0

    def _can_enter(self, path: Path) -> bool:
        return self.can_run("/bin/sh", "-c", 'cd "$1"', "sh", str(path))


def _account(name: str | None, cluster: Path) -> pwd.struct_passwd | None:
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
