"""S59, S43: a file does no more than its importer may, and costs no more than it has bytes."""

from __future__ import annotations

import json
import time

import psutil
import pytest

from tests.platform import Platform, Project, User, error_of
from tests.security.hostile import HOSTILE
from tests.security.open_table import COLUMNS, REFUSED
from tests.services.transfers import (
    ask_import,
    counters,
    ended,
    imported,
    new_table,
    put_file,
    rows_of,
)

NEEDED = {"migrations.write", "rows.write", "files.read"}


@pytest.mark.parametrize("missing", sorted(NEEDED))
def test_s43_a_key_imports_only_what_it_may_write_from_what_it_may_read(
    project: Project, missing: str
) -> None:
    new_table(project)
    file_id = put_file(project, b"name\nJane\n")
    weak = project.platform.client(project.id, key=project.key_with(*(NEEDED - {missing}), "rows.read"))
    strong = project.platform.client(project.id, key=project.key_with(*NEEDED))

    assert error_of(ask_import(project, file_id, client=weak)) == (401, "general_unauthorized_scope")
    assert rows_of(project) == []
    assert counters(ended(project, ask_import(project, file_id, client=strong)))[0] == 1


@pytest.mark.parametrize("missing", ["migrations.write", "rows.read", "files.write"])
def test_s43_a_key_exports_only_what_it_may_read(project: Project, missing: str) -> None:
    new_table(project)
    needed = {"migrations.write", "rows.read", "files.write"}
    body = {"databaseId": "shop", "collectionId": "people", "filename": "people"}
    weak = project.platform.client(project.id, key=project.key_with(*(needed - {missing}), "rows.write"))
    strong = project.platform.client(project.id, key=project.key_with(*needed))

    for format_ in ("csv", "json"):
        refused = weak.post(f"/migrations/{format_}/exports", json=body)
        assert error_of(refused) == (401, "general_unauthorized_scope")
        assert strong.post(f"/migrations/{format_}/exports", json=body).status_code == 202


def test_s43_a_weaker_key_does_not_try_again_what_a_stronger_one_asked_for(project: Project) -> None:
    new_table(project)
    migration = imported(project, "name,age\nJane,old\n")
    weak = project.platform.client(project.id, key=project.key_with("migrations.write", "migrations.read"))

    assert error_of(weak.patch(f"/migrations/{migration['$id']}")) == (401, "general_unauthorized_scope")
    assert project.admin.get(f"/migrations/{migration['$id']}").json() == migration


def test_s59_users_and_guests_import_nothing(project: Project, jane: User) -> None:
    new_table(project, permissions=['create("any")', 'read("any")'])
    file_id = put_file(project, b"name\nJane\n")

    for client in (jane.client, project.guest):
        assert error_of(ask_import(project, file_id, client=client)) == (401, "general_unauthorized_scope")
        assert error_of(client.get("/migrations")) == (401, "general_unauthorized_scope")
    assert rows_of(project) == []


def test_s59_a_file_of_another_project_is_not_found_and_neither_is_its_migration(
    platform: Platform, project: Project
) -> None:
    other = platform.new_project()
    new_table(project)
    new_table(other)
    stolen = put_file(other, b"name\nSecret\n")
    put_file(project, b"name\nJane\n")
    migration = imported(other, "name\nJane\n")

    assert error_of(ask_import(project, stolen)) == (404, "storage_file_not_found")
    for call in (project.admin.get, project.admin.patch, project.admin.delete):
        assert error_of(call(f"/migrations/{migration['$id']}")) == (404, "migration_not_found")
    assert project.admin.get("/migrations").json()["total"] == 0
    assert rows_of(project) == []


@pytest.mark.parametrize("row_id", ["-x", "_x", "../x", "x" * 37, "a b", "a/b", "x'--", "unique()x"])
def test_s59_ids_are_as_over_the_api(project: Project, row_id: str) -> None:
    new_table(project)
    migration = imported(project, f'$id,name\n"{row_id}",Jane\n')

    assert (migration["status"], counters(migration)[1]) == ("failed", 1)
    assert rows_of(project) == []


@pytest.mark.parametrize(
    "granted",
    ['["read(\\"everybody\\")"]', '"any"', "[7]", '{"read": "any"}', json.dumps(['read("any")'] * 101)],
)
def test_s59_permissions_are_as_over_the_api(project: Project, granted: str) -> None:
    new_table(project, rowSecurity=True)
    cell = granted.replace('"', '""')
    migration = imported(project, f'$permissions,name\n"{cell}",Jane\n')

    assert (migration["status"], counters(migration)[1]) == ("failed", 1)
    assert rows_of(project) == []


def test_s59_a_file_sets_columns_of_the_table_only(project: Project) -> None:
    new_table(project)
    for name in ("$tenant", "_uid", "deleted_at", "version", "created_by", "$x", *HOSTILE):
        header = '"' + name.replace('"', '""') + '"'
        migration = imported(project, f"{header},name\n1,Jane\n")

        assert migration["status"] == "failed", name
        assert "is not a column of the table" in migration["errors"][0]
    assert rows_of(project) == []


NO_ROWS = {
    "S13 a list for data": "what is no object is bad before rows are tried",
    "S13 a text for data": "what is no object is bad before rows are tried",
    "S13 one beyond all bounds": "a number of more than 64 bits ends the file",
}
"""What no row of a JSON file can be, and why."""


def test_s59_what_no_way_of_writing_takes_no_file_brings_in(project: Project) -> None:
    new_table(project, columns=tuple(COLUMNS), rowSecurity=True)
    rows = [data for attack, (data, _) in REFUSED.items() if attack not in NO_ROWS]
    migration = imported(project, json.dumps([*rows, {"name": "good"}]), format="json")

    assert (migration["status"], counters(migration)) == ("failed", (0, len(rows), 0, 1))
    assert [each.split(":")[0] for each in migration["errors"]] == [
        f"Row {at}" for at in range(1, len(rows) + 1)
    ]
    assert sum(map(len, migration["errors"])) < 20_000

    no_objects = imported(project, '[{"name": "good"}, [1], "[1]"]', format="json")
    assert [each.split(":")[0] for each in no_objects["errors"]] == ["Row 2", "Row 3"]
    for number in (str(2**70), "9" * 5000, "1e999"):
        ended_by = imported(
            project, f'[{{"name": "good"}}, {{"name": "x", "whole": {number}}}]', format="json"
        )
        assert ended_by["status"] == "failed"
        assert ended_by["errors"][0].startswith("The file cannot be read after row 1: ")
    assert rows_of(project) == []


@pytest.mark.parametrize(
    "number", ["9" * 400, "-" + "9" * 5000, "1e999", "1e99999", "NaN", "Infinity", "0x10", "1_000", "١٢"]
)
@pytest.mark.parametrize("column", ["age", "score"])
def test_s59_huge_and_odd_numbers_are_bad_rows(project: Project, number: str, column: str) -> None:
    new_table(project)
    migration = imported(project, f"name,{column}\nJane,{number}\n")

    assert (migration["status"], counters(migration)[:2]) == ("failed", (0, 1))
    assert migration["errors"][0].startswith(f"Line 2: `{column}` is not ")
    assert rows_of(project) == []


def test_s59_bombs_are_refused_before_they_fill_memory(platform: Platform, project: Project) -> None:
    new_table(project)
    imported(project, "name\nJane\n")
    [worker] = platform.installation.children("freehold-worker")
    before = worker.memory_info().rss
    size = 11 * 1024 * 1024
    bombs = [
        ("csv", b"x" * size),
        ("csv", b"," * size),
        ("csv", b"name\n" + b"x" * size),
        ("csv", b'name\n"' + b"x\n" * (size // 2)),
        ("csv", b"name\n" + b"," * size),
        ("csv", b"name\n" + b"," * (4 * 1024 * 1024 - 9)),
        ("json", b'[{"name": "' + b"x" * size + b'"}]'),
        ("json", b"[" * size),
        ("json", b'[{"a":' * (size // 6)),
        ("json", b'[{"name": ' + b"9" * size + b"}]"),
    ]
    peak = before
    for format_, contents in bombs:
        asked = ask_import(project, put_file(project, contents), format=format_)
        path = f"/migrations/{asked.json()['$id']}"
        while project.admin.get(path).json()["status"] in ("pending", "processing"):
            peak = max(peak, psutil.Process(worker.pid).memory_info().rss)
            time.sleep(0.02)
        migration = ended(project, asked)
        assert migration["status"] == "failed"
        assert sum(len(each) for each in migration["errors"]) < 2000

    assert worker.is_running()
    assert len(rows_of(project)) == 1
    assert peak - before < 400 * 1024 * 1024, f"{(peak - before) / 2**20:.0f} MB"


def test_s59_what_a_file_says_is_data_wherever_it_is_told(project: Project) -> None:
    new_table(project)
    evil = "'); drop table people; --<script>\x1b[2J"
    migration = imported(project, f'name,age\n"{evil}",7\nJane,"{evil}"\n')

    assert migration["errors"] == ["Line 3: `age` is not a whole number."]
    imported(project, f'name\n"{evil}"\n')
    assert [row["name"] for row in rows_of(project)] == [evil]
