"""gofmt's shape without gofmt: who generates a service need not have Go. Tests hold every tree against gofmt.

Templates print tabs and spaces as gofmt would. What depends on the lengths of names is left to this module:
columns, whose cells are set apart by CELL, and imports, of which those that nothing uses go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

CELL = "\v"
"""Between the cells of lines that are aligned with those above and below."""

BREAK = "\f"
"""At the end of a line after which columns start anew."""

_LONG_KEY = 40
"""gofmt aligns any keys up to this length with each other, and longer ones if they do not differ much."""

_RATIO = 2.5

_IMPORTS = re.compile(r"^import \(\n(?P<lines>.*?)^\)\n", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r'\t(?:(?P<name>\w+) )?"(?P<path>[^"]+)"')
_EMPTY = re.compile(r"(\w)\{\n\t*\}")
"""A literal with nothing in it."""

_ONE_LINE = re.compile(r"^(?P<head>func .*) \{ (?P<body>[^{}\n]+) \}$", re.MULTILINE)
_MOST_ON_A_LINE = 100
"""gofmt leaves a function on one line up to this length of its head, a space and its body."""

_TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|\'(?:[^\'\\\n]|\\.)+\'|//[^\n]*|/\*.*?\*/', re.DOTALL)


def shaped(text: str) -> str:
    """The file as gofmt leaves it, without unused imports."""
    return _ONE_LINE.sub(_opened, _EMPTY.sub(r"\1{}", _aligned(_imported(text))))


def _opened(function: re.Match[str]) -> str:
    head, body = function["head"], function["body"]
    is_short = len(f"{head} {body}") <= _MOST_ON_A_LINE
    return function[0] if is_short else f"{head} {{\n\t{body}\n}}"


def pairs(found: Iterable[tuple[str, str]]) -> Iterator[str]:
    """`key: value,` for each, aligned as gofmt aligns those of a literal."""
    lengths: list[int] = []
    line = ""
    for key, value in found:
        if line:
            yield line + (BREAK if _stands_apart(lengths, len(key)) else "")
            if _stands_apart(lengths, len(key)):
                lengths = []
        lengths.append(len(key))
        line = f"{key}:{CELL}{value},"
    if line:
        yield line


def _stands_apart(lengths: list[int], length: int) -> bool:
    """Whether a key is so much longer or shorter than those before that gofmt aligns it no more."""
    if lengths[-1] <= _LONG_KEY and length <= _LONG_KEY:
        return False
    mean = 1.0
    for each in lengths:
        mean *= each ** (1 / len(lengths))
    ratio = length / mean
    return ratio * _RATIO <= 1 or ratio >= _RATIO


def _aligned(text: str) -> str:
    lines: list[str] = []
    block: list[list[str]] = []
    for line in text.split("\n"):
        cells = line.rstrip(BREAK).split(CELL)
        if block and len(cells) != len(block[0]):
            lines += _columns(block)
            block = []
        if len(cells) == 1:
            lines.append(line)
            continue
        block.append(cells)
        if line.endswith(BREAK):
            lines += _columns(block)
            block = []
    return "\n".join(lines + _columns(block))


def _columns(rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) + 1 for column in range(len(rows[0]) - 1)]
    return ["".join(map(str.ljust, row[:-1], widths)) + row[-1] for row in rows]


def _imported(text: str) -> str:
    block = _IMPORTS.search(text)
    if block is None:
        return text
    used = set(re.findall(r"\b([A-Za-z_]\w*)\.", _TEXT.sub('""', text[block.end() :])))
    groups: list[list[str]] = [[]]
    for line in block["lines"].splitlines():
        match = _IMPORT.fullmatch(line)
        if match is None:
            groups.append([])
        elif match["name"] == "_" or (match["name"] or _package(match["path"])) in used:
            groups[-1].append(line)
    kept = ["\n".join(sorted(group, key=_by_path)) for group in groups if group]
    body = "import (\n" + "\n\n".join(kept) + "\n)\n" if kept else ""
    return text[: block.start()] + body + text[block.end() :].removeprefix("" if kept else "\n")


def _package(path: str) -> str:
    parts = path.split("/")
    return parts[-2] if re.fullmatch(r"v[0-9]+", parts[-1]) else parts[-1]


def _by_path(line: str) -> str:
    return line.partition('"')[2]
