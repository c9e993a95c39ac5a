"""Calls that change rows, one or many."""

from __future__ import annotations

import json
from typing import Any

from tests.rules import chance as by
from tests.rules.model import BOUND, UNAUTHORIZED, Caller, Query, Refused, Row, Table, after, empty_row
from tests.rules.world import World


def create_row(world: World, table: Table, caller: Caller) -> None:
    data = world.data(table)
    permissions = by.permissions(world.chance, world.grantable(caller))
    row_id = f"r{world.steps}"
    sent = {world.words.row_id: row_id, "data": data, "permissions": permissions}
    try:
        granted = table.create(caller, data, permissions)
        row = empty_row(table, row_id) | data | {"$permissions": granted}
        table.must_be_the_only_one(row)
        expected: Any = row
    except Refused as refused:
        expected = refused.answer
    status, body = world.write(caller, "POST", table, "", sent)
    wrote(world, table, caller, sent, None, expected, status, body)


def update_row(world: World, table: Table, caller: Caller) -> None:
    row_id = world.some_row(table)
    data = by.operators(world.chance, world.data(table))
    permissions = by.permissions(world.chance, world.grantable(caller))
    sent = {"data": data, "permissions": permissions}
    row = None
    try:
        row, granted = table.changeable(caller, "update", row_id, data, permissions)
        expected: Any = after(row, data) | ({} if granted is None else {"$permissions": granted})
        table.must_be_the_only_one(expected)
    except Refused as refused:
        expected = refused.answer
    status, body = world.write(caller, "PATCH", table, f"/{row_id}", sent)
    wrote(world, table, caller, (row_id, sent), row, expected, status, body)


def upsert_row(world: World, table: Table, caller: Caller) -> None:
    row_id = f"u{world.steps}" if world.chance.random() < 0.3 else world.some_row(table)
    data = by.operators(world.chance, world.data(table))
    permissions = by.permissions(world.chance, world.grantable(caller))
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
    status, body = world.write(caller, "PUT", table, f"/{row_id}", sent)
    wrote(world, table, caller, (row_id, sent), row, expected, status, body)


def count_row(world: World, table: Table, caller: Caller) -> None:
    row_id = world.some_row(table)
    by_how_much, most = world.chance.choice((1, 2, 5)), world.chance.choice((None, None, 0, 3))
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
    status, body = world.write(caller, "PATCH", table, f"/{row_id}/number/increment", sent)
    if isinstance(body, str):
        body = body.replace("attribute_", "column_")
    wrote(world, table, caller, (row_id, sent), row, expected, status, body)


def delete_row(world: World, table: Table, caller: Caller) -> None:
    row_id = world.some_row(table)
    expected: Any = (204, {})
    changed: list[tuple[Table, Row]] = []
    try:
        changed = table.delete(table.changeable(caller, "delete", row_id)[0])
    except Refused as refused:
        expected = refused.answer
    status, body = world.change(caller, "DELETE", table, f"/{row_id}", {})
    world.same(expected, (status, body), table, caller, row_id)
    look_again(world, changed)


def upsert_rows(world: World, table: Table, caller: Caller) -> None:
    ids = {f"b{world.steps}.{n}" if world.chance.random() < 0.4 else world.some_row(table) for n in range(3)}
    sent: list[Row] = []
    expected: list[Row] = []
    answer: Any = None
    for row_id in sorted(ids):
        data = by.operators(world.chance, by.values(world.chance, by.some_columns(world.chance)))
        permissions = by.permissions(world.chance, world.roles)
        sent.append(data | {"$id": row_id} | ({} if permissions is None else {"$permissions": permissions}))
        try:
            row, granted = table.upsertable(caller, row_id, {}, permissions)
            one = after(row or empty_row(table, row_id), data)
            expected.append(one | ({} if granted is None else {"$permissions": granted}))
        except Refused as refused:
            answer = refused.answer
    if not caller.privileged:
        answer = UNAUTHORIZED
    status, body = world.ask(caller, "PUT", table, body={world.words.rows: sent})
    if status != 201 or answer is not None:
        world.same(answer, (status, body), table, caller, sent)
        return
    for one, given in zip(expected, body[world.words.rows], strict=True):
        wrote_in_bulk(world, table, caller, sent, one, given)


def update_rows(world: World, table: Table, caller: Caller) -> None:
    queries = of_bulk(world, table)
    data = by.operators(world.chance, by.values(world.chance, by.some_columns(world.chance)))
    answer: Any = None
    expected: dict[str, Row] = {}
    try:
        expected = {row["$id"]: after(row, data) for row in fitting(world, table, queries)}
    except Refused as refused:
        answer = refused.answer
    if not caller.privileged:
        answer = UNAUTHORIZED
    sent = {"data": data, "queries": [*map(json.dumps, queries)]}
    status, body = world.ask(caller, "PATCH", table, body=sent)
    if status != 200 or answer is not None:
        world.same(answer, (status, body), table, caller, sent)
        return
    given = {row["$id"]: row for row in body[world.words.rows]}
    world.same(sorted(expected), sorted(given), table, caller, sent)
    for row_id, one in expected.items():
        wrote_in_bulk(world, table, caller, sent, one, given[row_id])


def delete_rows(world: World, table: Table, caller: Caller) -> None:
    queries = of_bulk(world, table)
    rows = fitting(world, table, queries)
    sent = {"queries": [*map(json.dumps, queries)]}
    changed: list[tuple[Table, Row]] = []
    expected: Any = (200, sorted(row["$id"] for row in rows))
    try:
        if not caller.privileged:
            raise Refused(*UNAUTHORIZED)
        changed = table.delete(*rows)
    except Refused as refused:
        expected = refused.answer
    status, body = world.ask(caller, "DELETE", table, body=sent)
    given = (200, sorted(row["$id"] for row in body[world.words.rows])) if status == 200 else (status, body)
    world.same(expected, given, table, caller, sent)
    look_again(world, changed)


def wrote(
    world: World,
    table: Table,
    caller: Caller,
    asked: Any,
    row: Row | None,
    expected: Any,
    status: int,
    body: Any,
) -> None:
    """Compare a row that was to be changed, or made if there was none, and keep it as it is now."""
    if status not in (200, 201) or isinstance(expected, tuple):
        world.same(expected, (status, body), table, caller, asked)
        return
    expected["$updatedAt"] = body["$updatedAt"]
    if row is None:
        expected |= {"$sequence": int(body["$sequence"]), "$createdAt": body["$createdAt"]}
    world.same(world.seen(caller, table, expected), body, table, caller, asked)
    if world.rolled_back:
        return
    if row is None:
        table.rows.append(row := {})
    row.update(expected)
    if world.committed:
        now = world.ask(world.callers[-1], "GET", table, f"/{row['$id']}")[1]
        row |= {"$updatedAt": now["$updatedAt"], "$sequence": int(now["$sequence"])}
        world.same(world.seen(world.callers[-1], table, row), now, table, caller, asked)
        table.rows.sort(key=lambda each: each["$sequence"])


def wrote_in_bulk(world: World, table: Table, caller: Caller, asked: Any, expected: Row, given: Row) -> None:
    world.committed = world.rolled_back = False
    wrote(world, table, caller, asked, table.row(expected["$id"]), expected, 200, given)


def look_again(world: World, changed: list[tuple[Table, Row]]) -> None:
    """Take over when rows were changed that were tied to others which are gone."""
    for table, row in changed:
        now = world.ask(world.callers[-1], "GET", table, f"/{row['$id']}")[1]["$updatedAt"]
        assert now >= row["$updatedAt"]
        row["$updatedAt"] = now


def of_bulk(world: World, table: Table) -> list[Query]:
    """Queries that say which rows a bulk change means."""
    asked = [by.a_filter(world.chance, world.ways(table), depth=1) for _ in range(world.chance.randint(1, 2))]
    if world.chance.random() < 0.4:
        asked.append({"method": "orderDesc", "attribute": world.chance.choice(by.SCALARS)})
        asked.append({"method": "limit", "values": [world.chance.choice((1, 3))]})
    return asked


def fitting(world: World, table: Table, queries: list[Query]) -> list[Row]:
    limited = [] if queries[-1]["method"] == "limit" else [{"method": "limit", "values": [5000]}]
    return table.find(world.callers[-1], [*queries, *limited])[1]
