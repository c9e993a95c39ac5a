"""S12, S40: names as long as they get, words that SQL keeps for itself, and quotes where they may stand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.platform import Project

LONG = "n" * 35
"""With one more character the longest id. Two of them make a name that PostgreSQL cuts."""
WORDS = ("select", "table", "user", "order", "group", "where", "NULL", "default", "primary", "returning")
QUOTES = ["it's", 'say "hi"', "back\\slash", "$$", "'; drop table t; --", "é" * 60, "x" * 200, "a,b", "{a}"]


@pytest.fixture
def server(project: Project) -> Project:
    assert project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"}).status_code == 201
    return project


def post(project: Project, path: str, status: int = 201, **body: Any) -> dict[str, Any]:
    answer = project.server.post(path, json=body)
    assert answer.status_code == status, answer.text
    made: dict[str, Any] = answer.json()
    return made


def listed(project: Project, path: str, *queries: dict[str, Any]) -> list[str]:
    params = {f"queries[{at}]": json.dumps(each) for at, each in enumerate(queries)}
    answer = project.server.get(path, params=params)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return [row["$id"] for row in found.get("rows", found.get("documents"))]


def test_s12_names_that_postgresql_would_cut_stay_apart(server: Project) -> None:
    one, two = LONG + "1", LONG + "2"
    columns = [{"key": key, "type": "varchar", "size": 9, "required": False} for key in (one, two)]
    for table in (one, two):
        post(server, "/tablesdb/db/tables", tableId=table, name="T", columns=columns)
        path = f"/tablesdb/db/tables/{table}"
        for key in (one, two):
            post(server, f"{path}/indexes", 202, key=key, type="unique", columns=[key])
    related = {"relatedTableId": two, "type": "manyToMany", "twoWay": True}
    for at in "345":
        keys = {"key": LONG + at, "twoWayKey": LONG + at}
        post(server, f"/tablesdb/db/tables/{one}/columns/relationship", 202, **related, **keys)
    rows = f"/tablesdb/db/tables/{one}/rows"
    tied = {LONG + "3": [{"$id": "x"}], LONG + "4": [{"$id": "y"}]}
    post(server, rows, rowId="a", data={one: "1", two: "2", **tied})
    taken = server.server.post(rows, json={"rowId": "b", "data": {one: "1"}})
    post(server, rows, rowId="c", data={one: "2", two: "1"})

    assert taken.status_code == 409
    assert listed(server, rows, {"method": "equal", "attribute": two, "values": ["2"]}) == ["a"]
    for at, there in (("3", ["a"]), ("4", []), ("5", [])):
        query = {"method": "equal", "attribute": f"{LONG}{at}.$id", "values": ["x"]}
        assert listed(server, rows, query) == there
    legacy = f"/databases/db/collections/{one}"
    assert server.server.get(f"{legacy}/indexes/{two}").json()["attributes"] == [two]
    assert server.server.delete(f"{legacy}/indexes/{two}").status_code == 204
    assert server.server.delete(f"{legacy}/attributes/{LONG}4").status_code == 204
    assert listed(server, rows) == ["a", "c"]


@pytest.mark.parametrize("word", WORDS)
def test_s12_words_of_sql_are_names_like_others(server: Project, word: str) -> None:
    column = {"key": word, "type": "varchar", "size": 20, "required": False}
    post(server, "/tablesdb/db/tables", tableId=word, name="T", columns=[column])
    path = f"/tablesdb/db/tables/{word}"
    post(server, f"{path}/indexes", 202, key=word, type="key", columns=[word])
    post(server, f"{path}/indexes", 202, key=f"{word}_words", type="fulltext", columns=[word])
    for kind, key in (("manyToOne", f"{word}_"), ("manyToMany", f"{word}__")):
        related = {"relatedTableId": word, "type": kind, "twoWay": True}
        keys = {"key": key, "twoWayKey": f"{key}back"}
        post(server, f"{path}/columns/relationship", 202, **related, **keys)
    post(server, f"{path}/rows", rowId="a", data={word: "x", f"{word}_": {"$id": "b", word: "y"}})

    for query, found in (
        ({"method": "equal", "attribute": word, "values": ["x"]}, ["a"]),
        ({"method": "search", "attribute": word, "values": ["y"]}, ["b"]),
        ({"method": "equal", "attribute": f"{word}_.{word}", "values": ["y"]}, ["a"]),
        ({"method": "orderDesc", "attribute": word}, ["b", "a"]),
    ):
        assert listed(server, f"{path}/rows", query) == found
        assert listed(server, f"/databases/db/collections/{word}/documents", query) == found


@pytest.mark.parametrize("element", QUOTES)
def test_s12_elements_of_enums_are_data_however_they_are_quoted(server: Project, element: str) -> None:
    column = {"key": "state", "type": "enum", "elements": [element, "b"], "required": False}
    post(server, "/tablesdb/db/tables", tableId="t", name="T", columns=[column])
    post(server, "/tablesdb/db/tables/t/indexes", 202, key="k", type="key", columns=["state"])
    rows = "/tablesdb/db/tables/t/rows"
    post(server, rows, rowId="a", data={"state": element})
    transaction = post(server, "/tablesdb/transactions")["$id"]
    post(server, rows, rowId="c", data={"state": element}, transactionId=transaction)
    assert server.server.patch(f"/tablesdb/transactions/{transaction}", json={"commit": True}).is_success
    other = server.server.post(rows, json={"rowId": "d", "data": {"state": element + "x"}})
    wider = {"elements": [element, "b", "c"], "required": False, "default": element}
    changed = server.server.patch("/databases/db/collections/t/attributes/enum/state", json=wider)

    assert other.status_code == 400
    assert changed.status_code == 200, changed.text
    assert listed(server, rows, {"method": "equal", "attribute": "state", "values": [element]}) == ["a", "c"]
    assert post(server, rows, rowId="e", data={})["state"] == element
