"""Filters, order and pages."""

from __future__ import annotations

from typing import Any

import pytest

from .resources import RESOURCES, ROLES, Resource
from .world import Caller, World, grants_of, hidden, roles_of

EVERY = pytest.mark.parametrize("resource", RESOURCES, ids=str)
MANY = pytest.mark.parametrize("resource", [each for each in RESOURCES if each.tenant == "scoped"], ids=str)


def pages(reader: Caller, path: str, **parameters: Any) -> list[dict[str, Any]]:
    """All rows of a list, by following its cursors."""
    rows: list[dict[str, Any]] = []
    cursor = None
    for _ in range(50):
        answer = reader.get(path, params=parameters | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        rows += answer.json()["data"]
        cursor = answer.json()["page"]["next_cursor"]
        assert ("Link" in answer.headers) == (cursor is not None)
        if cursor is None:
            return rows
    raise AssertionError("the pages do not end")


@MANY
def test_pages_hold_every_row_once_even_when_all_were_made_in_the_same_millisecond(
    world: World, resource: Resource
) -> None:
    tenant = world.tenant()
    reader = world.able(f"{resource.name}:read", tenant)
    ids = [world.row(resource, tenant)["id"] for _ in range(7)]
    if "created_at" in resource.columns:
        world.sql(f"update {resource.table} set created_at = '2026-01-01' where tenant_id::text = $1", str(tenant))

    for sort in resource.sorts:
        if sort.removeprefix("-") in hidden(resource, reader.role):
            assert reader.get(resource.path, params={"sort": sort}).status_code == 400
            continue
        found = [row["id"] for row in pages(reader, resource.path, sort=sort, limit=3)]
        assert set(ids) <= set(found)
        assert len(found) == len(set(found))
        backwards = [row["id"] for row in pages(reader, resource.path, sort=sort, limit=100)]
        assert found == backwards


@MANY
def test_the_total_is_counted_on_request(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    reader = world.able(f"{resource.name}:read", tenant)
    for _ in range(3):
        world.row(resource, tenant)
    everything = pages(reader, resource.path)
    page = reader.get(resource.path, params={"count": "exact", "limit": 1}).json()["page"]

    assert page["total"] == len(everything) >= 3
    assert "total" not in reader.get(resource.path).json()["page"]


@EVERY
def test_every_filter_takes_a_value_and_narrows(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    reader = world.able(f"{resource.name}:read", tenant)
    everything = {row["id"] for row in pages(reader, resource.path, limit=100)}
    readable = resource.readable_by

    for parameter, value in resource.filters.items():
        answer = reader.get(resource.path, params={parameter: value, "limit": 100})
        if not readable.get(parameter.partition(".")[0], roles_of(reader.role)) & roles_of(reader.role):
            assert answer.status_code == 400  # a filter on a hidden field would tell what is in it
            continue
        assert answer.status_code == 200, (parameter, answer.text)
        assert {row["id"] for row in answer.json()["data"]} <= everything


@EVERY
def test_an_id_filter_finds_its_row(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    reader = world.able(f"{resource.name}:read", tenant)
    row = {"id": str(tenant)} if resource.tenant == "self" else world.row(resource, tenant)
    found = reader.get(resource.path, params={"id.in": row["id"]}).json()["data"]

    assert [each["id"] for each in found] == [row["id"]]


@EVERY
def test_wrong_parameters_are_refused_by_name(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    reader = world.able(f"{resource.name}:read", tenant)
    refusals = {
        "statsu=active": ("statsu", "unknown_parameter"),
        "limit=0": ("limit", "invalid_parameter"),
        "limit=101": ("limit", "invalid_parameter"),
        "limit=2&limit=5": ("limit", "invalid_parameter"),
        "sort=no_such_field": ("sort", "invalid_parameter"),
        "cursor=x": ("cursor", "invalid_parameter"),
        "offset=0&cursor=x": ("offset", "invalid_parameter"),
        "id.in=%00": ("id.in", "invalid_parameter"),
    }

    for query, (parameter, code) in refusals.items():
        if resource.id_kind == "text" and query.startswith("id.in"):
            continue
        refused = reader.get(f"{resource.path}?{query}")
        assert refused.status_code == 400, (query, refused.text)
        error = refused.json()["errors"][0]
        assert (error["parameter"], error["code"]) == (parameter, code)


@MANY
def test_a_cursor_is_only_good_for_its_own_list(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    reader = world.able(f"{resource.name}:read", tenant)
    for _ in range(3):
        world.row(resource, tenant)
    cursor = reader.get(resource.path, params={"limit": 1}).json()["page"]["next_cursor"]
    refused = reader.get(resource.path, params={"limit": 1, "cursor": cursor, "sort": "-id"})

    assert (refused.status_code, refused.json()["code"]) == (400, "cursor_mismatch")


@pytest.mark.parametrize("resource", [each for each in RESOURCES if each.words and each.tenant == "scoped"], ids=str)
def test_words_are_found_within_the_tenant(world: World, resource: Resource) -> None:
    ours, theirs = world.tenant(), world.tenant()
    roles = [role for role in (*ROLES, "service") if () in grants_of(role, f"{resource.name}:read")]
    seeing = [role for role in roles if not hidden(resource, role) & set(resource.search)]
    if not seeing:
        pytest.skip("nobody reads every row and every field with words")
    reader = world.caller(seeing[0], ours)
    brass, iron = (world.row(resource, ours, **{resource.words: f"{word} gate"})["id"] for word in ("brass", "iron"))
    world.row(resource, theirs, **{resource.words: "brass gate"})

    def found(text: str) -> list[Any]:
        return [row["id"] for row in reader.get(resource.path, params={"q": text}).json()["data"]]

    assert found("BRASS") == [brass]
    assert set(found("gate")) == {brass, iron}
    assert found("gate -brass") == [iron]
    assert found("silver") == []
    assert found("' | !&(:*") == []
    assert reader.get(resource.path, params={"q": ""}).status_code == 400
    assert reader.get(resource.path, params={"q": "x" * 201}).status_code == 400


@pytest.mark.parametrize("resource", [each for each in RESOURCES if not each.search], ids=str)
def test_what_has_no_words_cannot_be_searched(world: World, resource: Resource) -> None:
    refused = world.able(f"{resource.name}:read", world.tenant()).get(resource.path, params={"q": "x"})

    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_parameter")
