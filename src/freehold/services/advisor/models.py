"""Shapes of reports on the wire."""

from __future__ import annotations

from typing import Any

from freehold.web.wire import Output, Resource


class InsightCTA(Output):
    """What can be done about an insight: a call of an SDK's method."""

    label: str
    service: str
    method: str
    params: dict[str, Any]


class Insight(Resource):
    report_id: str
    type: str
    severity: str
    status: str
    resource_type: str
    resource_id: str
    parent_resource_type: str
    parent_resource_id: str
    title: str
    summary: str
    ctas: list[InsightCTA]
    analyzed_at: str | None
    dismissed_at: str | None
    dismissed_by: str | None


class InsightList(Output):
    total: int
    insights: list[Insight]


class Report(Resource):
    app_id: str
    type: str
    title: str
    summary: str
    target_type: str
    target: str
    categories: list[str]
    insights: list[Insight]
    """The oldest 100; all are listed by themselves."""
    analyzed_at: str | None


class ReportList(Output):
    total: int
    reports: list[Report]
