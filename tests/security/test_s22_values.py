"""S12 to S15, S40 on each way: what one way does not take, none takes, and what it takes is kept as it is."""

from __future__ import annotations

from typing import Any

import pytest
from appwrite.operator import Operator

from tests.platform import Project, User
from tests.security.hostile import HOSTILE
from tests.security.open_table import ARGUMENT, REFUSED, ROWS, STRUCTURE, caller, callers
from tests.security.ways.adding import ADDITIONS
from tests.security.ways.deleting import DELETIONS
from tests.security.ways.reading import LISTS, READINGS
from tests.security.ways.speaking import Outcome, query
from tests.security.ways.writing import (
    ALL_WAYS,
    CHANGES,
    UPDATES,
    WAYS,
    Way,
    each_way,
    each_way_of_users,
    each_way_to_change,
)


@pytest.mark.parametrize("attack", REFUSED)
def test_what_one_way_refuses_all_refuse_and_nothing_is_written(
    shared: Project, people: tuple[User, User], attack: str
) -> None:
    data, error = REFUSED[attack]
    before = shared.server.get(ROWS).json()["total"]
    outcomes = {
        way.name: way(caller(shared, people, way, at), data)[:2]
        for at, way in enumerate(WAYS, list(REFUSED).index(attack))
    }

    assert outcomes == dict.fromkeys(outcomes, error)
    assert shared.server.get(ROWS).json()["total"] == before


OF_NEW_ROWS_ALONE = {"S15 nothing of what is required": "a change says only what it changes"}
"""What makes no sense on the ways of changing a row, and why."""


@pytest.mark.parametrize("attack", [each for each in REFUSED if each not in OF_NEW_ROWS_ALONE])
def test_what_makes_no_row_changes_none(shared: Project, people: tuple[User, User], attack: str) -> None:
    data, error = REFUSED[attack]
    kept = people[0].client.put(f"{ROWS}/kept", json={"data": {"name": "kept"}}).json()
    outcomes = {
        way.name: way(caller(shared, people, way, at), data, row_id="kept")[:2]
        for at, way in enumerate(UPDATES, list(REFUSED).index(attack))
    }

    assert outcomes == dict.fromkeys(outcomes, error)
    assert shared.server.get(f"{ROWS}/kept").json() == kept


GRANTS: dict[str, tuple[Any, tuple[int, str]]] = {
    "a user": (['read("user:other")'], (401, "user_unauthorized")),
    "a team": (['read("team:x")'], (401, "user_unauthorized")),
    "a role of others": (['write("label:staff")'], (401, "user_unauthorized")),
    "to create": (['create("any")'], ARGUMENT),
    "no role": (['read("nobody-knows")'], ARGUMENT),
}


@pytest.mark.parametrize("granted", GRANTS)
@each_way_of_users
def test_s14_a_user_grants_no_role_that_it_lacks(
    shared: Project, people: tuple[User, User], way: Way, granted: str
) -> None:
    permissions, error = GRANTS[granted]
    outcome = way(people[0].client, {"name": "x"}, permissions, "granted")

    assert outcome[:2] == error
    assert shared.server.get(f"{ROWS}/granted").status_code == 404


@each_way_of_users
def test_s14_data_decides_nothing_that_is_not_data(
    shared: Project, people: tuple[User, User], way: Way
) -> None:
    jane, bob = people
    data = {
        "name": "x",
        "$createdAt": "2001-01-01T00:00:00.000+00:00",
        "$updatedAt": "2001-01-01T00:00:00.000+00:00",
        "$sequence": "777777",
        "$databaseId": "other",
        "$tableId": "closed",
        "$tenant": 1,
        "$foo": {"$ne": None},
    }
    row_id = f"d{WAYS.index(way)}"
    assert way(jane.client, data, row_id=row_id).is_done
    row = shared.server.get(f"{ROWS}/{row_id}").json()

    assert row["$createdAt"] > "2026" < row["$updatedAt"]
    assert (row["$databaseId"], row["$tableId"]) == ("db", "t")
    assert row["$sequence"] != "777777"
    assert row["$permissions"] == [f'{each}("user:{jane.id}")' for each in ("read", "update", "delete")]
    assert "$foo" not in row
    assert "$tenant" not in row
    assert bob.client.get(f"{ROWS}/{row_id}").status_code == 404


@each_way_to_change
@pytest.mark.parametrize("value", [None, False, 0, [], {}])
def test_s15_a_required_value_is_not_taken_away(
    shared: Project, people: tuple[User, User], way: Way, value: Any
) -> None:
    jane, _ = people
    row_id = f"k{CHANGES.index(way)}"
    jane.client.put(f"{ROWS}/{row_id}", json={"data": {"name": "kept"}})
    client = shared.server if way.for_keys else jane.client

    assert way(client, {"name": value}, row_id=row_id)[:2] == STRUCTURE
    assert jane.client.get(f"{ROWS}/{row_id}").json()["name"] == "kept"


@each_way
def test_s13_an_operator_is_one_where_there_is_something_to_change_and_refused_elsewhere(
    shared: Project, people: tuple[User, User], way: Way
) -> None:
    for at, client in enumerate(callers(shared, people, way)):
        row_id = f"o{WAYS.index(way)}.{at}"
        outcome = way(client, {"name": "x", "whole": Operator.increment(5)}, row_id=row_id)
        if way.changes:
            assert outcome.is_done, outcome
            assert shared.server.get(f"{ROWS}/{row_id}").json()["whole"] == 5
        else:
            assert outcome[:2] == STRUCTURE


ROLE_LIKE = ["any", "users", "guests", "team", "member", "label", "unique"]


@pytest.mark.parametrize("row_id", ROLE_LIKE)
@each_way_of_users
def test_s40_an_id_that_reads_like_a_role_is_only_an_id(
    shared: Project, people: tuple[User, User], way: Way, row_id: str
) -> None:
    jane, bob = people
    row_id = f"{row_id}.{WAYS.index(way)}"

    assert way(jane.client, {"name": "mine"}, row_id=row_id).is_done
    for other in (bob.client, shared.guest):
        assert other.get(f"{ROWS}/{row_id}").status_code == 404
    assert way(bob.client, {"name": "bob's"}, row_id=row_id.upper()).is_done
    assert jane.client.get(f"{ROWS}/{row_id}").json()["name"] == "mine"


@pytest.mark.parametrize("row_id", [" ", "_x", "-x", "x" * 37, "ä", "a\u200b", "a b"])
def test_s40_an_id_is_1_to_36_plain_characters(
    shared: Project, people: tuple[User, User], row_id: str
) -> None:
    jane, _ = people
    outcomes: dict[str, Outcome] = {}
    for client in (shared.server, jane.client):
        name = "key" if client is shared.server else "user"
        for way in ALL_WAYS:
            if client is shared.server or not way.for_keys:
                outcomes[f"{name} {way.name}"] = way(client, {"name": "x"}, row_id=row_id)
        for deed in DELETIONS:
            if client is shared.server or not deed.for_keys:
                outcomes[f"{name} {deed.name}"] = deed(client, row_id)
        for addition in ADDITIONS:
            outcomes[f"{name} {addition.name}"] = addition(client, row_id, "whole", value=1)
        for reading in READINGS:
            outcomes[f"{name} {reading.name}"] = reading(client, row_id)

    by_query = {"bulk update", "bulkUpdate", "bulk delete", "bulkDelete", "list", "body", "transaction"}
    for name, outcome in outcomes.items():
        if any(name.endswith(each) for each in by_query) and "get" not in name:
            assert outcome.is_done, (name, outcome)  # a query that asks for what no row has
            assert "operation" in name or '"total":0' in outcome.message
        else:
            assert outcome[:2] == ARGUMENT, (name, outcome)


@pytest.mark.parametrize("value", HOSTILE)
def test_s12_a_value_is_only_ever_a_value(shared: Project, people: tuple[User, User], value: str) -> None:
    first = HOSTILE.index(value)
    written = [way for way in ALL_WAYS if ALL_WAYS.index(way) % len(HOSTILE) == first]
    ids = []
    for way in written:
        row_id = f"v{ALL_WAYS.index(way)}"
        if way in UPDATES:
            shared.server.put(f"{ROWS}/{row_id}", json={"data": {"name": "x"}})
        assert way(shared.server, {"name": "x", "text": value}, row_id=row_id).is_done
        assert shared.server.get(f"{ROWS}/{row_id}").json()["text"] == value
        ids.append(row_id)

    for way in LISTS:
        for method in ("equal", "contains", "startsWith", "endsWith"):
            found = way(shared.server, query(method, "text", value), query("select", None, "text")).message
            assert {each for each in ids if f'"{each}"' in found} == set(ids), (way.name, method)
            assert f'"total":{len(ids)}' in found
