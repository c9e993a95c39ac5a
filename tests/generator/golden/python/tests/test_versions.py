"""Two callers at once: nobody's change is lost, and nobody reads twice what has not changed."""

from __future__ import annotations

import pytest

from .resources import RESOURCES, Resource
from .world import World, writable

VERSIONED = pytest.mark.parametrize(
    "resource", [each for each in RESOURCES if each.versioned and each.tenant != "self"], ids=str
)


@VERSIONED
def test_of_two_changes_to_the_same_version_one_is_refused(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:update", tenant)
    path = f"{resource.path}/{world.row(resource, tenant)['id']}"
    body = dict(list(writable(resource, writer.role).items())[:1])
    first = writer.patch(path, json=body, headers={"If-Match": '"1"'})
    second = writer.patch(path, json=body, headers={"If-Match": '"1"'})
    weak = writer.patch(path, json=body, headers={"If-Match": 'W/"2"'})
    garbage = writer.patch(path, json=body, headers={"If-Match": "x"})

    assert first.status_code == 200, first.text
    assert (second.status_code, second.json()["code"], second.headers["ETag"]) == (412, "version_conflict", '"2"')
    assert (weak.status_code, weak.json()["version"]) == (200, 3)
    assert garbage.status_code == 412


@VERSIONED
def test_a_row_that_has_changed_is_not_deleted(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    eraser = world.able_to_all([f"{resource.name}:delete", f"{resource.name}:read"], tenant)
    path = f"{resource.path}/{world.row(resource, tenant)['id']}"
    stale = eraser.delete(path, headers={"If-Match": '"2"'})

    assert (stale.status_code, stale.json()["code"]) == (412, "version_conflict")
    assert eraser.delete(path, headers={"If-Match": '"1"'}).status_code == 204


@VERSIONED
def test_a_row_that_has_not_changed_is_not_sent_again(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    reader = world.able(f"{resource.name}:read", tenant)
    path = f"{resource.path}/{world.row(resource, tenant)['id']}"
    again = reader.get(path, headers={"If-None-Match": reader.get(path).headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")


@VERSIONED
def test_head_says_what_get_would_without_the_rows(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    reader = world.able(f"{resource.name}:read", tenant)
    path = f"{resource.path}/{world.row(resource, tenant)['id']}"
    read, asked = reader.get(path), reader.request("HEAD", path)
    listed = reader.request("HEAD", resource.path)

    assert (asked.status_code, asked.content, asked.headers["ETag"]) == (200, b"", read.headers["ETag"])
    assert (listed.status_code, listed.content) == (200, b"")
    assert reader.request("HEAD", path, headers={"If-None-Match": read.headers["ETag"]}).status_code == 304
