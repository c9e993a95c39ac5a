"""Multipart forms as they come: files go to memory while there is room in it, and to the disk otherwise."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from mmap import mmap
from pathlib import Path
from typing import BinaryIO, Protocol

from python_multipart.decoders import Base64Decoder, QuotedPrintableDecoder
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

_DECODERS: dict[bytes, type[Base64Decoder | QuotedPrintableDecoder]] = {
    b"base64": Base64Decoder,
    b"quoted-printable": QuotedPrintableDecoder,
}


class Upload:
    """A file of a multipart form. It is there until the request has been answered."""

    __slots__ = ("file", "name", "size")

    def __init__(self, name: str, file: BinaryIO | memoryview, size: int) -> None:
        self.name = name
        """As the client says; it may be anything."""
        self.file = file
        self.size = size


class Room:
    """Memory for the files of so many requests at a time, of at most so many bytes each."""

    def __init__(self, requests: int, size: int) -> None:
        self._left = requests
        self._size = size
        self._idle: list[mmap] = []
        """Used before: to take these is quicker than to have the system clear others."""

    def take(self, size: int) -> mmap | None:
        """Memory for so many bytes, if there is any left."""
        if not self._left or size > self._size:
            return None
        self._left -= 1
        return self._idle.pop() if self._idle else mmap(-1, self._size)

    def give_back(self, memory: mmap) -> None:
        self._left += 1
        self._idle.append(memory)


class _Sink(Protocol):
    """Where a part of the form goes."""

    def write(self, data: bytes, /) -> int: ...

    def result(self) -> str | tuple[BinaryIO | memoryview, int] | None:
        """The value of a field, or a file and its size; nothing of a file that is passed over."""


class Form:
    """A form that is written into piece by piece, and tells of each field and file that has come.

    Files go to the memory or the directory that is given; without either they are passed over. What is not
    well formed raises ValueError.
    """

    def __init__(
        self,
        content_type: bytes,
        tell: Callable[[str, str | Upload], None],
        *,
        memory: mmap | None = None,
        directory: Path | None = None,
    ) -> None:
        _, options = parse_options_header(content_type)
        if b"boundary" not in options:
            raise FormParserError("no boundary is given")
        self._tell = tell
        self._memory = _Memory(memory) if memory is not None else None
        self._directory = directory
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._name = ""
        self._file_name = ""
        self._sink: _Sink = _Field()
        self._decoder: Base64Decoder | QuotedPrintableDecoder | None = None
        self._write: Callable[[bytes], int] = self._sink.write
        self.write = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": lambda data, start, end: self._header_name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin,
                "on_part_data": self._take,
                "on_part_end": self._end,
            },
        ).write

    def _end_header(self) -> None:
        self._headers[bytes(self._header_name).lower()] = bytes(self._header_value).strip(b" \t")
        self._header_name.clear()
        self._header_value.clear()

    def _begin(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        if b"name" not in options:
            raise FormParserError("a part has no name")
        self._name = options[b"name"].decode("utf-8", "replace")
        file_name = options.get(b"filename")
        self._file_name = _read_file_name(file_name or b"")
        self._sink = _Field() if file_name is None else self._file()
        encoding = self._headers.get(b"content-transfer-encoding", b"").lower()
        self._decoder = _DECODERS[encoding](self._sink) if encoding in _DECODERS else None
        self._write = self._sink.write if self._decoder is None else self._decoder.write

    def _take(self, data: bytes, start: int, end: int) -> None:
        self._write(data[start:end])

    def _end(self) -> None:
        if self._decoder is not None:
            self._decoder.finalize()
        value = self._sink.result()
        if isinstance(value, str):
            self._tell(self._name, value)
        elif value is not None:
            self._tell(self._name, Upload(self._file_name, *value))

    def _file(self) -> _Sink:
        if self._memory is not None:
            return _InMemory(self._memory)
        return _OnDisk(self._directory) if self._directory is not None else _PassedOver()


def _read_file_name(sent: bytes) -> str:
    name = sent.decode("utf-8", "replace")
    if name.startswith("=?") and name.endswith("?="):  # as .NET sends what is not ASCII (RFC 2047)
        with suppress(HeaderParseError, LookupError, ValueError):
            return str(make_header(decode_header(name)))
    return name


class _Memory:
    def __init__(self, memory: mmap) -> None:
        self.view = memoryview(memory)
        self.used = 0


class _Field:
    def __init__(self) -> None:
        self._value = bytearray()

    def write(self, data: bytes, /) -> int:
        self._value += data
        return len(data)

    def result(self) -> str:
        return self._value.decode("utf-8", "replace")


class _InMemory:
    """Its files lie one after the other: what is left of the memory is the next one's."""

    def __init__(self, memory: _Memory) -> None:
        self._memory = memory
        self._begin = memory.used

    def write(self, data: bytes, /) -> int:
        end = self._memory.used + len(data)
        self._memory.view[self._memory.used : end] = data
        self._memory.used = end
        return len(data)

    def result(self) -> tuple[memoryview, int]:
        file = self._memory.view[self._begin : self._memory.used]
        return file, len(file)


class _OnDisk:
    def __init__(self, directory: Path) -> None:
        path = directory / secrets.token_hex(8)
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")

    def write(self, data: bytes, /) -> int:
        return self._file.write(data)

    def result(self) -> tuple[BinaryIO, int]:
        self._file.flush()
        return self._file, self._file.tell()


class _PassedOver:
    def write(self, data: bytes, /) -> int:
        return len(data)

    def result(self) -> None:
        return None
