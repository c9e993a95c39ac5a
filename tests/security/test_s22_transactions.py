"""S22: what a route refuses is refused when it is staged too, for the same reason; and so is what it allows.

S13, S14, S25 and S40 for transactions as well.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx
import pytest
from appwrite.operator import Operator
from appwrite.services.tables_db import TablesDB

from tests.platform import Project, User, error_of

ROWS = "/tablesdb/db/tables/things/rows"
TRANSACTIONS = "/tablesdb/transactions"


class Change(NamedTuple):
    """A change of rows as its route has it, and as an operation."""

    method: str
    path: str
    body: dict[str, Any]
    action: str
    row_id: str | None
    data: Any


FOREIGN = {"name": "x", "$permissions": ['read("user:somebody")']}
CHANGES = {
    "create": Change("POST", "", {"rowId": "new", "data": {"name": "x"}}, "create", "new", {"name": "x"}),
    "grant": Change(
        "POST", "",
        {"rowId": "new", "data": {"name": "x"}, "permissions": FOREIGN["$permissions"]},
        "create", "new", FOREIGN,
    ),
    "take": Change("POST", "", {"rowId": "mine", "data": {"name": "x"}}, "create", "mine", {"name": "x"}),
    "update": Change("PATCH", "/mine", {"data": {"count": 2}}, "update", "mine", {"count": 2}),
    "operator": Change(
        "PATCH", "/mine", {"data": {"count": Operator.increment()}},
        "update", "mine", {"count": Operator.increment()},
    ),
    "bad column": Change("PATCH", "/mine", {"data": {"nope": 2}}, "update", "mine", {"nope": 2}),
    "bad value": Change("PATCH", "/mine", {"data": {"count": []}}, "update", "mine", {"count": []}),
    "beyond": Change("PATCH", "/mine", {"data": {"count": 1000}}, "update", "mine", {"count": 1000}),
    "nobody": Change("PATCH", "/nobody", {"data": {"count": 2}}, "update", "nobody", {"count": 2}),
    "upsert": Change("PUT", "/mine", {"data": {"name": "x"}}, "upsert", "mine", {"name": "x"}),
    "upsert new": Change("PUT", "/new", {"data": {"name": "x"}}, "upsert", "new", {"name": "x"}),
    "delete": Change("DELETE", "/mine", {}, "delete", "mine", None),
    "increment": Change(
        "PATCH", "/mine/count/increment", {"value": 2}, "increment", "mine", {"column": "count", "value": 2}
    ),
    "bound": Change(
        "PATCH", "/mine/count/increment", {"max": 1}, "increment", "mine", {"column": "count", "max": 1}
    ),
    "text": Change("PATCH", "/mine/name/decrement", {}, "decrement", "mine", {"column": "name"}),
    "bulk create": Change("POST", "", {"rows": [{"name": "x"}]}, "bulkCreate", None, [{"name": "x"}]),
    "bulk upsert": Change("PUT", "", {"rows": [{"name": "x"}]}, "bulkUpsert", None, [{"name": "x"}]),
    "bulk update": Change(
        "PATCH", "", {"data": {"count": 9}}, "bulkUpdate", None, {"data": {"count": 9}}
    ),
    "bulk delete": Change("DELETE", "", {}, "bulkDelete", None, {}),
}  # fmt: skip


@pytest.fixture
def tables(project: Project, jane: User) -> TablesDB:
    """A table in which Jane has a row of her own."""
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    tables.create_table(
        "db",
        "things",
        "Things",
        permissions=['create("users")'],
        row_security=True,
        columns=[
            {"key": "name", "type": "varchar", "size": 40, "required": True},
            {"key": "count", "type": "integer", "required": False, "default": 1, "max": 100},
        ],
    )
    made = jane.client.post(ROWS, json={"rowId": "mine", "data": {"name": "mine"}})
    assert made.status_code == 201
    return tables


def begun(client: httpx.Client) -> str:
    return str(client.post(TRANSACTIONS, json={}).json()["$id"])


def outcome(answer: httpx.Response) -> tuple[int, str]:
    return (200, "") if answer.status_code < 300 else error_of(answer)


def staged_by_route(client: httpx.Client, change: Change) -> tuple[int, str]:
    body = {**change.body, "transactionId": begun(client)}
    return outcome(client.request(change.method, ROWS + change.path, json=body))


def operation(change: Change) -> dict[str, Any]:
    said: dict[str, Any] = {"action": change.action, "databaseId": "db", "tableId": "things"}
    if change.row_id is not None:
        said["rowId"] = change.row_id
    return said if change.data is None else {**said, "data": change.data}


def staged_as_operation(client: httpx.Client, change: Change) -> tuple[int, str]:
    path = f"{TRANSACTIONS}/{begun(client)}/operations"
    return outcome(client.post(path, json={"operations": [operation(change)]}))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_s22_staging_a_change_is_allowed_and_refused_as_making_it_is(
    project: Project, tables: TablesDB, jane: User, bob: User, change: Change
) -> None:
    reader = project.platform.client(project.id, key=project.key_with("rows.read"))

    for client in (bob.client, jane.client, project.server):
        staged = staged_by_route(client, change), staged_as_operation(client, change)
        assert tables.get_row("db", "things", "mine").data == {"name": "mine", "count": 1}
        assert tables.list_rows("db", "things").total == 1
        made = outcome(client.request(change.method, ROWS + change.path, json=change.body))
        assert staged == (made, made)
        if made[0] == 200:
            reset(project, jane)
    assert error_of(reader.post(TRANSACTIONS, json={})) == (401, "general_unauthorized_scope")
    staged_at = f"{TRANSACTIONS}/{begun(project.server)}/operations"
    unscoped = reader.post(staged_at, json={"operations": [operation(change)]})
    assert error_of(unscoped) == (401, "general_unauthorized_scope")


def reset(project: Project, jane: User) -> None:
    project.server.request("DELETE", ROWS, json={})
    made = jane.client.post(ROWS, json={"rowId": "mine", "data": {"name": "mine"}})
    assert made.status_code == 201


def test_s22_a_right_that_was_taken_away_is_missing_at_the_commit(tables: TablesDB, jane: User) -> None:
    transaction = begun(jane.client)
    said = {"rowId": "new", "data": {"name": "new"}, "transactionId": transaction}
    assert jane.client.post(ROWS, json=said).status_code == 201
    tables.update_table("db", "things", "Things", permissions=[], row_security=True)
    answer = jane.client.patch(f"{TRANSACTIONS}/{transaction}", json={"commit": True})

    assert error_of(answer) == (401, "user_unauthorized")
    assert jane.client.get(f"{TRANSACTIONS}/{transaction}").json()["status"] == "failed"
    assert tables.list_rows("db", "things").total == 1


def test_s14_an_operation_sets_nothing_but_what_its_route_would(
    project: Project, tables: TablesDB, jane: User
) -> None:
    transaction = begun(jane.client)
    sneaked = {"$createdAt": "2001-01-01T00:00:00.000Z", "$sequence": 99, "$updatedAt": None, "$id": "other"}
    said = operation(CHANGES["create"]) | {
        "data": {"name": "x", **sneaked},
        "hit": ["mine"],
        "seen": {},
        "owner": "",
        "staged": {"tenant": "other"},
    }
    path = f"{TRANSACTIONS}/{transaction}/operations"
    assert jane.client.post(path, json={"operations": [said]}).status_code == 201
    assert jane.client.patch(f"{TRANSACTIONS}/{transaction}", json={"commit": True}).status_code == 200

    row = tables.get_row("db", "things", "new")
    assert row.createdat > "2020"
    assert row.permissions == tables.get_row("db", "things", "mine").permissions
    begun_as_other = jane.client.post(
        TRANSACTIONS, json={"owner": "", "status": "committed", "operations": 5}
    )
    assert (begun_as_other.json()["status"], begun_as_other.json()["operations"]) == ("pending", 0)


@pytest.mark.parametrize("odd", [{"$ne": None}, [["a"]], True, 5, "", "a/b", "any'--", "x" * 37])
def test_s13_s40_an_odd_transaction_is_none(project: Project, tables: TablesDB, odd: object) -> None:
    for method, path, body in (
        ("POST", "", {"rowId": "a", "data": {"name": "a"}}),
        ("PATCH", "/mine", {"data": {"name": "a"}}),
        ("PUT", "/mine", {"data": {"name": "a"}}),
        ("DELETE", "/mine", {}),
        ("DELETE", "", {}),
        ("PATCH", "/mine/count/increment", {}),
    ):
        answer = project.server.request(method, ROWS + path, json={**body, "transactionId": odd})
        assert error_of(answer) == (400, "general_argument_invalid")
    for path in ("", "/mine"):
        answer = project.server.get(ROWS + path, params={"transactionId": str(odd)})
        assert error_of(answer)[0] in (400, 404)
    assert tables.get_row("db", "things", "mine").data["name"] == "mine"


def test_s25_too_many_operations_are_refused_before_any_is_tried(project: Project, tables: TablesDB) -> None:
    transaction = begun(project.server)
    path = f"{TRANSACTIONS}/{transaction}/operations"
    many = [operation(CHANGES["create"])] * 101

    assert error_of(project.server.post(path, json={"operations": many})) == (400, "general_argument_invalid")
    half = [{**operation(CHANGES["create"]), "rowId": "unique()"}] * 60
    assert project.server.post(path, json={"operations": half}).status_code == 201
    refused = project.server.post(path, json={"operations": half})
    assert error_of(refused) == (400, "transaction_limit_exceeded")
    assert tables.get_transaction(transaction).operations == 60


def test_s42_a_transaction_is_of_its_project(project: Project, tables: TablesDB) -> None:
    other = project.platform.new_project()
    transaction = begun(project.server)

    answer = other.server.patch(f"{TRANSACTIONS}/{transaction}", json={"rollback": True})
    assert error_of(answer) == (404, "transaction_not_found")
    assert tables.get_transaction(transaction).status == "pending"
