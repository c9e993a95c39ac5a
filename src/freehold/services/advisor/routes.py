"""Endpoints of reports."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from freehold.db.pool import Record
from freehold.services.advisor import store
from freehold.services.advisor.errors import InsightNotFound, ReportNotFound
from freehold.services.advisor.models import Insight, InsightCTA, InsightList, Report, ReportList
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.wire import ListQuery, wire_time

routes = Routes("advisor", console=False)


@routes.get("/v1/reports", scope="reports.read")
async def list_reports(call: Call, query: ListQuery) -> ReportList:
    """List the reports, each with what it advises."""
    found = await store.fetch_reports(call.db, call.project.id, query.queries, total=query.total)
    return ReportList(total=found.total, reports=await _with_insights(call, found.rows))


@routes.get("/v1/reports/{reportId}", scope="reports.read", raises=(ReportNotFound,))
async def get_report(call: Call, report_id: str) -> Report:
    """Get a report, with what it advises."""
    [report] = await _with_insights(call, [await _find(call, report_id)])
    return report


@routes.delete(
    "/v1/reports/{reportId}",
    scope="reports.write",
    event="reports.[reportId].delete",
    status=204,
    limit=limit("60/60s", key="projectId:{projectId},userId:{userId}"),
    raises=(ReportNotFound,),
)
async def delete_report(call: Call, report_id: str) -> None:
    """Delete a report, and what it advises."""
    row = await store.delete_report(call.db, call.project.id, report_id)
    if row is None:
        raise ReportNotFound()
    call.tells(_as_report(row, []))


@routes.get("/v1/reports/{reportId}/insights", scope="insights.read", raises=(ReportNotFound,))
async def list_insights(call: Call, report_id: str, query: ListQuery) -> InsightList:
    """List what a report advises."""
    await _find(call, report_id)
    found = await store.fetch_insights(call.db, call.project.id, report_id, query.queries, total=query.total)
    return InsightList(total=found.total, insights=[_as_insight(row) for row in found.rows])


@routes.get(
    "/v1/reports/{reportId}/insights/{insightId}",
    scope="insights.read",
    raises=(ReportNotFound, InsightNotFound),
)
async def get_insight(call: Call, report_id: str, insight_id: str) -> Insight:
    """Get one thing that a report advises."""
    await _find(call, report_id)
    row = await store.find_insight(call.db, call.project.id, report_id, insight_id)
    if row is None:
        raise InsightNotFound()
    return _as_insight(row)


async def _find(call: Call, report_id: str) -> Record:
    row = await store.find_report(call.db, call.project.id, report_id)
    if row is None:
        raise ReportNotFound()
    return row


async def _with_insights(call: Call, rows: Sequence[Record]) -> list[Report]:
    found = await store.insights_of(call.db, call.project.id, [row["id"] for row in rows])
    insights: dict[str, list[Insight]] = {row["id"]: [] for row in rows}
    for row in found:
        insights[row["report_id"]].append(_as_insight(row))
    return [_as_report(row, insights[row["id"]]) for row in rows]


def _as_report(row: Record, insights: list[Insight]) -> Report:
    return Report(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        app_id=row["app_id"],
        type=row["type"],
        title=row["title"],
        summary=row["summary"],
        target_type=row["target_type"],
        target=row["target"],
        categories=row["categories"],
        insights=insights,
        analyzed_at=wire_time(row["analyzed_at"]) or None,
    )


def _as_insight(row: Record) -> Insight:
    return Insight(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        report_id=row["report_id"],
        type=row["type"],
        severity=row["severity"],
        status=row["status"],
        resource_type=row["resource_type"],
        resource_id=row["resource_id"],
        parent_resource_type=row["parent_resource_type"],
        parent_resource_id=row["parent_resource_id"],
        title=row["title"],
        summary=row["summary"],
        ctas=msgspec.json.decode(row["ctas"], type=list[InsightCTA]),
        analyzed_at=wire_time(row["analyzed_at"]) or None,
        dismissed_at=wire_time(row["dismissed_at"]) or None,
        dismissed_by=row["dismissed_by"],
    )
