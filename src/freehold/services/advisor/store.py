"""SQL of reports and their insights."""

from __future__ import annotations

from collections.abc import Sequence

from freehold.db import listing
from freehold.db.listing import Found, Listing, moment, text
from freehold.db.pool import Queries, Record

_REPORT = """
    r.id, r.app_id, r.type, r.title, r.summary, r.target_type, r.target, r.categories, r.analyzed_at,
    r.created_at, r.updated_at
"""
_INSIGHT = """
    i.id, i.report_id, i.type, i.severity, i.status, i.resource_type, i.resource_id, i.parent_resource_type,
    i.parent_resource_id, i.title, i.summary, i.ctas, i.analyzed_at, i.dismissed_at, i.dismissed_by,
    i.created_at, i.updated_at
"""
_SHOWN_WITH_A_REPORT = 100

REPORTS = Listing(
    columns=_REPORT,
    source="freehold.reports r",
    id="r.id",
    created_at="r.created_at",
    attributes={
        "$id": text("r.id"),
        "$createdAt": moment("r.created_at"),
        "$updatedAt": moment("r.updated_at"),
        "appId": text("r.app_id"),
        "type": text("r.type"),
        "targetType": text("r.target_type"),
        "target": text("r.target"),
        "analyzedAt": moment("r.analyzed_at"),
    },
)

INSIGHTS = Listing(
    columns=_INSIGHT,
    source="freehold.insights i",
    id="i.id",
    created_at="i.created_at",
    attributes={
        "$id": text("i.id"),
        "$createdAt": moment("i.created_at"),
        "$updatedAt": moment("i.updated_at"),
        "type": text("i.type"),
        "severity": text("i.severity"),
        "status": text("i.status"),
        "resourceType": text("i.resource_type"),
        "resourceId": text("i.resource_id"),
        "parentResourceType": text("i.parent_resource_type"),
        "parentResourceId": text("i.parent_resource_id"),
        "analyzedAt": moment("i.analyzed_at"),
        "dismissedAt": moment("i.dismissed_at"),
        "dismissedBy": text("coalesce(i.dismissed_by, '')"),
    },
)


async def fetch_reports(db: Queries, project_id: str, queries: Sequence[str], *, total: bool) -> Found:
    """List a project's reports."""
    return await listing.fetch(db, REPORTS, queries, where={"r.project_id = {}": project_id}, total=total)


async def find_report(db: Queries, project_id: str, report_id: str) -> Record | None:
    """Find a report."""
    return await db.row(
        f"select {_REPORT} from freehold.reports r where r.project_id = $1 and r.id = $2",
        project_id,
        report_id,
    )


async def insights_of(db: Queries, project_id: str, report_ids: list[str]) -> list[Record]:
    """The first insights of each of these reports, as they came."""
    return await db.rows(
        f"""
        select i.* from unnest($2::text[]) asked(id) cross join lateral (
            select {_INSIGHT} from freehold.insights i where i.project_id = $1 and i.report_id = asked.id
            order by i.created_at, i.id limit {_SHOWN_WITH_A_REPORT}
        ) i order by i.created_at, i.id
        """,
        project_id,
        report_ids,
    )


async def delete_report(db: Queries, project_id: str, report_id: str) -> Record | None:
    """Delete a report with its insights. Gives what it was."""
    return await db.row(
        f"delete from freehold.reports r where r.project_id = $1 and r.id = $2 returning {_REPORT}",
        project_id,
        report_id,
    )


async def fetch_insights(
    db: Queries, project_id: str, report_id: str, queries: Sequence[str], *, total: bool
) -> Found:
    """List the insights of a report."""
    where = {"i.project_id = {}": project_id, "i.report_id = {}": report_id}
    return await listing.fetch(db, INSIGHTS, queries, where=where, total=total)


async def find_insight(db: Queries, project_id: str, report_id: str, insight_id: str) -> Record | None:
    """Find an insight of a report."""
    return await db.row(
        f"""
        select {_INSIGHT} from freehold.insights i
        where i.project_id = $1 and i.report_id = $2 and i.id = $3
        """,
        project_id,
        report_id,
        insight_id,
    )
