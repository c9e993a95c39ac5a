"""Calls that read rows."""

from __future__ import annotations

import json
from typing import Any

from tests.rules import chance as by
from tests.rules.model import Caller, Query, Refused, Table, is_random
from tests.rules.wire import in_url
from tests.rules.world import World, selected


def list_rows(world: World, table: Table, caller: Caller) -> None:
    queries = by.queries(world.chance, table.rows, world.ways(table))
    try:
        total, rows = table.find(caller, queries)
    except Refused as refused:
        expected: Any = refused.answer
    else:
        expected = (200, total, [world.seen(caller, table, row, selected(queries)) for row in rows])
        if is_random(queries):
            list_in_no_order(world, table, caller, queries, expected)
            return
    if world.through_graphql:
        status, body = world.ask_graphql(caller, "ListRows", table, queries=[*map(json.dumps, queries)])
    else:
        status, body = world.ask(caller, "GET", table, f"?{in_url(queries)}")
    given = (status, body["total"], body[world.words.rows]) if status == 200 else (status, body)
    world.same(expected, given, table, caller, queries)


def list_in_no_order(world: World, table: Table, caller: Caller, queries: list[Query], expected: Any) -> None:
    """As many rows as in any order, each of them once, and of those that fit."""
    status, body = world.ask(caller, "GET", table, f"?{in_url(queries)}")
    world.same(expected[:2], (status, body["total"]), table, caller, queries)
    given = body[world.words.rows]
    pages = [each for each in queries if each["method"] not in ("limit", "offset")]
    _, fitting = table.find(caller, [*pages, {"method": "limit", "values": [5000]}])
    among = {row["$id"]: world.seen(caller, table, row, selected(queries)) for row in fitting}
    world.same(len(expected[2]), len({row["$id"] for row in given}), table, caller, queries)
    world.same([among.get(row["$id"]) for row in given], given, table, caller, queries)


def get_row(world: World, table: Table, caller: Caller) -> None:
    row_id = world.some_row(table)
    try:
        expected: Any = (200, world.seen(caller, table, table.get(caller, row_id)))
    except Refused as refused:
        expected = refused.answer
    if world.through_graphql:
        status, body = world.ask_graphql(caller, "GetRow", table, rowId=row_id)
    else:
        status, body = world.ask(caller, "GET", table, f"/{row_id}")
    world.same(expected, (status, body), table, caller, row_id)


def put_together(world: World, table: Table, caller: Caller) -> None:
    queries = by.aggregates(world.chance)
    try:
        groups = table.aggregate(caller, queries)
    except Refused as refused:
        expected: Any = refused.answer
    else:
        expected = (200, len(groups), sorted(map(json.dumps, groups)))
    status, body = world.ask(caller, "GET", table, f"?{in_url(queries)}")
    given = (status, body)
    if status == 200:
        shown = (
            [{name: each[name] for name in groups[0]} for each in body[world.words.rows]] if groups else []
        )
        given = (200, body["total"], sorted(map(json.dumps, shown)))
    world.same(expected, given, table, caller, queries)
