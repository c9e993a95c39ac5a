"""People on the wire: what is sent, what is shown, and how lists are filtered."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from app.core.fields import (
    Body,
    Commas,
    Email,
    Int53,
    NotNull,
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


class PersonBatchCreate(Body):
    """Many new people."""

    items: Annotated[list[PersonCreate], Field(min_length=1, max_length=500)]


class PersonChange(PersonUpdate):
    """What should change about one of many people."""

    id: Uuid
    version: Int53 | None = None

    def sent(self) -> dict[str, Any]:
        """The fields that were in the body, less those that say which row it is."""
        return {name: value for name, value in super().sent().items() if name not in ("id", "version")}


class PersonBatchUpdate(Body):
    """Changes of many people."""

    items: Annotated[list[PersonChange], Field(min_length=1, max_length=500)]


class PersonBatchDelete(Body):
    """Which people to delete."""

    ids: Annotated[list[Uuid], Field(min_length=1, max_length=500)]


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

    sort: Annotated[
        list[
            Literal[
                "id",
                "-id",
                "email",
                "-email",
                "created_at",
                "-created_at",
                "updated_at",
                "-updated_at",
            ]
        ],
        Field(max_length=3),
    ] = []
    id__in: Annotated[list[Uuid], Commas, Field(max_length=100)] | None = Field(default=None, alias="id.in")
    email: Text | None = None
    email__in: Annotated[list[Text], Field(max_length=100)] | None = Field(default=None, alias="email.in")
    email__contains: Text | None = Field(default=None, alias="email.contains")
    email__starts_with: Text | None = Field(default=None, alias="email.starts_with")
    created_at__gt: Timestamp | None = Field(default=None, alias="created_at.gt")
    created_at__gte: Timestamp | None = Field(default=None, alias="created_at.gte")
    created_at__lt: Timestamp | None = Field(default=None, alias="created_at.lt")
    created_at__lte: Timestamp | None = Field(default=None, alias="created_at.lte")
    updated_at__gt: Timestamp | None = Field(default=None, alias="updated_at.gt")
    updated_at__gte: Timestamp | None = Field(default=None, alias="updated_at.gte")
    updated_at__lt: Timestamp | None = Field(default=None, alias="updated_at.lt")
    updated_at__lte: Timestamp | None = Field(default=None, alias="updated_at.lte")
