"""S17 on each way: a refusal tells nothing of rows that one may not read."""

from __future__ import annotations

import msgspec
import pytest

from freehold.schema import parse_schema
from tests.platform import Platform, Project, User
from tests.security.open_table import ROWS, STRUCTURE
from tests.security.ways.writing import WAYS, Way, each_way, each_way_of_users


@each_way
def test_s17_a_value_that_is_taken_tells_nothing_of_the_row_that_has_it(
    shared: Project, people: tuple[User, User], way: Way
) -> None:
    jane, bob = people
    taken = f"s3cret-{WAYS.index(way)}"
    mine = {"rowId": "unique()", "data": {"name": "hidden-name", "one": taken}}
    made = jane.client.post(ROWS, json=mine).json()
    client = shared.server if way.for_keys else bob.client
    outcome = way(client, {"name": "x", "one": taken}, row_id=f"u{WAYS.index(way)}")

    assert outcome[:2] == (409, "row_unique_constraint_violation")
    assert "`one`" in outcome.message
    for secret in (taken, jane.id, made["$id"], "hidden-name"):
        assert secret not in outcome.message
    assert shared.server.get(f"{ROWS}/u{WAYS.index(way)}").status_code == 404


@each_way_of_users
def test_s17_a_row_that_one_may_not_read_is_neither_changed_nor_shown(
    shared: Project, people: tuple[User, User], way: Way
) -> None:
    jane, bob = people
    row_id = f"j{WAYS.index(way)}"
    made = jane.client.post(ROWS, json={"rowId": row_id, "data": {"name": "hidden-name"}})
    outcome = way(bob.client, {"name": "bob's"}, row_id=row_id)

    assert outcome[:2] == ((401, "user_unauthorized") if way.changes else (409, "row_already_exists"))
    assert "hidden-name" not in outcome.message
    assert jane.client.get(f"{ROWS}/{row_id}").json() == made.json()


REFERRING = """
freehold: 1
service: db
entities:
  hidden:
    tenant: none
    id: text
    access: { read: service, create: service }
    fields: { name: string(50) }
  t:
    tenant: none
    id: text
    access: { read: authenticated, create: authenticated, update: authenticated }
    fields:
      name: string(50)
      tie: { type: ref(hidden), nullable: true, on_delete: restrict }
"""


@pytest.fixture(scope="module")
def referring(platform: Platform) -> Project:
    """A table of a schema whose rows refer to those of another, which users may not read."""
    project = platform.new_project()
    schema = msgspec.to_builtins(parse_schema(REFERRING))
    planned = project.server.post("/tablesdb/db/schema/plan", json={"schema": schema})
    body = {"schema": schema, "plan": planned.json()["hash"]}
    assert project.server.post("/tablesdb/db/schema/apply", json=body).status_code == 200
    return project


@pytest.fixture(scope="module")
def ann(referring: Project) -> User:
    return referring.new_user("Ann")


@each_way
def test_s17_a_reference_to_no_row_is_told_by_its_column_alone(
    referring: Project, ann: User, way: Way
) -> None:
    client = referring.server if way.for_keys else ann.client
    row_id = f"f{WAYS.index(way)}"
    outcome = way(client, {"name": "x", "tie_id": "no-such-row"}, row_id=row_id)

    assert outcome[:2] == STRUCTURE
    assert "`tie_id` names a " in outcome.message
    for secret in ("no-such-row", "hidden", "foreign key", "constraint"):
        assert secret not in outcome.message
    assert referring.server.get(f"{ROWS}/{row_id}").status_code == 404


def test_s17_a_row_that_others_refer_to_is_kept_without_a_word_of_them(referring: Project) -> None:
    hidden = "/tablesdb/db/tables/hidden/rows"
    for path, row_id, data in ((hidden, "kept", {}), (ROWS, "secret-row", {"tie_id": "kept"})):
        made = referring.server.post(path, json={"rowId": row_id, "data": {"name": "x", **data}})
        assert made.status_code == 201, made.text
    transaction = referring.server.post("/tablesdb/transactions", json={}).json()["$id"]
    named = {"databaseId": "db", "tableId": "hidden", "rowId": "kept", "action": "delete"}
    at = f"/tablesdb/transactions/{transaction}"
    staged = referring.server.post(f"{at}/operations", json={"operations": [named]})
    document = 'mutation { tablesDBDeleteRow(databaseId: "db", tableId: "hidden", rowId: "kept") { status } }'
    refused = [
        referring.server.delete(f"{hidden}/kept"),
        referring.server.delete("/databases/db/collections/hidden/documents/kept"),
        referring.server.request("DELETE", hidden, json={"queries": []}),
        staged if staged.status_code >= 400 else referring.server.patch(at, json={"commit": True}),
        referring.server.post("/graphql", json={"query": document}),
    ]

    for each in refused:
        assert "delete_restricted" in each.text, each.text
        for secret in ("secret-row", "tie_id", "foreign key"):
            assert secret not in each.text
    assert referring.server.get(f"{hidden}/kept").status_code == 200
