"""Projects on the wire: what is sent, what is shown, and how lists are filtered."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from app.core.fields import (
    Body,
    BoolParameter,
    Change,
    DecimalText,
    Int53,
    Items,
    Json,
    NotNull,
    OneOf,
    OneOfTexts,
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


class ProjectBatchCreate(Items[ProjectCreate]):
    """Many new projects."""

    on_conflict: Literal["error", "update", "ignore"] = "error"


class ProjectChange(ProjectUpdate, Change):
    """What should change about one of many projects."""

    id: Uuid
    version: Int53 | None = None


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

    searched: ClassVar[frozenset[str]] = frozenset(["name"])

    q: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    deleted: Literal["exclude", "include", "only"] = "exclude"
    id__in: OneOf[Uuid] | None = None
    name: Text | None = None
    name__in: OneOfTexts[Text] | None = None
    name__contains: Text | None = None
    name__starts_with: Text | None = None
    code: Text | None = None
    code__in: OneOfTexts[Text] | None = None
    code__contains: Text | None = None
    code__starts_with: Text | None = None
    status: ProjectStatus | None = None
    status__ne: ProjectStatus | None = None
    status__in: OneOf[ProjectStatus] | None = None
    budget: Annotated[DecimalText, decimal_digits(12, 2)] | None = None
    budget__in: OneOf[Annotated[DecimalText, decimal_digits(12, 2)]] | None = None
    budget__gt: Annotated[DecimalText, decimal_digits(12, 2)] | None = None
    budget__gte: Annotated[DecimalText, decimal_digits(12, 2)] | None = None
    budget__lt: Annotated[DecimalText, decimal_digits(12, 2)] | None = None
    budget__lte: Annotated[DecimalText, decimal_digits(12, 2)] | None = None
    budget__is_null: BoolParameter | None = None
    owner_id: Uuid | None = None
    owner_id__in: OneOf[Uuid] | None = None
    owner_id__is_null: BoolParameter | None = None
    created_at__gt: Timestamp | None = None
    created_at__gte: Timestamp | None = None
    created_at__lt: Timestamp | None = None
    created_at__lte: Timestamp | None = None
    updated_at__gt: Timestamp | None = None
    updated_at__gte: Timestamp | None = None
    updated_at__lt: Timestamp | None = None
    updated_at__lte: Timestamp | None = None
