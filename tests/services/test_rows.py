"""Rows: made, read, changed, deleted; and the answers to what cannot be done."""

from __future__ import annotations

import asyncpg
import msgspec
import pytest
from appwrite.exception import AppwriteException
from appwrite.services.tables_db import TablesDB

from tests.platform import Platform, Project, error_of

ROWS = "/tablesdb/db/tables/people/rows"


@pytest.fixture
def tables(project: Project) -> TablesDB:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    tables.create_table(
        "db",
        "people",
        "People",
        columns=[
            {"key": "name", "type": "varchar", "size": 40, "required": True},
            {"key": "age", "type": "integer", "required": False, "min": 0, "max": 150},
        ],
    )
    return tables


def test_a_row_comes_back_as_it_was_made(tables: TablesDB) -> None:
    made = tables.create_row("db", "people", "ann", {"name": "Ann", "age": 30})
    read = tables.get_row("db", "people", "ann")

    assert read.to_dict() == made.to_dict()
    assert (read.id, read.databaseid, read.tableid) == ("ann", "db", "people")
    assert read.data == {"name": "Ann", "age": 30}
    assert read.sequence == "1"
    assert read.createdat.endswith("+00:00")
    assert len(read.createdat) == len("2026-08-21T12:00:00.000+00:00")


def test_the_server_makes_ids_that_sort_by_their_time(tables: TablesDB) -> None:
    ids = [tables.create_row("db", "people", "unique()", {"name": "x"}).id for _ in range(5)]

    assert ids == sorted(ids)
    assert all(len(each) == 20 for each in ids)


def test_an_update_changes_what_is_given_and_leaves_the_rest(tables: TablesDB) -> None:
    made = tables.create_row("db", "people", "ann", {"name": "Ann", "age": 30})
    changed = tables.update_row("db", "people", "ann", {"age": 31})

    assert changed.data == {"name": "Ann", "age": 31}
    assert changed.createdat == made.createdat
    assert changed.updatedat >= made.updatedat


def test_a_deleted_row_is_gone(tables: TablesDB) -> None:
    tables.create_row("db", "people", "ann", {"name": "Ann"})
    tables.delete_row("db", "people", "ann")

    for again in (
        lambda: tables.get_row("db", "people", "ann"),
        lambda: tables.update_row("db", "people", "ann", {"age": 1}),
        lambda: tables.delete_row("db", "people", "ann"),
    ):
        with pytest.raises(AppwriteException) as caught:
            again()
        assert (caught.value.code, caught.value.type) == (404, "row_not_found")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"rowId": "a", "data": {"age": 1}}, (400, "row_invalid_structure")),
        ({"rowId": "a", "data": {"name": None}}, (400, "row_invalid_structure")),
        ({"rowId": "a", "data": {"name": "A", "age": "1"}}, (400, "row_invalid_structure")),
        ({"rowId": "a", "data": {"name": "A", "age": 1.5}}, (400, "row_invalid_structure")),
        ({"rowId": "a", "data": {"name": "A", "age": True}}, (400, "row_invalid_structure")),
        ({"rowId": "a", "data": {"name": "A", "nope": 1}}, (400, "row_invalid_structure")),
        ({"rowId": "a", "data": {"name": "A" * 41}}, (400, "row_invalid_structure")),
        ({"rowId": "a"}, (400, "row_missing_data")),
        ({"rowId": "a", "data": [1]}, (400, "general_argument_invalid")),
        ({"rowId": "_a", "data": {"name": "A"}}, (400, "general_argument_invalid")),
        ({"rowId": "a" * 37, "data": {"name": "A"}}, (400, "general_argument_invalid")),
        ({"rowId": ["a"], "data": {"name": "A"}}, (400, "general_argument_invalid")),
        ({"data": {"name": "A"}}, (400, "general_argument_invalid")),
        (
            {"rowId": "a", "data": {"name": "A"}, "permissions": ["fly(any)"]},
            (400, "general_argument_invalid"),
        ),
        (
            {"rowId": "a", "data": {"name": "A"}, "permissions": ['create("any")']},
            (400, "general_argument_invalid"),
        ),
        ([1, 2], (400, "general_bad_request")),
    ],
)
def test_a_wrong_row_is_refused_and_nothing_is_kept(
    project: Project, tables: TablesDB, body: object, error: tuple[int, str]
) -> None:
    assert error_of(project.server.post(ROWS, json=body)) == error
    assert tables.list_rows("db", "people").total == 0


@pytest.mark.parametrize("text", ["{", '{"rowId": NaN}', "\xff", '{"rowId": "a"} x', "[" * 20_000])
def test_a_body_that_is_not_json_is_refused(project: Project, tables: TablesDB, text: str) -> None:
    response = project.server.post(
        ROWS, content=text.encode("latin-1"), headers={"Content-Type": "application/json"}
    )

    assert error_of(response)[0] == 400


def test_an_update_with_nothing_to_change_is_refused(project: Project, tables: TablesDB) -> None:
    tables.create_row("db", "people", "ann", {"name": "Ann"})

    assert error_of(project.server.patch(f"{ROWS}/ann", json={})) == (400, "row_missing_payload")
    cleared = project.server.patch(f"{ROWS}/ann", json={"data": {"name": None}})
    assert error_of(cleared) == (400, "row_invalid_structure")
    assert tables.get_row("db", "people", "ann").data["name"] == "Ann"


def test_a_row_that_changed_since_the_callers_timestamp_is_not_overwritten(
    project: Project, tables: TablesDB
) -> None:
    made = tables.create_row("db", "people", "ann", {"name": "Ann"})
    tables.update_row("db", "people", "ann", {"age": 1})
    stale = project.server.patch(
        f"{ROWS}/ann", json={"data": {"age": 2}}, headers={"X-Appwrite-Timestamp": made.createdat}
    )
    assert error_of(stale) == (409, "row_update_conflict")
    assert tables.get_row("db", "people", "ann").data["age"] == 1

    fresh = project.server.patch(
        f"{ROWS}/ann", json={"data": {"age": 3}}, headers={"X-Appwrite-Timestamp": "2099-01-01T00:00:00.000Z"}
    )
    assert fresh.json()["age"] == 3


def test_every_change_of_a_row_heeds_the_callers_timestamp(project: Project, tables: TablesDB) -> None:
    made = tables.create_row("db", "people", "ann", {"name": "Ann", "age": 7})
    tables.update_row("db", "people", "ann", {"age": 8})
    stale = {"X-Appwrite-Timestamp": made.createdat}
    requests: list[tuple[str, str, dict[str, object]]] = [
        ("PUT", f"{ROWS}/ann", {"data": {"name": "Bob"}}),
        ("DELETE", f"{ROWS}/ann", {}),
        ("PATCH", f"{ROWS}/ann/age/increment", {}),
        ("PATCH", f"{ROWS}/ann/age/decrement", {"min": 0}),
    ]

    for method, path, body in requests:
        answer = project.server.request(method, path, json=body, headers=stale)
        assert error_of(answer) == (409, "row_update_conflict")
        wrong = project.server.request(method, path, json=body, headers={"X-Appwrite-Timestamp": "today"})
        assert error_of(wrong) == (400, "general_argument_invalid")
    assert tables.get_row("db", "people", "ann").data == {"name": "Ann", "age": 8}
    fresh = {"X-Appwrite-Timestamp": "2099-01-01T00:00:00.000Z"}
    for method, path, body in (*requests[2:], *requests[:2]):
        answer = project.server.request(method, path, json=body, headers=fresh)
        assert answer.status_code in (200, 201, 204)


def test_keys_may_say_when_a_row_was_made(project: Project, tables: TablesDB) -> None:
    moment = "2001-02-03T04:05:06.789+00:00"
    row = tables.create_row("db", "people", "ann", {"name": "Ann", "$createdAt": moment, "$sequence": 99})

    assert row.createdat == moment
    assert row.sequence == "1"


async def test_each_change_writes_its_event_and_a_refused_one_writes_none(
    platform: Platform, project: Project, tables: TablesDB
) -> None:
    tables.create_row("db", "people", "ann", {"name": "Ann"})
    tables.update_row("db", "people", "ann", {"age": 3})
    with pytest.raises(AppwriteException):
        tables.create_row("db", "people", "ann", {"name": "Ann again"})
    tables.delete_row("db", "people", "ann")

    connection = await asyncpg.connect(platform.database_url)
    events = await connection.fetch(
        "select event, payload, actor from freehold.outbox "
        "where project_id = $1 and event like '%.rows.%' order by id",
        project.id,
    )
    await connection.close()
    prefix = "databases.db.tables.people.rows.ann"
    assert [event["event"] for event in events] == [
        f"{prefix}.create",
        f"{prefix}.update",
        f"{prefix}.delete",
    ]
    assert [msgspec.json.decode(event["payload"])["age"] for event in events] == [None, 3, 3]
    assert all(event["actor"].startswith("key:") for event in events)


def test_form_bodies_and_unknown_parameters_are_taken(project: Project, tables: TablesDB) -> None:
    response = project.server.post(ROWS, json={"rowId": "a", "data": {"name": "A"}, "surprise": 1})

    assert response.status_code == 201
    assert response.json()["name"] == "A"


def test_a_body_beyond_the_limit_is_refused(project: Project, tables: TablesDB) -> None:
    big = project.server.post(ROWS, content=b" " * (12 * 1024 * 1024 + 1))

    assert big.status_code == 413
    assert tables.list_rows("db", "people").total == 0
