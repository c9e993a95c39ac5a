"""Shapes of a project's keys, platforms and switches on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from freehold.ids import UNIQUE
from freehold.web.wire import CustomId, Input, Labels, Name, Output, Resource

Scopes = Annotated[list[str], Meta(max_length=200)]
Hostname = Annotated[
    str,
    Meta(
        max_length=253,
        pattern=r"^(?:[a-zA-Z0-9*_](?:[a-zA-Z0-9*_-]{0,62})(?:\.[a-zA-Z0-9*_](?:[a-zA-Z0-9*_-]{0,62}))*)?$(?!\n)",
        description="Such as `app.example.com` or `*.example.com`, without scheme and port",
    ),
]
Identifier = Annotated[str, Meta(max_length=256)]


class Key(Resource):
    name: str
    description: str
    expire: str
    scopes: list[str]
    secret: str
    accessed_at: str
    sdks: list[str]


class EphemeralKey(Key):
    """A key that is not stored anywhere: it is signed, and holds until it expires."""


class KeyList(Output):
    total: int
    keys: list[Key]


class Platform(Resource):
    name: str
    type: str


class PlatformWeb(Platform):
    hostname: str
    key: str = ""


class PlatformApple(Platform):
    bundle_identifier: str


class PlatformAndroid(Platform):
    application_id: str
    fingerprints: list[str] = msgspec.field(default_factory=list)


class PlatformWindows(Platform):
    package_identifier_name: str


class PlatformLinux(Platform):
    package_name: str


AnyPlatform = PlatformWeb | PlatformApple | PlatformAndroid | PlatformWindows | PlatformLinux


class PlatformList(Output):
    total: int
    platforms: list[AnyPlatform]


class CreateKey(Input, kw_only=True):
    key_id: CustomId = UNIQUE
    name: Name
    scopes: Scopes
    expire: datetime | None = None


class UpdateKey(Input):
    name: Name
    scopes: Scopes
    expire: datetime | None = None


class CreateEphemeralKey(Input):
    scopes: Scopes
    duration: Annotated[int, Meta(ge=1, le=3600)] = 900


class CreateWebPlatform(Input, kw_only=True):
    platform_id: CustomId = UNIQUE
    name: Name
    hostname: Hostname = ""
    key: Identifier = ""
    type: Identifier = ""


class UpdateWebPlatform(Input):
    name: Name
    hostname: Hostname = ""
    key: Identifier = ""


class CreateApplePlatform(Input):
    platform_id: CustomId
    name: Name
    bundle_identifier: Identifier


class UpdateApplePlatform(Input):
    name: Name
    bundle_identifier: Identifier


class CreateAndroidPlatform(Input):
    platform_id: CustomId
    name: Name
    application_id: Identifier


class UpdateAndroidPlatform(Input):
    name: Name
    application_id: Identifier


class CreateWindowsPlatform(Input):
    platform_id: CustomId
    name: Name
    package_identifier_name: Identifier


class UpdateWindowsPlatform(Input):
    name: Name
    package_identifier_name: Identifier


class CreateLinuxPlatform(Input):
    platform_id: CustomId
    name: Name
    package_name: Identifier


class UpdateLinuxPlatform(Input):
    name: Name
    package_name: Identifier


class UpdateLabels(Input):
    labels: Labels


class UpdateSwitch(Input):
    enabled: bool


class LegacySwitch(Input):
    status: bool


class LegacyServiceSwitch(Input):
    service: str
    status: bool


class LegacyProtocolSwitch(Input):
    api: Literal["rest", "graphql", "websocket", "realtime"]
    status: bool
