"""Whatever is done through a transaction comes out as it does without one."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from appwrite.exception import AppwriteException
from appwrite.operator import Operator
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.platform import Project

COLUMNS: list[dict[str, Any]] = [
    {"key": "name", "type": "varchar", "size": 6, "required": True},
    {"key": "count", "type": "integer", "required": False, "default": 3, "min": -20, "max": 20},
    {"key": "tags", "type": "varchar", "size": 3, "required": False, "array": True},
]
IDS = [f"r{n}" for n in range(8)]


@pytest.fixture
def tables(project: Project) -> TablesDB:
    """Two tables with the same rows, in which one id is taken by one name only."""
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    for table in ("plain", "staged"):
        unique = {"key": "one", "type": "unique", "attributes": ["name", "count"]}
        tables.create_table("db", table, table, columns=COLUMNS, indexes=[unique])
        tables.create_rows("db", table, [{"$id": each, "name": each, "tags": []} for each in IDS[:4]])
    return tables


def some_data(chance: random.Random) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": chance.choice(["A", "B", "C", "longer than it may be", Operator.string_concat("x"), None]),
        "count": chance.choice([chance.randrange(-9, 9), 21, None, Operator.increment(chance.randrange(9))]),
        "tags": chance.choice([["a"], None, Operator.array_append(["b"]), Operator.array_unique()]),
    }
    return {key: data[key] for key in chance.sample(list(data), chance.randrange(1, 4))}


def some_change(chance: random.Random) -> Callable[[TablesDB, str, str | None], object]:
    """A change by chance, for whichever table, in a transaction or in none."""
    row_id, other, data, more = chance.choice(IDS), chance.choice(IDS), some_data(chance), some_data(chance)
    by = chance.randrange(1, 12)
    fitting = [Query.greater_than("count", chance.randrange(-5, 9))]
    some = [*fitting, Query.order_asc("name"), Query.order_asc("$id"), Query.limit(2)]
    both = [{"$id": row_id, **data}, {"$id": other, **more}]
    changes: list[Callable[[TablesDB, str, str | None], object]] = [
        lambda on, table, tx: on.create_row("db", table, row_id, data, transaction_id=tx),
        lambda on, table, tx: on.create_row("db", table, row_id, {"name": "new"}, transaction_id=tx),
        lambda on, table, tx: on.update_row("db", table, row_id, data, transaction_id=tx),
        lambda on, table, tx: on.upsert_row("db", table, row_id, data, transaction_id=tx),
        lambda on, table, tx: on.delete_row("db", table, row_id, transaction_id=tx),
        lambda on, table, tx: on.increment_row_column(
            "db", table, row_id, "count", by, max=15, transaction_id=tx
        ),
        lambda on, table, tx: on.decrement_row_column("db", table, row_id, "count", by, transaction_id=tx),
        lambda on, table, tx: on.create_rows("db", table, both, transaction_id=tx),
        lambda on, table, tx: on.upsert_rows("db", table, both, transaction_id=tx),
        lambda on, table, tx: on.update_rows("db", table, data, some, transaction_id=tx),
        lambda on, table, tx: on.update_rows("db", table, {"count": by}, fitting, transaction_id=tx),
        lambda on, table, tx: on.delete_rows("db", table, some, transaction_id=tx),
    ]
    return chance.choice(changes)


def outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except AppwriteException as refused:
        return str(refused.type)
    return ""


def rows(tables: TablesDB, table: str, transaction: str | None = None) -> dict[str, Any]:
    found = tables.list_rows("db", table, [Query.limit(100)], transaction_id=transaction).rows
    return {row.id: row.data for row in found}


@pytest.mark.parametrize("seed", range(6))
def test_a_commit_makes_what_the_same_changes_make_one_by_one(tables: TablesDB, seed: int) -> None:
    chance = random.Random(seed)
    done = 0
    for _ in range(4):
        transaction = tables.create_transaction().id
        before = rows(tables, "staged")
        for _ in range(chance.randrange(1, 14)):
            change = some_change(chance)
            plain = outcome(lambda: change(tables, "plain", None))  # noqa: B023
            staged = outcome(lambda: change(tables, "staged", transaction))  # noqa: B023
            assert staged == plain != "general_server_error"
            done += not plain

        assert rows(tables, "staged") == before
        assert rows(tables, "staged", transaction) == rows(tables, "plain")
        assert tables.update_transaction(transaction, commit=True).status == "committed"
        assert rows(tables, "staged") == rows(tables, "plain")
    assert done > 5
