"""Logs: who changed what, from where, whatever has become of it; and that nobody can change them unseen."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import asyncpg
import httpx
import pytest
from appwrite.permission import Permission
from appwrite.role import Role
from appwrite.services.tables_db import TablesDB
from appwrite.services.users import Users

from freehold import audit
from freehold.db.pool import Database
from tests.platform import PASSWORD, Platform, Project, User, error_of, unique
from tests.services.inbox import Inbox

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def notes(project: Project) -> TablesDB:
    """A table of notes that users write, made with the SDK."""
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("d", "Notebook")
    tables.create_table("d", "notes", "Notes", [Permission.create(Role.users())], True)
    tables.create_varchar_column("d", "notes", "text", 100, False)
    return tables


def logs(client: httpx.Client, of: str, *queries: str, at_least: int = 1) -> dict[str, Any]:
    """The logs of something, once there are so many: they are written a moment after the change."""
    deadline = time.monotonic() + 30
    while True:
        answer = client.get(f"/tablesdb/d{of}/logs", params={"queries[]": list(queries)})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        if found["total"] >= at_least or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def test_a_rows_logs_tell_who_changed_it_from_where_even_when_it_is_gone(
    project: Project, notes: TablesDB, jane: User
) -> None:
    headers = {"User-Agent": FIREFOX}
    rows = "/tablesdb/d/tables/notes/rows"
    made = {"rowId": "r", "data": {"text": "my hidden thought"}}
    assert jane.client.post(rows, json=made, headers=headers).status_code == 201
    notes.update_row("d", "notes", "r", {"text": "another"})
    notes.delete_row("d", "notes", "r")

    found = logs(project.server, "/tables/notes/rows/r", at_least=3)
    by_key, by_jane = found["logs"][1], found["logs"][2]

    assert [log["event"] for log in found["logs"]] == ["row.delete", "row.update", "row.create"]
    assert (by_jane["userId"], by_jane["userName"], by_jane["userEmail"]) == (jane.id, "Jane", jane.email)
    assert (by_jane["clientName"], by_jane["osName"], by_jane["deviceName"]) == (
        "Firefox", "Linux", "desktop",
    )  # fmt: skip
    assert (by_jane["ip"], by_jane["mode"], by_jane["countryCode"]) == ("127.0.0.1", "default", "--")
    assert (by_key["userId"], by_key["userName"]) == ("", "All")
    assert "hidden" not in str(found)
    assert "another" not in str(found)


def test_logs_keep_the_name_that_somebody_had_then(project: Project, notes: TablesDB, jane: User) -> None:
    row = {"rowId": "r", "data": {"text": "x"}}
    assert jane.client.post("/tablesdb/d/tables/notes/rows", json=row).status_code == 201
    assert jane.client.patch("/account/name", json={"name": "Janet"}).status_code == 200
    assert project.server.delete(f"/users/{jane.id}").status_code == 204

    assert logs(project.server, "/tables/notes/rows/r")["logs"][0]["userName"] == "Jane"


def test_a_tables_logs_tell_of_its_columns_and_a_databases_logs_of_itself(
    project: Project, notes: TablesDB
) -> None:
    notes.create_row("d", "notes", "r", {"text": "x"})
    logs(project.server, "/tables/notes/rows/r")
    of_table = logs(project.server, "/tables/notes", at_least=2)
    of_database = logs(project.server, "")

    assert [log["event"] for log in of_table["logs"]] == ["column.create", "table.create"]
    assert [log["event"] for log in of_database["logs"]] == ["database.create"]


def test_logs_are_read_by_pages_and_in_the_legacy_words(project: Project, notes: TablesDB) -> None:
    notes.create_rows("d", "notes", [{"$id": "a", "text": "x"}, {"$id": "b", "text": "y"}])
    notes.update_row("d", "notes", "a", {"text": "z"})
    logs(project.server, "/tables/notes/rows/a", at_least=2)
    second = logs(
        project.server,
        "/tables/notes/rows/a",
        '{"method":"limit","values":[1]}',
        '{"method":"offset","values":[1]}',
        at_least=2,
    )
    legacy = project.server.get("/databases/d/collections/notes/documents/a/logs").json()
    odd = project.server.get(
        "/tablesdb/d/logs", params={"queries[]": '{"method":"equal","attribute":"ip","values":["x"]}'}
    )

    assert (second["total"], [log["event"] for log in second["logs"]]) == (2, ["row.create"])
    assert [log["event"] for log in legacy["logs"]] == ["document.update", "document.create"]
    assert error_of(odd) == (400, "general_query_invalid")


def test_users_and_other_projects_see_no_logs(
    platform: Platform, project: Project, notes: TablesDB, jane: User
) -> None:
    notes.create_row("d", "notes", "r", {"text": "x"}, [Permission.read(Role.users())])
    logs(project.server, "/tables/notes/rows/r")
    other = platform.new_project()
    path = "/tablesdb/d/tables/notes/rows/r/logs"

    assert error_of(jane.client.get(path)) == (401, "user_unauthorized")
    assert error_of(project.guest.get(path)) == (401, "user_unauthorized")
    assert other.server.get(path).json() == {"total": 0, "logs": []}
    assert project.admin.get(path).json()["total"] == 1


def test_a_users_logs_name_the_user_from_its_registration_on(project: Project, inbox: Inbox) -> None:
    email = f"{unique('vic')}@example.com"
    vic = {"userId": "vic", "email": email, "password": PASSWORD, "name": "Vic"}
    assert project.guest.post("/account", json=vic).status_code == 201
    by_password = {"email": email, "password": PASSWORD}
    assert project.guest.post("/account/sessions/email", json=by_password).status_code == 201
    project.guest.cookies.clear()
    asked = {"email": email, "url": "http://localhost/"}
    assert project.guest.post("/account/recovery", json=asked).status_code == 201
    back = inbox.mail_to(email).parameters
    reset = {"userId": back["userId"], "secret": back["secret"], "password": PASSWORD + "!"}
    assert project.guest.put("/account/recovery", json=reset).status_code == 200
    Users(project.sdk(key=project.key)).create_session("vic")

    deadline = time.monotonic() + 30
    while (found := project.server.get("/users/vic/logs").json())[
        "total"
    ] < 5 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert [(log["event"], log["userId"], log["userName"], log["userEmail"]) for log in found["logs"]] == [
        ("session.create", "", "All", ""),  # by the server, and so told by the name of its key
        ("recovery.update", "vic", "Vic", email),
        ("recovery.create", "", "", ""),  # of the recovery: whoever asks for one is nobody yet
        ("session.create", "vic", "Vic", email),
        ("user.create", "vic", "Vic", email),
    ]


def test_who_signs_in_as_another_while_signed_in_is_told_of_as_that_other(
    project: Project, jane: User, bob: User
) -> None:
    answer = jane.client.post("/account/sessions/email", json={"email": bob.email, "password": PASSWORD})
    assert answer.status_code == 201

    def of(user: User) -> list[tuple[str, str]]:
        told = project.server.get(f"/users/{user.id}/logs").json()["logs"]
        return [(each["userName"], each["event"]) for each in told if each["userId"]]

    deadline = time.monotonic() + 30
    while not of(bob) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert of(bob) == [("Bob", "session.create")]
    assert of(jane) == []


def test_a_projects_logs_tell_who_has_changed_what_it_has(
    platform: Platform, project: Project, notes: TablesDB, jane: User
) -> None:
    notes.create_row("d", "notes", "r", {"text": "x"})
    project.server.put("/project/labels", json={"labels": ["blue"]})
    project.admin.patch("/project/policies/session-limit", json={"total": 3})
    project.admin.patch("/project/smtp", json={"enabled": False, "host": "mail.example.com"})
    web = {"platformId": "web", "name": "Shop", "hostname": "shop.example.com"}
    project.server.post("/project/platforms/web", json=web)
    key = f"/projects/{project.id}/dev-keys"
    platform.console.post(key, json={"name": "Mine", "expire": "2099-01-01T00:00:00.000+00:00"})

    def listed(*queries: str) -> list[dict[str, Any]]:
        answer = project.admin.get(
            "/project/logs", params={"queries[]": ['{"method":"limit","values":[100]}', *queries]}
        )
        assert answer.status_code == 200, answer.text
        logs: list[dict[str, Any]] = answer.json()["logs"]
        assert answer.json()["total"] == len(logs)
        return logs

    deadline = time.monotonic() + 30
    while not {"devKey.create", "platforms.create"} <= {each["event"] for each in listed()}:
        assert time.monotonic() < deadline, listed()
        time.sleep(0.2)
    root = platform.console.get("/account").json()
    by_root, by_key = ("admin:" + root["$id"], root["email"]), ("key:", "")
    told = {
        (log["event"], log["resource"]): (log["actor"].split("key:")[0] or "key:", log["userEmail"])
        for log in listed()
    }
    assert told["projects.create", f"projects/{project.id}"] == ("user:" + root["$id"], root["email"])
    assert told["projects.update", f"projects/{project.id}"] == by_key
    assert told["policy.update", f"projects/{project.id}/policies/session-limit"] == by_root
    assert told["smtp.update", f"projects/{project.id}"] == by_root
    assert told["platforms.create", "platforms/web"] == by_key
    assert told["devKey.create", f"projects/{project.id}"][1] == root["email"]
    assert told["user.create", f"users/{jane.id}"] == by_key
    assert told["table.create", "databases/d/tables/notes"] == by_key
    assert not [log for log in listed() if log["event"].startswith("row.")]
    one = '{"method":"equal","attribute":"event","values":["smtp.update","platforms.create"]}'
    assert [log["event"] for log in listed(one)] == ["platforms.create", "smtp.update"]
    odd = project.admin.get(
        "/project/logs", params={"queries[]": '{"method":"equal","attribute":"ip","values":["x"]}'}
    )
    assert error_of(odd) == (400, "general_query_invalid")
    assert error_of(jane.client.get("/project/logs"))[0] == 401
    others = platform.new_project().server.get("/project/logs").json()["logs"]
    assert not [log for log in others if log["resource"] in ("platforms/web", f"projects/{project.id}")]


def test_the_owners_of_an_organization_see_what_was_done_to_it(platform: Platform) -> None:
    team = platform.console.post("/teams", json={"teamId": "unique()", "name": "Arsenal"}).json()["$id"]
    headers = {"X-Appwrite-Organization": team}
    key = {"name": "CI", "scopes": ["projects.read"]}
    assert platform.console.post("/organization/keys", json=key, headers=headers).status_code == 201

    def events() -> list[str]:
        answer = platform.console.get(f"/teams/{team}/logs")
        assert answer.status_code == 200, answer.text
        return [each["event"] for each in answer.json()["logs"]]

    deadline = time.monotonic() + 30
    while len(events()) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert events() == ["key.create", "team.create"]


@pytest.mark.parametrize(
    ("event", "resource", "action"),
    [
        (
            "databases.d.tables.t.rows.x.columns.y.update",
            "databases/d/tables/t/rows/x.columns.y",
            "row.update",
        ),
        ("databases.d.tables.t.rows.columns.k.create", "databases/d/tables/t/rows/columns.k", "row.create"),
        ("databases.d.tables.t.indexes.i.delete", "databases/d/tables/t", "index.delete"),
        ("databases.d.tables.t.update", "databases/d/tables/t", "table.update"),
        ("users.u.sessions.s.create", "users/u", "session.create"),
        ("users.u.update.email", "users/u", "user.update.email"),
        ("users.u.sessions.delete", "users/u", "session.delete"),
        ("users.u.delete.mfa", "users/u", "user.delete.mfa"),
        ("users.u.update.mfa.recovery-codes", "users/u", "user.update.mfa.recovery-codes"),
        ("users.u.recovery.t.update", "users/u", "recovery.update"),
        ("teams.t.memberships.m.delete", "teams/t", "membership.delete"),
        ("teams.t.memberships.m.update.status", "teams/t", "membership.update.status"),
        ("teams.t.keys.k.create", "teams/t", "key.create"),
        ("projects.p.policies.session-limit.update", "projects/p/policies/session-limit", "policy.update"),
        ("projects.p.smtp.update", "projects/p", "smtp.update"),
        ("mock-phones.+14155550100.create", "mock-phones/+14155550100", "mock-phones.create"),
        ("buckets.b.files.f.create", "buckets/b", "file.create"),
        ("keys.k.create", "keys/k", "keys.create"),
    ],
)
def test_an_event_is_about(event: str, resource: str, action: str) -> None:
    assert audit.subject(event) == audit.Subject(resource, action)


@pytest.fixture
def tampered(platform: Platform, project: Project, notes: TablesDB) -> Iterator[str]:
    """A project with a few entries, for a superuser to change; the chains of others stay as they are."""
    logs(project.server, "/tables/notes", at_least=2)
    yield project.id
    _execute(platform, f"delete from freehold.audit where project_id = '{project.id}'")
    _execute(platform, f"delete from freehold.audit_chains where project_id = '{project.id}'")


def _execute(platform: Platform, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(platform.admin_url)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


def _verified(platform: Platform, project_id: str) -> tuple[int, str]:
    """The exit code of `freehold audit verify`, and what it says of a project."""
    ran = subprocess.run(
        [sys.executable, "-m", "freehold", "audit", "verify"],
        env={**os.environ, "DATABASE_URL": platform.database_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in ran.stdout.splitlines() if line.startswith(f"{project_id}: ")]
    return ran.returncode, said[0] if said else ran.stderr


OF = "where project_id = '{}'"


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        (f"update freehold.audit set actor = 'guest' {OF} and position = 2", "Entry 2 is not what was"),
        (f"delete from freehold.audit {OF} and position = 2", "Entry 2 is missing"),
        (f"delete from freehold.audit {OF} and position >= 3", "It ends with entry 2"),
        (f"update freehold.audit set hash = '\\x00' {OF} and position = 1", "Entry 1 is not what was"),
        (f"delete from freehold.audit_chains {OF}", "entry 0 was the last"),
    ],
)
def test_who_changes_the_log_is_found_out(
    platform: Platform, tampered: str, tampering: str, found: str
) -> None:
    before = _verified(platform, tampered)
    _execute(platform, tampering.format(tampered))
    after = _verified(platform, tampered)

    assert before[0] == 0, before
    assert "whole" in before[1]
    assert after[0] == 1
    assert found in after[1]


def test_a_log_without_its_end_goes_on_and_is_found_out(
    platform: Platform, project: Project, notes: TablesDB, tampered: str
) -> None:
    _execute(platform, f"delete from freehold.audit_chains {OF.format(tampered)}")
    notes.create_row("d", "notes", "r", {"text": "x"})
    listed = logs(project.server, "/tables/notes/rows/r")

    assert [log["event"] for log in listed["logs"]] == ["row.create"]
    assert _verified(platform, tampered)[0] == 1


def test_a_log_whose_old_entries_had_their_time_is_whole(platform: Platform, tampered: str) -> None:
    _execute(
        platform,
        f"update freehold.audit set happened_at = now() - interval '2 years' {OF.format(tampered)}"
        " and position <= 2",
    )

    async def prune() -> None:
        db = Database(platform.database_url, size=1, statement_timeout_s=10)
        await audit.prune(db, 365)
        await db.close()

    asyncio.run(prune())
    code, said = _verified(platform, tampered)

    assert code == 0
    assert "whole" in said
