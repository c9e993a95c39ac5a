"""Imports of tables: files become rows a thousand at a time, and what is wrong is said by line."""

from __future__ import annotations

import json
import signal
import time

import asyncpg
import pytest

from tests.platform import Platform, Project, error_of
from tests.services.transfers import (
    COLUMNS,
    MANY_OBJECTS,
    MANY_ROWS,
    ask_import,
    counters,
    ended,
    growth_until_end,
    imported,
    new_table,
    put_file,
    rows_of,
)


async def fetch(platform: Platform, sql: str, *values: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(platform.database_url)
    try:
        found: list[asyncpg.Record] = await connection.fetch(sql, *values)
        return found
    finally:
        await connection.close()


def many(count: int, *, bad: tuple[int, ...] = ()) -> str:
    """A file of so many people, of whom some have no age that is one. The first stands in line 2."""
    lines = (f"Jane {n},{'old' if n in bad else n % 100}" for n in range(count))
    return "name,age\n" + "\n".join(lines) + "\n"


# -- CSV -----------------------------------------------------------------------------------------------------


def test_values_are_read_as_their_columns_have_them(project: Project) -> None:
    new_table(project)
    text = (
        "name,age,score,active,born,kind,tags,note\r\n"
        'Jane,41,1.5,true,2020-02-29T12:00:00Z,cat,"[""a"",""b""]","two\r\nlines, ""quoted"""\r\n'
        "Bob,,,,,,,\r\n"
    )
    migration = imported(project, text)
    jane, bob = rows_of(project)

    assert (migration["status"], migration["errors"], counters(migration)) == ("completed", [], (2, 0, 0, 0))
    assert [jane[key] for key in ("name", "age", "score", "active", "kind", "tags")] == [
        *("Jane", 41, 1.5, True, "cat"),
        ["a", "b"],
    ]
    assert jane["born"] == "2020-02-29T12:00:00.000+00:00"
    assert jane["note"] == 'two\r\nlines, "quoted"'
    assert [bob[key] for key in ("age", "score", "active", "born", "kind", "note")] == [None] * 6


def test_a_migration_tells_what_it_is(project: Project) -> None:
    new_table(project)
    migration = imported(project, "name\nJane\n")
    listed = project.admin.get("/migrations").json()
    older = project.admin.get(
        f"/migrations/{migration['$id']}", headers={"X-Appwrite-Response-Format": "1.8.0"}
    )

    assert (migration["source"], migration["destination"]) == ("CSV", "Appwrite")
    assert (migration["parentResourceId"], migration["resourceId"]) == ("shop", "people")
    assert migration["options"]["onDuplicate"] == "fail"
    assert (listed["total"], listed["migrations"]) == (1, [migration])
    assert older.json()["resourceId"] == "shop:people"


@pytest.mark.parametrize("path", ["/migrations/csv/imports", "/migrations/csv"])
def test_older_consoles_name_the_table_in_one(project: Project, path: str) -> None:
    new_table(project)
    file_id = put_file(project, b"name\nJane\n")
    body = {"bucketId": "inbox", "fileId": file_id, "resourceId": "shop:people"}

    assert counters(ended(project, project.admin.post(path, json=body)))[0] == 1


def test_a_row_may_say_its_id_permissions_and_times(project: Project) -> None:
    new_table(project, rowSecurity=True)
    text = (
        "$id,$sequence,$permissions,$createdAt,$updatedAt,$tableId,name\n"
        'jane,9,"[""read(\\""user:jane\\"")""]",2020-01-01T00:00:00.000+00:00,2021-01-01T00:00:00Z,x,Jane\n'
        ",,,,,,Bob\n"
    )
    migration = imported(project, text)
    by_name = {row["name"]: row for row in rows_of(project)}

    assert migration["errors"] == []
    jane, bob = by_name["Jane"], by_name["Bob"]
    assert (jane["$id"], jane["$permissions"]) == ("jane", ['read("user:jane")'])
    assert jane["$createdAt"] == "2020-01-01T00:00:00.000+00:00"
    assert jane["$updatedAt"] == "2021-01-01T00:00:00.000+00:00"
    assert jane["$tableId"] == "people"
    assert len(bob["$id"]) == 20
    assert bob["$createdAt"] > "2026"


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_recognised_by_the_first_line(project: Project, delimiter: str) -> None:
    new_table(project)
    imported(project, f"\ufeffname{delimiter}age{delimiter}note\nJane{delimiter}7{delimiter}a,b\n")

    assert [(row["name"], row["age"], row["note"]) for row in rows_of(project)] == [("Jane", 7, "a,b")]


def test_a_batch_with_bad_rows_is_left_out_and_its_lines_are_named(project: Project) -> None:
    new_table(project)
    migration = imported(project, many(2500, bad=(1003, 1500)))

    assert migration["status"] == "failed"
    assert counters(migration) == (1500, 2, 0, 998)
    assert migration["errors"] == [
        "Line 1005: `age` is not a whole number.",
        "Line 1502: `age` is not a whole number.",
    ]
    names = {row["name"] for row in rows_of(project)}
    assert len(names) == 1500
    assert {"Jane 0", "Jane 999", "Jane 2000", "Jane 2499"} <= names
    assert "Jane 1000" not in names


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Jane,200.5,,", "`age` is not a whole number."),
        ("Jane,9" + "9" * 40 + ",,", "`age` is not a whole number."),
        ("Jane,99999999999999999999,,", "`age` is not between"),
        ("Jane,201,,", "`age` is not between 0 and 200."),
        ("Jane,1,mouse,", "`kind` is not one of cat, dog."),
        ("Jane,1,,[1]", "`tags` is not a text."),
        ('Jane,1,,"[""a', "csv"),
        ("Jane,1,,a", "`tags` is not valid JSON, as it is written in a cell."),
        ("x" * 51 + ",1,,", "`name` is longer than 50 characters."),
        ("Jane,1", "has 2 cells, and the first line 4."),
        ("Jane,1,,,,", "has 6 cells, and the first line 4."),
    ],
)
def test_what_is_wrong_is_said_of_the_line_and_the_column(project: Project, line: str, reason: str) -> None:
    new_table(project)
    migration = imported(project, f"name,age,kind,tags\nBob,7,dog,\n{line}\n")

    assert migration["status"] == "failed"
    if reason == "csv":
        assert migration["errors"][0].startswith("The file cannot be read from line 3 on")
    else:
        assert len(migration["errors"]) == 1
        assert migration["errors"][0].startswith(f"Line 3: {reason}")
    assert rows_of(project) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "the first line has to name the columns"),
        (b"\n\n", "the first line has to name the columns"),
        (b"name,colour\nJane,red\n", "`colour` is not a column of the table"),
        (b"name,name\nJane,Bob\n", "the column `name` is named twice"),
        (b"age\n7\n", "the column `name` is required"),
        (b"name\nJ\xe4ne\n", "it is not UTF-8"),
        (b'name\n"Jane\nBob\n', "unexpected end of data"),
        (b"PK\x03\x04\x14\0\x06\0", "is not"),
    ],
)
def test_a_file_that_is_no_table_of_these_columns_is_refused(
    project: Project, text: bytes, reason: str
) -> None:
    new_table(project)
    migration = imported(project, text)

    assert (migration["status"], counters(migration)) == ("failed", (0, 0, 0, 0))
    assert len(migration["errors"]) == 1
    assert reason in migration["errors"][0]
    assert rows_of(project) == []


@pytest.mark.parametrize(
    ("on_duplicate", "expected", "status"),
    [
        ("fail", [("a", "Old"), ("b", "Old")], "failed"),
        ("skip", [("a", "Old"), ("b", "Old"), ("c", "New")], "completed"),
        ("overwrite", [("a", "New"), ("b", "Old"), ("c", "New")], "completed"),
    ],
)
def test_a_row_that_is_there_already_is_refused_skipped_or_changed(
    project: Project, on_duplicate: str, expected: list[tuple[str, str]], status: str
) -> None:
    new_table(project)
    imported(project, "$id,name,age\na,Old,1\nb,Old,2\n")
    migration = imported(project, "$id,name\na,New\nc,New\n", onDuplicate=on_duplicate)
    rows = sorted((row["$id"], row["name"]) for row in rows_of(project))

    assert (rows, migration["status"]) == (expected, status)
    if on_duplicate == "fail":
        assert migration["errors"] == [
            "Line 2: There is a row with this id already. Choose another id, or update that row."
        ]
        assert counters(migration) == (0, 1, 0, 1)
    if on_duplicate == "skip":
        assert counters(migration) == (1, 0, 1, 0)
    if on_duplicate == "overwrite":
        assert {row["$id"]: row["age"] for row in rows_of(project)} == {"a": 1, "b": 2, "c": None}


def test_unique_columns_are_named_when_they_are_in_the_way(project: Project) -> None:
    new_table(project)
    index = {"key": "by_name", "type": "unique", "columns": ["name"]}
    assert project.server.post("/tablesdb/shop/tables/people/indexes", json=index).status_code == 202
    migration = imported(project, "name\nJane\nBob\nJane\n")

    assert migration["errors"] == ["Line 4: Another row has the same value in `name` already."]
    assert rows_of(project) == []


async def test_each_row_has_its_event_by_whoever_imported_it(platform: Platform, project: Project) -> None:
    new_table(project)
    imported(project, "$id,name\na,Jane\nb,Bob\n")
    events = await fetch(
        platform,
        "select event, actor, payload from freehold.outbox where project_id = $1 and event like '%.rows.%'"
        " order by id",
        project.id,
    )

    assert [each["event"] for each in events] == [
        f"databases.shop.tables.people.rows.{row_id}.create" for row_id in ("a", "b")
    ]
    assert all(each["actor"].startswith("admin:") for each in events)
    assert json.loads(events[0]["payload"])["name"] == "Jane"


def test_a_table_is_read_as_it_is_when_a_batch_is_written(project: Project) -> None:
    """A retry after the table was mended writes what was left out, and nothing twice."""
    new_table(project)
    migration = imported(project, many(2500, bad=()).replace("Jane 1200,0", "Jane 1200,201"))
    assert counters(migration) == (1500, 1, 0, 999)
    change = {"required": False, "min": 0, "max": 300, "default": None}
    answer = project.server.patch("/tablesdb/shop/tables/people/columns/integer/age", json=change)
    assert answer.status_code == 200, answer.text
    again = ended(project, project.admin.patch(f"/migrations/{migration['$id']}"))

    assert (again["status"], again["errors"], counters(again)) == ("completed", [], (2500, 0, 0, 0))
    names = [row["name"] for row in rows_of(project)]
    assert (len(names), len(set(names))) == (2500, 2500)


def test_a_retry_that_fails_again_says_so_and_writes_nothing_twice(project: Project) -> None:
    new_table(project)
    migration = imported(project, many(1200, bad=(5,)))
    again = ended(project, project.admin.patch(f"/migrations/{migration['$id']}"))

    assert (again["status"], counters(again)) == ("failed", (200, 1, 0, 999))
    assert again["errors"] == migration["errors"]
    assert len(rows_of(project)) == 200


def test_only_what_failed_can_be_tried_again(project: Project) -> None:
    new_table(project)
    migration = imported(project, "name\nJane\n")
    answer = project.admin.patch(f"/migrations/{migration['$id']}")

    assert error_of(answer) == (409, "migration_in_progress")
    assert error_of(project.admin.patch("/migrations/nothing")) == (404, "migration_not_found")
    assert len(rows_of(project)) == 1


def test_an_import_stops_when_the_file_is_not_what_was_meant(project: Project) -> None:
    new_table(project)
    migration = imported(project, many(102_000, bad=tuple(range(0, 102_000, 1000))))

    assert migration["status"] == "failed"
    assert len(migration["errors"]) == 101
    assert migration["errors"][-1] == "Stopped after 100 batches with bad rows."
    assert rows_of(project) == []


def test_deleting_an_import_keeps_its_rows(project: Project) -> None:
    new_table(project)
    migration = imported(project, "name\nJane\n")
    path = f"/migrations/{migration['$id']}"

    assert project.admin.delete(path).status_code == 204
    assert error_of(project.admin.get(path)) == (404, "migration_not_found")
    assert error_of(project.admin.delete(path)) == (404, "migration_not_found")
    assert len(rows_of(project)) == 1


def test_a_worker_that_dies_leaves_an_import_that_goes_on(platform: Platform, project: Project) -> None:
    new_table(project)
    asked = ask_import(project, put_file(project, many(60_000).encode()))
    path = f"/migrations/{asked.json()['$id']}"
    deadline = time.monotonic() + 30
    while project.admin.get(path).json()["statusCounters"]["row"]["success"] == 0:
        assert time.monotonic() < deadline
    [worker] = platform.installation.children("freehold-worker")
    worker.send_signal(signal.SIGTERM)
    migration = ended(project, asked, seconds=90)

    assert (migration["status"], counters(migration)) == ("completed", (60_000, 0, 0, 0))
    last = rows_of(project, {"method": "orderDesc", "attribute": "$sequence"})
    assert len({row["name"] for row in last}) == len(last) == 5000


def test_memory_does_not_grow_with_the_rows(platform: Platform, project: Project) -> None:
    new_table(project)
    imported(project, many(20_000))
    asked = ask_import(project, put_file(project, many(MANY_ROWS).encode()))
    grown = growth_until_end(platform, project, asked)

    assert counters(ended(project, asked)) == (MANY_ROWS, 0, 0, 0)
    assert grown < 40 * 1024 * 1024, f"{grown / 2**20:.0f} MB for {MANY_ROWS} rows"


# -- JSON ----------------------------------------------------------------------------------------------------


def test_rows_are_imported_with_those_that_they_are_related_to(project: Project) -> None:
    new_table(project)
    boss = {
        "relatedTableId": "people",
        "type": "manyToOne",
        "key": "boss",
        "twoWay": True,
        "twoWayKey": "team",
    }
    made = project.server.post("/tablesdb/shop/tables/people/columns/relationship", json=boss)
    assert made.status_code == 202, made.text
    imported(project, "$id,name\njane,Jane\n")
    by_id = imported(project, "$id,name,boss\nbob,Bob,jane\nbill,Bill,\n")
    inside = [{"$id": "ann", "name": "Ann", "team": ["bill", {"$id": "al", "name": "Al"}]}]
    by_object = imported(project, json.dumps(inside), format="json")
    missing = imported(project, "$id,name,boss\nx,X,nobody\n")
    bad = imported(project, json.dumps([{"name": "Y", "boss": {"age": 1}}]), format="json")

    assert (counters(by_id), counters(by_object)) == ((2, 0, 0, 0), (1, 0, 0, 0))
    bosses = {row["$id"]: row["boss"] for row in rows_of(project)}
    assert bosses == {"jane": None, "bob": "jane", "bill": "ann", "ann": None, "al": "ann"}
    assert missing["errors"] == [
        "Line 2: The relationship `boss` cannot be so: the row `nobody` was not found."
    ]
    assert bad["errors"] == ["Row 1: boss: Invalid row structure: `name` is required."]


def many_objects(count: int) -> bytes:
    """A JSON file of so many people."""
    people = (f'{{"name": "Jane {n}", "age": {n % 100}, "tags": ["a", "b"]}}' for n in range(count))
    return b"[" + ",\n".join(people).encode() + b"]"


def test_memory_does_not_grow_with_the_objects_of_a_json_file(platform: Platform, project: Project) -> None:
    new_table(project)
    imported(project, many_objects(2_000), format="json")
    asked = ask_import(project, put_file(project, many_objects(MANY_OBJECTS)), format="json")
    grown = growth_until_end(platform, project, asked)

    assert counters(ended(project, asked)) == (MANY_OBJECTS, 0, 0, 0)
    assert grown < 40 * 1024 * 1024, f"{grown / 2**20:.0f} MB for {MANY_OBJECTS} rows"
    last = MANY_OBJECTS - 1
    [row] = rows_of(project, {"method": "equal", "attribute": "name", "values": [f"Jane {last}"]})
    assert (row["age"], row["tags"]) == (last % 100, ["a", "b"])


def test_objects_of_a_json_file_become_rows(project: Project) -> None:
    new_table(project)
    people = [
        {"$id": "jane", "name": "Jane", "age": 41, "tags": ["a"], "active": True, "score": 0.5},
        {"name": "Bob", "note": "=not a formula here"},
    ]
    migration = imported(project, json.dumps(people, indent=2), format="json")
    jane, bob = rows_of(project)

    assert (migration["status"], migration["source"], counters(migration)) == (
        "completed",
        "JSON",
        (2, 0, 0, 0),
    )
    assert (jane["$id"], jane["age"], jane["tags"], jane["active"], jane["score"]) == (
        *("jane", 41),
        ["a"],
        *(True, 0.5),
    )
    assert bob["note"] == "=not a formula here"


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("7", "it is not an object."),
        ('{"age": 1}', "`name` is required."),
        ('{"name": "J", "colour": "red"}', "`colour` is not a column of this table."),
        ('{"name": "J", "age": "7"}', "`age` is not a whole number."),
        ('{"name": "J", "score": true}', "`score` is not a number."),
        ('{"name": {"$ne": null}}', "`name` is not a text."),
        ('{"name": "J", "$id": "-bad"}', "Invalid `rows` param"),
        ('{"name": "J", "$id": 7}', "Invalid `rows` param"),
        ('{"name": "J", "$permissions": ["read(\\"everybody\\")"]}', "Invalid `permissions` param"),
        ('{"name": "J", "note": ' + "[" * 90 + "]" * 90 + "}", "`note` is not a text."),
    ],
)
def test_what_is_wrong_is_said_of_the_object(project: Project, item: str, reason: str) -> None:
    new_table(project)
    migration = imported(project, f'[{{"name": "Bob"}}, {item}]', format="json")

    assert (migration["status"], len(migration["errors"])) == ("failed", 1)
    assert migration["errors"][0].startswith(f"Row 2: {reason}")
    assert rows_of(project) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"item": {"name": "J"}}',
        '[{"name": "J"}',
        "[NaN]",
        "name,age\nJ,1\n",
        '[{"name":}]',
        '[{"name": "J"}] []',
        '[{"name": "J"}] x',
    ],
)
def test_what_is_no_list_of_objects_is_refused(project: Project, text: str) -> None:
    new_table(project)
    migration = imported(project, text, format="json")

    assert migration["status"] == "failed"
    assert migration["errors"][0].startswith("The file cannot be read")
    assert rows_of(project) == []


# -- who may, and what with ----------------------------------------------------------------------------------


def test_an_import_needs_a_file_and_a_table_of_the_project(platform: Platform, project: Project) -> None:
    new_table(project)
    file_id = put_file(project, b"name\nJane\n")
    other = platform.new_project()

    assert error_of(ask_import(project, "nothing")) == (404, "storage_file_not_found")
    assert error_of(ask_import(project, file_id, bucketId="nothing")) == (404, "storage_bucket_not_found")
    assert error_of(ask_import(project, file_id, collectionId="nothing")) == (404, "table_not_found")
    assert error_of(ask_import(project, file_id, databaseId="nothing")) == (404, "database_not_found")
    assert error_of(ask_import(project, file_id, client=other.admin)) == (404, "database_not_found")
    new_table(other)
    assert error_of(ask_import(project, file_id, client=other.admin)) == (404, "storage_bucket_not_found")
    assert error_of(ask_import(project, file_id, internalFile=True)) == (400, "general_feature_unsupported")
    assert error_of(ask_import(project, file_id, onDuplicate="explode")) == (400, "general_argument_invalid")
    assert rows_of(project) == []


def test_a_file_that_is_gone_when_it_is_read_is_said_to_be(project: Project) -> None:
    new_table(project)
    migration = imported(project, many(1001, bad=(3,)))
    project.server.delete(f"/storage/buckets/inbox/files/{migration['options']['fileId']}")
    again = ended(project, project.admin.patch(f"/migrations/{migration['$id']}"))

    assert again["status"] == "failed"
    assert "was not found" in again["errors"][-1]


def test_every_column_type_is_imported(project: Project) -> None:
    columns = (
        {"key": "big", "type": "bigint", "required": False},
        {"key": "mail", "type": "email", "required": False},
        {"key": "link", "type": "url", "required": False},
        {"key": "address", "type": "ip", "required": False},
        *COLUMNS,
    )
    new_table(project, columns=columns)
    imported(
        project,
        "big,mail,link,address,name\n"
        "9223372036854775807,jane@example.com,https://example.com/a?b=c,10.0.0.1,Jane\n",
    )
    [row] = rows_of(project)

    assert [row[key] for key in ("big", "mail", "link", "address")] == [
        *(9223372036854775807, "jane@example.com"),
        *("https://example.com/a?b=c", "10.0.0.1"),
    ]
