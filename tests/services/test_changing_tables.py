"""Tables that change while their rows are read and written: what is answered is never a failure of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import httpx

from tests.platform import Project, error_of

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


def test_databases_whose_names_fall_together_are_all_made_at_once(project: Project) -> None:
    ids = ["a.b", "a-b", "a_b"]
    with many(project) as clients, ThreadPoolExecutor(6) as threads:
        answers = list(
            threads.map(
                lambda at: clients[at].post("/tablesdb", json={"databaseId": ids[at % 3], "name": "x"}),
                range(6),
            )
        )

    assert sorted(answer.status_code for answer in answers) == [201, 201, 201, 409, 409, 409]
    assert {each["$id"] for each in project.server.get("/tablesdb").json()["databases"]} == set(ids)


def test_a_column_cannot_be_called_as_postgresqls_own(project: Project) -> None:
    make_table(project)
    make_column(project, "string", size=5)
    for name in ("ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"):
        inline = [{"key": name, "type": "integer", "required": False}]
        for answer in (
            make_column(project, "integer", key=name),
            project.server.patch(
                f"{COLUMNS}/string/a", json={"newKey": name, "required": False, "default": None}
            ),
            project.server.post("/tablesdb/db/tables", json={"tableId": "u", "name": "U", "columns": inline}),
        ):
            assert error_of(answer) == (400, "column_value_invalid")
    assert make_column(project, "integer", key="oid").status_code == 202


def test_a_column_that_no_number_fits_is_refused(project: Project) -> None:
    make_table(project)
    for bounds in ({"min": 2**63}, {"max": -(2**63) - 1}):
        assert error_of(make_column(project, "integer", **bounds)) == (400, "column_value_invalid")


def test_columns_and_indexes_are_paged_by_their_keys(project: Project) -> None:
    make_table(project)
    for key in "abcde":
        make_column(project, "integer", key=key)
        made = project.server.post(
            "/tablesdb/db/tables/t/indexes", json={"key": key, "type": "key", "columns": [key]}
        )
        assert made.status_code == 202

    for path, name in ((COLUMNS, "columns"), ("/tablesdb/db/tables/t/indexes", "indexes")):

        def page(*queries: tuple[str, Any], path: str = path, name: str = name) -> str:
            texts = [json.dumps({"method": method, "values": [value]}) for method, value in queries]
            found = project.server.get(path, params={f"queries[{at}]": each for at, each in enumerate(texts)})
            assert found.status_code == 200, found.text
            assert found.json()["total"] == 5
            return "".join(each["key"] for each in found.json()[name])

        assert page(("cursorAfter", "b"), ("limit", 2)) == "cd"
        assert page(("cursorBefore", "d"), ("limit", 2)) == "bc"
        assert page(("offset", 3)) == "de"
        unknown = project.server.get(path, params={"queries[0]": '{"method":"cursorAfter","values":["z"]}'})
        assert error_of(unknown) == (400, "general_cursor_not_found")
        ordered = project.server.get(path, params={"queries[0]": '{"method":"orderAsc","attribute":"key"}'})
        assert error_of(ordered) == (400, "general_query_invalid")


def test_moments_of_all_years_come_back_in_utc_with_milliseconds(project: Project) -> None:
    make_table(project)
    make_column(project, "datetime")
    for moment in (
        "0001-01-01T00:00:00.000+00:00",
        "0999-12-31T23:59:59.001+00:00",
        "2024-02-29T12:00:00.000+00:00",
        "9999-12-31T23:59:59.999+00:00",
    ):
        made = project.server.post(ROWS, json={"rowId": "unique()", "data": {"a": moment}})
        assert made.json()["a"] == moment
