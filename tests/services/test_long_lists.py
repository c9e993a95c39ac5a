"""Lists of more rows than are read in one go."""

from __future__ import annotations

from itertools import chain

import pytest
from appwrite.enums.relationship_type import RelationshipType
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.platform import Project, User

ALL = 250
NUMBER = {"key": "number", "type": "integer", "required": False}


@pytest.fixture
def tables(project: Project) -> TablesDB:
    """250 books, each by one of seven authors."""
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    for table_id in ("books", "authors"):
        tables.create_table("db", table_id, table_id, ['read("users")'], columns=[NUMBER])
    tables.create_relationship_column("db", "books", "authors", RelationshipType.MANYTOONE, key="author")
    tables.create_rows("db", "authors", [{"$id": f"a{n}", "number": n} for n in range(7)])
    tables.create_rows("db", "books", [{"$id": f"b{n}", "number": n % 90} for n in range(ALL)])
    for author in range(7):
        fitting = [Query.equal("number", list(range(author, 90, 7)))]
        transaction = tables.create_transaction().to_dict()["$id"]
        found = tables.list_rows("db", "books", [*fitting, Query.limit(ALL)]).rows
        for at in range(0, len(found), 100):
            operations = [
                {"action": "update", "databaseId": "db", "tableId": "books", "rowId": row.id}
                | {"data": {"author": f"a{author}"}}
                for row in found[at : at + 100]
            ]
            tables.create_operations(transaction, operations)
        tables.update_transaction(transaction, commit=True)
    return tables


@pytest.mark.parametrize("transaction", [False, True])
@pytest.mark.parametrize("limit", [99, 100, 101, 200, ALL, 100_000])
def test_a_long_list_is_the_same_as_its_pages_together(
    tables: TablesDB, limit: int, transaction: bool
) -> None:
    staged = tables.create_transaction().to_dict()["$id"] if transaction else None
    asked = [Query.order_desc("number"), Query.select(["number", "author.*"])]

    def page(*queries: str) -> tuple[int, list[tuple[str, int, int]]]:
        found = tables.list_rows("db", "books", [*asked, *queries], transaction_id=staged)
        rows = [(row.id, row.data["number"], row.data["author"]["number"]) for row in found.rows]
        return found.total, rows

    pages = list(chain(*(page(Query.limit(50), Query.offset(at))[1] for at in range(0, ALL, 50))))
    last = pages[-1][0]
    assert all(number % 7 == author for _, number, author in pages)
    assert page(Query.limit(limit)) == (ALL, pages[:limit])
    assert page(Query.limit(limit), Query.cursor_before(last)) == (ALL, pages[:-1][-limit:])


def test_a_long_list_has_only_what_its_caller_may_read(tables: TablesDB, jane: User) -> None:
    tables.update_table("db", "books", permissions=[], row_security=True)
    tables.update_rows("db", "books", {"$permissions": ['read("users")']}, [Query.less_than("number", 60)])
    found = TablesDB(jane.sdk).list_rows("db", "books", [Query.limit(5000)])

    assert (found.total, len(found.rows)) == (180, 180)
    assert {row.data["number"] for row in found.rows} == set(range(60))
