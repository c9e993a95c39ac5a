"""S12: nothing that names something becomes SQL."""

from __future__ import annotations

import re

import pytest

from tests.platform import Project, error_of
from tests.security.hostile import HOSTILE

ROWS = "/tablesdb/db/tables/t/rows"


@pytest.fixture
def table(project: Project) -> Project:
    project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    columns = [{"key": "name", "type": "varchar", "size": 200, "required": True}]
    made = project.server.post("/tablesdb/db/tables", json={"tableId": "t", "name": "T", "columns": columns})
    assert made.status_code == 201
    assert project.server.post(ROWS, json={"rowId": "one", "data": {"name": "one"}}).status_code == 201
    return project


@pytest.mark.parametrize("name", [name for name in HOSTILE if re.search(r"[^\w.$]", name, re.ASCII)])
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
