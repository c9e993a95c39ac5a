"""What can go wrong with webhooks."""

from __future__ import annotations

from freehold.errors import Conflict, NotFound


class WebhookNotFound(NotFound, type="webhook_not_found"):
    """The project has no webhook with this id."""


class DeliveryNotFound(NotFound, type="webhook_delivery_not_found"):
    """The webhook has no delivery with this id that has been given up."""


class WebhookAlreadyExists(Conflict, type="webhook_already_exists"):
    """A webhook with this id already exists. Choose another id, or let the server choose with `unique()`."""
