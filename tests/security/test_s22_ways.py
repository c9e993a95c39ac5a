"""S22, S18, S44 on each way to a row: all endpoints are on one, and none leads where another does not."""

from __future__ import annotations

import asyncio
import itertools
import json
import re

import asyncpg
import httpx
import pytest

from freehold.services import endpoints
from freehold.web.openapi import operation_id
from tests.platform import Project, User, unique
from tests.security.open_table import ROWS, STRUCTURE
from tests.security.test_s22_graphql_parity import FIELDS
from tests.security.ways.adding import ADDITIONS
from tests.security.ways.deleting import DELETIONS
from tests.security.ways.reading import ASKING, GETS, READINGS
from tests.security.ways.speaking import Place
from tests.security.ways.writing import ALL_WAYS, CHANGES, WAYS, Way, each_way, each_way_of_users

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
