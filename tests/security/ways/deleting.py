"""The ways of deleting a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from tests.security.ways.speaking import HOME, Caller, Outcome, Place, Spoken, in_both_vocabularies, naming


@dataclass(frozen=True)
class Deletion(Spoken):
    """A way of deleting a row."""

    delete: Callable[[Caller, str], Outcome]

    def __call__(self, client: httpx.Client, row_id: str, place: Place = HOME) -> Outcome:
        return self.delete(self.caller(client, place), row_id)


DELETIONS = in_both_vocabularies(
    Deletion("delete", lambda caller, row_id: caller.outcome("DELETE", f"{caller.rows}/{row_id}")),
    Deletion("staged delete", lambda caller, row_id: caller.stage("DELETE", f"{caller.rows}/{row_id}", {})),
    Deletion("operation delete", lambda caller, row_id: caller.operate("delete", rowId=row_id)),
    Deletion(
        "GraphQL delete",
        lambda caller, row_id: caller.graphql("DeleteRow", "$rowId: String!", "status", rowId=row_id),
    ),
    Deletion(
        "bulk delete",
        lambda caller, row_id: caller.outcome("DELETE", caller.rows, {"queries": naming(row_id)}),
        for_keys=True,
    ),
    Deletion(
        "staged bulk delete",
        lambda caller, row_id: caller.stage("DELETE", caller.rows, {"queries": naming(row_id)}),
        for_keys=True,
    ),
    Deletion(
        "operation bulkDelete",
        lambda caller, row_id: caller.operate("bulkDelete", data={"queries": naming(row_id)}),
        for_keys=True,
    ),
    Deletion(
        "GraphQL bulk delete",
        lambda caller, row_id: caller.graphql(
            "DeleteRows", "$queries: [String]", "total", queries=naming(row_id)
        ),
        for_keys=True,
    ),
)
