"""What the syntax of TypeScript tells: whether a file is whole, and which of its imports it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser, Tree

LANGUAGE = Language(tree_sitter_typescript.language_typescript())

_IMPORT = re.compile(
    r"^(?P<head>import (?:type )?)"
    r"(?:\* as (?P<all>\w+)|\{(?P<names>[^{}]*)\})"
    r"(?P<tail> from \"[^\"\n]+\";\n)",
    re.MULTILINE,
)
_TEXT = re.compile(
    r"""\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|//[^\n]*|/\*.*?\*/""", re.DOTALL
)
_PUT_IN = re.compile(r"\$\{([^}]*)")
_WORD = re.compile(r"(?<![\w$])(?<![^.]\.)[A-Za-z_$][\w$]*")
"""A word that no object is asked for; one after `...` is a word of its own."""


def parse(text: str) -> Tree:
    """The syntax tree. What is no TypeScript is a SyntaxError with its line."""
    tree = Parser(LANGUAGE).parse(text.encode())
    if tree.root_node.has_error:
        broken = next(each for each in walk(tree.root_node) if each.is_error or each.is_missing)
        raise SyntaxError(f"line {broken.start_point[0] + 1} is no TypeScript")
    return tree


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def without_unused_imports(text: str) -> str:
    """The emitted text without the names in imports that nothing uses, and without imports that bring none.

    It looks at words alone: trees of all files would take as long as all the rest of generating them.
    """
    code = _TEXT.sub(_spoken, _IMPORT.sub("", text))
    used = set(_WORD.findall(code))
    return _IMPORT.sub(lambda found: _kept(found, used), text)


def _spoken(found: re.Match[str]) -> str:
    """What of a text or a comment is code: of a template, what is put into it."""
    text = found[0]
    return " ".join(_PUT_IN.findall(text)) if text.startswith("`") else " "


def _kept(statement: re.Match[str], used: set[str]) -> str:
    """The import with the names that are used; nothing when none is."""
    if statement["all"] is not None:
        return statement[0] if statement["all"] in used else ""
    names = [name for each in statement["names"].split(",") if (name := " ".join(each.split()))]
    kept = [name for name in names if name.rpartition(" ")[2] in used]
    if not kept:
        return ""
    return f"{statement['head']}{{ {', '.join(kept)} }}{statement['tail']}"
