"""The ways on which one row can be written, all of which have to come to the same."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest

_AT = {"databaseId": "db", "tableId": "t"}
_ROWS = "/tablesdb/db/tables/t/rows"
_DOCUMENTS = "/databases/db/collections/t/documents"
_TRANSACTIONS = "/tablesdb/transactions"
_OLD_WORDS = {"document": "row", "attribute": "column", "collection": "table"}

_numbers = itertools.count(1)

Said = Any
"""The data of a row; what attackers send may be anything."""


class Outcome(NamedTuple):
    """What a way has come to: a status, and the type of the error in the words of tables."""

    status: int
    type: str
    message: str

    @property
    def is_done(self) -> bool:
        return self.status < 300


class Way(NamedTuple):
    """A way of writing a row of the table `t` of the database `db`."""

    name: str
    write: Callable[[httpx.Client, str, Said, Any], Outcome]
    for_keys: bool = False
    """Whether it is for API keys alone."""
    changes: bool = False
    """Whether the row may be there already."""

    def __call__(self, client: httpx.Client, data: Said, granted: Any = None, row_id: str = "") -> Outcome:
        """Write a row with these permissions; without any the way says nothing of them."""
        return self.write(client, row_id or f"r{next(_numbers)}", data, granted)


def _rest(answer: httpx.Response) -> Outcome:
    if answer.status_code < 300:
        return Outcome(200, "", answer.text)
    problem = answer.json()
    type_ = problem["type"]
    for old, new in _OLD_WORDS.items():
        type_ = type_.replace(old, new)
    return Outcome(answer.status_code, type_, problem["message"])


def _with(data: Said, row_id: str, granted: Any) -> Said:
    """The data as one that says itself whose it is and who may what."""
    if not isinstance(data, dict):
        return data
    named = {"$id": row_id, **data} if row_id else dict(data)
    return named if granted is None else {**named, "$permissions": granted}


def _said(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _begin(client: httpx.Client) -> str:
    begun = client.post(_TRANSACTIONS, json={})
    assert begun.status_code == 201, begun.text
    return str(begun.json()["$id"])


def _commit(client: httpx.Client, transaction: str, staged: Outcome) -> Outcome:
    if not staged.is_done:
        return staged
    return _rest(client.patch(f"{_TRANSACTIONS}/{transaction}", json={"commit": True}))


def _create(client: httpx.Client, row_id: str, data: Said, granted: Any) -> Outcome:
    return _rest(client.post(_ROWS, json=_said(rowId=row_id, data=data, permissions=granted)))


def _create_document(client: httpx.Client, row_id: str, data: Said, granted: Any) -> Outcome:
    return _rest(client.post(_DOCUMENTS, json=_said(documentId=row_id, data=data, permissions=granted)))


def _upsert(client: httpx.Client, row_id: str, data: Said, granted: Any) -> Outcome:
    return _rest(client.put(f"{_ROWS}/{row_id}", json=_said(data=data, permissions=granted)))


def _staged(client: httpx.Client, row_id: str, data: Said, granted: Any) -> Outcome:
    transaction = _begin(client)
    body = _said(rowId=row_id, data=data, permissions=granted, transactionId=transaction)
    return _commit(client, transaction, _rest(client.post(_ROWS, json=body)))


def _update(client: httpx.Client, row_id: str, data: Said, granted: Any) -> Outcome:
    return _rest(client.patch(f"{_ROWS}/{row_id}", json=_said(data=data, permissions=granted)))


def _update_document(client: httpx.Client, row_id: str, data: Said, granted: Any) -> Outcome:
    return _rest(client.patch(f"{_DOCUMENTS}/{row_id}", json=_said(data=data, permissions=granted)))


def _staged_update(client: httpx.Client, row_id: str, data: Said, granted: Any) -> Outcome:
    transaction = _begin(client)
    body = _said(data=data, permissions=granted, transactionId=transaction)
    return _commit(client, transaction, _rest(client.patch(f"{_ROWS}/{row_id}", json=body)))


def _operation(action: str) -> Callable[[httpx.Client, str, Said, Any], Outcome]:
    def operate(client: httpx.Client, row_id: str, data: Said, granted: Any) -> Outcome:
        transaction = _begin(client)
        if action.startswith("bulk"):
            said: dict[str, Any] = {"data": [_with(data, row_id, granted)]}
        else:
            said = {"rowId": row_id, "data": _with(data, "", granted)}
        body = {"operations": [{**_AT, "action": action, **said}]}
        staged = client.post(f"{_TRANSACTIONS}/{transaction}/operations", json=body)
        return _commit(client, transaction, _rest(staged))

    return operate


def _bulk(method: str) -> Callable[[httpx.Client, str, Said, Any], Outcome]:
    def send(client: httpx.Client, row_id: str, data: Said, granted: Any) -> Outcome:
        return _rest(client.request(method, _ROWS, json={"rows": [_with(data, row_id, granted)]}))

    return send


def _graphql(field: str, *, many: bool = False) -> Callable[[httpx.Client, str, Said, Any], Outcome]:
    declared = "$rows: [Json!]!" if many else "$data: Json, $rowId: String!, $permissions: [String]"
    if field == "CreateRow":
        declared = declared.replace("Json,", "Json!,")
    passed = ", ".join(
        f"{name}: ${name}" for name in (["rows"] if many else ["data", "rowId", "permissions"])
    )
    shown = "total" if many else "_id"
    document = (
        f'mutation ({declared}) {{ tablesDB{field}(databaseId: "db", tableId: "t", {passed}) {{ {shown} }} }}'
    )

    def send(client: httpx.Client, row_id: str, data: Said, granted: Any) -> Outcome:
        variables = (
            {"rows": [_with(data, row_id, granted)]}
            if many
            else _said(data=data, rowId=row_id, permissions=granted)
        )
        answer = client.post("/graphql", json={"query": document, "variables": variables})
        if answer.status_code != 200:
            return _rest(answer)
        body = answer.json()
        if "errors" not in body:
            return Outcome(200, "", answer.text)
        problem = body["errors"][0]
        return Outcome(problem["extensions"]["code"], problem["extensions"]["type"], problem["message"])

    return send


WAYS = (
    Way("REST", _create),
    Way("legacy", _create_document),
    Way("upsert", _upsert, changes=True),
    Way("staged", _staged),
    Way("operation create", _operation("create")),
    Way("operation upsert", _operation("upsert"), changes=True),
    Way("operation bulkCreate", _operation("bulkCreate"), for_keys=True),
    Way("operation bulkUpsert", _operation("bulkUpsert"), for_keys=True, changes=True),
    Way("bulk create", _bulk("POST"), for_keys=True),
    Way("bulk upsert", _bulk("PUT"), for_keys=True, changes=True),
    Way("GraphQL create", _graphql("CreateRow")),
    Way("GraphQL upsert", _graphql("UpsertRow"), changes=True),
    Way("GraphQL bulk create", _graphql("CreateRows", many=True), for_keys=True),
    Way("GraphQL bulk upsert", _graphql("UpsertRows", many=True), for_keys=True, changes=True),
)

UPDATES = (
    *(way for way in WAYS if way.changes and not way.for_keys),
    Way("update", _update, changes=True),
    Way("legacy update", _update_document, changes=True),
    Way("staged update", _staged_update, changes=True),
    Way("operation update", _operation("update"), changes=True),
    Way("GraphQL update", _graphql("UpdateRow"), changes=True),
)
"""The ways on which a user can change a row that is there."""

each_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
each_way_of_users = pytest.mark.parametrize(
    "way", [way for way in WAYS if not way.for_keys], ids=lambda way: way.name
)
each_way_to_change = pytest.mark.parametrize(
    "way", [way for way in WAYS if way.changes], ids=lambda way: way.name
)
each_update = pytest.mark.parametrize("way", UPDATES, ids=lambda way: way.name)


class Asking(NamedTuple):
    """A way of naming rows by queries."""

    name: str
    ask: Callable[[httpx.Client, list[str]], Outcome]
    for_keys: bool = False

    def __call__(self, client: httpx.Client, queries: list[str]) -> Outcome:
        return self.ask(client, queries)


def _listed(client: httpx.Client, queries: list[str]) -> Outcome:
    return _rest(client.get(_ROWS, params={f"queries[{at}]": each for at, each in enumerate(queries)}))


def _listed_documents(client: httpx.Client, queries: list[str]) -> Outcome:
    return _rest(client.get(_DOCUMENTS, params={f"queries[{at}]": each for at, each in enumerate(queries)}))


def _asked_in_a_body(client: httpx.Client, queries: list[str]) -> Outcome:
    return _rest(client.post(f"{_ROWS}/query", json={"queries": queries}))


def _asked_of_graphql(client: httpx.Client, queries: list[str]) -> Outcome:
    document = (
        'query ($queries: [String!]) { tablesDBListRows(databaseId: "db", tableId: "t", queries: $queries)'
        " { total } }"
    )
    answer = client.post("/graphql", json={"query": document, "variables": {"queries": queries}})
    if answer.status_code != 200 or "errors" not in answer.json():
        return _rest(answer)
    problem = answer.json()["errors"][0]
    return Outcome(problem["extensions"]["code"], problem["extensions"]["type"], problem["message"])


def _asked_in_a_transaction(client: httpx.Client, queries: list[str]) -> Outcome:
    params = {f"queries[{at}]": each for at, each in enumerate(queries)}
    return _rest(client.get(_ROWS, params={**params, "transactionId": _begin(client)}))


def _changed_in_bulk(client: httpx.Client, queries: list[str]) -> Outcome:
    return _rest(client.patch(_ROWS, json={"data": {"whole": 1}, "queries": queries}))


def _deleted_in_bulk(client: httpx.Client, queries: list[str]) -> Outcome:
    return _rest(client.request("DELETE", _ROWS, json={"queries": queries}))


def _operated(action: str, **data: Any) -> Callable[[httpx.Client, list[str]], Outcome]:
    def operate(client: httpx.Client, queries: list[str]) -> Outcome:
        operation = {**_AT, "action": action, "data": {**data, "queries": queries}}
        path = f"{_TRANSACTIONS}/{_begin(client)}/operations"
        return _rest(client.post(path, json={"operations": [operation]}))

    return operate


ASKING = (
    Asking("list", _listed),
    Asking("legacy list", _listed_documents),
    Asking("queries in a body", _asked_in_a_body),
    Asking("GraphQL list", _asked_of_graphql),
    Asking("list in a transaction", _asked_in_a_transaction),
    Asking("bulk update", _changed_in_bulk, for_keys=True),
    Asking("bulk delete", _deleted_in_bulk, for_keys=True),
    Asking("operation bulkUpdate", _operated("bulkUpdate", data={"whole": 1}), for_keys=True),
    Asking("operation bulkDelete", _operated("bulkDelete"), for_keys=True),
)
