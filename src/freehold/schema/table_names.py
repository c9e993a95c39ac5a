"""What tables, constraints and indexes are called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2s

from freehold.schema.model import Entity, Field
from freehold.schema.tables import Index, Table, Unique

AUDIT_LOG = "audit_log"

MAX_NAME_BYTES = 63
"""Of whatever has a name in PostgreSQL."""


def primary_key_name(table: str) -> str:
    return _name(table, (), "pkey")


def unique_name(table: str, columns: Iterable[str]) -> str:
    return _name(table, columns, "key")


def foreign_key_name(table: str, column: str) -> str:
    return _name(table, (column,), "fkey")


def index_name(table: str, columns: Iterable[str]) -> str:
    return _name(table, columns, "idx")


def keyed_index_name(table: str, key: str, number: int = 1) -> str:
    """Of an index that has a key of its own: `books_by_year`, or where that is taken `books_by_year_2`."""
    return _cut(f"{table}_{key}", "" if number == 1 else f"_{number}")


def check_name(table: str, column: str, rule: str) -> str:
    return _name(table, (column, rule), "check")


def link_name(entity: Entity, field: Field) -> str:
    """The table that holds the links of a `many`: `project_tags`."""
    return _cut(f"{entity.table}_{field.name}", "")


def link_columns(entity: Entity, field: Field) -> tuple[str, str]:
    """The columns of a link table that hold this row's id and the other row's."""
    target = field.type.target or ""
    return f"{entity.name}_id", f"{target}_id" if target != entity.name else f"other_{target}_id"


def search_column(entity: Entity) -> str:
    """The generated column that holds the words of an entity's searched fields."""
    return "_search" if entity.layout.id.startswith("_") else "search_vector"


def relation_names(table: Table) -> Iterator[tuple[str, str]]:
    """The names that a table takes from the one space in which PostgreSQL keeps tables and indexes."""
    yield table.name, f"the table `{table.name}`"
    yield table.primary_key.name, f"the primary key of `{table.name}`"
    parts: tuple[Unique | Index, ...] = (*table.uniques, *table.indexes)
    for part in parts:
        yield part.name, f"the index of `{table.name}` over {', '.join(part.columns)}"


def untaken(name: str, parts: tuple[str, ...], taken: set[str]) -> str:
    """The name, or where another index of the table has it, one that also says the exact parts."""
    plain, number = name, 1
    while name in taken:
        digest = blake2s(f"{number}|{'|'.join(parts)}".encode(), digest_size=4).hexdigest()
        name, number = _cut(plain, f"_{digest}"), number + 1
    taken.add(name)
    return name


def _name(table: str, columns: Iterable[str], suffix: str) -> str:
    return _cut("_".join((table, *columns)), f"_{suffix}")


def _cut(base: str, suffix: str) -> str:
    """The name within PostgreSQL's limit; what is cut off is told apart by a digest."""
    full = base + suffix
    if len(full) <= MAX_NAME_BYTES and (full.isascii() or len(full.encode()) <= MAX_NAME_BYTES):
        return full
    digest = blake2s(base.encode(), digest_size=4).hexdigest()
    room = MAX_NAME_BYTES - len(suffix) - len(digest) - 1
    return f"{base.encode()[:room].decode(errors='ignore')}_{digest}{suffix}"
