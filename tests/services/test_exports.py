"""Exports of tables: rows as they are at one moment, in a file that no spreadsheet runs anything of."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from tests.platform import Platform, Project, User, error_of
from tests.services.transfers import (
    COLUMNS,
    MANY_OBJECTS,
    MANY_ROWS,
    ask_import,
    counters,
    ended,
    exported,
    growth_until_end,
    imported,
    new_table,
    put_file,
    rows_of,
)

ROWS: list[dict[str, Any]] = [
    {"$id": "a", "name": "Jane", "age": 41, "score": -1.5, "active": True, "tags": ["x", "y"], "kind": "cat"},
    {"$id": "b", "name": 'Quoted "B"; and, more', "note": "two\r\nlines", "born": "2020-02-29T12:00:00.000Z"},
    {"$id": "c", "name": "=1+1", "note": "-5", "score": -5.0},
]


def add(project: Project, rows: list[dict[str, Any]]) -> None:
    answer = project.server.post("/tablesdb/shop/tables/people/rows", json={"rows": rows})
    assert answer.status_code == 201, answer.text


def read(contents: bytes, **said: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(contents.decode(), newline=""), strict=True, **said))


def test_a_table_becomes_a_csv_file(project: Project) -> None:
    new_table(project)
    add(project, ROWS)
    migration, contents = exported(project)
    jane, quoted, _ = read(contents)

    assert (migration["source"], migration["destination"], counters(migration)) == (
        *("Appwrite", "CSV"),
        (3, 0, 0, 0),
    )
    header = contents.decode().partition("\r\n")[0].split(",")
    assert header == ["$id", "$permissions", *(each["key"] for each in COLUMNS), "$createdAt", "$updatedAt"]
    assert [jane[key] for key in ("$id", "name", "age", "score", "active", "tags", "kind", "note")] == [
        *("a", "Jane", "41", "-1.5", "true", '["x","y"]', "cat", "")
    ]
    assert (quoted["name"], quoted["note"]) == ('Quoted "B"; and, more', "two\r\nlines")
    assert quoted["born"] == "2020-02-29T12:00:00.000+00:00"


def test_the_file_lies_in_a_bucket_that_only_keys_and_the_console_reach(project: Project, jane: User) -> None:
    new_table(project)
    add(project, ROWS)
    migration, _ = exported(project)
    options = migration["options"]
    path = f"/storage/buckets/{options['bucketId']}/files/{options['fileId']}"
    file = project.server.get(path).json()

    assert options["bucketId"] == "exports"
    assert (file["name"], file["mimeType"], file["$permissions"]) == ("people.csv", "text/csv", [])
    assert project.server.get("/storage/buckets/exports").json()["$permissions"] == []
    for client in (jane.client, project.guest):
        assert error_of(client.get(f"{path}/download")) == (404, "storage_file_not_found")
        assert error_of(client.get("/storage/buckets/exports/files")) == (401, "user_unauthorized")


def test_a_bucket_of_somebody_elses_making_gets_no_exports(project: Project, jane: User) -> None:
    new_table(project)
    add(project, ROWS)
    body = {"bucketId": "exports", "name": "Mine", "permissions": ['read("any")']}
    assert project.server.post("/storage/buckets", json=body).status_code == 201
    first, _ = exported(project)
    second, _ = exported(project)

    assert first["options"]["bucketId"] == second["options"]["bucketId"] != "exports"
    assert jane.client.get("/storage/buckets/exports/files").json()["total"] == 0


def test_columns_and_rows_are_chosen(project: Project) -> None:
    new_table(project)
    add(project, ROWS)
    queries = [
        json.dumps({"method": "isNotNull", "attribute": "score"}),
        json.dumps({"method": "orderDesc", "attribute": "score"}),
    ]
    _, contents = exported(project, columns=["score", "name"], queries=queries)
    _, limited = exported(project, columns=["name"], queries=[json.dumps({"method": "limit", "values": [1]})])
    _, bare = exported(project, columns=["name", "$sequence"], header=False, queries=queries)

    assert contents == b"score,name\r\n-1.5,Jane\r\n-5.0,'=1+1\r\n"
    assert limited == b"name\r\nJane\r\n"
    assert bare == b"Jane,1\r\n'=1+1,3\r\n"


def test_marks_are_chosen(project: Project) -> None:
    new_table(project)
    add(project, [{"name": "it's; \\ so", "note": "a,b"}])
    _, contents = exported(project, columns=["name", "note"], delimiter=";", enclosure="'", escape="\\")

    assert contents == b"name;note\r\n'it\\'s; \\\\ so';a,b\r\n"


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''+1"])
def test_no_text_is_a_formula_in_the_file_and_each_comes_back_as_it_was(project: Project, start: str) -> None:
    new_table(project)
    text = f"{start}cmd|' /C calc'!A0"
    add(project, [{"$id": "a", "name": text, "note": text, "tags": [start]}])
    _, contents = exported(project)
    [cells] = read(contents)
    project.server.delete("/tablesdb/shop/tables/people/rows/a")
    imported(project, contents)
    [row] = rows_of(project)

    assert not any(cell[:1] in "=+-@\t\r\n" for key, cell in cells.items() if cell and key != "score")
    assert (row["name"], row["note"], row["tags"]) == (text, text, [start])


@pytest.mark.parametrize("format", ["csv", "json"])
def test_what_is_exported_is_imported_as_it_was(project: Project, format: str) -> None:  # noqa: A002
    new_table(project, rowSecurity=True)
    add(project, [{**each, "$permissions": ['read("user:jane")']} for each in ROWS])
    before = rows_of(project)
    _, contents = exported(project, format=format)
    answer = project.server.request("DELETE", "/tablesdb/shop/tables/people/rows", json={"queries": []})
    assert answer.json()["total"] == 3
    migration = imported(project, contents, format=format)

    assert (migration["status"], counters(migration)) == ("completed", (3, 0, 0, 0))
    assert [{**row, "$sequence": ""} for row in rows_of(project)] == [
        {**row, "$sequence": ""} for row in before
    ]


def test_a_table_becomes_a_json_file(project: Project) -> None:
    new_table(project)
    add(project, ROWS)
    migration, contents = exported(project, format="json")
    _, chosen = exported(project, format="json", columns=["name", "age"])
    jane, quoted, formula = json.loads(contents)

    assert migration["destination"] == "JSON"
    assert (jane["age"], jane["tags"], jane["active"], jane["born"]) == (41, ["x", "y"], True, None)
    assert (quoted["note"], formula["name"]) == ("two\r\nlines", "=1+1")
    assert "$databaseId" not in jane
    assert json.loads(chosen)[0] == {"name": "Jane", "age": 41}


def test_an_empty_table_is_an_empty_list(project: Project) -> None:
    new_table(project)

    assert json.loads(exported(project, format="json")[1]) == []
    assert exported(project, columns=["name"])[1] == b"name\r\n"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"columns": ["colour"]}, "general_argument_invalid"),
        ({"queries": ["nonsense"]}, "general_query_invalid"),
        ({"queries": ['{"method":"equal","attribute":"colour","values":[1]}']}, "general_query_invalid"),
        ({"queries": ['{"method":"cursorAfter","values":["a"]}']}, "general_query_invalid"),
        ({"filename": ""}, "general_argument_invalid"),
        ({"filename": "a\r\nb"}, "general_argument_invalid"),
        ({"filename": "x" * 255}, "general_argument_invalid"),
        ({"delimiter": ""}, "general_argument_invalid"),
        ({"delimiter": "\n"}, "general_argument_invalid"),
        ({"delimiter": '"'}, "general_argument_invalid"),
        ({"enclosure": "x"}, "general_argument_invalid"),
        ({"escape": ",", "delimiter": ","}, "general_argument_invalid"),
    ],
)
def test_what_cannot_be_exported_is_refused_at_once(
    project: Project, said: dict[str, Any], error: str
) -> None:
    new_table(project)
    body = {"databaseId": "shop", "collectionId": "people", "filename": "people", **said}

    assert error_of(project.admin.post("/migrations/csv/exports", json=body)) == (400, error)
    assert project.admin.get("/migrations").json()["total"] == 0


def test_a_file_name_stays_in_the_bucket(project: Project) -> None:
    new_table(project)
    migration, _ = exported(project, filename="../../etc/passwd")

    assert migration["options"]["filename"] == "passwd.csv"


@pytest.mark.parametrize(("format_", "count"), [("csv", MANY_ROWS // 2), ("json", MANY_OBJECTS)])
def test_a_long_table_is_exported_without_growing_memory(
    platform: Platform, project: Project, format_: str, count: int
) -> None:
    new_table(project)
    lines = "name,age\n" + "".join(f"Jane {n},{n % 100}\n" for n in range(count))
    ended(project, ask_import(project, put_file(project, lines.encode())), seconds=3600)
    exported(project, format=format_, queries=[json.dumps({"method": "limit", "values": [5000]})])
    body = {"databaseId": "shop", "collectionId": "people", "filename": "all"}
    asked = project.admin.post(f"/migrations/{format_}/exports", json=body)
    grown = growth_until_end(platform, project, asked)
    migration = ended(project, asked)
    options = migration["options"]
    contents = project.admin.get(
        f"/storage/buckets/{options['bucketId']}/files/{options['fileId']}/download"
    ).content

    assert counters(migration) == (count, 0, 0, 0)
    rows = read(contents) if format_ == "csv" else json.loads(contents)
    assert [row["name"] for row in rows] == [f"Jane {n}" for n in range(count)]
    assert grown < 40 * 1024 * 1024, f"{grown / 2**20:.0f} MB for {count} rows"
