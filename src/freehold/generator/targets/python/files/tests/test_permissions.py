"""Every role, resource, action and kind of row: the answer is the one that app/permissions.py gives."""

from __future__ import annotations

from typing import Any

import pytest

from .world import Way, World, grants_of, lacking, role_with, roles_of, unknown_id, ways
from .resources import BY_NAME, PERMISSIONS, RESOURCES, ROLES, Grant, Resource

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
METHODS = {"read": "GET", "update": "PATCH", "delete": "DELETE", "restore": "POST"}
DELETED = {"deleted_at": "2026-01-01T00:00:00.000Z"}


def methods_of(resource: Resource) -> dict[str, str]:
    """Action to method of what can be done to one row."""
    if resource.read_only:
        return {"read": "GET"}
    can_be_restored = resource.soft_delete and resource.tenant != "self"
    return {action: method for action, method in METHODS.items() if action != "restore" or can_be_restored}


def attempt(world: World, role: str, resource: Resource, action: str, row: dict[str, Any], tenant: Any, user: Any) -> int:
    caller = world.caller(role, tenant, user)
    options: dict[str, Any] = {"json": {}} if action == "update" else {}
    path = f"{resource.path}/{row['id']}{'/restore' if action == 'restore' else ''}"
    return int(caller.request(METHODS[action], path, **options).status_code)


def refusal(role: str, resource: Resource, action: str) -> set[int]:
    """What the caller gets for a row that is not in its reach."""
    if not grants_of(role, f"{resource.name}:{action}"):
        return {401 if role == "public" else 403}
    readable = () in grants_of(role, f"{resource.name}:read")
    return {403} if readable and action != "restore" else {403, 404}


@pytest.mark.parametrize("role,resource", MATRIX)
def test_a_role_reaches_the_rows_it_should_and_no_others(world: World, role: str, resource: Resource) -> None:
    tenant = world.tenant()
    user = world.user(resource, tenant)

    for action, method in methods_of(resource).items():
        state = DELETED if action == "restore" else {}
        row = {"id": str(tenant)} if resource.tenant == "self" else world.row(resource, tenant, **state)
        grants = grants_of(role, f"{resource.name}:{action}")
        status = attempt(world, role, resource, action, row, tenant, user)
        if any(world.reaches(resource, grant, row, tenant, user) for grant in grants):
            assert status in (200, 204), (action, method)
        elif resource.tenant != "self":
            assert status in refusal(role, resource, action), (action, method)
        for grant in grants:
            values = world.satisfy(resource, grant, tenant, user)
            if grant and values is not None and resource.tenant == "scoped":
                own = world.row(resource, tenant, **values, **state)
                assert attempt(world, role, resource, action, own, tenant, user) in (200, 204), (action, values)


@pytest.mark.parametrize("resource", [each for each in RESOURCES if each.soft_delete], ids=str)
def test_deleted_rows_are_only_shown_to_those_who_could_have_deleted_them(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    user = world.user(resource, tenant)
    row = world.row(resource, tenant, **DELETED)

    for role in EVERY_ROLE[1:]:
        grants = grants_of(role, f"{resource.name}:read_deleted")
        readable = any(
            world.reaches(resource, grant, row, tenant, user) for grant in grants_of(role, f"{resource.name}:read")
        )
        shown = readable and any(world.reaches(resource, grant, row, tenant, user) for grant in grants)
        for choice in ("include", "only"):
            parameters = {"deleted": choice, "id.in": row["id"]}
            answer = world.caller(role, tenant, user).get(resource.path, params=parameters)
            if not grants or not grants_of(role, f"{resource.name}:read"):
                assert answer.status_code == 403
            else:
                assert (row["id"] in [each["id"] for each in answer.json()["data"]]) == shown, (role, choice)


@pytest.mark.parametrize(
    "resource,way,role",
    [
        pytest.param(resource, way, role, id=f"{resource} {way} without {missing}")
        for resource in RESOURCES
        for way in ways(resource)
        for missing in way.permissions
        if (role := lacking(missing, way.permissions))
    ],
)
def test_who_lacks_a_permission_is_refused_before_any_row_is_looked_at(
    world: World, resource: Resource, way: Way, role: str
) -> None:
    tenant = world.tenant()
    caller = world.caller(role, tenant, world.user(resource, tenant))
    refused = way.send(caller, resource, world.body(resource, tenant, role))

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), refused.text


@pytest.mark.parametrize("role,resource", WRITERS)
def test_a_role_creates_what_it_may(world: World, role: str, resource: Resource) -> None:
    tenant = world.tenant()
    user = world.user(resource, tenant)
    grants = grants_of(role, f"{resource.name}:create")
    body = world.body(resource, tenant, role, user)
    body |= next((world.satisfy(resource, grant, tenant, user) or {} for grant in grants), {})
    caller = world.caller(role, tenant, user)
    answer = caller.post(resource.path, json=body)

    if grants:
        assert answer.status_code == 201, answer.text
    else:
        assert answer.status_code == (401 if role == "public" else 403)
    mine = {name for name, column in resource.columns.items() if name != "id" and is_mine(column, *grants)}
    if mine and all(is_mine(resource.columns[name], grant) for grant in grants for name in mine):
        others = dict.fromkeys(mine, world.user(resource, tenant))
        for way in ways(resource):
            if f"{resource.name}:create" in way.permissions:
                refused = way.send(caller, resource, world.body(resource, tenant, role, user) | others)
                assert refused.status_code in (403, 422), refused.text


def is_mine(column: str, *grants: Grant) -> bool:
    """Whether one of the grants is about rows whose column is the caller."""
    return any("link" not in each and each["me"] and each["column"] == column for grant in grants for each in grant)


@pytest.mark.parametrize("resource", [each for each in RESOURCES if each.readable_by], ids=str)
def test_a_hidden_field_is_not_shown(world: World, resource: Resource) -> None:
    for role in EVERY_ROLE:
        if () not in grants_of(role, f"{resource.name}:read"):
            continue
        tenant = world.tenant()
        row = {"id": str(tenant)} if resource.tenant == "self" else world.row(resource, tenant)
        shown = world.caller(role, tenant).get(f"{resource.path}/{row['id']}").json()
        for name, readers in resource.readable_by.items():
            assert (name in shown) == (name in resource.columns and bool(readers & roles_of(role)))


@pytest.mark.parametrize("resource", [each for each in RESOURCES if each.writable_by], ids=str)
def test_a_field_that_the_role_may_not_set_is_refused_by_name_on_every_way(world: World, resource: Resource) -> None:
    tenant, sample = world.tenant(), resource.sample()
    links = {relation.body: name for name, relation in resource.relations.items() if relation.body}

    for name, writers in resource.writable_by.items():
        target = resource.references.get(name)
        value = [] if name in links else unknown_id(BY_NAME[target]) if target else sample.get(name)
        id, sent = unknown_id(resource), {name: value}
        tries: list[tuple[str, str, str, Any, str]] = [
            ("update", "PATCH", f"/{id}", sent, ""),
            ("update", "POST", "/batch-update", {"items": [{"id": id} | sent]}, "/items/0"),
            ("create", "POST", "", sent, ""),
            ("create", "POST", "/batch", {"items": [sent]}, "/items/0"),
        ]
        if name in links:
            relation, other = links[name], resource.relations[links[name]].target
            path = f"/{id}/{relation.replace('_', '-')}/{unknown_id(BY_NAME[other])}"
            tries += [(f"update {other}:read", method, path, None, "") for method in ("PUT", "DELETE")]
        for needed, method, path, body, place in tries:
            role = role_with(*f"{resource.name}:{needed}".split())
            if role is None or writers & roles_of(role) or ("/batch" in path and resource.tenant == "self"):
                continue
            if needed == "create":
                made = world.body(resource, tenant, role) | sent
                body = {"items": [made]} if place else made
            refused = world.caller(role, tenant).request(method, resource.path + path, json=body)
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden_field"), (method, path)
            assert refused.json()["errors"][0]["pointer"] == f"{place}/{name}"


def test_every_permission_is_about_a_resource() -> None:
    known = {resource.name for resource in RESOURCES}
    assert {name.partition(":")[0] for table in PERMISSIONS.values() for name in table} <= known
