"""Endpoints of webhooks."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from freehold import ids, secrets
from freehold.db.pool import Record
from freehold.errors import InvalidParameter
from freehold.services.webhooks import deliveries, store
from freehold.services.webhooks.addresses import check_url
from freehold.services.webhooks.errors import DeliveryNotFound, WebhookAlreadyExists, WebhookNotFound
from freehold.services.webhooks.grammar import is_event
from freehold.services.webhooks.models import (
    CreateWebhook,
    UpdateSecret,
    UpdateWebhook,
    Webhook,
    WebhookDelivery,
    WebhookDeliveryList,
    WebhookList,
)
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import ListQuery, wire_time

routes = Routes("webhooks", console=False)

_OF_OLD = "/v1/projects/{projectId}/webhooks"
_OLDER = {"security": "tls", "httpUser": "authUsername", "httpPass": "authPassword"}
_SECRET_CHARACTERS = 128


@routes.get("/v1/webhooks", scope="webhooks.read", aliases=(_OF_OLD,), name="list")
async def list_webhooks(call: Call, query: ListQuery) -> WebhookList:
    """List the webhooks."""
    found = await store.fetch(call.db, call.project.id, query.queries, total=query.total)
    return WebhookList(total=found.total, webhooks=[_as_webhook(row) for row in found.rows])


@routes.post(
    "/v1/webhooks",
    scope="webhooks.write",
    event="webhooks.[webhookId].create",
    status=201,
    aliases=(_OF_OLD,),
    older=_OLDER,
    raises=(WebhookAlreadyExists,),
)
async def create(call: Call, body: CreateWebhook) -> Webhook:
    """Make a webhook. What deliveries are signed with is in this answer, and never told again."""
    secret = body.secret or secrets.new_secret(_SECRET_CHARACTERS)
    row = await store.create(
        call.db,
        call.project.id,
        ids.resolve(body.webhook_id),
        _checked(call, body),
        password_sealed=_sealed_password(call, body),
        secret_sealed=secrets.seal(sealing_key(call), secret),
    )
    return _told_once(call, row, secret)


@routes.get(
    "/v1/webhooks/{webhookId}",
    scope="webhooks.read",
    aliases=(f"{_OF_OLD}/{{webhookId}}",),
    raises=(WebhookNotFound,),
)
async def get(call: Call, webhook_id: str) -> Webhook:
    """Get a webhook."""
    return _as_webhook(await store.find(call.db, call.project.id, webhook_id))


@routes.put(
    "/v1/webhooks/{webhookId}",
    scope="webhooks.write",
    event="webhooks.[webhookId].update",
    aliases=(f"{_OF_OLD}/{{webhookId}}",),
    older=_OLDER,
    raises=(WebhookNotFound,),
)
async def update(call: Call, webhook_id: str, body: UpdateWebhook) -> Webhook:
    """Change a webhook. Its password stays when none is sent."""
    row = await store.update(
        call.db,
        call.project.id,
        webhook_id,
        _checked(call, body),
        keeps_password=body.auth_password is UNSET,
        password_sealed=_sealed_password(call, body),
    )
    return _as_webhook(row)


@routes.patch(
    "/v1/webhooks/{webhookId}/secret",
    scope="webhooks.write",
    event="webhooks.[webhookId].update",
    aliases=(f"{_OF_OLD}/{{webhookId}}/signature",),
    raises=(WebhookNotFound,),
)
async def update_secret(call: Call, webhook_id: str, body: UpdateSecret) -> Webhook:
    """Replace what deliveries are signed with; one is made when none is sent."""
    secret = body.secret or secrets.new_secret(_SECRET_CHARACTERS)
    sealed = secrets.seal(sealing_key(call), secret)
    row = await store.set_secret(call.db, call.project.id, webhook_id, sealed)
    return _told_once(call, row, secret)


@routes.delete(
    "/v1/webhooks/{webhookId}",
    scope="webhooks.write",
    event="webhooks.[webhookId].delete",
    status=204,
    aliases=(f"{_OF_OLD}/{{webhookId}}",),
    raises=(WebhookNotFound,),
)
async def delete(call: Call, webhook_id: str) -> None:
    """Delete a webhook."""
    call.tells(_as_webhook(await store.delete(call.db, call.project.id, webhook_id)))


@routes.get(
    "/v1/webhooks/{webhookId}/deliveries",
    scope="webhooks.read",
    reference=False,
    raises=(WebhookNotFound,),
    name="listDeliveries",
)
async def list_deliveries(call: Call, webhook_id: str, query: ListQuery) -> WebhookDeliveryList:
    """List what a webhook is still to be told, and what it could not be told."""
    _as_webhook(await store.find(call.db, call.project.id, webhook_id))
    found = await deliveries.fetch(call.db, call.project.id, webhook_id, query.queries, total=query.total)
    return WebhookDeliveryList(total=found.total, deliveries=[_as_delivery(row) for row in found.rows])


@routes.post(
    "/v1/webhooks/{webhookId}/deliveries/{deliveryId}/replay",
    scope="webhooks.write",
    event="webhooks.[webhookId].update",
    status=202,
    reference=False,
    raises=(WebhookNotFound, DeliveryNotFound),
    name="replayDelivery",
)
async def replay_delivery(call: Call, webhook_id: str, delivery_id: str) -> WebhookDelivery:
    """Tell a webhook once more what had been given up. Its idempotency key is the same as before."""
    webhook = _as_webhook(await store.find(call.db, call.project.id, webhook_id))
    row = await deliveries.replay(call.db, call.project.id, webhook_id, delivery_id)
    if row is None:
        raise DeliveryNotFound()
    call.tells(webhook)
    return _as_delivery(row)


def sealing_key(call: Call) -> bytes:
    """The key under which secrets and passwords of webhooks are kept."""
    return secrets.derive(call.app.settings.secret, "webhooks")


def _checked(call: Call, body: UpdateWebhook) -> store.Settings:
    settings = call.app.settings
    check_url(body.url, inner=settings.dev, private_hosts=settings.private_hosts)
    unknown = next((each for each in body.events if not is_event(each)), None)
    if unknown is not None:
        raise InvalidParameter(
            name="events", reason=f"`{unknown[:100]}` is not an event such as `teams.*.create`."
        )
    return store.Settings(
        name=body.name,
        description=body.description,
        url=body.url,
        events=list(dict.fromkeys(body.events)),
        enabled=body.enabled,
        tls=body.tls,
        auth_username=body.auth_username,
    )


def _sealed_password(call: Call, body: UpdateWebhook) -> bytes | None:
    return secrets.seal(sealing_key(call), body.auth_password) if body.auth_password else None


def _told_once(call: Call, row: Record | None, secret: str) -> Webhook:
    webhook = _as_webhook(row)
    call.tells(webhook)
    return msgspec.structs.replace(webhook, secret=secret)


def _as_delivery(row: Record) -> WebhookDelivery:
    return WebhookDelivery(
        id=str(row["key"]),
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        webhook_id=row["webhook_id"],
        event=row["event"],
        status=row["state"],
        attempts=row["attempts"],
        error=row["error"],
        next_attempt_at=wire_time(row["run_at"]) if row["state"] == "waiting" else "",
    )


def _as_webhook(row: Record | None) -> Webhook:
    if row is None:
        raise WebhookNotFound()
    return Webhook(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        name=row["name"],
        description=row["description"],
        url=row["url"],
        events=row["events"],
        tls=row["tls"],
        auth_username=row["auth_username"],
        auth_password="",
        secret="",
        enabled=row["enabled"],
        logs=row["logs"],
        attempts=row["attempts"],
    )
