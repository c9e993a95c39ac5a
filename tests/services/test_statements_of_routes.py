"""How many statements each route on rows runs, and each that reads databases, tables, columns or indexes.

A route that is not in the tables below fails.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx
import pytest
from appwrite.query import Query

from freehold.services import endpoints
from tests.platform import Platform, Project
from tests.services.statements import logged

OPEN = ['read("users")', 'create("users")', 'update("users")', 'delete("users")']
COLUMNS = [
    {"key": "name", "type": "varchar", "size": 40, "required": False},
    {"key": "count", "type": "integer", "required": False},
]
TABLE = "/tablesdb/db/tables/books"
ROWS = f"{TABLE}/rows"
RELATED = {"queries[0]": Query.select(["*", "author.*"])}


class Asked(NamedTuple):
    """A call of a route, and how many statements it takes."""

    statements: int
    method: str
    path: str
    said: dict[str, Any] = {}
    for_keys: bool = False

    def of(self, client: httpx.Client) -> httpx.Response:
        if self.method == "GET":
            return client.get(self.path, params=self.said)
        return client.request(self.method, self.path, json=self.said)


ROW_ROUTES: dict[str, list[Asked]] = {
    "listRows": [Asked(1, "GET", ROWS), Asked(2, "GET", ROWS, RELATED)],
    "getRow": [Asked(1, "GET", f"{ROWS}/b1"), Asked(2, "GET", f"{ROWS}/b1", RELATED)],
    "createQuery": [
        Asked(1, "POST", f"{ROWS}/query", {"queries": []}),
        Asked(2, "POST", f"{ROWS}/query", {"queries": list(RELATED.values())}),
    ],
    "createRow": [
        Asked(1, "POST", ROWS, {"rowId": "unique()", "data": {"name": "x"}}),
        Asked(2, "POST", ROWS, {"rowId": "unique()", "data": {"author": "jo"}}),
        Asked(1, "POST", ROWS, {"rows": [{"name": "x"}] * 50}, for_keys=True),
    ],
    "updateRow": [
        Asked(1, "PATCH", f"{ROWS}/b1", {"data": {"name": "y"}}),
        Asked(2, "PATCH", f"{ROWS}/b1", {"data": {"author": "jo"}}),
    ],
    "upsertRow": [Asked(1, "PUT", f"{ROWS}/b1", {"data": {"name": "y"}})],
    "incrementRowColumn": [Asked(1, "PATCH", f"{ROWS}/b1/count/increment", {"value": 1})],
    "decrementRowColumn": [Asked(1, "PATCH", f"{ROWS}/b1/count/decrement", {"value": 1})],
    "upsertRows": [
        Asked(1, "PUT", ROWS, {"rows": [{"$id": f"b{n}", "name": "z"} for n in range(50)]}, for_keys=True)
    ],
    "updateRows": [Asked(1, "PATCH", ROWS, {"data": {"name": "z"}}, for_keys=True)],
    "deleteRow": [Asked(1, "DELETE", "/tablesdb/db/tables/alone/rows/a1")],
    "deleteRows": [Asked(1, "DELETE", "/tablesdb/db/tables/alone/rows", for_keys=True)],
    "listRowLogs": [Asked(0, "GET", f"{ROWS}/b1/logs", for_keys=True)],
}
"""Statements on rows, for a caller who has been seen before."""

LISTS: dict[str, Asked] = {
    "list": Asked(2, "GET", "/tablesdb"),
    "get": Asked(1, "GET", "/tablesdb/db"),
    "listTables": Asked(5, "GET", "/tablesdb/db/tables"),
    "getTable": Asked(3, "GET", TABLE),
    "listColumns": Asked(2, "GET", f"{TABLE}/columns"),
    "getColumn": Asked(2, "GET", f"{TABLE}/columns/name"),
    "listIndexes": Asked(2, "GET", f"{TABLE}/indexes"),
    "getIndex": Asked(2, "GET", f"{TABLE}/indexes/by_name"),
}
"""Statements on what the platform knows of tables: see docs/decisions/0025."""

KNOWN = ("freehold.databases", "freehold.tables", "freehold.columns", "freehold.indexes")


@pytest.fixture(scope="module")
def shared(platform: Platform) -> Project:
    """Fifty books of one author, and rows that stand alone."""
    project = platform.new_project()
    assert project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"}).status_code == 201
    for table_id in ("books", "authors", "alone"):
        add_table(project, table_id)
    relation = {"relatedTableId": "authors", "type": "manyToOne", "key": "author", "twoWay": True}
    made = project.server.post(f"{TABLE}/columns/relationship", json=relation)
    assert made.status_code == 202, made.text
    index = {"key": "by_name", "type": "key", "columns": ["name"]}
    assert project.server.post(f"{TABLE}/indexes", json=index).status_code == 202
    author = {"rowId": "jo", "data": {"books": [{"$id": f"b{n}", "name": "B"} for n in range(50)]}}
    assert project.server.post("/tablesdb/db/tables/authors/rows", json=author).status_code == 201
    return project


def add_table(project: Project, table_id: str) -> None:
    body = {"tableId": table_id, "name": table_id, "permissions": OPEN, "columns": COLUMNS}
    assert project.server.post("/tablesdb/db/tables", json=body).status_code == 201


def test_every_route_on_rows_is_counted_and_every_one_that_reads_tables() -> None:
    paths = {each.name: each for each in endpoints() if each.service == "tablesDB"}
    on_rows = {name for name, each in paths.items() if "/rows" in each.path}
    kinds = ("", "/{databaseId}", "/tables", "/{tableId}", "/columns", "/indexes", "/{key}")
    read = {
        name
        for name, each in paths.items()
        if each.method == "GET"
        and each.path.removeprefix("/v1/tablesdb").endswith(kinds)
        and not any(word in each.path for word in ("/rows", "/transactions", "/logs", "/usage", "/schema"))
    }

    assert on_rows == set(ROW_ROUTES)
    assert read == set(LISTS)


def counted(project: Project, asked: Asked, client: httpx.Client) -> tuple[list[str], httpx.Response]:
    answers: list[httpx.Response] = []
    with logged(project) as statements_of:
        ran = statements_of(lambda: answers.append(asked.of(client)))
    return ran, answers[0]


@pytest.mark.parametrize("name", ROW_ROUTES)
def test_a_route_on_rows_runs_a_statement_for_each_level_of_related_rows(shared: Project, name: str) -> None:
    jane = shared.new_user("Jane").client
    alone = {"rows": [{"$id": "a1"}, {"$id": "a2"}]}
    for asked in ROW_ROUTES[name]:
        client = shared.server if asked.for_keys else jane
        assert shared.server.put("/tablesdb/db/tables/alone/rows", json=alone).status_code < 300
        ran, answer = counted(shared, asked, client)

        assert answer.status_code < 300, answer.text
        assert len(ran) == asked.statements, "\n\n".join(ran)


@pytest.mark.parametrize("name", LISTS)
def test_a_read_of_tables_takes_no_more_statements_however_many_there_are(shared: Project, name: str) -> None:
    asked = LISTS[name]

    def fewest() -> list[str]:
        """The statements of one of several calls, the one in which the platform did least beside it."""
        with logged(shared, *KNOWN) as statements_of:
            return min((statements_of(lambda: asked.of(shared.server)) for _ in range(4)), key=len)

    before = fewest()
    for number in range(3):
        add_table(shared, f"more_{name.lower()}_{number}")
    after = fewest()

    assert asked.of(shared.server).status_code == 200
    assert len(before) == len(after) == asked.statements, "\n\n".join(after)
