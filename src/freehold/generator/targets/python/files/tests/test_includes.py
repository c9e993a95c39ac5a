"""Relations: what belongs to a row is shown with it, as far as the caller may see it."""

from __future__ import annotations

from typing import Any

import pytest

from .resources import BY_NAME, RESOURCES, ROLES, Resource
from .world import Caller, World, grants_of, hidden, roles_of, unknown_id

RELATED = pytest.mark.parametrize(
    "resource,name",
    [
        pytest.param(resource, name, id=f"{resource}-{name}")
        for resource in RESOURCES
        for name in resource.relations
        if resource.tenant != "none"
    ],
)


def ids_of(shown: Any) -> list[Any]:
    """The ids of the rows that are shown under a relation."""
    rows = shown if isinstance(shown, list) else [shown] if shown else []
    return [row["id"] for row in rows]


def is_guarded(resource: Resource, name: str, role: str) -> bool:
    """Whether the role may not see what connects the two."""
    guarded, field = resource.relations[name].guard
    return field in hidden(BY_NAME[guarded], role)


@RELATED
def test_what_belongs_to_a_row_is_shown_with_it(world: World, resource: Resource, name: str) -> None:
    tenant = world.tenant()
    relation = resource.relations[name]
    row, other = world.related(resource, name, tenant)
    reader = world.able_to_all([f"{resource.name}:read", f"{relation.target}:read"], tenant)
    path = f"{resource.path}/{row['id']}"
    single = reader.get(path, params={"include": name})
    if is_guarded(resource, name, reader.role):
        assert single.status_code == 400
        return
    listed = reader.get(resource.path, params={"include": name, "id.in": row["id"]})

    assert single.status_code == 200, single.text
    assert other["id"] in ids_of(single.json()[name])
    assert isinstance(single.json()[name], list) == relation.many
    assert [ids_of(each[name]) for each in listed.json()["data"]] == [ids_of(single.json()[name])]
    assert "ETag" not in single.headers
    assert name not in reader.get(path).json()


@RELATED
def test_what_belongs_to_that_is_shown_too(world: World, resource: Resource, name: str) -> None:
    tenant = world.tenant()
    target = BY_NAME[resource.relations[name].target]
    row, other = world.related(resource, name, tenant)

    for second, relation in target.relations.items():
        needed = [f"{each}:read" for each in (resource.name, target.name, relation.target)]
        reader = world.able_to_all(needed, tenant)
        shown = reader.get(f"{resource.path}/{row['id']}", params={"include": f"{name}.{second}"})
        if is_guarded(resource, name, reader.role) or is_guarded(target, second, reader.role):
            assert shown.status_code == 400
            continue
        assert shown.status_code == 200, shown.text
        rows = shown.json()[name] if resource.relations[name].many else [shown.json()[name]]
        (inner,) = [each for each in rows if each["id"] == other["id"]]
        assert isinstance(inner[second], list) == relation.many


@RELATED
def test_rows_that_the_caller_may_not_read_are_left_out(world: World, resource: Resource, name: str) -> None:
    relation = resource.relations[name]
    target = BY_NAME[relation.target]
    tenant = world.tenant()
    user = world.user(target, tenant)
    row, other = world.related(resource, name, tenant)
    path = f"{resource.path}/{row['id']}"

    for role in ("authenticated", *ROLES):
        grants = grants_of(role, f"{target.name}:read")
        if () not in grants_of(role, f"{resource.name}:read") or is_guarded(resource, name, role):
            continue
        shown = world.caller(role, tenant, user).get(path, params={"include": name})
        if not grants:
            assert (shown.status_code, shown.json()["code"]) == (403, "forbidden")
        elif target.tenant != "self" and not any(
            world.reaches(target, grant, other, tenant, user) for grant in grants
        ):
            assert other["id"] not in ids_of(shown.json()[name])
        else:
            assert other["id"] in ids_of(shown.json()[name])
            rows = shown.json()[name] if relation.many else [shown.json()[name]]
            assert not any(hidden(target, role) & set(each) for each in rows)


@pytest.mark.parametrize("resource", [each for each in RESOURCES if each.relations], ids=str)
def test_a_relation_that_is_not_there_is_refused(world: World, resource: Resource) -> None:
    tenant = world.tenant()
    name, relation = next(iter(resource.relations.items()))
    reader = world.able_to_all([f"{resource.name}:read", f"{relation.target}:read"], tenant)

    for paths in (["no_such"], [f"{name}.no_such"], [f"{name}.a.b"], ["__class__"], [""], [name] * 6):
        for path in (resource.path, f"{resource.path}/{unknown_id(resource)}"):
            refused = reader.get(path, params={"include": paths})
            assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, "include"), paths


LINKED = pytest.mark.parametrize(
    "resource,name",
    [
        pytest.param(resource, name, id=f"{resource}-{name}")
        for resource in RESOURCES
        for name, relation in resource.relations.items()
        if relation.body
    ],
)


def editor_of(world: World, resource: Resource, name: str, tenant: Any) -> Caller:
    """A caller who may set the links of every row."""
    relation = resource.relations[name]
    needed = [f"{resource.name}:{action}" for action in ("read", "create", "update")]
    editor = world.able_to_all([*needed, f"{relation.target}:read"], tenant)
    held = roles_of(editor.role)
    if not resource.writable_by.get(relation.body, held) & held:
        pytest.skip("the role may not set the links")
    return editor


@LINKED
def test_rows_are_linked_and_unlinked(world: World, resource: Resource, name: str) -> None:
    tenant = world.tenant()
    relation = resource.relations[name]
    editor = editor_of(world, resource, name, tenant)
    row, other = world.row(resource, tenant), world.row(BY_NAME[relation.target], tenant)
    path = f"{resource.path}/{row['id']}"
    link = f"{path}/{name.replace('_', '-')}/{other['id']}"

    for _ in range(2):
        assert editor.put(link).status_code == 204
        assert ids_of(editor.get(path, params={"include": name}).json()[name]) == [other["id"]]
    for _ in range(2):
        assert editor.delete(link).status_code == 204
        assert ids_of(editor.get(path, params={"include": name}).json()[name]) == []


@LINKED
def test_a_body_sets_all_links_at_once(world: World, resource: Resource, name: str) -> None:
    tenant = world.tenant()
    relation = resource.relations[name]
    editor = editor_of(world, resource, name, tenant)
    first, second, third = sorted(world.row(BY_NAME[relation.target], tenant)["id"] for _ in range(3))
    body = world.body(resource, tenant, editor.role)
    created = editor.post(resource.path, json=body | {relation.body: [second, first, first]})
    assert created.status_code == 201, created.text
    path = created.headers["Location"]

    def linked() -> list[Any]:
        return sorted(ids_of(editor.get(path, params={"include": name}).json()[name]))

    assert linked() == [first, second]
    assert editor.patch(path, json={relation.body: [third, second]}).status_code == 200
    assert linked() == [second, third]
    assert editor.patch(path, json={}).status_code == 200
    assert linked() == [second, third]
    assert editor.patch(path, json={relation.body: None}).status_code == 422
    assert editor.patch(path, json={relation.body: []}).status_code == 200
    assert linked() == []


@LINKED
def test_links_stay_within_the_tenant(world: World, resource: Resource, name: str) -> None:
    ours, theirs = world.tenant(), world.tenant()
    relation = resource.relations[name]
    target = BY_NAME[relation.target]
    editor = editor_of(world, resource, name, ours)
    own, foreign = world.row(resource, ours), world.row(resource, theirs)
    other, foreign_other = world.row(target, ours), world.row(target, theirs)
    segment = name.replace("_", "-")
    pairs = [(foreign, other), (foreign, foreign_other)]

    for row, end in [*pairs, (own, foreign_other)] if target.tenant == "scoped" else pairs:
        for method in ("PUT", "DELETE"):
            refused = editor.request(method, f"{resource.path}/{row['id']}/{segment}/{end['id']}")
            assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    if target.tenant == "scoped":
        body = world.body(resource, ours, editor.role)
        refused = editor.post(resource.path, json=body | {relation.body: [other["id"], foreign_other["id"]]})
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_reference")
        assert refused.json()["errors"][0]["pointer"] == f"/{relation.body}/1"
    linked = world.sql(
        f"select 1 from {relation.link} where {relation.link_here}::text = any($1)",
        [str(own["id"]), str(foreign["id"])],
    )
    assert linked == []
