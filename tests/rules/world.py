"""The platform and the model beside each other, and how what they answer is compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

import pytest

from tests.platform import Platform
from tests.rules import chance as by
from tests.rules.graphql import CHANGES, DOCUMENTS, as_in_rest
from tests.rules.model import DATABASE, Caller, Query, Refused, Row, Table
from tests.rules.project import make_callers, make_tables
from tests.rules.wire import VOCABULARIES, Connection, in_url

REFUSALS = (400, 401, 403, 404, 409)

State = list[tuple[list[Row], dict[str, set[tuple[str, str]]]]]
"""Of each table its rows, and the ties of its relations of many with many."""


class Selected(NamedTuple):
    """What is shown of a row, and of the rows that it is related to."""

    columns: set[str]
    expanded: dict[str, set[str]]


class World:
    """The platform and the model, told the same things; each step compares what they answer."""

    def __init__(self, platform: Platform, seed: int) -> None:
        self.seed = seed
        self.chance = Random(seed)
        self.project = platform.new_project()
        jane, bob = self.project.new_user("Jane"), self.project.new_user("Bob")
        self.connections = {
            "guest": Connection(platform.endpoint, self.project.guest),
            "jane": Connection(platform.endpoint, jane.client),
            "bob": Connection(platform.endpoint, bob.client),
            "key": Connection(platform.endpoint, self.project.server),
        }
        self.callers = make_callers(self.project, jane, bob)
        self.roles = sorted({role for caller in self.callers for role in caller.roles} | {"team:other"})
        self.tables = make_tables(self.project, self.chance, self.roles)
        self.words, self.through_graphql = VOCABULARIES[0], False
        self.committed = self.rolled_back = False
        """How the transaction ended in which the last change was made, if there was one."""
        self.steps = 0
        self.nested_rows = 0

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
            return 200, {"total": found["total"], "rows": [*map(as_in_rest, found["rows"])]}
        return 201 if method in ("CreateRow", "UpsertRow") else 200, as_in_rest(found)

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
            status, body = self.ask(self.callers[-1], "GET", table, f"?{in_url(queries)}")
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


def selected(queries: Sequence[Query]) -> Selected | None:
    names = [name for query in queries if query["method"] == "select" for name in query["values"]]
    if not names:
        return None
    selected = Selected({name for name in names if "." not in name}, {})
    for name in names:
        key, _, column = name.partition(".")
        if column:
            selected.expanded.setdefault(key, set()).add(column)
    return selected
