"""The ways of making a row, and of changing one."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.security.ways.speaking import (
    HOME,
    Caller,
    Outcome,
    Place,
    Said,
    Spoken,
    in_both_vocabularies,
    naming,
)

_numbers = itertools.count(1)

Write = Callable[[Caller, str, Said, Any], Outcome]


@dataclass(frozen=True)
class Way(Spoken):
    """A way of writing a row."""

    write: Write
    changes: bool = field(default=False, kw_only=True)
    """Whether the row may be there already."""

    def __call__(
        self, client: httpx.Client, data: Said, granted: Any = None, row_id: str = "", place: Place = HOME
    ) -> Outcome:
        """Write a row with these permissions; without any the way says nothing of them."""
        return self.write(self.caller(client, place), row_id or f"r{next(_numbers)}", data, granted)


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


def _bulk_update(caller: Caller, row_id: str, data: Said, granted: Any) -> Outcome:
    body = {"data": _with(data, "", granted), "queries": naming(row_id)}
    return caller.outcome("PATCH", caller.rows, body)


def _bulk_update_staged(caller: Caller, row_id: str, data: Said, granted: Any) -> Outcome:
    return caller.stage("PATCH", caller.rows, {"data": _with(data, "", granted), "queries": naming(row_id)})


def _bulk_update_operation(caller: Caller, row_id: str, data: Said, granted: Any) -> Outcome:
    said = {"data": _with(data, "", granted), "queries": naming(row_id)}
    return caller.operate("bulkUpdate", data=said)


def _bulk_update_graphql(caller: Caller, row_id: str, data: Said, granted: Any) -> Outcome:
    declared = "$data: Json $queries: [String]"
    said = {"data": _with(data, "", granted), "queries": naming(row_id)}
    return caller.graphql("UpdateRows", declared, "total", **said)


def _with(data: Said, row_id: str, granted: Any) -> Said:
    """The data as one that says itself whose it is and who may what."""
    if not isinstance(data, dict):
        return data
    named = {"$id": row_id, **data} if row_id else dict(data)
    return named if granted is None else {**named, "$permissions": granted}


def _said(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


WAYS = in_both_vocabularies(
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
"""Those of making a row."""

UPDATES = in_both_vocabularies(
    Way("update", _one("PATCH"), changes=True),
    Way("staged update", _one_staged("PATCH"), changes=True),
    Way("operation update", _operation("update"), changes=True),
    Way("GraphQL update", _graphql("UpdateRow"), changes=True),
    Way("bulk update", _bulk_update, for_keys=True, changes=True),
    Way("staged bulk update", _bulk_update_staged, for_keys=True, changes=True),
    Way("operation bulkUpdate", _bulk_update_operation, for_keys=True, changes=True),
    Way("GraphQL bulk update", _bulk_update_graphql, for_keys=True, changes=True),
)
"""Those of changing a row which is there, and not making it."""

ALL_WAYS = (*WAYS, *UPDATES)
"""All of writing a row."""

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
