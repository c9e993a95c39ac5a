"""S16, S18: what a schema keeps from somebody is neither shown nor asked about, on any way of reading."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import msgspec
import pytest

from freehold.schema import parse_schema
from tests.platform import Platform, Project, User, error_of
from tests.security.ways.adding import ADDITIONS, Addition
from tests.security.ways.reading import LISTS, READINGS, Asking, Reading
from tests.security.ways.speaking import query
from tests.security.ways.writing import ALL_WAYS, Way
from tests.services.sockets import socket

SCHEMA = """
freehold: 1
service: db
roles: { boss: [agent], agent: [] }
entities:
  t:
    tenant: none
    id: text
    access:
      read: [boss, { role: agent, where: state = open }]
      create: agent
      update: [boss, { role: agent, where: state = open }]
    fields:
      name: { type: string(40), search: true }
      state: { type: "enum(open, closed)", default: open }
      wage: { type: int, nullable: true, read: boss }
      notes: { type: string(200), nullable: true, read: boss, search: true }
      owner: { type: ref(person), nullable: true, inverse: tickets }
      judge: { type: ref(person), nullable: true, read: boss, inverse: judged }
      papers: { type: many(paper), inverse: tickets }
  person:
    tenant: none
    id: text
    access: { read: agent, create: service }
    fields:
      name: string(40)
      salary: { type: int, nullable: true, read: boss }
      manager: { type: ref(person), nullable: true, read: boss, inverse: reports }
  paper:
    tenant: none
    id: text
    access: { read: boss, create: service }
    fields:
      text: string(40)
  badge:
    tenant: none
    id: text
    access: { read: agent, create: agent }
    fields:
      owner: { type: string(40) }
      number: { type: int, read: boss, unique: global, default: 7 }
      grade: { type: int, read: boss }
"""
TABLES = "/tablesdb/db/tables"
ROWS = f"{TABLES}/t/rows"
DOCUMENTS = "/databases/db/collections/t/documents"
SECRET = "hidden"
"""What stands in all texts that agents may not read."""
WAGE = 471_100
"""What all numbers are above that they may not read."""


def make(project: Project, table: str, row_id: str, **data: Any) -> None:
    made = project.server.post(f"{TABLES}/{table}/rows", json={"rowId": row_id, "data": data})
    assert made.status_code == 201, made.text


@pytest.fixture(scope="module")
def desk(platform: Platform) -> Project:
    """An open ticket of Ann's and a closed one; only bosses read the latter, papers, wages and who judges."""
    project = platform.new_project()
    schema = msgspec.to_builtins(parse_schema(SCHEMA))
    planned = project.server.post("/tablesdb/db/schema/plan", json={"schema": schema})
    body = {"schema": schema, "plan": planned.json()["hash"]}
    assert project.server.post("/tablesdb/db/schema/apply", json=body).status_code == 200
    make(project, "person", "chief", name="Chief", salary=WAGE + 1)
    make(project, "person", "ann", name="Ann", salary=WAGE + 2, manager_id="chief")
    make(project, "paper", "secret-paper", text="hidden text")
    for row_id, name, said in (("open", "Open", {}), ("secret-closed", "hidden", {"state": "closed"})):
        said |= {"wage": WAGE + 3, "notes": "hidden notes", "owner_id": "ann", "judge_id": "chief"}
        make(project, "t", row_id, name=name, **said)
    asyncio.run(_tie(project))
    return project


async def _tie(project: Project) -> None:
    """Tie the paper to both tickets, as nobody can who calls."""
    connection = await asyncpg.connect(project.platform.admin_url)
    try:
        found = "select namespace from freehold.databases where project_id = $1"
        namespace = await connection.fetchval(found, project.id)
        await connection.execute(
            f"""insert into "{namespace}".t_papers (t_id, paper_id)
                select id, 'secret-paper' from "{namespace}".t"""
        )
    finally:
        await connection.close()


def in_role(project: Project, role: str) -> User:
    user = project.new_user(role.title())
    labelled = project.server.put(f"/users/{user.id}/labels", json={"labels": [role]})
    assert labelled.status_code == 200, labelled.text
    return user


@pytest.fixture(scope="module")
def boss(desk: Project) -> User:
    return in_role(desk, "boss")


@pytest.fixture(scope="module")
def agent(desk: Project) -> User:
    return in_role(desk, "agent")


KEPT = ("wage", "notes", "judge", "judge_id", "salary", "manager", "manager_id", "reports")
"""The columns and relations that agents are not to know of."""


def tells(text: str) -> set[str]:
    """What a text tells of what is kept from agents."""
    plain = text.replace('\\"', '"')
    words = (SECRET, "secret-paper", "secret-closed", *(str(WAGE + each) for each in range(10)))
    return {word for word in words if word in plain} | {key for key in KEPT if f'"{key}"' in plain}


def misspelled(text: str) -> str:
    """The same with names for hidden columns that nothing has."""
    for column in KEPT:
        text = text.replace(column, f"{column[:-1]}x")
    return text


SELECTS: list[list[str]] = [
    [],
    ["*"],
    ["name", "owner.*", "papers.*"],
    ["owner.name", "owner.tickets.*", "papers.tickets.*", "papers.tickets.owner.*"],
    ["owner.tickets.owner.*", "owner.tickets.papers.*"],
    ["papers", "owner"],
]


@pytest.mark.parametrize("select", SELECTS, ids=lambda select: " ".join(select) or "nothing selected")
def test_s18_no_reading_shows_hidden_rows_or_columns(desk: Project, agent: User, select: list[str]) -> None:
    for reading in READINGS:
        shown = reading(agent.client, "open", *select)
        assert shown.is_done, (reading.name, shown)
        assert "open" in shown.message
        assert not tells(shown.message), (reading.name, shown.message)


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: reading.name)
def test_s18_whoever_may_is_shown_all_of_it(desk: Project, boss: User, reading: Reading) -> None:
    shown = reading(boss.client, "open", "*", "owner.manager.*", "judge.*", "papers.tickets.*")

    assert tells(shown.message) >= {SECRET, "secret-paper", "secret-closed", str(WAGE + 1), str(WAGE + 3)}


OLDER = ("1.4.0", "1.7.0")
"""Formats in which a row shows what it is related to, unasked."""


@pytest.mark.parametrize("version", OLDER)
@pytest.mark.parametrize("path", [ROWS, f"{ROWS}/open", DOCUMENTS, f"{DOCUMENTS}/open"])
def test_s18_an_older_sdk_is_shown_all_that_may_be_and_no_more(
    desk: Project, agent: User, boss: User, path: str, version: str
) -> None:
    old = {"X-Appwrite-Response-Format": version}
    shown = agent.client.get(path, headers=old)

    assert '"Ann"' in shown.text, shown.text
    assert not tells(shown.text)
    assert tells(boss.client.get(path, headers=old).text) >= {SECRET, "secret-paper", "judge"}


OF_USERS = [way for way in ALL_WAYS if not way.for_keys]


@pytest.mark.parametrize("way", OF_USERS, ids=lambda way: way.name)
def test_s16_s18_no_answer_to_a_change_shows_what_may_not_be_read(
    desk: Project, agent: User, way: Way
) -> None:
    row_id = "open" if way.changes else ""
    done = way(agent.client, {"name": "Open"}, row_id=row_id)
    refused = way(agent.client, {"name": "Open", "wage": 1}, row_id=row_id)
    unknown = way(agent.client, {"name": "Open", "wagx": 1}, row_id=row_id)

    assert done.is_done, done
    assert not tells(done.message)
    assert refused[:2] == (400, "row_invalid_structure")
    assert misspelled(refused.message) == unknown.message
    if way.changes:
        closed = way(agent.client, {"name": "Open"}, row_id="secret-closed")
        assert closed[:2] == (401, "user_unauthorized")
        assert not tells(closed.message)


@pytest.mark.parametrize("addition", ADDITIONS, ids=lambda addition: addition.name)
def test_s16_a_hidden_number_is_not_added_to(desk: Project, agent: User, addition: Addition) -> None:
    hidden = addition(agent.client, "open", "wage", value=1)
    absent = addition(agent.client, "open", "wagx", value=1)

    assert hidden[:2] == absent[:2] == (404, "column_not_found")
    assert misspelled(hidden.message) == absent.message


def asked(*queries: tuple[Any, ...]) -> list[str]:
    return [query(*each) for each in queries]


def nested(*said: Any) -> Any:
    return json.loads(query(*said))


QUESTIONS: list[list[str]] = [
    asked(("greaterThan", "wage", 150)),
    asked(("isNull", "wage")),
    asked(("exists", None, "wage")),
    asked(("notExists", None, "name", "wage")),
    asked(("search", "notes", "slow")),
    asked(("notSearch", "notes", "slow")),
    asked(("regex", "notes", "^s")),
    asked(("orderAsc", "wage")),
    asked(("orderDesc", "wage"), ("limit", None, 1)),
    asked(("select", None, "wage")),
    asked(("or", None, nested("equal", "name", "Ann"), nested("equal", "wage", 200))),
    asked(("and", None, nested("or", None, nested("isNotNull", "wage"), nested("isNull", "name")))),
    asked(("sum", "wage")),
    asked(("count", "wage", "n")),
    asked(("countDistinct", "notes", "n")),
    asked(("min", "notes", "name")),
    asked(("groupBy", None, "wage"), ("count",)),
    asked(("groupBy", None, "name", "wage")),
    asked(("groupBy", None, "name"), ("count",), ("having", None, nested("greaterThan", "wage", 150))),
    asked(("groupBy", None, "name"), ("count",), ("orderAsc", "wage")),
    asked(("distinct",), ("select", None, "wage")),
    asked(("count",), ("greaterThan", "wage", 150)),
    asked(("select", None, "owner.salary")),
    asked(("select", None, "owner.manager.name")),
    asked(("select", None, "judge.name")),
    asked(("equal", "owner.salary", 5)),
    asked(("greaterThan", "owner.tickets.owner.salary", 5)),
    asked(("isNull", "owner.manager")),
    asked(("isNotNull", "owner.reports")),
    asked(("equal", "judge.name", "Chief")),
    asked(("or", None, nested("equal", "name", "T"), nested("equal", "owner.salary", 5))),
    asked(("orderAsc", "owner.salary")),
    asked(("orderAsc", "owner.manager.name")),
    asked(("count",), ("equal", "owner.salary", 5)),
]


@pytest.mark.parametrize("queries", QUESTIONS, ids=lambda queries: " ".join(queries)[:70])
def test_s16_a_hidden_column_is_as_unknown_as_one_that_is_not_there(
    desk: Project, agent: User, queries: list[str]
) -> None:
    for way in LISTS:
        refused = way(agent.client, *queries)
        missing = way(agent.client, *map(misspelled, queries))

        assert refused[:2] == (400, "general_query_invalid"), way.name
        assert misspelled(refused.message) == missing.message, way.name


def test_s16_whoever_may_read_a_column_may_ask_about_it(desk: Project, boss: User) -> None:
    ordered = ("having", "orderAsc")
    for queries in QUESTIONS:
        answered = LISTS[0](boss.client, *queries)
        is_of_groups = any("groupBy" in each for each in queries) and any(
            each in queries[-1] for each in ordered
        )  # which lead to what is grouped alone
        assert answered.is_done is not is_of_groups, (queries, answered)


@pytest.mark.parametrize("way", LISTS, ids=lambda way: way.name)
def test_s16_hidden_rows_and_words_are_found_by_nothing(
    desk: Project, agent: User, boss: User, way: Asking
) -> None:
    for queries in (
        asked(("equal", "papers.text", "hidden text")),
        asked(("isNotNull", "papers")),
        asked(("equal", "papers", "secret-paper")),
        asked(("equal", "name", "hidden")),
        asked(("search", "name", "hidden")),
        asked(("equal", "owner.tickets.name", "hidden")),
        asked(("equal", "owner.tickets.$id", "secret-closed")),
        asked(("equal", "papers.tickets.name", "hidden")),
        asked(("cursorAfter", None, "secret-closed")),
    ):
        found = way(agent.client, *queries)
        assert not tells(found.message.replace("`secret-closed`", "")), queries
        if "cursorAfter" in queries[0]:
            assert found[:2] == (400, "general_cursor_not_found")
        else:
            assert '"total":0' in found.message, (queries, found)
            assert '"total":0' not in way(boss.client, *queries).message, queries


def test_s16_no_refusal_names_a_hidden_column(desk: Project, agent: User, boss: User) -> None:
    badges = f"{TABLES}/badge/rows"
    first = boss.client.post(badges, json={"rowId": "unique()", "data": {"owner": "Ann", "grade": 1}})
    required = agent.client.post(badges, json={"rowId": "unique()", "data": {"owner": "Ben"}})
    unique = boss.client.post(badges, json={"rowId": "unique()", "data": {"owner": "Cid", "grade": 1}})

    assert first.status_code == 201, first.text
    assert error_of(required) == (400, "row_invalid_structure")
    assert required.json()["message"] == "Invalid row structure: a column is required."
    assert "`number`" in unique.json()["message"]  # which she may read


def test_s16_s18_events_tell_no_more_than_reading_does(desk: Project, agent: User, boss: User) -> None:
    since = agent.client.get("/changes").json()["since"]
    with socket(desk, user=agent) as seen, socket(desk, user=boss) as all_of_it:
        all_of_it.subscribe("rows")
        seen.subscribe("rows")
        seen.subscribe("rows", queries=(query("greaterThan", "wage", 1),))
        for row_id in ("open", "secret-closed"):
            desk.server.patch(f"{ROWS}/{row_id}", json={"data": {"wage": WAGE + 4}})
        make(desk, "t", "last", name="Last")
        last = "databases.db.tables.t.rows.last.create"
        told, whole = seen.events_until(last), all_of_it.events_until(last)
    fed = agent.client.get("/changes", params={"since": since})

    assert [event["payload"]["$id"] for event in told] == ["open", "last"]
    assert {len(event["subscriptions"]) for event in told} == {1}  # not the one that asks about wages
    assert len(fed.json()["changes"]) == 2
    assert not tells(json.dumps(told) + fed.text)
    assert tells(json.dumps(whole)) >= {str(WAGE + 4), "secret-closed"}
