"""Transactions: staged one by one, seen only from within, and done all together or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import pytest
from appwrite.exception import AppwriteException
from appwrite.operator import Operator
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.platform import Platform, Project, User, error_of

ROWS = "/tablesdb/db/tables/items/rows"
TRANSACTIONS = "/tablesdb/transactions"


@pytest.fixture
def tables(project: Project) -> TablesDB:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    for table in ("items", "others"):
        tables.create_table(
            "db",
            table,
            table.title(),
            permissions=['create("users")'],
            row_security=True,
            columns=[
                {"key": "name", "type": "varchar", "size": 40, "required": True},
                {"key": "count", "type": "integer", "required": False, "default": 1, "max": 100},
                {"key": "made", "type": "datetime", "required": False},
            ],
            indexes=[{"key": "by_name", "type": "unique", "attributes": ["name"]}],
        )
    return tables


def rows(tables: TablesDB, table: str = "items", transaction: str | None = None) -> dict[str, int]:
    found = tables.list_rows("db", table, [Query.limit(500)], transaction_id=transaction).rows
    return {row.data["name"]: row.data["count"] for row in found}


def begun(tables: TablesDB) -> str:
    return str(tables.create_transaction().id)


def commit(tables: TablesDB, transaction: str) -> str:
    return str(tables.update_transaction(transaction, commit=True).status)


def refused(act: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(AppwriteException) as caught:
        act()
    return caught.value.code, caught.value.type


def test_what_is_staged_is_seen_from_within_and_outside_only_when_committed(tables: TablesDB) -> None:
    tables.create_row("db", "items", "a", {"name": "A"})
    transaction = begun(tables)
    made = tables.create_row("db", "items", "unique()", {"name": "B", "count": 2}, transaction_id=transaction)
    changed = tables.update_row("db", "items", "a", {"count": 7}, transaction_id=transaction)

    assert (made.data["name"], changed.data["count"]) == ("B", 7)
    assert rows(tables) == {"A": 1}
    assert rows(tables, transaction=transaction) == {"A": 7, "B": 2}
    assert tables.get_row("db", "items", made.id, transaction_id=transaction).data == made.data
    assert refused(lambda: tables.get_row("db", "items", made.id)) == (404, "row_not_found")
    assert tables.get_transaction(transaction).operations == 2

    assert commit(tables, transaction) == "committed"
    row = tables.get_row("db", "items", made.id)
    assert (row.data, row.createdat, row.permissions) == (made.data, made.createdat, made.permissions)
    assert rows(tables) == {"A": 7, "B": 2}


def test_a_transaction_says_what_it_is(project: Project, tables: TablesDB) -> None:
    made = project.server.post(TRANSACTIONS, json={"ttl": 60})

    assert made.status_code == 201
    body = made.json()
    assert set(body) == {"$id", "$createdAt", "$updatedAt", "status", "operations", "expiresAt"}
    assert (body["status"], body["operations"]) == ("pending", 0)
    listed = tables.list_transactions([Query.equal("status", "pending")])
    assert [each.id for each in listed.transactions] == [body["$id"]]
    assert project.server.delete(f"{TRANSACTIONS}/{body['$id']}").status_code == 204
    assert error_of(project.server.get(f"{TRANSACTIONS}/{body['$id']}")) == (404, "transaction_not_found")


def test_every_route_of_rows_can_be_staged(tables: TablesDB) -> None:
    tables.create_rows("db", "items", [{"$id": f"r{n}", "name": f"N{n}", "count": n} for n in range(1, 6)])
    transaction = begun(tables)
    said: dict[str, Any] = {"transaction_id": transaction}
    tables.create_row("db", "items", "new", {"name": "new"}, **said)
    tables.upsert_row("db", "items", "r1", {"name": "one"}, **said)
    tables.upsert_row("db", "items", "r9", {"name": "nine"}, **said)
    tables.update_row("db", "items", "r2", {"count": Operator.multiply(10)}, **said)
    tables.delete_row("db", "items", "r3", **said)
    tables.increment_row_column("db", "items", "r4", "count", 5, **said)
    tables.decrement_row_column("db", "items", "r5", "count", 5, **said)
    bulk = tables.create_rows("db", "others", [{"name": "x"}, {"name": "y", "count": 9}], **said)
    tables.upsert_rows("db", "others", [{"$id": bulk.rows[0].id, "name": "xx"}, {"name": "z"}], **said)
    updated = tables.update_rows("db", "others", {"count": 50}, [Query.equal("name", ["xx", "y"])], **said)
    deleted = tables.delete_rows("db", "others", [Query.equal("name", "y")], **said)

    assert (updated.total, [row.data["name"] for row in deleted.rows]) == (2, ["y"])
    assert rows(tables, "others") == {}
    items = {"one": 1, "N2": 20, "N4": 9, "N5": 0, "new": 1, "nine": 1}
    others = {"xx": 50, "z": 1}
    assert (rows(tables, "items", transaction), rows(tables, "others", transaction)) == (items, others)
    assert commit(tables, transaction) == "committed"
    assert (rows(tables), rows(tables, "others")) == (items, others)


def test_operations_are_staged_together_or_not_at_all(project: Project, tables: TablesDB) -> None:
    tables.create_row("db", "items", "a", {"name": "A", "count": 5})
    transaction = begun(tables)
    at = {"databaseId": "db", "tableId": "items"}
    operations: list[dict[str, Any]] = [
        {**at, "action": "create", "rowId": "b", "data": {"name": "B", "$permissions": ['read("any")']}},
        {**at, "action": "create", "data": {"name": "C"}},
        {**at, "action": "update", "rowId": "a", "data": {"count": 6}},
        {**at, "action": "upsert", "rowId": "d", "data": {"name": "D"}},
        {**at, "action": "increment", "rowId": "a", "data": {"column": "count", "value": 2, "max": 10}},
        {**at, "action": "decrement", "rowId": "a", "data": {"column": "count"}},
        {**at, "action": "bulkCreate", "data": [{"name": "E"}, {"name": "F"}]},
        {**at, "action": "bulkUpsert", "data": [{"$id": "d", "name": "DD"}]},
        {**at, "action": "bulkUpdate", "data": {"data": {"count": 3}, "queries": [Query.equal("name", "E")]}},
        {**at, "action": "bulkDelete", "data": {"queries": [Query.equal("name", "F")]}},
        {**at, "action": "delete", "rowId": "b"},
    ]
    wrong = {**at, "action": "update", "rowId": "nobody", "data": {}}
    answer = project.server.post(
        f"{TRANSACTIONS}/{transaction}/operations", json={"operations": [*operations, wrong]}
    )
    assert error_of(answer) == (404, "row_not_found")
    assert answer.json()["message"].startswith("operations[11]: ")
    assert tables.get_transaction(transaction).operations == 0

    assert tables.create_operations(transaction, operations).operations == 11
    assert rows(tables) == {"A": 5}
    assert commit(tables, transaction) == "committed"
    assert rows(tables) == {"A": 7, "C": 1, "DD": 1, "E": 3}


@pytest.mark.parametrize(
    "operation",
    [
        {},
        {"action": "drop"},
        {"action": "create", "data": {"name": "x"}, "tableId": 5},
        {"action": "create", "data": "x"},
        {"action": "create", "rowId": "_x", "data": {"name": "x"}},
        {"action": "create", "data": {"name": "x", "$permissions": "any"}},
        {"action": "update", "rowId": "unique()", "data": {}},
        {"action": "update", "rowId": "a"},
        {"action": "delete"},
        {"action": "increment", "rowId": "a", "data": {"value": 1}},
        {"action": "increment", "rowId": "a", "data": {"column": "count", "value": "1"}},
        {"action": "bulkCreate", "data": {"name": "x"}},
        {"action": "bulkCreate", "data": []},
        {"action": "bulkUpdate", "data": {"queries": []}},
        {"action": "bulkDelete", "data": {"queries": [{"$ne": None}]}},
    ],
)
def test_an_operation_is_checked_as_the_body_of_its_route_is(
    project: Project, tables: TablesDB, operation: dict[str, Any]
) -> None:
    transaction = begun(tables)
    good = {"action": "create", "databaseId": "db", "tableId": "items", "data": {"name": "good"}}
    sent = {"operations": [good, {"databaseId": "db", "tableId": "items", **operation}]}
    answer = project.server.post(f"{TRANSACTIONS}/{transaction}/operations", json=sent)

    assert error_of(answer) == (400, "general_argument_invalid")
    assert "operations[1]" in answer.json()["message"]
    assert tables.get_transaction(transaction).operations == 0


def test_a_rollback_leaves_nothing(tables: TablesDB) -> None:
    transaction = begun(tables)
    tables.create_row("db", "items", "a", {"name": "A"}, transaction_id=transaction)

    assert tables.update_transaction(transaction, rollback=True).status == "rolled_back"
    assert rows(tables) == {}
    assert refused(lambda: commit(tables, transaction)) == (400, "transaction_not_ready")


def test_a_transaction_ends_once_and_one_way(project: Project, tables: TablesDB) -> None:
    transaction = begun(tables)
    for body in ({}, {"commit": True, "rollback": True}, {"commit": False}):
        answer = project.server.patch(f"{TRANSACTIONS}/{transaction}", json=body)
        assert error_of(answer) == (400, "transaction_invalid")
    tables.create_row("db", "items", "a", {"name": "A"}, transaction_id=transaction)

    def end(_: int) -> int:
        return project.server.patch(f"{TRANSACTIONS}/{transaction}", json={"commit": True}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(end, range(6))) == [200, 400, 400, 400, 400, 400]
    assert rows(tables) == {"A": 1}
    for act in (
        lambda: tables.create_row("db", "items", "b", {"name": "B"}, transaction_id=transaction),
        lambda: tables.list_rows("db", "items", transaction_id=transaction),
        lambda: tables.update_transaction(transaction, rollback=True),
    ):
        assert refused(act) == (400, "transaction_not_ready")


@pytest.mark.parametrize("meanwhile", ["update", "delete", "increment"])
def test_a_row_that_somebody_else_changed_fails_the_commit(tables: TablesDB, meanwhile: str) -> None:
    tables.create_row("db", "items", "a", {"name": "A"})
    transaction = begun(tables)
    tables.create_row("db", "items", "b", {"name": "B"}, transaction_id=transaction)
    tables.update_row("db", "items", "a", {"count": 5}, transaction_id=transaction)
    if meanwhile == "update":
        tables.update_row("db", "items", "a", {"count": 1})
    elif meanwhile == "delete":
        tables.delete_row("db", "items", "a")
    else:
        tables.increment_row_column("db", "items", "a", "count")
    before = rows(tables)

    for act in (
        lambda: tables.list_rows("db", "items", transaction_id=transaction),
        lambda: tables.create_row("db", "items", "c", {"name": "C"}, transaction_id=transaction),
        lambda: commit(tables, transaction),
    ):
        assert refused(act) == (409, "transaction_conflict")
    assert tables.get_transaction(transaction).status == "failed"
    assert rows(tables) == before


def test_a_row_that_somebody_else_made_fails_the_commit(tables: TablesDB) -> None:
    transaction = begun(tables)
    tables.upsert_row("db", "items", "a", {"name": "A"}, transaction_id=transaction)
    tables.create_row("db", "items", "a", {"name": "theirs"})

    assert refused(lambda: commit(tables, transaction)) == (409, "transaction_conflict")
    assert rows(tables) == {"theirs": 1}


def test_a_row_that_is_in_the_way_fails_the_commit(tables: TablesDB) -> None:
    transaction = begun(tables)
    tables.create_row("db", "items", "b", {"name": "B"}, transaction_id=transaction)
    tables.create_row("db", "items", "a", {"name": "A"}, transaction_id=transaction)
    tables.create_row("db", "items", "z", {"name": "A"})

    assert refused(lambda: commit(tables, transaction)) == (409, "row_unique_constraint_violation")
    assert rows(tables) == {"A": 1}
    assert tables.get_transaction(transaction).status == "failed"


def test_additions_of_others_are_no_conflict(tables: TablesDB) -> None:
    tables.create_row("db", "items", "a", {"name": "A", "count": 10})
    transaction = begun(tables)
    tables.increment_row_column("db", "items", "a", "count", 5, transaction_id=transaction)
    tables.increment_row_column("db", "items", "a", "count", 20)

    assert rows(tables, transaction=transaction) == {"A": 35}
    assert commit(tables, transaction) == "committed"
    assert rows(tables) == {"A": 35}


def test_a_change_by_queries_is_of_the_rows_that_it_found(tables: TablesDB) -> None:
    tables.create_rows("db", "items", [{"name": "A"}, {"name": "B"}])
    transaction = begun(tables)
    tables.update_rows("db", "items", {"count": 9}, transaction_id=transaction)
    tables.delete_rows("db", "items", [Query.equal("name", "nobody")], transaction_id=transaction)
    tables.create_rows("db", "items", [{"name": "late"}, {"name": "nobody"}])

    assert commit(tables, transaction) == "committed"
    assert rows(tables) == {"A": 9, "B": 9, "late": 1, "nobody": 1}


def test_what_is_staged_can_be_built_upon(tables: TablesDB) -> None:
    transaction = begun(tables)
    tables.create_row("db", "items", "a", {"name": "A"}, transaction_id=transaction)
    tables.increment_row_column("db", "items", "a", "count", 4, transaction_id=transaction)
    tables.delete_row("db", "items", "a", transaction_id=transaction)
    tables.create_row("db", "items", "b", {"name": "A"}, transaction_id=transaction)

    gone = lambda: tables.update_row("db", "items", "a", {"count": 1}, transaction_id=transaction)  # noqa: E731
    assert refused(gone) == (404, "row_not_found")
    twice = lambda: tables.create_row("db", "items", "c", {"name": "A"}, transaction_id=transaction)  # noqa: E731
    assert refused(twice) == (409, "row_unique_constraint_violation")
    assert tables.get_transaction(transaction).operations == 4
    assert commit(tables, transaction) == "committed"
    assert rows(tables) == {"A": 1}


def test_a_moment_stays_the_one_that_was_shown(tables: TablesDB) -> None:
    tables.create_row("db", "items", "a", {"name": "A"})
    transaction = begun(tables)
    now = {"made": Operator.date_set_now()}
    shown = tables.update_row("db", "items", "a", now, transaction_id=transaction).data["made"]
    made = tables.create_row("db", "items", "b", {"name": "B"}, transaction_id=transaction)
    time.sleep(0.05)
    commit(tables, transaction)

    row, new = tables.get_row("db", "items", "a"), tables.get_row("db", "items", "b")
    assert row.data["made"] == shown
    assert new.createdat == made.createdat
    # Whoever asks what has changed since must not miss it.
    assert row.updatedat > shown
    assert new.updatedat > made.createdat


async def test_the_events_of_a_commit_are_those_of_its_rows(
    platform: Platform, project: Project, tables: TablesDB
) -> None:
    transaction = begun(tables)
    tables.create_row("db", "items", "a", {"name": "A"}, transaction_id=transaction)
    tables.create_rows("db", "others", [{"$id": "b", "name": "B"}], transaction_id=transaction)
    tables.update_row("db", "items", "a", {"count": 2}, transaction_id=transaction)
    tables.list_rows("db", "items", transaction_id=transaction)

    async def events() -> list[str]:
        found = await connection.fetch(
            "select event from freehold.outbox where project_id = $1 and event like '%.rows.%' order by id",
            project.id,
        )
        return [row["event"].removeprefix("databases.db.tables.") for row in found]

    connection = await asyncpg.connect(platform.database_url)
    assert await events() == []
    commit(tables, transaction)
    assert await events() == ["items.rows.a.create", "others.rows.b.create", "items.rows.a.update"]
    kept = "select count(*) from freehold.transaction_operations where transaction_id = $1"
    assert await connection.fetchval(kept, transaction) == 0
    await connection.close()


def test_a_transaction_is_for_who_began_it(project: Project, tables: TablesDB, jane: User, bob: User) -> None:
    mine = jane.client.post(TRANSACTIONS, json={}).json()["$id"]
    servers = begun(tables)

    for client, transaction in ((bob.client, mine), (project.server, mine), (jane.client, servers)):
        create = {"action": "create", "databaseId": "db", "tableId": "items", "data": {"name": "x"}}
        for answer in (
            client.get(f"{TRANSACTIONS}/{transaction}"),
            client.patch(f"{TRANSACTIONS}/{transaction}", json={"commit": True}),
            client.patch(f"{TRANSACTIONS}/{transaction}", json={"rollback": True}),
            client.delete(f"{TRANSACTIONS}/{transaction}"),
            client.post(f"{TRANSACTIONS}/{transaction}/operations", json={"operations": [create]}),
            client.get(ROWS, params={"transactionId": transaction}),
            client.post(ROWS, json={"rowId": "a", "data": {"name": "A"}, "transactionId": transaction}),
        ):
            assert error_of(answer) == (404, "transaction_not_found")
    assert [each["$id"] for each in jane.client.get(TRANSACTIONS).json()["transactions"]] == [mine]
    assert bob.client.get(TRANSACTIONS).json()["total"] == 0
    for answer in (project.guest.post(TRANSACTIONS, json={}), project.guest.get(TRANSACTIONS)):
        assert error_of(answer) == (401, "user_unauthorized")


def test_a_transaction_may_have_a_hundred_operations(tables: TablesDB) -> None:
    transaction = begun(tables)
    create = {"action": "create", "databaseId": "db", "tableId": "items"}
    tables.create_operations(transaction, [{**create, "data": {"name": f"N{n}"}} for n in range(99)])
    tables.create_rows("db", "items", [{"name": "B1"}, {"name": "B2"}], transaction_id=transaction)

    more = lambda: tables.create_row("db", "items", "x", {"name": "x"}, transaction_id=transaction)  # noqa: E731
    assert refused(more) == (400, "transaction_limit_exceeded")
    assert tables.get_transaction(transaction).operations == 100
    assert commit(tables, transaction) == "committed"
    assert len(rows(tables)) == 101


@pytest.mark.parametrize("ttl", [59, 3601, -1, "300", 1.5, [60]])
def test_a_time_to_live_out_of_bounds_is_refused(project: Project, ttl: object) -> None:
    assert error_of(project.server.post(TRANSACTIONS, json={"ttl": ttl})) == (400, "general_argument_invalid")


async def test_an_expired_transaction_does_nothing_more(
    platform: Platform, project: Project, tables: TablesDB
) -> None:
    transaction = begun(tables)
    tables.create_row("db", "items", "a", {"name": "A"}, transaction_id=transaction)
    connection = await asyncpg.connect(platform.database_url)
    await connection.execute("update freehold.transactions set expires_at = now() where id = $1", transaction)
    await connection.close()

    for act in (
        lambda: commit(tables, transaction),
        lambda: tables.update_transaction(transaction, rollback=True),
        lambda: tables.create_row("db", "items", "b", {"name": "B"}, transaction_id=transaction),
        lambda: tables.get_row("db", "items", "a", transaction_id=transaction),
    ):
        assert refused(act) == (410, "transaction_expired")
    assert rows(tables) == {}


def test_changes_that_are_staged_at_once_are_all_staged(project: Project, tables: TablesDB) -> None:
    transaction = begun(tables)

    def stage(at: int) -> int:
        body = {"rowId": f"r{at}", "data": {"name": f"N{at}"}, "transactionId": transaction}
        return project.server.post(ROWS, json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(stage, range(24))) == {201}
    assert commit(tables, transaction) == "committed"
    assert len(rows(tables)) == 24


def test_of_transactions_on_one_row_the_first_to_commit_wins(project: Project, tables: TablesDB) -> None:
    tables.create_row("db", "items", "a", {"name": "A", "count": 0})
    transactions = [begun(tables) for _ in range(6)]
    for at, each in enumerate(transactions):
        tables.update_row("db", "items", "a", {"count": at}, transaction_id=each)
        tables.create_row("db", "others", f"o{at}", {"name": f"O{at}"}, transaction_id=each)

    def end(each: str) -> tuple[int, str]:
        answer = project.server.patch(f"{TRANSACTIONS}/{each}", json={"commit": True})
        return answer.status_code, answer.json().get("type", "")

    with ThreadPoolExecutor(6) as pool:
        ended = list(pool.map(end, transactions))
    assert sorted(ended) == [(200, ""), *[(409, "transaction_conflict")] * 5]
    winner = ended.index((200, ""))
    assert (rows(tables), rows(tables, "others")) == ({"A": winner}, {f"O{winner}": 1})


async def test_a_row_that_is_being_changed_is_not_waited_for_long(
    platform: Platform, project: Project, tables: TablesDB
) -> None:
    tables.create_row("db", "items", "a", {"name": "A"})
    transaction = begun(tables)
    connection = await asyncpg.connect(platform.database_url)
    namespace = await connection.fetchval(
        "select namespace from freehold.databases where project_id = $1", project.id
    )
    name = await connection.fetchval(
        "select tablename from pg_tables where schemaname = $1 and tablename like 'items%'", namespace
    )
    async with connection.transaction():
        await connection.execute(f'update "{namespace}"."{name}" set "count" = 3')
        answer = project.server.patch(f"{ROWS}/a", json={"data": {"count": 4}, "transactionId": transaction})
    await connection.close()

    assert error_of(answer) == (409, "general_resource_locked")
    assert tables.get_transaction(transaction).operations == 0
    tables.update_row("db", "items", "a", {"count": 4}, transaction_id=transaction)
    assert commit(tables, transaction) == "committed"
    assert rows(tables) == {"A": 4}


def test_a_table_that_changes_in_between_is_read_anew(tables: TablesDB) -> None:
    transaction = begun(tables)
    tables.create_row("db", "items", "a", {"name": "A"}, transaction_id=transaction)
    tables.create_varchar_column("db", "items", "extra", 10, False, default="x")
    tables.update_row("db", "items", "a", {"extra": "y"}, transaction_id=transaction)
    tables.create_varchar_column("db", "items", "more", 10, False, default="z")

    assert commit(tables, transaction) == "committed"
    assert tables.get_row("db", "items", "a").data == {
        "name": "A", "count": 1, "made": None, "extra": "y", "more": "z"
    }  # fmt: skip
