"""S12: nothing that names something becomes SQL."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.platform import Project, error_of

ROWS = "/tablesdb/db/tables/t/rows"

HOSTILE = [
    'name"; drop table t; --',
    "name' or '1'='1",
    "name->>'a'",
    "name\u02bc",
    "$1",
    "_permissions",
    "_id",
    'name") from t; select ("name',
    "{0.__class__}",
    "name, (select secret_digest from freehold.keys)",
]


@pytest.fixture
def table(project: Project) -> Project:
    project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    columns = [{"key": "name", "type": "varchar", "size": 200, "required": True}]
    made = project.server.post("/tablesdb/db/tables", json={"tableId": "t", "name": "T", "columns": columns})
    assert made.status_code == 201
    assert project.server.post(ROWS, json={"rowId": "one", "data": {"name": "one"}}).status_code == 201
    return project


def query(method: str, attribute: str | None, values: list[Any]) -> dict[str, str]:
    return {"queries[0]": json.dumps({"method": method, "attribute": attribute, "values": values})}


@pytest.mark.parametrize("name", HOSTILE)
def test_s12_names_of_columns_in_queries_are_known_or_refused(table: Project, name: str) -> None:
    for asked in (
        query("equal", name, ["x"]),
        query("isNull", name, []),
        query("orderAsc", name, []),
        query("select", None, [name]),
        query("contains", name, ["x"]),
    ):
        assert error_of(table.server.get(ROWS, params=asked)) == (400, "general_query_invalid")
    assert table.server.get(ROWS).json()["total"] == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_s12_names_of_columns_in_data_are_known_or_refused(table: Project, name: str) -> None:
    made = table.server.post(ROWS, json={"rowId": "two", "data": {"name": "two", name: "x"}})
    changed = table.server.patch(f"{ROWS}/one", json={"data": {name: "x"}})

    for refused in (made, changed) if not name.startswith("$") else ():
        assert error_of(refused) == (400, "row_invalid_structure")
    assert table.server.get(f"{ROWS}/one").json()["name"] == "one"


@pytest.mark.parametrize("name", HOSTILE)
def test_s12_values_are_only_ever_values(table: Project, name: str) -> None:
    assert table.server.post(ROWS, json={"rowId": "two", "data": {"name": name}}).json()["name"] == name

    for method in ("equal", "contains", "startsWith", "endsWith"):
        found = table.server.get(ROWS, params=query(method, "name", [name])).json()
        assert [row["$id"] for row in found["rows"]] == ["two"]


@pytest.mark.parametrize("name", [name for name in HOSTILE if name not in ("$1", "_permissions", "_id")])
def test_s12_columns_tables_and_databases_cannot_be_called_so(table: Project, name: str) -> None:
    column = table.server.post("/tablesdb/db/tables/t/columns/boolean", json={"key": name, "required": False})
    assert error_of(column) == (400, "general_argument_invalid")
    made = table.server.post("/tablesdb/db/tables", json={"tableId": name, "name": "T"})
    assert error_of(made) == (400, "general_argument_invalid")
    database = table.server.post("/tablesdb", json={"databaseId": name, "name": "D"})
    assert error_of(database) == (400, "general_argument_invalid")


@pytest.mark.parametrize("text", ["'; drop table t; --", "\\'; --", "$$; drop table t", "it''s", "%s {0}"])
def test_s12_defaults_enum_members_and_descriptions_are_data(table: Project, text: str) -> None:
    enum = {"key": "state", "elements": [text, "b"], "required": False, "default": text, "description": text}
    assert table.server.post("/tablesdb/db/tables/t/columns/enum", json=enum).status_code == 202
    varchar = {"key": "v", "size": 100, "required": False, "default": text}
    assert table.server.post("/tablesdb/db/tables/t/columns/varchar", json=varchar).status_code == 202

    row = table.server.post(ROWS, json={"rowId": "two", "data": {"name": "x"}}).json()
    assert (row["state"], row["v"]) == (text, text)
    assert table.server.get("/tablesdb/db/tables/t/columns/state").json()["description"] == text
