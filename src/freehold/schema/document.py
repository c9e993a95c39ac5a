"""A YAML or JSON text as a tree of plain values that know where they stand. Nothing is evaluated.

Tags, anchors and aliases are refused, keys must be unique, and size, depth and number of values are bounded,
so that a text from anyone may be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from freehold.schema.problems import Problem, Problems, SchemaError

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 24
MAX_VALUES = 100_000

ValueKind = Literal["map", "list", "text", "number", "bool", "null"]


class Value:
    """One value of a document: `data` is a dict or list of Values, or a plain scalar."""

    __slots__ = ("column", "data", "file", "keys", "kind", "line", "path", "raw")

    def __init__(
        self, kind: ValueKind, data: Any, *, file: str, line: int, column: int, path: str, raw: str = ""
    ) -> None:
        self.kind = kind
        self.data = data
        self.file = file
        self.line = line
        self.column = column
        self.path = path
        self.raw = raw
        """A scalar as it was written: `0.10` is not yet a float here."""
        self.keys: dict[str, tuple[int, int]] = {}
        """Where each key of a map stands."""

    def items(self) -> Iterator[tuple[str, Value]]:
        yield from self.data.items()

    def get(self, key: str) -> Value | None:
        found: Value | None = self.data.get(key)
        return found

    def problem(self, message: str, hint: str = "", *, key: str | None = None) -> Problem:
        """A problem with this value, or with one of its keys."""
        line, column = (
            self.keys.get(key, (self.line, self.column)) if key is not None else (self.line, self.column)
        )
        path = self.path if key is None else join(self.path, key)
        return Problem(file=self.file, line=line, column=column, path=path, message=message, hint=hint)

    def plain(self) -> Any:
        """The value without positions, as JSON has it."""
        if self.kind == "map":
            return {key: value.plain() for key, value in self.data.items()}
        if self.kind == "list":
            return [value.plain() for value in self.data]
        return self.data


def parse(text: str | bytes, *, file: str, problems: Problems) -> Value:
    """The document's root. What cannot be read at all ends the reading; the rest is collected."""
    if isinstance(text, bytes):
        text = _decode(text, file, problems)
    elif len(text) > MAX_BYTES:
        _too_large(file, problems)
    try:
        return _Composer(text, file, problems).root()
    except SchemaError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _refuse(
            file, mark, problems, f"is not YAML: {error.problem or error.context}", _syntax_hint(text, mark)
        )
    except (yaml.YAMLError, ValueError) as error:
        _refuse(
            file, None, problems, f"is not YAML: {str(error).splitlines()[0] if str(error) else 'unreadable'}"
        )
    raise AssertionError


def join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


class _Composer:
    """Makes values of the parser's events, and stops where there are too many, or too deep."""

    def __init__(self, text: str, file: str, problems: Problems) -> None:
        self.file = file
        self.problems = problems
        masked, self.unmasked = _masked(text)
        self.events: Iterator[Event] = iter(yaml.parse(masked, Loader=_LOADER))
        self.count = 0

    def root(self) -> Value:
        root: Value | None = None
        while (event := self._next()) is not None:
            if isinstance(event, DocumentStartEvent) and root is not None:
                self._refuse(event, "is not YAML: there is a second document", "leave `---` out")
            if isinstance(event, NodeEvent):
                root = self._value(event, "", 0)
        if root is None:
            _refuse(self.file, None, self.problems, "is empty", "begin with `freehold: 1`")
            raise AssertionError
        return root

    def _next(self) -> Event | None:
        event = next(self.events, None)
        self.count += 1
        if event is not None and self.count > MAX_VALUES:
            self._refuse(event, f"has more than {MAX_VALUES} values")
        return event

    def _refuse(self, event: Event, message: str, hint: str = "") -> None:
        _refuse(self.file, event.start_mark, self.problems, message, hint)

    def _value(self, event: Event, path: str, depth: int) -> Value:
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
            self._refuse(event, "anchors and aliases are not read", "write the value out")
        if depth > MAX_DEPTH:
            self._refuse(event, f"is nested more than {MAX_DEPTH} deep")
        tag = getattr(event, "tag", None)
        if tag is not None:
            short = str(tag).replace("tag:yaml.org,2002:", "!!")
            self._refuse(event, f"the tag `{short}` is not read", "a schema is data only: leave the tag out")
        mark = event.start_mark
        assert mark is not None
        where: dict[str, Any] = {
            "file": self.file,
            "line": mark.line + 1,
            "column": mark.column + 1,
            "path": path,
        }
        if isinstance(event, MappingStartEvent):
            return self._map(Value("map", {}, **where), path, depth)
        if isinstance(event, SequenceStartEvent):
            values: list[Value] = []
            while not isinstance(each := self._next(), CollectionEndEvent):
                assert each is not None
                values.append(self._value(each, f"{path}[{len(values)}]", depth + 1))
            return Value("list", values, **where)
        assert isinstance(event, ScalarEvent)
        text = self.unmasked(str(event.value))
        kind, data = _scalar(text, is_plain=_is_plain(event))
        return Value(kind, data, raw=text, **where)

    def _map(self, found: Value, path: str, depth: int) -> Value:
        while not isinstance(event := self._next(), CollectionEndEvent):
            assert event is not None
            if not isinstance(event, ScalarEvent):
                self._refuse(event, "a key must be a word")
            name = self._value(event, path, depth)
            key = name.raw
            if key == "<<" and name.data == "<<" and _is_plain(event):
                self._refuse(event, "merge keys (`<<`) are not read", "write the keys out")
            following = self._next()
            assert following is not None
            value = self._value(following, join(path, key), depth + 1)
            if key in found.keys:
                line, _ = found.keys[key]
                self.problems.add(
                    Problem(
                        file=self.file,
                        line=name.line,
                        column=name.column,
                        path=join(path, key),
                        message=f"`{key}` is here a second time",
                        hint=f"the first is in line {line}",
                    )
                )
                continue
            found.keys[key] = (name.line, name.column)
            found.data[key] = value
        return found


def _is_plain(event: Event) -> bool:
    """Whether a scalar was written without quotes."""
    return getattr(event, "style", None) in (None, "")


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C, where PyYAML was built with it: it reads a large schema in no time."""

# A type such as `decimal(12,2)` or `enum(a, b)[]` is one word of the language, also between the braces
# of a flow mapping, where plain YAML would end it at the first comma or bracket. So those are exchanged for
# characters that the text does not have, and back when it is read; places stay what they are.
_STRUCTURE = ",:#[]"
_PARENTHESES = re.compile(r"""["'()\[\]{}\n]""")
_ARRAY = re.compile(r"(?<=[A-Za-z0-9_)])([ \t]*)\[(\s*)\](?=[ \t]*(?:[,}\]\n\r]|\s\#|\Z))")
_SURROGATES = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)


def _masked(text: str) -> tuple[str, Callable[[str], str]]:
    """The text with the structure within types hidden, and how to have it back."""
    if text.lstrip()[:1] == "{":  # JSON, which spells characters beyond 16 bits as two
        text = _SURROGATES.sub(_one_character, text)
    free = (chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in text)
    hidden = dict(zip(_STRUCTURE, free, strict=False))
    hide, show = str.maketrans(hidden), str.maketrans({value: key for key, value in hidden.items()})
    parts, done = [], 0
    for start, end in _parenthesized(text):
        parts += [text[done:start], text[start:end].translate(hide)]
        done = end
    masked = "".join([*parts, text[done:]])
    masked = _ARRAY.sub(lambda found: f"{found[1]}{hidden['[']}{found[2]}{hidden[']']}", masked)
    return masked, lambda scalar: scalar.translate(show)


def _parenthesized(text: str) -> Iterator[tuple[int, int]]:
    """Where a word is followed by parentheses that close, with neither brackets nor open quotes in them."""
    opened, quote = -1, ""
    for found in _PARENTHESES.finditer(text):
        at, sign = found.start(), found.group()
        if quote:
            if sign == "\n":
                opened, quote = -1, ""
            elif sign == quote:
                quote = ""
        elif sign == "(":
            before = text[max(at - 8, 0) : at].rstrip(" ")[-1:]
            opened = at if before.isalnum() or before in ("_", ")") else -1
        elif sign == ")" and opened >= 0:
            yield opened, at + 1
            opened = -1
        elif sign in "[]{}":
            opened = -1
        elif sign in "\"'" and opened >= 0:
            quote = sign


def _one_character(found: re.Match[str]) -> str:
    high, low = (int(each, 16) for each in found.groups())
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


_INTEGER = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def _scalar(text: str, *, is_plain: bool) -> tuple[ValueKind, Any]:
    """A scalar by YAML's core rules. A date, a time, or an octal stays the text that was written."""
    if not is_plain:
        return "text", text
    if text in ("", "null", "Null", "NULL", "~"):
        return "null", None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return "bool", text.lower() == "true"
    if len(text) <= 400:
        if _INTEGER.fullmatch(text):
            return "number", int(text)
        if _NUMBER.fullmatch(text):
            return "number", float(text)
    return "text", text


def _refuse(file: str, mark: Any, problems: Problems, message: str, hint: str = "") -> Any:
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    problems.add(Problem(file=file, line=line, column=column, path="", message=message, hint=hint))
    problems.stop()


def _decode(text: bytes, file: str, problems: Problems) -> str:
    if len(text) > MAX_BYTES:
        _too_large(file, problems)
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse(
            file, None, problems, f"is not UTF-8: byte {error.start} cannot be read", "save the file as UTF-8"
        )
        raise AssertionError from error


def _too_large(file: str, problems: Problems) -> None:
    _refuse(file, None, problems, f"is larger than {MAX_BYTES // 1024} KiB", "split it with `include:`")


def _syntax_hint(text: str, mark: Any) -> str:
    lines = text.splitlines()
    if mark is not None and mark.line < len(lines) and "\t" in lines[mark.line][: mark.column + 1]:
        return "YAML is indented with spaces, not with tabs"
    return "check indentation, quotes and brackets there"
