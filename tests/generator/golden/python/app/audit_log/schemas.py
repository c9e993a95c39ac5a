"""Audit log on the wire: what is sent, what is shown, and how lists are filtered."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from app.core.fields import (
    BoolParameter,
    Int53Parameter,
    Json,
    OneOf,
    OneOfTexts,
    Text,
    Timestamp,
    View,
)
from app.core.paging import ListQuery, SortKey

AuditEntryAction = Literal[
    "create",
    "update",
    "delete",
]


class AuditEntry(View):
    """An audit entry."""

    id: int
    at: Timestamp
    actor_id: str | None
    request_id: str | None
    entity: str
    entity_id: str
    action: AuditEntryAction
    before: Json | None
    after: Json | None


class AuditEntryQuery(ListQuery):
    """How to filter and sort audit log. `field.op` is a filter; all filters must hold."""

    entity: ClassVar[str] = "audit_entry"
    sort_keys: ClassVar[dict[str, SortKey]] = {
        "id": SortKey(Int53Parameter),
    }

    id__in: OneOf[Int53Parameter] | None = None
    at__gt: Timestamp | None = None
    at__gte: Timestamp | None = None
    at__lt: Timestamp | None = None
    at__lte: Timestamp | None = None
    actor_id: Text | None = None
    actor_id__in: OneOfTexts[Text] | None = None
    actor_id__is_null: BoolParameter | None = None
    request_id: Text | None = None
    request_id__in: OneOfTexts[Text] | None = None
    entity_: Text | None = Field(default=None, alias="entity")
    entity___in: OneOfTexts[Text] | None = Field(default=None, alias="entity.in")
    entity_id: Text | None = None
    entity_id__in: OneOfTexts[Text] | None = None
    action: AuditEntryAction | None = None
    action__ne: AuditEntryAction | None = None
    action__in: OneOf[AuditEntryAction] | None = None
