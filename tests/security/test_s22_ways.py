"""S12 to S18, S25, S40, S44 on each way of writing a row: none lets in what another keeps out."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import msgspec
import pytest
from appwrite.operator import Operator

from freehold.schema import parse_schema
from tests.platform import Platform, Project, User, unique
from tests.security.ways import (
    ASKING,
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


STRUCTURE = (400, "row_invalid_structure")
ARGUMENT = (400, "general_argument_invalid")

REFUSED: dict[str, tuple[Any, tuple[int, str]]] = {
    "S12 a quote": ({"name": "x", 'a"; drop': 1}, STRUCTURE),
    "S12 a dot": ({"name": "x", "a.b": 1}, STRUCTURE),
    "S12 an arrow": ({"name": "x", "name->>'x'": 1}, STRUCTURE),
    "S12 a mark": ({"name": "x", "#0": 1}, STRUCTURE),
    "S12 its id in SQL": ({"name": "x", "_id": "y"}, STRUCTURE),
    "S12 its permissions in SQL": ({"name": "x", "_permissions": ['read("any")']}, STRUCTURE),
    "S54 a prototype": ({"name": "x", "__proto__": {"a": 1}}, STRUCTURE),
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
@each_way
def test_s40_an_id_is_1_to_36_plain_characters(
    shared: Project, people: tuple[User, User], way: Way, row_id: str
) -> None:
    for client in callers(shared, people, way):
        assert way(client, {"name": "x"}, row_id=row_id)[:2] == ARGUMENT


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
]


@pytest.mark.parametrize("asked", HIDDEN, ids=lambda asked: f"{asked['method']} {asked.get('attribute', '')}")
def test_s16_s25_what_one_query_may_not_ask_none_may(
    shared: Project, people: tuple[User, User], asked: dict[str, Any]
) -> None:
    before = shared.server.get(ROWS).json()
    outcomes = {
        (way.name, client is shared.server): way(client, json.dumps(asked))[:2]
        for way in ASKING
        for client in ([shared.server] if way.for_keys else [shared.server, people[0].client])
    }

    assert outcomes == dict.fromkeys(outcomes, (400, "general_query_invalid"))
    assert shared.server.get(ROWS).json() == before


@pytest.mark.parametrize(
    ("database", "table"),
    [("freehold", "keys"), ("freehold", "users"), ("db", "pg_class"), ("db", "links"), ("pg_catalog", "t")],
)
def test_s44_the_platforms_own_tables_are_no_tables_to_write(
    shared: Project, database: str, table: str
) -> None:
    at = f"/tablesdb/{database}/tables/{table}/rows"
    old = f"/databases/{database}/collections/{table}/documents"
    operation = {"action": "create", "databaseId": database, "tableId": table, "rowId": "x", "data": {}}
    transaction = shared.server.post("/tablesdb/transactions", json={}).json()["$id"]
    tried = [
        shared.server.post(at, json={"rowId": "x", "data": {}}),
        shared.server.put(f"{at}/x", json={"data": {}}),
        shared.server.patch(f"{at}/x", json={"data": {}}),
        shared.server.delete(f"{at}/x"),
        shared.server.post(at, json={"rows": [{}]}),
        shared.server.put(at, json={"rows": [{}]}),
        shared.server.patch(at, json={"data": {"a": 1}}),
        shared.server.request("DELETE", at, json={}),
        shared.server.patch(f"{at}/x/a/increment", json={}),
        shared.server.post(old, json={"documentId": "x", "data": {}}),
        shared.server.post(
            f"/tablesdb/transactions/{transaction}/operations", json={"operations": [operation]}
        ),
    ]

    assert {each.status_code for each in tried} == {404}


def test_s44_the_table_of_links_is_no_table_to_write(shared: Project) -> None:
    column = {"relatedTableId": "closed", "type": "manyToMany", "key": "many"}
    made = shared.server.post("/tablesdb/db/tables/t/columns/relationship", json=column)
    names = asyncio.run(_tables(shared)) - {"t", "closed"}

    assert made.status_code == 202
    assert names
    for name in names:
        for refused in (
            shared.server.post(f"/tablesdb/db/tables/{name}/rows", json={"rowId": "x", "data": {}}),
            shared.server.get(f"/tablesdb/db/tables/{name}/rows"),
            shared.server.request("DELETE", f"/tablesdb/db/tables/{name}/rows", json={}),
        ):
            assert refused.json()["type"] == "table_not_found"


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
