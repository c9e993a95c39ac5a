"""The two vocabularies of databases: tables, columns and rows; collections, attributes and documents."""

from __future__ import annotations

import re
from typing import NamedTuple

from freehold.web.call import Call

LEGACY_SERVICE = "databases"

WORDS = {
    "table": "collection",
    "tables": "collections",
    "column": "attribute",
    "columns": "attributes",
    "row": "document",
    "rows": "documents",
    "columnIndex": "index",
    "column_index": "index",
}
"""What the legacy vocabulary calls things, by what they are called now."""


class Vocabulary(NamedTuple):
    """The words that answers about rows are made of, which are encoded where they are read."""

    database_type: str
    """What databases are that are made in this vocabulary."""
    table_id: str
    rows: str


TABLES = Vocabulary("tablesdb", "$tableId", "rows")
DOCUMENTS = Vocabulary("legacy", "$collectionId", "documents")


def spoken(call: Call) -> Vocabulary:
    """The vocabulary in which a call is answered."""
    return DOCUMENTS if call.endpoint.service == LEGACY_SERVICE else TABLES


# A word of an identifier: `rows` of `listRows`, `row` of `rowId` and `row_not_found`, but not of `browser`.
_WORD = re.compile(
    r"(?<![A-Za-z])(column_?[Ii]ndex|tables?|columns?|rows?)(?![a-z])"
    r"|(ColumnIndex|Tables?|Columns?|Rows?)(?![a-z])"
)
_QUOTED_OR_PROSE = re.compile(r"`[^`]*`|{[^}]*}|\b[Aa] column\b|[^`{]+?(?=`|{|\b[Aa] column\b|$)", re.DOTALL)


def renamed(identifier: str) -> str:
    """An identifier in the legacy vocabulary: `documentId` of `rowId`, `createIndex` of itself."""
    return _WORD.sub(lambda match: _word(match[0]), identifier)


def reworded(sentence: str) -> str:
    """A sentence in the legacy vocabulary. What stands in backticks or braces is somebody's own."""
    return _QUOTED_OR_PROSE.sub(lambda match: _prose(match[0]), sentence)


def _prose(part: str) -> str:
    if part[0] in "`{":
        return part
    if part in ("a column", "A column"):
        return f"{part[0]}n attribute"
    return renamed(part)


def _word(word: str) -> str:
    found = WORDS[word[0].lower() + word[1:]]
    return found.capitalize() if word[0].isupper() else found
