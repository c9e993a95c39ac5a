"""References: a row that its writer may not read is refused as one that is not there."""

from __future__ import annotations

from typing import Any

import pytest

from .resources import BY_NAME, RESOURCES, ROLES, Grant, Resource
from .world import Response, World, grants_of, roles_of, unknown_id


def hiding(resource: Resource, role: str) -> dict[str, Any] | None:
    """Values of a row that the role may not read; None when no row is surely such a one."""
    names = {column: name for name, column in resource.columns.items()}
    found: dict[str, Any] = {}
    for grant in grants_of(role, f"{resource.name}:read"):
        flags = [each for each in grant if "link" not in each and each["values"] in ([True], [False])]
        if flags:
            found[names[flags[0]["column"]]] = not flags[0]["values"][0]
        elif not any("link" in each or each["me"] for each in grant):
            return None
    return found


GUARDED = pytest.mark.parametrize(
    "role,resource,field",
    [
        pytest.param(role, resource, field, id=f"{role}-{resource}-{field}")
        for role in ("authenticated", *ROLES)
        for resource in RESOURCES
        for field, target in resource.references.items()
        if resource.tenant != "none" and not resource.read_only and grants_of(role, f"{resource.name}:create")
        if BY_NAME[target].tenant != "self" and hiding(BY_NAME[target], role) is not None
        if resource.writable_by.get(field, roles_of(role)) & roles_of(role)
    ],
)


class Writer:
    """A caller of the role, and rows that it may and may not refer to."""

    def __init__(self, world: World, role: str, resource: Resource, field: str) -> None:
        self.world, self.role, self.resource, self.field = world, role, resource, field
        self.tenant = world.tenant()
        self.user = world.user(resource, self.tenant)
        self.target = BY_NAME[resource.references[field]]
        self.caller = world.caller(role, self.tenant, self.user)
        self.missing = unknown_id(self.target)

    def hidden(self, **values: Any) -> Any:
        return self.world.row(self.target, self.tenant, **(hiding(self.target, self.role) or {}), **values)["id"]

    def seen(self, **values: Any) -> Any:
        return self.world.readable(self.target, self.tenant, self.role, self.user, **values)["id"]

    def body(self, id: Any) -> dict[str, Any]:
        body = self.world.body(self.resource, self.tenant, self.role, self.user)
        return body | self._allowed("create") | {self.field: id}

    def row(self, id: Any) -> dict[str, Any]:
        """A row that the caller may change, if there is one."""
        return self.world.row(self.resource, self.tenant, **self._allowed("update"), **{self.field: id})

    def may(self, action: str) -> bool:
        return any(self._satisfied(grant) is not None for grant in grants_of(self.role, f"{self.resource.name}:{action}"))

    def _allowed(self, action: str) -> dict[str, Any]:
        grants = grants_of(self.role, f"{self.resource.name}:{action}")
        return next((found for grant in grants if (found := self._satisfied(grant)) is not None), {})

    def _satisfied(self, grant: Grant) -> dict[str, Any] | None:
        return self.world.satisfy(self.resource, grant, self.tenant, self.user)

    def referring(self, id: Any) -> int:
        """How many rows refer to it."""
        column = self.resource.columns[self.field]
        return len(self.world.sql(f"select from {self.resource.table} where {column}::text = $1", str(id)))


def told(answer: Response) -> dict[str, Any]:
    """All of a refusal but which request it was."""
    return {name: value for name, value in answer.json().items() if name != "request_id"}


def check_alike(pointer: str, hidden: Response, missing: Response) -> None:
    """Both are refused, in the same words."""
    assert told(hidden) == told(missing)
    assert (hidden.status_code, hidden.json()["code"]) == (422, "unknown_reference"), hidden.text
    assert [each["pointer"] for each in hidden.json()["errors"]] == [pointer]


@GUARDED
def test_a_new_row_refers_to_what_its_writer_may_read(world: World, role: str, resource: Resource, field: str) -> None:
    writer = Writer(world, role, resource, field)
    hidden, path = writer.hidden(), resource.path

    check_alike(f"/{field}", *(writer.caller.post(path, json=writer.body(id)) for id in (hidden, writer.missing)))
    if resource.tenant != "self":
        batches = ({"items": [writer.body(id)]} for id in (hidden, writer.missing))
        check_alike(f"/items/0/{field}", *(writer.caller.post(f"{path}/batch", json=batch) for batch in batches))
    assert writer.referring(hidden) == 0
    if grants_of(role, f"{writer.target.name}:read"):
        seen = writer.seen()
        made = writer.caller.post(path, json=writer.body(seen))
        assert (made.status_code, made.json().get(field)) == (201, seen), made.text


@GUARDED
def test_a_row_keeps_what_it_refers_to(world: World, role: str, resource: Resource, field: str) -> None:
    writer = Writer(world, role, resource, field)
    if not writer.may("update"):
        pytest.skip("the role changes no row")
    kept, hidden = writer.hidden(), writer.hidden()
    row = writer.row(kept)
    path = f"{resource.path}/{row['id']}"

    unchanged = writer.caller.patch(path, json={field: kept})
    assert unchanged.status_code == 200, unchanged.text
    check_alike(f"/{field}", *(writer.caller.patch(path, json={field: id}) for id in (hidden, writer.missing)))
    items = ({"items": [{"id": row["id"], field: id}]} for id in (hidden, writer.missing))
    batched = (writer.caller.post(f"{resource.path}/batch-update", json=each) for each in items)
    check_alike(f"/items/0/{field}", *batched)
    assert (writer.referring(kept), writer.referring(hidden)) == (1, 0)
    absent = f"{resource.path}/{unknown_id(resource)}"
    assert writer.caller.patch(absent, json={field: hidden}).status_code == 404


@GUARDED
def test_a_row_is_found_by_its_natural_key_first(world: World, role: str, resource: Resource, field: str) -> None:
    if not resource.natural_key or () not in grants_of(role, f"{resource.name}:update"):
        pytest.skip("no row is found by a natural key")
    writer = Writer(world, role, resource, field)
    kept, hidden = writer.hidden(), writer.hidden()
    row = writer.row(kept)
    natural = {resource.natural_key: row[resource.natural_key]}

    def upsert(choice: str, id: Any, **changes: Any) -> Response:
        body = {"items": [writer.body(id) | changes], "on_conflict": choice}
        return writer.caller.post(f"{resource.path}/batch", json=body)

    for choice in ("update", "ignore"):
        pointer = f"/items/0/{field}"
        check_alike(pointer, upsert(choice, hidden), upsert(choice, writer.missing))
        assert upsert(choice, kept, **natural).status_code == 201
        if choice == "update":
            check_alike(pointer, upsert(choice, hidden, **natural), upsert(choice, writer.missing, **natural))
        else:
            assert upsert(choice, hidden, **natural).status_code == 201
    assert (writer.referring(kept), writer.referring(hidden)) == (1, 0)


@GUARDED
def test_a_row_that_was_deleted_can_be_referred_to_by_who_could_read_it(
    world: World, role: str, resource: Resource, field: str
) -> None:
    writer = Writer(world, role, resource, field)
    if not (writer.target.soft_delete and grants_of(role, f"{writer.target.name}:read")):
        pytest.skip("nothing is deleted softly")
    deleted = {"deleted_at": "2026-01-01T00:00:00.000Z"}

    made = writer.caller.post(resource.path, json=writer.body(writer.seen(**deleted)))
    refused = writer.caller.post(resource.path, json=writer.body(writer.hidden(**deleted)))

    assert made.status_code == 201, made.text
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_reference")
