"""The project's folder as an agent may see it: schemas, and what the generator emitted. Nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from freehold.generator import write
from freehold.generator.write import Repository

MAX_FILE = 1_000_000
"""Bytes of a file that is read."""
_is_schema = re.compile(r"^(freehold|entities|include)\s*:", re.MULTILINE).search
_is_migration = re.compile(r"db/migrations/[\w.-]+\.sql").fullmatch
_is_apsorc = re.compile(r'"entities"\s*:').search


class Unreachable(ValueError):
    """A path that an agent has no business with."""


class Folder:
    """A folder, and the one way to the paths in it."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def path(self, name: str) -> Path:
        """The path within the folder, wherever its links lead. Raises Unreachable."""
        if "\0" in name:
            raise Unreachable("A path has no NUL in it.")
        found = (self.root / name).resolve()
        if not found.is_relative_to(self.root):
            raise Unreachable(f"{name!r} leads out of the project's folder.")
        return found

    def schema(self, name: str) -> str:
        """The text of a schema file. Raises Unreachable for any other file."""
        file = self.path(name)
        suffix = ".apsorc" if file.name.endswith(".apsorc") else file.suffix
        if suffix not in (".apsorc", ".yaml", ".yml"):
            raise Unreachable(f"{name!r} is no schema: those are .yaml files and .apsorc.")
        text = self._text(file, name)
        if not (_is_apsorc if suffix == ".apsorc" else _is_schema)(text):
            raise Unreachable(f"{name!r} is no schema of Freehold, and nothing else is shown.")
        return text

    def service(self, name: str) -> Repository:
        """A service that the generator made. Raises Unreachable."""
        repository = write.read(self.path(name))
        if repository.made is None:
            raise Unreachable(f"{name!r} is no service that was generated: there is no {write.MANIFEST}.")
        return repository

    def emitted(self, service: str, name: str) -> str:
        """The text of a file that the generator emitted, as it is now. Raises Unreachable."""
        repository = self.service(service)
        if name not in repository.bases and not _is_migration(name):
            raise Unreachable(f"{name!r} is no file that the generator emitted.")
        file = self.path(f"{service}/{name}")
        if file != repository.root / name:
            raise Unreachable(f"{name!r} is a link to another file.")
        return self._text(file, name)

    def _text(self, file: Path, name: str) -> str:
        try:
            with file.open("rb") as opened:
                return opened.read(MAX_FILE).decode("utf-8", errors="replace")
        except OSError as error:
            raise Unreachable(f"{name!r} cannot be read: {error.strerror}.") from error
