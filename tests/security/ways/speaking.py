"""Whoever does something with rows, in either vocabulary, through REST or GraphQL; and what it comes to."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

import httpx

from freehold.services.databases.vocabulary import renamed

_TRANSACTIONS = "/transactions"
_OLD_WORDS = {"document": "row", "attribute": "column", "collection": "table"}
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
        return outcome_of(self.send(method, path, body, **params))

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
            return outcome_of(answer)
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
            return outcome_of(begun)
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


@dataclass(frozen=True)
class Spoken:
    """Something that one may do with rows, said in the words of tables, or in those of documents."""

    name: str
    is_legacy: bool = field(default=False, kw_only=True)
    for_keys: bool = field(default=False, kw_only=True)
    """Whether it is for API keys alone."""

    def caller(self, client: httpx.Client, place: Place) -> Caller:
        """Who does it."""
        return Caller(client, place, is_legacy=self.is_legacy)


Way = TypeVar("Way", bound=Spoken)


def in_both_vocabularies(*ways: Way) -> tuple[Way, ...]:
    return tuple(
        each for way in ways for each in (way, replace(way, name=f"legacy {way.name}", is_legacy=True))
    )


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


def outcome_of(answer: httpx.Response) -> Outcome:
    if answer.status_code < 300:
        return Outcome(200, "", answer.text)
    problem = answer.json()
    return Outcome(answer.status_code, _in_new_words(problem["type"]), problem["message"])


def query(method: str, attribute: str | None = None, *values: Any) -> str:
    """A query as SDKs send it."""
    return json.dumps({"method": method, "attribute": attribute, "values": list(values)})


def naming(row_id: str) -> list[str]:
    """Queries for the row of this id."""
    return [query("equal", "$id", row_id)]
