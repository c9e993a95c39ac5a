"""Ids in tables of a schema file: numbers that PostgreSQL gives, and tenants that are teams."""

from __future__ import annotations

import uuid

import asyncpg
import msgspec
import pytest

from freehold.schema import parse_schema
from tests.platform import Platform, Project, User, error_of

SCHEMA = """
freehold: 1
service: desk
tenancy: { entity: firm, isolation: rls }
roles: { owner: [] }
entities:
  firm:
    tenant: self
    access: { read: owner, create: owner, update: owner }
    fields: { name: string(40) }
  remark:
    tenant: scoped
    access: { read: owner, create: owner }
    fields: { after: { type: ref(remark), nullable: true, on_delete: set_null } }
  visit:
    tenant: none
    id: serial
    access: { read: public, create: public }
    fields: { note: { type: string(40), nullable: true } }
"""

VISITS = "/tablesdb/desk/tables/visit/rows"
FIRMS = "/tablesdb/desk/tables/firm/rows"


@pytest.fixture
def desk(project: Project) -> Project:
    schema = msgspec.to_builtins(parse_schema(SCHEMA))
    planned = project.server.post("/tablesdb/desk/schema/plan", json={"schema": schema})
    body = {"schema": schema, "plan": planned.json()["hash"]}
    applied = project.server.post("/tablesdb/desk/schema/apply", json=body)
    assert applied.status_code == 200, applied.text
    return project


async def test_a_table_that_numbers_its_rows_makes_them_also_from_nothing(
    platform: Platform, desk: Project
) -> None:
    for data in ({}, {"note": "x"}, {}):
        made = desk.guest.post(VISITS, json={"rowId": "unique()", "data": data})
        assert made.status_code == 201, made.text
    many = desk.server.post(VISITS, json={"rows": [{}, {}]})
    assert many.status_code == 201, many.text

    assert [row["$id"] for row in desk.guest.get(VISITS).json()["rows"]] == ["1", "2", "3", "4", "5"]
    connection = await asyncpg.connect(platform.database_url)
    events = await connection.fetch(
        "select event from freehold.outbox where project_id = $1 and event like '%.visit.rows.%' order by id",
        desk.id,
    )
    await connection.close()
    assert [row["event"].split(".")[5] for row in events] == ["1", "2", "3", "4", "5"]


def test_a_table_that_numbers_its_rows_takes_no_number(desk: Project) -> None:
    for answer in (
        desk.server.post(VISITS, json={"rowId": "7", "data": {}}),
        desk.server.put(f"{VISITS}/7", json={"data": {}}),
        desk.server.post(VISITS, json={"rows": [{"$id": "7"}]}),
    ):
        assert error_of(answer) == (400, "general_argument_invalid"), answer.text
    assert desk.server.get(VISITS).json()["total"] == 0


def test_only_its_members_make_the_row_of_a_tenant(desk: Project, jane: User, bob: User) -> None:
    teams = {}
    for user in (jane, bob):
        teams[user] = str(uuid.uuid4())
        user.client.post("/teams", json={"teamId": teams[user], "name": "Firm"})
    body = {"rowId": teams[bob], "data": {"name": "Firm"}}

    assert error_of(jane.client.post(FIRMS, json=body)) == (401, "user_unauthorized")
    squatted = jane.client.post(FIRMS, json=body, headers={"X-Tenant-Id": teams[jane]})
    assert error_of(squatted) == (401, "user_unauthorized")
    assert bob.client.post(FIRMS, json=body).status_code == 201
    assert jane.client.get(f"{FIRMS}/{teams[bob]}").status_code == 404
    assert bob.client.get(f"{FIRMS}/{teams[bob]}").json()["name"] == "Firm"


def test_a_reference_to_nothing_is_told_in_words(desk: Project, jane: User) -> None:
    jane.client.post("/teams", json={"teamId": str(uuid.uuid4()), "name": "Firm"})
    body = {"rowId": "unique()", "data": {"after_id": str(uuid.uuid4())}}

    refused = jane.client.post("/tablesdb/desk/tables/remark/rows", json=body)
    assert error_of(refused) == (400, "row_invalid_structure")
    assert refused.json()["message"].endswith("a reference names a row that is not there.")
