"""Nothing of one tenant can be seen, changed, referred to or guessed by another."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from .resources import BY_NAME, RESOURCES, TENANT, TENANT_TABLES, Resource
from .world import World, grants_of, hidden, role_with, roles_of, unknown_id

SCOPED = pytest.mark.parametrize("resource", [each for each in RESOURCES if each.tenant == "scoped"], ids=str)


def stored(world: World, resource: Resource, id: Any) -> Any:
    id_column = resource.columns["id"]
    return world.sql(f"select to_jsonb(t.*) as row from {resource.table} t where {id_column}::text = $1", str(id))[0][
        "row"
    ]


@SCOPED
def test_a_row_of_another_tenant_is_not_there(world: World, resource: Resource) -> None:
    ours, theirs = world.tenant(), world.tenant()
    row = world.row(resource, theirs)
    path = f"{resource.path}/{row['id']}"
    before = stored(world, resource, row["id"])

    actions = {"read": "GET"} if resource.read_only else {"read": "GET", "update": "PATCH", "delete": "DELETE"}
    for action, method in actions.items():
        caller = world.able(f"{resource.name}:{action}", ours)
        options: dict[str, Any] = {"json": {}} if method == "PATCH" else {}
        assert caller.request(method, path, **options).status_code == 404
        if resource.soft_delete and action == "delete":
            assert caller.post(f"{path}/restore").status_code == 404
    assert stored(world, resource, row["id"]) == before


@pytest.mark.skipif(TENANT is None, reason="there are no tenants")
def test_another_tenant_itself_is_not_there(world: World) -> None:
    assert TENANT is not None
    ours, theirs = str(world.tenant()), str(world.tenant())
    before = stored(world, TENANT, theirs)

    reader = world.able(f"{TENANT.name}:read", ours)
    assert reader.get(f"{TENANT.path}/{theirs}").status_code == 404
    assert [row["id"] for row in reader.get(TENANT.path).json()["data"]] == [ours]
    for action, method in (("update", "PATCH"), ("delete", "DELETE")):
        role = role_with(f"{TENANT.name}:{action}")
        if role is not None:
            options: dict[str, Any] = {"json": {}} if method == "PATCH" else {}
            answer = world.caller(role, ours).request(method, f"{TENANT.path}/{theirs}", **options)
            assert answer.status_code == 404
    assert stored(world, TENANT, theirs) == before


@SCOPED
def test_no_list_shows_a_row_of_another_tenant(world: World, resource: Resource) -> None:
    ours, theirs = world.tenant(), world.tenant()
    foreign = world.row(resource, theirs)["id"]
    own = world.row(resource, ours)["id"]
    reader = world.able(f"{resource.name}:read", ours)
    held = roles_of(reader.role)
    readable = resource.readable_by
    visible = {
        name: value for name, value in resource.filters.items() if readable.get(name.partition(".")[0], held) & held
    }

    for parameters in [{}, {"id.in": foreign}, *({name: value} for name, value in visible.items())]:
        answer = reader.get(resource.path, params=parameters | {"count": "exact", "limit": "100"})
        ids = [row["id"] for row in answer.json()["data"]]
        assert foreign not in ids
        assert answer.json()["page"]["total"] == len(ids)
    assert own in [row["id"] for row in reader.get(resource.path, params={"limit": "100"}).json()["data"]]


@SCOPED
def test_a_cursor_of_another_tenant_shows_nothing_of_it(world: World, resource: Resource) -> None:
    ours, theirs = world.tenant(), world.tenant()
    foreign = {world.row(resource, theirs)["id"] for _ in range(3)}
    permission = f"{resource.name}:read"
    cursor = world.able(permission, theirs).get(resource.path, params={"limit": 1}).json()["page"]["next_cursor"]
    found = world.able(permission, ours).get(resource.path, params={"limit": 1, "cursor": cursor})

    assert found.status_code == 200
    assert not foreign & {row["id"] for row in found.json()["data"]}


@SCOPED
def test_a_reference_to_a_row_of_another_tenant_is_a_reference_to_nothing(world: World, resource: Resource) -> None:
    ours, theirs = world.tenant(), world.tenant()
    writer = world.able(f"{resource.name}:create", ours)
    body = world.body(resource, ours, writer.role)

    for name, target in resource.references.items():
        if BY_NAME[target].tenant != "scoped":
            continue
        foreign = writer.post(resource.path, json=body | {name: world.row(BY_NAME[target], theirs)["id"]})
        random = writer.post(resource.path, json=body | {name: unknown_id(BY_NAME[target])})
        assert (foreign.status_code, foreign.json()["code"]) == (422, "unknown_reference")
        assert foreign.json()["errors"] == random.json()["errors"]


@SCOPED
def test_no_way_to_read_shows_a_row_of_another_tenant(world: World, resource: Resource) -> None:
    ours, theirs = world.tenant(), world.tenant()
    reader = world.able(f"{resource.name}:read", ours)
    secret = hidden(resource, reader.role)
    values = {resource.words: "brass gate"} if resource.words else {}
    foreign, own = (world.row(resource, tenant, **values)["id"] for tenant in (theirs, ours))
    asked = [{"sort": sort} for sort in resource.sorts if sort.removeprefix("-") not in secret]
    if resource.words and not secret & set(resource.search):
        asked.append({"q": "brass"})
    if resource.soft_delete and () in grants_of(reader.role, f"{resource.name}:read_deleted"):
        asked.append({"deleted": "include"})
    for name, relation in resource.relations.items():
        guarded, field = relation.guard
        if () in grants_of(reader.role, f"{relation.target}:read") and field not in hidden(
            BY_NAME[guarded], reader.role
        ):
            asked.append({"include": name})

    for parameters in asked:
        shown = [row["id"] for row in reader.get(resource.path, params=parameters | {"limit": "100"}).json()["data"]]
        assert (own in shown, foreign in shown) == (True, False), parameters


@SCOPED
def test_a_reference_into_another_tenant_is_one_to_nothing_on_every_way(world: World, resource: Resource) -> None:
    ours, theirs = world.tenant(), world.tenant()
    writer = world.able_to_all([f"{resource.name}:create", f"{resource.name}:update"], ours)
    own = world.row(resource, ours)
    path = f"{resource.path}/{own['id']}"
    before = stored(world, resource, own["id"])
    held = roles_of(writer.role)

    for name, target in resource.references.items():
        if BY_NAME[target].tenant != "scoped" or not resource.writable_by.get(name, held) & held:
            continue
        foreign = world.row(BY_NAME[target], theirs)["id"]
        items = [world.body(resource, ours, writer.role) | {name: foreign}]
        refusals = {
            f"/{name}": [writer.patch(path, json={name: foreign})],
            f"/items/0/{name}": [
                writer.post(f"{resource.path}/batch", json={"items": items}),
                writer.post(f"{resource.path}/batch-update", json={"items": [{"id": own["id"], name: foreign}]}),
            ],
        }
        for pointer, answers in refusals.items():
            for refused in answers:
                assert (refused.status_code, refused.json()["code"]) == (422, "unknown_reference"), refused.text
                assert refused.json()["errors"][0]["pointer"] == pointer
    assert stored(world, resource, own["id"]) == before


@SCOPED
def test_a_caller_without_a_tenant_gets_nothing(world: World, resource: Resource) -> None:
    refused = world.able(f"{resource.name}:read", None).get(resource.path)

    assert refused.status_code in (401, 403)
    assert refused.json()["code"] in ("unauthenticated", "no_tenant")


def test_without_a_tenant_the_database_itself_shows_nothing(world: World, runner: asyncio.Runner) -> None:
    for resource in RESOURCES:
        if resource.tenant == "scoped":
            world.row(resource, world.tenant())

    async def counts() -> list[int]:
        connection = await asyncpg.connect(world.service.database_url, server_settings={"role": "app_api"})
        found = [await connection.fetchval(f'select count(*) from "{table}"') for table in TENANT_TABLES]
        await connection.close()
        return found

    assert runner.run(counts()) == [0] * len(TENANT_TABLES)


def test_every_table_of_tenants_is_guarded_and_refers_within_the_tenant(world: World) -> None:
    guarded = world.sql(
        """
        select relname from pg_class
        where relname = any($1) and relrowsecurity and relforcerowsecurity
          and exists (select 1 from pg_policy where polrelid = pg_class.oid and polcmd = '*')
        """,
        list(TENANT_TABLES),
    )
    scoped = [resource.table.strip('"') for resource in RESOURCES if resource.tenant == "scoped"]
    loose = world.sql(
        """
        select conname from pg_constraint
        where contype = 'f' and conrelid::regclass::text = any($1) and confrelid::regclass::text = any($1)
          and cardinality(conkey) < 2
        """,
        [resource.table for resource in RESOURCES if resource.tenant == "scoped"],
    )

    assert {row["relname"] for row in guarded} == set(TENANT_TABLES)
    assert not TENANT_TABLES or set(scoped) <= set(TENANT_TABLES)
    assert loose == []


def test_the_service_cannot_rewrite_its_history(world: World) -> None:
    rewritable = world.sql(
        """
        select relname from pg_class
        where relnamespace = current_schema()::regnamespace and relname in ('audit_log', 'schema_migrations')
          and has_table_privilege('app_api', oid, 'update, delete, truncate')
        """
    )

    assert rewritable == []
