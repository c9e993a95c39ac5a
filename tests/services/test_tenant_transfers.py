"""Imports and exports of tables with tenants: of one tenant at a time, and only of the one that is named."""

from __future__ import annotations

import json
from typing import Any

from tests.platform import Project, error_of
from tests.services.test_schema_tables import TICKETS, Firm, desk
from tests.services.transfers import counters, ended, put_file

__all__ = ["desk"]


def ask(desk: Project, file_id: str, table: str, headers: dict[str, str]) -> Any:
    body = {"bucketId": "inbox", "fileId": file_id, "databaseId": "desk", "collectionId": table}
    return desk.server.post("/migrations/csv/imports", json=body, headers=headers)


def test_rows_are_imported_into_the_tenant_that_is_named_and_exported_from_it(desk: Project) -> None:
    firm, other = Firm(desk), Firm(desk)
    other.ticket(desk.server, title="Theirs")
    file_id = put_file(desk, b"title,state,cost\nLeak,open,12.50\nNoise,closed,\n")
    migration = ended(desk, ask(desk, file_id, "ticket", firm.headers))
    body = {"databaseId": "desk", "collectionId": "ticket", "filename": "t", "columns": ["title", "cost"]}
    out = ended(desk, desk.server.post("/migrations/json/exports", json=body, headers=firm.headers))
    options = out["options"]
    path = f"/storage/buckets/{options['bucketId']}/files/{options['fileId']}/download"

    assert (migration["status"], counters(migration)) == ("completed", (2, 0, 0, 0))
    rows = desk.server.get(TICKETS, headers=firm.headers).json()["rows"]
    assert {(row["title"], row["state"], row["cost"]) for row in rows} == {
        ("Leak", "open", "12.50"),
        ("Noise", "closed", None),
    }
    assert desk.server.get(TICKETS, headers=other.headers).json()["total"] == 1
    assert sorted(json.loads(desk.server.get(path).content), key=lambda row: str(row["title"])) == [
        {"title": "Leak", "cost": "12.50"},
        {"title": "Noise", "cost": None},
    ]


def test_without_a_tenant_nothing_is_imported_or_exported(desk: Project) -> None:
    firm = Firm(desk)
    file_id = put_file(desk, b"title\nLeak\n")
    body = {"databaseId": "desk", "collectionId": "ticket", "filename": "t"}

    assert error_of(ask(desk, file_id, "ticket", {})) == (400, "general_argument_invalid")
    refused = desk.server.post("/migrations/csv/exports", json=body)
    assert error_of(refused) == (400, "general_argument_invalid")
    assert desk.server.get(TICKETS, headers=firm.headers).json()["total"] == 0


def test_a_row_cannot_name_a_tenant_of_its_own(desk: Project) -> None:
    firm, other = Firm(desk), Firm(desk)
    file_id = put_file(desk, f"title,firmId\nLeak,{other.id}\n".encode())
    migration = ended(desk, ask(desk, file_id, "ticket", firm.headers))

    assert migration["status"] == "failed"
    for each in (firm, other):
        assert desk.server.get(TICKETS, headers=each.headers).json()["total"] == 0


def test_the_table_of_tenants_is_refused(desk: Project) -> None:
    firm = Firm(desk)
    answer = ask(desk, put_file(desk, b"name\nFirm\n"), "firm", firm.headers)

    assert error_of(answer) == (400, "general_feature_unsupported")
