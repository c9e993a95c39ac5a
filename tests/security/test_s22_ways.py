"""S12 to S18, S25, S40, S44 on each way to a row: none lets in what another keeps out, or shows it."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from appwrite.operator import Operator

from freehold.schema import parse_schema
from freehold.services import endpoints
from freehold.web.openapi import operation_id
from tests.platform import Platform, Project, User, unique
from tests.security.hostile import HOSTILE
from tests.security.test_s13_wrong_types import ODD
from tests.security.test_s22_graphql_parity import FIELDS
from tests.security.test_s25_query_cost import nested
from tests.security.ways.adding import ADDITIONS
from tests.security.ways.deleting import DELETIONS
from tests.security.ways.reading import ASKING, GETS, LISTS, READINGS
from tests.security.ways.speaking import Outcome, Place, query
from tests.security.ways.writing import (
    CHANGES,
    UPDATES,
    WAYS,
    Way,
    each_way,
    each_way_of_users,
    each_way_to_change,
)

ROWS = "/tablesdb/db/tables/t/rows"
COLUMNS: list[dict[str, Any]] = [
    {"key": "name", "type": "varchar", "size": 20, "required": True},
    {"key": "whole", "type": "integer", "required": False, "max": 100},
    {"key": "list", "type": "varchar", "size": 20, "required": False, "array": True},
    {"key": "ratio", "type": "float", "required": False},
    {"key": "flag", "type": "boolean", "required": False},
    {"key": "moment", "type": "datetime", "required": False},
    {"key": "mail", "type": "email", "required": False},
    {"key": "spot", "type": "point", "required": False},
    {"key": "one", "type": "varchar", "size": 20, "required": False},
    {"key": "text", "type": "varchar", "size": 200, "required": False},
]


@pytest.fixture(scope="module")
def shared(platform: Platform) -> Project:
    """A table in which users may make rows, with a unique column and a relation to another, closed one."""
    project = platform.new_project()
    project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    for table_id, columns in (("t", COLUMNS), ("closed", COLUMNS[:1])):
        body = {"tableId": table_id, "name": table_id, "rowSecurity": True, "columns": columns}
        body["permissions"] = ['create("users")'] if table_id == "t" else []
        assert project.server.post("/tablesdb/db/tables", json=body).status_code == 201
    index = {"key": "once", "type": "unique", "columns": ["one"]}
    assert project.server.post("/tablesdb/db/tables/t/indexes", json=index).status_code == 202
    return project


@pytest.fixture(scope="module")
def people(shared: Project) -> tuple[User, User]:
    return shared.new_user("Jane"), shared.new_user("Bob")


def callers(project: Project, people: tuple[User, User], way: Way) -> list[Any]:
    return [project.server] if way.for_keys else [project.server, people[0].client]


def caller(project: Project, people: tuple[User, User], way: Way, turn: int) -> Any:
    """A key, or a user every other time; so that each way is tried by both, with what there is to try."""
    allowed = callers(project, people, way)
    return allowed[turn % len(allowed)]


ALL_WAYS = (*WAYS, *UPDATES)
STRUCTURE = (400, "row_invalid_structure")
ARGUMENT = (400, "general_argument_invalid")

_OF_TRANSACTIONS = "it tells of transactions, and of no row"
_OF_FILES = "it is for keys and owners, and by files: see test_s59_imports"
_OF_LOGS = "it is for keys and owners, and tells of no values: see test_usage_and_logs"
NO_WAY = {
    "ListTransactions": _OF_TRANSACTIONS,
    "GetTransaction": _OF_TRANSACTIONS,
    "DeleteTransaction": _OF_TRANSACTIONS,
    "ListRowLogs": _OF_LOGS,
    "ListDocumentLogs": _OF_LOGS,
    "ListChanges": "it names channels, and no rows: see test_s16_hidden_columns",
    "CreateCSVImport": _OF_FILES,
    "CreateCSVExport": _OF_FILES,
    "CreateJSONImport": _OF_FILES,
    "CreateJSONExport": _OF_FILES,
}
"""The endpoints of rows that no way leads through, and why."""

OF_ROWS = re.compile(r"/(rows|documents|transactions|changes|migrations/(csv|json))\b")
ENDPOINTS = {operation_id(each): each for each in endpoints() if OF_ROWS.search(each.path)}
SERVICES = re.compile(r"^(tablesDB|databases|realtime|migrations)")


def test_s22_each_endpoint_of_rows_is_on_a_way_by_its_path_and_as_a_field(
    shared: Project, people: tuple[User, User]
) -> None:
    paths, fields = set(), set()

    def see(request: httpx.Request) -> None:
        if request.url.path.endswith("/graphql"):
            fields.update(re.findall(r"{ (\w+)", json.loads(request.content)["query"]))
        for name, each in ENDPOINTS.items():
            if request.method == each.method:
                path = re.sub(r"{\w+}", "[^/]+", each.path)
                paths.update([name] if re.fullmatch(path, request.url.path) else [])

    client = shared.platform.client(shared.id, key=shared.key)
    client.event_hooks = {"request": [see]}
    for way in ALL_WAYS:
        way(client, {"name": "x"}, row_id="walked")
    for addition in ADDITIONS:
        addition(client, "walked", "whole")
    for reading in READINGS:
        reading(client, "walked")
    for deed in DELETIONS:
        deed(client, "walked")

    several = {operation_id(each, each.several.name) for each in ENDPOINTS.values() if each.several}
    known = {name for name in ENDPOINTS if SERVICES.sub("", name) in NO_WAY}
    assert ENDPOINTS.keys() - paths == known
    assert (FIELDS.keys() & ENDPOINTS.keys() | several) - fields == FIELDS.keys() & known


REFUSED: dict[str, tuple[Any, tuple[int, str]]] = {
    **{
        f"S12 a column called {name}": ({"name": "x", name: {"a": 1}}, STRUCTURE)
        for name in HOSTILE
        if name[0] != "$"  # which is none of a row's data
    },
    "S13 an object": ({"name": {"$ne": None}}, STRUCTURE),
    "S13 a list": ({"name": ["x"]}, STRUCTURE),
    "S13 a number": ({"name": 5}, STRUCTURE),
    "S13 a text for a number": ({"name": "x", "whole": "5"}, STRUCTURE),
    "S13 a fraction": ({"name": "x", "whole": 1.5}, STRUCTURE),
    "S13 a flag for a number": ({"name": "x", "whole": True}, STRUCTURE),
    "S13 one beyond its bound": ({"name": "x", "whole": 101}, STRUCTURE),
    "S13 one beyond all bounds": ({"name": "x", "whole": 2**70}, STRUCTURE),
    "S13 one for a list": ({"name": "x", "list": "a"}, STRUCTURE),
    "S13 a list in a list": ({"name": "x", "list": [["a"]]}, STRUCTURE),
    "S13 a null in a list": ({"name": "x", "list": [None]}, STRUCTURE),
    "S13 a text for a float": ({"name": "x", "ratio": "1"}, STRUCTURE),
    "S13 a number for a flag": ({"name": "x", "flag": 1}, STRUCTURE),
    "S13 no moment": ({"name": "x", "moment": "yesterday"}, STRUCTURE),
    "S13 no address": ({"name": "x", "mail": "nope"}, STRUCTURE),
    "S13 no place": ({"name": "x", "spot": [1, 2, 3]}, STRUCTURE),
    "S13 a place nowhere": ({"name": "x", "spot": [181, 0]}, STRUCTURE),
    "S13 a zero": ({"name": "a\0b"}, STRUCTURE),
    "S13 too long": ({"name": "x" * 21}, STRUCTURE),
    "S13 a megabyte": ({"name": "x" * 1_000_000}, STRUCTURE),
    "S13 a list for data": ([1], ARGUMENT),
    "S13 a text for data": ("[1]", ARGUMENT),
    "S15 null for what is required": ({"name": None}, STRUCTURE),
    "S15 nothing of what is required": ({"whole": 1}, STRUCTURE),
    "S14 permissions that are none": ({"name": "x", "$permissions": "read"}, ARGUMENT),
    "S14 permissions of numbers": ({"name": "x", "$permissions": [5]}, ARGUMENT),
    "S40 a path for an id": ({"name": "x", "$id": "../x"}, ARGUMENT),
    "S40 a number for an id": ({"name": "x", "$id": 5}, ARGUMENT),
    "S40 too long an id": ({"name": "x", "$id": "x" * 37}, ARGUMENT),
}


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


HIDDEN = [
    {"method": "equal", "attribute": "_permissions", "values": ['read("any")']},
    {"method": "equal", "attribute": "$permissions", "values": ['read("any")']},
    {"method": "equal", "attribute": "xmin", "values": ["1"]},
    {"method": "equal", "attribute": 'a"; drop table t; --', "values": ["1"]},
    {"method": "or", "values": [{"method": "isNull", "attribute": "ctid"}] * 2},
    {"method": "orderAsc", "attribute": "_permissions"},
    {"method": "equal", "attribute": "name", "values": [{"$ne": None}]},
    {"method": "greaterThan", "attribute": "whole", "values": ["1"]},
    {"method": "equal", "attribute": "name", "values": ["x"] * 600},
    {"method": "limit", "values": [10**9]},
    {"method": "offset", "values": [10**9]},
    {"method": "regex", "attribute": "name", "values": [r"(a*)*\1"]},
    {"method": "and", "values": []},
    nested(100),
]


@pytest.mark.parametrize("asked", HIDDEN, ids=lambda asked: f"{asked['method']} {asked.get('attribute', '')}")
def test_s16_s25_what_one_query_may_not_ask_none_may(
    shared: Project, people: tuple[User, User], asked: dict[str, Any]
) -> None:
    before = shared.server.get(ROWS).json()
    outcomes = {
        way.name: way(caller(shared, people, way, at), json.dumps(asked))[:2]
        for at, way in enumerate(ASKING, HIDDEN.index(asked))
    }

    assert outcomes == dict.fromkeys(outcomes, (400, "general_query_invalid"))
    assert shared.server.get(ROWS).json() == before


ABOUT_COLUMNS = ("equal", "isNull", "contains", "orderAsc", "select", "sum", "groupBy", "exists", "search")


@pytest.mark.parametrize("name", HOSTILE)
def test_s12_a_query_names_columns_that_there_are(
    shared: Project, people: tuple[User, User], name: str
) -> None:
    before = shared.server.get(ROWS).json()
    for at, way in enumerate(ASKING):
        client = caller(shared, people, way, at)
        for turn in range(3):
            method = ABOUT_COLUMNS[(at + turn * 3) % len(ABOUT_COLUMNS)]
            in_values = method in ("select", "groupBy", "exists")
            values = [] if method in ("isNull", "orderAsc", "sum") else ["x"]
            asked = query(method, None, name) if in_values else query(method, name, *values)
            assert way(client, asked)[:2] == (400, "general_query_invalid"), (way.name, asked)
    assert shared.server.get(ROWS).json() == before


@pytest.mark.parametrize("name", HOSTILE)
def test_s12_an_addition_names_a_column(shared: Project, people: tuple[User, User], name: str) -> None:
    for client in (people[0].client, shared.server):
        outcomes = {each(client, "any-row", name, value=1)[:2] for each in ADDITIONS}
        assert outcomes in ({ARGUMENT}, {(404, "column_not_found")})  # the one that could be a column's name


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


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_s13_queries_are_texts_and_additions_numbers(
    shared: Project, people: tuple[User, User], odd: Any
) -> None:
    jane, _ = people
    kept = jane.client.put(f"{ROWS}/kept", json={"data": {"name": "kept", "whole": 5}}).json()
    for way in LISTS:
        assert way(jane.client, odd).status == 400, way.name
    for addition in ADDITIONS if isinstance(odd, bool) or not isinstance(odd, int) else ():
        assert addition(jane.client, "kept", "whole", value=odd).status == 400, addition.name
    assert jane.client.get(f"{ROWS}/kept").json() == kept


def test_s22_what_is_anothers_is_out_of_reach_on_each_way(shared: Project, people: tuple[User, User]) -> None:
    jane, bob = people
    data = {"name": "hidden-name", "whole": 5}
    kept = jane.client.put(f"{ROWS}/janes", json={"data": data}).json()
    reader = shared.platform.client(shared.id, key=shared.key_with("rows.read", "documents.read"))
    writer = shared.platform.client(shared.id, key=shared.key_with("rows.write", "documents.write"))
    unscoped = (401, "general_unauthorized_scope")
    for client, refusal in (
        (bob.client, (401, "user_unauthorized")),
        (shared.guest, (401, "user_unauthorized")),
        (reader, unscoped),
    ):
        done = {way.name: way(client, {"name": "x"}, row_id="janes") for way in CHANGES}
        done |= {deed.name: deed(client, "janes") for deed in DELETIONS}
        done |= {each.name: each(client, "janes", "whole", value=1) for each in ADDITIONS}
        done |= {f"key {way.name}": way(client, {"name": "x"}) for way in WAYS if way.for_keys}
        assert {name: each[:2] for name, each in done.items()} == dict.fromkeys(done, refusal)
        assert "hidden-name" not in json.dumps([each.message for each in done.values()])
    for client in (bob.client, shared.guest, writer):
        for reading in READINGS:
            seen = reading(client, "janes")
            assert "hidden-name" not in seen.message, reading.name
            if client is writer:
                assert seen[:2] == unscoped, reading.name
            elif "transaction" in reading.name and client is shared.guest:
                assert seen[:2] == (401, "user_unauthorized")  # guests have no transactions
            elif reading in GETS:
                assert seen[:2] == (404, "row_not_found")
            else:
                assert '"total":0' in seen.message
    assert all("hidden-name" in reading(jane.client, "janes").message for reading in READINGS)
    assert jane.client.get(f"{ROWS}/janes").json() == kept


SYSTEM = [
    ("freehold", "keys"),
    ("freehold", "users"),
    ("db", "pg_class"),
    ("db", "links"),
    ("pg_catalog", "t"),
]


@pytest.mark.parametrize("place", [Place(*each) for each in SYSTEM], ids=".".join)
def test_s44_the_platforms_own_tables_are_no_tables(
    shared: Project, people: tuple[User, User], place: Place
) -> None:
    missing = "table_not_found" if place.database_id == "db" else "database_not_found"
    tried = tried_at(place, shared, people)

    assert tried == dict.fromkeys(tried, (404, missing))


def tried_at(place: Place, project: Project, people: tuple[User, User]) -> dict[str, tuple[int, str]]:
    """What becomes of each way to a table, for a key and a user in turn."""
    turns = itertools.cycle([project.server, people[0].client])
    tried = {way.name: way(next(turns), {"name": "x"}, row_id="x", place=place) for way in ALL_WAYS}
    tried |= {deed.name: deed(next(turns), "x", place) for deed in DELETIONS}
    tried |= {each.name: each(next(turns), "x", "whole", place) for each in ADDITIONS}
    tried |= {reading.name: reading(next(turns), "x", place=place) for reading in READINGS}
    tried |= {f"{way.name} by queries": way(next(turns), place=place) for way in ASKING}
    return {name: each[:2] for name, each in tried.items()}


def test_s44_the_table_of_links_is_no_table(shared: Project, people: tuple[User, User]) -> None:
    column = {"relatedTableId": "closed", "type": "manyToMany", "key": "many"}
    made = shared.server.post("/tablesdb/db/tables/t/columns/relationship", json=column)
    [name] = asyncio.run(_tables(shared)) - {"t", "closed"}
    tried = tried_at(Place("db", name), shared, people)

    assert made.status_code == 202
    assert tried == dict.fromkeys(tried, (404, "table_not_found"))


async def _tables(project: Project) -> set[str]:
    """The tables that PostgreSQL has in the database."""
    connection = await asyncpg.connect(project.platform.admin_url)
    try:
        rows = await connection.fetch(
            "select table_name from information_schema.tables join freehold.databases"
            " on namespace = table_schema where project_id = $1",
            project.id,
        )
    finally:
        await connection.close()
    return {row["table_name"] for row in rows}


@each_way_of_users
def test_s18_nobody_is_tied_to_a_row_that_one_may_not_read(
    shared: Project, people: tuple[User, User], way: Way
) -> None:
    column = {"relatedTableId": "closed", "type": "manyToOne", "key": "tie"}
    shared.server.post("/tablesdb/db/tables/t/columns/relationship", json=column)
    shared.server.put("/tablesdb/db/tables/closed/rows/secret", json={"data": {"name": "hidden-name"}})
    jane, _ = people
    hidden = way(jane.client, {"name": "x", "tie": "secret"}, row_id="tied")
    missing = way(jane.client, {"name": "x", "tie": "nobody"}, row_id="tied")
    written = way(jane.client, {"name": "x", "tie": {"$id": "secret", "name": "changed"}}, row_id="tied")

    assert hidden[:2] == missing[:2] == (400, "relationship_value_invalid")
    assert hidden.message.replace("secret", "nobody") == missing.message
    assert not written.is_done
    assert "hidden-name" not in hidden.message + written.message
    assert shared.server.get("/tablesdb/db/tables/closed/rows/secret").json()["name"] == "hidden-name"
    assert shared.server.get(f"{ROWS}/tied").status_code == 404


@each_way
def test_s22_each_way_writes_the_rows_inside_and_refuses_what_is_not_there(
    shared: Project, people: tuple[User, User], way: Way
) -> None:
    column = {"relatedTableId": "closed", "type": "manyToOne", "key": "tie"}
    shared.server.post("/tablesdb/db/tables/t/columns/relationship", json=column)
    row_id = unique("tied")
    made = way(shared.server, {"name": "x", "tie": {"$id": f"{row_id}.r", "name": "r"}}, row_id=row_id)
    missing = way(shared.server, {"name": "x", "tie": "nobody"}, row_id=f"{row_id}.m")
    unfit = way(shared.server, {"name": "x", "tie": {"$id": f"{row_id}.u", "whole": 1}}, row_id=f"{row_id}.u")

    assert made.is_done, made
    assert shared.server.get(f"{ROWS}/{row_id}").json()["tie"] == f"{row_id}.r"
    assert shared.server.get(f"/tablesdb/db/tables/closed/rows/{row_id}.r").json()["name"] == "r"
    assert missing[:2] == (400, "relationship_value_invalid")
    assert unfit[:2] == STRUCTURE
    assert "tie: " in unfit.message
    for path in (f"{ROWS}/{row_id}.m", f"{ROWS}/{row_id}.u", f"/tablesdb/db/tables/closed/rows/{row_id}.u"):
        assert shared.server.get(path).status_code == 404
