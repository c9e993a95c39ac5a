"""Rows in files: read one after the other from CSV or JSON, however large, and written likewise."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, BinaryIO, NamedTuple

import ijson
import msgspec
from ijson.common import JSONError, ObjectBuilder

from freehold.db.rows import Column
from freehold.schema.model import Kind
from freehold.schema.values import Misfit
from freehold.services.migrations.cells import ABSENT, IGNORED, SYSTEM, readers, written
from freehold.services.migrations.errors import Unreadable
from freehold.web.wire import Object

MAX_ROW_BYTES = 4 * 1024 * 1024
"""How large a row of a file may be, as it is written there."""
MAX_NESTING = 100
BATCH_ROWS = 1000
BATCH_BYTES = 4 * 1024 * 1024

_DELIMITERS = (",", ";", "\t", "|")
_READ_AT_ONCE = 1 << 16

csv.field_size_limit(MAX_ROW_BYTES)


class Row(NamedTuple):
    """A row of a file."""

    place: str
    """Where it stands, as `Line 7`."""
    size: int
    read: Callable[[], Object]
    """Its values. Raises Misfit."""


class Batch(NamedTuple):
    """Rows that are written together or not at all."""

    first: int
    """How many rows stand before it in the file."""
    rows: list[Row]
    is_retry: bool

    @property
    def end(self) -> int:
        return self.first + len(self.rows)


def batches(rows: Iterator[Row], position: int, todo: Sequence[tuple[int, int]]) -> Iterator[Batch]:
    """Put rows together: first those of the ranges `todo`, then all from `position` on."""
    ranges = iter(sorted(todo))
    wanted = next(ranges, None)
    batch: list[Row] = []
    size = 0
    for at, row in enumerate(rows):
        if at < position:
            if wanted is not None and wanted[0] <= at < wanted[1]:
                batch.append(row)
                if at + 1 == wanted[1]:
                    yield Batch(wanted[0], batch, True)
                    batch, wanted = [], next(ranges, None)
            continue
        if batch and (len(batch) == BATCH_ROWS or size + row.size > BATCH_BYTES):
            yield Batch(at - len(batch), batch, False)
            batch, size = [], 0
        batch.append(row)
        size += row.size
        last = at
    if batch:
        yield Batch(last + 1 - len(batch), batch, False)


# -- CSV ---------------------------------------------------------------------------------------------------


class _Lines:
    """The lines of a text, none of which, nor those of one row together, is too long."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.of_row = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(MAX_ROW_BYTES + 1):
            self.of_row += len(line)
            if self.of_row > MAX_ROW_BYTES:
                raise Misfit(f"a row has more than {MAX_ROW_BYTES} characters; perhaps a quote is not closed")
            yield line


def read_csv(file: BinaryIO, columns: Mapping[str, Column]) -> Iterator[Row]:
    """Read rows under a line that names their columns. Raises Unreadable."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    lines = _Lines(text)
    line = 0
    try:
        first = text.readline(MAX_ROW_BYTES + 1)
        if len(first) > MAX_ROW_BYTES:
            raise Misfit(f"a row has more than {MAX_ROW_BYTES} characters")
        delimiter = _delimiter(first)
        header = next(csv.reader([first], delimiter=delimiter, strict=True), [])
        names = _checked_header(header, columns)
        known = readers(columns)
        read_cells = [(name, known[name]) if name in known else None for name in names]
        reader = csv.reader(iter(lines), delimiter=delimiter, strict=True)
        line = 2
        for cells in reader:
            if cells:  # an empty line is none
                yield Row(f"Line {line}", lines.of_row, _from_cells(read_cells, cells))
            line = reader.line_num + 2
            lines.of_row = 0
    except Misfit as misfit:
        raise Unreadable(where=f" from line {max(line, 1)} on", reason=misfit.message) from misfit
    except csv.Error as error:
        raise Unreadable(where=f" from line {max(line, 1)} on", reason=str(error)) from error
    except UnicodeDecodeError as error:
        raise Unreadable(where=f" from line {max(line, 1)} on", reason="it is not UTF-8") from error


def _delimiter(header: str) -> str:
    """What separates the cells: of the usual ones the one that the first line has most of."""
    outside = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _checked_header(header: list[str], columns: Mapping[str, Column]) -> list[str]:
    names = [name.strip() for name in header]
    if not any(names):
        raise Misfit("the first line has to name the columns")
    for name in names:
        if name not in columns and name not in SYSTEM and name not in IGNORED:
            raise Misfit(f"`{name[:100]}` is not a column of the table")
        if names.count(name) > 1:
            raise Misfit(f"the column `{name}` is named twice")
    for key, column in columns.items():
        if column.required and key not in names:
            raise Misfit(f"the column `{key}` is required, and not among those that the first line names")
    return names


def _from_cells(read_cells: list[Any], cells: list[str]) -> Callable[[], Object]:
    def read() -> Object:
        if len(cells) != len(read_cells):
            raise Misfit(f"has {len(cells)} cells, and the first line {len(read_cells)}")
        data: Object = {}
        for known, cell in zip(read_cells, cells, strict=True):
            if known is None:
                continue
            name, read_cell = known
            try:
                value = read_cell(cell)
            except Misfit as misfit:
                raise Misfit(f"`{name}` {misfit.message}") from misfit
            if value is not ABSENT:
                data[name] = value
        return data

    return read


class CsvWriter:
    """Writes rows as RFC 4180 has it."""

    extension = "csv"

    def __init__(
        self,
        names: Sequence[str],
        kinds: Mapping[str, Kind],
        *,
        delimiter: str = ",",
        enclosure: str = '"',
        escape: str = '"',
        header: bool = True,
    ) -> None:
        self._columns = [(name, kinds.get(name)) for name in names]
        self._text = io.StringIO()
        doubled = escape == enclosure
        self._writer = csv.writer(
            self._text,
            delimiter=delimiter,
            quotechar=enclosure,
            doublequote=doubled,
            escapechar=None if doubled else escape,
            lineterminator="\r\n",
        )
        if header:
            self._writer.writerow(names)

    def rows(self, rows: Sequence[Object]) -> bytes:
        """These rows, and whatever stands before them."""
        self._writer.writerows([written(row.get(name), kind) for name, kind in self._columns] for row in rows)
        return self._taken()

    def end(self) -> bytes:
        return self._taken()

    def _taken(self) -> bytes:
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text.encode()


# -- JSON --------------------------------------------------------------------------------------------------


class _Counted:
    """A file that gives no more than one row may have, until that row has been read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.of_row = 0

    def read(self, size: int = -1) -> bytes:
        if self.of_row > MAX_ROW_BYTES:
            raise Misfit(f"a row has more than {MAX_ROW_BYTES} bytes")
        part = self._file.read(size)
        self.of_row += len(part)
        return part


def read_json(file: BinaryIO, columns: Mapping[str, Column]) -> Iterator[Row]:
    """Read the objects of a list. Raises Unreadable."""
    counted = _Counted(file)
    number = 0
    try:
        _begin_list(file)
        events = ijson.basic_parse(counted, buf_size=_READ_AT_ONCE, use_float=True)
        for number, item in enumerate(_items(events), start=1):
            yield Row(f"Row {number}", counted.of_row, partial(_from_item, item))
            counted.of_row = 0
    except (JSONError, UnicodeDecodeError) as error:
        raise Unreadable(where=f" after row {number}", reason=_first_line(error)) from error
    except Misfit as misfit:
        raise Unreadable(where=f" after row {number}", reason=misfit.message) from misfit


def _begin_list(file: BinaryIO) -> None:
    """Go to where the list begins. Raises Misfit."""
    head = file.read(_READ_AT_ONCE)
    start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    if not head[start:].lstrip().startswith(b"["):
        raise Misfit("it has to be a list of objects, `[{...}, {...}]`")
    file.seek(start)


def _items(events: Iterator[tuple[str, Any]]) -> Iterator[Any]:
    """The elements of the list that a document is. Raises Misfit when one is nested too deeply."""
    next(events)  # the list's own beginning
    depth = 0
    builder = ObjectBuilder()
    for event, value in events:
        if event == "end_array" and depth == 0:
            continue  # the list's own end, after which only the parser has something to say
        builder.event(event, value)
        if event in ("start_map", "start_array"):
            depth += 1
            if depth > MAX_NESTING:
                raise Misfit(f"a row is nested more than {MAX_NESTING} levels deep")
        elif event in ("end_map", "end_array"):
            depth -= 1
        if depth == 0:
            yield builder.value
            builder = ObjectBuilder()


def _first_line(error: Exception) -> str:
    told = error.args[0] if error.args else ""
    text = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
    return text.partition("\n")[0][:200]


def _from_item(item: Any) -> Object:
    if not isinstance(item, dict):
        raise Misfit("it is not an object")
    return item


class JsonWriter:
    """Writes rows as a list of objects."""

    extension = "json"

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._before = b"[\n"

    def rows(self, rows: Sequence[Object]) -> bytes:
        """These rows, and whatever stands before them."""
        objects = [msgspec.json.encode({name: row.get(name) for name in self._names}) for row in rows]
        if not objects:
            return b""
        before, self._before = self._before, b",\n"
        return before + b",\n".join(objects)

    def end(self) -> bytes:
        return b"\n]\n" if self._before != b"[\n" else b"[]\n"


Writer = CsvWriter | JsonWriter
