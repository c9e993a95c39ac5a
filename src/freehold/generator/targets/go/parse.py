"""Whether a merged file is still Go."""

from __future__ import annotations

from functools import cache

import tree_sitter_go
from tree_sitter import Language, Parser


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_go.language()))


def parse(text: str) -> None:
    """Raises SyntaxError where the text is no file of Go."""
    root = _parser().parse(text.encode()).root_node
    if root.has_error:
        raise SyntaxError("not a file of Go")
