"""What files are called, what they are, and how both are told to browsers."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence
from urllib.parse import quote

import puremagic

from freehold.errors import InvalidParameter
from freehold.services.storage.errors import FileTypeUnsupported

MAX_NAME = 255

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1")
"""Of ISO/IEC 23008-12: what the file begins with when it holds still images."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_PLAIN = "text/plain"
_TEXTUAL = re.compile(r"text/[\w.+-]+|application/(?:[\w.-]+\+)?(?:json|xml|javascript|yaml|x-ndjson)")
_INLINE = re.compile(
    r"text/plain|image/(?:png|jpeg|gif|webp|avif|heic|bmp|x-ms-bmp|tiff)|(?:audio|video)/[\w.+-]+"
)
"""What browsers show without running anything in it."""


def checked_name(name: str, *, parameter: str = "name") -> str:
    """The name of a file, without the folders that some clients send along. Raises InvalidParameter."""
    last = name.replace("\\", "/").rpartition("/")[2].strip()
    if not last or last in (".", "..") or len(last) > MAX_NAME or _CONTROL.search(last):
        raise InvalidParameter(
            name=parameter,
            reason=f"A file's name has 1 to {MAX_NAME} characters, and none that controls how text is shown.",
        )
    return last


def checked_folder(folder: str) -> str:
    """A virtual folder, with a slash at its end; the root is empty. Raises InvalidParameter."""
    parts = [part for part in folder.split("/") if part]
    if any(part in (".", "..") or "\\" in part or _CONTROL.search(part) for part in parts):
        raise InvalidParameter(name="folder", reason="A folder is written as in `photos/2026`.")
    return "".join(f"{part}/" for part in parts)


def must_be_allowed(name: str, extensions: Sequence[str]) -> None:
    """Refuse files of a bucket that takes certain extensions only. Raises FileTypeUnsupported."""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if extensions and extension not in extensions:
        raise FileTypeUnsupported(extensions=", ".join(extensions))


def type_of(head: bytes, name: str) -> str:
    """The MIME type of contents, by how they begin; their name only tells texts apart."""
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:  # of which puremagic says that it is a film
        return "image/heic"
    try:
        found = puremagic.from_string(head, mime=True)
    except (puremagic.PureError, ValueError):
        found = ""
    if not _is_text(head):
        return found if "/" in found and not _TEXTUAL.fullmatch(found) else "application/octet-stream"
    if found and (found == "application/pdf" or found.startswith("image/svg")):
        return found
    guessed = mimetypes.guess_type(name)[0] or ""
    if guessed == "image/svg+xml" or _TEXTUAL.fullmatch(guessed):
        return guessed
    return found if _TEXTUAL.fullmatch(found) else _PLAIN


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(head) - error.start < 4 and error.reason == "unexpected end of data"
    return True


def is_safe_inline(mime_type: str) -> bool:
    """Whether a browser may show it in place, rather than save it."""
    return _INLINE.fullmatch(mime_type) is not None


def disposition(kind: str, name: str) -> bytes:
    """A Content-Disposition header: the name for all clients, and in full for those that read RFC 6266."""
    plain = re.sub(r'[^\x20-\x7e]|["\\%]', "_", name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}".encode("ascii")
