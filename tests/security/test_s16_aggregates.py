"""S16, S18: what is counted, summed and grouped is what the caller may read; nothing tells of the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from appwrite.enums.relationship_type import RelationshipType
from appwrite.permission import Permission
from appwrite.role import Role
from appwrite.services.tables_db import TablesDB

from tests.platform import Project, User, error_of

ROWS = "/tablesdb/db/tables/sales/rows"
SECRET = 4711


@pytest.fixture
def sales(project: Project, jane: User) -> Project:
    """Jane may read two sales of three, and no customer."""
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    name = {"key": "name", "type": "varchar", "size": 20, "required": False}
    price = {"key": "price", "type": "integer", "required": False}
    tables.create_table("db", "customers", "C", [], columns=[name])
    tables.create_table("db", "sales", "S", ['create("users")'], row_security=True, columns=[name, price])
    tables.create_relationship_column(
        "db", "sales", "customers", RelationshipType.MANYTOONE, True, "customer"
    )
    hers = [Permission.read(Role.user(jane.id))]
    customer = {"$id": "c", "name": "whispered"}
    tables.create_row("db", "sales", "a", {"name": "north", "price": 1, "customer": customer}, hers)
    tables.create_row("db", "sales", "b", {"name": "north", "price": 2, "customer": "c"}, hers)
    tables.create_row("db", "sales", "z", {"name": "hidden", "price": SECRET, "customer": "c"}, [])
    return project


def query(method: str, attribute: Any = None, *values: Any) -> dict[str, Any]:
    return {"method": method, "attribute": attribute, "values": list(values)}


COUNT = query("count")
ASKED: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]] = [
    ([COUNT], [{"count": 2}]),
    ([query("sum", "price")], [{"sum_price": 3}]),
    ([query("max", "price")], [{"max_price": 2}]),
    ([query("countDistinct", "name", "n")], [{"n": 1}]),
    ([query("groupBy", None, "name"), COUNT], [{"name": "north", "count": 2}]),
    ([query("groupBy", None, "name"), COUNT, query("having", None, query("equal", "count", 1))], []),
    ([query("distinct"), query("select", None, "name")], [{"name": "north"}]),
    ([COUNT, query("equal", "price", SECRET)], [{"count": 0}]),
    ([COUNT, query("equal", "name", "hidden")], [{"count": 0}]),
    ([COUNT, query("equal", "customer.name", "whispered")], [{"count": 0}]),
    ([COUNT, query("isNotNull", "customer.name")], [{"count": 0}]),
]


@pytest.mark.parametrize(("queries", "rows"), ASKED, ids=[json.dumps(each[0])[:60] for each in ASKED])
@pytest.mark.parametrize("way", ["rest", "legacy", "transaction"])
def test_s16_hidden_rows_are_in_no_count_sum_or_group(
    sales: Project, jane: User, queries: list[dict[str, Any]], rows: list[dict[str, Any]], way: str
) -> None:
    params = {f"queries[{at}]": json.dumps(each) for at, each in enumerate(queries)}
    path = "/databases/db/collections/sales/documents" if way == "legacy" else ROWS
    if way == "transaction":
        params["transactionId"] = jane.client.post("/tablesdb/transactions", json={}).json()["$id"]
    answer = jane.client.get(path, params=params)

    assert answer.status_code == 200, answer.text
    assert answer.json()["documents" if way == "legacy" else "rows"] == rows


@pytest.mark.parametrize(
    "queries",
    [
        [query("groupBy", None, "customer.name"), COUNT],
        [query("max", "customer.name")],
        [query("countDistinct", "customer.name")],
        [query("distinct"), query("select", None, "customer.name")],
        [query("groupBy", None, "_permissions"), COUNT],
        [query("max", "_permissions")],
        [query("groupBy", None, "name"), COUNT, query("having", None, query("equal", "customer.name", "w"))],
    ],
)
def test_s18_groups_and_sums_lead_to_no_other_rows_or_columns(
    sales: Project, jane: User, queries: list[dict[str, Any]]
) -> None:
    answer = jane.client.get(
        ROWS, params={f"queries[{at}]": json.dumps(each) for at, each in enumerate(queries)}
    )

    assert error_of(answer) == (400, "general_query_invalid")
    assert "whispered" not in answer.text
    assert str(SECRET) not in answer.text


def test_s16_a_table_that_may_not_be_read_counts_nothing(sales: Project) -> None:
    refused = sales.guest.get("/tablesdb/db/tables/customers/rows", params={"queries[0]": json.dumps(COUNT)})
    empty = sales.guest.get(ROWS, params={"queries[0]": json.dumps(COUNT)})

    assert error_of(refused) == (401, "user_unauthorized")
    assert empty.json()["rows"] == [{"count": 0}]
