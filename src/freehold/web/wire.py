"""Shapes on the wire: the bases of what comes in and goes out, and the types that their fields share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from freehold.errors import InvalidParameter
from freehold.ids import CUSTOM_ID_PATTERN, ID_PATTERN
from freehold.web.misfits import ONE_LINE

Object = dict[str, Any]


class Input(msgspec.Struct, kw_only=True, rename="camel"):
    """The base of bodies and query strings. Unknown parameters are ignored: SDKs run ahead of servers."""


class Output(msgspec.Struct, kw_only=True, rename="camel"):
    """The base of answers. Its class name, from lower case, is the name of the model on the wire."""


class Resource(Output):
    """The base of answers that tell of something stored."""

    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    updated_at: str = msgspec.field(name="$updatedAt")


class Open(Output):
    """The base of answers that hold more than can be named, as rows their columns."""


class Metric(Output):
    """What was in an hour or a day."""

    value: int
    date: str


UsageRange = Literal["24h", "30d", "90d"]
"""How far back usage is told of."""
USAGE_PERIODS: dict[UsageRange, tuple[str, int]] = {
    "24h": ("hour", 24),
    "30d": ("day", 30),
    "90d": ("day", 90),
}
"""Of each range, the unit and the number of its periods."""


class Json(msgspec.Struct, frozen=True):
    """An answer that is already encoded."""

    body: bytes


class Stream(msgspec.Struct, frozen=True):
    """An answer that is sent as it is read, such as a file."""

    content_type: str
    size: int
    """How many bytes there are."""
    parts: AsyncIterator[bytes]
    close: Callable[[], None]
    """Called when it has been sent, or is not wanted any more."""
    headers: list[tuple[bytes, bytes]]
    status: int = 200


Id = Annotated[str, Meta(pattern=ID_PATTERN, description="1 to 36 of a-z, A-Z, 0-9, `.`, `-`, `_`")]
CustomId = Annotated[str, Meta(pattern=CUSTOM_ID_PATTERN, description="An id, or `unique()`")]
Name = Annotated[str, Meta(max_length=128, pattern=ONE_LINE)]
Description = Annotated[str, Meta(max_length=256)]
Search = Annotated[str, Meta(max_length=256)]
Query = Annotated[str, Meta(max_length=4096)]
Queries = Annotated[list[Query], Meta(max_length=100)]
Permissions = list[str]
Label = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9]{1,36}$(?!\n)")]
Labels = Annotated[list[Label], Meta(max_length=1000)]
Prefs = dict[str, Any]
Email = Annotated[str, Meta(max_length=254)]
Password = Annotated[str, Meta(min_length=1, max_length=256)]
NewPassword = Annotated[str, Meta(min_length=8, max_length=256)]

PREFS_BYTES = 65_536


class ListQuery(Input):
    """The query string of a list that is asked by queries."""

    queries: Queries = []
    total: bool = True


class SearchQuery(Input):
    """The query string of a list that is searched by words as well."""

    queries: Queries = []
    search: Search = ""
    total: bool = True


def encoded_prefs(prefs: Prefs) -> bytes:
    """Preferences as they are stored. Raises InvalidParameter when there are too many of them."""
    encoded = msgspec.json.encode(prefs)
    if len(encoded) > PREFS_BYTES:
        raise InvalidParameter(name="prefs", reason=f"Preferences take at most {PREFS_BYTES} bytes.")
    return encoded


def in_utc(moment: datetime | None, name: str = "expire") -> datetime | None:
    """The moment, which is one of UTC when it does not say. Raises InvalidParameter."""
    if moment is None:
        return None
    try:
        read = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise InvalidParameter(name=name, reason="The time is out of range.") from error
    # Cut rather than rounded by the database, which could round into a year that has no date here.
    return read.replace(microsecond=read.microsecond // 1000 * 1000)


def wire_name(model: type) -> str:
    """The name of a model: `rowList` of RowList."""
    return model.__name__[0].lower() + model.__name__[1:]


def wire_time(moment: datetime | None) -> str:
    """A moment as the wire writes it, `2026-08-21T12:00:00.000+00:00`; nothing at all is ``""``."""
    return "" if moment is None else moment.isoformat(timespec="milliseconds")
