"""Lists of rows that callers let be kept: for whom, for how long, and what makes them new."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from appwrite.enums.relationship_type import RelationshipType
from appwrite.query import Query
from appwrite.services.databases import Databases
from appwrite.services.tables_db import TablesDB

from tests.platform import Platform, Project, User, error_of

ROWS = "/tablesdb/db/tables/t/rows"
TABLE = "/tablesdb/db/tables/t"


@pytest.fixture
def tables(project: Project) -> TablesDB:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    column = {"key": "name", "type": "varchar", "size": 20, "required": False}
    tables.create_table("db", "t", "T", columns=[column], row_security=True)
    tables.create_row("db", "t", "one", {"name": "one"}, ['read("any")'])
    return tables


def names(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [row["$id"] for row in response.json().get("rows", response.json().get("documents"))]


def listed(client: httpx.Client, *, ttl: int = 3600, path: str = ROWS, **asked: Any) -> httpx.Response:
    """A list that may be kept. Asked twice: the process that the client is connected to has kept it then."""
    for _ in range(2):
        response = client.get(path, params={"ttl": ttl, **asked})
        assert response.headers["X-Appwrite-Cache"] in ("hit", "miss")
    return response


def test_a_list_may_be_as_old_as_its_caller_says(project: Project, tables: TablesDB) -> None:
    first = project.server.get(ROWS, params={"ttl": 3600})
    assert first.headers["X-Appwrite-Cache"] == "miss"
    listed(project.server)
    tables.create_row("db", "t", "two", {})

    kept = listed(project.server)
    assert kept.headers["X-Appwrite-Cache"] == "hit"
    assert kept.content == first.content
    new = project.server.get(ROWS)
    assert "X-Appwrite-Cache" not in new.headers
    assert names(new) == ["one", "two"]
    posted = project.server.post(f"{ROWS}/query", json={"ttl": 3600})
    assert (posted.headers["X-Appwrite-Cache"], names(posted)) == ("hit", ["one"])


def test_a_list_that_is_older_than_its_caller_says_is_made_anew(project: Project, tables: TablesDB) -> None:
    listed(project.server)
    tables.create_row("db", "t", "two", {})
    time.sleep(1.1)

    assert names(project.server.get(ROWS, params={"ttl": 1})) == ["one", "two"]


def test_other_questions_have_other_answers(project: Project, tables: TablesDB) -> None:
    tables.create_row("db", "t", "two", {"name": "two"})
    listed(project.server)

    assert names(listed(project.server, **{"queries[0]": Query.equal("name", "two")})) == ["two"]
    assert listed(project.server, total=False).json()["total"] == 0
    assert listed(project.server).json()["total"] == 2
    documents = listed(project.server, path="/databases/db/collections/t/documents").json()
    assert [document["$collectionId"] for document in documents["documents"]] == ["t", "t"]
    assert TablesDB(project.sdk(key=project.key)).list_rows("db", "t", ttl=60).total == 2
    assert Databases(project.sdk(key=project.key)).list_documents("db", "t", ttl=60).total == 2


def test_s42_callers_never_get_what_was_kept_for_others(
    platform: Platform, project: Project, tables: TablesDB, jane: User, bob: User
) -> None:
    tables.create_row("db", "t", "secret", {}, [f'read("user:{jane.id}")'])

    assert names(listed(project.server)) == ["one", "secret"]
    assert names(listed(jane.client)) == ["one", "secret"]
    assert names(listed(bob.client)) == ["one"]
    assert names(listed(project.guest)) == ["one"]
    assert bob.client.get(ROWS, params={"ttl": 3600}).headers["X-Appwrite-Cache"] == "hit"
    other = platform.new_project()
    theirs = TablesDB(other.sdk(key=other.key))
    theirs.create("db", "DB")
    theirs.create_table("db", "t", "T")
    assert names(listed(other.server)) == []


def test_who_may_no_longer_read_the_table_gets_nothing_that_was_kept(
    project: Project, tables: TablesDB, jane: User
) -> None:
    tables.update_table("db", "t", permissions=['read("users")'])
    tables.create_row("db", "t", "two", {})
    assert names(listed(jane.client)) == ["one", "two"]
    tables.update_table("db", "t", permissions=[], row_security=True)
    assert names(listed(jane.client)) == ["one"]
    tables.update_table("db", "t", permissions=[], row_security=False)

    assert error_of(jane.client.get(ROWS, params={"ttl": 3600})) == (401, "user_unauthorized")


def test_a_change_of_the_table_makes_its_lists_new(project: Project, tables: TablesDB) -> None:
    assert "more" not in listed(project.server).json()["rows"][0]
    tables.create_integer_column("db", "t", "more", required=False, default=5)

    assert listed(project.server).json()["rows"][0]["more"] == 5


def test_a_table_can_be_told_to_forget_its_lists(project: Project, tables: TablesDB) -> None:
    listed(project.server)
    tables.create_row("db", "t", "two", {})
    tables.update_table("db", "t", name="Other")
    assert names(listed(project.server)) == ["one"]
    tables.update_table("db", "t", purge=True)

    assert names(project.server.get(ROWS, params={"ttl": 3600})) == ["one", "two"]


def test_a_table_made_again_has_none_of_the_lists_of_the_old_one(project: Project, tables: TablesDB) -> None:
    listed(project.server)
    tables.delete_table("db", "t")
    column = {"key": "name", "type": "varchar", "size": 20, "required": False}
    tables.create_table("db", "t", "T", columns=[column], row_security=True)

    assert names(listed(project.server)) == []


def test_refusals_are_not_kept_and_times_are_bounded(project: Project, tables: TablesDB) -> None:
    nothing = {"queries[0]": Query.cursor_after("two")}
    assert error_of(project.server.get(ROWS, params={"ttl": 60, **nothing}))[0] == 400
    tables.create_row("db", "t", "two", {})
    assert names(project.server.get(ROWS, params={"ttl": 60, **nothing})) == []
    for ttl in (-1, 86_401, "x"):
        refused = project.server.get(ROWS, params={"ttl": ttl})
        assert error_of(refused) == (400, "general_argument_invalid")


def test_what_is_staged_in_a_transaction_is_not_kept_for_others(project: Project, tables: TablesDB) -> None:
    transaction = tables.create_transaction().id
    tables.create_row("db", "t", "staged", {}, transaction_id=transaction)

    staged = project.server.get(ROWS, params={"ttl": 3600, "transactionId": transaction})
    assert (names(staged), "X-Appwrite-Cache" in staged.headers) == (["one", "staged"], False)
    assert names(listed(project.server)) == ["one"]


def test_who_may_no_longer_read_a_related_table_is_shown_none_of_its_rows_from_memory(
    project: Project, tables: TablesDB, jane: User
) -> None:
    tables.create_table("db", "owners", "Owners", permissions=['read("users")'])
    tables.create_relationship_column("db", "t", "owners", RelationshipType.MANYTOONE, key="owner")
    tables.create_row("db", "owners", "ann", {})
    tables.create_row("db", "t", "owned", {"owner": "ann"}, ['read("any")'])
    select = {"queries[0]": Query.select(["*", "owner.*"]), "queries[1]": Query.equal("$id", "owned")}
    shown = listed(jane.client, **select)
    assert shown.json()["rows"][0]["owner"]["$id"] == "ann"
    assert shown.headers["X-Appwrite-Cache"] == "hit"
    tables.update_table("db", "owners", permissions=[])

    assert listed(jane.client, **select).json()["rows"][0]["owner"] is None
