"""S16 to S18: rows and columns that are hidden stay so on every way that leads through a relation."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from appwrite.query import Query

from freehold.schema import parse_schema
from tests.platform import Project, User, error_of

SCHEMA = """
freehold: 1
service: desk
roles: { boss: [agent], agent: [] }
entities:
  person:
    tenant: none
    access: { read: agent, create: service }
    fields:
      name: string(50)
      salary: { type: int, nullable: true, read: boss }
      manager: { type: ref(person), nullable: true, read: boss, inverse: reports }
  ticket:
    tenant: none
    access: { read: agent, create: service }
    fields:
      title: string(50)
      owner: { type: ref(person), nullable: true, inverse: tickets }
      notes: { type: many(note), inverse: tickets }
  note:
    tenant: none
    access: { read: boss, create: service }
    fields:
      text: string(50)
"""

TICKETS = "/tablesdb/desk/tables/ticket/rows"
PEOPLE = "/tablesdb/desk/tables/person/rows"


@pytest.fixture
def desk(project: Project) -> Project:
    """Two people, one the other's manager, and a ticket of the first."""
    schema = msgspec.to_builtins(parse_schema(SCHEMA))
    planned = project.server.post("/tablesdb/desk/schema/plan", json={"schema": schema})
    body = {"schema": schema, "plan": planned.json()["hash"]}
    assert project.server.post("/tablesdb/desk/schema/apply", json=body).status_code == 200
    boss = make(project, PEOPLE, name="Boss", salary=9)
    ann = make(project, PEOPLE, name="Ann", salary=5, manager_id=boss)
    make(project, TICKETS, title="T", owner_id=ann)
    return project


def make(project: Project, path: str, **data: Any) -> str:
    made = project.server.post(path, json={"rowId": "unique()", "data": data})
    assert made.status_code == 201, made.text
    return str(made.json()["$id"])


def in_role(project: Project, role: str) -> User:
    user = project.new_user(role.title(), user_id=role)
    labelled = project.server.put(f"/users/{user.id}/labels", json={"labels": [role]})
    assert labelled.status_code == 200, labelled.text
    return user


def asked(user: User, path: str, *queries: str) -> httpx.Response:
    return user.client.get(path, params={f"queries[{at}]": query for at, query in enumerate(queries)})


def test_whoever_may_read_a_column_may_ask_about_it_through_relations(desk: Project) -> None:
    boss = in_role(desk, "boss")
    selected = asked(boss, TICKETS, Query.select(["title", "owner.salary", "owner.manager.name", "notes.*"]))
    found = asked(boss, TICKETS, Query.equal("owner.manager.salary", 9), Query.is_null("notes"))

    (ticket,) = selected.json()["rows"]
    assert (ticket["owner"]["salary"], ticket["owner"]["manager"]["name"]) == (5, "Boss")
    assert (ticket["notes"], "owner_id" in ticket) == ([], False)
    assert found.json()["total"] == 1
    reports = asked(boss, PEOPLE, Query.select(["name", "reports.name"]), Query.is_not_null("reports"))
    assert [each["name"] for each in reports.json()["rows"][0]["reports"]] == ["Ann"]


@pytest.mark.parametrize(
    "query",
    [
        Query.select(["owner.salary"]),
        Query.select(["owner.manager.name"]),
        Query.select(["owner.manager_id"]),
        Query.select(["owner.reports.name"]),
        Query.equal("owner.salary", 5),
        Query.greater_than("owner.tickets.owner.salary", 5),
        Query.is_null("owner.manager"),
        Query.equal("owner.manager.name", "Boss"),
        Query.is_not_null("owner.reports"),
        Query.or_queries([Query.equal("title", "T"), Query.equal("owner.salary", 5)]),
        Query.order_asc("owner.salary"),
        Query.order_asc("owner.manager.name"),
    ],
)
def test_a_hidden_column_is_as_one_that_is_not_there_on_every_way_to_it(desk: Project, query: str) -> None:
    hidden = asked(in_role(desk, "agent"), TICKETS, query)
    absent = asked(
        in_role(desk, "boss"),
        TICKETS,
        query.replace("salary", "absent").replace("manager", "absent").replace("reports", "absent"),
    )

    assert error_of(hidden) == error_of(absent) == (400, "general_query_invalid")


def test_rows_of_an_entity_that_may_not_be_read_are_as_if_there_were_none(desk: Project) -> None:
    agent = in_role(desk, "agent")
    selected = asked(agent, TICKETS, Query.select(["title", "owner.*", "notes.*"]))
    found = asked(agent, TICKETS, Query.equal("notes.text", "x"))

    (ticket,) = selected.json()["rows"]
    assert ticket["notes"] == []
    assert set(ticket["owner"]) >= {"name"}
    assert not {"salary", "manager_id", "manager"} & set(ticket["owner"])
    assert found.json()["total"] == 0
