"""What the tests know about each resource: where it is, and how a valid row looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.samples import spelled, text


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the API and its table."""

    name: str
    path: str
    table: str
    tenant: Literal["self", "scoped", "none"]
    id_kind: Literal["uuid", "serial", "text"]
    columns: dict[str, str]
    sample: Callable[[], dict[str, Any]]
    references: dict[str, str]
    """Field to the resource that it refers to."""
    required: tuple[str, ...]
    """The references that cannot be null."""
    places: tuple[str, ...]
    """The fields that hold points, lines and polygons."""
    filters: dict[str, str]
    """Query parameter to a value that it takes."""
    sorts: tuple[str, ...]
    versioned: bool
    soft_delete: bool

    def __str__(self) -> str:
        return self.name


def organization_sample() -> dict[str, Any]:
    return {
        "name": text(24),
        "slug": spelled(
            "abcdefghijklmnopqrstuvwxyz0123456789-",
            "abcdefghijklmnopqrstuvwxyz0123456789-",
            "abcdefghijklmnopqrstuvwxyz0123456789-",
            "abcdefghijklmnopqrstuvwxyz0123456789-",
            "abcdefghijklmnopqrstuvwxyz0123456789-",
            "abcdefghijklmnopqrstuvwxyz0123456789-",
        ),
    }


def project_sample() -> dict[str, Any]:
    return {
        "name": text(24),
        "code": text(20),
        "status": "draft",
        "settings": {"key": "value"},
    }


def person_sample() -> dict[str, Any]:
    return {
        "email": text(12) + "@example.com",
    }


RESOURCES = (
    Resource(
        name="organization",
        path="/v1/organizations",
        table="organization",
        tenant="self",
        id_kind="uuid",
        columns={
            "id": "id",
            "name": "name",
            "slug": "slug",
            "created_at": "created_at",
            "updated_at": "updated_at",
            "version": "version",
        },
        sample=organization_sample,
        references={},
        required=(),
        places=(),
        filters={
            "id.in": "01930000-0000-7000-8000-000000000000",
            "name": "a",
            "name.in": "a",
            "name.contains": "a",
            "name.starts_with": "a",
            "slug": "a",
            "slug.in": "a",
            "slug.contains": "a",
            "slug.starts_with": "a",
            "created_at.gt": "2026-01-31T09:30:00.000Z",
            "created_at.gte": "2026-01-31T09:30:00.000Z",
            "created_at.lt": "2026-01-31T09:30:00.000Z",
            "created_at.lte": "2026-01-31T09:30:00.000Z",
            "updated_at.gt": "2026-01-31T09:30:00.000Z",
            "updated_at.gte": "2026-01-31T09:30:00.000Z",
            "updated_at.lt": "2026-01-31T09:30:00.000Z",
            "updated_at.lte": "2026-01-31T09:30:00.000Z",
        },
        sorts=(
            "id",
            "-id",
            "slug",
            "-slug",
            "created_at",
            "-created_at",
            "updated_at",
            "-updated_at",
        ),
        versioned=True,
        soft_delete=False,
    ),
    Resource(
        name="project",
        path="/v1/projects",
        table="project",
        tenant="scoped",
        id_kind="uuid",
        columns={
            "id": "id",
            "name": "name",
            "code": "code",
            "status": "status",
            "budget": "budget",
            "settings": "settings",
            "owner_id": "owner_id",
            "created_at": "created_at",
            "updated_at": "updated_at",
            "created_by": "created_by",
            "updated_by": "updated_by",
            "version": "version",
            "deleted_at": "deleted_at",
        },
        sample=project_sample,
        references={
            "owner_id": "person",
        },
        required=(),
        places=(),
        filters={
            "id.in": "01930000-0000-7000-8000-000000000000",
            "name": "a",
            "name.in": "a",
            "name.contains": "a",
            "name.starts_with": "a",
            "code": "a",
            "code.in": "a",
            "code.contains": "a",
            "code.starts_with": "a",
            "status": "draft",
            "status.ne": "draft",
            "status.in": "draft",
            "budget": "0.00",
            "budget.in": "0.00",
            "budget.gt": "0.00",
            "budget.gte": "0.00",
            "budget.lt": "0.00",
            "budget.lte": "0.00",
            "budget.is_null": "true",
            "owner_id": "01930000-0000-7000-8000-000000000000",
            "owner_id.in": "01930000-0000-7000-8000-000000000000",
            "owner_id.is_null": "true",
            "created_at.gt": "2026-01-31T09:30:00.000Z",
            "created_at.gte": "2026-01-31T09:30:00.000Z",
            "created_at.lt": "2026-01-31T09:30:00.000Z",
            "created_at.lte": "2026-01-31T09:30:00.000Z",
            "updated_at.gt": "2026-01-31T09:30:00.000Z",
            "updated_at.gte": "2026-01-31T09:30:00.000Z",
            "updated_at.lt": "2026-01-31T09:30:00.000Z",
            "updated_at.lte": "2026-01-31T09:30:00.000Z",
        },
        sorts=(
            "id",
            "-id",
            "code",
            "-code",
            "status",
            "-status",
            "created_at",
            "-created_at",
            "updated_at",
            "-updated_at",
        ),
        versioned=True,
        soft_delete=True,
    ),
    Resource(
        name="person",
        path="/v1/people",
        table="person",
        tenant="scoped",
        id_kind="uuid",
        columns={
            "id": "id",
            "email": "email",
            "created_at": "created_at",
            "updated_at": "updated_at",
            "version": "version",
        },
        sample=person_sample,
        references={},
        required=(),
        places=(),
        filters={
            "id.in": "01930000-0000-7000-8000-000000000000",
            "email": "a",
            "email.in": "a",
            "email.contains": "a",
            "email.starts_with": "a",
            "created_at.gt": "2026-01-31T09:30:00.000Z",
            "created_at.gte": "2026-01-31T09:30:00.000Z",
            "created_at.lt": "2026-01-31T09:30:00.000Z",
            "created_at.lte": "2026-01-31T09:30:00.000Z",
            "updated_at.gt": "2026-01-31T09:30:00.000Z",
            "updated_at.gte": "2026-01-31T09:30:00.000Z",
            "updated_at.lt": "2026-01-31T09:30:00.000Z",
            "updated_at.lte": "2026-01-31T09:30:00.000Z",
        },
        sorts=(
            "id",
            "-id",
            "email",
            "-email",
            "created_at",
            "-created_at",
            "updated_at",
            "-updated_at",
        ),
        versioned=True,
        soft_delete=False,
    ),
)

BY_NAME = {resource.name: resource for resource in RESOURCES}
TENANT = next((resource for resource in RESOURCES if resource.tenant == "self"), None)
