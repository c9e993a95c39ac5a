"""How many statements a level of related rows takes: as many for fifty rows that name others as for one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import httpx
import pytest

from tests.platform import Platform, Project
from tests.services.statements import logged

OPEN = ['read("users")', 'create("users")', 'update("users")', 'delete("users")']
NAME = {"key": "name", "type": "varchar", "size": 40, "required": False}
TABLES = ("books", "authors", "tags", "covers", "shelves")
ROWS = "/tablesdb/db/tables/{}/rows"
FEW, MANY = 4, 50


class Level(NamedTuple):
    """A relationship of a table, and how many statements it takes beside the one on the rows themselves."""

    table: str
    key: str
    to_many: bool
    makes: int
    """To make what is named: look for it, make it, and link it."""
    replaces: int
    """To change some of what is named, make and connect others, and let go of what is named no more."""


LEVELS = (
    Level("books", "author", False, 2, 3),
    Level("authors", "books", True, 2, 7),
    Level("books", "cover", False, 2, 4),
    Level("covers", "book", False, 2, 6),
    Level("books", "tags", True, 3, 6),
    Level("tags", "books", True, 3, 6),
)


@pytest.fixture(scope="module")
def shared(platform: Platform) -> Project:
    """Books with an author, a cover and tags, and shelves on which all of these stand."""
    project = platform.new_project()
    assert project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"}).status_code == 201
    for table_id in TABLES:
        body = {"tableId": table_id, "name": table_id, "permissions": OPEN, "columns": [NAME]}
        assert project.server.post("/tablesdb/db/tables", json=body).status_code == 201
    ties = [
        ("books", "author", "authors", "manyToOne", "books"),
        ("books", "cover", "covers", "oneToOne", "book"),
        ("books", "tags", "tags", "manyToMany", "books"),
        *(("shelves", table, table, "oneToMany", "shelf") for table in TABLES[:-1]),
    ]
    for table, key, other, kind, back in ties:
        body = {"relatedTableId": other, "type": kind, "key": key, "twoWay": True, "twoWayKey": back}
        made = project.server.post(f"/tablesdb/db/tables/{table}/columns/relationship", json=body)
        assert made.status_code == 202, made.text
    return project


def parents(level: Level, name: str, rows: int, replacing: bool) -> list[dict[str, Any]]:
    """Rows that each name others of their own: new ones, or later others in their place."""

    def related(at: int) -> Any:
        own = f"{name}-{at}"
        if not replacing:
            items: list[Any] = [{"$id": f"{own}-{n}", "name": "new"} for n in range(3)]
        elif level.to_many:
            items = [f"{own}-0", {"$id": f"{own}-1", "name": "changed"}, {"$id": f"{own}-9"}]
        else:
            items = [{"$id": f"{own}-{at % 2 * 9}", "name": "changed"}]  # every second time another one
        return items if level.to_many else items[0]

    return [{"$id": f"{name}-{at}", "name": "x", level.key: related(at)} for at in range(rows)]


Send = Callable[[httpx.Client, Level, list[dict[str, Any]], bool], httpx.Response]


def by_bulk(
    client: httpx.Client, level: Level, rows: list[dict[str, Any]], replacing: bool
) -> httpx.Response:
    return client.request("PUT" if replacing else "POST", ROWS.format(level.table), json={"rows": rows})


def by_row(client: httpx.Client, level: Level, rows: list[dict[str, Any]], replacing: bool) -> httpx.Response:
    """As related rows of one row, which is changed when they are there."""
    shelf, path = str(rows[0]["$id"]), ROWS.format("shelves")
    if replacing:
        return client.patch(f"{path}/{shelf}", json={"data": {level.table: rows}})
    return client.post(path, json={"rowId": shelf, "data": {level.table: rows}})


def by_upsert(
    client: httpx.Client, level: Level, rows: list[dict[str, Any]], replacing: bool
) -> httpx.Response:
    path = f"{ROWS.format('shelves')}/{rows[0]['$id']}"
    return client.put(path, json={"data": {level.table: rows}})


@pytest.mark.parametrize(
    ("send", "made", "replaced"),
    [(by_bulk, 1, 1), (by_row, 3, 4), (by_upsert, 5, 4)],
    ids=["rows", "related rows", "related rows of one that is upserted"],
)
def test_a_level_takes_as_many_statements_for_many_rows_as_for_few(
    shared: Project, send: Send, made: int, replaced: int
) -> None:
    calls = list(product(LEVELS, (False, True), (FEW, MANY)))
    with logged(shared) as statements_of:

        def count(level: Level, replacing: bool, many: int) -> int:
            rows = parents(level, f"{send.__name__}-{level.table}-{level.key}-{many}", many, replacing)
            answers: list[httpx.Response] = []
            ran = statements_of(lambda: answers.append(send(shared.server, level, rows, replacing)))
            assert answers[0].status_code < 300, answers[0].text
            return len(ran)

        ran = {call: count(*call) for call in calls}

    assert ran == {
        (level, replacing, many): replaced + level.replaces if replacing else made + level.makes
        for level, replacing, many in calls
    }
