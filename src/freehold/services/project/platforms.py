"""The kinds of platforms: what identifies an application of each, and its shape on the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from freehold.db.pool import Record
from freehold.services.project.models import (
    AnyPlatform,
    PlatformAndroid,
    PlatformApple,
    PlatformLinux,
    PlatformWeb,
    PlatformWindows,
)
from freehold.web.wire import wire_time


class Kind(NamedTuple):
    """A kind of platform."""

    model: Callable[..., AnyPlatform]
    identifier: str
    """The field that identifies the application."""


KINDS = {
    "web": Kind(PlatformWeb, "hostname"),
    "apple": Kind(PlatformApple, "bundle_identifier"),
    "android": Kind(PlatformAndroid, "application_id"),
    "windows": Kind(PlatformWindows, "package_identifier_name"),
    "linux": Kind(PlatformLinux, "package_name"),
}

_OF_OLD = ("apple", "android", "windows", "linux")
_APPLE = ("ios", "macos", "watchos", "tvos")


def kind_of_old(name: str) -> str:
    """The kind that an older name stands for, such as `flutter-android` or `apple-ios`."""
    for part in name.lower().split("-"):
        if part in _OF_OLD:
            return part
        if part in _APPLE:
            return "apple"
    return "web"


def as_platform(row: Record) -> AnyPlatform:
    """A row of freehold.platforms as the wire has it."""
    kind = KINDS[row["type"]]
    return kind.model(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        name=row["name"],
        type=row["type"],
        **{kind.identifier: row["identifier"]},
    )
