"""Tables that came from a schema file: their access lines and their tenancy hold on the platform too."""

from __future__ import annotations

import uuid
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from freehold.schema import Decisions, lock_of, parse_schema
from tests.platform import Project, User, error_of

SCHEMA = """
freehold: 1
service: desk
tenancy: { entity: firm, isolation: rls }
roles: { owner: [agent], agent: [] }
entities:
  firm:
    tenant: self
    access: { read: agent, update: owner }
    fields: { name: string(40) }
  ticket:
    tenant: scoped
    access:
      read: agent
      create: [owner, { role: agent, where: state = open }]
      update: [owner, { role: agent, where: state = open }]
      delete: owner
    fields:
      title: string(40)
      state: { type: "enum(open, closed)", default: open }
      cost: { type: "decimal(8,2)", nullable: true, read: owner, write: owner }
  note:
    tenant: scoped
    soft_delete: true
    access: { read: agent, create: agent, update: agent, delete: agent }
    fields:
      text: string(40)
  remark:
    tenant: scoped
    soft_delete: true
    access: { read: agent, create: agent, update: agent, delete: agent }
    fields:
      text: string(40)
      note: { type: ref(note), on_delete: cascade, inverse: remarks }
  place:
    tenant: none
    access: { read: public, create: service }
    fields: { code: { type: string(3), unique: global } }
"""

TICKETS = "/tablesdb/desk/tables/ticket/rows"


class Firm:
    """A tenant: a team of the project, and its row."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.id = str(uuid.uuid4())
        project.server.post("/teams", json={"teamId": self.id, "name": "Firm"})
        made = self.post(
            project.server, "/tablesdb/desk/tables/firm/rows", rowId=self.id, data={"name": "Firm"}
        )
        assert made.status_code == 201, made.text

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Tenant-Id": self.id}

    def join(self, user: User, role: str) -> None:
        body = {"userId": user.id, "roles": [role]}
        assert self.project.server.post(f"/teams/{self.id}/memberships", json=body).status_code == 201

    def post(self, client: httpx.Client, path: str = TICKETS, **body: Any) -> httpx.Response:
        return client.post(path, json=body, headers=self.headers)

    def ticket(self, client: httpx.Client, **data: Any) -> dict[str, Any]:
        made = self.post(client, rowId="unique()", data={"title": "Leak", **data})
        assert made.status_code == 201, made.text
        return dict(made.json())


def changed(text: str) -> Any:
    """The schema after an edit, with the ids that its lock remembers."""
    return msgspec.to_builtins(parse_schema(text, lock=lock_of(parse_schema(SCHEMA)), decisions=DROPS))


DROPS = Decisions(drops=frozenset({"ticket.state"}))


def apply(project: Project, text: str) -> None:
    schema = msgspec.to_builtins(parse_schema(text))
    planned = project.server.post("/tablesdb/desk/schema/plan", json={"schema": schema})
    assert planned.status_code == 200, planned.text
    body = {"schema": schema, "plan": planned.json()["hash"]}
    assert project.server.post("/tablesdb/desk/schema/apply", json=body).status_code == 200


@pytest.fixture
def desk(project: Project) -> Project:
    apply(project, SCHEMA)
    return project


def test_a_role_in_the_tenants_team_is_the_role_of_the_schema(desk: Project, jane: User, bob: User) -> None:
    firm = Firm(desk)
    firm.join(jane, "owner")
    firm.join(bob, "agent")
    path = f"{TICKETS}/{firm.ticket(bob.client)['$id']}"

    assert jane.client.get(TICKETS, headers=firm.headers).json()["total"] == 1
    assert error_of(bob.client.delete(path, headers=firm.headers)) == (401, "user_unauthorized")
    assert jane.client.delete(path, headers=firm.headers).status_code == 204


def test_who_is_in_one_team_only_need_not_name_the_tenant(desk: Project, jane: User) -> None:
    firm, other = Firm(desk), Firm(desk)
    firm.join(jane, "agent")
    firm.ticket(jane.client)
    assert jane.client.get(TICKETS).json()["total"] == 1

    other.join(jane, "agent")
    assert error_of(jane.client.get(TICKETS)) == (401, "user_unauthorized")
    assert jane.client.get(TICKETS, headers=other.headers).json()["total"] == 0


def test_strangers_and_guests_reach_nothing_of_a_tenant(desk: Project, jane: User, bob: User) -> None:
    firm, other = Firm(desk), Firm(desk)
    firm.join(jane, "owner")
    other.join(bob, "owner")
    path = f"{TICKETS}/{firm.ticket(jane.client)['$id']}"

    for client in (bob.client, desk.guest):
        assert error_of(client.get(TICKETS, headers=firm.headers)) == (401, "user_unauthorized")
        assert error_of(client.get(path, headers=firm.headers)) == (404, "row_not_found")
        assert error_of(client.delete(path, headers=firm.headers)) == (401, "user_unauthorized")
    assert error_of(bob.client.get(path)) == (404, "row_not_found")
    assert error_of(bob.client.patch(path, json={"data": {"title": "x"}})) == (404, "row_not_found")


def test_a_condition_on_the_row_decides_with_the_role(desk: Project, jane: User, bob: User) -> None:
    firm = Firm(desk)
    firm.join(jane, "owner")
    firm.join(bob, "agent")
    path = f"{TICKETS}/{firm.ticket(bob.client)['$id']}"
    assert bob.client.patch(path, json={"data": {"state": "closed"}}, headers=firm.headers).status_code == 200

    again = bob.client.patch(path, json={"data": {"state": "open"}}, headers=firm.headers)
    assert error_of(again) == (401, "user_unauthorized")
    assert jane.client.patch(path, json={"data": {"state": "open"}}, headers=firm.headers).status_code == 200


def test_a_row_that_breaks_the_condition_of_its_creation_is_not_made(
    desk: Project, jane: User, bob: User
) -> None:
    firm = Firm(desk)
    firm.join(jane, "owner")
    firm.join(bob, "agent")
    closed = {"title": "Leak", "state": "closed"}

    assert error_of(firm.post(bob.client, rowId="unique()", data=closed)) == (401, "user_unauthorized")
    assert jane.client.get(TICKETS, headers=firm.headers).json()["total"] == 0
    assert firm.post(jane.client, rowId="unique()", data=closed).status_code == 201
    assert firm.ticket(bob.client)["state"] == "open"


def test_a_field_that_a_role_may_not_read_is_neither_shown_nor_asked_about(
    desk: Project, jane: User, bob: User
) -> None:
    firm = Firm(desk)
    firm.join(jane, "owner")
    firm.join(bob, "agent")
    path = f"{TICKETS}/{firm.ticket(jane.client, cost='12.50')['$id']}"

    assert jane.client.get(path, headers=firm.headers).json()["cost"] == "12.50"
    assert "cost" not in bob.client.get(path, headers=firm.headers).json()
    for method, values in (("equal", ["12.50"]), ("isNull", []), ("orderAsc", [])):
        query = msgspec.json.encode({"method": method, "attribute": "cost", "values": values}).decode()
        asked = bob.client.get(TICKETS, params={"queries[0]": query}, headers=firm.headers)
        assert error_of(asked) == (400, "general_query_invalid")
    written = firm.post(bob.client, rowId="unique()", data={"title": "x", "cost": "1.00"})
    assert error_of(written) == (400, "row_invalid_structure")


def test_a_key_names_the_tenant_and_sees_only_that_one(desk: Project) -> None:
    one, two = Firm(desk), Firm(desk)
    row = one.ticket(desk.server)

    assert desk.server.get(TICKETS, headers=one.headers).json()["total"] == 1
    assert desk.server.get(TICKETS, headers=two.headers).json()["total"] == 0
    assert error_of(desk.server.get(f"{TICKETS}/{row['$id']}", headers=two.headers)) == (404, "row_not_found")
    assert error_of(desk.server.get(TICKETS)) == (400, "general_argument_invalid")
    assert error_of(desk.server.get(TICKETS, headers={"X-Tenant-Id": "x' or true --"})) == (
        400,
        "general_argument_invalid",
    )


def test_reference_data_without_a_tenant_is_read_by_all_and_made_by_keys(desk: Project, jane: User) -> None:
    places = "/tablesdb/desk/tables/place/rows"
    assert desk.server.post(places, json={"rowId": "unique()", "data": {"code": "ZRH"}}).status_code == 201

    assert desk.guest.get(places).json()["rows"][0]["code"] == "ZRH"
    refused = jane.client.post(places, json={"rowId": "unique()", "data": {"code": "GVA"}})
    assert error_of(refused) == (401, "user_unauthorized")


def test_ids_of_such_tables_are_uuids(desk: Project) -> None:
    firm = Firm(desk)

    assert uuid.UUID(firm.ticket(desk.server)["$id"]).version == 7
    assert error_of(firm.post(desk.server, rowId="mine", data={"title": "x"})) == (
        400,
        "general_argument_invalid",
    )


def test_a_plan_that_has_changed_is_refused_and_changes_nothing(desk: Project) -> None:
    wider = SCHEMA.replace(
        "title: string(40)", "title: string(40)\n      urgent: { type: bool, default: false }"
    )
    schema = changed(wider)
    planned = desk.server.post("/tablesdb/desk/schema/plan", json={"schema": schema}).json()
    assert [step["table"] for step in planned["steps"]] == ["ticket"]
    body = {"schema": schema, "plan": planned["hash"]}
    assert desk.server.post("/tablesdb/desk/schema/apply", json=body).status_code == 200

    again = desk.server.post("/tablesdb/desk/schema/apply", json=body)
    assert error_of(again) == (409, "general_resource_locked")
    assert Firm(desk).ticket(desk.server)["urgent"] is False


def test_a_plan_that_loses_data_needs_the_tables_name(desk: Project) -> None:
    firm = Firm(desk)
    firm.ticket(desk.server)
    narrower = SCHEMA.replace('      state: { type: "enum(open, closed)", default: open }\n', "").replace(
        "{ role: agent, where: state = open }", "agent"
    )
    schema = changed(narrower)
    planned = desk.server.post("/tablesdb/desk/schema/plan", json={"schema": schema}).json()
    assert planned["losses"] == ["ticket"]

    body = {"schema": schema, "plan": planned["hash"]}
    refused = desk.server.post("/tablesdb/desk/schema/apply", json=body)
    assert error_of(refused) == (400, "general_argument_invalid")
    assert "state" in desk.server.get(TICKETS, headers=firm.headers).json()["rows"][0]
    approved = desk.server.post("/tablesdb/desk/schema/apply", json={**body, "approve": ["ticket"]})
    assert approved.status_code == 200
    assert "state" not in desk.server.get(TICKETS, headers=firm.headers).json()["rows"][0]
    assert "state" not in [
        column["key"] for column in desk.server.get("/tablesdb/desk/tables/ticket/columns").json()["columns"]
    ]


async def test_a_row_that_is_deleted_softly_stays_in_the_table_and_takes_what_belongs_to_it_along(
    desk: Project,
) -> None:
    firm = Firm(desk)
    notes, remarks = "/tablesdb/desk/tables/note/rows", "/tablesdb/desk/tables/remark/rows"
    note, kept = (
        firm.post(desk.server, notes, rowId="unique()", data={"text": "n"}).json() for _ in range(2)
    )
    for each in (note, kept):
        made = firm.post(desk.server, remarks, rowId="unique()", data={"text": "r", "note_id": each["$id"]})
        assert made.status_code == 201

    assert desk.server.delete(f"{notes}/{note['$id']}", headers=firm.headers).status_code == 204

    assert [row["$id"] for row in desk.server.get(notes, headers=firm.headers).json()["rows"]] == [
        kept["$id"]
    ]
    left = desk.server.get(remarks, headers=firm.headers).json()["rows"]
    assert [row["note_id"] for row in left] == [kept["$id"]]
    assert error_of(desk.server.get(f"{notes}/{note['$id']}", headers=firm.headers)) == (404, "row_not_found")
    connection = await asyncpg.connect(desk.platform.admin_url)
    namespace = f"{desk.id}_desk".replace("-", "_")
    marked = await connection.fetchval(f'select count(deleted_at) from "{namespace}".remark')
    await connection.close()
    assert marked == 1


def test_columns_of_a_table_from_a_schema_file_are_changed_in_the_file(desk: Project) -> None:
    at = "/tablesdb/desk/tables/ticket"
    column = desk.server.post(f"{at}/columns/boolean", json={"key": "extra", "required": False})
    index = desk.server.post(f"{at}/indexes", json={"key": "i", "type": "key", "columns": ["title"]})

    for refused in (column, index, desk.server.delete(f"{at}/columns/title"), desk.server.delete(at)):
        assert error_of(refused) == (400, "general_feature_unsupported")
    keys = [each["key"] for each in desk.server.get(f"{at}/columns").json()["columns"]]
    assert keys == ["title", "state", "cost"]


@pytest.mark.parametrize("isolation", ["rls", "where"])
def test_a_bulk_change_with_a_limit_stays_within_its_tenant(project: Project, isolation: str) -> None:
    apply(project, SCHEMA.replace("isolation: rls", f"isolation: {isolation}"))
    firms = Firm(project), Firm(project)
    same = str(uuid.uuid4())
    for firm in firms:
        made = firm.post(project.server, rowId=same, data={"title": "Leak"})
        assert made.status_code == 201, made.text

    body = {"data": {"title": "Mended"}, "queries": ['{"method":"limit","values":[10]}']}
    changed = project.server.patch(TICKETS, json=body, headers=firms[0].headers)

    assert changed.json()["total"] == 1
    titles = [project.server.get(f"{TICKETS}/{same}", headers=firm.headers).json()["title"] for firm in firms]
    assert titles == ["Mended", "Leak"]


def test_a_row_of_a_table_with_a_long_name_is_there_already(project: Project) -> None:
    apply(project, SCHEMA.replace("  place:\n", f"  place:\n    table: {'a' * 62}\n"))
    path = "/tablesdb/desk/tables/place/rows"
    once = {"rowId": str(uuid.uuid4()), "data": {"code": "ZRH"}}
    apart = {**once, "data": {"code": "BRN"}}

    assert project.server.post(path, json=once).status_code == 201
    assert error_of(project.server.post(path, json=apart)) == (409, "row_already_exists")


def test_an_entity_that_no_path_could_name_is_refused(project: Project) -> None:
    long = SCHEMA.replace("  place:\n", f"  {'a' * 37}:\n")
    schema = msgspec.to_builtins(parse_schema(long))
    refused = project.server.post("/tablesdb/desk/schema/plan", json={"schema": schema})

    assert error_of(refused) == (400, "general_argument_invalid")
    assert "`table:`" in refused.json()["message"]


def test_what_is_staged_in_the_name_of_a_tenant_is_committed_in_its_name(desk: Project, jane: User) -> None:
    one, two = Firm(desk), Firm(desk)
    one.join(jane, "owner")
    two.join(jane, "owner")
    kept = one.ticket(desk.server, title="One")
    transaction = jane.client.post("/tablesdb/transactions", json={}).json()["$id"]
    said = {"transactionId": transaction}
    path = f"{TICKETS}/{kept['$id']}"

    stranger = jane.client.patch(path, json={"data": {"title": "Two"}, **said}, headers=two.headers)
    assert error_of(stranger) == (404, "row_not_found")
    staged = jane.client.patch(path, json={"data": {"title": "Done"}, **said}, headers=one.headers)
    assert staged.json()["title"] == "Done"
    made = two.post(jane.client, rowId="unique()", data={"title": "Two"}, **said)
    assert made.status_code == 201
    seen = jane.client.get(TICKETS, params=said, headers=two.headers).json()["rows"]
    assert [row["$id"] for row in seen] == [made.json()["$id"]]
    committed = jane.client.patch(f"/tablesdb/transactions/{transaction}", json={"commit": True})
    assert committed.json()["status"] == "committed"

    for firm, title in ((one, "Done"), (two, "Two")):
        rows = jane.client.get(TICKETS, headers=firm.headers).json()["rows"]
        assert [row["title"] for row in rows] == [title]


def test_a_conflict_is_seen_within_the_tenant(desk: Project) -> None:
    firm = Firm(desk)
    row = firm.ticket(desk.server)
    path = f"{TICKETS}/{row['$id']}"
    transaction = desk.server.post("/tablesdb/transactions", json={}).json()["$id"]
    said = {"data": {"title": "Mine"}, "transactionId": transaction}
    assert desk.server.patch(path, json=said, headers=firm.headers).status_code == 200
    theirs = desk.server.patch(path, json={"data": {"title": "Theirs"}}, headers=firm.headers)
    assert theirs.status_code == 200

    refused = desk.server.patch(f"/tablesdb/transactions/{transaction}", json={"commit": True})
    assert error_of(refused) == (409, "transaction_conflict")
    assert desk.server.get(path, headers=firm.headers).json()["title"] == "Theirs"
