"""Shapes of webhooks on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from freehold.ids import UNIQUE
from freehold.web.wire import CustomId, Description, Input, Name, Output, Resource

Url = Annotated[str, Meta(min_length=1, max_length=2048)]
Events = Annotated[list[Annotated[str, Meta(max_length=256)]], Meta(min_length=1, max_length=100)]
Secret = Annotated[str, Meta(min_length=8, max_length=256)]
Credential = Annotated[str, Meta(max_length=256)]


class Webhook(Resource):
    name: str
    description: str
    url: str
    events: list[str]
    tls: bool
    auth_username: str
    auth_password: str
    """Always empty: it is not told again."""
    secret: str
    """What deliveries are signed with; empty but in the answer that sets it."""
    enabled: bool
    logs: str
    attempts: int


class WebhookList(Output):
    total: int
    webhooks: list[Webhook]


class UpdateWebhook(Input, kw_only=True):
    name: Name
    url: Url
    events: Events
    enabled: bool = True
    tls: bool = False
    auth_username: Credential = ""
    auth_password: Credential | UnsetType = UNSET
    description: Description = ""


class CreateWebhook(UpdateWebhook, kw_only=True):
    webhook_id: CustomId = UNIQUE
    secret: Secret | None = None


class UpdateSecret(Input):
    secret: Secret | None = None
