"""Projects on the wire: what is sent, what is shown, and how lists are filtered."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from app.core.fields import (
    Body,
    BoolParameter,
    Commas,
    DecimalText,
    Int53,
    Json,
    NotNull,
    Text,
    Timestamp,
    Uuid,
    View,
    decimal_digits,
)
from app.core.paging import ListQuery, SortKey

ProjectName = Annotated[Text, Field(max_length=100)]
ProjectCode = Annotated[Text, Field(max_length=20)]
ProjectStatus = Literal[
    "draft",
    "active",
    "1st",
]
ProjectBudget = Annotated[DecimalText, decimal_digits(12, 2), Field(ge=Decimal("0"))]


class ProjectCreate(Body):
    """A new project."""

    name: ProjectName
    code: ProjectCode
    status: ProjectStatus = "draft"
    budget: ProjectBudget | None = None
    settings: Json | None = None
    owner_id: Uuid | None = None


class ProjectUpdate(Body):
    """What should change about a project. A field that is absent stays as it is."""

    name: Annotated[ProjectName | None, NotNull] = None
    code: Annotated[ProjectCode | None, NotNull] = None
    status: Annotated[ProjectStatus | None, NotNull] = None
    budget: ProjectBudget | None = None
    settings: Json | None = None
    owner_id: Uuid | None = None


class ProjectBatchCreate(Body):
    """Many new projects."""

    items: Annotated[list[ProjectCreate], Field(min_length=1, max_length=500)]
    on_conflict: Literal["error", "update", "ignore"] = "error"


class ProjectChange(ProjectUpdate):
    """What should change about one of many projects."""

    id: Uuid
    version: Int53 | None = None

    def sent(self) -> dict[str, Any]:
        """The fields that were in the body, less those that say which row it is."""
        return {name: value for name, value in super().sent().items() if name not in ("id", "version")}


class ProjectBatchUpdate(Body):
    """Changes of many projects."""

    items: Annotated[list[ProjectChange], Field(min_length=1, max_length=500)]


class ProjectBatchDelete(Body):
    """Which projects to delete."""

    ids: Annotated[list[Uuid], Field(min_length=1, max_length=500)]


class ProjectSummary(View):
    """A project as lists show it."""

    id: UUID
    name: str
    code: str
    status: ProjectStatus
    budget: DecimalText | None
    owner_id: UUID | None
    created_at: Timestamp
    updated_at: Timestamp
    created_by: str | None
    updated_by: str | None
    version: int
    deleted_at: Timestamp | None


class Project(ProjectSummary):
    """A project with everything about it."""

    settings: Json | None


class ProjectQuery(ListQuery):
    """How to filter and sort projects. `field.op` is a filter; all filters must hold."""

    entity: ClassVar[str] = "project"
    sort_keys: ClassVar[dict[str, SortKey]] = {
        "id": SortKey(Uuid),
        "code": SortKey(Text),
        "status": SortKey(ProjectStatus),
        "created_at": SortKey(Timestamp),
        "updated_at": SortKey(Timestamp),
    }

    searched: ClassVar[frozenset[str]] = frozenset(
        [
            "name",
        ]
    )

    sort: Annotated[
        list[
            Literal[
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
            ]
        ],
        Field(max_length=3),
    ] = []
    q: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    deleted: Literal["exclude", "include", "only"] = "exclude"
    id__in: Annotated[list[Uuid], Commas, Field(max_length=100)] | None = Field(default=None, alias="id.in")
    name: Text | None = None
    name__in: Annotated[list[Text], Field(max_length=100)] | None = Field(default=None, alias="name.in")
    name__contains: Text | None = Field(default=None, alias="name.contains")
    name__starts_with: Text | None = Field(default=None, alias="name.starts_with")
    code: Text | None = None
    code__in: Annotated[list[Text], Field(max_length=100)] | None = Field(default=None, alias="code.in")
    code__contains: Text | None = Field(default=None, alias="code.contains")
    code__starts_with: Text | None = Field(default=None, alias="code.starts_with")
    status: ProjectStatus | None = None
    status__ne: ProjectStatus | None = Field(default=None, alias="status.ne")
    status__in: Annotated[list[ProjectStatus], Commas, Field(max_length=100)] | None = Field(
        default=None, alias="status.in"
    )
    budget: Annotated[DecimalText, decimal_digits(12, 2)] | None = None
    budget__in: Annotated[list[Annotated[DecimalText, decimal_digits(12, 2)]], Commas, Field(max_length=100)] | None = (
        Field(default=None, alias="budget.in")
    )
    budget__gt: Annotated[DecimalText, decimal_digits(12, 2)] | None = Field(default=None, alias="budget.gt")
    budget__gte: Annotated[DecimalText, decimal_digits(12, 2)] | None = Field(default=None, alias="budget.gte")
    budget__lt: Annotated[DecimalText, decimal_digits(12, 2)] | None = Field(default=None, alias="budget.lt")
    budget__lte: Annotated[DecimalText, decimal_digits(12, 2)] | None = Field(default=None, alias="budget.lte")
    budget__is_null: BoolParameter | None = Field(default=None, alias="budget.is_null")
    owner_id: Uuid | None = None
    owner_id__in: Annotated[list[Uuid], Commas, Field(max_length=100)] | None = Field(default=None, alias="owner_id.in")
    owner_id__is_null: BoolParameter | None = Field(default=None, alias="owner_id.is_null")
    created_at__gt: Timestamp | None = Field(default=None, alias="created_at.gt")
    created_at__gte: Timestamp | None = Field(default=None, alias="created_at.gte")
    created_at__lt: Timestamp | None = Field(default=None, alias="created_at.lt")
    created_at__lte: Timestamp | None = Field(default=None, alias="created_at.lte")
    updated_at__gt: Timestamp | None = Field(default=None, alias="updated_at.gt")
    updated_at__gte: Timestamp | None = Field(default=None, alias="updated_at.gte")
    updated_at__lt: Timestamp | None = Field(default=None, alias="updated_at.lt")
    updated_at__lte: Timestamp | None = Field(default=None, alias="updated_at.lte")
