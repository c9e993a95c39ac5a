"""Reports of analyzers, by the official SDK."""

from __future__ import annotations

import json

import pytest
from appwrite.exception import AppwriteException
from appwrite.query import Query
from appwrite.services.advisor import Advisor

from tests.platform import Project, User, error_of
from tests.services.second_factor import run_sql

ACTION = {"label": "Make it", "service": "tablesDB", "method": "createIndex", "params": {"n": 1}}


def hand_in(project: Project, report_id: str, *insights: str) -> None:
    """A report of an analyzer, with a warning of each of these ids."""
    run_sql(
        project,
        """insert into freehold.reports (project_id, id, app_id, type, title, target_type, target, categories)
        values ($1, $2, 'lighthouse', 'audit', 'Speed', 'sites', 'shop', '{speed}')""",
        project.id,
        report_id,
    )
    for insight_id in insights:
        run_sql(
            project,
            """insert into freehold.insights
            (project_id, report_id, id, type, severity, resource_type, resource_id, title, ctas)
            values ($1, $2, $3, 'tablesDBIndex', 'warning', 'tables', 'books', 'Slow', $4::text::jsonb)""",
            project.id,
            report_id,
            insight_id,
            json.dumps([ACTION]),
        )


def service(project: Project) -> Advisor:
    return Advisor(project.sdk(key=project.key))


def test_reports_are_listed_and_found_with_what_they_advise(project: Project) -> None:
    hand_in(project, "fast", "one", "two")
    hand_in(project, "calm")
    listed = service(project).list_reports([Query.equal("type", ["audit"])])
    found = service(project).get_report("fast")

    assert [(each.id, len(each.insights)) for each in listed.reports] == [("fast", 2), ("calm", 0)]
    assert listed.total == 2
    assert (found.appid, found.title, found.categories) == ("lighthouse", "Speed", ["speed"])
    assert [each.id for each in found.insights] == ["one", "two"]
    assert found.analyzedat is None
    [action] = found.insights[0].ctas
    assert (action.service, action.method, action.params) == ("tablesDB", "createIndex", {"n": 1})


def test_insights_are_listed_and_found_under_their_report(project: Project) -> None:
    hand_in(project, "fast", "one", "two")
    hand_in(project, "other", "three")
    run_sql(
        project,
        """update freehold.insights set status = 'dismissed', dismissed_by = 'jo'
        where project_id = $1 and id = 'two'""",
        project.id,
    )
    active = service(project).list_insights("fast", [Query.equal("status", ["active"])])
    dismissed = service(project).get_insight("fast", "two")

    assert [each.id for each in active.insights] == ["one"]
    assert (dismissed.status, dismissed.severity, dismissed.dismissedby) == ("dismissed", "warning", "jo")
    with pytest.raises(AppwriteException) as missing:
        service(project).get_insight("other", "one")
    assert missing.value.type == "insight_not_found"


def test_a_report_is_deleted_with_what_it_advises(project: Project) -> None:
    hand_in(project, "fast", "one")
    hand_in(project, "calm", "two")
    service(project).delete_report("fast")

    assert error_of(project.server.get("/reports/fast")) == (404, "report_not_found")
    assert error_of(project.server.get("/reports/fast/insights")) == (404, "report_not_found")
    assert error_of(project.server.delete("/reports/fast")) == (404, "report_not_found")
    kept = run_sql(project, "select id from freehold.insights where project_id = $1", project.id)
    assert [row["id"] for row in kept] == ["two"]
    told = run_sql(project, "select event from freehold.outbox where project_id = $1", project.id)
    assert "reports.fast.delete" in [row["event"] for row in told]


def test_reports_are_for_keys_and_owners_of_their_project(project: Project, jane: User) -> None:
    hand_in(project, "fast", "one")
    other = project.platform.new_project()

    assert project.admin.get("/reports").json()["total"] == 1
    assert other.server.get("/reports").json()["total"] == 0
    assert error_of(other.server.get("/reports/fast/insights/one")) == (404, "report_not_found")
    assert error_of(jane.client.get("/reports")) == (401, "general_unauthorized_scope")
    reader = project.platform.client(project.id, key=project.key_with("reports.read"))
    assert reader.get("/reports/fast").status_code == 200
    assert error_of(reader.delete("/reports/fast")) == (401, "general_unauthorized_scope")
    assert error_of(reader.get("/reports/fast/insights")) == (401, "general_unauthorized_scope")
