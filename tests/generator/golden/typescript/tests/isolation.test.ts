/** Nothing of one tenant can be seen, changed, referred to or guessed by another. */
import assert from "node:assert/strict";
import { test } from "node:test";

import pg from "pg";

import {
  hidden,
  named,
  RESOURCES,
  roleWith,
  SCOPED,
  TENANT,
  TENANT_TABLES,
  without,
  type Resource,
} from "./resources.js";
import { databaseUrl, sql } from "./service.js";
import { able, bodyOf, Caller, newRow, newTenant, pathTo, unknownId } from "./world.js";

async function stored(resource: Resource, id: unknown): Promise<unknown> {
  const column = resource.columns["id"] ?? "id";
  const [row] = await sql(
    `select to_jsonb(t.*) as row from ${resource.table} t where ${column}::text = $1`,
    String(id),
  );
  return row?.["row"];
}

for (const resource of SCOPED) {
  const { name, path } = resource;

  test(`${name}: a row of another tenant is not there`, async () => {
    const [ours, theirs] = [await newTenant(), await newTenant()];
    const row = await newRow(resource, theirs);
    const before = await stored(resource, row.id);

    for (const [action, method] of [
      ["read", "GET"],
      ["update", "PATCH"],
      ["delete", "DELETE"],
    ] as const) {
      const role = resource.read_only && action !== "read" ? undefined : roleWith(`${name}:${action}`);
      if (role === undefined) continue;
      const caller = new Caller(role, ours);
      const answer = await caller.request(method, pathTo(resource, row), method === "PATCH" ? { body: {} } : {});
      assert.equal(answer.status, 404, `${method}: ${answer.text}`);
      if (resource.soft_delete && action === "delete") {
        assert.equal((await caller.post(`${pathTo(resource, row)}/restore`)).status, 404);
      }
    }
    assert.deepEqual(await stored(resource, row.id), before);
  });

  test(`${name}: no list shows a row of another tenant`, without(`${name}:read`), async () => {
    const [ours, theirs] = [await newTenant(), await newTenant()];
    const foreign = (await newRow(resource, theirs)).id;
    const own = (await newRow(resource, ours)).id;
    const reader = able(`${name}:read`, ours);
    const secret = hidden(resource, reader.role);
    const filters = Object.entries(resource.filters).filter(([each]) => !secret.includes(each.split(".", 1)[0] ?? ""));

    for (const query of [{}, { "id.in": String(foreign) }, ...filters.map((each) => Object.fromEntries([each]))]) {
      const answer = await reader.get(path, { ...query, count: "exact", limit: "100" });
      assert.ok(!answer.ids.includes(foreign));
      assert.equal(answer.list.page.total, answer.ids.length);
    }
    assert.ok((await reader.get(path, { limit: "100" })).ids.includes(own));
  });

  test(`${name}: a cursor of another tenant shows nothing of it`, without(`${name}:read`), async () => {
    const [ours, theirs] = [await newTenant(), await newTenant()];
    const foreign: unknown[] = [];
    for (let count = 0; count < 3; count += 1) foreign.push((await newRow(resource, theirs)).id);
    const page = await able(`${name}:read`, theirs).get(path, { limit: "1" });
    const cursor = String(page.list.page.next_cursor);
    const found = await able(`${name}:read`, ours).get(path, { limit: "1", cursor });

    assert.equal(found.status, 200, found.text);
    assert.ok(!found.ids.some((id) => foreign.includes(id)));
  });

  test(
    `${name}: a reference to a row of another tenant is a reference to nothing`,
    without(`${name}:create`),
    async () => {
      const [ours, theirs] = [await newTenant(), await newTenant()];
      const writer = able(`${name}:create`, ours);
      const body = await bodyOf(resource, ours, writer.role);

      for (const [field, target] of Object.entries(resource.references)) {
        if (named(target).tenant !== "scoped") continue;
        const foreign = await writer.post(path, { ...body, [field]: (await newRow(named(target), theirs)).id });
        const random = await writer.post(path, { ...body, [field]: unknownId(named(target)) });
        assert.deepEqual([foreign.status, foreign.problem.code], [422, "unknown_reference"]);
        assert.deepEqual(foreign.problem.errors, random.problem.errors);
      }
    },
  );

  test(`${name}: a caller without a tenant gets nothing`, without(`${name}:read`), async () => {
    const refused = await able(`${name}:read`, "").get(path);

    assert.ok([401, 403].includes(refused.status));
    assert.ok(["unauthenticated", "no_tenant"].includes(refused.problem.code));
  });
}

test(
  "another tenant itself is not there",
  { skip: TENANT === undefined ? "there are no tenants" : false },
  async () => {
    assert.ok(TENANT);
    const [ours, theirs] = [await newTenant(), await newTenant()];
    const before = await stored(TENANT, theirs);

    for (const [action, method] of [
      ["read", "GET"],
      ["update", "PATCH"],
      ["delete", "DELETE"],
    ] as const) {
      const role = roleWith(`${TENANT.name}:${action}`);
      if (role === undefined) continue;
      const caller = new Caller(role, ours);
      const options = method === "PATCH" ? { body: {} } : {};
      assert.equal((await caller.request(method, pathTo(TENANT, { id: theirs }), options)).status, 404);
      if (action === "read") assert.deepEqual((await caller.get(TENANT.path)).ids, [ours]);
    }
    assert.deepEqual(await stored(TENANT, theirs), before);
  },
);

test("without a tenant the database itself shows nothing", async () => {
  for (const resource of SCOPED) await newRow(resource, await newTenant());
  const client = new pg.Client({ connectionString: databaseUrl, options: "-c role=app_api" });
  await client.connect();
  const counts: unknown[] = [];
  for (const table of TENANT_TABLES) {
    const { rows } = await client.query<{ count: string }>(`select count(*) from ${client.escapeIdentifier(table)}`);
    counts.push(rows[0]?.count);
  }
  await client.end();

  assert.deepEqual(
    counts,
    TENANT_TABLES.map(() => "0"),
  );
});

test("every table of tenants is guarded and refers within the tenant", async () => {
  const guarded = await sql(
    `
    select relname from pg_class
    where relname = any($1) and relrowsecurity and relforcerowsecurity
      and exists (select 1 from pg_policy where polrelid = pg_class.oid and polcmd = '*')
    `,
    TENANT_TABLES,
  );
  const loose = await sql(
    `
    select conname from pg_constraint
    where contype = 'f' and conrelid::regclass::text = any($1) and confrelid::regclass::text = any($1)
      and cardinality(conkey) < 2
    `,
    SCOPED.map((resource) => resource.table),
  );

  assert.deepEqual(new Set(guarded.map((row) => row["relname"])), new Set(TENANT_TABLES));
  if (TENANT_TABLES.length > 0) {
    for (const resource of SCOPED) assert.ok(TENANT_TABLES.includes(resource.table.replaceAll('"', "")));
  }
  assert.deepEqual(loose, []);
});

test("the service cannot rewrite its history", async () => {
  const rewritable = await sql(
    `
    select relname from pg_class
    where relnamespace = current_schema()::regnamespace and relname in ('audit_log', 'schema_migrations')
      and has_table_privilege('app_api', oid, 'update, delete, truncate')
    `,
  );

  assert.ok(RESOURCES.length > 0);
  assert.deepEqual(rewritable, []);
});
