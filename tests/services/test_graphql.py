"""GraphQL: the same functions as through REST, asked for by the official SDK and by hand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from appwrite.client import Client
from appwrite.exception import AppwriteException
from appwrite.services.graphql import Graphql
from appwrite.services.tables_db import TablesDB

from tests.platform import PASSWORD, Project, User, error_of, unique

CREATE = """
    mutation ($id: String!, $data: Json!) {
        tablesDBCreateRow(databaseId: "db", tableId: "people", rowId: $id, data: $data) { _id _tableId data }
    }
"""
LIST = """
    query ($queries: [String!]) {
        tablesDBListRows(databaseId: "db", tableId: "people", queries: $queries) { total rows { _id data } }
    }
"""


@pytest.fixture
def tables(project: Project) -> TablesDB:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    tables.create_table(
        "db",
        "people",
        "People",
        permissions=['create("users")'],
        row_security=True,
        columns=[
            {"key": "name", "type": "varchar", "size": 40, "required": True},
            {"key": "age", "type": "bigint", "required": False},
        ],
    )
    return tables


def run(sdk: Client, query: str, **variables: Any) -> dict[str, Any]:
    """What the official SDK is answered."""
    answer: dict[str, Any] = Graphql(sdk).query({"query": query, "variables": variables})
    return answer


def data(sdk: Client, query: str, **variables: Any) -> dict[str, Any]:
    answer = run(sdk, query, **variables)
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]
    return found


def post(client: httpx.Client, query: str, **more: Any) -> dict[str, Any]:
    answer = client.post("/graphql", json={"query": query, **more})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def type_of(answer: dict[str, Any]) -> tuple[int, str]:
    """Code and type of the only error."""
    [error] = answer["errors"]
    return error["extensions"]["code"], error["extensions"]["type"]


# -- what is answered --------------------------------------------------------------------------------------


def test_a_row_is_made_and_read_with_the_columns_as_json(project: Project, tables: TablesDB) -> None:
    sdk = project.sdk(key=project.key)
    made = Graphql(sdk).mutation(
        {"query": CREATE, "variables": {"id": "ann", "data": {"name": "Ann", "age": 2**53 + 1}}}
    )
    listed = data(sdk, LIST, queries=['{"method":"equal","attribute":"name","values":["Ann"]}'])

    row = made["data"]["tablesDBCreateRow"]
    assert (row["_id"], row["_tableId"]) == ("ann", "people")
    assert json.loads(row["data"]) == {"name": "Ann", "age": 2**53 + 1}
    assert listed["tablesDBListRows"]["total"] == 1
    assert json.loads(listed["tablesDBListRows"]["rows"][0]["data"]) == {"name": "Ann", "age": 2**53 + 1}
    assert tables.get_row("db", "people", "ann").data == {"name": "Ann", "age": 2**53 + 1}


def test_data_is_given_as_an_object_as_a_variable_inside_one_or_as_json(
    project: Project, tables: TablesDB
) -> None:
    data(
        project.sdk(key=project.key),
        """
        mutation ($name: String!, $age: Int) {
            a: tablesDBCreateRow(databaseId: "db", tableId: "people", rowId: "a",
                                 data: {name: "Ann", age: 3000000000}) { _id }
            b: tablesDBCreateRow(databaseId: "db", tableId: "people", rowId: "b",
                                 data: {name: $name, age: $age}) { _id }
            c: tablesDBCreateRow(databaseId: "db", tableId: "people", rowId: "c",
                                 data: "{\\"name\\": \\"Cy\\", \\"age\\": 3}") { _id }
        }
        """,
        name="Bo",
        age=2,
    )

    kept = {row.id: row.data for row in tables.list_rows("db", "people").rows}
    assert kept == {
        "a": {"name": "Ann", "age": 3000000000},
        "b": {"name": "Bo", "age": 2},
        "c": {"name": "Cy", "age": 3},
    }


def test_an_account_signs_up_signs_in_keeps_preferences_and_signs_out(project: Project) -> None:
    email = f"{unique('g')}@example.com"
    guest = project.platform.client(project.id)
    made = post(
        guest,
        "mutation ($email: String!, $password: String!) {"
        ' accountCreate(userId: "unique()", email: $email, password: $password, name: "Gus") { _id name }'
        " accountCreateEmailPasswordSession(email: $email, password: $password) { _id userId current } }",
        variables={"email": email, "password": PASSWORD},
    )
    assert made["data"]["accountCreate"]["name"] == "Gus"
    assert made["data"]["accountCreateEmailPasswordSession"]["userId"] == made["data"]["accountCreate"]["_id"]

    changed = post(
        guest,
        "mutation ($prefs: Assoc!) { accountUpdatePrefs(prefs: $prefs) { email prefs { data } } }",
        variables={"prefs": {"theme": "dark"}},
    )
    assert changed["data"]["accountUpdatePrefs"]["email"] == email
    assert json.loads(changed["data"]["accountUpdatePrefs"]["prefs"]["data"]) == {"theme": "dark"}
    read = post(guest, "{ accountGetPrefs { data } }")["data"]["accountGetPrefs"]["data"]
    assert json.loads(read) == {"theme": "dark"}

    gone = post(guest, 'mutation { accountDeleteSession(sessionId: "current") { status } }')
    assert gone == {"data": {"accountDeleteSession": {"status": True}}}
    assert type_of(post(guest, "{ accountGet { _id } }")) == (401, "general_unauthorized_scope")


def test_a_column_says_which_kind_it_is(project: Project, tables: TablesDB) -> None:
    sdk = project.sdk(key=project.key)
    tables.create_email_column("db", "people", "mail", False)
    tables.create_url_column("db", "people", "site", False)
    columns = data(
        sdk,
        """{ tablesDBListColumns(databaseId: "db", tableId: "people") { columns {
            __typename ... on ColumnVarchar { key size } ... on ColumnBigint { key min }
            ... on ColumnEmail { key format } ... on ColumnUrl { key } } } }""",
    )["tablesDBListColumns"]["columns"]

    assert [(column["__typename"], column["key"]) for column in columns] == [
        ("ColumnVarchar", "name"),
        ("ColumnBigint", "age"),
        ("ColumnEmail", "mail"),
        ("ColumnUrl", "site"),
    ]
    assert columns[0]["size"] == 40


def test_documents_of_collections_are_the_same_rows(project: Project, tables: TablesDB) -> None:
    made = data(
        project.sdk(key=project.key),
        """mutation ($data: Json!) { databasesCreateDocument(databaseId: "db", collectionId: "people",
            documentId: "ann", data: $data) { _id _collectionId data } }""",
        data={"name": "Ann", "age": 4},
    )["databasesCreateDocument"]

    assert (made["_id"], made["_collectionId"]) == ("ann", "people")
    assert json.loads(made["data"]) == {"name": "Ann", "age": 4}
    assert tables.get_row("db", "people", "ann").data == {"name": "Ann", "age": 4}


def test_many_rows_are_made_by_a_field_of_their_own(project: Project, tables: TablesDB) -> None:
    rows = [{"$id": "ann", "name": "Ann"}, {"$id": "bob", "name": "Bob", "age": 4}]
    sdk = project.sdk(key=project.key)
    made = data(
        sdk,
        """mutation ($rows: [Json!]!) { tablesDBCreateRows(databaseId: "db", tableId: "people", rows: $rows)
            { total rows { _id data } } }""",
        rows=rows,
    )["tablesDBCreateRows"]
    documents = data(
        sdk,
        """mutation { databasesCreateDocuments(databaseId: "db", collectionId: "people",
            documents: [{name: "Cid"}]) { total documents { _collectionId data } } }""",
    )["databasesCreateDocuments"]
    mixed = run(
        sdk,
        'mutation { tablesDBCreateRow(databaseId: "db", tableId: "people", rows: [{name: "Dan"}]) { _id } }',
    )

    assert (made["total"], [each["_id"] for each in made["rows"]]) == (2, ["ann", "bob"])
    assert json.loads(made["rows"][1]["data"]) == {"name": "Bob", "age": 4}
    assert documents["documents"][0]["_collectionId"] == "people"
    assert json.loads(documents["documents"][0]["data"]) == {"name": "Cid", "age": None}
    assert type_of(mixed)[0] == 400
    assert tables.list_rows("db", "people").total == 3


def test_independent_queries_are_answered_together_and_a_failing_one_fails_alone(
    project: Project, tables: TablesDB
) -> None:
    answer = run(
        project.sdk(key=project.key),
        """{ teamsList { total } usersList { total }
             row: tablesDBGetRow(databaseId: "db", tableId: "people", rowId: "nobody") { _id } }""",
    )

    assert answer["data"] == {"teamsList": {"total": 0}, "usersList": {"total": 0}, "row": None}
    assert type_of(answer) == (404, "row_not_found")
    assert answer["errors"][0]["path"] == ["row"]
    assert answer["errors"][0]["locations"]
    assert "nobody" in answer["errors"][0]["message"]


def test_mutations_run_in_order_and_each_keeps_what_it_did(project: Project, tables: TablesDB) -> None:
    fields = 'databaseId: "db", tableId: "people", rowId: "ann"'
    answer = run(
        project.sdk(key=project.key),
        f"""mutation {{
            first: tablesDBCreateRow({fields}, data: {{name: "Ann", age: 1}}) {{ _id }}
            again: tablesDBCreateRow({fields}, data: {{name: "Ann"}}) {{ _id }}
            more: tablesDBIncrementRowColumn({fields}, column: "age", value: 2) {{ data }}
        }}""",
    )

    assert answer["data"]["first"] == {"_id": "ann"}
    assert answer["data"]["again"] is None
    assert type_of(answer) == (409, "row_already_exists")
    assert json.loads(answer["data"]["more"]["data"])["age"] == 3
    assert tables.get_row("db", "people", "ann").data["age"] == 3


def test_mutations_that_belong_together_are_staged_in_a_transaction(
    project: Project, tables: TablesDB
) -> None:
    sdk = project.sdk(key=project.key)
    begun = data(sdk, "mutation { tablesDBCreateTransaction { _id } }")["tablesDBCreateTransaction"]["_id"]
    at = 'databaseId: "db", tableId: "people", transactionId: $t'
    data(
        sdk,
        f"""mutation ($t: String!) {{
            a: tablesDBCreateRow({at}, rowId: "a", data: {{name: "Ann"}}) {{ _id }}
            b: tablesDBCreateRow({at}, rowId: "b", data: {{name: "Bo"}}) {{ _id }}
        }}""",
        t=begun,
    )
    assert tables.list_rows("db", "people").total == 0

    commit = (
        "mutation ($t: String!) { tablesDBUpdateTransaction(transactionId: $t, commit: true) { status } }"
    )
    assert data(sdk, commit, t=begun)["tablesDBUpdateTransaction"]["status"] == "committed"
    assert tables.list_rows("db", "people").total == 2


def test_parameters_are_checked_as_through_rest(project: Project) -> None:
    sdk = project.sdk(key=project.key)
    too_long = run(sdk, 'mutation ($n: String!) { teamsCreate(teamId: "a", name: $n) { _id } }', n="x" * 200)
    no_id = run(sdk, '{ teamsGet(teamId: "../users") { _id } }')

    assert type_of(too_long) == (400, "general_argument_invalid")
    assert type_of(no_id) == (400, "general_argument_invalid")
    assert data(sdk, "{ teamsList { total } }") == {"teamsList": {"total": 0}}


def test_the_example_in_the_documentation_works_as_written(project: Project) -> None:
    text = (Path(__file__).parents[2] / "docs/graphql.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    told = {
        "FREEHOLD_ENDPOINT": project.platform.endpoint,
        "FREEHOLD_PROJECT": project.id,
        "FREEHOLD_KEY": project.key,
    }
    done = subprocess.run(
        [sys.executable, "-c", example],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout == "The Dispossessed\n"


# -- how it is asked ---------------------------------------------------------------------------------------


def test_a_batch_is_answered_in_its_order(project: Project) -> None:
    queries = [{"query": "{ teamsList { total } }"}, {"query": "{ nothing }"}, {"query": "{ __typename }"}]
    by_sdk = Graphql(project.sdk(key=project.key)).query(queries)
    by_hand = project.server.post("/graphql", json=queries).json()

    assert by_sdk == by_hand
    assert by_hand[0] == {"data": {"teamsList": {"total": 0}}}
    assert type_of(by_hand[1]) == (400, "general_bad_request")
    assert "data" not in by_hand[1]
    assert by_hand[2] == {"data": {"__typename": "Query"}}


def test_a_document_is_sent_as_json_as_graphql_or_in_the_address(project: Project) -> None:
    query = "query One { teamsList { total } } query Two { usersList { total } }"
    one = {"query": query, "operationName": "Two"}
    plain = "{ usersList { total } }"
    answers = [
        project.server.post("/graphql", json=one),
        project.server.post("/graphql", json={"query": one}, headers={"X-SDK-GraphQL": "true"}),
        project.server.post("/graphql/mutation", json=one),
        project.server.post("/graphql", content=plain, headers={"Content-Type": "application/graphql"}),
        project.server.get("/graphql", params={**one, "variables": "{}"}),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()) == (200, {"data": {"usersList": {"total": 0}}})


@pytest.mark.parametrize("body", [{}, [], {"query": ""}, {"query": 3}, {"query": []}, [{}], "text"])
def test_a_request_without_a_document_is_refused(project: Project, body: Any) -> None:
    assert error_of(project.server.post("/graphql", json=body)) == (400, "graphql_no_query")


def test_the_sdk_raises_what_is_refused_as_a_whole(project: Project) -> None:
    with pytest.raises(AppwriteException) as refused:
        Graphql(project.sdk(key=project.key)).query([{"query": "{ __typename }"}] * 11)

    assert (refused.value.code, refused.value.type) == (400, "graphql_too_many_queries")


@pytest.mark.parametrize(
    "query",
    ["{", "{ teamsList { total }", "{ teamsList }", "query ($x: Nope) { __typename }", '{ a(b: "\\x") }'],
)
def test_a_document_that_is_wrong_says_where(project: Project, query: str) -> None:
    answer = post(project.server, query)

    assert "data" not in answer
    assert answer["errors"][0]["extensions"] == {"code": 400, "type": "general_bad_request"}
    assert answer["errors"][0]["locations"]


def test_variables_of_the_wrong_type_are_refused(project: Project) -> None:
    query = "query ($id: String!) { teamsGet(teamId: $id) { _id } }"
    for variables in ({}, {"id": 3}, {"id": None}, {"id": ["a"]}):
        assert type_of(post(project.server, query, variables=variables)) == (400, "general_bad_request")
    wrong = project.server.post("/graphql", json={"query": query, "variables": [1]})
    assert error_of(wrong) == (400, "general_argument_invalid")


def test_get_reads_and_changes_nothing(project: Project) -> None:
    mutation = 'mutation { teamsCreate(teamId: "a", name: "A") { _id } }'
    refused = project.server.get("/graphql", params={"query": mutation})
    by_name = project.server.get(
        "/graphql", params={"query": f"query Q {{ __typename }} {mutation.replace('mutation', 'mutation M')}",
                            "operationName": "M"}
    )  # fmt: skip

    assert error_of(refused) == (405, "graphql_method_unsupported")
    assert error_of(by_name) == (405, "graphql_method_unsupported")
    assert project.server.get("/teams").json()["total"] == 0


def test_the_protocol_is_switched_off_apart_from_rest(project: Project, jane: User) -> None:
    project.admin.patch("/project/protocols/graphql", json={"enabled": False})
    asked = {"query": "{ accountGet { _id } }"}

    assert error_of(jane.client.post("/graphql", json=asked)) == (403, "general_api_disabled")
    assert jane.client.get("/account").status_code == 200
    assert project.server.post("/graphql", json={"query": "{ __typename }"}).status_code == 200
    project.admin.patch("/project/protocols/graphql", json={"enabled": True})
    project.admin.patch("/project/protocols/rest", json={"enabled": False})
    assert post(jane.client, asked["query"])["data"]["accountGet"]["_id"] == jane.id
    assert error_of(jane.client.get("/account")) == (403, "general_api_disabled")


def test_a_service_that_is_switched_off_is_off_for_its_fields_too(project: Project, jane: User) -> None:
    project.admin.patch("/project/services/teams", json={"enabled": False})
    answer = post(jane.client, "{ teamsList { total } accountGet { _id } }")

    assert type_of(answer) == (403, "general_service_disabled")
    assert answer["data"] == {"teamsList": None, "accountGet": {"_id": jane.id}}
