/** Two callers at once: nobody's change is lost, and nobody reads twice what has not changed. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { RESOURCES, roleWith, roleWithAll, without, writable } from "./resources.js";
import { sql } from "./service.js";
import { able, Caller, newRow, newTenant, pathTo } from "./world.js";

for (const resource of RESOURCES.filter((each) => each.versioned && each.tenant !== "self")) {
  const { name } = resource;

  test(`${name}: of two changes to the same version one is refused`, without(`${name}:update`), async () => {
    const tenant = await newTenant();
    const writer = able(`${name}:update`, tenant);
    const path = pathTo(resource, await newRow(resource, tenant));
    const body = Object.fromEntries(Object.entries(writable(resource, writer.role)).slice(0, 1));
    const first = await writer.patch(path, body, { "if-match": '"1"' });
    const second = await writer.patch(path, body, { "if-match": '"1"' });
    const weak = await writer.patch(path, body, { "if-match": 'W/"2"' });
    const garbage = await writer.patch(path, body, { "if-match": "x" });

    assert.equal(first.status, 200, first.text);
    assert.deepEqual([second.status, second.problem.code, second.headers["etag"]], [412, "version_conflict", '"2"']);
    assert.deepEqual([weak.status, weak.row["version"]], [200, 3]);
    assert.equal(garbage.status, 412);
  });

  const changer = roleWithAll(`${name}:update`, `${name}:delete`, `${name}:read`);
  test(`${name}: a row that has changed is neither deleted nor changed in a batch`, { skip: changer === undefined }, async () => {
    const tenant = await newTenant();
    const caller = new Caller(changer ?? "", tenant);
    const row = await newRow(resource, tenant);
    const erase = (tag: string) => caller.request("DELETE", pathTo(resource, row), { headers: { "if-match": tag } });
    const changed = await caller.post(`${resource.path}/batch-update`, { items: [{ id: row.id, version: 2 }] });
    const kept = await erase('"2"');
    const deleted = await erase('"1"');

    assert.deepEqual([changed.status, changed.problem.errors[0]?.pointer], [412, "/items/0"]);
    assert.deepEqual([kept.status, kept.problem.code, deleted.status], [412, "version_conflict", 204]);
  });

  test(`${name}: a row that has not changed is not sent again`, without(`${name}:read`), async () => {
    const tenant = await newTenant();
    const reader = able(`${name}:read`, tenant);
    const path = pathTo(resource, await newRow(resource, tenant));
    const etag = (await reader.get(path)).headers["etag"] ?? "";
    const again = await reader.get(path, {}, { "if-none-match": etag });

    assert.deepEqual([again.status, again.text], [304, ""]);
  });
}

const changeable = RESOURCES.find((each) => each.tenant === "scoped" && roleWith(`${each.name}:update`) !== undefined);

for (const [failures, status] of [
  [3, 200],
  [4, 503],
] as const) {
  test(`a request that lost ${failures} deadlocks is answered with ${status}`, { skip: changeable === undefined }, async () => {
    assert.ok(changeable);
    const tenant = await newTenant();
    const path = pathTo(changeable, await newRow(changeable, tenant));
    await sql("create sequence attempts");
    await sql(
      `create function lose() returns trigger language plpgsql security definer set search_path from current as $$
       begin
         if nextval('attempts') <= ${failures} then raise exception using errcode = '40P01'; end if;
         return new;
       end $$`,
    );
    await sql(`create trigger lose before update on ${changeable.table} for each row execute function lose()`);
    const answer = await able(`${changeable.name}:update`, tenant).patch(path, {});
    const [attempts] = await sql("select last_value::int as count from attempts");
    await sql("drop function lose cascade");
    await sql("drop sequence attempts");

    assert.deepEqual([answer.status, attempts?.["count"]], [status, 4]);
    if (status === 503) assert.equal(answer.problem.code, "unavailable");
  });
}
