"""S17: who may not read a row cannot refer to it either, and is told so as if there were none."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from freehold.schema import parse_schema
from tests.platform import Platform, Project, User, error_of
from tests.security.ways.writing import (
    CHANGES,
    WAYS,
    Way,
    each_way,
    each_way_of_users,
    each_way_of_users_to_change,
)
from tests.services.statements import logged

SCHEMA = """
freehold: 1
service: db
tenancy: { entity: firm, isolation: rls }
roles: { boss: [agent], agent: [] }
entities:
  firm:
    tenant: self
    access: { read: boss, update: boss }
    fields: { name: string(40) }
  closed:
    tenant: none
    id: text
    access: { read: service, create: service }
    fields: { name: string(40) }
  memo:
    tenant: none
    id: text
    soft_delete: true
    access:
      read: [boss, { role: agent, where: state = public }]
      create: agent
      delete: agent
    fields: { state: "enum(public, private)" }
  place:
    tenant: none
    id: text
    access: { read: public }
    fields: { name: string(40) }
  t:
    tenant: none
    id: text
    access:
      read: [boss, { role: agent, where: name = x }]
      create: agent
      update: agent
    fields:
      name: string(40)
      closed: { type: ref(closed), nullable: true }
      memo: { type: ref(memo), nullable: true }
      parent: { type: ref(t), nullable: true }
      place: { type: ref(place), nullable: true }
  job:
    tenant: scoped
    access: { read: [boss, { role: agent, where: name = open }], create: agent }
    fields: { name: string(40) }
  task:
    tenant: scoped
    access: { read: agent, create: agent, update: agent }
    fields:
      name: string(40)
      job: { type: ref(job), nullable: true }
      firm: { type: ref(firm), nullable: true }
"""
TABLES = "/tablesdb/db/tables"
ROWS = f"{TABLES}/t/rows"
HIDDEN = {"closed_id": "secret", "memo_id": "private", "parent_id": "hidden"}
"""Rows that an agent may not read, by what refers to them."""


def make(project: Project, table: str, row_id: str, **data: Any) -> None:
    made = project.server.post(f"{TABLES}/{table}/rows", json={"rowId": row_id, "data": data})
    assert made.status_code == 201, made.text


@pytest.fixture(scope="module")
def office(platform: Platform) -> Project:
    project = platform.new_project()
    schema = msgspec.to_builtins(parse_schema(SCHEMA))
    planned = project.server.post("/tablesdb/db/schema/plan", json={"schema": schema})
    body = {"schema": schema, "plan": planned.json()["hash"]}
    assert project.server.post("/tablesdb/db/schema/apply", json=body).status_code == 200
    make(project, "closed", "secret", name="s")
    make(project, "memo", "private", state="private")
    make(project, "memo", "public", state="public")
    make(project, "place", "here", name="h")
    make(project, "t", "hidden", name="h")
    return project


@pytest.fixture(scope="module")
def agent(office: Project) -> User:
    user = office.new_user("Ann")
    assert office.server.put(f"/users/{user.id}/labels", json={"labels": ["agent"]}).status_code == 200
    return user


@each_way_of_users
def test_a_row_that_one_may_not_read_is_referred_to_as_little_as_one_that_is_not_there(
    office: Project, agent: User, way: Way
) -> None:
    row_id = f"new{WAYS.index(way)}"
    for key, hidden in HIDDEN.items():
        refused = way(agent.client, {"name": "x", key: hidden}, row_id=row_id)
        missing = way(agent.client, {"name": "x", key: "nobody"}, row_id=row_id)

        assert refused == missing
        assert refused[:2] == (400, "row_invalid_structure")
        assert f"`{key}` names a " in refused.message
        assert office.server.get(f"{ROWS}/{row_id}").status_code == 404

    seen = {"memo_id": "public", "place_id": "here", "parent_id": row_id}
    outcome = way(agent.client, {"name": "x", **seen}, row_id=row_id)
    assert outcome.is_done, outcome
    assert office.server.get(f"{ROWS}/{row_id}").json().items() >= seen.items()


@each_way
def test_keys_refer_to_whichever_row_there_is(office: Project, way: Way) -> None:
    row_id = f"key{WAYS.index(way)}"
    outcome = way(office.server, {"name": "x", **HIDDEN}, row_id=row_id)

    assert outcome.is_done, outcome
    assert office.server.get(f"{ROWS}/{row_id}").json().items() >= HIDDEN.items()


@each_way_of_users_to_change
def test_a_row_keeps_what_it_refers_to_and_is_given_nothing_else_that_is_hidden(
    office: Project, agent: User, way: Way
) -> None:
    row_id = f"old{CHANGES.index(way)}"
    make(office, "t", row_id, name="x", **HIDDEN)
    make(office, "closed", f"other-{row_id}", name="o")

    kept = way(agent.client, {"name": "y", **HIDDEN}, row_id=row_id)
    refused = way(agent.client, {"name": "z", "closed_id": f"other-{row_id}"}, row_id=row_id)
    missing = way(agent.client, {"name": "z", "closed_id": "nobody"}, row_id=row_id)

    assert kept.is_done, kept
    assert refused == missing
    assert refused[:2] == (400, "row_invalid_structure")
    row = office.server.get(f"{ROWS}/{row_id}").json()
    assert row.items() >= {"name": "y", **HIDDEN}.items()

    cleared = way(agent.client, {"closed_id": None, "parent_id": row_id}, row_id=row_id)
    if "upsert" in way.name:
        cleared = way(agent.client, {"name": "y", "closed_id": None, "parent_id": row_id}, row_id=row_id)
    assert cleared.is_done, cleared
    row = office.server.get(f"{ROWS}/{row_id}").json()
    assert (row["closed_id"], row["parent_id"]) == (None, row_id)


def test_a_row_that_one_may_not_change_is_refused_as_ever_whatever_it_is_given(
    office: Project, agent: User
) -> None:
    guest = office.new_user("Gus")
    for told in ("secret", "nobody"):
        body = {"data": {"name": "x", "closed_id": told}}
        answers = [
            error_of(agent.client.patch(f"{ROWS}/no-such-row", json=body)),
            error_of(guest.client.patch(f"{ROWS}/hidden", json=body)),
            error_of(guest.client.put(f"{ROWS}/hidden", json=body)),
            error_of(guest.client.post(ROWS, json={"rowId": "unique()", **body})),
        ]
        assert answers == [(404, "row_not_found"), *[(401, "user_unauthorized")] * 3]


def test_a_row_can_refer_to_one_that_is_made_in_the_same_transaction(office: Project, agent: User) -> None:
    def commit(memo: str, state: str) -> httpx.Response:
        at = f"/tablesdb/transactions/{agent.client.post('/tablesdb/transactions', json={}).json()['$id']}"
        named = {"databaseId": "db", "action": "create"}
        operations = [
            {**named, "tableId": "memo", "rowId": memo, "data": {"state": state}},
            {**named, "tableId": "t", "rowId": f"of-{memo}", "data": {"name": "x", "memo_id": memo}},
        ]
        staged = agent.client.post(f"{at}/operations", json={"operations": operations})
        return agent.client.patch(at, json={"commit": True}) if staged.status_code < 300 else staged

    assert commit("staged-public", "public").status_code == 200
    assert office.server.get(f"{ROWS}/of-staged-public").json()["memo_id"] == "staged-public"
    assert error_of(commit("staged-private", "private")) == (400, "row_invalid_structure")
    assert office.server.get(f"{TABLES}/memo/rows/staged-private").status_code == 404


def test_a_row_that_is_deleted_softly_can_be_referred_to_by_who_could_read_it(
    office: Project, agent: User
) -> None:
    for memo, state in (("gone-public", "public"), ("gone-private", "private")):
        make(office, "memo", memo, state=state)
        assert office.server.delete(f"{TABLES}/memo/rows/{memo}").status_code == 204

    def refer(memo: str) -> int:
        body = {"rowId": "unique()", "data": {"name": "x", "memo_id": memo}}
        return agent.client.post(ROWS, json=body).status_code

    assert refer("gone-public") == 201
    assert refer("gone-private") == refer("nobody") == 400


def test_nothing_in_a_table_that_is_disabled_can_be_referred_to(office: Project, agent: User) -> None:
    named = {"name": "place", "enabled": False}
    assert office.server.put(f"{TABLES}/place", json=named).status_code == 200
    bodies = [{"rowId": "unique()", "data": {"name": "x", "place_id": to}} for to in ("here", "nobody")]
    refused, missing = (agent.client.post(ROWS, json=body) for body in bodies)
    assert office.server.put(f"{TABLES}/place", json={**named, "enabled": True}).status_code == 200

    assert (refused.status_code, refused.json()) == (missing.status_code, missing.json())
    assert agent.client.post(ROWS, json=bodies[0]).status_code == 201


def test_a_reference_stays_within_the_tenant_and_what_one_may_read_there(office: Project) -> None:
    agent = office.new_user("Tom")
    rows = f"{TABLES}/task/rows"
    firms, jobs = [], {}
    for firm in (str(uuid.uuid4()), str(uuid.uuid4())):
        headers = {"X-Tenant-Id": firm}
        assert office.server.post("/teams", json={"teamId": firm, "name": "F"}).status_code == 201
        body: dict[str, Any] = {"rowId": firm, "data": {"name": "F"}}
        assert office.server.post(f"{TABLES}/firm/rows", json=body, headers=headers).status_code == 201
        body = {"userId": agent.id, "roles": ["agent"]}
        assert office.server.post(f"/teams/{firm}/memberships", json=body).status_code == 201
        for name in ("open", "shut"):
            body = {"rowId": "unique()", "data": {"name": name}}
            made = office.server.post(f"{TABLES}/job/rows", json=body, headers=headers)
            jobs[firm, name] = made.json()["$id"]
        firms.append(firm)
    here, there = firms

    def refer(key: str, to: str) -> tuple[int, str]:
        body = {"rowId": "unique()", "data": {"name": "x", key: to}}
        answer = agent.client.post(rows, json=body, headers={"X-Tenant-Id": here})
        return answer.status_code, "" if answer.status_code == 201 else answer.text

    missing = refer("job_id", str(uuid.uuid4()))
    assert missing[0] == 400
    assert refer("job_id", jobs[here, "open"])[0] == 201
    for hidden in (jobs[here, "shut"], jobs[there, "open"], jobs[there, "shut"]):
        assert refer("job_id", hidden) == missing
    assert refer("firm_id", here) == refer("firm_id", there) == refer("firm_id", str(uuid.uuid4()))
    assert refer("firm_id", here)[0] == 400


def test_a_hidden_row_that_somebody_holds_is_not_waited_for(office: Project, agent: User) -> None:
    body = {"rowId": "unique()", "data": {"name": "x", "closed_id": "secret"}}

    async def refer() -> httpx.Response:
        connection = await asyncpg.connect(office.platform.admin_url)
        try:
            namespace = await connection.fetchval(
                "select namespace from freehold.databases where project_id = $1", office.id
            )
            async with connection.transaction():
                await connection.execute(f"select from {namespace}.closed for update")
                return await asyncio.to_thread(lambda: agent.client.post(ROWS, json=body))
        finally:
            await connection.close()

    assert error_of(asyncio.run(refer())) == (400, "row_invalid_structure")


REFERRING = {"name": "x", "memo_id": "public", "place_id": "here"}
COUNTED: dict[str, tuple[Callable[[httpx.Client], httpx.Response], int]] = {
    "create": (lambda client: client.post(ROWS, json={"rowId": "unique()", "data": REFERRING}), 1),
    "update": (lambda client: client.patch(f"{ROWS}/counted", json={"data": REFERRING}), 1),
    "upsert": (lambda client: client.put(f"{ROWS}/counted", json={"data": REFERRING}), 1),
    "upsert of a new one": (
        lambda client: client.put(f"{ROWS}/{uuid.uuid4()}", json={"data": REFERRING}), 2,
    ),
}  # fmt: skip


def test_references_are_checked_in_the_statement_that_writes_them(office: Project, agent: User) -> None:
    make(office, "t", "counted", name="x")
    for name, (call, most) in COUNTED.items():
        answers: list[httpx.Response] = []
        with logged(office) as statements_of:
            ran = statements_of(lambda call=call, answers=answers: answers.append(call(agent.client)))

        assert answers[0].status_code < 300, answers[0].text
        assert len(ran) == most, name + "\n\n".join(ran)
        assert all('"memo"' in sql or ".memo " in sql for sql in ran)
        assert not any(".place " in sql or '"place"' in sql for sql in ran)  # which everybody may read
