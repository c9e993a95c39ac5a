"""Tables that change while their rows are read and written: what is answered is never a failure of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import httpx

from tests.platform import Project

ROWS = "/tablesdb/db/tables/t/rows"
COLUMNS = "/tablesdb/db/tables/t/columns"


def asking(method: str, attribute: str, *values: Any) -> dict[str, str]:
    return {"queries[0]": json.dumps({"method": method, "attribute": attribute, "values": values})}


@contextmanager
def many(project: Project) -> Iterator[list[httpx.Client]]:
    """Enough connections for every worker to get some."""
    clients = [project.platform.client(project.id, key=project.key) for _ in range(8)]
    yield clients
    for client in clients:
        client.close()


def make_table(project: Project) -> None:
    project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    project.server.post("/tablesdb/db/tables", json={"tableId": "t", "name": "T"})


def make_column(project: Project, kind: str, key: str = "a", **more: Any) -> httpx.Response:
    return project.server.post(f"{COLUMNS}/{kind}", json={"key": key, "required": False, **more})


def test_a_column_that_comes_back_with_another_type_takes_that_type_at_once_in_every_worker(
    project: Project,
) -> None:
    make_table(project)
    with many(project) as clients:
        for kind, more, value in (
            ("string", {"size": 20}, "x"),
            ("float", {}, 0.5),
            ("integer", {}, 2**53 + 1),
            ("datetime", {}, "2026-08-21T12:00:00.000+00:00"),
            ("boolean", {}, True),
        ):
            assert make_column(project, kind, **more).status_code == 202
            for client in clients:
                made = client.post(ROWS, json={"rowId": "unique()", "data": {"a": value}})
                assert (made.status_code, made.json().get("a")) == (201, value), made.text
            for client in clients:
                found = client.get(ROWS, params=asking("equal", "a", value))
                assert (found.status_code, found.json().get("total")) == (200, len(clients)), found.text
            assert project.server.delete(f"{COLUMNS}/a").status_code == 204


def test_a_table_that_comes_back_with_other_columns_is_the_new_one_in_every_worker(project: Project) -> None:
    make_table(project)
    make_column(project, "string", size=20)
    with many(project) as clients:
        for client in clients:
            assert client.post(ROWS, json={"rowId": "unique()", "data": {"a": "x"}}).status_code == 201
        assert project.server.delete("/tablesdb/db").status_code == 204
        make_table(project)
        make_column(project, "integer")

        for client in clients:
            assert client.post(ROWS, json={"rowId": "unique()", "data": {"a": 5}}).status_code == 201
        assert clients[0].get(ROWS).json()["total"] == len(clients)


def test_rows_that_are_written_and_read_while_columns_come_and_go_never_fail_inside(
    project: Project,
) -> None:
    make_table(project)
    done = Event()

    def use(client: httpx.Client) -> list[httpx.Response]:
        answers = []
        while not done.is_set():
            answers += [
                client.post(ROWS, json={"rowId": "unique()", "data": {}}),
                client.post(ROWS, json={"rowId": "unique()", "data": {"a": "x"}}),
                client.get(ROWS, params=asking("isNotNull", "a")),
                client.get(ROWS),
            ]
        return answers

    with many(project) as clients, ThreadPoolExecutor(4) as threads:
        used = [threads.submit(use, client) for client in clients[:4]]
        try:
            for size in range(1, 15):
                assert make_column(project, "string", size=size).status_code == 202
                assert project.server.delete(f"{COLUMNS}/a").status_code == 204
            assert project.server.delete("/tablesdb/db").status_code == 204
        finally:
            done.set()
    told = {
        (answer.status_code, answer.json().get("type", "")) for future in used for answer in future.result()
    }

    assert told <= {
        (200, ""),
        (201, ""),
        (400, "row_invalid_structure"),
        (400, "general_query_invalid"),
        (404, "database_not_found"),
        (409, "general_resource_locked"),
    }
    assert (201, "") in told
