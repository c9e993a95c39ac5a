"""A project with tables of every kind of permission, those who call it, and the model beside it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from tests.platform import Platform, User
from tests.rules import chance as by
from tests.rules.model import (
    BOUND,
    DATABASE,
    UNAUTHORIZED,
    Caller,
    Links,
    Query,
    Refused,
    Relation,
    Row,
    Table,
    after,
    empty_row,
    is_random,
)
from tests.rules.writing import Writing, Written

KEPT_ROWS = 40
"""A table that has grown beyond this is thinned out."""


_ROW = "_id _sequence _createdAt _updatedAt _permissions _databaseId _tableId data"

DOCUMENTS = {
    "ListRows": f"""
        query ($databaseId: String!, $tableId: String!, $queries: [String]) {{
            tablesDBListRows(databaseId: $databaseId, tableId: $tableId, queries: $queries) {{
                total
                rows {{ {_ROW} }}
            }}
        }}
    """,
    "GetRow": f"""
        query ($databaseId: String!, $tableId: String!, $rowId: String!) {{
            tablesDBGetRow(databaseId: $databaseId, tableId: $tableId, rowId: $rowId) {{ {_ROW} }}
        }}
    """,
    "DeleteRow": """
        mutation ($databaseId: String!, $tableId: String!, $rowId: String!, $transactionId: String) {
            tablesDBDeleteRow(
                databaseId: $databaseId, tableId: $tableId, rowId: $rowId, transactionId: $transactionId
            ) { status }
        }
    """,
} | {
    f"{name}Row": f"""
        mutation (
            $databaseId: String!, $tableId: String!, $rowId: String!,
            $data: Json{"!" * (name == "Create")}, $permissions: [String!], $transactionId: String
        ) {{
            tablesDB{name}Row(
                databaseId: $databaseId, tableId: $tableId, rowId: $rowId, data: $data,
                permissions: $permissions, transactionId: $transactionId
            ) {{ {_ROW} }}
        }}
    """
    for name in ("Create", "Update", "Upsert")
}

CHANGES = {"POST": "Create", "PATCH": "Update", "PUT": "Upsert", "DELETE": "Delete"}
"""What changes of one row are called in GraphQL."""


OnDelete = Literal["cascade", "setNull", "restrict"]

REFUSALS = (400, 401, 403, 404, 409)

State = list[tuple[list[Row], dict[str, set[tuple[str, str]]]]]
"""Of each table its rows, and the ties of its relations of many with many."""


_RELATIONS_AT = ((1, 1, 1, 2, 4), (0, 1, 1, 2), (0, 0, 1), (0, 0, 0, 1))
"""How many relationships are named by a row that is written, by how deep it stands in others."""


class Selected(NamedTuple):
    """What is shown of a row, and of the rows that it is related to."""

    columns: set[str]
    expanded: dict[str, set[str]]


class Words(NamedTuple):
    """How rows are spoken of on the wire."""

    path: str
    row_id: str
    table_id: str
    rows: str
    error: str


VOCABULARIES = (
    Words("/tablesdb/{}/tables/{}/rows", "rowId", "$tableId", "rows", "row_"),
    Words("/databases/{}/collections/{}/documents", "documentId", "$collectionId", "documents", "document_"),
)


class World:
    """The platform and the model, told the same things; each step compares what they answer."""

    def __init__(self, platform: Platform, seed: int) -> None:
        self.seed = seed
        self.chance = Random(seed)
        self.project = platform.new_project()
        jane, bob = self.project.new_user("Jane"), self.project.new_user("Bob")
        self.connections = {
            "guest": _Connection(platform.endpoint, self.project.guest),
            "jane": _Connection(platform.endpoint, jane.client),
            "bob": _Connection(platform.endpoint, bob.client),
            "key": _Connection(platform.endpoint, self.project.server),
        }
        self.callers = self._callers(jane, bob)
        self.roles = sorted({role for caller in self.callers for role in caller.roles} | {"team:other"})
        self.tables = self._tables()
        self.words, self.through_graphql = VOCABULARIES[0], False
        self.committed = self.rolled_back = False
        """How the transaction ended in which the last change was made, if there was one."""
        self.steps = 0
        self.nested_rows = 0

    def _callers(self, jane: User, bob: User) -> list[Caller]:
        server = self.project.server
        assert server.post("/teams", json={"teamId": "crew", "name": "Crew"}).status_code == 201
        assert server.put(f"/users/{jane.id}/labels", json={"labels": ["vip"]}).status_code == 200
        joined = server.post("/teams/crew/memberships", json={"userId": bob.id, "roles": ["cook"]})
        assert joined.status_code == 201, joined.text
        return [
            Caller("guest", frozenset(("any", "guests"))),
            Caller("jane", frozenset((*_of(jane.id), "label:vip")), jane.id),
            Caller(
                "bob",
                frozenset((*_of(bob.id), "team:crew", "team:crew/cook", f"member:{joined.json()['$id']}")),
                bob.id,
            ),
            Caller("key", frozenset(), privileged=True),
        ]

    def _tables(self) -> list[Table]:
        server = self.project.server
        assert server.post("/tablesdb", json={"databaseId": DATABASE, "name": "DB"}).status_code == 201
        tables = []
        for number in range(4):
            actions = self.chance.choices(("read", "create", "update", "delete"), k=self.chance.randint(0, 4))
            granted = [f'{action}("{self.chance.choice(self.roles)}")' for action in actions]
            table = Table(f"t{number}", frozenset(granted), number != 0, tuple(by.DOMAINS))
            body = {
                "tableId": table.id,
                "name": table.id,
                "permissions": granted,
                "rowSecurity": table.row_security,
                "columns": by.COLUMNS,
                "indexes": [
                    {"key": "by_number", "type": "key", "columns": ["number"]},
                    {"key": "words", "type": "fulltext", "columns": ["text"]},
                ],
            }
            made = server.post(f"/tablesdb/{DATABASE}/tables", json=body)
            assert made.status_code == 201, made.text
            tables.append(table)
        self._relate(tables[1], "link", tables[2], "linked", "setNull")
        self._relate(tables[3], "parent", tables[3], "children", "cascade")
        self._relate(tables[2], "keeper", tables[3], "kept", "restrict")
        self._relate(tables[1], "twin", tables[2], "twin_of", "setNull", "oneToOne")
        self._relate(tables[1], "marks", tables[3], "marked", "setNull", "manyToMany")
        self._relate(tables[0], "peers", tables[2], "peer_of", "setNull", "manyToMany")
        return tables

    def _relate(
        self, near: Table, key: str, far: Table, back: str, on_delete: OnDelete, type_: str = "manyToOne"
    ) -> None:
        """Let rows of a table name some of another, and these show it."""
        made = self.project.server.post(
            f"/tablesdb/{DATABASE}/tables/{near.id}/columns/relationship",
            json={
                "relatedTableId": far.id,
                "type": type_,
                "twoWay": True,
                "key": key,
                "twoWayKey": back,
                "onDelete": on_delete,
            },
        )
        assert made.status_code == 202, made.text
        if type_ == "manyToMany":
            pairs: set[tuple[str, str]] = set()
            near.relations[key] = Relation(far, "", back, True, on_delete, links=Links(pairs))
            far.relations[back] = Relation(near, "", key, True, on_delete, links=Links(pairs, is_far=True))
            return
        is_unique = type_ == "oneToOne"
        near.relations[key] = Relation(far, key, back, False, on_delete, holds=True, is_unique=is_unique)
        far.relations[back] = Relation(near, key, key, not is_unique, on_delete)

    def step(self) -> None:
        """One random call by a random caller, compared."""
        self.steps += 1
        self.through_graphql = self.chance.random() < 0.1
        self.words = VOCABULARIES[0] if self.through_graphql else self.chance.choice(VOCABULARIES)
        table, caller = self.chance.choice(self.tables), self.chance.choice(self.callers)
        act = self.chance.choices(
            (
                self.list_rows,
                self.get_row,
                self.create_row,
                self.update_row,
                self.delete_row,
                self.upsert_row,
                self.count_row,
                self.put_together,
                self.upsert_rows,
                self.update_rows,
                self.delete_rows,
                self.write_nested,
                self.do_several,
            ),
            weights=(24, 4, 4, 4, 2, 3, 2, 3, 1, 1, 0.3, 0.8, 0.3),
        )[0]
        if len(table.rows) > KEPT_ROWS:
            act, caller = self.delete_row, self.callers[-1]
        act(table, caller)

    def ask(
        self, caller: Caller, method: str, table: Table, path: str = "", body: Any = None
    ) -> tuple[int, Any]:
        """Status and body, where errors are told by their types as of rows."""
        rows = self.words.path.format(DATABASE, table.id)
        status, answer = self.connections[caller.name].ask(method, rows + path, body)
        if status >= 400:
            answer = str(answer["type"]).replace(self.words.error, "row_")
        return status, answer

    def ask_graphql(self, caller: Caller, method: str, table: Table, **variables: Any) -> tuple[int, Any]:
        """The same through GraphQL, told as REST would."""
        variables |= {"databaseId": DATABASE, "tableId": table.id}
        sent = {"query": DOCUMENTS[method], "variables": variables}
        status, answer = self.connections[caller.name].ask("POST", "/graphql", sent)
        assert status == 200, answer
        if "errors" in answer:
            problem = answer["errors"][0]["extensions"]
            return problem["code"], problem["type"]
        found = answer["data"][f"tablesDB{method}"]
        if method == "DeleteRow":
            return 204, {}
        if method == "ListRows":
            return 200, {"total": found["total"], "rows": [*map(_flat, found["rows"])]}
        return 201 if method in ("CreateRow", "UpsertRow") else 200, _flat(found)

    def seen(self, caller: Caller, table: Table, row: Row, selected: Selected | None = None) -> Row:
        """A row as the wire shows it: what was selected, and always what the platform says of it."""
        if selected is None or "*" in selected.columns:
            shown = dict(row)
        else:
            shown = {name: value for name, value in row.items() if name[0] == "$" or name in selected.columns}
        for key, columns in selected.expanded.items() if selected is not None else ():
            related = [
                self.seen(caller, table.relations[key].table, other, Selected(columns, {}))
                for other in table.related(caller, row, key)
            ]
            shown[key] = related if table.relations[key].to_many else next(iter(related), None)
        if "$tableId" in shown:
            shown[self.words.table_id] = shown.pop("$tableId")
        return shown | {"$sequence": str(row["$sequence"])}

    # -- each kind of call

    def list_rows(self, table: Table, caller: Caller) -> None:
        queries = by.queries(self.chance, table.rows, self.ways(table))
        try:
            total, rows = table.find(caller, queries)
        except Refused as refused:
            expected: Any = refused.answer
        else:
            expected = (200, total, [self.seen(caller, table, row, _selected(queries)) for row in rows])
            if is_random(queries):
                self.list_in_no_order(table, caller, queries, expected)
                return
        if self.through_graphql:
            status, body = self.ask_graphql(caller, "ListRows", table, queries=[*map(json.dumps, queries)])
        else:
            status, body = self.ask(caller, "GET", table, f"?{_in_url(queries)}")
        given = (status, body["total"], body[self.words.rows]) if status == 200 else (status, body)
        self.same(expected, given, table, caller, queries)

    def list_in_no_order(self, table: Table, caller: Caller, queries: list[Query], expected: Any) -> None:
        """As many rows as in any order, each of them once, and of those that fit."""
        status, body = self.ask(caller, "GET", table, f"?{_in_url(queries)}")
        self.same(expected[:2], (status, body["total"]), table, caller, queries)
        given = body[self.words.rows]
        pages = [each for each in queries if each["method"] not in ("limit", "offset")]
        _, fitting = table.find(caller, [*pages, {"method": "limit", "values": [5000]}])
        among = {row["$id"]: self.seen(caller, table, row, _selected(queries)) for row in fitting}
        self.same(len(expected[2]), len({row["$id"] for row in given}), table, caller, queries)
        self.same([among.get(row["$id"]) for row in given], given, table, caller, queries)

    def get_row(self, table: Table, caller: Caller) -> None:
        row_id = self.some_row(table)
        try:
            expected: Any = (200, self.seen(caller, table, table.get(caller, row_id)))
        except Refused as refused:
            expected = refused.answer
        if self.through_graphql:
            status, body = self.ask_graphql(caller, "GetRow", table, rowId=row_id)
        else:
            status, body = self.ask(caller, "GET", table, f"/{row_id}")
        self.same(expected, (status, body), table, caller, row_id)

    def create_row(self, table: Table, caller: Caller) -> None:
        data = self.data(table)
        permissions = by.permissions(self.chance, self.grantable(caller))
        row_id = f"r{self.steps}"
        sent = {self.words.row_id: row_id, "data": data, "permissions": permissions}
        try:
            granted = table.create(caller, data, permissions)
            row = empty_row(table, row_id) | data | {"$permissions": granted}
            table.must_be_the_only_one(row)
            expected: Any = row
        except Refused as refused:
            expected = refused.answer
        status, body = self.write(caller, "POST", table, "", sent)
        self.wrote(table, caller, sent, None, expected, status, body)

    def update_row(self, table: Table, caller: Caller) -> None:
        row_id = self.some_row(table)
        data = by.operators(self.chance, self.data(table))
        permissions = by.permissions(self.chance, self.grantable(caller))
        sent = {"data": data, "permissions": permissions}
        row = None
        try:
            row, granted = table.changeable(caller, "update", row_id, data, permissions)
            expected: Any = after(row, data) | ({} if granted is None else {"$permissions": granted})
            table.must_be_the_only_one(expected)
        except Refused as refused:
            expected = refused.answer
        status, body = self.write(caller, "PATCH", table, f"/{row_id}", sent)
        self.wrote(table, caller, (row_id, sent), row, expected, status, body)

    def upsert_row(self, table: Table, caller: Caller) -> None:
        row_id = f"u{self.steps}" if self.chance.random() < 0.3 else self.some_row(table)
        data = by.operators(self.chance, self.data(table))
        permissions = by.permissions(self.chance, self.grantable(caller))
        sent = {"data": data, "permissions": permissions}
        expected: Any
        row = granted = None
        try:
            row, granted = table.upsertable(caller, row_id, data, permissions)
            expected = after(row or empty_row(table, row_id), data)
            table.must_be_the_only_one(expected)
        except Refused as refused:
            expected = refused.answer
        else:
            expected |= {} if granted is None else {"$permissions": granted}
        status, body = self.write(caller, "PUT", table, f"/{row_id}", sent)
        self.wrote(table, caller, (row_id, sent), row, expected, status, body)

    def wrote(
        self, table: Table, caller: Caller, asked: Any, row: Row | None, expected: Any, status: int, body: Any
    ) -> None:
        """Compare a row that was to be changed, or made if there was none, and keep it as it is now."""
        if status not in (200, 201) or isinstance(expected, tuple):
            self.same(expected, (status, body), table, caller, asked)
            return
        expected["$updatedAt"] = body["$updatedAt"]
        if row is None:
            expected |= {"$sequence": int(body["$sequence"]), "$createdAt": body["$createdAt"]}
        self.same(self.seen(caller, table, expected), body, table, caller, asked)
        if self.rolled_back:
            return
        if row is None:
            table.rows.append(row := {})
        row.update(expected)
        if self.committed:
            now = self.ask(self.callers[-1], "GET", table, f"/{row['$id']}")[1]
            row |= {"$updatedAt": now["$updatedAt"], "$sequence": int(now["$sequence"])}
            self.same(self.seen(self.callers[-1], table, row), now, table, caller, asked)
            table.rows.sort(key=lambda each: each["$sequence"])

    def write(
        self, caller: Caller, method: str, table: Table, path: str, body: dict[str, Any]
    ) -> tuple[int, Any]:
        """Ask for a change; sometimes within a transaction, which is then committed or rolled back."""
        self.committed = self.rolled_back = False
        if (not caller.user_id and not caller.privileged) or self.chance.random() < 0.85:
            return self.change(caller, method, table, path, body)
        connection = self.connections[caller.name]
        _, transaction = connection.ask("POST", "/tablesdb/transactions", {})
        answer = self.change(caller, method, table, path, body | {"transactionId": transaction["$id"]})
        self.committed = self.chance.random() < 0.7
        self.rolled_back = not self.committed
        end = {"commit": True} if self.committed else {"rollback": True}
        status, ended = connection.ask("PATCH", f"/tablesdb/transactions/{transaction['$id']}", end)
        assert status == 200, ended
        return answer

    def change(
        self, caller: Caller, method: str, table: Table, path: str, body: dict[str, Any]
    ) -> tuple[int, Any]:
        """Ask for a change of one row, through REST or GraphQL."""
        if not self.through_graphql or path.count("/") > 1:
            return self.ask(caller, method, table, path, body)
        said = {"rowId": path[1:], **body}
        return self.ask_graphql(caller, f"{CHANGES[method]}Row", table, **said)

    def count_row(self, table: Table, caller: Caller) -> None:
        row_id = self.some_row(table)
        by_how_much, most = self.chance.choice((1, 2, 5)), self.chance.choice((None, None, 0, 3))
        sent = {"value": by_how_much} | ({} if most is None else {"max": most})
        row = None
        try:
            row, _ = table.changeable(caller, "update", row_id)
            operator = json.dumps({"method": "increment", "values": [by_how_much]})
            expected: Any = after(row, {"number": operator})
            if most is not None and expected["number"] > most:
                raise Refused(*BOUND)
        except Refused as refused:
            expected = refused.answer
        status, body = self.write(caller, "PATCH", table, f"/{row_id}/number/increment", sent)
        if isinstance(body, str):
            body = body.replace("attribute_", "column_")
        self.wrote(table, caller, (row_id, sent), row, expected, status, body)

    def put_together(self, table: Table, caller: Caller) -> None:
        queries = by.aggregates(self.chance)
        try:
            groups = table.aggregate(caller, queries)
        except Refused as refused:
            expected: Any = refused.answer
        else:
            expected = (200, len(groups), sorted(map(json.dumps, groups)))
        status, body = self.ask(caller, "GET", table, f"?{_in_url(queries)}")
        given = (status, body)
        if status == 200:
            shown = (
                [{name: each[name] for name in groups[0]} for each in body[self.words.rows]] if groups else []
            )
            given = (200, body["total"], sorted(map(json.dumps, shown)))
        self.same(expected, given, table, caller, queries)

    def upsert_rows(self, table: Table, caller: Caller) -> None:
        ids = {f"b{self.steps}.{n}" if self.chance.random() < 0.4 else self.some_row(table) for n in range(3)}
        sent: list[Row] = []
        expected: list[Row] = []
        answer: Any = None
        for row_id in sorted(ids):
            data = by.operators(self.chance, by.values(self.chance, by.some_columns(self.chance)))
            permissions = by.permissions(self.chance, self.roles)
            sent.append(
                data | {"$id": row_id} | ({} if permissions is None else {"$permissions": permissions})
            )
            try:
                row, granted = table.upsertable(caller, row_id, {}, permissions)
                one = after(row or empty_row(table, row_id), data)
                expected.append(one | ({} if granted is None else {"$permissions": granted}))
            except Refused as refused:
                answer = refused.answer
        if not caller.privileged:
            answer = UNAUTHORIZED
        status, body = self.ask(caller, "PUT", table, body={self.words.rows: sent})
        if status != 201 or answer is not None:
            self.same(answer, (status, body), table, caller, sent)
            return
        for one, given in zip(expected, body[self.words.rows], strict=True):
            self.wrote_in_bulk(table, caller, sent, one, given)

    def wrote_in_bulk(self, table: Table, caller: Caller, asked: Any, expected: Row, given: Row) -> None:
        self.committed = self.rolled_back = False
        self.wrote(table, caller, asked, table.row(expected["$id"]), expected, 200, given)

    def update_rows(self, table: Table, caller: Caller) -> None:
        queries = self.of_bulk(table)
        data = by.operators(self.chance, by.values(self.chance, by.some_columns(self.chance)))
        answer: Any = None
        expected: dict[str, Row] = {}
        try:
            expected = {row["$id"]: after(row, data) for row in self.fitting(table, queries)}
        except Refused as refused:
            answer = refused.answer
        if not caller.privileged:
            answer = UNAUTHORIZED
        sent = {"data": data, "queries": [*map(json.dumps, queries)]}
        status, body = self.ask(caller, "PATCH", table, body=sent)
        if status != 200 or answer is not None:
            self.same(answer, (status, body), table, caller, sent)
            return
        given = {row["$id"]: row for row in body[self.words.rows]}
        self.same(sorted(expected), sorted(given), table, caller, sent)
        for row_id, one in expected.items():
            self.wrote_in_bulk(table, caller, sent, one, given[row_id])

    def delete_rows(self, table: Table, caller: Caller) -> None:
        queries = self.of_bulk(table)
        rows = self.fitting(table, queries)
        sent = {"queries": [*map(json.dumps, queries)]}
        changed: list[tuple[Table, Row]] = []
        expected: Any = (200, sorted(row["$id"] for row in rows))
        try:
            if not caller.privileged:
                raise Refused(*UNAUTHORIZED)
            changed = table.delete(*rows)
        except Refused as refused:
            expected = refused.answer
        status, body = self.ask(caller, "DELETE", table, body=sent)
        given = (
            (200, sorted(row["$id"] for row in body[self.words.rows])) if status == 200 else (status, body)
        )
        self.same(expected, given, table, caller, sent)
        self.look_again(changed)

    def of_bulk(self, table: Table) -> list[Query]:
        """Queries that say which rows a bulk change means."""
        asked = [
            by.a_filter(self.chance, self.ways(table), depth=1) for _ in range(self.chance.randint(1, 2))
        ]
        if self.chance.random() < 0.4:
            asked.append({"method": "orderDesc", "attribute": self.chance.choice(by.SCALARS)})
            asked.append({"method": "limit", "values": [self.chance.choice((1, 3))]})
        return asked

    def fitting(self, table: Table, queries: list[Query]) -> list[Row]:
        limited = [] if queries[-1]["method"] == "limit" else [{"method": "limit", "values": [5000]}]
        return table.find(self.callers[-1], [*queries, *limited])[1]

    def look_again(self, changed: list[tuple[Table, Row]]) -> None:
        """Take over when rows were changed that were tied to others which are gone."""
        for table, row in changed:
            now = self.ask(self.callers[-1], "GET", table, f"/{row['$id']}")[1]["$updatedAt"]
            assert now >= row["$updatedAt"]
            row["$updatedAt"] = now

    def delete_row(self, table: Table, caller: Caller) -> None:
        row_id = self.some_row(table)
        expected: Any = (204, {})
        changed: list[tuple[Table, Row]] = []
        try:
            changed = table.delete(table.changeable(caller, "delete", row_id)[0])
        except Refused as refused:
            expected = refused.answer
        status, body = self.change(caller, "DELETE", table, f"/{row_id}", {})
        self.same(expected, (status, body), table, caller, row_id)
        self.look_again(changed)

    # -- several rows at once

    def write_nested(self, table: Table, caller: Caller) -> None:
        """Write a row with those that it is related to."""
        method, path, sent, act = self.nested(table, caller)
        before = self.state()
        expected = self.attempt(act)
        answer = self.write(caller, method, table, path, sent)
        self.same_outcome(expected, answer, table, caller, (method, path, sent))
        if self.rolled_back:
            self.restore(before)
        self.compare_all(caller, (table.id, method, path, sent))

    def nested(self, table: Table, caller: Caller) -> tuple[str, str, dict[str, Any], Callable[[], None]]:
        """A change with rows inside rows: how it is asked for, and how the model does it."""
        writing = Writing(caller)
        if caller.privileged and not self.through_graphql and self.chance.random() < 0.4:
            return self.nested_in_bulk(table, caller, writing)
        row_id = f"n{self.steps}" if self.chance.random() < 0.4 else self.own_row(table, caller, "update")
        data = self.nested_data(table, caller, depth=0)
        permissions = by.permissions(self.chance, self.grantable(caller))
        sent: dict[str, Any] = {"data": data, "permissions": permissions}
        row = Written(row_id, data, permissions)
        if self.chance.random() < 0.2:
            return "PUT", f"/{row_id}", sent, lambda: writing.upsert(table, row)
        if table.row(row_id) is None:
            sent[self.words.row_id] = row_id
            return "POST", "", sent, lambda: writing.create(table, row)
        return "PATCH", f"/{row_id}", sent, lambda: writing.update(table, row)

    def nested_in_bulk(
        self, table: Table, caller: Caller, writing: Writing
    ) -> tuple[str, str, dict[str, Any], Callable[[], None]]:
        """The same of several rows at once."""
        method, sent, rows = self.chance.choice(("POST", "PUT")), [], []
        for _ in range(self.chance.randint(1, 4)):
            self.nested_rows += 1
            row_id = f"n{self.steps}.{self.nested_rows}"
            if method == "PUT" and self.chance.random() < 0.7:
                row_id = self.own_row(table, caller, "update")
            if row_id in [row.row_id for row in rows]:
                continue
            data = self.nested_data(table, caller, depth=0)
            permissions = by.permissions(self.chance, self.grantable(caller))
            sent.append(
                data | {"$id": row_id} | ({} if permissions is None else {"$permissions": permissions})
            )
            rows.append(Written(row_id, data, permissions))
        act = writing.create if method == "POST" else writing.upsert
        return method, "", {self.words.rows: sent}, lambda: act(table, *rows)

    def nested_data(self, table: Table, caller: Caller, depth: int, but: str = "") -> dict[str, Any]:
        """Values of a row, with others in it that have values themselves; `but` leads back to where it is."""
        data = by.nested_values(self.chance)
        keys = [key for key in table.relations if key != but]
        for key in self.chance.sample(keys, min(len(keys), self.chance.choice(_RELATIONS_AT[depth]))):
            relation = table.relations[key]
            if not relation.to_many:
                data[key] = self.chance.choice([None, self.nested_item(relation, caller, depth)])
                continue
            items = [
                self.nested_item(relation, caller, depth) for _ in range(self.chance.choice((0, 1, 1, 3)))
            ]
            named = {item if isinstance(item, str) else item["$id"]: item for item in items}
            data[key] = list(named.values())
        return data

    def nested_item(self, relation: Relation, caller: Caller, depth: int) -> Any:
        """A related row: its id, or itself."""
        row_id = self.own_row(relation.table, caller, self.chance.choice(("read", "update")))
        if self.chance.random() < 0.5:
            return row_id
        self.nested_rows += 1
        if self.chance.random() < 0.6:
            row_id = f"n{self.steps}.{self.nested_rows}"
        item: dict[str, Any] = {"$id": row_id}
        if self.chance.random() < 0.2:
            item["$permissions"] = by.permissions(self.chance, self.grantable(caller)) or []
        if depth < 4 and self.chance.random() < 0.8:
            item |= self.nested_data(relation.table, caller, min(depth + 1, 3), relation.back)
        return item

    def do_several(self, table: Table, caller: Caller) -> None:
        """Change rows of several tables in a transaction, look at what is staged, and end it."""
        if not caller.user_id and not caller.privileged:
            return
        connection = self.connections[caller.name]
        _, transaction = connection.ask("POST", "/tablesdb/transactions", {})
        within = {"transactionId": transaction["$id"]}
        before = self.state()
        told: list[Any] = []
        for _ in range(self.chance.randint(1, 5)):
            table = self.chance.choice(self.tables)
            method, path, sent, act = self.nested(table, caller)
            if self.chance.random() < 0.3:
                row_id = self.own_row(table, caller, "delete")
                method, path, sent, act = "DELETE", f"/{row_id}", {}, self.deletion(table, caller, row_id)
            told.append((table.id, method, path, sent))
            expected = self.attempt(act)
            answer = self.change(caller, method, table, path, sent | within)
            self.same_outcome(expected, answer, table, caller, told)
            self.list_staged(self.chance.choice(self.tables), caller, transaction["$id"], told)
        end = self.chance.choice(("commit", "commit", "rollback"))
        status, ended = connection.ask("PATCH", f"/tablesdb/transactions/{transaction['$id']}", {end: True})
        assert status == 200, (self.seed, self.steps, told, ended)
        if end == "rollback":
            self.restore(before)
        self.compare_all(caller, (end, told))

    def deletion(self, table: Table, caller: Caller, row_id: str) -> Callable[[], None]:
        """How the model deletes a row."""

        def delete() -> None:
            table.delete(table.changeable(caller, "delete", row_id)[0])

        return delete

    def list_staged(self, table: Table, caller: Caller, transaction: str, told: Any) -> None:
        """What the caller sees within the transaction: when it was made or changed is not told yet."""
        queries = [{"method": "orderAsc", "attribute": "$id"}, {"method": "limit", "values": [100]}]
        try:
            total, rows = table.find(caller, queries)
            expected: Any = (200, total, [_without_moments(self.seen(caller, table, row)) for row in rows])
        except Refused as refused:
            expected = refused.answer
        status, body = self.ask(caller, "GET", table, f"?{_in_url(queries)}&transactionId={transaction}")
        given: Any = (status, body)
        if status == 200:
            given = (200, body["total"], [_without_moments(row) for row in body[self.words.rows]])
        self.same(expected, given, table, caller, told)

    def attempt(self, act: Callable[[], None]) -> str:
        """Let the model do something, or nothing of it; gives what came of it."""
        before = self.state()
        try:
            act()
        except Refused:
            self.restore(before)
            return "refused"
        return "done"

    def same_outcome(
        self, expected: str, answer: tuple[int, Any], table: Table, caller: Caller, asked: Any
    ) -> None:
        """Whether it was done, and not in which words it was refused: several rules may forbid one call."""
        status, body = answer
        given: Any = "done" if status < 300 else "refused" if status in REFUSALS else answer
        self.same(expected, given if given == expected else (given, body), table, caller, asked)

    def state(self) -> State:
        """All rows and ties, to be restored."""
        return [
            (
                [dict(row) for row in table.rows],
                {key: set(each.links.pairs) for key, each in table.relations.items() if each.links},
            )
            for table in self.tables
        ]

    def restore(self, state: State) -> None:
        """Take the model back to what it was."""
        for table, (rows, ties) in zip(self.tables, state, strict=True):
            table.rows[:] = [dict(row) for row in rows]
            for key, pairs in ties.items():
                links = table.relations[key].links
                assert links is not None
                links.pairs.clear()
                links.pairs.update(pairs)

    def compare_all(self, caller: Caller, asked: Any) -> None:
        """Compare all rows and ties with the model, which takes over when rows were made and changed."""
        self.words = VOCABULARIES[0]
        given: list[list[Row]] = []
        for table in self.tables:
            ways = [f"{key}.$id" for key, relation in table.relations.items() if not relation.holds]
            select = {"method": "select", "values": ["*", *ways]}
            queries = [{"method": "limit", "values": [1000]}, select]
            status, body = self.ask(self.callers[-1], "GET", table, f"?{_in_url(queries)}")
            assert status == 200, body
            given.append(body["rows"])
            found = {row["$id"]: row for row in body["rows"]}
            self.same(sorted(row["$id"] for row in table.rows), sorted(found), table, caller, asked)
            for row in table.rows:
                now = found[row["$id"]]
                row |= {name: now[name] for name in ("$createdAt", "$updatedAt")}
                row["$sequence"] = int(now["$sequence"])
            table.rows.sort(key=lambda each: int(each["$sequence"]))
        for table, rows in zip(self.tables, given, strict=True):
            ways = {key: {"$id"} for key, relation in table.relations.items() if not relation.holds}
            selected = Selected({"*"}, ways)
            expected = [self.seen(self.callers[-1], table, row, selected) for row in table.rows]
            self.same(expected, rows, table, caller, asked)

    # -- choosing and comparing

    def some_row(self, table: Table) -> str:
        if table.rows and self.chance.random() < 0.95:
            return str(self.chance.choice(table.rows)["$id"])
        return "nobody"

    def own_row(self, table: Table, caller: Caller, action: str) -> str:
        """Mostly a row with which the caller may do this, sometimes any."""
        allowed = [row["$id"] for row in table.rows if table.lets(caller, action, row)]
        return self.chance.choice(allowed) if allowed and self.chance.random() < 0.9 else self.some_row(table)

    def ways(self, table: Table) -> by.Ways:
        """The relations of a table, with ids of rows behind them."""
        return {
            key: [row["$id"] for row in relation.table.rows[:5]] for key, relation in table.relations.items()
        }

    def data(self, table: Table) -> dict[str, Any]:
        """Values for some of the columns, and perhaps ids of rows to be tied to."""
        data = by.values(self.chance, by.some_columns(self.chance))
        for key in table.own_relations():
            if self.chance.random() < 0.4:
                data[key] = self.chance.choice([None, self.some_row(table.relations[key].table)])
        return data

    def grantable(self, caller: Caller) -> list[str]:
        """Mostly roles that the caller may grant, sometimes any."""
        own = sorted(caller.roles)
        return own if own and self.chance.random() < 0.85 else self.roles

    def same(self, expected: Any, given: Any, table: Table, caller: Caller, asked: Any) -> None:
        if given != expected:
            security = "and of its rows" if table.row_security else "alone"
            pytest.fail(
                f"Seed {self.seed}, step {self.steps}: {caller.name} with {sorted(caller.roles)} asked\n"
                f"{'graphql' if self.through_graphql else self.words.rows}: "
                f"{json.dumps(asked)}\n"
                f"of {table.id} with the permissions {sorted(table.permissions)} {security}.\n"
                f"By the rules:\n{json.dumps(expected)}\nGiven:\n{json.dumps(given)}",
                pytrace=False,
            )


def _of(user_id: str) -> tuple[str, ...]:
    """The roles of a user whose e-mail is not verified."""
    return ("any", "users", "users/unverified", f"user:{user_id}", f"user:{user_id}/unverified")


def _flat(row: dict[str, Any]) -> Row:
    """A row of GraphQL as one of REST."""
    data = json.loads(row.pop("data"))
    return {f"${name[1:]}": value for name, value in row.items()} | data


def _without_moments(row: Row) -> Row:
    return {key: each for key, each in row.items() if key not in ("$sequence", "$createdAt", "$updatedAt")}


def _selected(queries: Sequence[Query]) -> Selected | None:
    names = [name for query in queries if query["method"] == "select" for name in query["values"]]
    if not names:
        return None
    selected = Selected({name for name in names if "." not in name}, {})
    for name in names:
        key, _, column = name.partition(".")
        if column:
            selected.expanded.setdefault(key, set()).add(column)
    return selected


def _in_url(queries: Sequence[Query]) -> str:
    return urlencode([(f"queries[{at}]", json.dumps(query)) for at, query in enumerate(queries)])


class _Connection:
    """One caller's connection, kept open: there are many calls."""

    def __init__(self, endpoint: str, client: httpx.Client) -> None:
        address = urlsplit(endpoint)
        self._prefix = address.path
        self._http = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
        told = ("x-appwrite-project", "x-appwrite-key", "x-appwrite-session")
        self._headers = {name: client.headers[name] for name in told if name in client.headers}

    def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Status and decoded body. A database that is away for a moment is asked again, as a client would."""
        status, told = self._ask(method, path, body)
        return self._ask(method, path, body) if status == 503 and method == "GET" else (status, told)

    def _ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        headers = self._headers | ({} if body is None else {"content-type": "application/json"})
        encoded = None if body is None else json.dumps(body)
        self._http.request(method, self._prefix + path, body=encoded, headers=headers)
        answer = self._http.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}
