"""The ways of reading rows, and of naming them by queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.security.ways.speaking import (
    HOME,
    Caller,
    Outcome,
    Place,
    Spoken,
    in_both_vocabularies,
    naming,
    outcome_of,
    query,
)


@dataclass(frozen=True)
class Asking(Spoken):
    """A way of naming rows by queries."""

    ask: Callable[[Caller, list[str]], Outcome]

    def __call__(self, client: httpx.Client, *queries: Any, place: Place = HOME) -> Outcome:
        return self.ask(self.caller(client, place), list(queries))


def _listed(caller: Caller, queries: list[str]) -> Outcome:
    return caller.outcome("GET", caller.rows, **{"queries[]": queries})


def _kept(caller: Caller, queries: list[str]) -> Outcome:
    """The answer as the server has kept it, when it has answered at all."""
    for _ in range(2):
        answer = caller.send("GET", caller.rows, ttl=3600, **{"queries[]": queries})
    return outcome_of(answer)


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


LISTS = in_both_vocabularies(
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
    *in_both_vocabularies(
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


@dataclass(frozen=True)
class Reading(Spoken):
    """A way of reading one row, with what is selected of it and of those that it is related to."""

    read: Callable[[Caller, str, list[str]], Outcome]

    def __call__(self, client: httpx.Client, row_id: str, *select: str, place: Place = HOME) -> Outcome:
        return self.read(self.caller(client, place), row_id, list(select))


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
    return lambda caller, row_id, select: way.ask(caller, [*naming(row_id), *_selecting(select)])


GETS = in_both_vocabularies(
    Reading("get", _got),
    Reading("get in a transaction", _got_in_a_transaction),
    Reading("GraphQL get", _got_from_graphql),
)
"""Those that answer with a row, or say that there is none."""

READINGS = (*GETS, *(Reading(way.name, _found(way), is_legacy=way.is_legacy) for way in LISTS))
"""All of reading a row of which one knows the id."""
