"""S24: what a GraphQL document asks for is bounded before it is run, and not anybody reads the schema."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from tests.platform import Project, User, error_of, running_platform
from tests.postgres import Server

FAN_OUT = "\n".join(
    [
        "{ teamsList { teams { ...f0 } } }",
        *(f"fragment f{n} on Team {{ ...f{n + 1} ...f{n + 1} }}" for n in range(20)),
        "fragment f20 on Team { name }",
    ]
)
CIRCLE = """
    { teamsList { ...a } }
    fragment a on TeamList { total ...b }
    fragment b on TeamList { total ...a }
"""
UNUSED = "{ __typename } fragment f on TeamList { " + "total " * 400 + "}"
CHAIN = "{ ...c0 }" + "".join(f" fragment c{n} on Query {{ ...c{n + 1} }}" for n in range(600))

HOSTILE = {
    "aliases": "{" + " ".join(f"a{n}: teamsList {{ total }}" for n in range(1000)) + "}",
    "duplicates": "{" + "__typename " * 1000 + "}",
    "duplicate calls": "{" + "teamsList { total } " * 200 + "}",
    "fan-out": FAN_OUT,
    "circle": CIRCLE,
    "self": "{ ...a } fragment a on Query { ...a }",
    "unused": UNUSED,
    "chain": CHAIN,
    "deep": "{ teamsList " + "{ teams " * 50 + "{ name }" + " }" * 50 + "}",
    "very deep": "{a" * 5000 + "}" * 5000,
    "inline": "{" + "... {" * 300 + "__typename" + "}" * 301,
    "many inline": "{" + "... { __typename } " * 300 + "}",
    "deep value": "mutation { teamsUpdatePrefs(teamId: 1, prefs: " + "[" * 1900 + "]" * 1900 + ") { data } }",
    "tokens": "query (" + " ".join(f"$v{n}: Int" for n in range(2000)) + ") { __typename }",
    "directives": "{ __typename " + "@skip(if: false) " * 1000 + "}",
    "long": "{ __typename } #" + "x" * 40_000,
    "commas": "{ __typename " + "," * 1_000_000 + "}",
    "comments": "{ __typename " + "#\n" * 500_000 + "}",
    "number": "{ teamsList(total: " + "9" * 20_000 + ") { total } }",
}


def errors_of(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert "data" not in body
    errors: list[dict[str, Any]] = body["errors"]
    return errors


@pytest.mark.parametrize("name", HOSTILE)
def test_s24_a_costly_document_is_refused_before_anything_is_run(project: Project, name: str) -> None:
    for client in (project.guest, project.server):
        refused = client.post("/graphql", json={"query": HOSTILE[name]})

        for error in errors_of(refused):
            assert error["extensions"] == {"code": 400, "type": "general_bad_request"}
        assert refused.elapsed.total_seconds() < 3
        assert len(refused.content) < 20_000


def test_s24_a_batch_may_ask_for_no_more_than_one_document(project: Project) -> None:
    query = "{" + " ".join(f"a{n}: teamsList {{ total }}" for n in range(50)) + "}"
    answers = project.server.post("/graphql", json=[{"query": query}] * 5).json()

    assert [("data" in each) for each in answers] == [True, True, False, False, False]
    assert "250" in answers[4]["errors"][0]["message"]
    too_many = project.server.post("/graphql", json=[{"query": "{ __typename }"}] * 11)
    assert error_of(too_many) == (400, "graphql_too_many_queries")


def test_s24_the_answer_is_bounded_too(project: Project) -> None:
    columns = [{"key": "name", "type": "varchar", "size": 9, "required": True}]
    project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    project.server.post("/tablesdb/db/tables", json={"tableId": "t", "name": "T", "columns": columns})
    rows = [{"$id": f"r{n}", "name": "x"} for n in range(100)]
    for start in range(6):
        batch = [{**row, "$id": f"{start}{row['$id']}"} for row in rows]
        assert project.server.post("/tablesdb/db/tables/t/rows", json={"rows": batch}).status_code == 201
    limit = json.dumps(json.dumps({"method": "limit", "values": [600]}))
    at = f'databaseId: "db", tableId: "t", queries: [{limit}]'
    wide = " ".join(f"a{n}: _id" for n in range(200))
    refused = project.server.post(
        "/graphql", json={"query": f"{{ tablesDBListRows({at}) {{ rows {{ {wide} }} }} }}"}
    ).json()
    narrow = project.server.post(
        "/graphql", json={"query": f"{{ tablesDBListRows({at}) {{ rows {{ _id }} }} }}"}
    ).json()

    by_post = project.server.post(
        "/graphql",
        json={
            "query": f"""mutation {{
                one: tablesDBCreateQuery({at}) {{ rows {{ {wide} }} }}
                tablesDBDeleteRow(databaseId: "db", tableId: "t", rowId: "0r0") {{ status }}
            }}"""
        },
    ).json()

    assert by_post["data"] == {"one": None, "tablesDBDeleteRow": None}
    assert project.server.get("/tablesdb/db/tables/t/rows/0r0").status_code == 200
    assert refused["data"] == {"tablesDBListRows": None}
    assert "larger" in refused["errors"][0]["message"]
    assert len(narrow["data"]["tablesDBListRows"]["rows"]) == 600


def test_s24_the_schema_is_for_keys_and_the_console(project: Project, jane: User) -> None:
    shown = project.server.post("/graphql", json={"query": get_introspection_query()}).json()
    assert "Row" in {each["name"] for each in shown["data"]["__schema"]["types"]}
    on_console = project.admin.post("/graphql", json={"query": "{ __schema { queryType { name } } }"}).json()
    assert on_console == {"data": {"__schema": {"queryType": {"name": "Query"}}}}

    for query in (
        get_introspection_query(),
        "{ __schema { queryType { name } } }",
        '{ __type(name: "User") { name } }',
        '{ ...f } fragment f on Query { hidden: __type(name: "User") { name } }',
        "{ __typename ... @include(if: false) { __schema { queryType { name } } } }",
    ):
        for client in (project.guest, jane.client):
            [error] = errors_of(client.post("/graphql", json={"query": query}))
            assert error["extensions"] == {"code": 401, "type": "general_unauthorized_scope"}


def test_s24_errors_do_not_tell_names_of_the_schema_to_those_who_may_not_read_it(project: Project) -> None:
    for query in (
        "{ teamList { total } }",
        "{ teamsList { totl } }",
        "{ teamsList(totl: true) { total } }",
        "{ __typename ... on Quer { __typename } }",
    ):
        [error, *_] = errors_of(project.guest.post("/graphql", json={"query": query}))
        assert "Did you mean" not in error["message"]
    [error] = errors_of(project.server.post("/graphql", json={"query": "{ teamList { total } }"}))
    assert "teamsList" in error["message"]


@pytest.mark.parametrize("path", ["/graphql/schema", "/graphql/sdl", "/graphql.graphql", "/graphql/explorer"])
def test_s24_there_is_no_other_way_to_the_schema(project: Project, path: str) -> None:
    assert project.server.get(path).status_code == 404


@pytest.mark.parametrize("depth", [1, 200])
def test_s24_introspection_by_a_key_is_bounded(project: Project, depth: int) -> None:
    fields = "fields { type { " * depth + "name" + " } }" * depth
    answer = project.server.post("/graphql", json={"query": f"{{ __schema {{ types {{ {fields} }} }} }}"})

    assert answer.elapsed.total_seconds() < 3
    assert ("data" in answer.json()) is (depth == 1)


def test_s24_requests_are_counted(postgres: Server) -> None:
    with running_platform(postgres) as strict:
        strict.register_root()
        guest = strict.client(strict.new_project().id)
        while time.time() % 60 > 40:  # the window is of the clock's minutes
            time.sleep(1)
        asked = [guest.post("/graphql", json={"query": "{ __typename }"}) for _ in range(75)]

        assert [each.status_code for each in asked[:60]] == [200] * 60
        assert error_of(asked[74]) == (429, "general_rate_limit_exceeded")


ODD: list[tuple[str, Any]] = [
    ("subscription { __typename }", {}),
    ("query A { __typename } query B { __typename }", {}),
    ("type Query { a: Int } { __typename }", {}),
    ("fragment f on Query { __typename }", {}),
    ("{ teamsList @defer { total } }", {}),
    ("{ ... @defer { __typename } }", {}),
    ('{ teamsGet(teamId: "\\ud83d") { _id } }', {}),
    ('{ teamsGet(teamId: "\\u{110000}") { _id } }', {}),
    ("query ($v: Json = " + "[" * 100 + "]" * 100 + ") { __typename }", {}),
    ("mutation ($p: Assoc!) { accountUpdatePrefs(prefs: $p) { _id } }", {"p": "{" * 5000}),
    ("mutation ($p: Assoc!) { accountUpdatePrefs(prefs: $p) { _id } }", {"p": [[[[{}]]]]}),
    ("mutation { accountUpdatePrefs(prefs: {a: 1e999, b: 1}) { _id } }", {}),
    ("mutation { accountUpdatePrefs(prefs: {a: " + "9" * 6000 + "}) { _id } }", {}),
    ('mutation { accountUpdatePrefs(prefs: "\\u0000") { _id } }', {}),
    ("query ($n: [String]) { teamsList(queries: $n) { total } }", {"n": [None, "x"]}),
    ("query ($n: [String]) { teamsList(queries: $n) { total } }", {"n": ["x"] * 100_000}),
    ("query ($__proto__: String) { teamsGet(teamId: $__proto__) { _id } }", {"__proto__": "a"}),
]


@pytest.mark.parametrize(("query", "variables"), ODD, ids=range(len(ODD)))
def test_s24_odd_documents_are_errors_of_their_sender(jane: User, query: str, variables: Any) -> None:
    answer = jane.client.post("/graphql", json={"query": query, "variables": variables})

    assert answer.status_code == 200, answer.text
    for error in answer.json()["errors"]:
        assert 400 <= error["extensions"]["code"] < 500, error
    assert len(answer.content) < 20_000


def test_s24_bytes_that_are_no_text_are_refused(project: Project) -> None:
    headers = {"Content-Type": "application/graphql"}
    answer = project.guest.post("/graphql", content=b"{ \xff\xfe __typename }", headers=headers)
    assert "errors" in answer.json()
    assert "data" not in answer.json()
    broken = project.guest.post(
        "/graphql", content=b'{"query": "\xff"}', headers={"Content-Type": "application/json"}
    )
    assert error_of(broken) == (400, "general_bad_request")


def test_s24_a_document_does_not_go_on_for_longer_than_a_statement_may(postgres: Server) -> None:
    with running_platform(postgres, FREEHOLD_STATEMENT_TIMEOUT_S="1") as hasty:
        hasty.register_root()
        project = hasty.new_project()
        users = " ".join(
            f'u{n}: usersCreate(userId: "u{n}", password: "a good password") {{ _id }}' for n in range(120)
        )
        answer = project.server.post("/graphql", json={"query": f"mutation {{ {users} }}"}).json()
        made = {name for name, user in answer["data"].items() if user is not None}
        kept = project.server.get("/users").json()["total"]

        assert {error["extensions"]["type"] for error in answer["errors"]} == {"database_timeout"}
        assert "u0" in made
        assert "u119" not in made
        assert kept == len(made)
