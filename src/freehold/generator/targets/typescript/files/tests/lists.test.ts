/** Filters, order and pages. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { hidden, RESOURCES, SCOPED, without } from "./resources.js";
import { sql } from "./service.js";
import { able, newRow, newTenant, rowOf, type Caller } from "./world.js";

/** The ids of all rows of a list, by following its cursors. */
async function allPages(reader: Caller, path: string, query: Record<string, string> = {}): Promise<unknown[]> {
  const ids: unknown[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < 50; page += 1) {
    const answer = await reader.get(path, cursor === null ? query : { ...query, cursor });
    assert.equal(answer.status, 200, answer.text);
    ids.push(...answer.ids);
    cursor = answer.list.page.next_cursor;
    assert.equal("link" in answer.headers, cursor !== null);
    if (cursor === null) return ids;
  }
  throw new Error("the pages do not end");
}

for (const resource of SCOPED) {
  const { name, path, table } = resource;

  test(`${name}: pages hold every row once, even when all were made in the same millisecond`, without(`${name}:read`), async () => {
    const tenant = await newTenant();
    const reader = able(`${name}:read`, tenant);
    const made: unknown[] = [];
    for (let count = 0; count < 7; count += 1) made.push((await newRow(resource, tenant)).id);
    if (resource.columns["created_at"] !== undefined) {
      const created = resource.columns["created_at"];
      await sql(`update ${table} set ${created} = '2026-01-01' where ${resource.tenant_column}::text = $1`, tenant);
    }

    for (const sort of resource.sorts) {
      if (hidden(resource, reader.role).includes(sort.replace(/^-/, ""))) {
        assert.equal((await reader.get(path, { sort })).status, 400);
        continue;
      }
      const found = await allPages(reader, path, { sort, limit: "3" });
      assert.ok(made.every((id) => found.includes(id)));
      assert.equal(new Set(found).size, found.length);
      assert.deepEqual(await allPages(reader, path, { sort, limit: "100" }), found);
    }
  });

  test(`${name}: the total is counted on request`, without(`${name}:read`), async () => {
    const tenant = await newTenant();
    const reader = able(`${name}:read`, tenant);
    for (let count = 0; count < 3; count += 1) await newRow(resource, tenant);
    const everything = await allPages(reader, path);
    const { page } = (await reader.get(path, { count: "exact", limit: "1" })).list;

    assert.ok(everything.length >= 3);
    assert.equal(page.total, everything.length);
    assert.ok(!("total" in (await reader.get(path)).list.page));
  });

  test(`${name}: a cursor is only good for its own list`, without(`${name}:read`), async () => {
    const tenant = await newTenant();
    const reader = able(`${name}:read`, tenant);
    for (let count = 0; count < 3; count += 1) await newRow(resource, tenant);
    const cursor = String((await reader.get(path, { limit: "1" })).list.page.next_cursor);
    const refused = await reader.get(path, { limit: "1", cursor, sort: "-id" });

    assert.deepEqual([refused.status, refused.problem.code], [400, "cursor_mismatch"]);
  });
}

for (const resource of RESOURCES) {
  const { name, path } = resource;

  test(`${name}: every filter takes a value and narrows`, without(`${name}:read`), async () => {
    const reader = able(`${name}:read`, await newTenant());
    const everything = await allPages(reader, path, { limit: "100" });

    for (const [parameter, value] of Object.entries(resource.filters)) {
      const answer = await reader.get(path, { [parameter]: value, limit: "100" });
      if (hidden(resource, reader.role).includes(parameter.split(".", 1)[0] ?? "")) {
        assert.equal(answer.status, 400); // a filter on a hidden field would tell what is in it
        continue;
      }
      assert.equal(answer.status, 200, `${parameter}: ${answer.text}`);
      assert.ok(answer.ids.every((id) => everything.includes(id)));
    }
  });

  test(`${name}: an id filter finds its row`, without(`${name}:read`), async () => {
    const tenant = await newTenant();
    const reader = able(`${name}:read`, tenant);
    const row = await rowOf(resource, tenant);

    assert.deepEqual((await reader.get(path, { "id.in": String(row.id) })).ids, [row.id]);
  });

  test(`${name}: wrong parameters are refused by name`, without(`${name}:read`), async () => {
    const reader = able(`${name}:read`, await newTenant());
    const refusals: [query: string, parameter: string, code: string][] = [
      ["statsu=active", "statsu", "unknown_parameter"],
      ["limit=0", "limit", "invalid_parameter"],
      ["limit=101", "limit", "invalid_parameter"],
      ["limit=2&limit=5", "limit", "invalid_parameter"],
      ["sort=no_such_field", "sort", "invalid_parameter"],
      ["cursor=x", "cursor", "invalid_parameter"],
      ["offset=0&cursor=x", "offset", "invalid_parameter"],
      ["constructor=x", "constructor", "unknown_parameter"],
      ["__proto__=x", "__proto__", "unknown_parameter"],
    ];
    if (resource.id_kind !== "text") refusals.push(["id.in=%00", "id.in", "invalid_parameter"]);

    for (const [query, parameter, code] of refusals) {
      const refused = await reader.get(`${path}?${query}`);
      assert.equal(refused.status, 400, query);
      const [error] = refused.problem.errors;
      assert.deepEqual([error?.parameter, error?.code], [parameter, code]);
    }
  });
}
