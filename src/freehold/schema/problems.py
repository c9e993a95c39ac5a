"""What is wrong with a schema, where it stands, and how to mend it; all of it at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import NoReturn

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to mend. Lines and columns count from 1; `path` is `entities.project.fields.name`."""

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        subject = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column}: {subject}{self.message}{hint}"


class SchemaError(ValueError):
    """A schema that cannot be used, with every problem that was found in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Problems:
    """Collects what is wrong while reading goes on."""

    LIMIT = 200

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, problem: Problem) -> None:
        if problem not in self.found:
            self.found.append(problem)
        if len(self.found) >= self.LIMIT:
            self.stop()

    def stop(self) -> NoReturn:
        raise SchemaError(sorted(self.found, key=lambda each: (each.file, each.line, each.column)))

    def raise_any(self) -> None:
        if self.found:
            self.stop()


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint with the known word that is nearest, or with all of them when they are few."""
    words = sorted(set(known))
    near = difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    if words and len(words) <= 24:
        return "known: " + ", ".join(f"`{each}`" for each in words)
    return ""
