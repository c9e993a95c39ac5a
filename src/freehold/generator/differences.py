"""Decisions as a unified diff, to be read before anything is written or after an owner's edits."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import unified_diff

from freehold.generator.write import CHANGES, Decision, Outcome, Repository


def of_decisions(repository: Repository, decisions: Iterable[Decision]) -> str:
    """What writing the decisions would change in the files of a repository."""
    parts = []
    for each in decisions:
        if each.outcome in CHANGES:
            new = None if each.outcome is Outcome.REMOVED else each.text
            parts.append(_of_file(each.path, repository.text(each.path), new))
    return "".join(parts)


def of_edits(repository: Repository) -> str:
    """What the owner changed in files that the generator emitted."""
    changed = ((path, base, repository.text(path)) for path, base in sorted(repository.bases.items()))
    return "".join(_of_file(path, base, current) for path, base, current in changed if base != current)


def _of_file(path: str, old: str | None, new: str | None) -> str:
    lines = unified_diff(
        (old or "").splitlines(keepends=True),
        (new or "").splitlines(keepends=True),
        "/dev/null" if old is None else f"a/{path}",
        "/dev/null" if new is None else f"b/{path}",
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
