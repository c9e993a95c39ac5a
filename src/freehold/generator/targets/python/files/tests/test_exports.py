"""Lists as CSV: every row, nothing hidden, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from .resources import RESOURCES, Resource
from .world import Response, World, hidden, roles_of

CSV = {"Accept": "text/csv"}
EVERY = pytest.mark.parametrize("resource", RESOURCES, ids=str)
SCOPED = pytest.mark.parametrize("resource", [each for each in RESOURCES if each.tenant == "scoped"], ids=str)


def table(answer: Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


@EVERY
def test_a_list_as_csv_has_the_rows_and_fields_of_the_list(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    reader = world.able(f"{resource.name}:read", tenant)
    if resource.tenant == "scoped":
        for _ in range(3):
            world.row(resource, tenant)
    listed = reader.get(resource.path, params={"limit": 100, "sort": "id"}).json()["data"]
    rows = table(reader.get(resource.path, params={"sort": "id"}, headers=CSV))

    assert [row["id"] for row in rows][: len(listed)] == [str(row["id"]) for row in listed]
    for row, shown in zip(rows, listed, strict=False):
        assert set(row) == set(shown)
        assert not set(row) & hidden(resource, reader.role)
        texts = {name: value for name, value in shown.items() if isinstance(value, str) and value[:1] not in "=+-@"}
        assert {name: row[name] for name in texts} == texts


@SCOPED
def test_a_csv_keeps_to_the_filters_and_the_tenant(world: World, resource: Resource) -> None:
    ours, theirs = world.tenant(), world.tenant()
    reader = world.able(f"{resource.name}:read", ours)
    first, second = (world.row(resource, ours)["id"] for _ in range(2))
    foreign = world.row(resource, theirs)["id"]
    everything = [row["id"] for row in table(reader.get(resource.path, headers=CSV))]
    one = [row["id"] for row in table(reader.get(resource.path, params={"id.in": first}, headers=CSV))]

    assert {str(first), str(second)} <= set(everything)
    assert str(foreign) not in everything
    assert one == [str(first)]
    for name, value in (("limit", 1), ("cursor", "x"), ("offset", 0), ("count", "exact"), ("include", "x")):
        refused = reader.get(resource.path, params={name: value}, headers=CSV)
        assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, name)


FREE = [
    pytest.param(resource, name, id=f"{resource}-{name}")
    for resource in RESOURCES
    for name, recipe in resource.recipes.items()
    if resource.tenant == "scoped" and recipe.get("text", 0) >= 20 and set(recipe) == {"text"}
]


@pytest.mark.parametrize("resource,name", FREE)
def test_a_cell_is_never_a_formula(world: World, resource: Resource, name: str) -> None:
    tenant = world.tenant()
    reader = world.able(f"{resource.name}:read", tenant)
    held = roles_of(reader.role)
    if not resource.readable_by.get(name, held) & held:
        pytest.skip("the role does not see the field")
    texts = ["=1+1", "+1", "-1", "@x", "\tx", 'a "quoted", b\nc', "plain"]
    ids = [world.row(resource, tenant, **{name: text})["id"] for text in texts]
    rows = {row["id"]: row for row in table(reader.get(resource.path, headers=CSV))}
    if name not in next(iter(rows.values())):
        pytest.skip("the field is not in lists")

    shown = [rows[str(id)][name] for id in ids]
    assert shown == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", 'a "quoted", b\nc', "plain"]
