"""How many statements on rows each call runs: as few as there are levels of related rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from appwrite.enums.relation_mutate import RelationMutate
from appwrite.enums.relationship_type import RelationshipType
from appwrite.operator import Operator
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.platform import Project, User
from tests.services.statements import logged

ALL = ['read("users")', 'create("users")', 'update("users")', 'delete("users")']
COLUMNS = [
    {"key": "name", "type": "varchar", "size": 40, "required": False},
    {"key": "count", "type": "integer", "required": False},
]


ROW_TABLES = ("items", "books", "authors", "countries", "tags", "covers")


@pytest.fixture
def tables(project: Project) -> TablesDB:
    """Books with an author, a cover and tags; authors have a country, and items stand alone."""
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    for table_id in ROW_TABLES:
        tables.create_table("db", table_id, table_id, ALL, row_security=True, columns=COLUMNS)
    relate = tables.create_relationship_column
    cascade = RelationMutate.CASCADE
    relate("db", "books", "authors", RelationshipType.MANYTOONE, True, "author", "books", cascade)
    relate("db", "authors", "countries", RelationshipType.MANYTOONE, True, "country", "authors")
    relate("db", "books", "tags", RelationshipType.MANYTOMANY, True, "tags", "books")
    relate("db", "books", "covers", RelationshipType.ONETOONE, True, "cover", "book")
    tables.create_rows("db", "items", [{"$id": f"i{n}", "name": "X", "count": n} for n in range(100)])
    tables.create_row(
        "db", "authors", "jo",
        {"country": {"$id": "no"}, "books": [{"$id": f"b{n}", "name": "B"} for n in range(50)]},
    )  # fmt: skip
    return tables


MANY = [{"$id": f"i{n}", "name": "Y"} for n in range(50, 150)]
WITH_OPERATORS = [{"$id": f"i{n}", "count": Operator.increment(n % 3 + 1)} for n in range(100)]
NESTED = {
    "author": {"name": "New"},
    "cover": {"name": "Red"},
    "tags": [{"name": f"T{n}"} for n in range(30)],
}

CALLS: dict[str, tuple[Callable[[TablesDB], Any], int]] = {
    "list": (lambda db: db.list_rows("db", "items"), 1),
    "list with a filter, an order and a cursor": (
        lambda db: db.list_rows(
            "db", "items", [Query.not_equal("count", 3), Query.order_desc("count"), Query.cursor_after("i50")]
        ),
        1,
    ),
    "list of all": (lambda db: db.list_rows("db", "items", [Query.limit(100)]), 1),
    "list with a related filter": (
        lambda db: db.list_rows("db", "books", [Query.equal("author.country.name", "x")]), 1,
    ),
    "list with one level": (
        lambda db: db.list_rows("db", "books", [Query.select(["*", "author.*", "tags.*", "cover.*"])]), 2,
    ),
    "list with two levels": (
        lambda db: db.list_rows("db", "books", [Query.select(["author.country.*", "author.books.*"])]), 3,
    ),
    "get": (lambda db: db.get_row("db", "items", "i1"), 1),
    "count": (lambda db: db.list_rows("db", "items", ['{"method":"count","values":["n"]}']), 1),
    "create": (lambda db: db.create_row("db", "items", "new", {"name": "N"}), 1),
    "update": (lambda db: db.update_row("db", "items", "i1", {"name": "N"}), 1),
    "upsert of one that is there": (lambda db: db.upsert_row("db", "items", "i1", {"name": "N"}), 1),
    "upsert of a new one": (lambda db: db.upsert_row("db", "items", "new", {"name": "N"}), 2),
    "increment": (lambda db: db.increment_row_column("db", "items", "i1", "count"), 1),
    "decrement": (lambda db: db.decrement_row_column("db", "items", "i1", "count"), 1),
    "delete": (lambda db: db.delete_row("db", "items", "i1"), 1),
    "create with rows of three tables": (lambda db: db.create_row("db", "books", "new", NESTED), 5),
    "create with a list of thirty": (
        lambda db: db.create_row("db", "authors", "new", {"books": [{"name": "B"}] * 30}), 2,
    ),
    "create with thirty that have ids": (
        lambda db: db.create_row("db", "authors", "new", {"books": [{"$id": f"n{n}"} for n in range(30)]}), 3,
    ),
    "create tied to fifty": (
        lambda db: db.create_row("db", "tags", "new", {"books": [f"b{n}" for n in range(50)]}), 4,
    ),
}  # fmt: skip
FOR_KEYS: dict[str, tuple[Callable[[TablesDB], Any], int]] = {
    "bulk create": (lambda db: db.create_rows("db", "items", [{"name": "N"}] * 100), 1),
    "bulk upsert": (lambda db: db.upsert_rows("db", "items", MANY), 1),
    "bulk upsert with operators": (lambda db: db.upsert_rows("db", "items", WITH_OPERATORS), 1),
    "bulk update": (lambda db: db.update_rows("db", "items", {"name": "Z"}), 1),
    "bulk delete": (lambda db: db.delete_rows("db", "items"), 1),
}


@pytest.mark.parametrize("name", [*CALLS, *FOR_KEYS])
def test_a_call_runs_no_more_statements_than_its_levels_take(
    project: Project, tables: TablesDB, jane: User, name: str
) -> None:
    call, most = (CALLS | FOR_KEYS)[name]
    caller = TablesDB(jane.sdk) if name in CALLS else tables
    with logged(project) as statements_of:
        ran = statements_of(lambda: call(caller))

    assert len(ran) == most, "\n\n".join(ran)


REMEMBERED = ("from freehold.projects p", "from freehold.tables t")
"""What a process remembers of projects and tables, whoever calls: see docs/decisions/0025."""


@pytest.mark.parametrize("name", CALLS)
def test_the_first_call_of_a_session_takes_one_statement_more(
    project: Project, tables: TablesDB, jane: User, name: str
) -> None:
    call, levels = CALLS[name]
    session = project.sign_in(jane.email)
    identity = ("from freehold.sessions", "from freehold.users")
    with logged(project, *identity, *REMEMBERED) as statements_of:
        ran = statements_of(lambda: call(TablesDB(project.sdk(session=session))))

    told = [each for each in ran if any(kind in each for kind in identity)]
    remembered = [each for each in ran if any(kind in each for kind in REMEMBERED)]
    assert len(told) == 1, "\n\n".join(told)
    assert len(ran) - len(told) - len(remembered) == levels, "\n\n".join(ran)
    assert sum(REMEMBERED[0] in each for each in remembered) <= 1
    assert sum(REMEMBERED[1] in each for each in remembered) <= len(ROW_TABLES)  # each once
