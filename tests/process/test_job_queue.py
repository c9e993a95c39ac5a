"""Jobs as operators see them: `freehold jobs` and the numbers for monitors."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.platform import Platform, running_platform
from tests.postgres import Server
from tests.process.installation import run, until
from tests.services.second_factor import run_sql


@pytest.fixture(scope="module")
def office(postgres: Server) -> Iterator[Platform]:
    """A platform whose mails go nowhere: nobody listens where they are sent."""
    with running_platform(
        postgres, FREEHOLD_SMTP_HOST="127.0.0.1", FREEHOLD_SMTP_PORT="1", FREEHOLD_SMTP_SENDER="a@example.com"
    ) as running:
        running.register_root()
        yield running


def test_what_was_given_up_is_shown_with_its_reason_and_tried_again(office: Platform) -> None:
    told = {"DATABASE_URL": office.database_url}
    project = office.new_project()
    jane = project.new_user()
    recovery = {"email": jane.email, "url": "http://localhost/"}
    assert project.guest.post("/account/recovery", json=recovery).status_code == 201
    mail = "select id, state from freehold.jobs where kind = 'mail.send'"
    until(lambda: run_sql(project, f"{mail} and attempts > 0 and state = 'waiting'"))
    [(job_id, _)] = run_sql(project, mail)
    nothing_yet = run("jobs", "dead", told=told)
    run_sql(project, "update freehold.jobs set state = 'dead', run_at = now() where id = $1", job_id)

    listed = json.loads(run("jobs", "list", "--json", told=told).stdout)
    [dead] = json.loads(run("jobs", "dead", "--json", "--kind", "mail.send", told=told).stdout)
    shown = run("jobs", "dead", told={**told, "COLUMNS": "200"}).stdout
    metrics = httpx.get(f"{office.installation.announced['admin']}/metrics").text
    other = run("jobs", "retry", "--kind", "sms.send", told=told)
    unsaid = run("jobs", "retry", told=told)
    again = run("jobs", "retry", str(job_id), told=told)

    assert nothing_yet.stdout == "No job was given up.\n"
    [counted] = [each for each in listed if each["kind"] == "mail.send"]
    assert (counted["dead"], counted["waiting"], counted["due"]) == (1, 0, 0)
    assert (dead["id"], dead["project"]) == (job_id, project.id)
    assert "127.0.0.1" in dead["error"]
    assert jane.email not in json.dumps(dead)
    assert str(job_id) in shown
    assert "mail.send" in shown
    assert "freehold_jobs_dead 1.0" in metrics
    assert "freehold_jobs_late_seconds" in metrics
    assert (other.returncode, other.stdout) == (1, "No such job was given up.\n")
    assert unsaid.returncode == 2
    assert "--kind" in unsaid.stderr
    assert (again.returncode, again.stdout) == (0, "1 will be tried again.\n")
    until(lambda: run_sql(project, f"{mail} and attempts > 0 and state <> 'dead'"))


def test_of_jobs_that_are_alike_one_alone_is_tried_again(office: Platform) -> None:
    project = office.new_project()
    run_sql(
        project,
        """insert into freehold.jobs (project_id, kind, payload, unique_key, state)
        select $1, 'nobody.does-this', '{}', key, 'dead' from unnest(array['a', 'a', 'b', null, null]) key""",
        project.id,
    )
    run_sql(
        project,
        """insert into freehold.jobs (project_id, kind, payload, unique_key)
        values ($1, 'nobody.does-this', '{}', 'b')""",
        project.id,
    )
    told = {"DATABASE_URL": office.database_url}
    again = json.loads(run("jobs", "retry", "--kind", "nobody.does-this", "--json", told=told).stdout)
    kept = run_sql(
        project,
        "select unique_key, count(*) filter (where state = 'waiting') from freehold.jobs"
        " where project_id = $1 group by unique_key order by unique_key",
        project.id,
    )

    assert len(again) == 3
    assert [tuple(row) for row in kept] == [("a", 1), ("b", 1), (None, 2)]
