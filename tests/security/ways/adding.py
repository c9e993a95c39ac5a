"""The ways of adding to a number of a row, and of taking from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from tests.security.ways.speaking import HOME, Caller, Outcome, Place, Spoken, in_both_vocabularies


@dataclass(frozen=True)
class Addition(Spoken):
    """A way of adding to a number of a row, or of taking from it."""

    add: Callable[[Caller, str, str, dict[str, Any]], Outcome]

    def __call__(
        self, client: httpx.Client, row_id: str, column: str, place: Place = HOME, **said: Any
    ) -> Outcome:
        """Say it with `value`, and `max` or `min`."""
        return self.add(self.caller(client, place), row_id, column, said)


def _added(verb: str) -> tuple[Addition, ...]:
    field = f"{verb.capitalize()}RowColumn"
    bound = "max" if verb == "increment" else "min"

    def path(caller: Caller, row_id: str, column: str) -> str:
        return f"{caller.rows}/{row_id}/{quote(column, safe='')}/{verb}"

    return in_both_vocabularies(
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


ADDITIONS = (*_added("increment"), *_added("decrement"))
