"""S18: a list that is kept shows no related row to who may not read it, however it is asked for."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import httpx
import pytest

from tests.platform import Project

TABLES = "/tablesdb/db/tables"
AUTHORS = f"{TABLES}/authors/rows"
OLD = {"X-Appwrite-Response-Format": "1.7.0"}


@pytest.fixture
def library(project: Project) -> Project:
    """An author with a book; anybody may read both tables."""
    server = project.server
    server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    title = {"key": "title", "type": "varchar", "size": 40, "required": False}
    for table in ("authors", "books"):
        body = {"tableId": table, "name": table, "permissions": ['read("any")'], "columns": [title]}
        assert server.post(TABLES, json=body).status_code == 201
    tie = {
        "relatedTableId": "books",
        "type": "oneToMany",
        "twoWay": True,
        "key": "books",
        "twoWayKey": "author",
    }
    assert server.post(f"{TABLES}/authors/columns/relationship", json=tie).status_code < 300
    server.post(AUTHORS, json={"rowId": "ann", "data": {}})
    book = {"rowId": "one", "data": {"title": "Hidden", "author": "ann"}}
    assert server.post(f"{TABLES}/books/rows", json=book).status_code == 201
    return project


class Way(NamedTuple):
    queries: list[str]
    headers: dict[str, str] = {}


def query(method: str, attribute: str | None, *values: Any) -> str:
    return json.dumps({"method": method, "attribute": attribute, "values": list(values)})


WAYS = {
    "selected": Way([query("select", None, "*", "books.*")]),
    "selected by its key": Way([query("select", None, "*", "books")]),
    "spelled otherwise": Way([query("select", None, "books.*").replace(".", "\\u002e")]),
    "asked by an old SDK": Way([], OLD),
    "found by one": Way([query("equal", "books.title", "Hidden")]),
    "found by having one": Way([query("isNotNull", "books")]),
    "found by its id": Way([query("equal", "books", "one")]),
}


def kept(client: httpx.Client, way: Way) -> dict[str, Any]:
    """The answer that a process has kept: the one that the client is connected to, unless that hangs up."""
    params = {"ttl": 3600, **{f"queries[{at}]": text for at, text in enumerate(way.queries)}}
    for _ in range(20):
        response = client.get(AUTHORS, params=params, headers=way.headers)
        assert response.status_code == 200, response.text
        if response.headers["X-Appwrite-Cache"] == "hit":
            break
    assert response.headers["X-Appwrite-Cache"] == "hit"
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_s18_a_table_that_was_closed_is_not_shown_from_memory(library: Project, way: Way) -> None:
    shown = kept(library.guest, way)
    assert shown["total"] == 1
    library.server.put(f"{TABLES}/books", json={"name": "Books", "permissions": []})

    after = kept(library.guest, way)
    assert "Hidden" not in json.dumps(after)
    assert "one" not in json.dumps(after)
    assert after["total"] == (0 if "found" in next(name for name, each in WAYS.items() if each is way) else 1)


def test_s18_a_list_that_old_sdks_keep_is_not_that_of_others(library: Project) -> None:
    old = kept(library.guest, WAYS["asked by an old SDK"])
    new = kept(library.guest, Way([]))

    assert old["rows"][0]["books"][0]["title"] == "Hidden"
    assert "Hidden" not in json.dumps(new)
