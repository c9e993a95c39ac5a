"""The ways on which rows are written, deleted and read, all of which have to come to the same.

Each is walked in both vocabularies. A route on rows that no way leads through fails S22, unless `NO_WAY` says
why none does.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest

from freehold.services.databases.vocabulary import renamed

_TRANSACTIONS = "/transactions"
_OLD_WORDS = {"document": "row", "attribute": "column", "collection": "table"}

_numbers = itertools.count(1)

HOSTILE = [
    'name"; drop table t; --',
    "name' or '1'='1",
    "name->>'a'",
    "name.a",
    "name#0",
    "name\u02bc",
    "$1",
    "_permissions",
    "_id",
    "__proto__",
    'name") from t; select ("name',
    "{0.__class__}",
    "name, (select secret_digest from freehold.keys)",
]
"""What attackers write where the name of a column stands, or its value."""

Said = Any
"""The data of a row; what attackers send may be anything."""


class Outcome(NamedTuple):
    """What a way has come to: a status, and the type of the error in the words of tables."""

    status: int
    type: str
    message: str
    """The error's; without one, all that was answered."""

    @property
    def is_done(self) -> bool:
        return self.status < 300


class Place(NamedTuple):
    """A table, by its database and its id."""

    database_id: str
    table_id: str


HOME = Place("db", "t")


class Caller:
    """Somebody who speaks of rows, or of documents: paths and bodies are given in the words of tables."""

    def __init__(self, client: httpx.Client, place: Place, *, is_legacy: bool = False) -> None:
        self.client = client
        self.place = place
        self.is_legacy = is_legacy
        self.rows = f"/{place.database_id}/tables/{place.table_id}/rows"

    def send(self, method: str, path: str, body: Any = None, **params: Any) -> httpx.Response:
        if self.is_legacy:
            return self.client.request(
                method, f"/databases{renamed(path)}", json=_in_old_words(body), params=params
            )
        return self.client.request(method, f"/tablesdb{path}", json=body, params=params)

    def outcome(self, method: str, path: str, body: Any = None, **params: Any) -> Outcome:
        return _rest(self.send(method, path, body, **params))

    def graphql(
        self, field: str, declared: str, shown: str, *, of_rows: bool = True, **variables: Any
    ) -> Outcome:
        """Call a field of tables, or its like of documents; `declared` says what variables it has."""
        name = renamed(field) if self.is_legacy else field
        types = renamed(declared) if self.is_legacy else declared
        place = f'databaseId: "{self.place.database_id}", tableId: "{self.place.table_id}"'
        passed = [renamed(place) if self.is_legacy else place] if of_rows else []
        passed += [f"{each[1:]}: {each}" for each in types.replace(":", " ").split() if each[0] == "$"]
        variable_types = f"({types})" if types else ""
        arguments = f"({', '.join(passed)})" if passed else ""
        word = "query" if field.startswith(("List", "Get")) else "mutation"
        document = (
            f"{word} {variable_types} {{ {'databases' if self.is_legacy else 'tablesDB'}{name}"
            f"{arguments} {{ {shown} }} }}"
        )
        given = {renamed(each) if self.is_legacy else each: value for each, value in variables.items()}
        answer = self.client.post("/graphql", json={"query": document, "variables": given})
        if answer.status_code != 200:
            return _rest(answer)
        body = answer.json()
        if "errors" not in body:
            return Outcome(200, "", answer.text)
        problem = body["errors"][0]
        return Outcome(
            problem["extensions"]["code"], _in_new_words(problem["extensions"]["type"]), problem["message"]
        )

    def within(self, act: Callable[[str], Outcome], *, commit: bool) -> Outcome:
        """Begin a transaction, act in it, and commit it when that could be done."""
        begun = self.send("POST", _TRANSACTIONS, {})
        if begun.status_code != 201:  # guests have none
            return _rest(begun)
        transaction = str(begun.json()["$id"])
        acted = act(transaction)
        if not commit or not acted.is_done:
            return acted
        committed = self.outcome("PATCH", f"{_TRANSACTIONS}/{transaction}", {"commit": True})
        return acted if committed.is_done else committed

    def _operation(self, action: str, said: dict[str, Any]) -> dict[str, Any]:
        return {
            "databaseId": self.place.database_id,
            "tableId": self.place.table_id,
            "action": action,
            **said,
        }

    def operate(self, action: str, **said: Any) -> Outcome:
        """Stage an operation, and commit it."""
        body = {"operations": [self._operation(action, said)]}
        return self.within(
            lambda begun: self.outcome("POST", f"{_TRANSACTIONS}/{begun}/operations", body), commit=True
        )

    def operate_by_graphql(self, action: str, **said: Any) -> Outcome:
        """The same, all of it in GraphQL."""
        begun = self.graphql("CreateTransaction", "", "_id", of_rows=False)
        if not begun.is_done:
            return begun
        [made] = json.loads(begun.message)["data"].values()
        operation = self._operation(action, said)
        staged = self.graphql(
            "CreateOperations",
            "$transactionId: String! $operations: [Json]",
            "_id",
            of_rows=False,
            transactionId=made["_id"],
            operations=[_in_old_words(operation) if self.is_legacy else operation],
        )
        if not staged.is_done:
            return staged
        return self.graphql(
            "UpdateTransaction",
            "$transactionId: String! $commit: Boolean",
            "_id",
            of_rows=False,
            transactionId=made["_id"],
            commit=True,
        )

    def stage(self, method: str, path: str, body: dict[str, Any]) -> Outcome:
        """Stage a change by its own route, and commit it; gives what the route has answered."""
        return self.within(lambda at: self.outcome(method, path, {**body, "transactionId": at}), commit=True)


def _in_old_words(body: Any) -> Any:
    """A body with its parameters renamed, and what rows are made of left as it is."""
    if not isinstance(body, dict):
        return body
    told = {renamed(name): value for name, value in body.items()}
    if isinstance(told.get("operations"), list):
        told["operations"] = [_in_old_words(each) for each in told["operations"]]
    if told.get("action") in ("increment", "decrement"):
        told["data"] = _in_old_words(told["data"])
    return told


def _in_new_words(type_: str) -> str:
    for old, new in _OLD_WORDS.items():
        type_ = type_.replace(old, new)
    return type_


def _rest(answer: httpx.Response) -> Outcome:
    if answer.status_code < 300:
        return Outcome(200, "", answer.text)
    problem = answer.json()
    return Outcome(answer.status_code, _in_new_words(problem["type"]), problem["message"])


def query(method: str, attribute: str | None = None, *values: Any) -> str:
    """A query as SDKs send it."""
    return json.dumps({"method": method, "attribute": attribute, "values": list(values)})


def _with(data: Said, row_id: str, granted: Any) -> Said:
    """The data as one that says itself whose it is and who may what."""
    if not isinstance(data, dict):
        return data
    named = {"$id": row_id, **data} if row_id else dict(data)
    return named if granted is None else {**named, "$permissions": granted}


def _said(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


# -- writing -----------------------------------------------------------------------------------------------


Write = Callable[[Caller, str, Said, Any], Outcome]


class Way(NamedTuple):
    """A way of writing a row."""

    name: str
    write: Write
    for_keys: bool = False
    """Whether it is for API keys alone."""
    changes: bool = False
    """Whether the row may be there already."""
    is_legacy: bool = False

    def __call__(
        self, client: httpx.Client, data: Said, granted: Any = None, row_id: str = "", place: Place = HOME
    ) -> Outcome:
        """Write a row with these permissions; without any the way says nothing of them."""
        caller = Caller(client, place, is_legacy=self.is_legacy)
        return self.write(caller, row_id or f"r{next(_numbers)}", data, granted)


def _in_both_vocabularies(ways: tuple[Way, ...]) -> Iterator[Way]:
    for way in ways:
        yield way
        yield way._replace(name=f"legacy {way.name}", is_legacy=True)


def _create(caller: Caller, row_id: str, data: Said, granted: Any) -> Outcome:
    return caller.outcome("POST", caller.rows, _said(rowId=row_id, data=data, permissions=granted))


def _create_staged(caller: Caller, row_id: str, data: Said, granted: Any) -> Outcome:
    return caller.stage("POST", caller.rows, _said(rowId=row_id, data=data, permissions=granted))


def _one(method: str) -> Write:
    return lambda caller, row_id, data, granted: caller.outcome(
        method, f"{caller.rows}/{row_id}", _said(data=data, permissions=granted)
    )


def _one_staged(method: str) -> Write:
    return lambda caller, row_id, data, granted: caller.stage(
        method, f"{caller.rows}/{row_id}", _said(data=data, permissions=granted)
    )


def _bulk(method: str) -> Write:
    return lambda caller, row_id, data, granted: caller.outcome(
        method, caller.rows, {"rows": [_with(data, row_id, granted)]}
    )


def _bulk_staged(method: str) -> Write:
    return lambda caller, row_id, data, granted: caller.stage(
        method, caller.rows, {"rows": [_with(data, row_id, granted)]}
    )


def _operation(action: str) -> Write:
    return lambda caller, row_id, data, granted: caller.operate(
        action, rowId=row_id, data=_with(data, "", granted)
    )


def _operation_by_graphql(action: str) -> Write:
    return lambda caller, row_id, data, granted: caller.operate_by_graphql(
        action, rowId=row_id, data=_with(data, "", granted)
    )


def _bulk_operation(action: str) -> Write:
    return lambda caller, row_id, data, granted: caller.operate(action, data=[_with(data, row_id, granted)])


def _graphql(field: str) -> Write:
    declared = f"$data: Json{'!' * (field == 'CreateRow')} $rowId: String! $permissions: [String]"
    return lambda caller, row_id, data, granted: caller.graphql(
        field, declared, "_id", **_said(data=data, rowId=row_id, permissions=granted)
    )


def _bulk_graphql(field: str) -> Write:
    return lambda caller, row_id, data, granted: caller.graphql(
        field, "$rows: [Json!]!", "total", rows=[_with(data, row_id, granted)]
    )


WAYS = tuple(
    _in_both_vocabularies(
        (
            Way("create", _create),
            Way("upsert", _one("PUT"), changes=True),
            Way("staged create", _create_staged),
            Way("staged upsert", _one_staged("PUT"), changes=True),
            Way("operation create", _operation("create")),
            Way("operation upsert", _operation("upsert"), changes=True),
            Way("GraphQL operation upsert", _operation_by_graphql("upsert"), changes=True),
            Way("operation bulkCreate", _bulk_operation("bulkCreate"), for_keys=True),
            Way("operation bulkUpsert", _bulk_operation("bulkUpsert"), for_keys=True, changes=True),
            Way("bulk create", _bulk("POST"), for_keys=True),
            Way("bulk upsert", _bulk("PUT"), for_keys=True, changes=True),
            Way("staged bulk create", _bulk_staged("POST"), for_keys=True),
            Way("staged bulk upsert", _bulk_staged("PUT"), for_keys=True, changes=True),
            Way("GraphQL create", _graphql("CreateRow")),
            Way("GraphQL upsert", _graphql("UpsertRow"), changes=True),
            Way("GraphQL bulk create", _bulk_graphql("CreateRows"), for_keys=True),
            Way("GraphQL bulk upsert", _bulk_graphql("UpsertRows"), for_keys=True, changes=True),
        )
    )
)
"""Those of making a row."""


def _naming(row_id: str) -> list[str]:
    return [query("equal", "$id", row_id)]


def _bulk_update(caller: Caller, row_id: str, data: Said, granted: Any) -> Outcome:
    body = {"data": _with(data, "", granted), "queries": _naming(row_id)}
    return caller.outcome("PATCH", caller.rows, body)


def _bulk_update_staged(caller: Caller, row_id: str, data: Said, granted: Any) -> Outcome:
    return caller.stage("PATCH", caller.rows, {"data": _with(data, "", granted), "queries": _naming(row_id)})


def _bulk_update_operation(caller: Caller, row_id: str, data: Said, granted: Any) -> Outcome:
    said = {"data": _with(data, "", granted), "queries": _naming(row_id)}
    return caller.operate("bulkUpdate", data=said)


def _bulk_update_graphql(caller: Caller, row_id: str, data: Said, granted: Any) -> Outcome:
    declared = "$data: Json $queries: [String]"
    said = {"data": _with(data, "", granted), "queries": _naming(row_id)}
    return caller.graphql("UpdateRows", declared, "total", **said)


UPDATES = tuple(
    _in_both_vocabularies(
        (
            Way("update", _one("PATCH"), changes=True),
            Way("staged update", _one_staged("PATCH"), changes=True),
            Way("operation update", _operation("update"), changes=True),
            Way("GraphQL update", _graphql("UpdateRow"), changes=True),
            Way("bulk update", _bulk_update, for_keys=True, changes=True),
            Way("staged bulk update", _bulk_update_staged, for_keys=True, changes=True),
            Way("operation bulkUpdate", _bulk_update_operation, for_keys=True, changes=True),
            Way("GraphQL bulk update", _bulk_update_graphql, for_keys=True, changes=True),
        )
    )
)
"""Those of changing a row which is there, and not making it."""

CHANGES = (*(way for way in WAYS if way.changes), *UPDATES)
"""All of changing a row."""

each_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
each_way_of_users = pytest.mark.parametrize(
    "way", [way for way in WAYS if not way.for_keys], ids=lambda way: way.name
)
each_way_of_users_to_change = pytest.mark.parametrize(
    "way", [way for way in CHANGES if not way.for_keys], ids=lambda way: way.name
)
each_way_to_change = pytest.mark.parametrize("way", CHANGES, ids=lambda way: way.name)


# -- deleting and counting ---------------------------------------------------------------------------------


class Deed(NamedTuple):
    """A way of deleting a row, or of adding to its column `whole`."""

    name: str
    act: Callable[[Caller, str], Outcome]
    for_keys: bool = False
    is_legacy: bool = False

    def __call__(self, client: httpx.Client, row_id: str, place: Place = HOME) -> Outcome:
        return self.act(Caller(client, place, is_legacy=self.is_legacy), row_id)


def _deeds(*deeds: Deed) -> tuple[Deed, ...]:
    return tuple(
        each for deed in deeds for each in (deed, deed._replace(name=f"legacy {deed.name}", is_legacy=True))
    )


DELETIONS = _deeds(
    Deed("delete", lambda caller, row_id: caller.outcome("DELETE", f"{caller.rows}/{row_id}")),
    Deed("staged delete", lambda caller, row_id: caller.stage("DELETE", f"{caller.rows}/{row_id}", {})),
    Deed("operation delete", lambda caller, row_id: caller.operate("delete", rowId=row_id)),
    Deed(
        "GraphQL delete",
        lambda caller, row_id: caller.graphql("DeleteRow", "$rowId: String!", "status", rowId=row_id),
    ),
    Deed(
        "bulk delete",
        lambda caller, row_id: caller.outcome("DELETE", caller.rows, {"queries": _naming(row_id)}),
        for_keys=True,
    ),
    Deed(
        "staged bulk delete",
        lambda caller, row_id: caller.stage("DELETE", caller.rows, {"queries": _naming(row_id)}),
        for_keys=True,
    ),
    Deed(
        "operation bulkDelete",
        lambda caller, row_id: caller.operate("bulkDelete", data={"queries": _naming(row_id)}),
        for_keys=True,
    ),
    Deed(
        "GraphQL bulk delete",
        lambda caller, row_id: caller.graphql(
            "DeleteRows", "$queries: [String]", "total", queries=_naming(row_id)
        ),
        for_keys=True,
    ),
)


class Addition(NamedTuple):
    """A way of adding to a number of a row, or of taking from it."""

    name: str
    add: Callable[[Caller, str, str, dict[str, Any]], Outcome]
    is_legacy: bool = False

    def __call__(
        self, client: httpx.Client, row_id: str, column: str, place: Place = HOME, **said: Any
    ) -> Outcome:
        """Say it with `value`, and `max` or `min`."""
        return self.add(Caller(client, place, is_legacy=self.is_legacy), row_id, column, said)


def _added(verb: str) -> Iterator[Addition]:
    field = f"{verb.capitalize()}RowColumn"
    bound = "max" if verb == "increment" else "min"

    def path(caller: Caller, row_id: str, column: str) -> str:
        return f"{caller.rows}/{row_id}/{quote(column, safe='')}/{verb}"

    ways = (
        Addition(
            verb,
            lambda caller, row_id, column, said: caller.outcome("PATCH", path(caller, row_id, column), said),
        ),
        Addition(
            f"staged {verb}",
            lambda caller, row_id, column, said: caller.stage("PATCH", path(caller, row_id, column), said),
        ),
        Addition(
            f"operation {verb}",
            lambda caller, row_id, column, said: caller.operate(
                verb, rowId=row_id, data={"column": column, **said}
            ),
        ),
        Addition(
            f"GraphQL {verb}",
            lambda caller, row_id, column, said: caller.graphql(
                field,
                f"$rowId: String! $column: String! $value: Float ${bound}: Float",
                "_id",
                rowId=row_id,
                column=column,
                **said,
            ),
        ),
    )
    for way in ways:
        yield way
        yield way._replace(name=f"legacy {way.name}", is_legacy=True)


ADDITIONS = (*_added("increment"), *_added("decrement"))


# -- asking and reading ------------------------------------------------------------------------------------


class Asking(NamedTuple):
    """A way of naming rows by queries."""

    name: str
    ask: Callable[[Caller, list[str]], Outcome]
    for_keys: bool = False
    is_legacy: bool = False

    def __call__(self, client: httpx.Client, *queries: Any, place: Place = HOME) -> Outcome:
        return self.ask(Caller(client, place, is_legacy=self.is_legacy), list(queries))


def _listed(caller: Caller, queries: list[str]) -> Outcome:
    return caller.outcome("GET", caller.rows, **{"queries[]": queries})


def _kept(caller: Caller, queries: list[str]) -> Outcome:
    """The answer as the server has kept it, when it has answered at all."""
    for _ in range(2):
        answer = caller.send("GET", caller.rows, ttl=3600, **{"queries[]": queries})
    return _rest(answer)


def _listed_in_a_transaction(caller: Caller, queries: list[str]) -> Outcome:
    return caller.within(
        lambda at: caller.outcome("GET", caller.rows, transactionId=at, **{"queries[]": queries}),
        commit=False,
    )


def _asked_in_a_body(caller: Caller, queries: list[str]) -> Outcome:
    return caller.outcome("POST", f"{caller.rows}/query", {"queries": queries})


def _asked_in_a_body_and_a_transaction(caller: Caller, queries: list[str]) -> Outcome:
    return caller.within(
        lambda at: caller.outcome("POST", f"{caller.rows}/query", {"queries": queries, "transactionId": at}),
        commit=False,
    )


def _asked_of_graphql(caller: Caller, queries: list[str]) -> Outcome:
    shown = f"total {'documents' if caller.is_legacy else 'rows'} {{ _id _permissions data }}"
    return caller.graphql("ListRows", "$queries: [String]", shown, queries=queries)


def _asked_of_graphql_at_length(caller: Caller, queries: list[str]) -> Outcome:
    shown = f"total {'documents' if caller.is_legacy else 'rows'} {{ _id _permissions data }}"
    return caller.graphql("CreateQuery", "$queries: [String]", shown, queries=queries)


def _changed_in_bulk(caller: Caller, queries: list[str]) -> Outcome:
    return caller.outcome("PATCH", caller.rows, {"data": {"whole": 1}, "queries": queries})


def _changed_in_bulk_staged(caller: Caller, queries: list[str]) -> Outcome:
    return caller.stage("PATCH", caller.rows, {"data": {"whole": 1}, "queries": queries})


def _changed_by_an_operation(caller: Caller, queries: list[str]) -> Outcome:
    return caller.operate("bulkUpdate", data={"data": {"whole": 1}, "queries": queries})


def _changed_by_graphql(caller: Caller, queries: list[str]) -> Outcome:
    declared = "$data: Json $queries: [String]"
    return caller.graphql("UpdateRows", declared, "total", data={"whole": 1}, queries=queries)


def _deleted_in_bulk(caller: Caller, queries: list[str]) -> Outcome:
    return caller.outcome("DELETE", caller.rows, {"queries": queries})


def _deleted_in_bulk_staged(caller: Caller, queries: list[str]) -> Outcome:
    return caller.stage("DELETE", caller.rows, {"queries": queries})


def _deleted_by_an_operation(caller: Caller, queries: list[str]) -> Outcome:
    return caller.operate("bulkDelete", data={"queries": queries})


def _deleted_by_graphql(caller: Caller, queries: list[str]) -> Outcome:
    return caller.graphql("DeleteRows", "$queries: [String]", "total", queries=queries)


def _askings(*ways: Asking) -> tuple[Asking, ...]:
    return tuple(
        each for way in ways for each in (way, way._replace(name=f"legacy {way.name}", is_legacy=True))
    )


LISTS = _askings(
    Asking("list", _listed),
    Asking("kept list", _kept),
    Asking("list in a transaction", _listed_in_a_transaction),
    Asking("queries in a body", _asked_in_a_body),
    Asking("queries in a body, in a transaction", _asked_in_a_body_and_a_transaction),
    Asking("GraphQL list", _asked_of_graphql),
    Asking("GraphQL long list", _asked_of_graphql_at_length),
)
"""Those that answer with rows."""

ASKING = (
    *LISTS,
    *_askings(
        Asking("bulk update", _changed_in_bulk, for_keys=True),
        Asking("staged bulk update", _changed_in_bulk_staged, for_keys=True),
        Asking("operation bulkUpdate", _changed_by_an_operation, for_keys=True),
        Asking("GraphQL bulk update", _changed_by_graphql, for_keys=True),
        Asking("bulk delete", _deleted_in_bulk, for_keys=True),
        Asking("staged bulk delete", _deleted_in_bulk_staged, for_keys=True),
        Asking("operation bulkDelete", _deleted_by_an_operation, for_keys=True),
        Asking("GraphQL bulk delete", _deleted_by_graphql, for_keys=True),
    ),
)
"""All of naming rows by queries."""


class Reading(NamedTuple):
    """A way of reading one row, with what is selected of it and of those that it is related to."""

    name: str
    read: Callable[[Caller, str, list[str]], Outcome]
    is_legacy: bool = False

    def __call__(self, client: httpx.Client, row_id: str, *select: str, place: Place = HOME) -> Outcome:
        return self.read(Caller(client, place, is_legacy=self.is_legacy), row_id, list(select))


def _selecting(select: list[str]) -> list[str]:
    return [query("select", None, *select)] if select else []


def _got(caller: Caller, row_id: str, select: list[str]) -> Outcome:
    return caller.outcome("GET", f"{caller.rows}/{row_id}", **{"queries[]": _selecting(select)})


def _got_in_a_transaction(caller: Caller, row_id: str, select: list[str]) -> Outcome:
    said = {"queries[]": _selecting(select)}
    return caller.within(
        lambda at: caller.outcome("GET", f"{caller.rows}/{row_id}", transactionId=at, **said), commit=False
    )


def _got_from_graphql(caller: Caller, row_id: str, select: list[str]) -> Outcome:
    declared = "$rowId: String! $queries: [String]"
    shown = "_id _permissions data"
    return caller.graphql("GetRow", declared, shown, rowId=row_id, queries=_selecting(select))


def _found(way: Asking) -> Callable[[Caller, str, list[str]], Outcome]:
    """By its id, in a list; a list without it is an answer all the same."""
    return lambda caller, row_id, select: way.ask(caller, [*_naming(row_id), *_selecting(select)])


GETS = tuple(
    each
    for way in (
        Reading("get", _got),
        Reading("get in a transaction", _got_in_a_transaction),
        Reading("GraphQL get", _got_from_graphql),
    )
    for each in (way, way._replace(name=f"legacy {way.name}", is_legacy=True))
)
"""Those that answer with a row, or say that there is none."""

READINGS = (*GETS, *(Reading(way.name, _found(way), way.is_legacy) for way in LISTS))
"""All of reading a row of which one knows the id."""
