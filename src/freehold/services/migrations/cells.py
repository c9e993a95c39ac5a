"""Values of rows as the cells of a table of texts, and back.

Spreadsheets take a text that begins with = + - @, a tab or a line break for a formula. So such a text is
written with a ' before it, which spreadsheets do not show, and read without it. A text that has the '
already gets another: what is exported and imported again is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from freehold.db.rows import Column
from freehold.schema.model import Kind
from freehold.schema.values import Misfit

Reader = Callable[[str], Any]

SYSTEM = ("$id", "$permissions", "$createdAt", "$updatedAt")
"""What of a row besides its columns can be imported, and is exported."""
IGNORED = ("$sequence", "$databaseId", "$tableId", "$collectionId")
"""What may stand in a file that was exported, but is not for an import to say."""

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,5})?")
_FLAGS = {"true": True, "false": False, "1": True, "0": False, "t": True, "f": False}
_PLAIN = frozenset((Kind.INT, Kind.BIGINT, Kind.FLOAT, Kind.DECIMAL, Kind.BOOL))
_AS_JSON = frozenset((Kind.JSON, Kind.POINT, Kind.LINE, Kind.POLYGON))
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

ABSENT = object()
"""What an empty cell is in a column that has a default and may not be null."""


def written(value: Any, kind: Kind | None) -> str:
    """A value as a cell. `kind` is its column's; None is of what all rows have."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)) or kind in _AS_JSON:
        return _encode(value).decode()
    if not isinstance(value, str):
        return _encode(value).decode()
    return value if kind in _PLAIN else guarded(value)


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The text that was guarded."""
    return text[1:] if _GUARDED.match(text) else text


def readers(columns: Mapping[str, Column]) -> dict[str, Reader]:
    """How the cells of each column are read. The readers raise Misfit."""
    found: dict[str, Reader] = {key: _reader(column) for key, column in columns.items()}
    found["$permissions"] = lambda cell: _json(cell) if cell else ABSENT
    for name in ("$id", "$createdAt", "$updatedAt"):
        found[name] = lambda cell: unguarded(cell) if cell else ABSENT
    return found


def _reader(column: Column) -> Reader:
    type_ = column.field.type
    if type_.array or type_.kind in _AS_JSON:
        read: Reader = _json
    elif type_.kind in (Kind.INT, Kind.BIGINT) or (type_.kind is Kind.REF and column.sql_type == "bigint"):
        read = _whole
    elif type_.kind is Kind.FLOAT:
        read = _number
    elif type_.kind is Kind.BOOL:
        read = _flag
    elif type_.kind is Kind.DECIMAL:
        read = str.strip
    else:
        read = unguarded
    is_text = type_.kind in (Kind.STRING, Kind.TEXT) and not type_.array
    empty: Any = None
    if column.required:
        empty = "" if is_text else None
    elif not column.field.nullable:
        empty = ABSENT
    return lambda cell: read(cell) if cell else empty


def _json(cell: str) -> Any:
    try:
        return _decode(cell)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Misfit("is not valid JSON, as it is written in a cell") from error


def _whole(cell: str) -> int:
    text = cell.strip()
    if not _WHOLE.fullmatch(text):
        raise Misfit("is not a whole number")
    return int(text)


def _number(cell: str) -> float | int:
    text = cell.strip()
    if not _NUMBER.fullmatch(text):
        raise Misfit("is not a number")
    return float(text)


def _flag(cell: str) -> bool:
    flag = _FLAGS.get(cell.strip().lower())
    if flag is None:
        raise Misfit("is not true or false")
    return flag
