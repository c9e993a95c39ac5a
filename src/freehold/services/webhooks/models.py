"""Shapes of webhooks on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

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


class WebhookDelivery(Resource):
    """Something that a webhook is still to be told, or could not be told."""

    webhook_id: str
    event: str
    status: Literal["waiting", "dead"]
    attempts: int
    error: str
    """What was wrong the last time; empty when it has not been tried yet."""
    next_attempt_at: str
    """When it is tried again; empty when it has been given up."""


class WebhookDeliveryList(Output):
    total: int
    deliveries: list[WebhookDelivery]


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
