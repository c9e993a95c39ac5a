"""What the syntax of TypeScript tells: whether a file is whole, and which of its imports it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser, Query, QueryCursor, Tree

LANGUAGE = Language(tree_sitter_typescript.language_typescript())
_NAMES = Query(LANGUAGE, "[(identifier) (type_identifier) (shorthand_property_identifier)] @name")
_CLAUSE = re.compile(rb"\{([^{}]*)\}")


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
    """The text without the names in imports that nothing uses, and without imports that bring none."""
    source = text.encode()
    tree = parse(text)
    imports = [each for each in tree.root_node.children if each.type == "import_statement"]
    used = {
        node.text
        for statement in tree.root_node.children
        if statement.type != "import_statement"
        for node in QueryCursor(_NAMES).captures(statement).get("name", ())
    }
    for statement in reversed(imports):
        kept = _kept(statement, used)
        end = statement.end_byte + (1 if not kept else 0)
        source = source[: statement.start_byte] + kept + source[end:]
    return source.decode()


def _kept(statement: Node, used: set[bytes | None]) -> bytes:
    """The import with the names that are used; nothing when it had names and none is."""
    text = statement.text or b""
    names = [node for node in walk(statement) if node.type in ("import_specifier", "namespace_import")]
    if not names:
        return text
    kept = [node for node in names if _local(node) in used]
    if not kept:
        return b""
    if kept[0].type == "namespace_import":
        return text
    return _CLAUSE.sub(lambda _: b"{ " + b", ".join(node.text or b"" for node in kept) + b" }", text, count=1)


def _local(node: Node) -> bytes | None:
    """What the imported thing is called in the file."""
    identifiers = [each for each in walk(node) if each.type == "identifier"]
    return identifiers[-1].text if identifiers else None
