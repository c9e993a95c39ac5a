"""Many who write what others write, in every order: each is told what holds, and nobody to try again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from appwrite.enums.relation_mutate import RelationMutate
from appwrite.enums.relationship_type import RelationshipType
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.platform import Project
from tests.services.files import PART, new_bucket, part_of, upload

TABLES = "/tablesdb/d/tables"
WORKERS = 4
PATIENCE_S = 120.0


@pytest.fixture
def tables(project: Project) -> TablesDB:
    """Shelves with books, which go with them, notes, which go with those, and tags of books."""
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("d", "D")
    columns = [{"key": "n", "type": "integer", "required": False, "default": 0}]
    for each in ("shelves", "books", "notes", "tags"):
        tables.create_table("d", each, each, ['read("any")'], columns=columns)
    relate = tables.create_relationship_column
    cascade = RelationMutate.CASCADE
    relate("d", "books", "shelves", RelationshipType.MANYTOONE, True, "shelf", "books", cascade)
    relate("d", "notes", "books", RelationshipType.MANYTOONE, True, "book", "notes", cascade)
    relate("d", "books", "tags", RelationshipType.MANYTOMANY, True, "tags", "books", cascade)
    return tables


@pytest.fixture
def told(project: Project) -> Callable[[str], Counter[str]]:
    since = project.server.get("/changes").json()["since"]

    def of(table: str) -> Counter[str]:
        """How often each row of a table was told of as made, less how often as deleted."""
        rows: Counter[str] = Counter()
        for event, row in changes(project, since, table):
            rows[row] += {"create": 1, "upsert": 0, "update": 0, "delete": -1}[event]
        return rows

    return of


def changes(project: Project, since: str, table: str) -> Iterator[tuple[str, str]]:
    more = True
    while more:
        said = {"since": since, "limit": 500, "channels[]": f"tablesdb.d.tables.{table}.rows"}
        page = project.server.get("/changes", params=said).json()
        for each in page["changes"]:
            yield each["events"][0].rpartition(".")[2], each["payload"]["$id"]
        since, more = page["since"], page["more"]


GONE = {(404, "row_not_found"), (400, "row_invalid_structure"), (400, "relationship_value_invalid")}
"""What is told of a row that somebody else has deleted."""


def at_once(acts: Sequence[Callable[[], httpx.Response]]) -> Counter[tuple[int, str]]:
    """Do all of it, several at a time. Gives how often each status was answered, with the error's type."""
    with ThreadPoolExecutor(WORKERS) as pool:
        answers = [each.result() for each in [pool.submit(act) for act in acts]]
    return Counter((each.status_code, "" if each.is_success else each.json()["type"]) for each in answers)


def ids(tables: TablesDB, table: str) -> set[str]:
    return {row.id for row in tables.list_rows("d", table, [Query.limit(5000)]).rows}


def test_rows_are_changed_and_deleted_by_queries_in_any_order(project: Project, tables: TablesDB) -> None:
    made = [{"$id": f"b{n}", "n": n} for n in range(60)]
    tables.create_rows("d", "books", made)
    rows, server = f"{TABLES}/books/rows", project.server
    server.timeout = PATIENCE_S

    def change(n: int) -> httpx.Response:
        order = (Query.order_desc, Query.order_asc)[n % 2]("n")
        return server.patch(rows, json={"data": {"n": n}, "queries": [order, Query.limit(50)]})

    def replace(n: int) -> httpx.Response:
        given = made[:: (1, -1)[n % 2]]
        return server.put(rows, json={"rows": given})

    def delete(n: int) -> httpx.Response:
        return server.request("DELETE", rows, json={"queries": [Query.greater_than("n", 40), Query.limit(9)]})

    acts = [lambda n=n, act=act: act(n) for n in range(8) for act in (change, replace, change, delete)]
    assert set(at_once(acts)) <= {(200, ""), (201, "")}


def test_rows_go_with_others_while_somebody_writes_them(
    project: Project, tables: TablesDB, told: Callable[[str], Counter[str]]
) -> None:
    server = project.server
    server.timeout = PATIENCE_S
    for n in range(4):
        tables.create_row("d", "shelves", f"s{n}", {})
        tables.create_rows("d", "books", [{"$id": f"s{n}b{at}"} for at in range(6)])
        for at in range(6):
            tables.update_row("d", "books", f"s{n}b{at}", {"shelf": f"s{n}"})

    def put(n: int, at: int) -> httpx.Response:
        data = {"shelf": f"s{n}"}
        return server.post(f"{TABLES}/books/rows", json={"rowId": f"s{n}x{at}", "data": data})

    def note(n: int, at: int) -> httpx.Response:
        data = {"book": f"s{n}b{at}"}
        return server.post(f"{TABLES}/notes/rows", json={"rowId": f"s{n}n{at}", "data": data})

    def move(n: int, at: int) -> httpx.Response:
        data = {"shelf": f"s{(n + 1) % 4}"}
        return server.patch(f"{TABLES}/books/rows/s{n}b{at}", json={"data": data})

    def clear(n: int, at: int) -> httpx.Response:
        if at % 2:
            return server.delete(f"{TABLES}/shelves/rows/s{n}")
        wanted = {"queries": [Query.equal("$id", [f"s{n}", f"s{(n + 1) % 4}"])]}
        return server.request("DELETE", f"{TABLES}/shelves/rows", json=wanted)

    acts: list[Callable[[], httpx.Response]] = []
    for at in range(6):
        for n in range(4):
            acts += [lambda n=n, at=at, act=act: act(n, at) for act in (put, note, move)]
            if at in (2, 3):
                acts.append(lambda n=n, at=at: clear(n, at))
    assert set(at_once(acts)) <= {(200, ""), (201, ""), (204, ""), *GONE}
    for table in ("shelves", "books", "notes"):
        left = {row for row, count in told(table).items() if count == 1}
        assert set(told(table).values()) <= {0, 1}
        assert left == ids(tables, table)


def test_links_are_made_and_undone_from_both_sides(project: Project, tables: TablesDB) -> None:
    server = project.server
    server.timeout = PATIENCE_S
    books, tags = [f"b{n}" for n in range(5)], [f"t{n}" for n in range(5)]
    tables.create_rows("d", "books", [{"$id": each} for each in books])
    tables.create_rows("d", "tags", [{"$id": each} for each in tags])

    def tag(n: int) -> httpx.Response:
        data = {"tags": (tags[n % 5 :] + tags[: n % 5])[:4]}
        return server.patch(f"{TABLES}/books/rows/{books[n % 5]}", json={"data": data})

    def collect(n: int) -> httpx.Response:
        data = {"books": (books[n % 5 :] + books[: n % 5])[::-1][:4]}
        return server.patch(f"{TABLES}/tags/rows/{tags[n % 4]}", json={"data": data})

    def drop(n: int) -> httpx.Response:
        return server.delete(f"{TABLES}/tags/rows/t4")

    acts = [lambda n=n, act=act: act(n) for n in range(20) for act in (tag, collect)]
    acts.insert(30, lambda: drop(0))
    assert set(at_once(acts)) <= {(200, ""), (204, ""), *GONE}


def test_teams_are_joined_left_and_deleted_together_with_their_users(project: Project) -> None:
    server = project.server
    server.timeout = PATIENCE_S
    users, teams = [f"u{n}" for n in range(4)], [f"t{n}" for n in range(4)]
    for each in users:
        assert server.post("/users", json={"userId": each}).status_code == 201
    for each in teams:
        assert server.post("/teams", json={"teamId": each, "name": each}).status_code == 201

    def join(n: int, at: int) -> httpx.Response:
        body = {"userId": users[at], "roles": ["owner"]}
        return server.post(f"/teams/{teams[n]}/memberships", json=body)

    acts: list[Callable[[], httpx.Response]] = []
    acts += [lambda n=n, at=at: join(n, at) for n in range(4) for at in range(4)]
    acts += [lambda n=n: server.delete(f"/teams/{teams[n]}") for n in range(3)]
    acts += [lambda n=n: server.delete(f"/users/{users[n]}") for n in range(3)]
    acts += [lambda n=n, at=at: join(n, at) for n in range(4) for at in range(4)]
    found = at_once(acts)
    assert set(found) <= {
        (201, ""), (204, ""), (404, "team_not_found"), (404, "user_not_found"),
        (409, "team_invite_already_exists"), (409, "membership_already_confirmed"),
    }, found  # fmt: skip


def test_commits_of_the_same_rows_in_any_order_conflict_or_are_done(
    project: Project, tables: TablesDB
) -> None:
    server = project.server
    server.timeout = PATIENCE_S
    tables.create_rows("d", "books", [{"$id": f"b{n}"} for n in range(6)])
    begun = []
    for n in range(8):
        transaction = tables.create_transaction().id
        operations: list[dict[str, Any]] = [
            {
                "databaseId": "d", "tableId": "books", "rowId": f"b{(at * (1, 5)[n % 2]) % 9}",
                "action": "upsert", "data": {"n": n},
            }
            for at in range(9)
        ]  # fmt: skip
        tables.create_operations(transaction, operations)
        begun.append(transaction)

    acts = [
        lambda each=each: server.patch(f"/tablesdb/transactions/{each}", json={"commit": True})
        for each in begun
    ]
    acts += [lambda n=n: server.patch(f"{TABLES}/books/rows", json={"data": {"n": -n}}) for n in range(8)]
    found = at_once(acts)
    assert set(found) <= {(200, ""), (409, "transaction_conflict")}, found


def test_parts_come_while_their_file_and_its_bucket_are_deleted(project: Project) -> None:
    """Whose file goes while its part is being kept may try again, and is told then that it is gone."""
    server = project.server
    server.timeout = PATIENCE_S
    new_bucket(project)
    whole = bytes(PART + 9)
    for n in range(3):
        assert part_of(server, whole, 1, file_id=f"f{n}").status_code == 201

    def rest(n: int) -> httpx.Response:
        return part_of(server, whole, 2, file_id=f"f{n}", upload_id=f"f{n}")

    acts: list[Callable[[], httpx.Response]] = []
    for n in range(3):
        acts += [lambda n=n: rest(n), lambda n=n: server.delete(f"/storage/buckets/photos/files/f{n}")]
        acts += [lambda n=n: rest(n), lambda n=n: upload(server, b"small", file_id=f"s{n}")]
    acts.insert(6, lambda: server.delete("/storage/buckets/photos"))
    acts += [lambda n=n: upload(server, b"small", file_id=f"t{n}") for n in range(3)]
    found = at_once(acts)
    assert set(found) <= {
        (200, ""), (201, ""), (204, ""), (404, "storage_bucket_not_found"), (404, "storage_file_not_found"),
        (409, "general_resource_locked"),
    }, found  # fmt: skip
    assert upload(server, b"small").json()["type"] == "storage_bucket_not_found"
