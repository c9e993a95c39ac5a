"""Organizations on the wire: what is sent, what is shown, and how lists are filtered."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from app.core.fields import (
    Body,
    NotNull,
    OneOf,
    OneOfTexts,
    Text,
    Timestamp,
    Uuid,
    View,
)
from app.core.paging import ListQuery, SortKey

OrganizationName = Annotated[Text, Field(max_length=120)]
OrganizationSlug = Annotated[Text, Field(max_length=60, pattern="^[a-z0-9-]+$")]


class OrganizationCreate(Body):
    """A new organization."""

    name: OrganizationName
    slug: OrganizationSlug


class OrganizationUpdate(Body):
    """What should change about an organization. A field that is absent stays as it is."""

    name: Annotated[OrganizationName | None, NotNull] = None
    slug: Annotated[OrganizationSlug | None, NotNull] = None


class Organization(View):
    """An organization."""

    id: UUID
    name: str
    slug: str
    created_at: Timestamp
    updated_at: Timestamp
    version: int


class OrganizationQuery(ListQuery):
    """How to filter and sort organizations. `field.op` is a filter; all filters must hold."""

    entity: ClassVar[str] = "organization"
    sort_keys: ClassVar[dict[str, SortKey]] = {
        "id": SortKey(Uuid),
        "slug": SortKey(Text),
        "created_at": SortKey(Timestamp),
        "updated_at": SortKey(Timestamp),
    }

    id__in: OneOf[Uuid] | None = None
    name: Text | None = None
    name__in: OneOfTexts[Text] | None = None
    name__contains: Text | None = None
    name__starts_with: Text | None = None
    slug: Text | None = None
    slug__in: OneOfTexts[Text] | None = None
    slug__contains: Text | None = None
    slug__starts_with: Text | None = None
    created_at__gt: Timestamp | None = None
    created_at__gte: Timestamp | None = None
    created_at__lt: Timestamp | None = None
    created_at__lte: Timestamp | None = None
    updated_at__gt: Timestamp | None = None
    updated_at__gte: Timestamp | None = None
    updated_at__lt: Timestamp | None = None
    updated_at__lte: Timestamp | None = None
