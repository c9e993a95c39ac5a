"""People on the wire: what is sent, what is shown, and how lists are filtered."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from app.core.fields import (
    Body,
    Change,
    Email,
    Int53,
    NotNull,
    OneOf,
    OneOfTexts,
    Text,
    Timestamp,
    Uuid,
    View,
)
from app.core.paging import ListQuery, SortKey


class PersonCreate(Body):
    """A new person."""

    email: Email


class PersonUpdate(Body):
    """What should change about a person. A field that is absent stays as it is."""

    email: Annotated[Email | None, NotNull] = None


class PersonChange(PersonUpdate, Change):
    """What should change about one of many people."""

    id: Uuid
    version: Int53 | None = None


class Person(View):
    """A person."""

    id: UUID
    email: str
    created_at: Timestamp
    updated_at: Timestamp
    version: int


class PersonQuery(ListQuery):
    """How to filter and sort people. `field.op` is a filter; all filters must hold."""

    entity: ClassVar[str] = "person"
    sort_keys: ClassVar[dict[str, SortKey]] = {
        "id": SortKey(Uuid),
        "email": SortKey(Text),
        "created_at": SortKey(Timestamp),
        "updated_at": SortKey(Timestamp),
    }

    id__in: OneOf[Uuid] | None = None
    email: Text | None = None
    email__in: OneOfTexts[Text] | None = None
    email__contains: Text | None = None
    email__starts_with: Text | None = None
    created_at__gt: Timestamp | None = None
    created_at__gte: Timestamp | None = None
    created_at__lt: Timestamp | None = None
    created_at__lte: Timestamp | None = None
    updated_at__gt: Timestamp | None = None
    updated_at__gte: Timestamp | None = None
    updated_at__lt: Timestamp | None = None
    updated_at__lte: Timestamp | None = None
