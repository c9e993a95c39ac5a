"""Organizations on the wire: what is sent, what is shown, and how lists are filtered."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from app.core.fields import (
    Body,
    Commas,
    NotNull,
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

    sort: Annotated[
        list[
            Literal[
                "id",
                "-id",
                "slug",
                "-slug",
                "created_at",
                "-created_at",
                "updated_at",
                "-updated_at",
            ]
        ],
        Field(max_length=3),
    ] = []
    id__in: Annotated[list[Uuid], Commas, Field(max_length=100)] | None = Field(default=None, alias="id.in")
    name: Text | None = None
    name__in: Annotated[list[Text], Field(max_length=100)] | None = Field(default=None, alias="name.in")
    name__contains: Text | None = Field(default=None, alias="name.contains")
    name__starts_with: Text | None = Field(default=None, alias="name.starts_with")
    slug: Text | None = None
    slug__in: Annotated[list[Text], Field(max_length=100)] | None = Field(default=None, alias="slug.in")
    slug__contains: Text | None = Field(default=None, alias="slug.contains")
    slug__starts_with: Text | None = Field(default=None, alias="slug.starts_with")
    created_at__gt: Timestamp | None = Field(default=None, alias="created_at.gt")
    created_at__gte: Timestamp | None = Field(default=None, alias="created_at.gte")
    created_at__lt: Timestamp | None = Field(default=None, alias="created_at.lt")
    created_at__lte: Timestamp | None = Field(default=None, alias="created_at.lte")
    updated_at__gt: Timestamp | None = Field(default=None, alias="updated_at.gt")
    updated_at__gte: Timestamp | None = Field(default=None, alias="updated_at.gte")
    updated_at__lt: Timestamp | None = Field(default=None, alias="updated_at.lt")
    updated_at__lte: Timestamp | None = Field(default=None, alias="updated_at.lte")
