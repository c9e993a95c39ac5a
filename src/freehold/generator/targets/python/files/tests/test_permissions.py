"""Every role, resource, action and kind of row: the answer is the one that app/permissions.py gives."""

from __future__ import annotations

from typing import Any

import pytest

from .world import World, grants_of, role_with, roles_of
from .resources import PERMISSIONS, RESOURCES, ROLES, Resource

EVERY_ROLE = ("public", "authenticated", *ROLES, "service")
MATRIX = [
    pytest.param(role, resource, id=f"{role}-{resource}")
    for role in EVERY_ROLE
    for resource in RESOURCES
    if not (role == "public" and resource.tenant != "none")
]
WRITERS = [
    pytest.param(role, resource, id=f"{role}-{resource}")
    for role in EVERY_ROLE
    for resource in RESOURCES
    if not (role == "public" and resource.tenant != "none") and not resource.read_only
]
METHODS = {"read": "GET", "update": "PATCH", "delete": "DELETE"}


def methods_of(resource: Resource) -> dict[str, str]:
    """Action to method of what can be done to one row."""
    return {"read": "GET"} if resource.read_only else METHODS


def attempt(world: World, role: str, resource: Resource, action: str, row: dict[str, Any], tenant: Any, user: Any) -> int:
    caller = world.caller(role, tenant, user)
    options: dict[str, Any] = {"json": {}} if action == "update" else {}
    return int(caller.request(METHODS[action], f"{resource.path}/{row['id']}", **options).status_code)


def refusal(role: str, resource: Resource, action: str) -> set[int]:
    """What the caller gets for a row that is not in its reach."""
    if not grants_of(role, f"{resource.name}:{action}"):
        return {401 if role == "public" else 403}
    readable = () in grants_of(role, f"{resource.name}:read")
    return {403} if readable else {403, 404}


@pytest.mark.parametrize("role,resource", MATRIX)
def test_a_role_reaches_the_rows_it_should_and_no_others(world: World, role: str, resource: Resource) -> None:
    tenant = world.tenant()
    user = world.user(resource, tenant)

    for action, method in methods_of(resource).items():
        row = {"id": str(tenant)} if resource.tenant == "self" else world.row(resource, tenant)
        grants = grants_of(role, f"{resource.name}:{action}")
        status = attempt(world, role, resource, action, row, tenant, user)
        if any(world.reaches(resource, grant, row, tenant, user) for grant in grants):
            assert status in (200, 204), (action, method)
        elif resource.tenant != "self":
            assert status in refusal(role, resource, action), (action, method)
        for grant in grants:
            values = world.satisfy(resource, grant, tenant, user)
            if grant and values is not None and resource.tenant == "scoped":
                own = world.row(resource, tenant, **values)
                assert attempt(world, role, resource, action, own, tenant, user) in (200, 204), (action, values)


@pytest.mark.parametrize("resource", [each for each in RESOURCES if each.soft_delete], ids=str)
def test_deleted_rows_are_only_shown_to_those_who_could_have_deleted_them(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    user = world.user(resource, tenant)
    row = world.row(resource, tenant, deleted_at="2026-01-01T00:00:00.000Z")

    for role in EVERY_ROLE[1:]:
        grants = grants_of(role, f"{resource.name}:read_deleted")
        readable = any(
            world.reaches(resource, grant, row, tenant, user) for grant in grants_of(role, f"{resource.name}:read")
        )
        shown = readable and any(world.reaches(resource, grant, row, tenant, user) for grant in grants)
        for choice in ("include", "only"):
            answer = world.caller(role, tenant, user).get(resource.path, params={"deleted": choice})
            if not grants or not grants_of(role, f"{resource.name}:read"):
                assert answer.status_code == 403
            else:
                assert (row["id"] in [each["id"] for each in answer.json()["data"]]) == shown, (role, choice)


@pytest.mark.parametrize("role,resource", WRITERS)
def test_a_role_creates_what_it_may(world: World, role: str, resource: Resource) -> None:
    tenant = world.tenant()
    user = world.user(resource, tenant)
    grants = grants_of(role, f"{resource.name}:create")
    body = world.body(resource, tenant, role, user)
    body |= next((world.satisfy(resource, grant, tenant, user) or {} for grant in grants), {})
    answer = world.caller(role, tenant, user).post(resource.path, json=body)

    if grants:
        assert answer.status_code == 201, answer.text
    else:
        assert answer.status_code == (401 if role == "public" else 403)


@pytest.mark.parametrize("resource", [each for each in RESOURCES if each.readable_by], ids=str)
def test_a_hidden_field_is_not_shown(world: World, resource: Resource) -> None:
    for role in EVERY_ROLE:
        if () not in grants_of(role, f"{resource.name}:read"):
            continue
        tenant = world.tenant()
        row = {"id": str(tenant)} if resource.tenant == "self" else world.row(resource, tenant)
        shown = world.caller(role, tenant).get(f"{resource.path}/{row['id']}").json()
        for name, readers in resource.readable_by.items():
            assert (name in shown) == bool(readers & roles_of(role))


@pytest.mark.parametrize("resource", [each for each in RESOURCES if each.writable_by], ids=str)
def test_a_field_that_the_role_may_not_set_is_refused_by_name(world: World, resource: Resource) -> None:
    role = role_with(f"{resource.name}:update")
    if role is None:
        pytest.skip("nobody changes every row")
    tenant = world.tenant()
    row = {"id": str(tenant)} if resource.tenant == "self" else world.row(resource, tenant)
    sample = resource.sample()

    for name, writers in resource.writable_by.items():
        if name in sample and not writers & roles_of(role):
            refused = world.caller(role, tenant).patch(f"{resource.path}/{row['id']}", json={name: sample[name]})
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden_field")
            assert refused.json()["errors"][0]["pointer"] == f"/{name}"


def test_every_permission_is_about_a_resource() -> None:
    known = {resource.name for resource in RESOURCES}
    assert {name.partition(":")[0] for table in PERMISSIONS.values() for name in table} <= known
