"""S16: what a caller may not read cannot be asked about either, in whatever way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.platform import Project, User, error_of
from tests.services.test_schema_tables import apply

SCHEMA = """
freehold: 1
service: desk
roles: { staff: [], boss: [staff] }
entities:
  person:
    tenant: none
    access: { read: staff, create: boss }
    fields:
      name: { type: string(40), search: true }
      wage: { type: int, nullable: true, read: boss }
      notes: { type: string(200), nullable: true, read: boss, search: true }
  badge:
    tenant: none
    access: { read: staff, create: staff }
    fields:
      owner: { type: string(40) }
      number: { type: int, read: boss, unique: global, default: 7 }
      grade: { type: int, read: boss }
"""

ROWS = "/tablesdb/desk/tables/person/rows"


@pytest.fixture
def desk(project: Project, jane: User, bob: User) -> Project:
    """Jane is the boss; Bob is of the staff, and may read neither wages nor notes."""
    apply(project, SCHEMA)
    for user, label in ((jane, "boss"), (bob, "staff")):
        project.server.put(f"/users/{user.id}/labels", json={"labels": [label]})
    for name, wage, notes in (("Ann", 100, "slow"), ("Ben", 200, "quick"), ("Cid", None, "slow")):
        made = project.server.post(
            ROWS, json={"rowId": "unique()", "data": {"name": name, "wage": wage, "notes": notes}}
        )
        assert made.status_code == 201, made.text
    return project


def query(method: str, attribute: Any = None, *values: Any) -> dict[str, Any]:
    return {"method": method, "attribute": attribute, "values": list(values)}


COUNT = query("count")
QUESTIONS: list[list[dict[str, Any]]] = [
    [query("greaterThan", "wage", 150)],
    [query("isNull", "wage")],
    [query("exists", None, "wage")],
    [query("notExists", None, "name", "wage")],
    [query("search", "notes", "slow")],
    [query("notSearch", "notes", "slow")],
    [query("regex", "notes", "^s")],
    [query("orderAsc", "wage")],
    [query("orderDesc", "wage"), query("limit", None, 1)],
    [query("select", None, "wage")],
    [query("or", None, query("equal", "name", "Ann"), query("equal", "wage", 200))],
    [query("and", None, query("or", None, query("isNotNull", "wage")))],
    [query("sum", "wage")],
    [query("count", "wage", "n")],
    [query("countDistinct", "notes", "n")],
    [query("min", "notes", "name")],
    [query("groupBy", None, "wage"), COUNT],
    [query("groupBy", None, "name", "wage")],
    [query("groupBy", None, "name"), COUNT, query("having", None, query("greaterThan", "wage", 150))],
    [query("groupBy", None, "name"), COUNT, query("orderAsc", "wage")],
    [query("distinct"), query("select", None, "wage")],
    [COUNT, query("greaterThan", "wage", 150)],
]


@pytest.mark.parametrize("queries", QUESTIONS, ids=[json.dumps(each)[:60] for each in QUESTIONS])
def test_s16_a_hidden_column_is_as_unknown_as_one_that_is_not_there(
    desk: Project, jane: User, bob: User, queries: list[dict[str, Any]]
) -> None:
    spelled = [json.dumps(each) for each in queries]
    unknown = [each.replace('"wage"', '"wagx"').replace('"notes"', '"notex"') for each in spelled]

    refused = bob.client.post(f"{ROWS}/query", json={"queries": spelled})
    missing = bob.client.post(f"{ROWS}/query", json={"queries": unknown})
    assert error_of(refused) == (400, "general_query_invalid")
    same = refused.json()["message"].replace("`wage`", "`wagx`").replace("`notes`", "`notex`")
    assert same == missing.json()["message"]
    if queries[-1]["method"] not in ("having", "orderAsc") or len(queries) == 1:
        assert jane.client.post(f"{ROWS}/query", json={"queries": spelled}).status_code == 200


def test_s16_a_search_finds_nothing_by_the_words_of_a_hidden_column(
    desk: Project, jane: User, bob: User
) -> None:
    slow = {"queries": [json.dumps(query("search", "name", "slow"))]}

    assert bob.client.post(f"{ROWS}/query", json=slow).json()["total"] == 0
    assert jane.client.post(f"{ROWS}/query", json=slow).json()["total"] == 0
    ann = {"queries": [json.dumps(query("search", "name", "ann"))]}
    assert bob.client.post(f"{ROWS}/query", json=ann).json()["total"] == 1


def test_s16_no_refusal_names_a_hidden_column(desk: Project, jane: User, bob: User) -> None:
    badges = "/tablesdb/desk/tables/badge/rows"
    first = jane.client.post(badges, json={"rowId": "unique()", "data": {"owner": "Ann", "grade": 1}})
    required = bob.client.post(badges, json={"rowId": "unique()", "data": {"owner": "Ben"}})
    unique = jane.client.post(badges, json={"rowId": "unique()", "data": {"owner": "Cid", "grade": 1}})

    assert first.status_code == 201, first.text
    assert error_of(required) == (400, "row_invalid_structure")
    assert required.json()["message"] == "Invalid row structure: a column is required."
    assert "`number`" in unique.json()["message"]  # which she may read
