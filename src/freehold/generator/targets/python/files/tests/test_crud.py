"""Create, read, change and delete, with everything that has to be refused on the way."""

from __future__ import annotations

from typing import Any

import pytest

from .world import World, hidden, unknown_id, writable
from .resources import BY_NAME, RESOURCES, Resource

EVERY = pytest.mark.parametrize("resource", RESOURCES, ids=str)


@EVERY
def test_what_is_created_can_be_read_back(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:create", tenant)
    body = world.body(resource, tenant, writer.role)
    created = writer.post(resource.path, json=body)

    assert created.status_code == 201, created.text
    shown = created.json()
    assert all(shown.get(name, value) == value for name, value in body.items())
    assert created.headers["Location"] == f"{resource.path}/{shown['id']}"
    assert created.headers["X-Request-Id"]
    if resource.versioned:
        assert created.headers["ETag"] == '"1"'
    reader = world.able(f"{resource.name}:read", shown["id"] if resource.tenant == "self" else tenant)
    read = reader.get(created.headers["Location"])
    assert read.status_code == 200
    if not hidden(resource, reader.role) | hidden(resource, writer.role):
        assert read.json() == shown


@EVERY
def test_a_change_shows_and_counts_as_a_version(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:update", tenant)
    row = world.row(resource, tenant) if resource.tenant != "self" else {"id": str(tenant)}
    change = dict(list(writable(resource, writer.role).items())[:1])
    changed = writer.patch(f"{resource.path}/{row['id']}", json=change)

    assert changed.status_code == 200, changed.text
    assert all(changed.json().get(name, value) == value for name, value in change.items())
    if resource.versioned:
        assert changed.json()["version"] == 2
        assert changed.headers["ETag"] == '"2"'


@EVERY
def test_what_is_deleted_is_gone(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    eraser = world.able(f"{resource.name}:delete", tenant)
    reader = world.able(f"{resource.name}:read", tenant)
    row = world.row(resource, tenant) if resource.tenant != "self" else {"id": str(tenant)}
    gone = eraser.delete(f"{resource.path}/{row['id']}")

    assert gone.status_code == 204, gone.text
    assert reader.get(f"{resource.path}/{row['id']}").status_code == 404
    assert row["id"] not in [each["id"] for each in reader.get(resource.path).json()["data"]]
    assert eraser.delete(f"{resource.path}/{row['id']}").status_code == 404


@pytest.mark.parametrize("resource", [each for each in RESOURCES if each.soft_delete], ids=str)
def test_what_was_deleted_softly_can_be_restored(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    eraser = world.able(f"{resource.name}:delete", tenant)
    row = world.row(resource, tenant)
    path = f"{resource.path}/{row['id']}"
    assert eraser.delete(path).status_code == 204
    listed = eraser.get(resource.path, params={"deleted": "only", "id.in": row["id"]}).json()["data"]
    restored = eraser.post(f"{path}/restore")

    assert [each["id"] for each in listed] == [row["id"]]
    assert restored.status_code == 200, restored.text
    assert restored.json()["deleted_at"] is None
    assert eraser.get(path).status_code == 200
    assert eraser.post(f"{path}/restore").status_code == 404


@EVERY
def test_a_body_with_an_unknown_key_is_refused(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:create", tenant)
    body = world.body(resource, tenant, writer.role)

    for key in ("tenant_id", "id", "version", "created_at", "__proto__", "no such/key"):
        refused = writer.post(resource.path, json=body | {key: "x"})
        assert refused.status_code == 422
        pointer = "/" + key.replace("/", "~1")
        assert {"pointer": pointer, "code": "unknown_field"}.items() <= refused.json()["errors"][0].items()


@EVERY
def test_each_required_field_is_asked_for(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:create", tenant)
    refused = writer.post(resource.path, json={})
    required = [error["pointer"] for error in refused.json().get("errors", ())]

    for name in resource.required:
        assert f"/{name}" in required
    assert refused.status_code in (201, 422)


@EVERY
def test_values_of_the_wrong_type_are_refused(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:create", tenant)
    body = world.body(resource, tenant, writer.role)

    for name, value in body.items():
        wrong: list[Any] = [{"$ne": None}, [["a"]], "\0", 2**70, True if not isinstance(value, bool) else "yes"]
        for each in wrong:
            if isinstance(value, (dict, list)) and isinstance(each, (dict, list)):
                continue
            if isinstance(value, float) and each == 2**70:
                continue
            refused = writer.post(resource.path, json=body | {name: each})
            assert refused.status_code == 422, (name, each, refused.text)
            assert refused.json()["errors"][0]["pointer"].startswith(f"/{name}")


@EVERY
def test_syntax_is_refused_before_content(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:create", tenant)
    headers = {"Content-Type": "application/json"}
    broken = writer.post(resource.path, content=b'{"name": ', headers=headers)
    deep = writer.post(resource.path, content=b"[" * 100_000, headers=headers)
    form = writer.post(resource.path, data={"name": "x"})
    large = writer.post(resource.path, content=b'"' + b"x" * 2_000_000 + b'"', headers=headers)

    assert (broken.status_code, broken.json()["code"]) == (400, "malformed_json")
    assert deep.status_code == 400
    assert (form.status_code, form.json()["code"]) == (415, "unsupported_media_type")
    assert (large.status_code, large.json()["code"]) == (413, "content_too_large")


@EVERY
def test_ids_that_are_not_there_are_not_found(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    path = f"{resource.path}/{unknown_id(resource)}"

    assert world.able(f"{resource.name}:read", tenant).get(path).status_code == 404
    bad = {"uuid": "x", "serial": str(2**80), "text": "%00"}[resource.id_kind]
    refused = world.able(f"{resource.name}:read", tenant).get(f"{resource.path}/{bad}")
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, "id")


@EVERY
def test_a_reference_to_nothing_is_refused(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    writer = world.able(f"{resource.name}:create", tenant)
    body = world.body(resource, tenant, writer.role)

    for name, target in resource.references.items():
        refused = writer.post(resource.path, json=body | {name: unknown_id(BY_NAME[target])})
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_reference")
        assert refused.json()["errors"][0]["pointer"] == f"/{name}"
