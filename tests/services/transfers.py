"""Short ways to a table, a file in a bucket, and an import or export that has ended."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import httpx
from appwrite.input_file import InputFile
from appwrite.services.storage import Storage

from tests.platform import Platform, Project

MANY_ROWS = int(os.environ.get("TRANSFER_ROWS", 200_000))
"""How many rows are a long table; `make fuzz` takes a million."""

MANY_OBJECTS = int(os.environ.get("TRANSFER_ROWS", 20_000))
"""How many rows are a long table where it is JSON, which takes longer."""

COLUMNS: tuple[dict[str, Any], ...] = (
    {"key": "name", "type": "varchar", "size": 50, "required": True},
    {"key": "age", "type": "integer", "required": False, "min": 0, "max": 200},
    {"key": "score", "type": "float", "required": False},
    {"key": "active", "type": "boolean", "required": False},
    {"key": "born", "type": "datetime", "required": False},
    {"key": "kind", "type": "enum", "elements": ["cat", "dog"], "required": False},
    {"key": "tags", "type": "varchar", "size": 20, "array": True, "required": False},
    {"key": "note", "type": "text", "required": False},
)


def new_table(project: Project, *, columns: tuple[dict[str, Any], ...] = COLUMNS, **said: Any) -> None:
    """The table `people` of the database `shop`."""
    made = project.server.post("/tablesdb", json={"databaseId": "shop", "name": "Shop"})
    assert made.status_code in (201, 409)
    body = {"tableId": "people", "name": "People", "columns": columns, **said}
    made = project.server.post("/tablesdb/shop/tables", json=body)
    assert made.status_code == 201, made.text


def put_file(project: Project, contents: bytes, *, name: str = "people.csv") -> str:
    """Put a file into the bucket `inbox`."""
    body = {"bucketId": "inbox", "name": "Inbox", "maximumFileSize": 10**9}
    assert project.server.post("/storage/buckets", json=body).status_code in (201, 409)
    file = InputFile.from_bytes(contents, name)
    made = Storage(project.sdk(key=project.key)).create_file("inbox", "unique()", file)
    return str(made.id)


def ask_import(
    project: Project,
    file_id: str,
    *,
    format: str = "csv",  # noqa: A002
    client: httpx.Client | None = None,
    **said: Any,
) -> httpx.Response:
    body = {
        "bucketId": "inbox",
        "fileId": file_id,
        "databaseId": "shop",
        "collectionId": "people",
        **{name: value for name, value in said.items() if name != "headers"},
    }
    return (client or project.admin).post(
        f"/migrations/{format}/imports", json=body, headers=said.get("headers")
    )


def ended(project: Project, asked: httpx.Response, *, seconds: float = 120) -> dict[str, Any]:
    """What has become of an import or export, once it has ended."""
    assert asked.status_code == 202, asked.text
    deadline = time.monotonic() + seconds
    while True:
        migration: dict[str, Any] = project.admin.get(f"/migrations/{asked.json()['$id']}").json()
        if migration["status"] in ("completed", "failed"):
            assert migration["stage"] == "finished"
            return migration
        assert time.monotonic() < deadline, migration
        time.sleep(0.05)


def growth_until_end(platform: Platform, project: Project, asked: httpx.Response) -> int:
    """By how many bytes the worker grows at most until an import or export has ended."""
    assert asked.status_code == 202, asked.text
    [worker] = platform.installation.children("freehold-worker")
    before = peak = worker.memory_info().rss
    deadline = time.monotonic() + 3600
    path = f"/migrations/{asked.json()['$id']}"
    while project.admin.get(path).json()["status"] in ("pending", "processing"):
        peak = max(peak, worker.memory_info().rss)
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return int(peak - before)


def imported(project: Project, contents: bytes | str, **said: Any) -> dict[str, Any]:
    """Import this, and wait for its end."""
    encoded = contents.encode() if isinstance(contents, str) else contents
    return ended(project, ask_import(project, put_file(project, encoded), **said))


def exported(
    project: Project,
    *,
    format: str = "csv",  # noqa: A002
    client: httpx.Client | None = None,
    **said: Any,
) -> tuple[dict[str, Any], bytes]:
    """Export the table, and read the file."""
    body = {"databaseId": "shop", "collectionId": "people", "filename": "people", **said}
    migration = ended(project, (client or project.admin).post(f"/migrations/{format}/exports", json=body))
    assert migration["status"] == "completed", migration
    options = migration["options"]
    path = f"/storage/buckets/{options['bucketId']}/files/{options['fileId']}/download"
    return migration, project.admin.get(path).content


def rows_of(project: Project, *queries: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of the table, in the order in which they were made."""
    asked = [json.dumps(each) for each in (*queries, {"method": "limit", "values": [5000]})]
    answer = project.server.get("/tablesdb/shop/tables/people/rows", params={"queries[]": asked})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


def counters(migration: dict[str, Any]) -> tuple[int, int, int, int]:
    """Written, bad, skipped, and left out."""
    row = migration["statusCounters"]["row"]
    return row["success"], row["error"], row["skip"], row["pending"]
