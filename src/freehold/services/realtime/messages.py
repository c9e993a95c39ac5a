"""What clients say on a socket: pings, who they are, what they subscribe to, and that they are there."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from freehold.services.realtime.subscriptions import MAX_SUBSCRIPTIONS
from freehold.web.wire import Id, Input, Permissions

SubscriptionId = Annotated[str, Meta(min_length=1, max_length=64)]


class Authentication(Input):
    session: Annotated[str, Meta(max_length=4096)]


class Subscribe(Input):
    channels: Annotated[list[str], Meta(min_length=1)]
    queries: list[str] = []
    subscription_id: SubscriptionId = ""
    since: Annotated[int, Meta(ge=0)] | None = None
    """The number of the last event that was seen: what came after it is told first."""


class Unsubscribe(Input):
    subscription_id: SubscriptionId


class PresenceSaid(Input):
    status: Annotated[str, Meta(max_length=255)]
    presence_id: Id | Literal["unique()"] = "unique()"
    metadata: dict[str, Any] | None = None
    permissions: Permissions | None = None


Subscribes = Annotated[list[Subscribe], Meta(min_length=1, max_length=MAX_SUBSCRIPTIONS)]
Unsubscribes = Annotated[list[Unsubscribe], Meta(min_length=1, max_length=MAX_SUBSCRIPTIONS)]


class Message(msgspec.Struct):
    """A message, of which the data are read once its type is known."""

    type: str
    data: msgspec.Raw = msgspec.Raw(b"null")


decode = msgspec.json.Decoder(Message).decode
