"""Three texts to one: what was emitted last, what its owner made of it, and what is emitted now."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, cast

from merge3 import Merge3

from freehold.generator.target import Parser

Formatter = Callable[[str], str]
"""The repository's own formatter, for one file; the text itself when there is none."""


@dataclass(frozen=True)
class Merged:
    """The text, and where both sides changed the same lines."""

    text: str
    conflicts: int


def merge(
    base: str,
    yours: str,
    generated: str,
    path: str,
    formatter: Formatter,
    parsers: Mapping[str, Parser],
) -> Merged:
    """All changes of both sides. Where they collide, or the result does not parse, there are marks."""
    merged = _merge(base, yours, generated)
    if merged.conflicts:
        # Someone may have reformatted the file: then both other texts should look as it does.
        again = _merge(formatter(base), yours, formatter(generated))
        merged = again if again.conflicts < merged.conflicts else merged
    if not merged.conflicts and not parses(path, merged.text, parsers):
        return Merged(_marked(yours, generated), 1)
    return merged


def _merge(base: str, yours: str, generated: str) -> Merged:
    merger = Merge3(
        base.splitlines(keepends=True),
        yours.splitlines(keepends=True),
        generated.splitlines(keepends=True),
        sequence_matcher=cast(Any, _Matcher),
    )
    lines: list[str] = []
    conflicts = 0
    for group in merger.merge_groups():
        if group[0] == "conflict":
            conflicts += 1
            lines += ["<<<<<<< yours\n", *_ended(group[2]), "||||||| base\n", *_ended(group[1])]
            lines += ["=======\n", *_ended(group[3]), ">>>>>>> generated\n"]
        else:
            lines += group[1]
    return Merged("".join(lines), conflicts)


class _Matcher(SequenceMatcher[str]):
    """Without the heuristic that calls lines junk because they are frequent, which blank lines are."""

    def __init__(self, isjunk: Any, a: Sequence[str], b: Sequence[str]) -> None:
        super().__init__(None, a, b, autojunk=False)


def _marked(yours: str, generated: str) -> str:
    return f"<<<<<<< yours\n{yours}=======\n{generated}>>>>>>> generated\n"


def _ended(lines: Sequence[str]) -> list[str]:
    return [line if line.endswith("\n") else line + "\n" for line in lines]


_PARSERS: dict[str, Parser] = {".json": json.loads, ".toml": tomllib.loads}


def parses(path: str, text: str, parsers: Mapping[str, Parser]) -> bool:
    """Whether the text is still a file of its kind; of kinds that cannot be told, it is."""
    suffix = path[path.rfind(".") :]
    parser = parsers.get(suffix) or _PARSERS.get(suffix)
    if parser is None:
        return True
    try:
        parser(text)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True
