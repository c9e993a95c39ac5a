"""The audit log: every change of an audited resource is in it, for those who see every row and field anyway."""

from __future__ import annotations

import pytest

from .resources import BY_NAME, PERMISSIONS, RESOURCES, Resource
from .world import World, grants_of, hidden, writable

LOG = BY_NAME.get("audit_entry")
AUDITED = pytest.mark.parametrize(
    "resource",
    [
        each
        for each in RESOURCES
        if LOG is not None and each.audited and each.tenant == "scoped" and not each.read_only
    ],
    ids=str,
)


@AUDITED
def test_every_change_is_in_the_log(world: World, resource: Resource) -> None:
    assert LOG is not None
    tenant = world.tenant()
    user = world.user(resource, tenant)
    needed = [f"{resource.name}:{action}" for action in ("create", "update", "delete")]
    writer = world.able_to_all([*needed, "audit_entry:read"], tenant, user)
    made = writer.post(resource.path, json=world.body(resource, tenant, writer.role))
    path = made.headers["Location"]
    change = dict(list(writable(resource, writer.role).items())[:1])
    writer.patch(path, json=change, headers={"X-Request-Id": "a-request-of-mine"})
    writer.delete(path)
    sought = {"entity": resource.name, "entity_id": made.json()["id"], "sort": "id"}
    entries = writer.get(LOG.path, params=sought).json()["data"]

    assert [entry["action"] for entry in entries][:2] == ["create", "update"]
    assert len(entries) == 3
    assert {entry["actor_id"] for entry in entries} == {user}
    assert entries[1]["request_id"] == "a-request-of-mine"
    assert (entries[0]["before"], entries[0]["after"]) == (None, entries[1]["before"])
    assert writer.get(f"{LOG.path}/{entries[0]['id']}").json() == entries[0]
    for method in ("POST", "PATCH", "DELETE"):
        address = LOG.path if method == "POST" else f"{LOG.path}/{entries[0]['id']}"
        assert writer.request(method, address, json={}).status_code == 405


@AUDITED
def test_the_log_of_another_tenant_is_not_there(world: World, resource: Resource) -> None:
    assert LOG is not None
    ours, theirs = world.tenant(), world.tenant()
    world.row(resource, theirs)
    reader = world.able("audit_entry:read", ours)

    assert reader.get(LOG.path, params={"count": "exact"}).json() == {
        "data": [],
        "page": {"limit": 25, "has_more": False, "next_cursor": None, "total": 0},
    }


@pytest.mark.skipif(LOG is None, reason="nothing is audited")
def test_the_log_is_for_those_who_see_every_row_and_field() -> None:
    for role in PERMISSIONS:
        held = {resource.name for resource in RESOURCES if resource.audited}
        for grant in grants_of(role, "audit_entry:read"):
            shown = {name for condition in grant for name in condition["values"]} if grant else held
            for name in shown:
                assert () in grants_of(role, f"{name}:read")
                assert () in grants_of(role, f"{name}:delete")
                assert not hidden(BY_NAME[name], role)
