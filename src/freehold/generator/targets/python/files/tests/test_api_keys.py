"""API keys: what one reaches, what it is limited to, and each way in which it is refused."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import pytest

from .resources import BY_NAME, RESOURCES, Resource
from .world import Response, World, check_contract, grants_of, role_with, unknown_id

READABLE = [
    pytest.param(resource, id=str(resource))
    for resource in RESOURCES
    if resource.tenant == "scoped" and role_with(f"{resource.name}:read")
][:3]


def issue(world: World, resource: Resource, tenant: Any, **changes: Any) -> tuple[str, str]:
    """A new key that may read the resource, and its id."""
    key_id = secrets.token_hex(5)
    key = f"ak_dev_{key_id}_{secrets.token_hex(16)}"
    values = {
        "id": key_id,
        "hash": hashlib.sha256(key.encode()).hexdigest(),
        "name": "a test",
        "tenant": str(tenant),
        "roles": [role_with(f"{resource.name}:read")],
        "scopes": [],
        "age": 0,
    } | changes
    world.sql(
        """
        insert into api_key (id, hash, name, tenant, roles, scopes, expires_at)
        values ($1, $2, $3, $4, $5, $6, now() + nullif($7::integer, 0) * interval '1 day')
        """,
        *values.values(),
    )
    return key, key_id


def get(world: World, path: str, *keys: str, token: str = "") -> Response:
    headers = [("X-API-Key", key) for key in keys]
    headers += [("Authorization", f"Bearer {token}")] if token else []
    response = world.service.send("GET", path, headers=headers)
    check_contract(world.service.openapi, "GET", path, response)
    return response


@pytest.mark.parametrize("resource", READABLE)
def test_a_key_reaches_the_rows_of_its_tenant_and_of_no_other(world: World, resource: Resource) -> None:
    ours, theirs = world.tenant(), world.tenant()
    row, other = world.row(resource, ours), world.row(resource, theirs)
    key, key_id = issue(world, resource, ours)

    assert get(world, f"{resource.path}/{row['id']}", key).status_code == 200
    assert get(world, f"{resource.path}/{other['id']}", key).status_code == 404
    listed = [each["id"] for each in get(world, resource.path, key).json()["data"]]
    assert row["id"] in listed and other["id"] not in listed
    (used,) = world.sql("select last_used_at from api_key where id = $1", key_id)
    assert used["last_used_at"] is not None


@pytest.mark.parametrize("resource", READABLE)
def test_a_key_with_scopes_does_only_what_they_name(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    row = world.row(resource, tenant)
    key, _ = issue(world, resource, tenant, scopes=[f"{resource.name}:read"])
    other, _ = issue(world, resource, tenant, scopes=["nothing:read"])

    assert get(world, f"{resource.path}/{row['id']}", key).status_code == 200
    assert get(world, f"{resource.path}/{row['id']}", other).status_code == 403


REFERRING = [
    pytest.param(resource, field, id=f"{resource}-{field}")
    for resource in RESOURCES
    for field, target in resource.references.items()
    if resource.tenant == "scoped" and not resource.required and BY_NAME[target].tenant == "scoped"
    if role_with(f"{resource.name}:create") and field not in resource.writable_by
][:3]


@pytest.mark.parametrize("resource,field", REFERRING)
def test_a_key_that_may_not_read_what_it_refers_to_is_told_of_no_row(
    world: World, resource: Resource, field: str
) -> None:
    tenant, target = world.tenant(), BY_NAME[resource.references[field]]
    role = str(role_with(f"{resource.name}:create"))
    there = world.row(target, tenant)["id"]
    create = f"{resource.name}:create"

    def refer(id: Any, *scopes: str) -> Response:
        key, _ = issue(world, resource, tenant, roles=[role], scopes=list(scopes))
        body = world.body(resource, tenant, role) | {field: id}
        return world.service.send("POST", resource.path, headers=[("X-API-Key", key)], json=body)

    refused, missing = refer(there, create), refer(unknown_id(target), create)
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_reference")
    assert refused.json()["errors"] == missing.json()["errors"]
    if () in grants_of(role, f"{target.name}:read"):
        assert refer(there, create, f"{target.name}:read").status_code == 201


@pytest.mark.parametrize("resource", READABLE)
def test_a_key_has_no_more_roles_than_it_was_issued_with(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    key, _ = issue(world, resource, tenant, roles=["no_such_role"])
    permission = world.able(f"{resource.name}:read", tenant).role

    refused = get(world, resource.path, key).status_code
    assert refused == (200 if permission in ("public", "authenticated") else 403)


@pytest.mark.parametrize("resource", READABLE)
def test_a_key_that_is_revoked_or_expired_or_wrong_is_refused(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    key, key_id = issue(world, resource, tenant)
    assert get(world, resource.path, key).status_code == 200
    expired, _ = issue(world, resource, tenant, age=-1)
    wrong = [
        expired,
        key[:-1] + ("b" if key[-1] == "a" else "a"),
        key.replace("ak_dev_", "ak_prod_"),
        key.replace(key_id, secrets.token_hex(5)),
        f"{key}a",
        f"ak_dev_{key_id}'_{'a' * 32}",
        "ak_dev_",
        "x",
    ]

    for each in wrong:
        refused = get(world, resource.path, each)
        assert refused.status_code == 401, each
        assert refused.json()["code"] == "unauthenticated"
        assert each not in refused.text or len(each) < 10
    world.sql("update api_key set revoked_at = now() where id = $1", key_id)
    assert get(world, resource.path, key).status_code == 401


@pytest.mark.parametrize("resource", READABLE)
def test_two_credentials_are_refused_even_when_both_are_good(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    key, _ = issue(world, resource, tenant)
    caller = world.able(f"{resource.name}:read", tenant)
    token = world.service.sign(caller.role, str(tenant), "")

    for refused in (get(world, resource.path, key, token=token), get(world, resource.path, key, key)):
        assert refused.status_code == 400
        assert refused.json()["code"] == "ambiguous_credentials"


def test_the_service_itself_can_neither_issue_keys_nor_change_them(world: World) -> None:
    (may,) = world.sql(
        """
        select has_table_privilege('app_api', 'api_key', 'insert') as issue,
               has_table_privilege('app_api', 'api_key', 'delete') as forget,
               has_column_privilege('app_api', 'api_key', 'hash', 'update') as change,
               has_column_privilege('app_api', 'api_key', 'revoked_at', 'update') as revive,
               has_column_privilege('app_api', 'api_key', 'last_used_at', 'update') as use
        """
    )

    assert dict(may) == {"issue": False, "forget": False, "change": False, "revive": False, "use": True}
