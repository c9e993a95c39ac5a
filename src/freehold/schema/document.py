"""A YAML or JSON text as a tree of plain values that know where they stand. Nothing is evaluated.

Tags, anchors and aliases are refused, keys must be unique, and size, depth and number of values are bounded,
so that a text from anyone may be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.parser import Parser
from ruamel.yaml.scanner import Scanner
from ruamel.yaml.tokens import ScalarToken

from freehold.schema.problems import Problem, Problems, SchemaError

MAX_BYTES = 512 * 1024
MAX_DEPTH = 24
MAX_VALUES = 20_000

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
        for count, event in enumerate(_yaml().parse(text)):
            if count > MAX_VALUES:
                _refuse(file, event.start_mark, problems, f"has more than {MAX_VALUES} values")
            if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor is not None):
                _refuse(
                    file,
                    event.start_mark,
                    problems,
                    "anchors and aliases are not read",
                    "write the value out",
                )
        root = _yaml().compose(text)
    except SchemaError:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if "maximum depth" in str(error.problem):
            _refuse(file, mark, problems, f"is nested more than {MAX_DEPTH} deep")
        _refuse(
            file, mark, problems, f"is not YAML: {error.problem or error.context}", _syntax_hint(text, mark)
        )
    except (YAMLError, RecursionError, ValueError) as error:
        _refuse(
            file,
            None,
            problems,
            f"is not YAML: {str(error).splitlines()[0] if str(error) else 'nested too deeply'}",
        )
    if root is None:
        _refuse(file, None, problems, "is empty", "begin with `freehold: 1`")
    return _value(root, file, "", 0, problems)


def join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


# A type such as `decimal(12,2)` or `enum(a, b)[]` is one word of the language, also between the braces
# of a flow mapping, where plain YAML would end it at the first comma or bracket.
_WORD = re.compile(
    r"""[A-Za-z_] [^,\[\]{}()\#:\n'"`]*                                     # begins as a word
        (?: \( (?: [^()'"\[\]{}] | "[^"\n]*" | '[^'\n]*' )* \) [^,\[\]{}()\#:\n'"]* )*   # (...), many times
        (?: \[\s*\] )?                                                      # an array
        (?= [ \t]* (?: [,}\]\n\r\0] | \s\# | \Z ) )""",
    re.VERBOSE,
)


class _TypeScanner(Scanner):
    """YAML's scanner, to which a parenthesis in a plain scalar means that commas belong to it."""

    def scan_plain(self) -> Any:
        reader = self.reader
        found = _WORD.match(reader.buffer, reader.pointer)
        word = found.group().rstrip() if found else ""
        if not word or ("(" not in word and not word.endswith("]")):
            return super().scan_plain()
        start = reader.get_mark()
        reader.forward(len(word))
        self.allow_simple_key = False
        return ScalarToken(" ".join(word.split()), True, start, reader.get_mark())


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = _TypeScanner
    yaml.Parser = Parser
    yaml.max_depth = MAX_DEPTH
    return yaml


def _value(node: Node, file: str, path: str, depth: int, problems: Problems) -> Value:
    where = {
        "file": file,
        "line": node.start_mark.line + 1,
        "column": node.start_mark.column + 1,
        "path": path,
    }
    if depth > MAX_DEPTH:
        _refuse(file, node.start_mark, problems, f"is nested more than {MAX_DEPTH} deep")
    if isinstance(node, MappingNode):
        return _map(node, file, path, depth, problems, where)
    if isinstance(node, SequenceNode):
        _plain_tag(node, "tag:yaml.org,2002:seq", file, problems)
        values = [
            _value(each, file, f"{path}[{at}]", depth + 1, problems) for at, each in enumerate(node.value)
        ]
        return Value("list", values, **where)
    kind, data = _scalar(node, file, problems)
    return Value(kind, data, raw=str(node.value), **where)


def _map(
    node: MappingNode, file: str, path: str, depth: int, problems: Problems, where: dict[str, Any]
) -> Value:
    _plain_tag(node, "tag:yaml.org,2002:map", file, problems)
    found = Value("map", {}, **where)
    for key_node, value_node in node.value:
        mark = key_node.start_mark
        if not isinstance(key_node, ScalarNode):
            _refuse(file, mark, problems, "a key must be a word")
        key = str(key_node.value)
        if str(key_node.tag) == "tag:yaml.org,2002:merge":
            _refuse(file, mark, problems, "merge keys (`<<`) are not read", "write the keys out")
        if key in found.keys:
            line, _ = found.keys[key]
            problems.add(
                Problem(
                    file=file,
                    line=mark.line + 1,
                    column=mark.column + 1,
                    path=join(path, key),
                    message=f"`{key}` is here a second time",
                    hint=f"the first is in line {line}",
                )
            )
            continue
        found.keys[key] = (mark.line + 1, mark.column + 1)
        found.data[key] = _value(value_node, file, join(path, key), depth + 1, problems)
    return found


_INTEGER = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def _scalar(node: Node, file: str, problems: Problems) -> tuple[ValueKind, Any]:
    """A scalar by YAML's core rules. A date, a time, or an octal stays the text that was written."""
    tag = str(node.tag)
    text = str(node.value)
    if getattr(node, "style", None) in ("'", '"', "|", ">"):
        _plain_tag(node, "tag:yaml.org,2002:str", file, problems)
        return "text", text
    if tag == "tag:yaml.org,2002:null" or text in ("", "null", "Null", "NULL", "~"):
        return "null", None
    if tag == "tag:yaml.org,2002:bool" and text.lower() in ("true", "false"):
        return "bool", text.lower() == "true"
    if tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float") and len(text) <= 400:
        if _INTEGER.fullmatch(text):
            return "number", int(text)
        if _NUMBER.fullmatch(text):
            return "number", float(text)
        return "text", text
    if tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool"):
        _plain_tag(node, "tag:yaml.org,2002:str", file, problems)
    return "text", text


def _plain_tag(node: Node, tag: str, file: str, problems: Problems) -> None:
    if str(node.tag) != tag:
        short = str(node.tag).replace("tag:yaml.org,2002:", "!!")
        _refuse(
            file,
            node.start_mark,
            problems,
            f"the tag `{short}` is not read",
            "a schema is data only: leave the tag out",
        )


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
