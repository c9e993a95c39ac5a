"""Schedules: when something of a project is run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from appwrite.query import Query

from freehold.db.pool import Queries
from freehold.services.projects import schedules
from tests.platform import Platform, Project, error_of
from tests.process.installation import until
from tests.services.in_process import ask
from tests.services.second_factor import run_sql

NIGHTLY = {"resourceType": "function", "resourceId": "clean", "schedule": "0 4 * * *"}


def made(project: Project, schedule_id: str, resource_type: str = "function", active: bool = True) -> None:
    """What the service that keeps functions will have made."""
    run_sql(
        project,
        """insert into freehold.schedules
        (project_id, id, resource_type, resource_id, schedule, data, active, region)
        values ($1, $2, $3, 'clean', '0 4 * * *', '{"path": "/"}', $4, 'default')""",
        project.id,
        schedule_id,
        resource_type,
        active,
    )


def test_schedules_are_listed_and_told_of(project: Project) -> None:
    console, at = project.platform.console, f"/projects/{project.id}/schedules"
    for each, kind, active in (("a", "function", True), ("b", "message", False), ("c", "function", False)):
        made(project, each, kind, active)
    made(project.platform.new_project(), "elsewhere")

    def listed(*queries: str, **more: Any) -> tuple[int, list[str]]:
        answer = console.get(at, params={"queries[]": list(queries), **more})
        assert answer.status_code == 200, answer.text
        return answer.json()["total"], [each["$id"] for each in answer.json()["schedules"]]

    one = console.get(f"{at}/a").json()
    assert set(one) == {
        "$id", "$createdAt", "$updatedAt", "resourceType", "resourceId", "resourceUpdatedAt", "projectId",
        "schedule", "data", "active", "region",
    }  # fmt: skip
    assert (one["projectId"], one["schedule"], one["data"]) == (project.id, "0 4 * * *", {"path": "/"})
    assert listed() == (3, ["a", "b", "c"])
    assert listed(Query.equal("resourceType", "function"), Query.equal("active", False)) == (1, ["c"])
    assert listed(Query.limit(1), Query.cursor_after("a")) == (3, ["b"])
    assert listed(Query.order_desc("$id"), total="false") == (0, ["c", "b", "a"])
    assert (
        error_of(console.get(at, params={"queries[]": Query.equal("data", "x")}))[1]
        == "general_query_invalid"
    )
    assert error_of(console.get(f"{at}/elsewhere")) == (404, "schedule_not_found")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ({}, (404, "function_not_found")),
        ({"resourceType": "execution"}, (404, "execution_not_found")),
        ({"resourceType": "message"}, (404, "message_not_found")),
        ({"resourceType": "backup"}, (400, "general_argument_invalid")),
        ({"resourceId": "../x"}, (400, "general_argument_invalid")),
        ({"data": {"x": "y" * 70_000}}, (400, "general_argument_invalid")),
        ({"data": "text"}, (400, "general_argument_invalid")),
        *(
            ({"schedule": cron}, (400, "general_argument_invalid"))
            for cron in ("", "x", "* * * *", "* * * * * *", "60 * * * *", "0 0 30 2 *", "@daily", "9" * 256)
        ),
    ],
)
def test_a_schedule_runs_what_there_is_at_times_that_come(
    project: Project, said: dict[str, Any], answer: tuple[int, str]
) -> None:
    at = f"/projects/{project.id}/schedules"

    assert error_of(project.platform.console.post(at, json=NIGHTLY | said)) == answer
    assert project.platform.console.get(at).json() == {"total": 0, "schedules": []}


def test_what_a_service_keeps_can_be_run_on_a_schedule(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def find(db: Queries, project_id: str, function_id: str) -> bool:
        asked.append((project_id, function_id))
        return function_id == "clean"

    kept: dict[str, Callable[..., Awaitable[bool]]] = {"function": find}
    monkeypatch.setattr(schedules, "KEPT", kept)
    platform, at = project.platform, f"projects/{project.id}/schedules"

    def post(**said: Any) -> httpx.Response:
        return ask(platform, tmp_path, platform.console, "POST", at, NIGHTLY | said)

    answer = post(active=True, data={"path": "/"})
    missing = post(resourceId="other")
    schedule = answer.json()

    assert answer.status_code == 201, answer.text
    assert asked == [(project.id, "clean"), (project.id, "other")]
    assert error_of(missing) == (404, "function_not_found")
    assert platform.console.get(f"/{at}/{schedule['$id']}").json() == schedule
    assert (schedule["active"], schedule["data"], schedule["region"]) == (True, {"path": "/"}, "default")
    assert platform.console.get(f"/{at}").json()["total"] == 1
    event = f"schedules.{schedule['$id']}.create"
    told = "select event, actor from freehold.audit where request_id = $1"
    request_id = answer.headers["x-request-id"]
    until(lambda: run_sql(project, told, request_id), 30)
    [entry] = run_sql(project, told, request_id)
    assert (entry["event"], entry["actor"].partition(":")[0]) == (event, "user")


def test_only_who_runs_a_project_sees_its_schedules(platform: Platform, project: Project) -> None:
    made(project, "a")
    at = f"/projects/{project.id}/schedules"

    for client in (project.server, project.guest, project.new_user().client, platform.client("console")):
        assert client.get(at).status_code in (401, 403)
        assert client.get(f"{at}/a").status_code in (401, 403)
        assert client.post(at, json=NIGHTLY).status_code in (401, 403)
    assert error_of(platform.console.get("/projects/none/schedules")) == (404, "project_not_found")
