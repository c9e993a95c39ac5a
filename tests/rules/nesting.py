"""Calls that change rows of several tables: rows with those that they are related to, and transactions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.rules import chance as by
from tests.rules.model import Caller, Refused, Relation, Row, Table
from tests.rules.wire import in_url
from tests.rules.world import World
from tests.rules.writing import Writing, Written

_RELATIONS_AT = ((1, 1, 1, 2, 4), (0, 1, 1, 2), (0, 0, 1), (0, 0, 0, 1))
"""How many relationships are named by a row that is written, by how deep it stands in others."""


def write_nested(world: World, table: Table, caller: Caller) -> None:
    """Write a row with those that it is related to."""
    method, path, sent, act = nested(world, table, caller)
    before = world.state()
    expected = world.attempt(act)
    answer = world.write(caller, method, table, path, sent)
    world.same_outcome(expected, answer, table, caller, (method, path, sent))
    if world.rolled_back:
        world.restore(before)
    world.compare_all(caller, (table.id, method, path, sent))


def do_several(world: World, table: Table, caller: Caller) -> None:
    """Change rows of several tables in a transaction, look at what is staged, and end it."""
    if not caller.user_id and not caller.privileged:
        return
    connection = world.connections[caller.name]
    _, transaction = connection.ask("POST", "/tablesdb/transactions", {})
    within = {"transactionId": transaction["$id"]}
    before = world.state()
    told: list[Any] = []
    for _ in range(world.chance.randint(1, 5)):
        table = world.chance.choice(world.tables)
        method, path, sent, act = nested(world, table, caller)
        if world.chance.random() < 0.3:
            row_id = world.own_row(table, caller, "delete")
            method, path, sent, act = "DELETE", f"/{row_id}", {}, deletion(table, caller, row_id)
        told.append((table.id, method, path, sent))
        expected = world.attempt(act)
        answer = world.change(caller, method, table, path, sent | within)
        world.same_outcome(expected, answer, table, caller, told)
        list_staged(world, world.chance.choice(world.tables), caller, transaction["$id"], told)
    end = world.chance.choice(("commit", "commit", "rollback"))
    status, ended = connection.ask("PATCH", f"/tablesdb/transactions/{transaction['$id']}", {end: True})
    assert status == 200, (world.seed, world.steps, told, ended)
    if end == "rollback":
        world.restore(before)
    world.compare_all(caller, (end, told))


def nested(world: World, table: Table, caller: Caller) -> tuple[str, str, dict[str, Any], Callable[[], None]]:
    """A change with rows inside rows: how it is asked for, and how the model does it."""
    writing = Writing(caller)
    if caller.privileged and not world.through_graphql and world.chance.random() < 0.4:
        return nested_in_bulk(world, table, caller, writing)
    row_id = f"n{world.steps}" if world.chance.random() < 0.4 else world.own_row(table, caller, "update")
    data = nested_data(world, table, caller, depth=0)
    permissions = by.permissions(world.chance, world.grantable(caller))
    sent: dict[str, Any] = {"data": data, "permissions": permissions}
    row = Written(row_id, data, permissions)
    if world.chance.random() < 0.2:
        return "PUT", f"/{row_id}", sent, lambda: writing.upsert(table, row)
    if table.row(row_id) is None:
        sent[world.words.row_id] = row_id
        return "POST", "", sent, lambda: writing.create(table, row)
    return "PATCH", f"/{row_id}", sent, lambda: writing.update(table, row)


def nested_in_bulk(
    world: World, table: Table, caller: Caller, writing: Writing
) -> tuple[str, str, dict[str, Any], Callable[[], None]]:
    """The same of several rows at once."""
    method, sent, rows = world.chance.choice(("POST", "PUT")), [], []
    for _ in range(world.chance.randint(1, 4)):
        world.nested_rows += 1
        row_id = f"n{world.steps}.{world.nested_rows}"
        if method == "PUT" and world.chance.random() < 0.7:
            row_id = world.own_row(table, caller, "update")
        if row_id in [row.row_id for row in rows]:
            continue
        data = nested_data(world, table, caller, depth=0)
        permissions = by.permissions(world.chance, world.grantable(caller))
        sent.append(data | {"$id": row_id} | ({} if permissions is None else {"$permissions": permissions}))
        rows.append(Written(row_id, data, permissions))
    act = writing.create if method == "POST" else writing.upsert
    return method, "", {world.words.rows: sent}, lambda: act(table, *rows)


def nested_data(world: World, table: Table, caller: Caller, depth: int, but: str = "") -> dict[str, Any]:
    """Values of a row, with others in it that have values themselves; `but` leads back to where it is."""
    data = by.nested_values(world.chance)
    keys = [key for key in table.relations if key != but]
    for key in world.chance.sample(keys, min(len(keys), world.chance.choice(_RELATIONS_AT[depth]))):
        relation = table.relations[key]
        if not relation.to_many:
            data[key] = world.chance.choice([None, nested_item(world, relation, caller, depth)])
            continue
        items = [
            nested_item(world, relation, caller, depth) for _ in range(world.chance.choice((0, 1, 1, 3)))
        ]
        named = {item if isinstance(item, str) else item["$id"]: item for item in items}
        data[key] = list(named.values())
    return data


def nested_item(world: World, relation: Relation, caller: Caller, depth: int) -> Any:
    """A related row: its id, or itself."""
    row_id = world.own_row(relation.table, caller, world.chance.choice(("read", "update")))
    if world.chance.random() < 0.5:
        return row_id
    world.nested_rows += 1
    if world.chance.random() < 0.6:
        row_id = f"n{world.steps}.{world.nested_rows}"
    item: dict[str, Any] = {"$id": row_id}
    if world.chance.random() < 0.2:
        item["$permissions"] = by.permissions(world.chance, world.grantable(caller)) or []
    if depth < 4 and world.chance.random() < 0.8:
        item |= nested_data(world, relation.table, caller, min(depth + 1, 3), relation.back)
    return item


def deletion(table: Table, caller: Caller, row_id: str) -> Callable[[], None]:
    """How the model deletes a row."""

    def delete() -> None:
        table.delete(table.changeable(caller, "delete", row_id)[0])

    return delete


def list_staged(world: World, table: Table, caller: Caller, transaction: str, told: Any) -> None:
    """What the caller sees within the transaction: when it was made or changed is not told yet."""
    queries = [{"method": "orderAsc", "attribute": "$id"}, {"method": "limit", "values": [100]}]
    try:
        total, rows = table.find(caller, queries)
        expected: Any = (200, total, [_without_moments(world.seen(caller, table, row)) for row in rows])
    except Refused as refused:
        expected = refused.answer
    status, body = world.ask(caller, "GET", table, f"?{in_url(queries)}&transactionId={transaction}")
    given: Any = (status, body)
    if status == 200:
        given = (200, body["total"], [_without_moments(row) for row in body[world.words.rows]])
    world.same(expected, given, table, caller, told)


def _without_moments(row: Row) -> Row:
    return {key: each for key, each in row.items() if key not in ("$sequence", "$createdAt", "$updatedAt")}
