"""JSON that is kept in a repository: small enough to load, and a change of it is read line by line."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Any

import msgspec

Json = dict[str, Any]

WIDTH = 120
SHORT = 64
"""Parts of at most so many characters that follow each other share lines."""


def text(value: Any) -> str:
    """The value as a file: on one line what fits on it, and of the rest each part that is not short."""
    return _spelled(value, 0, 0) + "\n"


def _spelled(value: Any, depth: int, before: int) -> str:
    """`before` is how much of the line is taken already."""
    line = msgspec.json.encode(value).decode()
    if before + len(line) < WIDTH or not isinstance(value, dict | list) or not value:
        return line
    indent = " " * (depth + 1)
    if isinstance(value, dict):
        named = [(_key(name), each) for name, each in value.items()]
        opening, closing = "{}"
    else:
        named = [("", each) for each in value]
        opening, closing = "[]"
    parts = [name + _spelled(each, depth + 1, depth + 1 + len(name)) for name, each in named]
    inner = f",\n{indent}".join(_filled(parts, indent))
    return f"{opening}\n{indent}{inner}\n{indent[1:]}{closing}"


@lru_cache(maxsize=10_000)
def _key(name: str) -> str:
    return f"{msgspec.json.encode(name).decode()}: "


def _filled(parts: list[str], indent: str) -> list[str]:
    """As many short parts to a line as it takes."""
    lines = [parts[0]]
    for before, part in itertools.pairwise(parts):
        joined = f"{lines[-1]}, {part}"
        if len(before) <= SHORT and len(part) <= SHORT and len(indent) + len(joined) < WIDTH:
            lines[-1] = joined
        else:
            lines.append(part)
    return lines
