"""S22, S42: commits that meet, and commits that come from elsewhere than what was staged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.platform import Project, User, error_of
from tests.services.test_schema_tables import TICKETS, Firm, desk

__all__ = ["desk"]

TRANSACTIONS = "/tablesdb/transactions"
ROWS = "/tablesdb/db/tables/t/rows"


@pytest.fixture
def table(project: Project) -> Project:
    project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    columns = [{"key": "by", "type": "varchar", "size": 20, "required": False}]
    body = {"tableId": "t", "name": "T", "columns": columns, "rowSecurity": True}
    assert project.server.post("/tablesdb/db/tables", json=body).status_code == 201
    return project


def staged(project: Project, action: str, name: str, row_ids: str) -> str:
    """A transaction that does something to rows, in this order."""
    transaction = project.server.post(TRANSACTIONS, json={}).json()["$id"]
    operations = [
        {"action": action, "databaseId": "db", "tableId": "t", "rowId": each, "data": {"by": name}}
        for each in row_ids
    ]
    answer = project.server.post(f"{TRANSACTIONS}/{transaction}/operations", json={"operations": operations})
    assert answer.status_code == 201, answer.text
    return str(transaction)


def commit(project: Project, transaction: str) -> httpx.Response:
    with project.platform.client(project.id, key=project.key) as client:
        return client.patch(f"{TRANSACTIONS}/{transaction}", json={"commit": True})


@pytest.mark.parametrize("action", ["update", "create", "upsert"])
def test_s22_of_two_commits_that_would_wait_for_each_other_one_is_refused(
    table: Project, action: str
) -> None:
    for at in range(4):
        if action == "update" and not at:
            for each in "abc":
                assert table.server.post(ROWS, json={"rowId": each, "data": {}}).status_code == 201
        there, back = staged(table, action, f"there{at}", "abc"), staged(table, action, f"back{at}", "cba")
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda each: commit(table, each), (there, back)))
        rows = table.server.get(ROWS).json()["rows"]

        assert sorted(each.status_code for each in answers) == [200, 409], [each.text for each in answers]
        (winner,) = {row["by"] for row in rows}
        assert winner in (f"there{at}", f"back{at}")
        assert len(rows) == 3
        if action == "create":
            for row in rows:
                assert table.server.delete(f"{ROWS}/{row['$id']}").status_code == 204


def test_s42_what_was_staged_for_a_tenant_is_committed_for_that_one(desk: Project) -> None:
    ours, theirs = Firm(desk), Firm(desk)
    transaction = desk.server.post(TRANSACTIONS, json={}).json()["$id"]
    path = f"{TRANSACTIONS}/{transaction}"
    made = ours.post(desk.server, rowId="unique()", data={"title": "Leak"}, transactionId=transaction)
    seen = [
        desk.server.get(TICKETS, params={"transactionId": transaction}, headers=each.headers).json()["total"]
        for each in (ours, theirs)
    ]
    committed = desk.server.patch(path, json={"commit": True}, headers=theirs.headers)
    found = [desk.server.get(TICKETS, headers=each.headers).json()["total"] for each in (ours, theirs)]

    assert (made.status_code, committed.status_code) == (201, 200), committed.text
    assert seen == found == [1, 0]


def test_s42_a_row_of_one_tenant_is_none_to_be_staged_for_another(desk: Project, jane: User) -> None:
    ours, theirs = Firm(desk), Firm(desk)
    ours.join(jane, "owner")
    ticket = theirs.ticket(desk.server)
    refused = []
    for client, headers in ((desk.server, ours.headers), (jane.client, theirs.headers), (jane.client, {})):
        transaction = client.post(TRANSACTIONS, json={}).json()["$id"]
        change: dict[str, Any] = {"data": {"title": "Ours"}, "transactionId": transaction}
        refused.append(client.patch(f"{TICKETS}/{ticket['$id']}", json=change, headers=headers))
        client.patch(f"{TRANSACTIONS}/{transaction}", json={"commit": True}, headers=theirs.headers)

    assert {error_of(each)[0] for each in refused} <= {401, 404}
    row = desk.server.get(f"{TICKETS}/{ticket['$id']}", headers=theirs.headers).json()
    assert row["title"] == "Leak"
