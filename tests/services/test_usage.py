"""Usage: how often databases are read and written, how large they are, and were."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from appwrite.services.tables_db import TablesDB

from freehold.db.pool import Database
from freehold.jobs import Context, Job
from freehold.services.databases import usage
from tests.platform import Platform, Project, User, error_of


@pytest.fixture
def notes(project: Project) -> TablesDB:
    """A table of notes, made with the SDK."""
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("d", "Notebook")
    tables.create_table("d", "notes", "Notes")
    tables.create_varchar_column("d", "notes", "text", 100, False)
    return tables


def usage_of(client: httpx.Client, path: str, range_: str = "24h", **until: int) -> dict[str, Any]:
    """Usage, once it tells what it is waited for: what is counted is settled some seconds later."""
    deadline = time.monotonic() + 30
    while True:
        answer = client.get(path, params={"range": range_})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        if all(told[name] == value for name, value in until.items()) or time.monotonic() > deadline:
            return told
        time.sleep(0.2)


def test_reads_and_writes_of_a_database_are_counted_in_every_vocabulary(
    project: Project, notes: TablesDB
) -> None:
    notes.create_row("d", "notes", "a", {"text": "x"})
    notes.update_row("d", "notes", "a", {"text": "y"})
    notes.get_row("d", "notes", "a")
    notes.list_rows("d", "notes")
    assert project.server.get("/databases/d/collections/notes/documents/a").status_code == 200
    refused = project.server.get("/tablesdb/d/tables/notes/rows/none")
    told = usage_of(project.server, "/tablesdb/d/usage", databaseReadsTotal=3, databaseWritesTotal=2)

    assert refused.status_code == 404
    assert (told["databaseReadsTotal"], told["databaseWritesTotal"]) == (3, 2)
    assert sum(each["value"] for each in told["databaseReads"]) == 3
    assert sum(each["value"] for each in told["databaseWrites"][-2:]) == 2
    everything = project.server.get("/databases/usage", params={"range": "24h"}).json()
    assert (everything["databasesReadsTotal"], everything["databasesWritesTotal"]) == (3, 2)


def test_what_a_transaction_commits_is_counted_and_what_it_forgets_is_not(
    project: Project, notes: TablesDB
) -> None:
    rows = [{"action": "create", "databaseId": "d", "tableId": "notes", "data": {"text": "x"}}] * 3
    forgotten, kept = notes.create_transaction().id, notes.create_transaction().id
    notes.create_operations(forgotten, rows)
    notes.update_transaction(forgotten, rollback=True)
    notes.create_operations(kept, rows)
    notes.update_transaction(kept, commit=True)
    told = usage_of(project.server, "/tablesdb/d/usage", databaseWritesTotal=3)

    assert (told["databaseWritesTotal"], told["rowsTotal"]) == (3, 3)


def test_rows_and_bytes_are_what_postgresql_has(project: Project, notes: TablesDB) -> None:
    notes.create_table("d", "other", "Other")
    notes.create("e", "Empty")
    notes.create_rows("d", "notes", [{"text": "x" * 100} for _ in range(1000)])
    of_all = usage_of(project.server, "/tablesdb/usage")
    of_one = usage_of(project.server, "/tablesdb/d/usage")
    of_table = usage_of(project.server, "/tablesdb/d/tables/notes/usage")
    notes.delete_row("d", "notes", notes.list_rows("d", "notes").rows[0].id)
    later = usage_of(project.server, "/tablesdb/d/tables/notes/usage")

    assert (of_all["databasesTotal"], of_all["tablesTotal"], of_all["rowsTotal"]) == (2, 2, 1000)
    assert (of_one["tablesTotal"], of_one["rowsTotal"], of_one["storageTotal"]) == (
        2, 1000, of_all["storageTotal"],
    )  # fmt: skip
    assert of_one["storageTotal"] > 100 * 1000
    assert (of_table["rowsTotal"], of_table["rows"][-1]["value"], later["rowsTotal"]) == (1000, 1000, 999)


@pytest.mark.parametrize(
    ("range_", "periods", "step_s"), [("24h", 24, 3600), ("30d", 30, 86400), ("90d", 90, 86400)]
)
def test_a_range_is_hours_or_days_without_a_gap_up_to_now(
    project: Project, notes: TablesDB, range_: str, periods: int, step_s: int
) -> None:
    began = time.time()
    told = usage_of(project.server, "/tablesdb/d/tables/notes/usage", range_)
    moments = [datetime.fromisoformat(each["date"]).timestamp() for each in told["rows"]]

    assert told["range"] == range_
    assert len(moments) == periods
    assert {later - earlier for earlier, later in pairwise(moments)} == {step_s}
    assert moments[-1] in {began // step_s * step_s, time.time() // step_s * step_s}
    assert [each["value"] for each in told["rows"]] == [0] * periods


async def test_sizes_are_written_down_and_forgotten_with_time(
    platform: Platform, project: Project, notes: TablesDB
) -> None:
    notes.create_rows("d", "notes", [{"text": "x"}] * 7)
    db = Database(platform.database_url, size=2, statement_timeout_s=30)
    try:
        await usage.keep_history(Context(db, None), Job(1, "console", "databases.measure", b"{}", 1))  # type: ignore[arg-type]
        await _let_time_pass(db, project.id, timedelta(days=2))
        told = await asyncio.to_thread(usage_of, project.server, "/tablesdb/usage", "30d")
        await _let_time_pass(db, project.id, timedelta(days=91))
        await usage.keep_history(Context(db, None), Job(1, "console", "databases.measure", b"{}", 1))  # type: ignore[arg-type]
        left = await db.value("select min(hour) from freehold.usage where project_id = $1", project.id)
    finally:
        await db.close()

    assert [each["value"] for each in told["rows"][-4:]] == [0, 7, 0, 7]
    assert [each["value"] for each in told["tables"][-4:]] == [0, 1, 0, 1]
    assert told["storage"][-3]["value"] > 0
    assert left > datetime.now(UTC) - usage.KEPT


async def _let_time_pass(db: Database, project_id: str, time_: timedelta) -> None:
    await db.run(
        "update freehold.usage set hour = hour - $2::interval where project_id = $1", project_id, time_
    )


def test_what_was_done_to_a_database_is_known_of_the_project_when_it_is_gone(
    project: Project, notes: TablesDB
) -> None:
    notes.create_row("d", "notes", "a", {"text": "x"})
    usage_of(project.server, "/tablesdb/d/usage", databaseWritesTotal=1)
    notes.delete("d")
    gone = project.server.get("/tablesdb/d/usage")
    of_all = usage_of(project.server, "/tablesdb/usage")

    assert error_of(gone) == (404, "database_not_found")
    assert (of_all["databasesTotal"], of_all["rowsTotal"], of_all["databasesWritesTotal"]) == (0, 0, 1)


def test_usage_speaks_the_legacy_words_too(project: Project, notes: TablesDB) -> None:
    notes.create_row("d", "notes", "a", {"text": "x"})
    of_collection = project.server.get("/databases/d/collections/notes/usage").json()
    of_database = project.server.get("/databases/d/usage").json()

    assert (of_collection["range"], of_collection["documentsTotal"]) == ("30d", 1)
    assert len(of_collection["documents"]) == 30
    assert (of_database["collectionsTotal"], of_database["documentsTotal"]) == (1, 1)


def test_usage_is_for_keys_and_the_console(project: Project, notes: TablesDB, jane: User) -> None:
    paths = ["/tablesdb/usage", "/tablesdb/d/usage", "/tablesdb/d/tables/notes/usage"]

    assert [project.admin.get(path).status_code for path in paths] == [200] * 3
    assert {error_of(jane.client.get(path)) for path in paths} == {(401, "general_unauthorized_scope")}
    assert {error_of(project.guest.get(path)) for path in paths} == {(401, "general_unauthorized_scope")}
    odd = project.server.get("/tablesdb/usage", params={"range": "1y"})
    assert error_of(odd) == (400, "general_argument_invalid")
    assert error_of(project.server.get("/tablesdb/d/tables/none/usage")) == (404, "table_not_found")
    assert error_of(project.server.get("/tablesdb/none/tables/x/usage")) == (404, "database_not_found")


def test_a_project_is_told_how_much_it_is_asked_and_what_it_holds(
    project: Project, notes: TablesDB, jane: User
) -> None:
    notes.create_row("d", "notes", "a", {"text": "x" * 90})
    notes.get_row("d", "notes", "a")
    project.server.post("/storage/buckets", json={"bucketId": "b", "name": "B"})
    file = {"file": ("a.txt", b"y" * 5000)}
    project.server.post("/storage/buckets/b/files", data={"fileId": "f"}, files=file)
    before = usage_of(project.server, "/project/usage", databasesReadsTotal=1, databasesWritesTotal=1)
    sent = b"z" * 3000
    for _ in range(5):
        project.guest.post("/account", content=sent, headers={"Content-Type": "application/json"})
        project.guest.get("/health/version")
    deadline = time.monotonic() + 30  # every question about usage is a request as well
    while True:
        after = usage_of(project.server, "/project/usage")
        if after["networkTotal"] > before["networkTotal"] + 5 * len(sent) or time.monotonic() > deadline:
            break
        time.sleep(0.5)

    held = ("usersTotal", "databasesTotal", "rowsTotal", "documentsTotal", "bucketsTotal", "filesTotal")
    assert [before[each] for each in held] == [1, 1, 1, 1, 1, 1]
    assert before["filesStorageTotal"] == 5000
    assert (before["databasesReadsTotal"], before["databasesWritesTotal"]) == (1, 1)
    assert after["requestsTotal"] >= before["requestsTotal"] + 10
    assert after["networkTotal"] > before["networkTotal"] + 5 * len(sent)
    for series, total in (
        ("requests", "requestsTotal"),
        ("network", "networkTotal"),
        ("users", "usersTotal"),
    ):
        assert sum(each["value"] for each in after[series]) == after[total]
        assert len(after[series]) == 24


def test_a_projects_usage_is_for_servers_and_of_it_alone(
    platform: Platform, project: Project, jane: User
) -> None:
    other = platform.new_project()
    asked = other.server.get("/project/usage", params={"range": "90d"}).json()

    assert error_of(jane.client.get("/project/usage")) == (401, "general_unauthorized_scope")
    assert error_of(project.server.get("/project/usage", params={"range": "1y"})) == (
        400, "general_argument_invalid",
    )  # fmt: skip
    assert (asked["usersTotal"], len(asked["requests"])) == (0, 90)
