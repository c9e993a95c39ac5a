"""The passwords of the embedded database, in a file that `psql` reads too."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from freehold.db.embedded.errors import EmbeddedError


def read_password(file: Path, role: str) -> str:
    """The password of a role; an EmbeddedError where it is lost."""
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        raise EmbeddedError(
            f"{file} is missing, but the database beside it needs its passwords. Restore that file"
            " from a backup of the data directory."
        ) from None
    for line in lines:
        *_, name, password = line.split(":")
        if name == role:
            return password
    raise EmbeddedError(f"{file} names no role {role!r}. Restore it from a backup.")


def write_passwords(file: Path, passwords: Mapping[str, str]) -> None:
    """Write the password of each role, whole or not at all, for us alone to read."""
    unfinished = file.with_name(file.name + ".new")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as opened:
        opened.write("".join(f"*:*:*:{role}:{password}\n" for role, password in passwords.items()))
        opened.flush()
        os.fsync(opened.fileno())
    unfinished.rename(file)
