"""Audit log on the wire: what is sent, what is shown, and how lists are filtered."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from app.core.fields import (
    BoolParameter,
    Commas,
    Int53Parameter,
    Json,
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

    sort: Annotated[
        list[
            Literal[
                "id",
                "-id",
            ]
        ],
        Field(max_length=3),
    ] = []
    id__in: Annotated[list[Int53Parameter], Commas, Field(max_length=100)] | None = Field(default=None, alias="id.in")
    at__gt: Timestamp | None = Field(default=None, alias="at.gt")
    at__gte: Timestamp | None = Field(default=None, alias="at.gte")
    at__lt: Timestamp | None = Field(default=None, alias="at.lt")
    at__lte: Timestamp | None = Field(default=None, alias="at.lte")
    actor_id: Text | None = None
    actor_id__in: Annotated[list[Text], Field(max_length=100)] | None = Field(default=None, alias="actor_id.in")
    actor_id__is_null: BoolParameter | None = Field(default=None, alias="actor_id.is_null")
    request_id: Text | None = None
    request_id__in: Annotated[list[Text], Field(max_length=100)] | None = Field(default=None, alias="request_id.in")
    entity_: Text | None = Field(default=None, alias="entity")
    entity___in: Annotated[list[Text], Field(max_length=100)] | None = Field(default=None, alias="entity.in")
    entity_id: Text | None = None
    entity_id__in: Annotated[list[Text], Field(max_length=100)] | None = Field(default=None, alias="entity_id.in")
    action: AuditEntryAction | None = None
    action__ne: AuditEntryAction | None = Field(default=None, alias="action.ne")
    action__in: Annotated[list[AuditEntryAction], Commas, Field(max_length=100)] | None = Field(
        default=None, alias="action.in"
    )
