"""S22: what REST refuses GraphQL refuses, for the same reason; and what happens is told all the same."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import httpx
import pytest
from graphql import GraphQLField, GraphQLNonNull

from freehold.access import scopes
from freehold.services import endpoints
from freehold.services.graphql.execution import Api
from freehold.web.openapi import operation_id
from tests.platform import PASSWORD, Platform, Project, User, error_of, running_platform, unique
from tests.postgres import Server

API = Api(endpoints(), max_depth=4, max_fields=250)
BY_NAME = {operation_id(endpoint): endpoint for endpoint in endpoints()} | {
    operation_id(each, each.several.name): each for each in endpoints() if each.several is not None
}


def fields() -> dict[str, tuple[str, GraphQLField]]:
    """All fields by their names, each with the word that begins its document."""
    assert API.schema.query_type is not None
    assert API.schema.mutation_type is not None
    return {
        **{name: ("query", field) for name, field in API.schema.query_type.fields.items()},
        **{name: ("mutation", field) for name, field in API.schema.mutation_type.fields.items()},
    }


FIELDS = fields()
GUARDED = [name for name in FIELDS if not scopes.KEY.intersection(BY_NAME[name].scopes)]


def document(name: str) -> str:
    """A document that calls a field with something for each argument that it requires."""
    word, field = FIELDS[name]
    values = {"String": '"nothing-here"', "Int": "1", "Float": "1", "Boolean": "true"}
    said = []
    for argument, declared in field.args.items():
        if isinstance(declared.type, GraphQLNonNull):
            kind = str(declared.type.of_type)
            said.append(f"{argument}: {'[]' if kind.startswith('[') else values.get(kind, '{}')}")
    arguments = f"({', '.join(said)})" if said else ""
    below = "" if str(field.type) == "Json" else " { __typename }"
    return f"{word} {{ {name}{arguments}{below} }}"


def error_in(answer: httpx.Response) -> tuple[int, str]:
    assert answer.status_code == 200, answer.text
    [error] = answer.json()["errors"]
    return error["extensions"]["code"], error["extensions"]["type"]


@pytest.fixture(scope="module")
def shared(platform: Platform) -> Project:
    return platform.new_project()


@pytest.mark.parametrize("name", GUARDED)
def test_s22_s43_without_its_scope_a_field_is_closed(shared: Project, name: str) -> None:
    others = scopes.ALL_PROJECT - frozenset(BY_NAME[name].scopes)
    client = shared.platform.client(shared.id, key=key_of(shared, others))
    refused = error_in(client.post("/graphql", json={"query": document(name)}))

    assert refused in ((401, "general_unauthorized_scope"), (401, "general_access_forbidden"))


_keys: dict[tuple[str, frozenset[str]], str] = {}


def key_of(project: Project, granted: frozenset[str]) -> str:
    """A key with these scopes, made once."""
    if (project.id, granted) not in _keys:
        _keys[project.id, granted] = project.key_with(*sorted(granted))
    return _keys[project.id, granted]


def test_s43_a_key_that_reads_cannot_write_in_any_field(shared: Project) -> None:
    reading = frozenset(scope for scope in scopes.ALL_PROJECT if scope.endswith(".read"))
    client = shared.platform.client(shared.id, key=key_of(shared, reading))
    tried = 0
    for name in GUARDED:
        if BY_NAME[name].method != "GET" and not reading.intersection(BY_NAME[name].scopes):
            answer = error_in(client.post("/graphql", json={"query": document(name)}))
            assert answer in ((401, "general_unauthorized_scope"), (401, "general_access_forbidden")), name
            tried += 1

    assert tried > 50


def test_s22_every_endpoint_that_answers_json_is_a_field() -> None:
    for_older_sdks = {
        each for each in endpoints() if each.service == "project" and "projectId" in each.parameters
    }
    left_out = {each for each in endpoints() if operation_id(each) not in FIELDS} - for_older_sdks

    assert {f"{each.method} {each.path}" for each in left_out} == {
        "GET /v1/graphql",
        "POST /v1/graphql",
        "POST /v1/graphql/mutation",
        "GET /v1/account/sessions/oauth2/{provider}",
        "GET /v1/account/sessions/oauth2/{provider}/redirect",
        "GET /v1/account/sessions/oauth2/callback/{provider}/{projectId}",
        "POST /v1/account/sessions/oauth2/callback/{provider}/{projectId}",
        "GET /v1/account/tokens/oauth2/{provider}",
        "GET /v1/mock/tests/general/oauth2",
        "GET /v1/mock/tests/general/oauth2/failure",
        "GET /v1/avatars/browsers/{code}",
        "GET /v1/avatars/credit-cards/{code}",
        "GET /v1/avatars/favicon",
        "GET /v1/avatars/flags/{code}",
        "GET /v1/avatars/image",
        "GET /v1/avatars/initials",
        "GET /v1/avatars/photo",
        "GET /v1/avatars/qr",
        "GET /v1/avatars/screenshots",
        "GET /v1/notifications/logos/appwrite",
        "GET /v1/storage/buckets/{bucketId}/files/{fileId}/download",
        "GET /v1/storage/buckets/{bucketId}/files/{fileId}/preview",
        "GET /v1/storage/buckets/{bucketId}/files/{fileId}/push",
        "GET /v1/storage/buckets/{bucketId}/files/{fileId}/view",
        "POST /v1/storage/buckets/{bucketId}/files",
    }


@pytest.fixture
def notes(project: Project) -> Project:
    project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    body = {
        "tableId": "notes",
        "name": "Notes",
        "permissions": ['create("users")'],
        "rowSecurity": True,
        "columns": [{"key": "text", "type": "varchar", "size": 40, "required": True}],
    }
    assert project.server.post("/tablesdb/db/tables", json=body).status_code == 201
    return project


AT = 'databaseId: "db", tableId: "notes"'


def ask(client: httpx.Client, query: str) -> dict[str, Any]:
    answer = client.post("/graphql", json={"query": query})
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


def test_s22_what_happens_is_told_with_who_did_it(notes: Project, jane: User) -> None:
    ask(
        jane.client,
        f'mutation {{ tablesDBCreateRow({AT}, rowId: "one", data: {{text: "x"}}) {{ _id }}'
        ' teamsCreate(teamId: "crew", name: "Crew") { _id } }',
    )

    async def told() -> list[tuple[str, str]]:
        connection = await asyncpg.connect(notes.platform.database_url)
        rows = await connection.fetch(
            "select event, actor from freehold.outbox where project_id = $1", notes.id
        )
        await connection.close()
        return [(row["event"], row["actor"]) for row in rows]

    events = asyncio.run(told())
    assert ("databases.db.tables.notes.rows.one.create", f"user:{jane.id}") in events
    assert ("teams.crew.create", f"user:{jane.id}") in events


def test_s22_logging_in_is_counted_for_each_alias(postgres: Server) -> None:
    with running_platform(postgres) as strict:
        strict.register_root()
        project = strict.new_project()
        jane = project.new_user()
        guess = 'accountCreateEmailPasswordSession(email: "%s", password: "wrong password") { _id }'
        tries = " ".join(f"t{n}: {guess % jane.email}" for n in range(20))
        answer = ask(strict.client(project.id), f"mutation {{ {tries} }}")
        types = [error["extensions"]["type"] for error in answer["errors"]]

        assert types == ["user_invalid_credentials"] * 10 + ["general_rate_limit_exceeded"] * 10
        body = {"email": jane.email, "password": PASSWORD}
        refused = strict.client(project.id).post("/account/sessions/email", json=body)
        assert error_of(refused) == (429, "general_rate_limit_exceeded")


def test_s42_a_project_is_not_left_through_a_field(notes: Project, platform: Platform, jane: User) -> None:
    other = platform.new_project()
    stranger = other.new_user()
    notes.server.post(
        "/tablesdb/db/tables/notes/rows",
        json={"rowId": "one", "data": {"text": "secret"}, "permissions": ['read("any")']},
    )
    for client in (other.server, stranger.client, other.guest, other.admin):
        for query in (
            f'{{ tablesDBGetRow({AT}, rowId: "one") {{ _id data }} }}',
            f"{{ tablesDBListRows({AT}) {{ total }} }}",
            f'{{ usersGet(userId: "{jane.id}") {{ email }} }}',
            f'{{ organizationGetProject(projectId: "{notes.id}") {{ _id }} }}',
        ):
            answer = client.post("/graphql", json={"query": query})
            assert "secret" not in answer.text
            assert jane.email not in answer.text
            assert "errors" in answer.json(), query
    for header in ({"X-Appwrite-Project": other.id}, {"X-Appwrite-Mode": "admin"}):
        answer = jane.client.post("/graphql", json={"query": "{ usersList { total } }"}, headers=header)
        assert answer.status_code >= 400 or "errors" in answer.json()
    renamed = other.server.post(
        "/graphql",
        json={"query": f'mutation {{ projectsUpdate(projectId: "{notes.id}", name: "x") {{ _id }} }}'},
    )
    assert "errors" in renamed.json()
    assert notes.admin.get("/project").json()["name"] == "Shop"


def test_s22_other_pages_cannot_make_a_browser_change_something(notes: Project) -> None:
    jane = notes.platform.client(notes.id)
    email = f"{unique('csrf')}@example.com"
    jane.post("/account", json={"userId": "unique()", "email": email, "password": PASSWORD, "name": "J"})
    signed_in = jane.post("/account/sessions/email", json={"email": email, "password": PASSWORD})
    assert signed_in.status_code == 201
    query = 'mutation { accountUpdateName(name: "Hacked") { _id } }'
    body = json.dumps({"query": query})
    for content_type in (
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    ):
        refused = jane.post("/graphql", content=body, headers={"Content-Type": content_type})
        assert error_of(refused) == (400, "general_bad_request"), content_type
    form = jane.post("/graphql", data={"query": query})
    assert error_of(form) == (400, "general_bad_request")
    assert error_of(jane.get("/graphql", params={"query": query})) == (405, "graphql_method_unsupported")
    foreign = {"Origin": "https://evil.example.org"}
    assert error_of(jane.post("/graphql", json={"query": query}, headers=foreign)) == (
        403,
        "general_unknown_origin",
    )

    assert jane.get("/account").json()["name"] == "J"


def test_s22_a_null_character_is_an_error_of_its_field(notes: Project, jane: User) -> None:
    answer = jane.client.post(
        "/graphql",
        json={
            "query": f'mutation ($d: Json!) {{ tablesDBCreateRow({AT}, rowId: "z", data: $d) {{ _id }} }}',
            "variables": {"d": {"text": "a\0b"}},
        },
    )

    assert error_in(answer)[0] == 400
