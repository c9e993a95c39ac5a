"""Emitted files into a repository whose owner edits them: nothing is lost, and nothing is touched in vain."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

from freehold import __version__
from freehold.generator.merge import merge
from freehold.generator.target import Format, Target

STATE = ".freehold"
MANIFEST = f"{STATE}/manifest.json"
BASE = f"{STATE}/base"
CONFLICTS = f"{STATE}/conflicts"
INCOMING = f"{STATE}/incoming"

APPENDED = ("db/migrations/",)
"""Files below are written once, and stay as they are: they may have been applied."""

LOCKED = ("openapi.json", "tests/resources.json", "db/schema.sql", "db/catalog.sql", "db/schema.lock.json")
"""Files that follow from the schema and from `openapi.extra.yaml`: an edit of them is a mistake."""


class Outcome(StrEnum):
    """What becomes of one file."""

    SAME = "same"
    CREATED = "created"
    UPDATED = "updated"
    MERGED = "merged"
    EDITED = "edited"
    """The owner's edits stand, and nothing new was emitted."""
    REMOVED = "removed"
    DELETED = "deleted"
    """The owner deleted it, and it stays so."""
    ORPHANED = "orphaned"
    """No longer emitted, and kept because it was edited."""
    CONFLICT = "conflict"
    LOCKED = "locked"
    """Edited, although it follows from the schema alone."""
    INCOMING = "incoming"
    """There was a file already that was never emitted."""


CHANGES = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.MERGED, Outcome.REMOVED})
REFUSALS = frozenset({Outcome.CONFLICT, Outcome.LOCKED, Outcome.INCOMING})


@dataclass(frozen=True)
class Decision:
    """What becomes of one file, and the text that is written for it, if any."""

    path: str
    outcome: Outcome
    text: str | None = None
    """For a change, the file's new text; for a conflict, the marked one."""
    base: str | None = None
    """The text that the next merge starts from; None forgets the file."""


@dataclass(frozen=True)
class Made:
    """What the manifest says of the last run."""

    generator: str
    """Its version."""
    target: str
    schema: str
    """The digest of the schema's snapshot."""


@dataclass(frozen=True)
class Repository:
    """What is on the disk: the manifest's files, and the texts of what might be written."""

    root: Path
    bases: Mapping[str, str] = field(default_factory=dict)
    made: Made | None = None

    def text(self, path: str) -> str | None:
        try:
            return _inside(self.root, path).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None


class OutsideFolder(ValueError):
    """A file would be written outside of the service's folder."""


class StateBroken(ValueError):
    """The manifest cannot be read."""


def read(root: Path) -> Repository:
    """The repository as the last run left it, and as its owner did."""
    try:
        manifest = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
        files = dict(manifest["files"])
        made = Made(*(str(manifest[key]) for key in ("generator", "target", "schema")))
    except FileNotFoundError:
        return Repository(root)
    except (ValueError, KeyError, TypeError) as error:
        raise StateBroken(f"{root / MANIFEST} cannot be read: restore it from version control") from error
    bases = {}
    for path, entry in files.items():
        base = Repository(root).text(f"{BASE}/{path}")
        if base is not None and entry.get("base") == digest(base):
            bases[path] = base
    return Repository(root, bases, made)


def decide(
    repository: Repository,
    emitted: Mapping[str, str],
    target: Target,
    *,
    take_yours: Collection[str] = (),
    take_generated: Collection[str] = (),
) -> list[Decision]:
    """What should become of each file. Nothing is written."""
    found = []
    formatted = target.formatter(repository.root)
    for path in sorted({*emitted, *repository.bases}):
        new = emitted.get(path)
        if path in take_generated and new is not None:
            same = repository.text(path) == new
            found.append(Decision(path, Outcome.SAME if same else Outcome.UPDATED, new, new))
        elif path in take_yours and new is not None:
            found.append(Decision(path, Outcome.EDITED, base=new))
        else:
            found.append(_decide(repository, path, new, target, formatted))
    return found


def _decide(
    repository: Repository, path: str, new: str | None, target: Target, formatted: Format
) -> Decision:
    base, current = repository.bases.get(path), repository.text(path)
    if path.startswith(APPENDED):
        return Decision(path, Outcome.CREATED if current is None else Outcome.SAME, new)
    if new is not None and any(fnmatchcase(path, pattern) for pattern in target.once):
        if current is None and base is None:
            return Decision(path, Outcome.CREATED, new, new)
        return Decision(path, Outcome.DELETED if current is None else Outcome.SAME, base=base or new)
    if new is None:
        if current is None:
            return Decision(path, Outcome.SAME)
        return Decision(path, Outcome.REMOVED if current == base else Outcome.ORPHANED)
    if current == new:
        return Decision(path, Outcome.SAME, base=new)
    if current is None:
        if base is None:
            return Decision(path, Outcome.CREATED, new, new)
        return Decision(path, Outcome.DELETED, base=base)
    if base is None:
        return Decision(path, Outcome.INCOMING, new)
    if current == base:
        return Decision(path, Outcome.UPDATED, new, new)
    if path in LOCKED:
        return Decision(path, Outcome.LOCKED, base=base)
    if new == base:
        return Decision(path, Outcome.EDITED, base=base)
    if formatted(path, current) == formatted(path, base):
        return Decision(path, Outcome.MERGED, formatted(path, new), new)
    merged = merge(base, current, new, path, lambda text: formatted(path, text), target.parsers)
    if merged.conflicts:
        return Decision(path, Outcome.CONFLICT, merged.text, base)
    return Decision(path, Outcome.MERGED if merged.text != current else Outcome.EDITED, merged.text, new)


def perform(root: Path, decisions: list[Decision], *, target: str, schema: str) -> None:
    """Write what was decided; the manifest comes last, so that a crash repeats a run and loses nothing."""
    files = {}
    for each in decisions:
        conflict, incoming = f"{CONFLICTS}/{each.path}", f"{INCOMING}/{each.path}"
        if each.outcome in (Outcome.CREATED, Outcome.UPDATED, Outcome.MERGED):
            put(root, each.path, each.text or "")
        elif each.outcome is Outcome.REMOVED:
            remove(root, each.path)
        if each.outcome is Outcome.CONFLICT:
            put(root, conflict, each.text or "")
        else:
            remove(root, conflict)
        if each.outcome is Outcome.INCOMING:
            put(root, incoming, each.text or "")
        else:
            remove(root, incoming)
        if each.base is None:
            remove(root, f"{BASE}/{each.path}")
        else:
            put(root, f"{BASE}/{each.path}", each.base)
            files[each.path] = {"base": digest(each.base)}
    manifest = {"generator": __version__, "target": target, "schema": digest(schema), "files": files}
    put(root, MANIFEST, json.dumps(manifest, indent=2, sort_keys=True) + "\n")


def put(root: Path, path: str, text: str) -> None:
    """The file with the text, whole or not at all; a file that has it already is not touched."""
    file = _inside(root, path)
    data = text.encode("utf-8")
    try:
        if file.read_bytes() == data:
            return
    except FileNotFoundError:
        pass
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.write_bytes(data)
    beside.replace(file)


def remove(root: Path, path: str) -> None:
    """No such file, and no folder that only held it."""
    file = _inside(root, path)
    try:
        file.unlink()
    except FileNotFoundError:
        return
    for folder in file.parents:
        if folder == root or any(folder.iterdir()):
            return
        folder.rmdir()


def digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest()


def _inside(root: Path, path: str) -> Path:
    file = root / path
    if not file.parent.resolve().is_relative_to(root.resolve()) or ".." in Path(path).parts:
        raise OutsideFolder(f"{path} would be written outside of {root}")
    return file
