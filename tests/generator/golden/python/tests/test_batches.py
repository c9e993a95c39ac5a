"""Many rows in one request: all of them or none, and every refusal points at its item."""

from __future__ import annotations

from typing import Any

import pytest

from .resources import BY_NAME, RESOURCES, Resource
from .world import World, unknown_id, writable

MANY = [each for each in RESOURCES if each.tenant != "self"]
EVERY = pytest.mark.parametrize("resource", MANY, ids=str)
SCOPED = pytest.mark.parametrize("resource", [each for each in MANY if each.tenant == "scoped"], ids=str)
NATURAL = pytest.mark.parametrize("resource", [each for each in MANY if each.natural_key], ids=str)


def count(world: World, resource: Resource) -> int:
    return int(world.sql(f"select count(*) as count from {resource.table}")[0]["count"])


@EVERY
def test_many_rows_are_made_in_the_order_of_the_items(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able_to_all([f"{resource.name}:create", f"{resource.name}:read"], tenant)
    items = [world.body(resource, tenant, writer.role) for _ in range(3)]
    made = writer.post(f"{resource.path}/batch", json={"items": items})

    assert made.status_code == 201, made.text
    rows = made.json()["data"]
    assert len(rows) == 3
    for item, row in zip(items, rows, strict=True):
        assert all(row.get(name, value) == value for name, value in item.items())
        assert writer.get(f"{resource.path}/{row['id']}").status_code == 200


@EVERY
def test_one_wrong_item_keeps_all_from_being_made(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:create", tenant)
    items = [world.body(resource, tenant, writer.role) for _ in range(3)]
    before = count(world, resource)
    unknown = writer.post(f"{resource.path}/batch", json={"items": [*items[:2], items[2] | {"no_such": 1}]})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/items/2/no_such")

    for name, target in resource.references.items():
        wrong = items[1] | {name: unknown_id(BY_NAME[target])}
        refused = writer.post(f"{resource.path}/batch", json={"items": [items[0], wrong, items[2]]})
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_reference")
        assert refused.json()["errors"][0]["pointer"] == f"/items/1/{name}"
    assert count(world, resource) == before
    wrong_items: list[Any] = [[], [{}] * 501, "x"]
    for items in wrong_items:
        assert writer.post(f"{resource.path}/batch", json={"items": items}).status_code == 422


@EVERY
def test_many_rows_are_changed(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:update", tenant)
    ids = [world.row(resource, tenant)["id"] for _ in range(3)]
    items = [{"id": id} | dict(list(writable(resource, writer.role).items())[:1]) for id in ids]
    changed = writer.post(f"{resource.path}/batch-update", json={"items": items})
    missing = writer.post(f"{resource.path}/batch-update", json={"items": [items[0], {"id": unknown_id(resource)}]})

    assert changed.status_code == 200, changed.text
    assert [row["id"] for row in changed.json()["data"]] == ids
    assert (missing.status_code, missing.json()["errors"][0]["pointer"]) == (404, "/items/1")
    if resource.versioned:
        assert [row["version"] for row in changed.json()["data"]] == [2, 2, 2]
        stale = [items[0] | {"version": 2}, items[1] | {"version": 1}]
        refused = writer.post(f"{resource.path}/batch-update", json={"items": stale})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (412, "/items/1")
        versions = f"select {resource.columns['version']} as version from {resource.table} where {resource.columns['id']}::text = $1"
        assert world.sql(versions, str(ids[0]))[0]["version"] == 2


@EVERY
def test_many_rows_are_deleted(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    eraser = world.able_to_all([f"{resource.name}:delete", f"{resource.name}:read"], tenant)
    ids = [world.row(resource, tenant)["id"] for _ in range(3)]
    refused = eraser.post(f"{resource.path}/batch-delete", json={"ids": [*ids, unknown_id(resource)]})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (404, "/ids/3")
    assert eraser.get(f"{resource.path}/{ids[0]}").status_code == 200

    assert eraser.post(f"{resource.path}/batch-delete", json={"ids": ids}).status_code == 204
    assert {eraser.get(f"{resource.path}/{id}").status_code for id in ids} == {404}


@SCOPED
def test_a_row_of_another_tenant_in_a_batch_stops_it(world: World, resource: Resource) -> None:
    ours, theirs = world.tenant(), world.tenant()
    own, foreign = world.row(resource, ours)["id"], world.row(resource, theirs)["id"]
    table = (
        f"select to_jsonb(t.*) as row from {resource.table} t where {resource.columns['id']}::text = any($1) order by 1"
    )
    before = [row["row"] for row in world.sql(table, [str(own), str(foreign)])]

    changer = world.able(f"{resource.name}:update", ours)
    changed = changer.post(f"{resource.path}/batch-update", json={"items": [{"id": own}, {"id": foreign}]})
    eraser = world.able(f"{resource.name}:delete", ours)
    deleted = eraser.post(f"{resource.path}/batch-delete", json={"ids": [own, foreign]})

    assert (changed.status_code, deleted.status_code) == (404, 404)
    assert [row["row"] for row in world.sql(table, [str(own), str(foreign)])] == before


@NATURAL
def test_a_row_with_the_natural_key_is_changed_or_left(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able_to_all([f"{resource.name}:{action}" for action in ("create", "update", "read")], tenant)
    first, second, third = (world.body(resource, tenant, writer.role) for _ in range(3))
    key = resource.natural_key
    (made,) = writer.post(f"{resource.path}/batch", json={"items": [first]}).json()["data"]
    again = second | {key: first[key]}
    path = f"{resource.path}/batch"

    for conflict in ({}, {"on_conflict": "error"}):
        refused = writer.post(path, json={"items": [third, again], **conflict})
        assert (refused.status_code, refused.json()["code"]) == (409, "unique_violation")
        assert f"/items/1/{key}" in [error["pointer"] for error in refused.json()["errors"]]
    left = writer.post(path, json={"items": [again], "on_conflict": "ignore"})
    assert (left.status_code, left.json()["data"]) == (201, [made])
    changed = writer.post(path, json={"items": [again, third], "on_conflict": "update"})
    assert changed.status_code == 201, changed.text
    rows = changed.json()["data"]
    assert (rows[0]["id"], rows[1][key]) == (made["id"], third[key])
    assert all(rows[0].get(name, value) == value for name, value in again.items())


@pytest.mark.parametrize(
    "resource",
    [each for each in MANY if each.natural_key and not each.natural_key_global and each.tenant == "scoped"],
    ids=str,
)
def test_a_natural_key_of_another_tenant_is_another_row(world: World, resource: Resource) -> None:
    theirs, ours = sorted((world.tenant() for _ in range(2)), key=str)  # theirs comes first in every index
    key = resource.natural_key
    foreign = world.row(resource, theirs)
    writer = world.able_to_all([f"{resource.name}:create", f"{resource.name}:update"], ours)
    body = world.body(resource, ours, writer.role) | {key: foreign[key]}
    made, again = (
        writer.post(f"{resource.path}/batch", json={"items": [body], "on_conflict": "update"}) for _ in range(2)
    )

    assert (made.status_code, again.status_code) == (201, 201), made.text + again.text
    assert made.json()["data"][0]["id"] == again.json()["data"][0]["id"] != foreign["id"]


@pytest.mark.parametrize("resource", [each for each in MANY if each.natural_key_global], ids=str)
def test_a_global_natural_key_of_another_tenant_is_taken(world: World, resource: Resource) -> None:
    theirs, ours = world.tenant(), world.tenant()
    key = resource.natural_key
    foreign = world.row(resource, theirs)
    table = f"select to_jsonb(t.*) as row from {resource.table} t"
    before = world.sql(table)
    writer = world.able_to_all([f"{resource.name}:create", f"{resource.name}:update"], ours)
    body = world.body(resource, ours, writer.role) | {key: foreign[key]}

    for choice in ("error", "ignore", "update"):
        refused = writer.post(f"{resource.path}/batch", json={"items": [body], "on_conflict": choice})
        assert (refused.status_code, refused.json()["code"]) == (409, "unique_violation")
        assert refused.json()["errors"][0]["pointer"] == f"/items/0/{key}"
    assert world.sql(table) == before


@pytest.mark.parametrize(
    "resource", [each for each in MANY if not (each.natural_key or each.natural_key_scarce)], ids=str
)
def test_what_has_no_natural_key_has_no_conflicts_to_decide(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:create", tenant)
    body: dict[str, Any] = {"items": [world.body(resource, tenant, writer.role)], "on_conflict": "update"}
    refused = writer.post(f"{resource.path}/batch", json=body)

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/on_conflict")
