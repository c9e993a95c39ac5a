"""S14, S15: a row's data decides nothing that is not data."""

from __future__ import annotations

import pytest

from tests.platform import Project, User, error_of

ROWS = "/tablesdb/db/tables/t/rows"


@pytest.fixture
def table(project: Project) -> Project:
    project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    body = {
        "tableId": "t",
        "name": "T",
        "permissions": ['create("users")'],
        "rowSecurity": True,
        "columns": [{"key": "name", "type": "varchar", "size": 20, "required": True}],
    }
    assert project.server.post("/tablesdb/db/tables", json=body).status_code == 201
    return project


def test_s14_a_user_does_not_choose_times_sequence_or_permissions_in_its_data(
    table: Project, jane: User
) -> None:
    data = {
        "name": "x",
        "$id": "other",
        "$createdAt": "2001-01-01T00:00:00.000+00:00",
        "$updatedAt": "2001-01-01T00:00:00.000+00:00",
        "$sequence": "777",
        "$permissions": ['read("any")'],
        "$databaseId": "else",
    }
    row = jane.client.post(ROWS, json={"rowId": "mine", "data": data}).json()

    assert row["$id"] == "mine"
    assert row["$databaseId"] == "db"
    assert row["$sequence"] == "1"
    assert not row["$createdAt"].startswith("2001")
    assert not row["$updatedAt"].startswith("2001")
    assert 'read("any")' not in row["$permissions"]
    assert error_of(table.guest.get(f"{ROWS}/mine")) == (404, "row_not_found")

    changed = jane.client.patch(f"{ROWS}/mine", json={"data": {**data, "name": "y"}}).json()
    assert changed["name"] == "y"
    assert {key: changed[key] for key in ("$id", "$createdAt", "$sequence", "$permissions")} == {
        key: row[key] for key in ("$id", "$createdAt", "$sequence", "$permissions")
    }


def test_s14_a_row_cannot_be_made_in_another_table_by_its_data(table: Project, jane: User) -> None:
    made = jane.client.post(
        ROWS, json={"rowId": "a", "data": {"name": "x"}, "tableId": "u", "projectId": "p"}
    )

    assert made.json()["$tableId"] == "t"


@pytest.mark.parametrize("value", [None, False, 0, [], {}])
def test_s15_a_required_value_is_not_taken_away(table: Project, jane: User, value: object) -> None:
    jane.client.post(ROWS, json={"rowId": "mine", "data": {"name": "x"}})
    changed = jane.client.patch(f"{ROWS}/mine", json={"data": {"name": value}})

    assert error_of(changed) == (400, "row_invalid_structure")
    assert jane.client.get(f"{ROWS}/mine").json()["name"] == "x"


def test_s17_a_unique_violation_names_the_column_and_not_the_value(
    table: Project, jane: User, bob: User
) -> None:
    index = {"key": "one_name", "type": "unique", "columns": ["name"]}
    assert table.server.post("/tablesdb/db/tables/t/indexes", json=index).status_code == 202
    jane.client.post(ROWS, json={"rowId": "unique()", "data": {"name": "s3cret-name"}})
    clash = bob.client.post(ROWS, json={"rowId": "unique()", "data": {"name": "s3cret-name"}})

    assert error_of(clash) == (409, "row_unique_constraint_violation")
    assert "s3cret-name" not in clash.text
    assert jane.id not in clash.text


def test_s44_the_platforms_own_tables_cannot_be_reached_as_rows(table: Project) -> None:
    for name in ("keys", "freehold.keys", "users", "pg_class"):
        assert error_of(table.server.get(f"/tablesdb/freehold/tables/{name}/rows")) == (
            404,
            "database_not_found",
        )
        assert error_of(table.server.get(f"/tablesdb/db/tables/{name}/rows")) == (404, "table_not_found")
