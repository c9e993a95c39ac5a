"""What can go wrong with reports."""

from __future__ import annotations

from freehold.errors import NotFound


class ReportNotFound(NotFound, type="report_not_found"):
    """The project has no report with this id."""


class InsightNotFound(NotFound, type="insight_not_found"):
    """The report has no insight with this id."""
