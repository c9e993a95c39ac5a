"""What is taken out of an emitted service to see whether its own tests notice, and which of them has to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple


class Edit(NamedTuple):
    """A text that a file has exactly once, and what stands in its place."""

    file: str
    find: str
    instead: str = ""
    at: int | None = None
    """Of a text that the file has several times, which one."""


class Mutant(NamedTuple):
    """A service without one of its guards."""

    guard: str
    test: str
    """The test that has to fail, as its runner calls it."""
    edits: tuple[Edit, ...]
    turn: int = 1
    """Mutants of one turn are tried together: none of them makes the test of another fail. Those of turn 0
    are tried alone, and only when there is time."""


def mutant(guard: str, test: str, *edits: Edit, turn: int = 1) -> Mutant:
    return Mutant(guard, test, edits, turn)


def applied(folder: Path, mutants: list[Mutant]) -> dict[Path, str]:
    """Take the guards out. Gives the files as they were."""
    before: dict[Path, str] = {}
    edits = [edit for each in mutants for edit in each.edits]
    # The last of several goes first, so that the others keep their places.
    for edit in sorted(edits, key=lambda each: each.at or 0, reverse=True):
        file = folder / edit.file
        text = file.read_text(encoding="utf-8")
        before.setdefault(file, text)
        places = [found.start() for found in re.finditer(re.escape(edit.find), text)]
        assert len(places) == 1 or (edit.at is not None and edit.at < len(places)), (edit, len(places))
        place = places[edit.at or 0]
        file.write_text(text[:place] + edit.instead + text[place + len(edit.find) :], encoding="utf-8")
    return before


REQUIRED = (
    ("project:read", 0, "GET  (project:read)"),
    ("project:read_deleted", None, "GET ?deleted=only (project:read, project:read_deleted)"),
    ("person:create", 0, "POST  (person:create)"),
    ("project:read", 1, "GET /{id} (project:read)"),
    ("project:update", 0, "PATCH /{id} (project:update)"),
    ("project:delete", 0, "DELETE /{id} (project:delete)"),
    ("project:restore", None, "POST /{id}/restore (project:restore)"),
    ("project:update", 1, "PUT /{id}/team/{other} (project:update, person:read)"),
    ("person:read", 0, "PUT /{id}/team/{other} (project:update, person:read)"),
    ("project:update", 2, "DELETE /{id}/team/{other} (project:update, person:read)"),
    ("person:read", 1, "DELETE /{id}/team/{other} (project:update, person:read)"),
    ("person:create", 1, "POST /batch (person:create)"),
    ("project:update", 5, "POST /batch (project:create, project:update)"),
    ("project:update", 6, "POST /batch-update (project:update)"),
    ("project:delete", 1, "POST /batch-delete (project:delete)"),
)
"""The permissions that routes ask for: which of those that are spelled so in the file, and what it guards.

Whoever makes a project is asked a second time, by the statement, since some may make one under conditions.
"""


def asked_by(permission: str) -> str:
    """The resource whose route it is."""
    return "person" if permission == "person:create" else "project"
