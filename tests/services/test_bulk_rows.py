"""Many rows at once, upserts and counters."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import httpx
import pytest
from appwrite.exception import AppwriteException
from appwrite.operator import Operator
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.platform import Platform, Project, User, error_of
from tests.services.statements import logged

ROWS = "/tablesdb/db/tables/items/rows"


@pytest.fixture
def tables(project: Project) -> TablesDB:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    tables.create_table(
        "db",
        "items",
        "Items",
        permissions=['create("users")'],
        row_security=True,
        columns=[
            {"key": "name", "type": "varchar", "size": 40, "required": True},
            {"key": "count", "type": "integer", "required": False, "default": 1, "max": 100},
            {"key": "price", "type": "float", "required": False},
            {"key": "made", "type": "datetime", "required": False},
            {"key": "tags", "type": "varchar", "size": 9, "required": False, "array": True},
        ],
    )
    return tables


def names(tables: TablesDB) -> list[str]:
    return [row.data["name"] for row in tables.list_rows("db", "items", [Query.order_asc("name")]).rows]


def test_rows_are_made_together_each_with_its_own_values_and_defaults(tables: TablesDB) -> None:
    made = tables.create_rows(
        "db",
        "items",
        [
            {"$id": "a", "name": "A", "tags": ["x", "y"], "made": "2026-01-01T00:00:00.000Z"},
            {"name": "B'\"", "count": 5, "price": 1.5, "$permissions": ['read("any")']},
        ],
    )

    assert made.total == 2
    first, second = made.rows
    assert (first.id, first.data["count"], first.data["tags"]) == ("a", 1, ["x", "y"])
    assert first.data["made"] == "2026-01-01T00:00:00.000+00:00"
    assert (len(second.id), second.data["count"], second.data["tags"]) == (20, 5, None)
    assert second.permissions == ['read("any")']
    assert tables.get_row("db", "items", second.id).data == second.data


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([{"name": "A"}, {"count": 1}], (400, "row_invalid_structure")),
        ([{"name": "A"}, {"name": 5}], (400, "row_invalid_structure")),
        ([{"name": "A"}, {"name": "B", "nope": 1}], (400, "row_invalid_structure")),
        ([{"$id": "x", "name": "A"}, {"$id": "x", "name": "B"}], (409, "row_already_exists")),
        ([{"$id": "_x", "name": "A"}], (400, "general_argument_invalid")),
        ([{"name": "A", "$permissions": ["x"]}], (400, "general_argument_invalid")),
        ([], (400, "general_argument_invalid")),
        ([{"name": "A"}] * 1001, (400, "general_argument_invalid")),
        (["A"], (400, "general_argument_invalid")),
    ],
)
def test_one_wrong_row_keeps_all_of_them_out(
    project: Project, tables: TablesDB, rows: list[object], error: tuple[int, str]
) -> None:
    assert error_of(project.server.post(ROWS, json={"rows": rows})) == error
    assert names(tables) == []


def test_bulk_calls_are_for_keys_and_the_console(project: Project, tables: TablesDB, jane: User) -> None:
    made = jane.client.post(ROWS, json={"rowId": "mine", "data": {"name": "mine"}})
    assert made.status_code == 201
    for refused in (
        jane.client.post(ROWS, json={"rows": [{"name": "A"}]}),
        jane.client.put(ROWS, json={"rows": [{"name": "A"}]}),
        jane.client.patch(ROWS, json={"data": {"name": "B"}}),
        jane.client.request("DELETE", ROWS, json={}),
    ):
        assert error_of(refused) == (401, "user_unauthorized")

    assert names(tables) == ["mine"]
    assert project.admin.post(ROWS, json={"rows": [{"name": "console"}]}).status_code == 201


def test_all_rows_that_fit_are_changed_and_the_others_left(tables: TablesDB) -> None:
    tables.create_rows("db", "items", [{"$id": f"r{n}", "name": f"N{n}", "count": n} for n in range(1, 6)])
    changed = tables.update_rows("db", "items", {"price": 9.5}, [Query.greater_than("count", 3)])
    assert sorted(row.id for row in changed.rows) == ["r4", "r5"]

    first = tables.update_rows("db", "items", {"name": "first"}, [Query.order_asc("count"), Query.limit(2)])
    assert sorted(row.id for row in first.rows) == ["r1", "r2"]
    assert names(tables) == ["N3", "N4", "N5", "first", "first"]


def test_all_rows_that_fit_are_deleted(tables: TablesDB) -> None:
    tables.create_rows("db", "items", [{"name": f"N{n}", "count": n} for n in range(1, 6)])
    gone = tables.delete_rows("db", "items", [Query.less_than("count", 3)])

    assert sorted(row.data["name"] for row in gone.rows) == ["N1", "N2"]
    assert names(tables) == ["N3", "N4", "N5"]
    assert tables.delete_rows("db", "items").total == 3
    assert names(tables) == []


def test_a_thousand_rows_are_made_in_one_call_and_changed_in_another(
    project: Project, tables: TablesDB
) -> None:
    made = tables.create_rows("db", "items", [{"name": f"N{n}", "count": n % 7} for n in range(1000)])
    assert made.total == 1000
    for _ in range(5):
        tables.create_rows("db", "items", [{"name": "more", "count": 50}] * 1000)
    before = {"name": "changed"}

    for refused in (
        project.server.patch(ROWS, json={"data": before}),
        project.server.request("DELETE", ROWS, json={}),
        project.server.patch(ROWS, json={"data": before, "queries": [Query.limit(5001)]}),
    ):
        assert error_of(refused) == (400, "general_query_invalid")
    assert tables.list_rows("db", "items", [Query.equal("name", "changed")]).total == 0
    assert tables.update_rows("db", "items", before, [Query.equal("name", "more")]).total == 5000
    assert tables.delete_rows("db", "items", [Query.limit(5000), Query.order_desc("count")]).total == 5000
    assert tables.list_rows("db", "items", [Query.limit(1)]).total == 1000


def test_rows_are_upserted_together(tables: TablesDB) -> None:
    tables.create_row("db", "items", "a", {"name": "A", "count": 7})
    done = tables.upsert_rows("db", "items", [{"$id": "a", "name": "A2"}, {"$id": "b", "name": "B"}])

    assert [(row.id, row.data["name"], row.data["count"]) for row in done.rows] == [
        ("a", "A2", 7),
        ("b", "B", 1),
    ]
    with pytest.raises(AppwriteException):
        tables.upsert_rows("db", "items", [{"$id": "a", "name": "A3"}, {"$id": "c", "name": None}])
    assert names(tables) == ["A2", "B"]


def test_each_upserted_row_says_for_itself_what_of_it_changes(tables: TablesDB) -> None:
    moment = "2026-01-01T00:00:00.000+00:00"
    tables.create_row("db", "items", "a", {"name": "A", "count": 7, "tags": ["x"]}, ['read("any")'])
    tables.create_row("db", "items", "b", {"name": "B", "price": 2.5, "made": moment})
    done = tables.upsert_rows(
        "db",
        "items",
        [
            {"$id": "c", "name": "C", "price": 9.5, "$createdAt": moment},
            {"$id": "b", "price": None, "tags": ["y", "z"], "$permissions": ['read("users")']},
            {"$id": "a", "count": Operator.increment(3), "$updatedAt": moment},
            {"name": "D", "count": Operator.increment(4)},
        ],
    )
    c, b, a, d = done.rows

    assert (c.id, c.data, c.createdat, c.permissions) == (
        "c",
        {"name": "C", "count": 1, "price": 9.5, "made": None, "tags": None},
        moment,
        [],
    )
    assert b.data == {"name": "B", "count": 1, "price": None, "made": moment, "tags": ["y", "z"]}
    assert a.data == {"name": "A", "count": 10, "price": None, "made": None, "tags": ["x"]}
    assert (d.data["name"], d.data["count"], len(d.id)) == ("D", 5, 20)
    assert (b.permissions, a.permissions) == (['read("users")'], ['read("any")'])
    assert (a.updatedat, b.updatedat > b.createdat, d.createdat > moment) == (moment, True, True)
    listed = {row.id: row.to_dict() for row in tables.list_rows("db", "items").rows}
    assert listed == {row.id: row.to_dict() for row in done.rows}
    assert [row.sequence for row in (a, b, c, d)] == sorted(row.sequence for row in done.rows)


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([{"$id": "b", "name": "B"}, {"$id": "c", "count": 1}], (400, "row_invalid_structure")),
        ([{"$id": "b", "name": "B"}, {"$id": "a", "name": None}], (400, "row_invalid_structure")),
        ([{"$id": "b", "name": "B"}, {"$id": "a", "count": 101}], (400, "row_invalid_structure")),
        ([{"$id": "b", "name": "B"}, {"$id": "a", "nope": 1}], (400, "row_invalid_structure")),
        ([{"$id": "b", "name": "B"}, {"$id": "b", "name": "C"}], (400, "general_argument_invalid")),
        (
            [{"$id": "b", "name": "B"}, {"$id": "a", "count": Operator.increment(100)}],
            (400, "row_invalid_structure"),
        ),
    ],
    ids=["lacking", "null", "bound", "column", "twice", "operator"],
)
async def test_one_wrong_row_of_an_upsert_changes_and_makes_none(
    platform: Platform,
    project: Project,
    tables: TablesDB,
    rows: list[dict[str, object]],
    error: tuple[int, str],
) -> None:
    tables.create_row("db", "items", "a", {"name": "A", "count": 7})

    assert error_of(project.server.put(ROWS, json={"rows": rows})) == error
    assert names(tables) == ["A"]
    assert await events_of(platform, project) == ["a.create"]


def test_a_thousand_rows_are_upserted_in_one_statement(project: Project, tables: TablesDB) -> None:
    rows = [{"$id": f"r{n}", "name": f"N{n}", "count": n % 90} for n in range(1000)]
    tables.create_rows("db", "items", rows[:500])
    for row in rows[::3]:
        row["count"] = Operator.increment(2)
    with logged(project) as statements_of:
        ran = statements_of(lambda: tables.upsert_rows("db", "items", rows))

    assert len(ran) == 1
    counts = {row.id: row.data["count"] for row in tables.list_rows("db", "items", [Query.limit(1000)]).rows}
    assert (counts["r0"], counts["r1"], counts["r3"], counts["r999"]) == (2, 1, 5, 3)


def test_many_who_upsert_the_same_rows_at_once_make_each_once(project: Project, tables: TablesDB) -> None:
    def put(n: int) -> int:
        rows = [{"$id": f"r{at}", "name": f"by {n}"} for at in range(20)]
        return project.server.put(ROWS, json={"rows": rows}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(put, range(16))) == {201}
    made = names(tables)
    assert (len(made), len(set(made))) == (20, 1)


def test_two_who_upsert_the_same_rows_in_different_orders_both_succeed(
    project: Project, tables: TablesDB
) -> None:
    def put(ids: list[str]) -> int:
        rows = [{"$id": each, "name": f"from {ids[0]}"} for each in ids]
        return project.server.put(ROWS, json={"rows": rows}).status_code

    for first in range(0, 1000, 100):
        ids = [f"r{at}" for at in range(first, first + 100)]
        with ThreadPoolExecutor(2) as pool:  # to make them all, and to change them
            assert set(pool.map(put, [ids, ids[::-1]] * 2)) == {201}
    made = Counter(row.data["name"] for row in tables.list_rows("db", "items", [Query.limit(1000)]).rows)
    assert set(made.values()) == {100}


BULK = {
    "PUT": {"rows": [{"$id": "new", "name": "X"}, {"$id": "a", "name": "X"}]},
    "PATCH": {"data": {"name": "X"}},
    "DELETE": {"queries": []},
}


@pytest.mark.parametrize("method", BULK)
async def test_rows_that_have_changed_since_the_callers_timestamp_are_a_conflict_in_bulk(
    platform: Platform, project: Project, tables: TablesDB, method: str
) -> None:
    first = tables.create_row("db", "items", "a", {"name": "A"})
    tables.create_row("db", "items", "b", {"name": "B"})
    changed = tables.update_row("db", "items", "b" if method == "DELETE" else "a", {"count": 2})

    def send(moment: str) -> httpx.Response:
        told = {"X-Appwrite-Timestamp": moment}
        return project.server.request(method, ROWS, json=BULK[method], headers=told)

    assert error_of(send(first.createdat)) == (409, "row_update_conflict")
    assert names(tables) == ["A", "B"]
    assert await events_of(platform, project) == ["a.create", "b.create", f"{changed.id}.update"]
    assert send(changed.updatedat).status_code in (200, 201)
    assert names(tables) == {"PUT": ["B", "X", "X"], "PATCH": ["X", "X"], "DELETE": []}[method]


def test_an_upsert_makes_a_row_and_changes_it_the_next_time(tables: TablesDB) -> None:
    made = tables.upsert_row("db", "items", "a", {"name": "A", "count": 3})
    changed = tables.upsert_row("db", "items", "a", {"name": "B"})

    assert (made.data["name"], changed.data["name"], changed.data["count"]) == ("A", "B", 3)
    assert changed.sequence == made.sequence


def test_an_upsert_may_set_permissions_alone(project: Project, tables: TablesDB) -> None:
    tables.create_row("db", "items", "a", {"name": "A"})
    shared = tables.upsert_row("db", "items", "a", None, ['read("any")'])

    assert (shared.data["name"], shared.permissions) == ("A", ['read("any")'])
    for body, error in (
        ({"permissions": ['read("any")']}, (400, "row_invalid_structure")),
        ({}, (400, "row_missing_data")),
        ({"data": None}, (400, "row_missing_data")),
    ):
        assert error_of(project.server.put(f"{ROWS}/b", json=body)) == error
    assert names(tables) == ["A"]


@pytest.mark.parametrize(
    "beside", [{"data": {"name": "B"}}, {"data": {}}, {"rowId": "b"}, {"permissions": ['read("any")']}]
)
def test_what_stands_beside_many_rows_and_means_one_is_refused(
    project: Project, tables: TablesDB, beside: dict[str, object]
) -> None:
    refused = project.server.post(ROWS, json={"rows": [{"name": "A"}], **beside})

    assert error_of(refused) == (400, "general_argument_invalid")
    assert f"`{next(iter(beside))}`" in refused.json()["message"]
    assert names(tables) == []


def test_an_upsert_needs_the_right_that_it_uses(
    project: Project, tables: TablesDB, jane: User, bob: User
) -> None:
    assert jane.client.put(f"{ROWS}/a", json={"data": {"name": "jane's"}}).status_code == 201

    taken = bob.client.put(f"{ROWS}/a", json={"data": {"name": "bob's"}})
    assert error_of(taken) == (401, "user_unauthorized")
    assert error_of(project.guest.put(f"{ROWS}/b", json={"data": {"name": "x"}})) == (
        401,
        "user_unauthorized",
    )
    assert names(tables) == ["jane's"]


def test_many_who_upsert_one_new_row_at_once_make_one(project: Project, tables: TablesDB) -> None:
    def put(n: int) -> int:
        return project.server.put(f"{ROWS}/a", json={"data": {"name": f"N{n}"}}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(put, range(16))) == {201}
    assert len(names(tables)) == 1


def test_a_counter_loses_no_addition(project: Project, tables: TablesDB) -> None:
    tables.create_row("db", "items", "a", {"name": "A", "count": 0})

    def add(_: int) -> int:
        return project.server.patch(f"{ROWS}/a/count/increment", json={"value": 2}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(add, range(20))) == {200}
    assert tables.get_row("db", "items", "a").data["count"] == 40
    assert tables.decrement_row_column("db", "items", "a", "count", 15).data["count"] == 25


def test_a_counter_stops_at_its_bound(project: Project, tables: TablesDB) -> None:
    tables.create_row("db", "items", "a", {"name": "A", "count": 5})

    for path, body in (("increment", {"max": 5}), ("decrement", {"value": 3, "min": 3})):
        refused = project.server.patch(f"{ROWS}/a/count/{path}", json=body)
        assert error_of(refused) == (400, "column_limit_exceeded")
    beyond = project.server.patch(f"{ROWS}/a/count/increment", json={"value": 1000})
    assert error_of(beyond) == (400, "row_invalid_structure")
    assert tables.get_row("db", "items", "a").data["count"] == 5


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("a/name/increment", {}, (400, "column_type_invalid")),
        ("a/nope/increment", {}, (404, "column_not_found")),
        ("b/count/increment", {}, (404, "row_not_found")),
        ("a/count/increment", {"value": 1.5}, (400, "general_argument_invalid")),
        ("a/count/increment", {"value": "1"}, (400, "general_argument_invalid")),
    ],
)
def test_what_cannot_be_counted_is_refused(
    project: Project, tables: TablesDB, path: str, body: dict[str, object], error: tuple[int, str]
) -> None:
    tables.create_row("db", "items", "a", {"name": "A", "count": 5})

    assert error_of(project.server.patch(f"{ROWS}/{path}", json=body)) == error


def test_only_who_may_update_a_row_counts_on_it(
    project: Project, tables: TablesDB, jane: User, bob: User
) -> None:
    jane.client.post(ROWS, json={"rowId": "a", "data": {"name": "A"}})

    assert error_of(bob.client.patch(f"{ROWS}/a/count/increment", json={})) == (401, "user_unauthorized")
    assert jane.client.patch(f"{ROWS}/a/count/increment", json={}).json()["count"] == 2


async def test_each_row_of_a_bulk_call_has_its_event(
    platform: Platform, project: Project, tables: TablesDB
) -> None:
    tables.create_rows("db", "items", [{"$id": "a", "name": "A"}, {"$id": "b", "name": "B"}])
    tables.delete_rows("db", "items", [Query.equal("$id", "b")])

    tables.upsert_rows("db", "items", [{"$id": "a", "name": "A2"}, {"$id": "c", "name": "C"}])

    told = await events_of(platform, project)
    assert told == ["a.create", "b.create", "b.delete", "a.upsert", "c.upsert"]


async def events_of(platform: Platform, project: Project) -> list[str]:
    """The events of rows, in their order."""
    connection = await asyncpg.connect(platform.database_url)
    events = await connection.fetch(
        "select event from freehold.outbox where project_id = $1 and event like '%.rows.%' order by id",
        project.id,
    )
    await connection.close()
    return [row["event"].removeprefix("databases.db.tables.items.rows.") for row in events]


def test_permissions_that_are_no_list_are_refused(project: Project, tables: TablesDB) -> None:
    tables.create_row("db", "items", "a", {"name": "A"})

    answer = project.server.patch(ROWS, json={"data": {"name": "B", "$permissions": 5}})
    assert error_of(answer) == (400, "general_argument_invalid")
    assert tables.get_row("db", "items", "a").data["name"] == "A"
